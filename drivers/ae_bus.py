"""Advanced Energy supplies on the AE Bus as guns: Cesar (RF, by its load power) and Pinnacle (DC).

RS-232, 8 data bits, odd parity.  Four steps make one transaction: packet, ACK, answer, ACK; a unit whose answer was
spoiled is asked for it again with NAK, so that no act is ever repeated.  The supply obeys in host control only
(command 14), and somebody at its panel may take that away: every set then fails with "not in host control".

Source: AE Pinnacle Plus+, Pinnacle 20 kW and MDX II manuals; InstrumentKit ``dressler.Cesar1312`` and its tests.
Unverified on hardware: the Pinnacle's baud rate and parity; that its set point is command 6 as on the Plus+; the dc
bias of the Cesar (168), which stands for its voltage here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drivers.errors import Garbled, NoReply, Refused, SettingError, WrongInstrument
from drivers.link import Link, SerialLink, exchange, listen_out
from drivers.plasma import RelayShutterGun, SupplyStatus
from drivers.wire import aebus
from drivers.wire.errors import Malformed

OFF, ON, REGULATION, CONTROL, TYPE, SIZE, SET_POINT, STATUS = 1, 2, 3, 14, 128, 129, 164, 162
READ_CONTROL = 155
HOST = 2
REFLECTED, DELIVERED, BIAS = 166, 167, 168
ALL_ACTUAL = 168
"""On a dc supply: power, voltage and current at once."""
POWER_MODE = 6
LOAD_POWER_MODE = 7
REPEATS = 2
"""How often a spoiled answer is asked for again."""


@dataclass(frozen=True)
class Family:
    """How one family of supplies differs: `bits` are (byte, bit) of its status -> what that says."""

    name: str
    baudrate: int
    set_command: int
    mode: int
    on: tuple[int, int]
    bits: dict[tuple[int, int], str]


CESAR = Family(
    name="CESAR",
    baudrate=115200,
    set_command=8,
    mode=LOAD_POWER_MODE,
    on=(0, 5),
    bits={(0, 7): "out of set point", (1, 3): "over-temperature", (1, 7): "interlock open"},
)
PINNACLE = Family(
    name="PLUS",
    baudrate=19200,
    set_command=6,
    mode=POWER_MODE,
    on=(0, 3),
    bits={
        (0, 4): "illegal mode",
        (0, 5): "cable interlock open",
        (0, 6): "end of target life",
        (0, 7): "out of set point",
        (1, 0): "over-voltage",
        (1, 1): "over-current",
        (1, 3): "control fault",
        (1, 4): "heat-sink over-temperature",
        (1, 5): "user interlock open",
        (1, 6): "reset at the user port",
        (1, 7): "contactor interlock open",
        (2, 0): "mains dip",
        (2, 4): "inverter A low",
        (2, 5): "inverter B low",
        (3, 0): "bus fault",
        (3, 1): "process voltage low",
        (3, 4): "out of set point for too long",
        (3, 5): "ground fault",
    },
)
NOTES = ("out of set point",)
"""What a supply says of itself while it strikes or ramps; no trouble of its own."""


class AeBus(RelayShutterGun):
    """One supply at `address` 1 to 31 of its bus."""

    family: Family

    def __init__(self, *args: Any, address: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = int(address)

    @classmethod
    def open_link(cls, address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=cls.family.baudrate, parity="O", timeout_s=timeout_s)

    # --- verbs, on the port's thread ------------------------------------------------------------------

    def identify(self) -> str:
        """Type and size; takes host control and power regulation.  `WrongInstrument`, `LinkError`."""
        try:
            kind, size = (self._text(command) for command in (TYPE, SIZE))
        except Garbled as error:
            raise WrongInstrument(f"{error}; is this an AE supply at address {self.address}?") from error
        if self.family.name not in kind.upper():
            raise WrongInstrument(f"{self.name}: calls itself {kind!r}, not {self.family.name}")
        self._take_control()
        return f"AE {kind.strip()}{size.strip()}, address {self.address}, target {self.target}"

    def _take_control(self) -> None:
        if self._number(READ_CONTROL, size=1) != HOST:
            self._act(CONTROL, bytes([HOST]))
        if self._read(SET_POINT)[-1] != self.family.mode:
            if self._bit(self._read(STATUS), self.family.on):
                raise Refused(f"{self.name}: its output is on and not regulated by power; switch it off by hand")
            self._act(REGULATION, bytes([self.family.mode]))

    def _set_point(self) -> float:
        return float(self._number(SET_POINT))

    def _send_power(self, watts: float) -> float:
        """The supply takes whole watts."""
        wanted = round(watts)
        if not 0 <= wanted <= 0xFFFF:
            raise SettingError(f"{self.name}: {watts:g} W cannot be set, a supply takes 0 to 65535 W")
        data = wanted.to_bytes(2, "little")
        self._command(lambda: self._act(self.family.set_command, data), lambda: self._set_point() == wanted)
        if (accepted := self._set_point()) != wanted:
            raise Refused(f"{self.name}: set point {wanted} W was refused, it stays at {accepted:g} W")
        return accepted

    def _send_output(self, on: bool) -> None:
        self._command(lambda: self._act(ON if on else OFF), lambda: self._bit(self._read(STATUS), self.family.on) == on)

    def _status(self) -> SupplyStatus:
        bits = self._read(STATUS)
        if len(bits) < 4:
            raise Garbled(f"{self.name}: status {bits!r} has {len(bits)} bytes instead of 4")
        said = [words for at, words in self.family.bits.items() if self._bit(bits, at)]
        return self._measured(
            self._bit(bits, self.family.on),
            trouble=", ".join(words for words in said if words not in NOTES),
            note=", ".join(words for words in said if words in NOTES),
        )

    def _measured(self, on: bool, *, trouble: str, note: str) -> SupplyStatus:
        raise NotImplementedError

    # --- wire -----------------------------------------------------------------------------------------

    @staticmethod
    def _bit(status: bytes, at: tuple[int, int]) -> bool:
        byte, bit = at
        return byte < len(status) and bool(status[byte] >> bit & 1)

    def _text(self, command: int) -> str:
        return self._read(command).decode("ascii", "replace").strip("\0 ")

    def _number(self, command: int, *, start: int = 0, size: int = 2) -> int:
        try:
            return aebus.number(self._read(command), start, size)
        except Malformed as error:
            raise Garbled(f"{self.name}: answer to command {command}: {error}") from error

    def _read(self, command: int) -> bytes:
        """The data that a command from 128 on reports; once more if the answer is missing or spoiled."""
        try:
            return self._transact(command)
        except NoReply:
            pass
        except Garbled:
            listen_out(self.link)
        return self._transact(command)

    def _act(self, command: int, data: bytes = b"") -> None:
        """A command up to 127.  Raises `Refused` with the reason that the supply gives."""
        answer = self._transact(command, data)
        if len(answer) != 1:
            raise Garbled(f"{self.name}: {answer!r} is no response to command {command}")
        if answer[0] != aebus.ACCEPTED:
            reason = aebus.CSR.get(answer[0], "no reason known")
            raise Refused(f"{self.name}: command {command} with {data!r} was refused: CSR {answer[0]}, {reason}")

    def _transact(self, command: int, data: bytes = b"") -> bytes:
        """Packet, ACK, answer, ACK; a spoiled answer is asked for again."""
        request = aebus.pack(aebus.Packet(self.address, command, data))
        framing = aebus.answer_framing(self.address, command)
        frame = exchange(self.link, request, framing)
        for _ in range(REPEATS):
            if frame == aebus.NAK:
                raise Garbled(f"{self.name}: {request!r} arrived spoiled: the supply answers NAK")
            try:
                answer = aebus.unpack_answer(frame, self.address, command)
            except Malformed:
                frame = self._once_more(request, framing)
                continue
            self.link.send(aebus.ACK)
            return answer
        raise Garbled(f"{self.name}: answer to {request!r}: {frame!r} is spoiled")

    def _once_more(self, request: bytes, framing: Any) -> bytes:
        listen_out(self.link)
        self.link.send(aebus.NAK)
        try:
            return aebus.ACK + self.link.receive(lambda buffer: _less_one(framing(aebus.ACK + buffer)))
        except NoReply as error:
            raise NoReply(f"{self.name}: {error} after {request!r}") from error


def _less_one(end: int | None) -> int | None:
    return None if end is None else end - 1


class AeCesar(AeBus):
    """A Cesar RF generator, regulated by the power that the load takes.

    Its `voltage` is the dc bias, and its `current` the load power over that: both are 0 without a plasma.
    """

    driver = "ae-cesar"
    family = CESAR

    def _measured(self, on: bool, *, trouble: str, note: str) -> SupplyStatus:
        reflected, delivered, bias = (float(self._number(command)) for command in (REFLECTED, DELIVERED, BIAS))
        note = ", ".join(word for word in (note, f"{reflected:g} W reflected" if reflected else "") if word)
        return SupplyStatus(on, delivered, bias, delivered / bias if bias else 0.0, trouble, note)


class AePinnacle(AeBus):
    """A Pinnacle or Pinnacle Plus+ dc supply, regulated by power."""

    driver = "ae-pinnacle"
    family = PINNACLE

    def _measured(self, on: bool, *, trouble: str, note: str) -> SupplyStatus:
        actual = self._read(ALL_ACTUAL)
        try:
            power, voltage, current = (aebus.number(actual, start) for start in (0, 2, 4))
        except Malformed as error:
            raise Garbled(f"{self.name}: power, voltage and current: {error}") from error
        return SupplyStatus(on, float(power), float(voltage), current / 100, trouble, note)
