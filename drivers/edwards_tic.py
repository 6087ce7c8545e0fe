"""Edwards TIC: turbo and instrument controller, as a gauge or as a turbo pump.

RS-232, 9600 8N1.  Every value comes with an alert and a priority.  Source: Edwards serial protocol as driven by
edwardsserial.  Unverified on hardware: the number format of pressures.
"""

from __future__ import annotations

from typing import Any

from ophyd import Component as Cpt

from drivers.asking import Asking
from drivers.errors import Garbled, Refused, WrongInstrument
from drivers.instrument import Reading, Setting
from drivers.link import Link, SerialLink
from drivers.wire import edwards
from drivers.wire.errors import Malformed

TIC, TURBO, TURBO_SPEED, TURBO_POWER, FIRST_GAUGE = 902, 904, 905, 906, 913
PASCAL = 59
GAUGE_ON = 11
GAUGE_STATES = {
    0: "no sensor",
    4: "gauge in alert",
    5: "sensor off",
    6: "striking, no reading yet",
    7: "initialising",
    8: "calibrating",
    9: "zeroing",
    10: "degassing",
    12: "inhibited",
}
STOPPED, BRAKING = 0, (2, 3, 6, 7)
FAULT_BRAKING = 6
ALERTS = {
    1: "ADC fault",
    3: "over range",
    4: "under range",
    6: "no sensor",
    10: "over range",
    11: "under range",
    12: "over range",
    14: "not struck",
    15: "filament failed",
    16: "magnet failed",
    20: "calibration error",
    23: "pressure too high",
    25: "ramp-up took too long",
    26: "droop took too long",
    33: "temperature",
    34: "inhibited by the system interlock",
    35: "inhibited from outside",
    36: "inhibited by temperature",
    37: "no reading",
    46: "brown-out or short circuit",
}


class Tic(Asking):
    """What is common to its uses."""

    framing = staticmethod(edwards.LINE)

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=9600, timeout_s=timeout_s)

    def _identity(self) -> str:
        """Raises `WrongInstrument`, `LinkError`."""
        try:
            who = " ".join(self._query("?S", TIC, None))
        except (Garbled, Refused) as error:
            raise WrongInstrument(f"{error}; is this an Edwards TIC?") from error
        if "TIC" not in who.upper():
            raise WrongInstrument(f"{self.name}: calls itself {who!r}, not TIC")
        return f"Edwards {who}"

    def _value(self, object_: int, count: int) -> tuple[list[str], str]:
        """`count` words, and its alert in words, "" if there is none."""
        *words, alert, _ = self._query("?V", object_, count + 2)
        code = round(self._number(alert))
        return words, "" if code == 0 else ALERTS.get(code, f"alert {code}")

    def _query(self, operation: str, object_: int, count: int | None) -> tuple[str, ...]:
        request = edwards.message(operation, object_)

        def parse(frame: bytes) -> tuple[str, ...]:
            answer = self._checked(request, operation, object_, frame)
            if answer.error is not None or count not in (None, len(answer.data)):
                raise Malformed(f"{frame!r} is not {count} words")
            for word in answer.data if operation == "?V" else ():
                edwards.number(word)
            return answer.data

        return self._ask(request, parse)

    def _checked(self, request: bytes, operation: str, object_: int, frame: bytes) -> edwards.Answer:
        answer = edwards.parse_answer(frame)
        if (answer.kind, answer.object) != (operation[1], object_):
            raise Garbled(f"{self.name}: {frame!r} after {request!r} answers something else")
        if answer.error:
            reason = edwards.ERRORS.get(answer.error, "no reason known")
            raise Refused(f"{self.name}: {request!r} was refused with {frame!r}: {reason}")
        return answer

    def _number(self, word: str) -> float:
        try:
            return edwards.number(word)
        except Malformed as error:
            raise Garbled(f"{self.name}: {error}") from error


class EdwardsTicGauge(Tic):
    """The gauge on one `channel` (1-3) of the controller."""

    role = "gauge"
    driver = "edwards-tic"

    pressure = Cpt(Reading, units="Pa", precision=4)
    fault = Cpt(Reading, value="")

    def __init__(self, *args: Any, channel: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.channel = int(channel)

    def identify(self) -> str:
        """Controller and gauge.  `WrongInstrument`, `LinkError`."""
        return f"{self._identity()}, gauge {self.channel}"

    def refresh(self) -> None:
        (value, unit, state), alert = self._value(FIRST_GAUGE + self.channel - 1, 3)
        code = round(self._number(state))
        if not alert and code != GAUGE_ON:
            alert = GAUGE_STATES.get(code, f"gauge state {code}")
        if not alert and round(self._number(unit)) != PASCAL:
            alert = f"value in unit {unit}, no pressure"
        self.pressure.update(float("nan") if alert else self._number(value))
        self.fault.update(alert)

    def make_safe(self) -> None:
        """A gauge is always safe."""


class EdwardsTicTurbo(Tic):
    """The turbo pump of the controller."""

    role = "pump"
    driver = "edwards-tic-turbo"

    running = Cpt(Setting, value="unknown", choices=("on", "off"), write="_write_running")
    speed = Cpt(Reading, units="%", precision=1)
    power = Cpt(Reading, units="W", precision=0)
    fault = Cpt(Reading, value="")

    def identify(self) -> str:
        """Controller.  `WrongInstrument`, `LinkError`."""
        return f"{self._identity()}, turbo pump"

    def refresh(self) -> None:
        (state,), alert = self._value(TURBO, 1)
        (speed,), speed_alert = self._value(TURBO_SPEED, 1)
        (power,), power_alert = self._value(TURBO_POWER, 1)
        code = round(self._number(state))
        self.running.update("off" if code == STOPPED or code in BRAKING else "on")
        self.speed.update(self._number(speed))
        self.power.update(self._number(power))
        words = [alert, speed_alert, power_alert, "fault braking" if code == FAULT_BRAKING else ""]
        self.fault.update(", ".join(dict.fromkeys(word for word in words if word)))

    def make_safe(self) -> None:
        """A turbo pump is left as it is: it is safe while it pumps, and needs minutes to stop or start."""

    def _write_running(self, state: str) -> None:
        request = edwards.message("!C", TURBO, "1" if state == "on" else "0")

        def obeyed() -> bool:
            self.refresh()
            return bool(self.running.get() == state)

        self._command(lambda: self._once(request, lambda frame: self._checked(request, "!C", TURBO, frame)), obeyed)
        if not obeyed():
            raise Refused(f"{self.name}: does not go {state} after {request!r}; {self.fault.get() or 'see its panel'}")
