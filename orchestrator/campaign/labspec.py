"""The lab file: stations, devices, cassette, targets, alerts; and whether a lab can do a campaign."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from orchestrator.campaign.fit import misfits
from orchestrator.campaign.labchecks import check_cassette, check_device, check_lab
from orchestrator.campaign.problems import Findings, SpecError
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.table import NAME, Count, Number, Table, Text, key, located, validated
from orchestrator.campaign.toml_source import Source
from orchestrator.campaign.virtualspec import VirtualSpec, lanes

Pose = tuple[Number, Number, Number, Number, Number, Number]
"""Of the gripper: x, y, z in mm and the angles alpha, beta, gamma in degrees."""

Role = Literal[
    "gun",
    "gas",
    "gauge",
    "monitor",
    "heater",
    "relays",
    "pump",
    "magnet",
    "field_meter",
    "signal",
    "hall_meter",
    "mover",
]
POSE = "six numbers [x, y, z, alpha, beta, gamma] in mm and degrees"


class Substrate(Table):
    """What the cassette holds."""

    material: Text = key("What it is made of, for the record.", min_length=1)
    width_mm: Number = key("Width of the film.", unit="mm", gt=0, le=150)
    height_mm: Number = key("Height of the film.", unit="mm", gt=0, le=150)

    @property
    def area_mm2(self) -> float:
        return self.width_mm * self.height_mm


class Cassette(Table):
    """Where samples come from and go back to.  Slots count from 1, row by row."""

    slots: Count = key("How many slots there are.", unit="slots", ge=1, le=10_000)
    columns: Count | None = key("Slots in a row; absent: all in one row.", unit="slots", ge=1, default=None)
    filled: tuple[Count, ...] | None = key(
        "The slots that hold a bare substrate; absent: all of them.", right="a list of slot numbers", default=None
    )
    substrate: Substrate = key("What the slots hold.")
    pose: Pose = key("Gripper pose on slot 1.", unit="mm, °", right=POSE)
    pitch_mm: Number = key("From slot to slot along x, and from row to row along y.", unit="mm", gt=0, le=500)

    @model_validator(mode="after")
    def _check(self) -> Cassette:
        check_cassette(self)
        return self

    @property
    def bare(self) -> tuple[int, ...]:
        """The slots that hold a bare substrate, in ascending order."""
        return tuple(range(1, self.slots + 1)) if self.filled is None else tuple(sorted(self.filled))

    def slot_pose(self, slot: int) -> Pose:
        """Gripper pose on `slot`, from 1."""
        row, column = divmod(slot - 1, self.columns or self.slots)
        x, y, *rest = self.pose
        return (x + column * self.pitch_mm, y + row * self.pitch_mm, *rest)  # type: ignore[return-value]


class Reference(Table):
    """A specimen of known moment or rotation, to see whether the magnetometer drifts.  It is never deposited upon."""

    slot: Count = key("The cassette slot it has for itself; not one of `cassette.filled`.", ge=1)
    value: Number = key(
        "What it is known to have at saturation, in the magnetometer's quantity; a rotation may be negative.",
        unit="A m² or mrad",
    )
    sigma: Number = key("Standard uncertainty of `value`, in the same unit.", unit="A m² or mrad", ge=0)
    tolerance: Number = key(
        "How far from `value` it may be measured, relatively, before the magnetometer counts as drifted; at least "
        "twice the relative `sigma`.",
        unit="1",
        gt=0,
        le=0.5,
        default=0.03,
    )
    every_films: Count = key(
        "It is measured before the first film, after so many films, and at the end.", unit="films", ge=1, default=6
    )
    every_hours: Number = key("And after so much lab time.", unit="h", ge=0.5, le=10_000, default=6.0)


Url = Annotated[Text, Field(pattern=r"^[a-z][a-z0-9+.-]*://[^\s/]\S*$")]
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
"""A time of day, such as 06:30."""


class Alerts(Table):
    """Whom to tell when the operator is needed, and when."""

    channels: tuple[Url, ...] = key(
        "Where alerts go, as URLs in Apprise's notation.",
        inside='a URL such as "mailto://user:password@example.org"',
        secret=True,
        default=(),
    )
    escalation: tuple[Url, ...] = key(
        "Where critical alerts go too that nobody has acknowledged in time: a second person, a louder service.",
        inside='a URL such as "mailto://user:password@example.org"',
        secret=True,
        default=(),
    )
    escalate_after_min: Number = key(
        "How long a critical alert may stay unacknowledged before `escalation` is told.",
        unit="min",
        ge=1,
        le=1440,
        default=15.0,
    )
    quiet: Text | None = key(
        "Hours, by this machine's clock, in which only critical alerts are sent; the others wait for their end.",
        pattern=rf"^{CLOCK}-{CLOCK}$",
        right='hours such as "22:00-07:00"',
        default=None,
    )
    digest_at: tuple[Annotated[Text, Field(pattern=rf"^{CLOCK}$")], ...] = key(
        "When to tell how the night stands, whatever happens.", inside='a time such as "07:00"', default=()
    )
    ping_url: Annotated[Text, Field(pattern=r"^https?://[^\s/]\S*$")] | None = key(
        "A dead-man service's URL, asked again and again while the daemon is well: the service tells of a machine that "
        "is dead.",
        right='a URL such as "https://hc-ping.com/UUID"',
        secret=True,
        default=None,
    )
    ping_every_min: Number = key("How often `ping_url` is asked.", unit="min", gt=0, le=1440, default=5.0)
    failures_in_a_row: Count = key(
        "Tell of so many samples in a row that came to nothing.", unit="samples", ge=1, le=1000, default=2
    )
    rejects_in_a_row: Count = key(
        "Tell of so many measurements in a row that are not valid.", unit="samples", ge=1, le=1000, default=3
    )
    budget_share: Number = key(
        "Tell when this share of the samples or the lab hours is spent.", unit="1", gt=0, le=1, default=0.8
    )
    disk_low_gib: Number = key("Tell when the disk of the home has less left.", unit="GiB", ge=0, default=1.0)
    stuck_factor: Number = key(
        "Tell of a step that takes so many times as long as nine of ten such steps do.",
        unit="1",
        ge=1,
        le=100,
        default=3.0,
    )


class Device(Table):
    """One instrument on one port."""

    role: Role = key("What it is to the station.")
    driver: Text = key("Which driver speaks to it.")
    address: Text = key(
        "Serial device or pyserial URL, VISA resource, or tcp://host:port.", min_length=1, right="a port address"
    )
    timeout_s: Number = key("Longest wait for a reply.", unit="s", gt=0, le=60, default=1.0)
    poll_s: Number = key("Time between readings by the monitor.", unit="s", gt=0, le=60, default=1.0)
    settings: dict[Text, bool | int | float | str] = key("The driver's own settings; see the driver.", default={})
    limits: dict[Text, tuple[Number, Number]] = key(
        "Setting -> [lowest, highest] that may ever be set, in the setting's unit.",
        inside="a list [lowest, highest]",
        default={},
    )

    @model_validator(mode="after")
    def _check(self) -> Device:
        check_device(self)
        return self


Devices = dict[Annotated[Text, Field(pattern=NAME)], Device]


class DepositionSpec(Table):
    """A sputter chamber."""

    kind: Literal["deposition"] = key("Says that it is a sputter chamber.")
    pose: Pose = key("Gripper pose on the substrate holder.", unit="mm, °", right=POSE)
    base_pressure_pa: Number = key("Pressure that must be reached before gas is let in.", unit="Pa", gt=0, le=1)
    pumping_speed_l_s: Number = key("Effective pumping speed for argon.", unit="l/s", gt=0, le=10_000)
    argon_left_l: Number | None = key(
        "Argon left in its cylinder, litres at 0 °C and 101325 Pa; absent: not known.", unit="l", ge=0, default=None
    )
    tooling: dict[Text, Number] = key(
        "Element -> thickness on the substrate over thickness at the monitor; 1 if absent.",
        inside="a number above 0",
        default={},
    )
    tooling_sigma: Number = key("Relative uncertainty of the tooling factors.", unit="1", ge=0, le=1, default=0.01)
    devices: Devices = key("The station's devices.")


class MagnetometrySpec(Table):
    """A magnetometer: vibrating sample, Kerr effect, or anomalous Hall effect."""

    kind: Literal["magnetometry"] = key("Says that it is a magnetometer.")
    pose: Pose = key("Gripper pose on the sample holder.", unit="mm, °", right=POSE)
    quantity: Literal["moment", "kerr_rotation", "hall_resistance"] = key("What the signal is proportional to.")
    scale: Number = key(
        "Calibration: moment (A m²) or Kerr rotation (mrad) for one volt of signal; of a Hall resistance, that of an "
        "ideal cross for one ohm measured.",
        unit="A m²/V, mrad/V or 1",
        gt=0,
    )
    scale_sigma: Number = key("Relative uncertainty of `scale`.", unit="1", ge=0, le=1, default=0.01)
    field_per_ampere_mt: Number = key("Field in the gap for one ampere.", unit="mT/A", gt=0, le=10_000)
    hall_current_a: Number | None = key(
        "Current through the film while its Hall resistance is measured; absent: it is not.",
        unit="A",
        gt=0,
        le=0.1,
        default=None,
    )
    devices: Devices = key("The station's devices.")


class TransferSpec(Table):
    """The robot that carries samples between the cassette and the stations."""

    kind: Literal["transfer"] = key("Says that it is the robot.")
    devices: Devices = key("The station's devices.")


InstrumentedSpec = DepositionSpec | MagnetometrySpec | TransferSpec
StationSpec = Annotated[InstrumentedSpec | VirtualSpec, Field(discriminator="kind")]


class TargetSpec(Table):
    """A sputter target and how much of it is left."""

    thickness_mm: Number = key("Thickness when new.", unit="mm", gt=0, le=50)
    life_kwh: Number = key("Energy after which it is used up.", unit="kWh", gt=0, le=10_000)
    used_kwh: Number = key("Energy used so far.", unit="kWh", ge=0, le=10_000, default=0.0)

    @property
    def remaining_kwh(self) -> float:
        return self.life_kwh - self.used_kwh


class LabSpec(Table):
    """One lab."""

    name: Text = key(
        "Name of the lab.",
        pattern=r"^[a-z0-9][a-z0-9-]{0,63}$",
        right="at most 64 small letters, digits and hyphens",
    )
    cassette: Cassette = key("Where samples come from and go back to.")
    reference: Reference | None = key("A specimen to check the magnetometer with.", default=None)
    alerts: Alerts = key("Whom to tell when the operator is needed.", default=Alerts())
    stations: dict[Annotated[Text, Field(pattern=NAME)], StationSpec] = key("The stations.")
    targets: dict[Text, TargetSpec] = key("Element symbol -> its sputter target.")

    @model_validator(mode="after")
    def _check(self) -> LabSpec:
        if problems := check_lab(self):
            raise Findings(problems)
        return self

    @property
    def instruments(self) -> dict[str, InstrumentedSpec]:
        """The stations that have instruments: all but the virtual ones."""
        return {name: station for name, station in self.stations.items() if not isinstance(station, VirtualSpec)}

    @property
    def virtual(self) -> dict[str, VirtualSpec]:
        """The virtual stations."""
        return {name: station for name, station in self.stations.items() if isinstance(station, VirtualSpec)}

    def lanes(self, names: Iterable[str]) -> dict[str, str]:
        """Process of a virtual station -> that station, of those `names`."""
        return {lane: name for name in names for lane in lanes(name, self.virtual[name].processes)}

    def station(self, kind: str) -> tuple[str, StationSpec]:
        """Name and specification of the station of `kind`."""
        return next((name, station) for name, station in self.stations.items() if station.kind == kind)

    @property
    def deposition(self) -> DepositionSpec:
        station = self.station("deposition")[1]
        assert isinstance(station, DepositionSpec)
        return station

    @property
    def magnetometry(self) -> MagnetometrySpec:
        station = self.station("magnetometry")[1]
        assert isinstance(station, MagnetometrySpec)
        return station

    def guns(self) -> dict[str, str]:
        """Element -> name of the gun with a target of it."""
        devices = self.deposition.devices.items()
        return {str(device.settings["target"]): name for name, device in devices if device.role == "gun"}

    def places(self) -> dict[str, Pose]:
        """Every place the robot serves: ``cassette/1``..., ``deposition``, ``magnetometry``."""
        cassette = {f"cassette/{slot}": self.cassette.slot_pose(slot) for slot in range(1, self.cassette.slots + 1)}
        return {**cassette, "deposition": self.deposition.pose, "magnetometry": self.magnetometry.pose}

    def max_field_mt(self) -> float:
        """The largest field in both directions within the magnet's current limits; infinite if it has none."""
        station = self.magnetometry
        magnet = next(device for device in station.devices.values() if device.role == "magnet")
        low, high = magnet.limits.get("current", (-math.inf, math.inf))
        return station.field_per_ampere_mt * max(0.0, min(-low, high))


def load_lab(path: str | Path) -> LabSpec:
    """The lab in the file at `path`.  Raises `SpecError`."""
    return validated(LabSpec, Source.read(path))


def parse_lab(text: str, name: str = "lab.toml") -> LabSpec:
    """The lab in a TOML `text`; `name` stands for the file in messages.  Raises `SpecError`."""
    return validated(LabSpec, Source.parse(text, name))


def check_fit(campaign: Campaign, lab: LabSpec) -> None:
    """Raises `SpecError` if `lab` cannot do `campaign`; keys and lines are those of the campaign file."""
    if problems := misfits(campaign, lab):
        raise SpecError(located(campaign.source or Source(campaign.name, {}, {}), problems))
