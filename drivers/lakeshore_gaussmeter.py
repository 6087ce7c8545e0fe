"""What the gaussmeters of Lake Shore's ``RDGFIELD?`` family have in common."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ophyd import Component as Cpt

from drivers.errors import Fault, Garbled, WrongInstrument
from drivers.instrument import Instrument, Reading
from drivers.link import exchange, read_twice
from drivers.wire import scpi
from drivers.wire.errors import Malformed
from drivers.wire.framing import Framing

TESLA = "2"  # UNIT: 1 gauss, 2 tesla, 3 oersted, 4 A/m
MT_PER_T = 1e3
IN_WORDS = {"OL": "overload: field beyond the range", "OVERLOAD": "overload: field beyond the range"}


class LakeShoreGaussmeter(Instrument):
    """The unit is set to tesla once and looked at again every `unit_check_s` lab seconds: somebody at the
    front panel who wants gauss would otherwise scale every field by 10 000."""

    role = "field_meter"
    model: ClassVar[str]
    end: ClassVar[str]
    framing: ClassVar[Framing]

    field = Cpt(Reading, units="mT", precision=3)
    fault = Cpt(Reading, value="")

    def __init__(self, *args: Any, unit_check_s: float = 60.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unit_check_s = unit_check_s
        self._unit_checked_at = -math.inf

    # --- on the port's thread -------------------------------------------------------------------------

    def identify(self) -> str:
        identity = self._query("*IDN?")
        maker, _, rest = identity.partition(",")
        if maker != "LSCI" or not rest.startswith(f"MODEL{self.model}"):
            raise WrongInstrument(
                f"{self.name}: {self.link.address} is no Lake Shore {self.model}, it says {identity!r}"
            )
        self._set_tesla()
        return identity

    def refresh(self) -> None:
        if self.clock.now() - self._unit_checked_at > self._unit_check_s and self._query("UNIT?") != TESLA:
            self._set_tesla()
        answer = self._query("RDGFIELD?")
        try:
            self.field.update(MT_PER_T * scpi.number(answer))
            self.fault.update("")
        except Malformed:
            self.field.update(math.nan)
            self.fault.update(IN_WORDS.get(answer.strip().upper(), f"no field, but {answer!r}"))

    def make_safe(self) -> None:
        """A gaussmeter drives nothing: every state is safe."""

    def _set_tesla(self) -> None:
        self.link.drain()
        self.link.send(f"UNIT {TESLA}{self.end}".encode("ascii"))
        if (unit := self._query("UNIT?")) != TESLA:
            raise Fault(f"{self.name}: unit stays {unit!r} after UNIT {TESLA} (tesla); unlock the front panel")
        self._unit_checked_at = self.clock.now()

    def _query(self, query: str) -> str:
        return read_twice(lambda: self._ask(query))

    def _ask(self, query: str) -> str:
        reply = exchange(self.link, f"{query}{self.end}".encode("ascii"), self.framing)
        try:
            return scpi.text(reply)
        except Malformed as error:
            raise Garbled(f"{self.name}: {error} in answer to {query!r}") from error
