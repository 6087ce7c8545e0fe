"""The composition root: a lab file -> stations of devices, real or simulated.

This module alone names drivers and simulators.  What it builds for a rehearsal and for hardware is the same,
from the same lines of the lab file; only addresses and clock differ.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from drivers.clock import Clock, RealClock
from drivers.errors import InstrumentError
from drivers.instrument import Instrument
from drivers.link import Port
from drivers.plasma import RelayShutterGun
from drivers.roles import DepositionStation, MagnetometryStation, Place, Station, TransferStation
from orchestrator.campaign.labspec import Device, InstrumentedSpec, LabSpec
from orchestrator.campaign.problems import SpecError
from orchestrator.service.children import Child, ChildError
from simulators.clock import ScaledClock

DRIVERS = {
    "aja-dcxs": "drivers.aja_dcxs:AjaDcxs",
    "ae-cesar": "drivers.ae_bus:AeCesar",
    "ae-pinnacle": "drivers.ae_bus:AePinnacle",
    "tc-cxn": "drivers.tc_cxn:TcCxn",
    "tdk-genesys": "drivers.tdk_genesys:TdkGenesys",
    "alicat": "drivers.alicat:Alicat",
    "pfeiffer-tpg36x": "drivers.pfeiffer_tpg:PfeifferTpg36x",
    "mks-937b": "drivers.mks_937b:Mks937b",
    "mks-946": "drivers.mks_946:Mks946",
    "mks-647c": "drivers.mks_647c:Mks647c",
    "edwards-tic": "drivers.edwards_tic:EdwardsTicGauge",
    "edwards-tic-turbo": "drivers.edwards_tic:EdwardsTicTurbo",
    "pfeiffer-tc110": "drivers.pfeiffer_tc110:PfeifferTc110",
    "eurotherm-2400": "drivers.eurotherm_2400:Eurotherm2400Modbus",
    "eurotherm-2400-bisynch": "drivers.eurotherm_2400:Eurotherm2400Bisynch",
    "lakeshore-336": "drivers.lakeshore_336:LakeShore336",
    "velleman-k8090": "drivers.velleman_k8090:VellemanK8090",
    "arduino-relays": "drivers.arduino_relays:ArduinoRelays",
    "inficon-sqm160": "drivers.inficon_sqm160:InficonSqm160",
    "mecademic-meca500": "drivers.mecademic_meca500:Meca500",
    "kepco-bop": "drivers.kepco_bop:KepcoBop",
    "lakeshore-475": "drivers.lakeshore_475:LakeShore475",
    "srs-sr830": "drivers.srs_sr830:Sr830",
    "srs-sr860": "drivers.srs_sr860:Sr860",
    "lakeshore-425": "drivers.lakeshore_425:LakeShore425",
    "lakeshore-f71": "drivers.lakeshore_f71:LakeShoreF71",
    "lakeshore-643": "drivers.lakeshore_643:LakeShore643",
    "danfysik-8500": "drivers.danfysik_8500:Danfysik8500",
    "keithley-6221-2182a": "drivers.keithley_6221:Keithley6221",
    "qd-multivu": "drivers.qd_multivu:QdMultiVu",
    "zaber-gantry": "drivers.zaber_gantry:ZaberGantry",
    "ur-dashboard": "drivers.ur_dashboard:UrDashboard",
    "keithley-2450": "drivers.keithley_2450:Keithley2450",
}
"""Driver name in a lab file -> module and class."""

START_S = 60.0
ASK_S = 30.0
"""Real seconds for all instruments of a lab to say who they are."""


class LabError(Exception):
    """A station cannot be built: the message lists every device that does not answer as it should."""


def open_clock(spec: dict[str, float] | None) -> Clock:
    """The clock that `spec` describes: a scaled one if it has a speed, else real time; None: by the machine's clock."""
    spec = spec or {}
    return ScaledClock(**spec) if "speed" in spec else RealClock(**spec)


def clock_from(last: float, clock: Clock, spec: dict[str, float] | None) -> tuple[Clock, dict[str, float] | None]:
    """`clock` and the `spec` of it; or, if it is behind lab time `last`, one like it that goes on from there.

    A machine's clock may have been set back while no daemon ran.  Lab time goes on all the same, in the daemon and in
    its stations alike: how long the machine was away is not known then, and counts as nothing.
    """
    if clock.now() >= last:
        return clock, spec
    spec = {**(spec or {}), "lab_epoch": last, "monotonic_epoch": time.monotonic()}
    return open_clock(spec), spec


