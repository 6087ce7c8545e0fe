"""The checks of a lab file that compare its keys with each other, and the tables of drivers and roles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.campaign.elements import SYMBOLS
from orchestrator.campaign.problems import NOTHING, Findings, Key, Problem
from orchestrator.campaign.table import nearest

if TYPE_CHECKING:
    from orchestrator.campaign.labspec import Cassette, Device, LabSpec

DRIVERS: dict[str, str] = {
    "aja-dcxs": "gun",
    "ae-cesar": "gun",
    "ae-pinnacle": "gun",
    "tc-cxn": "gun",
    "tdk-genesys": "gun",
    "alicat": "gas",
    "pfeiffer-tpg36x": "gauge",
    "mks-937b": "gauge",
    "mks-946": "gas",
    "mks-647c": "gas",
    "edwards-tic": "gauge",
    "edwards-tic-turbo": "pump",
    "pfeiffer-tc110": "pump",
    "eurotherm-2400": "heater",
    "eurotherm-2400-bisynch": "heater",
    "lakeshore-336": "heater",
    "velleman-k8090": "relays",
    "arduino-relays": "relays",
    "inficon-sqm160": "monitor",
    "mecademic-meca500": "mover",
    "kepco-bop": "magnet",
    "lakeshore-475": "field_meter",
    "srs-sr830": "signal",
    "srs-sr860": "signal",
    "lakeshore-425": "field_meter",
    "lakeshore-f71": "field_meter",
    "lakeshore-643": "magnet",
    "danfysik-8500": "magnet",
    "keithley-6221-2182a": "hall_meter",
    "keithley-2450": "hall_meter",
    "qd-multivu": "magnet",
    "zaber-gantry": "mover",
    "ur-dashboard": "mover",
}
"""Driver -> the role its instrument can have."""

ROLES: dict[str, dict[str, tuple[int, int | None]]] = {
    "deposition": {
        "gun": (1, None),
        "gas": (1, 1),
        "gauge": (1, 1),
        "monitor": (1, 1),
        "heater": (0, 1),
        "relays": (0, 1),
        "pump": (0, 1),
    },
    "magnetometry": {"magnet": (1, 1), "field_meter": (1, 1), "signal": (0, 1), "hall_meter": (0, 1)},
    "transfer": {"mover": (1, 1)},
}
"""Kind of station -> role -> how many devices of it there must and may be; None: any number.  A magnetometer has the
meter of its quantity, and no other: see `METERS`."""

METERS = {"moment": "signal", "kerr_rotation": "signal", "hall_resistance": "hall_meter"}
"""What a magnetometer's signal means -> the role of the meter that reads it."""


TOLD_FIELDS = frozenset({"qd-multivu"})
"""Drivers of magnets that are told fields, not currents."""

REQUIRED: dict[str, dict[str, str]] = {
    "gun": {
        "settings.target": 'give the element of the target mounted on it, such as "Fe"',
        "limits.power": "give the [lowest, highest] power in W that the target bears, such as [0, 200]",
    },
    "gas": {"limits.flow": "give the [lowest, highest] flow in sccm, such as [0, 50]"},
    "heater": {
        "limits.temperature": "give the [lowest, highest] temperature in degC that the holder bears, such as [0, 500]"
    },
    "magnet": {
        "settings.max_slew_a_s": "give the fastest change of current in A/s that the coils bear",
        "limits.current": "give the [lowest, highest] current in A that the coils bear, such as [-10, 10]",
    },
    "hall_meter": {"limits.current": "give the [lowest, highest] current in A that the film bears, such as [0, 0.005]"},
}
"""Role -> settings and limits without which a device of it would not be safe, or of no use."""


SHUTTERLESS = frozenset({"ae-cesar", "ae-pinnacle", "tc-cxn", "tdk-genesys"})
"""Drivers of guns whose supply has no shutter: a relay of the station's relay box opens it."""
DEAD_MAN_POLL_S: dict[str, float] = {"tc-cxn": 1.0}
"""Drivers of instruments that go off when they are not asked for too long -> the longest `poll_s` they bear."""


def check_cassette(cassette: Cassette) -> None:
    """Raises `Findings`."""
    problems = []
    if cassette.columns is not None and cassette.columns > cassette.slots:
        wrong = f"is more than slots = {cassette.slots}"
        problems.append(Problem(("columns",), cassette.columns, wrong, f"give at most {cassette.slots}"))
    for index, slot in enumerate(cassette.filled or ()):
        if not 1 <= slot <= cassette.slots:
            wrong = "is not a slot of the cassette"
            problems.append(Problem(("filled", index), slot, wrong, f"give a whole number from 1 to {cassette.slots}"))
        elif slot in (cassette.filled or ())[:index]:
            problems.append(Problem(("filled", index), slot, "is listed twice", "list each slot once"))
    if problems:
        raise Findings(problems)


