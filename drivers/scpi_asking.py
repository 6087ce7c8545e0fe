"""Instruments that take several questions in one SCPI message; their answers are told apart and decoded here."""

from __future__ import annotations

from drivers.errors import Garbled
from drivers.instrument import Instrument
from drivers.link import exchange, read_twice
from drivers.wire import scpi
from drivers.wire.errors import Malformed
from drivers.wire.framing import Framing


class ScpiAsking(Instrument):
    """Raises `Garbled` for what cannot be decoded, and `LinkError`."""

    def _framing(self, queries: int) -> Framing:
        """Where the reply to so many queries of one message ends: by default with its first line."""
        return scpi.LF

    def _ask(self, *units: str) -> list[str]:
        """The answer to each of `units` that is a query, by one exchange."""
        message, queries = scpi.message(*units), sum("?" in unit for unit in units)
        reply = exchange(self.link, message, self._framing(queries))
        try:
            return scpi.fields(reply, queries)
        except Malformed as error:
            raise Garbled(f"{self.name}: {error} in answer to {message!r}") from error

    def _query(self, *units: str) -> list[str]:
        """Questions only: asked once more if the answer is missing or spoiled."""
        return read_twice(lambda: self._ask(*units))

    def _number(self, field: str) -> float:
        try:
            return scpi.number(field)
        except Malformed as error:
            raise Garbled(f"{self.name}: {error}") from error

    def _integer(self, field: str) -> int:
        try:
            return scpi.integer(field)
        except Malformed as error:
            raise Garbled(f"{self.name}: {error}") from error
