"""How the commands that run a campaign serve the operator's page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.common import FILE, operator

if TYPE_CHECKING:
    from orchestrator.console.serve import Console
    from orchestrator.service.home import Home


def console_options(off: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """How the operator's page is served; `off`: it is not, unless asked for."""
    told = "not served" if off else "127.0.0.1:8765, or the next free port"
    options = (
        click.option("--console", default="none" if off else "", is_flag=False, flag_value="", metavar="[HOST:PORT]",
                     envvar="NIGHTSHIFT_CONSOLE",
                     help=f'Serve the operator\'s page there; "none" does not [default: {told}].'),
        click.option("--console-cert", type=FILE, envvar="NIGHTSHIFT_CONSOLE_CERT",
                     help="Its TLS certificate (PEM); for a HOST that others can reach."),
        click.option("--console-key", type=FILE, envvar="NIGHTSHIFT_CONSOLE_KEY", help="The certificate's key (PEM)."),
        click.option("--console-login", is_flag=True, help="People log in, also on this machine (`nightshift user`)."),
    )  # fmt: skip

    def wrap(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return wrap


@contextmanager
def opened(home: Home, console: str, console_cert: Path | None, console_key: Path | None,
           console_login: bool) -> Iterator[Console | None]:  # fmt: skip
    """The operator's page of `home`, being served; None if it is not to be."""
    if console == "none":
        yield None
        return
    from orchestrator.console.serve import Address, Console

    with Console(Address.of(console, console_cert, console_key, console_login), operator()) as page:
        home.show_at(page.url)
        click.echo(f"Console: {page.url}", err=True)
        try:
            yield page
        finally:
            home.show_at(None)