def check_device(device: Device) -> None:
    """Raises `Findings`."""
    problems = list(_required(device))
    if device.driver not in DRIVERS:
        problems.append(Problem(("driver",), device.driver, "is no known driver", nearest(device.driver, DRIVERS)))
    elif DRIVERS[device.driver] != device.role:
        fitting = [driver for driver, role in DRIVERS.items() if role == device.role]
        wrong = f"drives a {DRIVERS[device.driver]}, but the role here is {device.role}"
        right = f"give driver {' or '.join(fitting) or '(none exists yet)'}, or role {DRIVERS[device.driver]}"
        problems.append(Problem(("driver",), device.driver, wrong, right))
    for setting, (low, high) in device.limits.items():
        if low > high:
            wrong = "has its lowest above its highest value"
            problems.append(Problem(("limits", setting), (low, high), wrong, f"give [{high:g}, {low:g}]"))
    target = device.settings.get("target")
    if device.role == "gun" and target is not None and target not in SYMBOLS:
        wrong = "is not the symbol of an element"
        problems.append(Problem(("settings", "target"), target, wrong, REQUIRED["gun"]["settings.target"]))
    longest = DEAD_MAN_POLL_S.get(device.driver, device.poll_s)
    if device.poll_s > longest:
        wrong = f"is too long: {device.driver} goes off when it is not asked for 2 s"
        problems.append(Problem(("poll_s",), device.poll_s, wrong, f"give at most {longest:g}"))
    if problems:
        raise Findings(problems)


def _required(device: Device) -> Iterator[Problem]:
    for path, right in REQUIRED.get(device.role, {}).items():
        table, name = path.split(".")
        if name not in getattr(device, table):
            yield Problem((table, name), NOTHING, "is missing", right)


def check_lab(lab: LabSpec) -> list[Problem]:
    """Everything that is wrong between the tables of a lab whose tables are right by themselves."""
    checks = (_stations, _roles, _hall, _fields, _shared, _shutters, _elements, _reference)
    return [problem for check in checks for problem in check(lab)]


def _stations(lab: LabSpec) -> Iterator[Problem]:
    kinds = [station.kind for station in lab.stations.values()]
    for kind in ROLES:
        if kind not in kinds:
            yield Problem(("stations",), NOTHING, f"has no station of kind {kind}", f'add one with kind = "{kind}"')
    for index, (name, station) in enumerate(lab.stations.items()):
        if station.kind in kinds[:index] and station.kind != "virtual":
            wrong = "is a second station of this kind; several are not supported yet"
            yield Problem(("stations", name, "kind"), station.kind, wrong, "keep one station of each kind")


def _roles(lab: LabSpec) -> Iterator[Problem]:
    for name, station in lab.stations.items():
        at: Key = ("stations", name, "devices")
        allowed = ROLES.get(station.kind, {})
        if station.kind == "magnetometry":
            needed = METERS[station.quantity]
            allowed = {role: count for role, count in allowed.items() if role not in METERS.values() or role == needed}
            allowed[needed] = (1, 1)
        counts = Counter[str](device.role for device in station.devices.values())
        for role, (least, most) in allowed.items():
            if counts[role] < least:
                drivers = " or ".join(driver for driver, suited in DRIVERS.items() if suited == role)
                yield Problem(at, NOTHING, f"has no device of role {role}", f"add one, with driver {drivers}")
            if most is not None and counts[role] > most:
                yield Problem(at, NOTHING, f"has {counts[role]} devices of role {role}", f"keep {most}")
        for device_name, device in station.devices.items():
            if device.role not in allowed:
                wrong = f"has no place in a {station.kind} station"
                yield Problem((*at, device_name, "role"), device.role, wrong, "give one of " + ", ".join(allowed))


def _hall(lab: LabSpec) -> Iterator[Problem]:
    """The current that a Hall resistance is measured with."""
    for name, station in lab.stations.items():
        if station.kind != "magnetometry":
            continue
        at: Key = ("stations", name, "hall_current_a")
        current = station.hall_current_a
        if station.quantity != "hall_resistance":
            if current is not None:
                yield Problem(at, current, f"is of no use to a magnetometer of {station.quantity}", "leave it out")
            continue
        if current is None:
            yield Problem(at, NOTHING, "is missing", "give the current in A through the film, such as 0.001")
            continue
        for device_name, device in station.devices.items():
            low, high = device.limits.get("current", (0.0, current)) if device.role == "hall_meter" else (0.0, current)
            if not low <= current <= high:
                wrong = f"is outside the limits {low:g} to {high:g} A of {device_name}"
                yield Problem(at, current, wrong, f"give {low:g} to {high:g} A")


def _fields(lab: LabSpec) -> Iterator[Problem]:
    """A magnet that is told fields must make the same of an ampere as its station."""
    for name, station in lab.stations.items():
        for device_name, device in station.devices.items():
            if station.kind != "magnetometry" or device.driver not in TOLD_FIELDS:
                continue
            given = device.settings.get("field_per_ampere_mt")
            if given != station.field_per_ampere_mt:
                at: Key = ("stations", name, "devices", device_name, "settings", "field_per_ampere_mt")
                wrong = f"is not the station's field_per_ampere_mt = {station.field_per_ampere_mt:g}"
                wrong = "is missing" if given is None else wrong
                yield Problem(
                    at, NOTHING if given is None else given, wrong, f"give {station.field_per_ampere_mt:g}, as there"
                )


