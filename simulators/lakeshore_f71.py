"""A Lake Shore F71 teslameter as seen from the wire.

Source: instruments.md 9.6; the maker's ``lakeshore`` package (commands, register bits, CR LF behind a reply).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from drivers.wire import scpi
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument
from simulators.lakeshore_475 import HallProbe

FULL_SCALE_T = 3.5
NO_PROBE, OVERLOAD = 1 << 0, 1 << 1
GAUSS_PER_T = 1e4
CLEARED = scpi.spellings("SYSTem:ERRor:CLEar")


class LakeshoreF71(SimulatedInstrument):
    """Powers up in tesla.  `axes` 1: the field has a sign; 3: x, y, z, and a magnitude without one, the field along z.

    `questionable` is the condition register of that name, for faults of the probe.
    """

    framing = staticmethod(scpi.LF)

    def __init__(self, probe: HallProbe, *, axes: int = 1) -> None:
        super().__init__()
        self.probe = probe
        self.axes = axes
        self.questionable = 0
        self.probe_there = True
        self.gauss = False
        self._settings = {"SENSE:MODE": "DC", "SENSE:RANGE:AUTO": "1", "SENSE:RANGE": "0.35",
                          "SENSE:AVERAGE:COUNT": "20"}  # fmt: skip
        self._errors: deque[str] = deque(maxlen=16)
        queries: dict[str, Callable[[str], str]] = {
            "*IDN": lambda _: "Lake Shore,F71,LSA26DR,1.6.2020072001",
            "FETCh:DC": self._field,
            "FETCh:TEMPerature": lambda _: "24.31",
            "PROBe:AXES": lambda _: str(self.axes),
            "PROBe:SNUMber": lambda _: '"LSA2Y11"',
            "PROBe:SNUM": lambda _: '"LSA2Y11"',
            "PROBe:MODel": lambda _: '"FP-2X-250-ZS15M"',
            "UNIT:FIELd": lambda _: "GAUSS" if self.gauss else "TESLA",
            "STATus:OPERation:CONDition": lambda _: str(self._operation()),
            "STATus:QUEStionable:CONDition": lambda _: str(self.questionable),
            "SYSTem:ERRor:ALL": lambda _: self._all_errors(),
        }
        self._queries = {form: act for name, act in queries.items() for form in scpi.spellings(name)}
        self._units = scpi.spellings("UNIT:FIELd")
        names = {"SENSe:MODE": "SENSE:MODE", "SENSe:RANGe:AUTO": "SENSE:RANGE:AUTO", "SENSe:RANGe": "SENSE:RANGE",
                 "SENSe:AVERage:COUNt": "SENSE:AVERAGE:COUNT"}  # fmt: skip
        self._names = {form: full for name, full in names.items() for form in scpi.spellings(name)}

    def answer(self, message: bytes) -> bytes:
        if not message.strip():
            return b""
        answers = []
        try:
            for unit in scpi.units(message):
                if unit.query and unit.header in self._queries:
                    answers.append(self._queries[unit.header](unit.argument.upper()))
                elif unit.query and unit.header in self._names:
                    answers.append(self._settings[self._names[unit.header]])
                elif unit.query or not self._set(unit.header, unit.argument.upper()):
                    self._errors.append('-113,"Undefined header"')
        except Malformed:
            self._errors.append('-102,"Syntax error"')
        return (";".join(answers) + "\r\n").encode("ascii") if answers else b""

    def _set(self, header: str, argument: str) -> bool:
        if header in ("*CLS", *CLEARED):
            self._errors.clear()
            return True
        if header in self._units:
            if argument in ("TESLA", "GAUSS"):
                self.gauss = argument == "GAUSS"
            else:
                self._errors.append('-224,"Illegal parameter value"')
            return True
        if header in self._names:
            self._settings[self._names[header]] = argument
            return True
        return False

    def _field(self, argument: str) -> str:
        field = self.probe.read_t() * (GAUSS_PER_T if self.gauss else 1.0)
        if not self.probe_there:
            return ",".join(["NaN"] * (4 if argument == "ALL" else 1))
        if argument == "ALL":
            return f"{abs(field):.7E},0.0000000E+00,0.0000000E+00,{field:.7E}"
        return f"{abs(field) if self.axes > 1 else field:.7E}"

    def _operation(self) -> int:
        if not self.probe_there:
            return NO_PROBE
        return OVERLOAD if abs(self.probe.read_t()) > FULL_SCALE_T else 0

    def _all_errors(self) -> str:
        errors, self._errors = list(self._errors), deque(maxlen=16)
        return ",".join(errors) or '0,"No error"'
