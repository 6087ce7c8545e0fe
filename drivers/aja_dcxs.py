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
from typing import Any, TypeVar

from drivers.errors import Fault, Garbled, LinkError, NoReply, Refused, SettingError, WrongInstrument
from drivers.link import Link, SerialLink, exchange, listen_out
from drivers.plasma import PlasmaGun
from drivers.wire import dcxs
from drivers.wire.errors import Malformed
from drivers.wire.framing import fixed

T = TypeVar("T")

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


class AjaDcxs(PlasmaGun):
    """A gun with a shutter on the supply's own output.  `shutter_commands` open and close it."""

    driver = "aja-dcxs"

    def __init__(self, *args: Any, shutter_commands: tuple[str, str] = ("P1", "P0"), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open_command, self._close_command = (command.encode("ascii") for command in shutter_commands)
        self._gun = 1
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
        firmware = self._asked(b"z", 5, dcxs.text)
        self._gun = self._ask_number(b"y", 1)
        if not 1 <= self._gun <= dcxs.GUNS:
            raise WrongInstrument(f"{self.name}: 'y' says that gun {self._gun} is active")
        if self._ask_number(b"c", 1) != 0:
            self._regulate_power()
        return f"{model}, firmware {firmware}, gun {self._gun}, target {self.target}"

    def _set_point(self) -> float:
        return self._ask_number(b"b", 4)

    def _send_power(self, watts: float) -> float:
        """The supply takes whole watts."""
        wanted = round(watts)
        try:
            self._send(b"C" + dcxs.digits(wanted, 4))
        except Malformed as error:
            raise SettingError(f"{self.name}: {watts:g} W cannot be set ({error})") from error
        if (accepted := self._set_point()) != wanted:
            raise Refused(f"{self.name}: set point {wanted} W was refused, it stays at {accepted} W")
        return accepted

    def _send_output(self, on: bool) -> None:
        self._send(b"A" if on else b"B")

    def _drive_shutter(self, state: str) -> None:
        self._send(self._open_command if state == "open" else self._close_command)
        _, status = self._watch(lambda s: (self._gun in s.open_shutters) == (state == "open"), within_s=2.0)
        if self.shutter.get() != state:
            shown = dcxs.mask(status.open_shutters)
            raise Fault(
                f"{self.name}: shutter of gun {self._gun} should be {state}, but the shutter mask reads "
                f"{shown!r}; check the shutter's air and the setting shutter_commands"
            )

    def _show_shutter(self, status: Status) -> None:
        self.shutter.update("open" if self._gun in status.open_shutters else "closed")

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

    def _asked(self, query: bytes, length: int, parse: Callable[[bytes], T]) -> T:
        """One query, once more after a resync if the answer is short or odd."""
        try:
            return self._once(query, parse, fixed(length))
        except (NoReply, Garbled):
            self._resync()
            return self._once(query, parse, fixed(length))

    def _ask_number(self, query: bytes, length: int) -> int:
        return self._asked(query, length, lambda answer: dcxs.number(answer, length))

    def _status(self) -> Status:
        """All of `STATUS` in one burst; singly after a burst failed, and always once two in a row did."""
        if self._failed_bursts < 2:
            try:
                status = self._once(b"".join(STATUS), _parse_status, fixed(sum(STATUS.values())))
            except (NoReply, Garbled):
                self._failed_bursts += 1
                self._resync()
            else:
                self._failed_bursts = 0
                return status
        answers = [self._asked(query, length, _accept(query, length)) for query, length in STATUS.items()]
        return _parse_status(b"".join(answers))

    def _resync(self) -> str:
        """Listen until the line is quiet, then ask ``?`` until a DCXS answers; its model."""
        answer = b""
        for _ in range(2):
            listen_out(self.link)
            try:
                answer = exchange(self.link, b"?", fixed(9))
            except NoReply as error:
                failure: LinkError = NoReply(f"{self.name}: {error}")
                continue
            if answer.startswith(b"DCXS"):
                return answer.decode("ascii", "replace")
            failure = Garbled(f"{self.name}: answers {answer!r} to '?', which is no DCXS model")
        raise failure


def _accept(query: bytes, length: int) -> Callable[[bytes], bytes]:
    """A check of one answer of the status that returns it as it is."""

    def check(answer: bytes) -> bytes:
        if query == b"p":
            dcxs.guns(answer)
        elif query == b"o":
            _fault_code(answer)
        else:
            dcxs.number(answer, length)
        return answer

    return check


def _fault_code(answer: bytes) -> bytes:
    """What the codes mean is not known; that they are characters is.  Raises `Malformed`."""
    if not answer.isascii():
        raise Malformed(f"fault code {answer!r} is not ASCII")
    return answer


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
        _fault_code(answers[13:14]),
        dcxs.guns(answers[14:15]),
    )
