"""Who may log in to the operator's page."""

from __future__ import annotations

import json
import sys

import click

from orchestrator.cli.common import checked


@click.group()
def user() -> None:
    """Who may log in to the operator's page."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(["viewer", "operator", "admin"]), default="operator", show_default=True,
              help="A viewer only looks.")  # fmt: skip
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input [default: ask for it].")
@checked
def user_add(name: str, role: str, password_stdin: bool) -> None:
    """Let NAME log in, or give them another password or role; who was logged in logs in again."""
    from orchestrator.console.users import Role, User, Users, folder

    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    users = Users(folder())
    known = users.put(name, User.with_password(Role.of(role), password))
    click.echo(f"{users.path}: {name} {'changed' if known else 'added'}, {role}")


@user.command("remove")
@click.argument("name")
@checked
def user_remove(name: str) -> None:
    """Let NAME log in no more, and end their sessions."""
    from orchestrator.console.users import Users, folder

    users = Users(folder())
    users.remove(name)
    click.echo(f"{users.path}: {name} removed")


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def user_list(as_json: bool) -> None:
    """Who may log in, and as what."""
    from orchestrator.console.users import Users, folder

    roles = {name: user.role for name, user in Users(folder()).all().items()}
    if as_json:
        click.echo(json.dumps({"users": roles}))
    for name, role in roles.items() if not as_json else ():
        click.echo(f"{name:20} {role}")
