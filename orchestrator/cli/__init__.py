"""The `nightshift` command.

The modules here are imported when one of their commands is asked for, and import what they need when it runs, so
that `nightshift status` does not wait for a run engine.
Exit codes: 0 done, 1 breaches found by an audit, a red line found by a check, an alert channel that took no test or a
device that is not as it should be, 2 bad input, 3 needs operator, 4 aborted, 5 command refused, or a start that is
not allowed.
"""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "check": "files:check",
    "dry-run": "nights:dry_run",
    "run": "nights:run",
    "recover": "nights:recover",
    "serve": "nights:serve",
    "hold": "commanding:hold",
    "resume": "commanding:resume",
    "stop": "commanding:stop",
    "abort": "commanding:abort",
    "sample": "searching:sample",
    "queue": "searching:queue",
    "veto": "searching:veto",
    "reject": "searching:reject",
    "accept": "searching:accept",
    "repeat": "searching:repeat",
    "note": "searching:note",
    "budget": "searching:budget",
    "weights": "searching:weigh",
    "status": "looking:status",
    "journal": "looking:journal",
    "samples": "explaining:samples",
    "why": "explaining:why",
    "export": "explaining:export",
    "report": "looking:report",
    "audit": "auditing:audit",
    "ack": "alerting:ack",
    "watch": "alerting:watch",
    "alert-test": "alerting:alert_test",
    "simulate": "labs:simulate",
    "user": "users:user",
    "devices": "labs:devices",
    "init": "beginning:init",
    "completion": "installing:completion",
    "systemd-unit": "installing:systemd_unit",
    "console": "lookback:console",
}
"""Each command -> the module here, and what it is called there."""


class Commands(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(f"{__name__}.{module}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nightshift-lab")
def main() -> None:
    """Nightshift runs a self-driving thin-film laboratory through the night."""
