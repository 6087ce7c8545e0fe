"""What the commands have in common: their exit codes, and how they end, whose home is meant and who asks."""

from __future__ import annotations

import getpass
import json
import os
import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from orchestrator.service.home import Home

DONE, BREACHES, BAD_INPUT, NEEDS_OPERATOR, ABORTED, REFUSED = 0, 1, 2, 3, 4, 5
EXIT_CODES = {"done": DONE, "stopped": DONE, "needs operator": NEEDS_OPERATOR, "aborted": ABORTED}
NIGHTS = Path("nights")

FILE = click.Path(path_type=Path)


def refuse(message: object, code: int = BAD_INPUT) -> NoReturn:
    """End with exit code `code` and `message` on standard error."""
    click.echo(f"Error: {message}", err=True)
    sys.exit(code)


def finish(summary: dict[str, Any], home: Home, as_json: bool) -> NoReturn:
    """Print what became of a night, and end with its exit code."""
    from orchestrator.night import summary_lines

    click.echo(json.dumps(summary) if as_json else summary_lines(summary, home))
    sys.exit(EXIT_CODES[summary["end"]])


MENDABLE = {
    "orchestrator.campaign.problems": ("SpecError",),
    "orchestrator.campaign.lifecycle": ("LifecycleError",),
    "orchestrator.console.users": ("ConsoleError",),
    "orchestrator.journal": ("JournalError",),
    "orchestrator.rpc": ("RpcError",),
    "orchestrator.service.children": ("ChildError",),
    "orchestrator.service.home": ("HomeError",),
    "orchestrator.witness": ("WitnessError",),
}
"""Where the errors are defined that a person can mend."""


def _mendable() -> tuple[type[Exception], ...]:
    """Those that can have been raised: nobody raises an error of a module that nobody has imported."""
    there = ((sys.modules[module], names) for module, names in MENDABLE.items() if module in sys.modules)
    return tuple(getattr(module, name) for module, names in there for name in names if hasattr(module, name))


def checked(command: Callable[..., None]) -> Callable[..., None]:
    """Turn the errors that a person can mend into one message and exit code 2; a refusal into exit code 5."""

    @wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except _mendable() as error:
            refused = getattr(error, "kind", "") == "CommandRefused"
            refuse(getattr(error, "message", error) if refused else error, REFUSED if refused else BAD_INPUT)

    return wrapper


def home_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--home",
        type=FILE,
        envvar="NIGHTSHIFT_HOME",
        help="The campaign's folder [default: the newest below nights/].",
    )(command)


def lab_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--lab", type=FILE, help="The lab file [default: the one that the campaign names].")(command)


def the_home(path: Path | None) -> Home:
    from orchestrator.service.home import Home, newest

    return Home(path) if path else newest(NIGHTS)


def new_home(path: Path | None, campaign: str) -> Home:
    """A folder for a new campaign, by default one that has its name and the time."""
    from orchestrator.service.home import Home

    home = Home(path or NIGHTS / f"{campaign}-{time.strftime('%Y%m%d-%H%M%S')}")
    home.make()
    return home


def operator() -> str:
    """Who gives the command, for the journal."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
