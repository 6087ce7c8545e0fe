"""What the daemon asks of a station, whether its worker is a process or an object beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from orchestrator.service.happenings import Answer, StationTurned

OnEnd = Callable[[str, Answer], None]
"""Takes a step's uid and the station's final word on it; may be called on any thread."""


class Station(Protocol):
    """One station.  No method but `make_safe` waits for the lab.

    A station whose worker dies says so through `watch`, and answers for its steps once it has a new worker: the
    daemon asks nothing twice.
    """

    name: str
    waiting_on: str
    """The interlock that its step waited on when it was last heard of, in words; "" if on none."""

    def watch(self, on_turn: Callable[[StationTurned], None]) -> None:
        """Tell `on_turn`, on any thread, when the worker is lost, back or given up."""

    def start(self, step: dict[str, Any], on_end: OnEnd) -> None:
        """Begin `step` and return; it ends in `on_end`.  The same uid twice is once."""

    def settle(self, uid: str, on_end: OnEnd) -> None:
        """Ask what became of a step that was intended before this daemon's time; begin nothing.

        It ends in `on_end`; the answer's state is ``never begun`` if the worker never heard of it.
        """

    def status(self) -> dict[str, Any]:
        """How the worker is: "state" and more.  Raises `rpc.RpcError`."""

    def hold(self, reason: str) -> None:
        """Raises `rpc.RpcError`, as the others do."""

    def resume(self) -> None: ...

    def abort(self, reason: str) -> None: ...

    def make_safe(self, reason: str) -> list[str]:
        """Put every device into its safe state, and wait for it; what could not be, in words."""
