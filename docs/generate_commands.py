"""Write the reference page of the `nightshift` command from the command itself.

``python docs/generate_commands.py`` writes it, ``--check`` only says whether it is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs.generated import keep  # noqa: E402
from orchestrator.cli import main as nightshift  # noqa: E402 - after the path

PAGE = ROOT / "docs" / "reference" / "commands.md"
HEAD = """# Commands

<!-- Written by docs/generate_commands.py: change the commands, not this page. -->

Exit codes: 0 done (or stopped), 1 breaches found (`audit`), a channel that took no test (`alert-test`) or a device that
is not as it should be (`devices --ask`),
2 bad input, 3 needs operator, 4 aborted, 5 command refused.
`--json` prints one object on standard output and nothing else there.
"""


def page() -> str:
    """The page as it should be."""
    return "\n".join([HEAD, *sections(nightshift, click.Context(nightshift, info_name="nightshift"))])


def sections(group: click.Group, context: click.Context) -> Iterator[str]:
    """The help of each command of a group, and of those below it."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context, max_content_width=96, terminal_width=96)
        yield f"## {inner.command_path}\n\n```text\n{command.get_help(inner)}\n```\n"
        if isinstance(command, click.Group):
            yield from sections(command, inner)


if __name__ == "__main__":
    keep(PAGE, page(), "generate_commands")
