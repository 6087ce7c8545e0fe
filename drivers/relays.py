"""What relay boxes have in common: shutters hang on their relays, and nothing else on them is touched."""

from __future__ import annotations

from functools import partial
from typing import Any

from ophyd import Component as Cpt

from drivers.asking import Asking
from drivers.errors import Fault, SettingError
from drivers.instrument import Reading
from drivers.link import insist


class RelayBox(Asking):
    """A box of `count` relays.  Subclasses write `_read_energised` and `_drive`, on the port's thread.

    A relay box has no dead-man switch: its relays stay as they are when the host dies.  It must not be what safety
    rests on.
    """

    role = "relays"
    count = 8

    energised = Cpt(Reading, value="")
    fault = Cpt(Reading, value="")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ours: set[int] = set()
        self._energised: frozenset[int] | None = None

    def claim(self, number: int) -> None:
        """Relay `number` drives a shutter: `make_safe` lets it go.  Raises `SettingError` if it is not to be had."""
        if not 1 <= number <= self.count:
            raise SettingError(f"{self.name}: there is no relay {number}, it has 1 to {self.count}")
        if number in self._ours:
            raise SettingError(f"{self.name}: relay {number} drives another shutter; give each a relay of its own")
        self._ours.add(number)

    def closed_contacts(self) -> frozenset[int] | None:
        """The relays that were energised when last read; None before that.  From any thread."""
        return self._energised

    # --- on the port's thread -------------------------------------------------------------------------

    def switch(self, number: int, on: bool) -> None:
        """Energise relay `number` or let it go, and see that it is so.  Raises `Fault`."""
        if not 1 <= number <= self.count:
            raise SettingError(f"{self.name}: there is no relay {number}, it has 1 to {self.count}")
        self._command(lambda: self._drive(number, on), lambda: (number in self._look()) == on)
        if (number in self._look()) != on:
            wanted = "energised" if on else "let go"
            raise Fault(f"{self.name}: relay {number} should be {wanted} and is not; look at the box and its supply")

    def refresh(self) -> None:
        self._look()
        self.fault.update(self._complaint())

    def make_safe(self) -> None:
        """Let go of the relays that drive shutters, and of no other."""
        for number in sorted(self._ours & self._look()):
            insist(partial(self.switch, number, False))

    def _look(self) -> frozenset[int]:
        self._energised = self._read_energised()
        self.energised.update(" ".join(map(str, sorted(self._energised))))
        return self._energised

    def _complaint(self) -> str:
        return ""

    def _read_energised(self) -> frozenset[int]:
        raise NotImplementedError

    def _drive(self, number: int, on: bool) -> None:
        raise NotImplementedError
