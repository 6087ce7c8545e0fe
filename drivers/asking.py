"""Instruments that answer every message with one frame: questions are asked again once, acts never are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from drivers.errors import Garbled, LinkError, NoReply
from drivers.instrument import Instrument
from drivers.link import exchange, listen_out
from drivers.wire.errors import Malformed
from drivers.wire.framing import Framing

T = TypeVar("T")


class Asking(Instrument):
    """Subclasses set `framing`: where an answer ends."""

    framing: Framing

    def _once(self, request: bytes, parse: Callable[[bytes], T], framing: Framing | None = None) -> T:
        """One exchange.  `parse` decodes the answer and raises `Malformed`, or an `InstrumentError` of its own."""
        answer = exchange(self.link, request, framing or self.framing)
        try:
            return parse(answer)
        except Malformed as error:
            raise Garbled(f"{self.name}: answer to {request!r}: {error}") from error

    def _ask(self, request: bytes, parse: Callable[[bytes], T], framing: Framing | None = None) -> T:
        """A question, asked once more if its answer is missing or spoiled."""
        try:
            return self._once(request, parse, framing)
        except NoReply:  # what is late is awaited and thrown away by the link
            pass
        except Garbled:
            listen_out(self.link)
        return self._once(request, parse, framing)

    def _command(self, send: Callable[[], Any], obeyed: Callable[[], bool]) -> None:
        """An act: never repeated.  If its answer is missing or spoiled, look whether it was `obeyed`."""
        try:
            send()
        except (NoReply, Garbled) as error:
            if isinstance(error, Garbled):
                listen_out(self.link)
            if not self._seen(obeyed, error):
                raise

    @staticmethod
    def _seen(obeyed: Callable[[], bool], why: LinkError) -> bool:
        try:
            return obeyed()
        except LinkError as error:
            raise error from why
