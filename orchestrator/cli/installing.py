"""Commands that set things up: files to begin with, completion for a shell, a unit for systemd."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from orchestrator.cli.common import FILE, checked, refuse


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion of `nightshift` for SHELL, to be sourced by it.

    \b
    bash: nightshift completion bash > ~/.local/share/bash-completion/completions/nightshift
    zsh:  nightshift completion zsh > ~/.zfunc/_nightshift    (a folder in $fpath)
    fish: nightshift completion fish > ~/.config/fish/completions/nightshift.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None, "click knows the shells of the argument"
    root = ctx.find_root().command
    try:
        click.echo(kind(root, {}, "nightshift", "_NIGHTSHIFT_COMPLETE").source())
    except RuntimeError as error:  # of a shell too old for it
        refuse(error)


@click.command("systemd-unit")
@click.argument("lab", type=FILE)
@click.option("--home", type=FILE, required=True, help="The folder of the campaign to come, or that is there.")
@click.option("--user", default=None, help="The account that it runs as [default: yours].")
@checked
def systemd_unit(lab: Path, home: Path, user: str | None) -> None:
    """Print a systemd unit that serves LAB in HOME, watches over the daemon, and starts it again if it dies.

    It goes on with a campaign by itself, after a crash or with the machine, only if the campaign file says
    `recovery.unattended = true` and nobody is needed.
    """
    from orchestrator.campaign.labspec import load_lab
    from orchestrator.cli.common import operator
    from orchestrator.systemd import unit

    load_lab(lab)
    command = Path(sys.argv[0]).absolute()
    if command.name != "nightshift":
        command = Path(sys.executable).with_name("nightshift")
    click.echo(unit(command, lab.absolute(), home.absolute(), user or operator()), nl=False)