def build_station(lab: LabSpec, station: str, addresses: dict[str, str], clock: Clock) -> Station:
    """Connect to every device of `station` and identify it.  Raises `LabError`."""
    spec = lab.instruments[station]
    devices: dict[str, Instrument] = {}
    troubles = []
    for name, device in spec.devices.items():
        try:
            devices[name] = connect(name, device, addresses.get(name, device.address), clock)
        except InstrumentError as error:
            troubles.append(f"{name} ({device.driver}): {error}")
    if troubles:
        for connected in devices.values():
            connected.port.close()
        raise LabError(f"station {station}: " + "; ".join(troubles))
    return _assemble(lab, station, spec, devices)


def addresses_of(lab: LabSpec) -> dict[str, str]:
    """Device name -> address, as in the lab file."""
    return {name: device.address for station in lab.stations.values() for name, device in station.devices.items()}


def connect(name: str, device: Device, address: str, clock: Clock) -> Instrument:
    """The device `name`, identified and read once.  Raises `InstrumentError` or `SpecError`."""
    return _connected(name, device, address, clock)[0]


def identities(lab: LabSpec, clock: Clock | None = None, patience_s: float = ASK_S) -> dict[str, str | Exception]:
    """Ask every instrument of `lab` at its address who it is, all at once, and let go of it again.

    Device name -> what it calls itself, or what went wrong; `TimeoutError` after `patience_s` real seconds.
    """
    clock = clock or RealClock()
    answers: dict[str, str | Exception] = {}
    devices = {name: device for station in lab.stations.values() for name, device in station.devices.items()}

    def ask(name: str, device: Device) -> None:
        try:
            instrument, told = _connected(name, device, device.address, clock)
            instrument.port.close()
            answers[name] = told
        except (InstrumentError, SpecError) as error:
            answers[name] = error
        except Exception as error:  # noqa: BLE001 - whatever a driver raises is its instrument's answer
            answers[name] = InstrumentError(f"{name}: {type(error).__name__}: {error}")

    threads = [
        threading.Thread(target=ask, args=asked, name=f"ask {asked[0]}", daemon=True) for asked in devices.items()
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + patience_s
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    late = TimeoutError(f"no answer within {patience_s:g} s")
    return {name: answers.get(name, late) for name in devices}


def _connected(name: str, device: Device, address: str, clock: Clock) -> tuple[Instrument, str]:
    """The device `name`, read once, and what it calls itself."""
    module, _, cls = DRIVERS[device.driver].partition(":")
    driver = getattr(import_module(module), cls)
    open_link = partial(driver.open_link, address, device.timeout_s)
    port = Port(open_link(), open_link)
    try:
        instrument: Instrument = driver(port, name=name, clock=clock, limits=device.limits, **device.settings)
    except TypeError as error:
        port.close()
        raise SpecError(
            [f"device {name}: settings {device.settings!r} do not suit {device.driver}: {error}"]
        ) from error
    try:
        told = str(port.submit(instrument.identify).result())
        port.submit(instrument.refresh).result()
    except InstrumentError:
        port.close()
        raise
    return instrument, told


def _assemble(lab: LabSpec, name: str, spec: InstrumentedSpec, devices: dict[str, Instrument]) -> Station:
    by_role: dict[str, list[Any]] = {}
    for device_name, device in spec.devices.items():
        by_role.setdefault(device.role, []).append(devices[device_name])
    match spec.kind:
        case "deposition":
            return DepositionStation(
                name=name,
                guns={gun.target: gun for gun in by_role["gun"]},
                gas=by_role["gas"][0],
                gauge=by_role["gauge"][0],
                monitor=by_role["monitor"][0],
                relays=_with_shutters(by_role),
                heater=next(iter(by_role.get("heater", [])), None),
                pump=next(iter(by_role.get("pump", [])), None),
                tooling=dict(spec.tooling),
                tooling_sigma=spec.tooling_sigma,
                pumping_speed_l_s=spec.pumping_speed_l_s,
                base_pressure_pa=spec.base_pressure_pa,
            )
        case "magnetometry":
            return MagnetometryStation(
                name=name,
                magnet=by_role["magnet"][0],
                field_meter=by_role["field_meter"][0],
                signal=by_role.get("signal", [None])[0],
                hall=by_role.get("hall_meter", [None])[0],
                hall_current_a=spec.hall_current_a or 0.0,
                quantity=spec.quantity,
                scale=spec.scale,
                scale_sigma=spec.scale_sigma,
                field_per_ampere_mt=spec.field_per_ampere_mt,
                film_area_mm2=lab.cassette.substrate.area_mm2,
            )
        case "transfer":
            places = {place: Place(place, pose) for place, pose in lab.places().items()}
            return TransferStation(name=name, mover=by_role["mover"][0], places=places)


def _with_shutters(by_role: dict[str, list[Any]]) -> Any:
    """The station's relay box, if it has one, with the shutters of those guns on it whose supplies have none."""
    relays = next(iter(by_role.get("relays", [])), None)
    for gun in by_role["gun"]:
        if relays is not None and isinstance(gun, RelayShutterGun):
            gun.attach(relays)
    return relays


class SimulatedLab:
    """The lab file's instruments, served by a simulated lab in a process of its own; `faults` befall it.

    Use it as a context; `addresses` waits until they can be reached.
    """

    def __init__(
        self,
        lab: LabSpec,
        seed: int,
        log: Path,
        *,
        truth: Path | None = None,
        world: Path | None = None,
        faults: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._child = Child("simulated lab", ["simulators.serve"], log)
        self._child.tell(
            {
                "clock": None,
                "seed": seed,
                "truth": None if truth is None else str(truth),
                "world": None if world is None else str(world),
                "config": {**simulator_config(lab), "faults": list(faults)},
            }
        )

    def addresses(self) -> dict[str, str]:
        """Device name -> address.  Raises `ChildError` if the simulated lab cannot start."""
        return dict(self._hear()["addresses"])

    def start_clock(self, speed: float) -> ScaledClock:
        """Start lab time now, at `speed` lab seconds per real second."""
        clock = ScaledClock.starting_now(speed)
        self._child.tell({"clock": clock.spec()})
        self._hear()
        return clock

    def _hear(self) -> dict[str, Any]:
        message = self._child.hear(START_S)
        if "error" in message:
            raise ChildError(f"the simulated lab: {message['error']}")
        return message

    def __enter__(self) -> SimulatedLab:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close()


def simulator_config(lab: LabSpec) -> dict[str, Any]:
    """What the simulated lab is told of `lab`: the same facts that the stations are built from."""
    devices = {name: device for station in lab.stations.values() for name, device in station.devices.items()}
    chamber, magnetometer = lab.deposition, lab.magnetometry
    magnet = next(d for d in magnetometer.devices.values() if d.role == "magnet")
    return {
        "devices": {
            name: {
                "driver": device.driver,
                "settings": {**device.settings, **_target_wear(lab, device)},
            }
            for name, device in devices.items()
        },
        "targets": {name: device.settings["target"] for name, device in devices.items() if device.role == "gun"},
        "slots": list(lab.cassette.bare),
        "reference": lab.reference and lab.reference.model_dump(include={"slot", "value", "sigma"}),
        "places": {place: list(pose) for place, pose in lab.places().items()},
        "magnetometer": {
            "quantity": magnetometer.quantity,
            "scale": magnetometer.scale,
            "field_per_ampere_mt": magnetometer.field_per_ampere_mt,
            "film_area_mm2": lab.cassette.substrate.area_mm2,
        },
        "chamber": {"pumping_speed_l_s": chamber.pumping_speed_l_s, "tooling": dict(chamber.tooling)},
        "limits": {
            "magnet_current_a": magnet.limits["current"][1],
            "magnet_slew_a_s": magnet.settings["max_slew_a_s"],
        },
    }


def _target_wear(lab: LabSpec, device: Device) -> dict[str, float]:
    """How worn the target of a gun is; nothing for other devices."""
    if device.role != "gun":
        return {}
    target = lab.targets[str(device.settings["target"])]
    return {"used_kwh": target.used_kwh, "life_kwh": target.life_kwh}