def _shared(lab: LabSpec) -> Iterator[Problem]:
    """Names, addresses and targets that two devices have in common."""
    names: dict[str, str] = {}
    addresses: dict[str, str] = {}
    targets: dict[str, str] = {}
    for station_name, station in lab.stations.items():
        for name, device in station.devices.items():
            at: Key = ("stations", station_name, "devices", name)
            if name in names:
                wrong = f"is the name of a device of station {names[name]} too"
                yield Problem(at, NOTHING, wrong, "give a name that no other device of the lab has")
            if device.address in addresses:
                wrong = f"is the address of {addresses[device.address]} too; buses are not supported yet"
                yield Problem((*at, "address"), device.address, wrong, "give an address of its own")
            target = str(device.settings["target"]) if device.role == "gun" else ""
            if target and target in targets:
                wrong = f"is on {targets[target]} too"
                yield Problem((*at, "settings", "target"), target, wrong, "give each gun a target of its own")
            names.setdefault(name, station_name)
            addresses.setdefault(device.address, name)
            if target:
                targets.setdefault(target, name)


def _shutters(lab: LabSpec) -> Iterator[Problem]:
    """Every gun whose supply has no shutter needs a relay of its own on the station's relay box."""
    for station_name, station in lab.stations.items():
        boxes = [name for name, device in station.devices.items() if device.role == "relays"]
        taken: dict[object, str] = {}
        for name, device in station.devices.items():
            if device.role != "gun" or device.driver not in SHUTTERLESS:
                continue
            at: Key = ("stations", station_name, "devices", name)
            relay = device.settings.get("shutter_relay")
            if not boxes:
                drivers = " or ".join(driver for driver, role in DRIVERS.items() if role == "relays")
                wrong = f"has no shutter of its own, and station {station_name} no relay box"
                yield Problem((*at, "driver"), device.driver, wrong, f"add a device of role relays, driver {drivers}")
            elif not isinstance(relay, int) or isinstance(relay, bool) or relay < 1:
                right = f"give the number of the relay of {boxes[0]} that opens this gun's shutter, such as 1"
                given, wrong = (NOTHING, "is missing") if relay is None else (relay, "is no relay")
                yield Problem((*at, "settings", "shutter_relay"), given, wrong, right)
            elif relay in taken:
                wrong = f"opens the shutter of {taken[relay]} too"
                yield Problem((*at, "settings", "shutter_relay"), relay, wrong, "give each gun a relay of its own")
            else:
                taken[relay] = name


def _reference(lab: LabSpec) -> Iterator[Problem]:
    reference = lab.reference
    if reference is None:
        return
    if reference.slot > lab.cassette.slots:
        wrong = "is not a slot of the cassette"
        right = f"give a whole number from 1 to {lab.cassette.slots}"
        yield Problem(("reference", "slot"), reference.slot, wrong, right)
    elif reference.slot in lab.cassette.bare:
        wrong = "holds a bare substrate, by cassette.filled (or without it)"
        right = "list the slots with bare substrates in cassette.filled, and leave this one out"
        yield Problem(("reference", "slot"), reference.slot, wrong, right)
    if reference.value == 0:
        yield Problem(
            ("reference", "value"), reference.value, "tells no drift", "give what the specimen is known to have"
        )
    elif 2 * reference.sigma > reference.tolerance * abs(reference.value):
        wrong = f"is less than twice the relative uncertainty of value = {reference.value:g} +- {reference.sigma:g}"
        right = f"give at least {2 * reference.sigma / abs(reference.value):.2g}, or know the specimen better"
        yield Problem(("reference", "tolerance"), reference.tolerance, wrong, right)


def _elements(lab: LabSpec) -> Iterator[Problem]:
    for symbol, target in lab.targets.items():
        if symbol not in SYMBOLS:
            yield Problem(("targets", symbol), NOTHING, "is not the symbol of an element", "give a symbol such as Fe")
        if target.used_kwh > target.life_kwh:
            wrong = f"is more than life_kwh = {target.life_kwh:g}"
            right = f"give at most {target.life_kwh:g} kWh; 0 after a new target is mounted"
            yield Problem(("targets", symbol, "used_kwh"), target.used_kwh, wrong, right)
    for station_name, station in lab.stations.items():
        if station.kind != "deposition":
            continue
        for symbol, factor in station.tooling.items():
            at: Key = ("stations", station_name, "tooling", symbol)
            if symbol not in SYMBOLS:
                yield Problem(at, factor, "is not the symbol of an element", "give a symbol such as Fe")
            elif not 0 < factor <= 100:
                yield Problem(at, factor, "is no tooling factor", "give a number above 0, usually from 0.5 to 2")
        for name, device in station.devices.items():
            element = device.settings.get("target")
            if device.role == "gun" and element not in lab.targets:
                at = ("stations", station_name, "devices", name, "settings", "target")
                yield Problem(
                    at, element, f"has no [targets.{element}]", "add it, with thickness_mm, life_kwh and used_kwh"
                )
