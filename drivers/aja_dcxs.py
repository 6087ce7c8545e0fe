"""AJA DCXS-750 / DCXS-1500 magnetron supply: one supply for one gun and the gun's shutter.

RS-232, 38400 8N1.  A query is one letter and its answer has a fixed length; a command has no answer at all.
There is no framing: after a short or odd answer the driver listens until the line is quiet and asks ``?``
until the supply answers in step again, and every command is read back.

Source: PyMeasure ``aja.DCXS`` and its tests; a LabRAD server for the same supply (strike at 10 to 30 W, then
raise the power).  Unverified on hardware: the burst of queries, the meaning of the fault codes, and the shutter
commands: the public command lists only read the shutter mask, so ``P1`` and ``P0`` are an assumption that a lab
can replace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ophyd import Component as Cpt

from drivers.clock import Clock
from drivers.errors import Fault, Garbled, LinkError, NoReply, Refused, SettingError, WrongInstrument
from drivers.instrument import Instrument, Reading, Setting
from drivers.link import Link, Port, SerialLink, exchange
from drivers.wire import dcxs
from drivers.wire.errors import Malformed
from drivers.wire.framing import fixed

T = TypeVar("T")

POLL_S = 0.2
"""Lab seconds between looks at the plasma."""
QUIET_S = 0.05
"""Real seconds of silence after which the line counts as quiet."""
NO_FAULT = (b"0", b"\0")

# Answer lengths of the queries that make up one refresh, asked in one burst.
STATUS = {b"a": 1, b"d": 4, b"e": 4, b"f": 4, b"o": 1, b"p": 1}


@dataclass(frozen=True)
class Status:
    """What the supply says of itself at one moment."""

    on: bool
    power_w: int
    voltage_v: int
    current_a: float
    fault_code: bytes
    open_shutters: frozenset[int]

    @property
    def burning(self) -> bool:
        """A plasma draws current and power; an open circuit has voltage only."""
        return self.on and self.power_w > 0 and self.voltage_v > 0 and self.current_a > 0

    @property
    def faulty(self) -> bool:
        return self.fault_code not in NO_FAULT

    def __str__(self) -> str:
        on = "on" if self.on else "off"
        return (
            f"output {on}, {self.power_w} W, {self.voltage_v} V, {self.current_a:g} A, fault code {self.fault_code!r}"
        )


class AjaDcxs(Instrument):
    """A gun.  `target` is the element mounted; `strike_s` and `settle_s` are lab seconds."""

    role = "gun"
    driver = "aja-dcxs"

    power = Cpt(Setting, units="W", precision=0, write="_write_power", timeout_s=180.0)
    output = Cpt(Setting, value="unknown", choices=("on", "off"), write="_write_output", timeout_s=60.0)
    shutter = Cpt(Setting, value="unknown", choices=("open", "closed"), write="_write_shutter")
    actual_power = Cpt(Reading, units="W", precision=0)
    voltage = Cpt(Reading, units="V", precision=0)
    current = Cpt(Reading, units="A", precision=3)
    fault = Cpt(Reading, value="")

    def __init__(
        self,
        port: Port,
        *,
        name: str,
        clock: Clock,
        limits: dict[str, tuple[float, float]] | None = None,
        target: str,
        strike_s: float = 10.0,
        settle_s: float = 60.0,
        tolerance: float = 0.05,
        shutter_commands: tuple[str, str] = ("P1", "P0"),
    ) -> None:
        super().__init__(port, name=name, clock=clock, limits={"power": (0.0, 1000.0)} | (limits or {}))
        self.target = target
        self.strike_s = strike_s
        self.settle_s = settle_s
        self.tolerance = tolerance
        self._open_command, self._close_command = (command.encode("ascii") for command in shutter_commands)
        self._gun = 1
        self._wanted_on = False
        self._failed_bursts = 0

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=38400, timeout_s=timeout_s)

    # --- verbs, on the port's thread ------------------------------------------------------------------

    def identify(self) -> str:
        """Model, firmware and gun; puts the regulation into power mode.  `WrongInstrument`, `LinkError`."""
        try:
            model = self._resync()
        except Garbled as error:
            raise WrongInstrument(f"{error}; is this the DCXS's port?") from error
        firmware = self._ask(b"z", 5, dcxs.text)
        self._gun = self._ask_number(b"y", 1)
        if not 1 <= self._gun <= dcxs.GUNS:
            raise WrongInstrument(f"{self.name}: 'y' says that gun {self._gun} is active")
        if self._ask_number(b"c", 1) != 0:
            self._regulate_power()
        return f"{model}, firmware {firmware}, gun {self._gun}, target {self.target}"

    def refresh(self) -> None:
        status = self._status()
        self._show(status)
        self.fault.update(self._complaint(status))

    def make_safe(self) -> None:
        """Output off, shutter closed; the shutter is closed also when the output does not obey."""
        try:
            self._switch_off()
        finally:
            self._write_shutter("closed")

    def _write_power(self, watts: float) -> None:
        """The supply takes whole watts.  With the output on, wait until the plasma takes this power."""
        wanted = round(watts)
        try:
            self._send(b"C" + dcxs.digits(wanted, 4))
        except Malformed as error:
            raise SettingError(f"{self.name}: {watts:g} W cannot be set ({error})") from error
        if (accepted := self._ask_number(b"b", 4)) != wanted:
            raise Refused(f"{self.name}: set point {wanted} W was refused, it stays at {accepted} W")
        self.power.update(float(accepted))
        if self._status().on:
            self._follow(wanted)

    def _write_output(self, state: str) -> None:
        if state == "off":
            self._switch_off()
        else:
            self._strike()

    def _write_shutter(self, state: str) -> None:
        self._send(self._open_command if state == "open" else self._close_command)
        _, status = self._watch(lambda s: (self._gun in s.open_shutters) == (state == "open"), within_s=2.0)
        if self.shutter.get() != state:
            shown = dcxs.mask(status.open_shutters)
            raise Fault(
                f"{self.name}: shutter of gun {self._gun} should be {state}, but the shutter mask reads "
                f"{shown!r}; check the shutter's air and the setting shutter_commands"
            )

    # --- plasma ---------------------------------------------------------------------------------------

    def _strike(self) -> None:
        set_point = self._ask_number(b"b", 4)
        if set_point == 0:
            raise SettingError(f"{self.name}: set a power before switching on; the set point is 0 W")
        self._send(b"A")
        self._wanted_on = True
        try:
            burning, status = self._watch(lambda s: s.burning, within_s=self.strike_s)
        except LinkError:
            self._send(b"B")
            raise
        if not burning:
            self._give_up(f"no plasma {self.strike_s:g} s after switching on at {set_point} W", status)
        self.fault.update(self._complaint(status))

    def _follow(self, watts: int) -> None:
        margin = max(2.0, self.tolerance * watts)
        reached, status = self._watch(lambda s: abs(s.power_w - watts) <= margin, within_s=self.settle_s)
        if watts > 0 and not status.burning:
            self._give_up(f"the plasma went out on the way to {watts} W", status)
        self.fault.update(self._complaint(status))
        if not reached:
            raise Fault(f"{self.name}: {watts} W not reached within {self.settle_s:g} s: {status}")

    def _give_up(self, what: str, status: Status) -> None:
        """Switch off again, and say why."""
        complaint = f"{what}: {status}"
        self._switch_off()
        self.fault.update(complaint)
        raise Fault(f"{self.name}: {complaint}; switched off again. Check gas pressure, target and interlock chain")

    def _switch_off(self) -> None:
        self._wanted_on = False
        self._send(b"B")
        off, status = self._watch(lambda s: not s.on, within_s=5.0)
        self.fault.update(self._complaint(status))
        if not off:
            raise Fault(f"{self.name}: the output does not go off: {status}; switch it off by hand")

    def _watch(self, reached: Callable[[Status], bool], *, within_s: float) -> tuple[bool, Status]:
        """Look until `reached`, a trip, or the time is over; never without a look after the deadline."""
        deadline = self.clock.now() + within_s
        while True:
            looked_at = self.clock.now()
            status = self._status()
            self._show(status)
            if reached(status):
                return True, status
            if looked_at >= deadline or (status.faulty and not status.on):
                return False, status
            self.clock.sleep(POLL_S)

    def _show(self, status: Status) -> None:
        self.actual_power.update(float(status.power_w))
        self.voltage.update(float(status.voltage_v))
        self.current.update(status.current_a)
        self.output.update("on" if status.on else "off")
        self.shutter.update("open" if self._gun in status.open_shutters else "closed")

    def _complaint(self, status: Status) -> str:
        if self._wanted_on and not status.on:
            return f"tripped: {status}"
        if status.faulty:
            return f"fault: {status}"
        if self._wanted_on and not status.burning and self.power.get() != 0:
            return f"no plasma: {status}"
        return ""

    def _regulate_power(self) -> None:
        if self._ask_number(b"a", 1):
            raise Refused(f"{self.name}: its output is on and not regulated by power; switch it off by hand")
        self._send(b"D0")
        if self._ask_number(b"c", 1) != 0:
            raise Refused(f"{self.name}: does not leave voltage or current regulation for power")

    # --- wire -----------------------------------------------------------------------------------------

    def _send(self, command: bytes) -> None:
        """A command; it has no answer, so the caller reads back what it did."""
        self.link.drain()
        self.link.send(command)

    def _ask(self, query: bytes, length: int, parse: Callable[[bytes], T]) -> T:
        """One query, once more after a resync if the answer is short or odd."""
        try:
            return self._ask_once(query, length, parse)
        except (NoReply, Garbled):
            self._resync()
            return self._ask_once(query, length, parse)

    def _ask_once(self, query: bytes, length: int, parse: Callable[[bytes], T]) -> T:
        answer = exchange(self.link, query, fixed(length))
        try:
            return parse(answer)
        except Malformed as error:
            raise Garbled(f"{self.name}: answer to {query!r}: {error}") from error

    def _ask_number(self, query: bytes, length: int) -> int:
        return self._ask(query, length, lambda answer: dcxs.number(answer, length))

    def _status(self) -> Status:
        """All of `STATUS` in one burst; singly after a burst failed, and always once two in a row did."""
        if self._failed_bursts < 2:
            try:
                status = self._ask_once(b"".join(STATUS), sum(STATUS.values()), _parse_status)
            except (NoReply, Garbled):
                self._failed_bursts += 1
                self._resync()
            else:
                self._failed_bursts = 0
                return status
        answers = [self._ask(query, length, _accept(query, length)) for query, length in STATUS.items()]
        return _parse_status(b"".join(answers))

    def _resync(self) -> str:
        """Listen until the line is quiet, then ask ``?`` until a DCXS answers; its model."""
        answer = b""
        for _ in range(2):
            self._listen_out()
            try:
                answer = exchange(self.link, b"?", fixed(9))
            except NoReply as error:
                failure: LinkError = NoReply(f"{self.name}: {error}")
                continue
            if answer.startswith(b"DCXS"):
                return answer.decode("ascii", "replace")
            failure = Garbled(f"{self.name}: answers {answer!r} to '?', which is no DCXS model")
        raise failure

    def _listen_out(self) -> None:
        try:
            for _ in range(64):
                self.link.receive(len, timeout_s=QUIET_S)
        except NoReply:
            self.link.drain()


def _accept(query: bytes, length: int) -> Callable[[bytes], bytes]:
    """A check of one answer of the status that returns it as it is."""

    def check(answer: bytes) -> bytes:
        if query == b"p":
            dcxs.guns(answer)
        elif query != b"o":
            dcxs.number(answer, length)
        return answer

    return check


def _parse_status(answers: bytes) -> Status:
    """The answers of `STATUS`, one after another.  Raises `Malformed`."""
    on = dcxs.number(answers[0:1], 1)
    if on > 1:
        raise Malformed(f"output state {on} is neither 0 nor 1")
    return Status(
        bool(on),
        dcxs.number(answers[1:5], 4),
        dcxs.number(answers[5:9], 4),
        dcxs.number(answers[9:13], 4) / 1000,
        answers[13:14],
        dcxs.guns(answers[14:15]),
    )
