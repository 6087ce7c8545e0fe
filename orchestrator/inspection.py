"""Who answers at each address of a lab file, and whether that is what the file says.

`listed` only reads the file.  `asked` connects to every device, all at once, identifies it as the night would, and
lets it go again: no output is switched on and nothing moves.  A port has one master, so that nobody may ask the
instruments of a lab in which a campaign runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from rich import box
from rich.table import Table

from drivers.clock import Clock
from drivers.errors import (
    Fault,
    Garbled,
    Gone,
    Interrupted,
    NoReply,
    Refused,
    SettingError,
    WrongInstrument,
)
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.problems import SpecError

ADVICE: dict[type[Exception], tuple[str, str]] = {
    Gone: ("no port", "check power, cable and address"),
    NoReply: ("no reply", "is it on, at this address, and set to this interface and speed?"),
    TimeoutError: ("no reply", "it keeps the port without an end: switch it off and on"),
    Garbled: ("garbled", "check speed, parity, terminator and cable"),
    WrongInstrument: ("another instrument", "correct the address, or what the lab file says of it"),
    Refused: ("refused", "is it in remote mode, and free of errors?"),
    Fault: ("fault", "see its front panel, and clear the fault there"),
    SettingError: ("setting", "correct its settings or limits in the lab file"),
    SpecError: ("setting", "correct its settings in the lab file"),
    Interrupted: ("interrupted", "ask again"),
}
"""What can go wrong -> its name for a person, and what he can do about it."""


@dataclass(frozen=True)
class Found:
    """A device of the lab file, and what was found at its address.

    `state` is ``listed`` (not asked), ``identified``, or one of the names in `ADVICE`; then `trouble` says what
    happened and `advice` what to do.  `identity` is what the instrument says of itself.
    """

    device: str
    station: str
    role: str
    driver: str
    address: str
    state: str = "listed"
    identity: str = ""
    trouble: str = ""
    advice: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing is known to be wrong with it."""
        return not self.trouble

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def listed(lab: LabSpec) -> list[Found]:
    """Every device of `lab`, in the order of its file."""
    return [
        Found(name, station, device.role, device.driver, device.address)
        for station, spec in lab.instruments.items()
        for name, device in spec.devices.items()
    ]


def asked(lab: LabSpec, clock: Clock | None = None) -> list[Found]:
    """The same, after every device has been connected to, identified and let go again."""
    from orchestrator.lab import identities  # whose drivers whoever only lists does not wait for

    answers = identities(lab, clock)
    return [_answered(one, answers[one.device]) for one in listed(lab)]


def at(lab: LabSpec, addresses: Mapping[str, str]) -> LabSpec:
    """`lab` with its devices at `addresses` (device -> address) instead of the file's, where there is one."""
    stations = {
        name: spec.model_copy(
            update={
                "devices": {
                    device: told.model_copy(update={"address": addresses.get(device, told.address)})
                    for device, told in spec.devices.items()
                }
            }
        )
        for name, spec in lab.instruments.items()
    }
    return lab.model_copy(update={"stations": stations})


def _answered(found: Found, answer: str | Exception) -> Found:
    if isinstance(answer, str):
        return replace(found, state="identified", identity=answer)
    state, advice = _words(answer)
    return replace(found, state=state, trouble=str(answer), advice=advice)


def _words(error: Exception) -> tuple[str, str]:
    """What `error` is called for a person, by the nearest of its classes that has a name, and what he can do."""
    return next((ADVICE[kind] for kind in type(error).__mro__ if kind in ADVICE), ("trouble", "see the message"))


def device_table(found: list[Found]) -> Table:
    """A line for each device; what it answered, if it was asked."""
    asked_them = any(one.state != "listed" for one in found)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for title in ("station", "device", "role", "driver", *(("state", "identity") if asked_them else ()), "address"):
        table.add_column(title, overflow="fold")
    for one in found:
        answer = (one.state, one.identity) if asked_them else ()
        table.add_row(one.station, one.device, one.role, one.driver, *answer, one.address)
    return table
