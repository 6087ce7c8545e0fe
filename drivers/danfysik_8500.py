"""Danfysik System 8500 magnet power supply: unipolar, with a reversal switch.

Source: pymeasure's danfysik8500.py (``DA 0,ppm``, ``AD 8`` in 0.01 A, ``PO``, ``S1`` and its appendix) and the
emulators of the ISIS controls group.  Serial 9600 8N1.  Unverified on hardware: baud rate, the wording of
``PRINT``, the unit of ``AD 2``, and how long the reversal switch takes.

Polarity is changed at zero current only, and read back before current flows again.  Interlocks are latched in the
supply; ``RS``, which resets them, is never sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from drivers.electromagnet import Flowing, SteppedElectromagnet
from drivers.errors import Fault, Garbled, NoReply, Refused, WrongInstrument
from drivers.link import Link, SerialLink, exchange, read_twice
from drivers.wire import danfysik
from drivers.wire.errors import Malformed

T = TypeVar("T")

OFF, NORMAL, REVERSED, NOT_READY = 0, 1, 2, 22  # positions in S1
INTERLOCKS = {
    8: "transistor fault",
    9: "interlock chain open",
    10: "DC over-current",
    11: "DC overload",
    12: "regulation module failure",
    13: "pre-regulator failure",
    14: "mains phase failure",
    15: "supply water flow",
    16: "earth leakage",
    17: "thermal breaker or fuse",
    18: "supply over-temperature",
    19: "panic button or door",
    20: "magnet water flow",
    21: "magnet over-temperature",
}


class State(NamedTuple):
    on: bool
    sign: int  # 0 while the reversal switch moves
    ready: bool
    interlocks: str
    current_a: float


class Danfysik8500(SteppedElectromagnet):
    """`full_scale_a` is the current of 1 000 000 ppm; `ampere_per_count` and `volt_per_count` scale ``AD 8`` and
    ``AD 2``.  `reversal_s` is how long the reversal switch may take."""

    driver = "danfysik-8500"

    def __init__(
        self,
        *args: Any,
        full_scale_a: float = 160.0,
        ampere_per_count: float = 0.01,
        volt_per_count: float = 1.0,
        reversal_s: float = 10.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._full_scale_a = full_scale_a
        self._ampere_per_count = ampere_per_count
        self._volt_per_count = volt_per_count
        self._reversal_s = reversal_s
        self._tolerance_a = max(self._tolerance_a, 2 * ampere_per_count, 2e-6 * full_scale_a)
        self._sign = 1
        self.ramp_timeout_s += 2 * (reversal_s + self._settle_s)
        self.safe_timeout_s = self.ramp_timeout_s

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        """9600 8N1."""
        return SerialLink(address, baudrate=9600, timeout_s=timeout_s)

    # --- on the port's thread -------------------------------------------------------------------------

    def identify(self) -> str:
        self.link.drain()
        self.link.send(danfysik.command("ERRT") + danfysik.command("UNLOCK"))  # errors as text; remote or local
        identity = self._query("PRINT", str)
        if "DANFYSIK" not in identity.upper():
            raise WrongInstrument(f"{self.name}: {self.link.address} is no Danfysik supply, it says {identity!r}")
        return identity

    def _reopened(self) -> None:
        self._commanded_a = None

    def refresh(self) -> None:
        self._state()
        self.voltage.update(self._volt_per_count * self._query("AD 2", danfysik.whole))

    def make_safe(self) -> None:
        """Ramp to zero, see that no current flows, then switch off."""
        state = self._state()
        if state.on:
            self._sign = state.sign or 1
            self._commanded_a = self._set_point_a()
            self._commanded_at = self.clock.now()
            self._ramp(0.0)
            self._settle(0.0)
            self._say("F")
            if self._state().on:
                raise Fault(f"{self.name}: stays on after F; switch it off at the front panel")
        self._commanded_a = None
        self.current.update(0.0)

    def flowing(self) -> Flowing:
        state = self._state()
        if not state.on or state.interlocks:
            raise Fault(
                f"{self.name}: went off: {state.interlocks or 'no interlock shows'}; "
                f"look at the supply, and reset it there"
            )
        return Flowing(state.current_a, self._volt_per_count * self._query("AD 2", danfysik.whole))

    def _write_current(self, target: float) -> None:
        target = float(target)
        act = f"ramp to {target:g} A"
        self.give_way(act)
        try:
            if self._commanded_a is None:
                self._energise()
            if target * self._sign < 0:
                self._ramp(0.0, act)
                self._settle(0.0, act)
                self._reverse(act)
            self._ramp(target, act)
            self._settle(target, act)
        except Exception:
            self._commanded_a = None
            raise
        self.current.update(target)

    def _energise(self) -> None:
        """On, at the current that flows then."""
        state = self._state()
        if state.interlocks:
            raise Fault(f"{self.name}: {state.interlocks}; look at the supply, and reset it there")
        if not state.on:
            self._say("DA 0,0")
            if self._set_point_a():
                raise Refused(f"{self.name}: DA 0,0 not taken over; is the supply in local mode?")
            self._say("N")
            state = self._state()
        if not state.on:
            raise Fault(f"{self.name}: does not switch on: {state.interlocks or 'no interlock shows'}")
        self._sign = state.sign or 1
        self._commanded_a = self._set_point_a()
        self._commanded_at = self.clock.now()

    def _reverse(self, act: str) -> None:
        """Change polarity, at zero current, and wait until the switch says that it is there."""
        wanted = -self._sign
        self._say(f"PO {'+' if wanted > 0 else '-'}")
        deadline = self.clock.now() + self._reversal_s
        polls = 0
        while True:
            state = self._state()
            if state.sign == wanted and state.ready:
                break
            polls += 1
            if polls > 20 and self.clock.now() > deadline:
                raise Fault(f"{self.name}: the polarity switch does not move; look at the supply")
            self.give_way(act)
            self.clock.sleep(0.1)
        self._sign = wanted

    def command(self, current_a: float) -> None:
        ppm = round(1e6 * abs(current_a) / self._full_scale_a)
        self._say(f"DA 0,{ppm}")
        state = self._state()
        if not state.on:
            raise Fault(f"{self.name}: went off during a ramp at {current_a:g} A: {state.interlocks or 'no interlock'}")
        setpoint = self._set_point_a()
        if abs(setpoint - current_a) > self._tolerance_a:
            raise Refused(f"{self.name}: DA 0,{ppm} not taken over, set point is {setpoint:g} A; is it in local mode?")

    def _set_point_a(self) -> float:
        ppm = self._query("DA 0", danfysik.set_point_ppm)
        return self._sign * abs(ppm) * 1e-6 * self._full_scale_a if ppm else 0.0

    def _state(self) -> State:
        lit = self._query("S1", danfysik.lamps)
        sign = int(lit[NORMAL]) - int(lit[REVERSED])
        current = self._ampere_per_count * abs(self._query("AD 8", danfysik.whole)) * (sign or 1)
        words = ", ".join(word for position, word in INTERLOCKS.items() if lit[position])
        self.actual_current.update(current)
        self.fault.update(words)
        return State(not lit[OFF], sign, not lit[NOT_READY], words, current)

    def _say(self, text: str) -> None:
        """A command is silent unless it is refused, so a query goes with it.  If its answer is lost, whoever said it
        reads back what has become of it."""
        try:
            answer = danfysik.parse(
                exchange(self.link, danfysik.command(text) + danfysik.command("DA 0"), danfysik.FRAME)
            )
        except (NoReply, Malformed):
            return
        if isinstance(answer, danfysik.Refusal):
            raise Refused(f"{self.name}: {text} refused: {answer.words}")

    def _query(self, text: str, read: Callable[[str], T]) -> T:
        return read_twice(lambda: self._ask(text, read))

    def _ask(self, text: str, read: Callable[[str], T]) -> T:
        try:
            answer = danfysik.parse(exchange(self.link, danfysik.command(text), danfysik.FRAME))
            if isinstance(answer, danfysik.Refusal):
                raise Refused(f"{self.name}: {text} refused: {answer.words}")
            return read(answer)
        except Malformed as error:
            raise Garbled(f"{self.name}: {error} in answer to {text!r}") from error
