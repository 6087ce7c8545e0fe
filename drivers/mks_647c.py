"""MKS 647B/C multi-gas controller: one of its mass-flow controllers.

RS-232, 9600 baud, 8 bits, odd parity.  Flows are whole per mille of the channel's full scale, which is its range code
times the gas correction factor.  Flow needs both the channel's valve and the main valve (channel 0) on.  ``DF`` sets
the unit to its defaults and is never sent.

Source: MKS 647C manual, remote control (commands, error codes, status word).  Unverified on hardware: the order of the
range codes between those that the manual's excerpt gives (0, 3, 6, 7, 8, 9), and blanks between letters and numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ophyd import Component as Cpt

from drivers.asking import Asking
from drivers.errors import Garbled, Refused, WrongInstrument
from drivers.instrument import Reading, Setting
from drivers.link import Link, SerialLink, insist
from drivers.wire import mks_647

T = TypeVar("T")

FULL_SCALE_SCCM = dict(
    enumerate((1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 4e5, 5e5))
)
"""Range code -> full scale for nitrogen, sccm.  Other codes are cubic metres and feet."""
FAULTS = {4: "flow under its low limit", 5: "flow over its high limit", 6: "flow reads under range"} | {
    7: "flow reads over range",
    8: "set point under range",
    9: "set point over range",
}
"""Bit of the status word -> what it says; bit 0 is "on"."""
MODES = ("independent", "slave", "external", "PCS", "PID", "", "", "", "", "test")
MAIN_VALVE = 0


class Mks647c(Asking):
    """A mass-flow controller on one `channel` (1-8).  `gas` is what its correction factor is set for."""

    role = "gas"
    driver = "mks-647c"
    framing = staticmethod(mks_647.LINE)

    flow = Cpt(Setting, units="sccm", precision=2, write="_write_flow")
    actual_flow = Cpt(Reading, units="sccm", precision=2)
    fault = Cpt(Reading, value="")

    def __init__(
        self, *args: Any, gas: str = "Ar", channel: int = 1, full_scale_sccm: float = 200.0, **kwargs: Any
    ) -> None:
        kwargs["limits"] = {"flow": (0.0, full_scale_sccm)} | (kwargs.get("limits") or {})
        super().__init__(*args, **kwargs)
        self.gas = gas
        self.channel = int(channel)
        self._sccm = float("nan")  # one thousandth of full scale

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=9600, parity="O", timeout_s=timeout_s)

    # --- verbs, on the port's thread ------------------------------------------------------------------

    def identify(self) -> str:
        """Model, range and gas factor.  `WrongInstrument`, `LinkError`."""
        try:
            who = self._ask(mks_647.command("ID"), lambda frame: frame.decode("ascii", "replace").strip())
        except Garbled as error:
            raise WrongInstrument(f"{error}; is this an MKS 647?") from error
        if not who.upper().startswith("MGC 647"):
            raise WrongInstrument(f"{self.name}: calls itself {who!r}, not MGC 647")
        code, factor = self._number("RA", self.channel, "R"), self._number("GC", self.channel, "R")
        if code not in FULL_SCALE_SCCM:
            raise WrongInstrument(f"{self.name}: channel {self.channel} has range code {code}, not in sccm or slm")
        mode = self._number("MO", self.channel, "R")
        if mode != 0:
            word = MODES[mode] if mode < len(MODES) else f"code {mode}"
            raise WrongInstrument(f"{self.name}: channel {self.channel} is in mode {word}; set it to independent")
        self._sccm = FULL_SCALE_SCCM[code] * factor / 100 / 1000
        return f"{who}, channel {self.channel}, {1000 * self._sccm:g} sccm of {self.gas} full scale"

    def refresh(self) -> None:
        actual, set_point = self._number("FL", self.channel), self._number("FS", self.channel, "R")
        status = self._number("ST", self.channel)
        main = self._number("ST", MAIN_VALVE)
        on = bool(status & 1) and bool(main & 1)
        self.actual_flow.update(actual * self._sccm)
        self.flow.update(set_point * self._sccm if on else 0.0)
        self.fault.update(", ".join(words for bit, words in FAULTS.items() if status >> bit & 1))

    def make_safe(self) -> None:
        """Set point zero and the channel's valve off."""
        insist(lambda: self._write_flow(0.0))

    def _write_flow(self, sccm: float) -> None:
        wanted = round(sccm / self._sccm)
        self._set("FS", wanted)
        if (accepted := self._number("FS", self.channel, "R")) != wanted:
            raise Refused(f"{self.name}: {sccm:g} sccm was refused, the set point is {accepted * self._sccm:g} sccm")
        if sccm == 0:
            self._valve("OF", self.channel)
        else:
            self._valve("ON", MAIN_VALVE)
            self._valve("ON", self.channel)
        self.refresh()

    def _valve(self, letters: str, channel: int) -> None:
        def switched() -> bool:
            return bool(self._number("ST", channel) & 1) == (letters == "ON")

        self._command(lambda: self._act(mks_647.command(letters, channel)), switched)
        if not switched():
            raise Refused(f"{self.name}: valve {channel} does not go {letters.lower()}; look at its front panel")

    def _set(self, letters: str, value: int) -> None:
        request = mks_647.command(letters, self.channel, value)
        self._command(lambda: self._act(request), lambda: self._number(letters, self.channel, "R") == value)

    # --- wire -----------------------------------------------------------------------------------------

    def _number(self, letters: str, *words: int | str) -> int:
        request = mks_647.command(letters, *words)
        return self._ask(request, self._checked(request, lambda frame: mks_647.parse_answer(frame)[0]))

    def _act(self, request: bytes) -> None:
        self._once(request, self._checked(request, lambda frame: mks_647.parse_answer(frame, 0)))

    def _checked(self, request: bytes, parse: Callable[[bytes], T]) -> Callable[[bytes], T]:
        def check(frame: bytes) -> T:
            if (code := mks_647.parse_refusal(frame)) is not None:
                reason = mks_647.ERRORS.get(code, "no reason known")
                raise Refused(f"{self.name}: {request!r} was refused with {frame!r}: {reason}")
            return parse(frame)

        return check
