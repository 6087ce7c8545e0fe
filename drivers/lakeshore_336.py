"""Lake Shore 336 temperature controller (335 and 350 alike) as a substrate heater: one output, one input.

USB serial 57600 7O1; TCP port 7777 (as ``socket://host:7777``).  Lines end with CR LF; several queries go in one
message and are answered in one line.  Commands have no answer: each is followed by the query that reads it back.
Set points are in the units of the control input, which are asked.

Source: Lake Shore 336 manual as driven by lakeshore, pymeasure and labmcp-lakeshore.  Unverified on hardware: the
least time between messages (50 ms, kept on a serial line).
"""

from __future__ import annotations

import time
from typing import Any

from drivers.errors import Garbled, Refused, WrongInstrument
from drivers.heater import Heater
from drivers.link import Link, SerialLink
from drivers.wire import scpi
from drivers.wire.errors import Malformed

MODELS = ("MODEL335", "MODEL336", "MODEL350")
READING = {0: "invalid reading", 4: "temperature under range", 5: "temperature over range", 6: "sensor units zero"} | {
    7: "sensor over range"
}
HEATER = {1: "heater open", 2: "heater shorted"}
KELVIN, CELSIUS = 1, 2
ZERO_C_IN_K = 273.15


class LakeShore336(Heater):
    """`output` heats what `sensor` measures.  `heater_range` (1 low to 3 high) is what "on" means."""

    driver = "lakeshore-336"
    framing = staticmethod(scpi.LF)

    def __init__(
        self,
        *args: Any,
        output: int = 1,
        sensor: str = "A",
        heater_range: int = 3,
        pause_s: float = 0.05,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.output = int(output)
        self.sensor = sensor
        self.heater_range = int(heater_range)
        self._offset = 0.0
        self._pause_s = pause_s
        self._asked_at = float("-inf")

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=57600, bytesize=7, parity="O", timeout_s=timeout_s)

    # --- verbs, on the port's thread ------------------------------------------------------------------

    def identify(self) -> str:
        """Maker, model and serial number; the units of the control input.  `WrongInstrument`, `LinkError`."""
        try:
            (who,) = self._queries("*IDN?", count=1)
        except Garbled as error:
            raise WrongInstrument(f"{error}; is this a Lake Shore 336?") from error
        if not who.upper().startswith("LSCI") or not any(model in who.upper() for model in MODELS):
            raise WrongInstrument(f"{self.name}: calls itself {who!r}, not LSCI,{'|'.join(MODELS)}")
        (kind,) = self._queries(f"INTYPE? {self.sensor}", count=1)
        units = self._parsed(kind, lambda words: scpi.integer(words.split(",")[4]))
        if units not in (KELVIN, CELSIUS):
            raise WrongInstrument(f"{self.name}: input {self.sensor} is in sensor units; set it to kelvin or Celsius")
        self._offset = ZERO_C_IN_K if units == KELVIN else 0.0
        return f"{who}, output {self.output} by input {self.sensor}"

    def refresh(self) -> None:
        answers = self._queries(
            f"CRDG? {self.sensor}",
            f"RDGST? {self.sensor}",
            f"HTR? {self.output}",
            f"HTRST? {self.output}",
            f"SETP? {self.output}",
            f"RANGE? {self.output}",
            count=6,
        )
        celsius, status, power, heater, set_point, range_ = (
            self._parsed(answer, parse)
            for answer, parse in zip(
                answers,
                (scpi.number, scpi.integer, scpi.number, scpi.integer, scpi.number, scpi.integer),
                strict=True,
            )
        )
        words = [said for bit, said in READING.items() if int(status) >> bit & 1]
        words += [HEATER[int(heater)]] if heater in HEATER else []
        self.actual_temperature.update(float("nan") if status else celsius)
        self.power.update(power)
        self.temperature.update(round(set_point - self._offset, 3))
        self.heating.update("on" if range_ else "off")
        self.fault.update(", ".join(words))

    def _send_temperature(self, celsius: float) -> None:
        wanted = f"{celsius + self._offset:.2f}"
        self._act(f"SETP {self.output},{wanted}", f"SETP? {self.output}")

    def _set_point_c(self) -> float:
        (answer,) = self._queries(f"SETP? {self.output}", count=1)
        return self._parsed(answer, scpi.number) - self._offset

    def _send_heating(self, on: bool) -> None:
        wanted = self.heater_range if on else 0
        self._command(
            lambda: self._act(f"RANGE {self.output},{wanted}", f"RANGE? {self.output}"), lambda: self._range() == wanted
        )
        if (now := self._range()) != wanted:
            raise Refused(f"{self.name}: heater range {wanted} was refused, it stays at {now}")

    def _range(self) -> int:
        (answer,) = self._queries(f"RANGE? {self.output}", count=1)
        return int(self._parsed(answer, scpi.integer))

    # --- wire -----------------------------------------------------------------------------------------

    def _queries(self, *queries: str, count: int) -> list[str]:
        self._wait()
        return self._ask(scpi.message(*queries, end="\r\n"), lambda frame: scpi.fields(frame, count))

    def _act(self, command: str, read_back: str) -> None:
        self._wait()
        self._once(scpi.message(command, read_back, end="\r\n"), lambda frame: scpi.fields(frame, 1))

    def _wait(self) -> None:
        time.sleep(max(0.0, self._asked_at + self._pause_s - time.monotonic()))
        self._asked_at = time.monotonic()

    def _parsed(self, answer: str, parse: Any) -> Any:
        try:
            return parse(answer)
        except (Malformed, IndexError) as error:
            raise Garbled(f"{self.name}: {answer!r}: {error}") from error
