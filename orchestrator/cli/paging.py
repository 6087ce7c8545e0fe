"""How the commands that run a campaign serve the operator's page."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.common import FILE, NIGHTS, operator

if TYPE_CHECKING:
    from orchestrator.console.serve import Console
    from orchestrator.service.home import Home

LOOK_S = 0.25
LEAVE_S = 5.0
"""Real seconds for which the page of a daemon that has ended is waited for to go."""
UNGUARDED = " (whoever has an account on this machine can command there; --console-login asks for a name)"


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
        click.option("--console-login", is_flag=True, help="People log in (`nightshift user`), also on this machine, "
                     "where else every account may command."),
        click.option("--console-name", default="", envvar="NIGHTSHIFT_CONSOLE_NAME",
                     help="The name by which a reverse proxy on this machine serves it; people log in."),
    )  # fmt: skip

    def wrap(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return wrap


@contextmanager
def opened(home: Home, console: str, console_cert: Path | None, console_key: Path | None,
           console_login: bool, console_name: str, stays: bool = False) -> Iterator[Console | None]:  # fmt: skip
    """The operator's page of `home`, being served; None if it is not to be.  `stays`: also after the campaign."""
    if console == "none":
        yield None
        return
    from orchestrator.console.serve import Address, Console

    def check() -> dict[str, Any]:
        from orchestrator.contract import under_way_apart

        return under_way_apart(home, NIGHTS)

    address = Address.of(console, console_cert, console_key, console_login, console_name)
    page = Console(address, operator(), stays=stays, check=check)
    with page.open(LEAVE_S if home.take_over_page() else 0.0):
        home.show_at(page.url)
        click.echo(f"Console: {page.url}{'' if page.login else UNGUARDED}", err=True)
        try:
            yield page
        finally:
            home.show_at(None)


@contextmanager
def opened_to_look(console: str, console_cert: Path | None, console_key: Path | None,
                   console_login: bool, console_name: str) -> Iterator[Console]:  # fmt: skip
    """A page on which nothing can be commanded."""
    from orchestrator.console.serve import Address, Console

    with Console(Address.of(console, console_cert, console_key, console_login, console_name), operator()) as page:
        click.echo(f"Console: {page.url}", err=True)
        yield page


def stay(page: Console | None, home: Home, summary: dict[str, Any]) -> None:
    """Serve `page` on, until SIGINT or SIGTERM, or until another daemon takes the page of `home` over; if there is one,
    and it has a campaign to show."""
    if page is None or not page.shows:
        return
    from orchestrator.systemd import Notifier

    told = f"{summary['campaign']}: {summary['end']} ({summary['reason']})"
    click.echo(f"{told}. Its page stays at {page.url} until Ctrl-C or SIGTERM.", err=True)
    notifier = Notifier.from_environment()
    with until_told() as over:
        while home.shows_here and not over.wait(LOOK_S):
            notifier.alive(told)
    notifier.stopping(told)


@contextmanager
def until_told() -> Iterator[threading.Event]:
    """An event that SIGINT or SIGTERM sets; they do nothing else meanwhile."""
    over = threading.Event()
    before = {number: signal.signal(number, lambda *_: over.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield over
    finally:
        for number, known in before.items():
            signal.signal(number, known)
