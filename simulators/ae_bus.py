"""Advanced Energy supplies on the AE Bus as seen from the wire: a Cesar (RF) and a Pinnacle Plus+ (DC).

Source: AE Pinnacle Plus+ and Pinnacle manuals; InstrumentKit's ``Cesar1312`` and its tests.  Assumed: a Cesar's bits
but for "RF on", and that it reports its dc bias in volts.  Not simulated: ramps, timers, recipes and arc counters.
"""

from __future__ import annotations

from typing import Any, Protocol

from drivers.wire import aebus
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument


class Magnetron(Protocol):
    """The part of the world on the supply's output cable."""

    def set_power(self, watts: float) -> None: ...
    def set_output(self, on: bool) -> None: ...
    def read(self) -> Any: ...


WRONG_CONTROL, OUTPUT_ON, OUT_OF_RANGE, BAD_PARAMETER, FAULT, BYTES, UNKNOWN = 1, 2, 4, 5, 7, 9, 99
HOST, USER_PORT, PANEL = 2, 4, 6
POWER, VOLTAGE, CURRENT = 6, 7, 8


class AeBus(SimulatedInstrument):
    """It starts in panel control.  `interlock_open` and `control` are what somebody else may change."""

    framing = staticmethod(aebus.host_framing)
    set_command = 0
    kind, size = b"", b""
    max_power_w = 10_000

    def __init__(self, gun: Magnetron, *, address: int = 1) -> None:
        super().__init__()
        self.gun = gun
        self.address = int(address)
        self.control = PANEL
        self.mode = POWER
        self.set_point = 0
        self.interlock_open = False
        self._last = b""

    def answer(self, message: bytes) -> bytes:
        if message == aebus.ACK:
            return b""
        if message == aebus.NAK:
            return self._last
        try:
            packet = aebus.unpack(message)
        except Malformed:
            self._buffer = b""
            return aebus.NAK
        if packet.address != self.address:
            return b""
        data = self._report(packet) if packet.command >= 128 else bytes([self._obey(packet)])
        self._last = aebus.pack(aebus.Packet(self.address, packet.command, data))
        return aebus.ACK + self._last

    # --- commands ---------------------------------------------------------------------------------------

    def _obey(self, packet: aebus.Packet) -> int:
        if packet.command == 14:
            return self._take(packet.data)
        if packet.command == 119:  # master reset, in any control mode
            self.gun.set_output(False)
            return aebus.ACCEPTED
        if self.control != HOST:
            return WRONG_CONTROL
        if packet.command in (1, 2):
            return self._switch(packet.command == 2)
        if packet.command == 3:
            return self._regulate(packet.data)
        if packet.command == self.set_command:
            return self._aim(packet.data)
        return UNKNOWN

    def _take(self, data: bytes) -> int:
        if len(data) != 1 or data[0] not in (HOST, USER_PORT, PANEL):
            return BAD_PARAMETER
        self.control = data[0]
        return aebus.ACCEPTED

    def _switch(self, on: bool) -> int:
        if on and self.interlock_open:
            return FAULT
        self.gun.set_output(on)
        return aebus.ACCEPTED

    def _regulate(self, data: bytes) -> int:
        if len(data) != 1:
            return BYTES
        if self._on():
            return OUTPUT_ON
        if data[0] not in (POWER, VOLTAGE, CURRENT):
            return BAD_PARAMETER
        self.mode = data[0]
        return aebus.ACCEPTED

    def _aim(self, data: bytes) -> int:
        if len(data) != 2:
            return BYTES
        wanted = aebus.number(data)
        if wanted > self.max_power_w:
            return OUT_OF_RANGE
        self.set_point = wanted
        self.gun.set_power(wanted if self.mode in self._power_modes() else 0)
        return aebus.ACCEPTED

    def _power_modes(self) -> tuple[int, ...]:
        return (POWER,)

    # --- reports ----------------------------------------------------------------------------------------

    def _report(self, packet: aebus.Packet) -> bytes:
        match packet.command:
            case 128:
                return self.kind
            case 129:
                return self.size
            case 154:
                return bytes([self.mode])
            case 155:
                return bytes([self.control])
            case 162:
                return self._bits()
            case 164:
                return self.set_point.to_bytes(2, "little") + bytes([self.mode])
        return self._measure(packet.command)

    def _measure(self, command: int) -> bytes:
        return bytes([UNKNOWN])

    def _bits(self) -> bytes:
        raise NotImplementedError

    def _on(self) -> bool:
        """An open interlock takes the output off."""
        if self.interlock_open:
            self.gun.set_output(False)
        reading = self.gun.read()
        return bool(reading.on and not reading.tripped)

    @staticmethod
    def _word(value: float) -> bytes:
        return min(max(round(value), 0), 0xFFFF).to_bytes(2, "little")


class Cesar(AeBus):
    """What the plasma does not take is reflected; without a plasma, all of it."""

    set_command = 8
    kind, size = b"CESAR", b"_1312"
    max_power_w = 1200
    MATCHED = 0.02

    def _power_modes(self) -> tuple[int, ...]:
        return (POWER, VOLTAGE)  # forward and load power: a matched load takes nearly all

    def _bits(self) -> bytes:
        on = self._on()
        reading = self.gun.read()
        first = 0x20 * on | 0x80 * (on and not reading.lit)
        return bytes([first, 0x80 * self.interlock_open | 0x08 * reading.tripped, 0, 0])

    def _measure(self, command: int) -> bytes:
        reading = self.gun.read()
        delivered = reading.power_w if reading.lit else 0.0
        forward = delivered / (1 - self.MATCHED) if reading.lit else self.set_point * bool(reading.on)
        bias = 0.4 * reading.voltage_v if reading.lit else 0.0
        told = {165: forward, 166: forward - delivered, 167: delivered, 168: bias}
        return self._word(told[command]) if command in told else bytes([UNKNOWN])


class Pinnacle(AeBus):
    """A Pinnacle Plus+."""

    set_command = 6
    kind, size = b"PLUS", b"_5K"
    max_power_w = 5000

    def _bits(self) -> bytes:
        on = self._on()
        reading = self.gun.read()
        first = 0x08 * on | 0x80 * (on and not reading.lit)
        return bytes([first, 0x20 * self.interlock_open | 0x10 * reading.tripped, 0, 0])

    def _measure(self, command: int) -> bytes:
        reading = self.gun.read()
        told = {165: reading.power_w, 166: reading.voltage_v, 167: 100 * reading.current_a}
        if command == 168:
            return b"".join(self._word(value) for value in told.values())
        return self._word(told[command]) if command in told else bytes([UNKNOWN])
