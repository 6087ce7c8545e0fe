"""What a plan may ask of a gun, a gauge, a magnet..., whoever made it.

Each role lists the signals that plans and gates use.  Values carry the units given here, whatever the
instrument speaks on the wire.  Every instrument also has `identify`, `refresh`, `make_safe`, `safe` and
`trigger` from `drivers.instrument.Instrument`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ophyd.status import DeviceStatus

from drivers.instrument import Reading, Setting


class Role(Protocol):
    name: str

    def safe(self) -> DeviceStatus: ...
    def trigger(self) -> DeviceStatus: ...
    def refresh(self) -> None: ...
    def reconnect(self) -> DeviceStatus: ...


class Gun(Role, Protocol):
    """A magnetron with its power supply and its own shutter."""

    target: str  # element symbol of the target mounted
    power: Setting  # W, set point; done when accepted (and, with the plasma on, when the actual power follows)
    output: Setting  # "on" | "off"; "on" is done when the plasma burns, and fails with Fault if it does not
    shutter: Setting  # "open" | "closed"
    actual_power: Reading  # W
    voltage: Reading  # V
    current: Reading  # A
    fault: Reading  # "" when well, otherwise what is wrong, in words


class MassFlow(Role, Protocol):
    """A mass-flow controller."""

    gas: str
    flow: Setting  # sccm; done when accepted
    actual_flow: Reading  # sccm
    fault: Reading  # "" when well, otherwise the status words


class Gauge(Role, Protocol):
    """A vacuum gauge."""

    pressure: Reading  # Pa; NaN when the gauge does not measure
    fault: Reading  # "" when measuring, otherwise the reason ("under range", "sensor error"...)


class ThicknessMonitor(Role, Protocol):
    """A quartz-crystal monitor, whose relay drives the substrate shutter."""

    material: Setting  # element symbol: density and Z-ratio used; done when read back
    zero: Setting  # set to 1: thickness and timer to zero
    substrate_shutter: Setting  # "open" | "closed"
    rate: Reading  # nm/s, at the sensor
    thickness: Reading  # nm since zero, at the sensor
    frequency: Reading  # Hz
    life: Reading  # %
    fault: Reading  # "" when well, "crystal failed", "was reset"


class Relays(Role, Protocol):
    """A relay box: shutters hang on it whose guns' supplies have none, and interlock switches may be read by it."""

    energised: Reading  # numbers of the energised relays, such as "1 3"
    fault: Reading  # "" when well, otherwise what is wrong, such as an interlock switch that is open

    def switch(self, number: int, on: bool) -> None: ...  # on the port's thread; raises Fault if it does not obey
    def claim(self, number: int) -> None: ...  # a shutter hangs on it: `make_safe` lets it go
    def closed_contacts(self) -> frozenset[int] | None: ...


class Heater(Role, Protocol):
    """A substrate heater with its controller."""

    temperature: Setting  # degC, set point; done when accepted, minutes before it is reached
    heating: Setting  # "on" | "off"; off is no power
    actual_temperature: Reading  # degC; NaN when the sensor does not measure
    power: Reading  # % of full power
    fault: Reading  # "" when well, otherwise what is wrong, such as a sensor break


class Pump(Role, Protocol):
    """A turbo pump.  Its safe state is the one that it is in: `make_safe` does nothing."""

    running: Setting  # "on" | "off"; done when it obeys, which is minutes before it is at speed
    speed: Reading  # % of its nominal speed
    power: Reading  # W
    fault: Reading  # "" when well, otherwise its error, in words


class Magnet(Role, Protocol):
    """A bipolar supply and its electromagnet."""

    current: Setting  # A; ramped within the slew limit, done when reached
    actual_current: Reading  # A
    voltage: Reading  # V
    fault: Reading


class FieldMeter(Role, Protocol):
    """A gaussmeter."""

    field: Reading  # mT
    fault: Reading


class SignalMeter(Role, Protocol):
    """A lock-in that reads the magnetometer's signal."""

    sensitivity: Setting  # V full scale; done when read back
    time_constant: Setting  # s
    x: Reading  # V rms
    y: Reading  # V rms
    overload: Reading  # 0 | 1, latched since the last refresh
    fault: Reading


class HallMeter(Role, Protocol):
    """A source of current and a voltmeter at the film's four contacts.  Every reading is of both directions of the
    current, so that thermal voltages cancel."""

    current: Setting  # A, through the film; 0: none, and the output is off; done when read back
    resistance: Reading  # ohm, transverse voltage over current; NaN while there is no current
    compliance: Reading  # 0 | 1: the current does not flow for want of voltage; a contact is open
    fault: Reading


class Mover(Role, Protocol):
    """A robot arm with a gripper."""

    pose: Setting  # (x, y, z, alpha, beta, gamma) in mm and degrees; done when reached
    gripper: Setting  # "open" | "closed"
    holding: Reading  # 1 when the gripper holds a part, else 0
    fault: Reading


@dataclass(frozen=True)
class Place:
    """Where a sample can be: the pose of the gripper on it, and how the robot comes and goes."""

    name: str
    pose: tuple[float, float, float, float, float, float]
    approach_mm: float = 40.0


@dataclass
class DepositionStation:
    """A chamber.  `tooling[element]`: thickness on the substrate over that indicated by the monitor."""

    name: str
    guns: dict[str, Gun]  # by element
    gas: MassFlow
    gauge: Gauge
    monitor: ThicknessMonitor
    relays: Relays | None = None
    heater: Heater | None = None
    pump: Pump | None = None
    tooling: dict[str, float] = field(default_factory=dict)
    tooling_sigma: float = 0.01
    pumping_speed_l_s: float = 80.0
    base_pressure_pa: float = 1e-3


@dataclass
class MagnetometryStation:
    """A magnetometer.  `scale` turns lock-in volts into `quantity` ("moment" A m2 or "kerr_rotation" mrad), or the Hall
    meter's ohm into those of an ideal cross ("hall_resistance").  It has a lock-in or a Hall meter."""

    name: str
    magnet: Magnet
    field_meter: FieldMeter
    signal: SignalMeter | None
    quantity: str
    scale: float
    scale_sigma: float  # relative
    field_per_ampere_mt: float
    film_area_mm2: float
    hall: HallMeter | None = None
    hall_current_a: float = 0.0


@dataclass
class TransferStation:
    """The robot and the places it serves, by name: ``cassette/1``..., ``deposition``, ``magnetometry``."""

    name: str
    mover: Mover
    places: dict[str, Place]


Station = DepositionStation | MagnetometryStation | TransferStation


def devices(station: Station) -> list[Role]:
    """Every device of `station`, in the order in which they are made safe."""
    match station:
        case DepositionStation():
            optional = [device for device in (station.relays, station.heater, station.pump) if device is not None]
            return [*station.guns.values(), station.monitor, *optional, station.gas, station.gauge]
        case MagnetometryStation():
            meters = [station.signal, station.hall, station.field_meter]
            return [station.magnet, *(meter for meter in meters if meter is not None)]
        case TransferStation():
            return [station.mover]
