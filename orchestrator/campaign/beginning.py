"""Campaign and lab files to begin with, from a few answers: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.campaign.commented import commented
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.quantities import MEASURED_BY, canonical_unit
from orchestrator.campaign.spec import Campaign

Magnetometer = Literal["vsm", "moke"]
SIGNAL: dict[Magnetometer, str] = {"vsm": "moment", "moke": "kerr_rotation"}
"""Magnetometer -> what its signal means in a lab file."""

PLACE = "/dev/serial/by-id/REPLACE-ME-"

SUBSTRATE = {"material": "SiO2/Si", "width_mm": 5.0, "height_mm": 5.0}

CAMPAIGN_HEAD = """\
# A campaign, written by `nightshift init`.  What is commented out has the value that is shown.
# Check it:     nightshift check {file}
# Rehearse it:  nightshift dry-run {file}
# What to do when something fails stands under [recovery]; without it the defaults hold.
# What films cost stands under [cost]; without it all cost the same.
"""
LAB_HEAD = """\
# A lab, written by `nightshift init` for rehearsals.  Before it meets hardware, put in your own: every address with
# REPLACE-ME or 192.168.0, every pose, limits, target lives, tooling factors and the magnetometer's calibration.
# Then `nightshift devices {file} --ask` says whether each instrument answers and is the one meant.
"""


@dataclass(frozen=True)
class Answers:
    """What a person says of a campaign to begin with.  `step` is in at.%."""

    name: str
    elements: tuple[str, ...]
    magnetometer: Magnetometer
    quantity: str
    direction: Literal["max", "min"]
    step: float = 2.0
    samples: int = 24
    lab_hours: float = 12.0
    slots: int = 48


def quantities_of(magnetometer: Magnetometer) -> tuple[str, ...]:
    """What `magnetometer` can measure."""
    return MEASURED_BY[SIGNAL[magnetometer]]


def campaign_text(answers: Answers, file: str, lab_file: str) -> str:
    """The campaign file `file`, whose lab file beside it is `lab_file`."""
    values: dict[str, Any] = {
        "name": answers.name,
        "seed": 1,
        "lab": lab_file,
        "elements": {element: {"min": 0, "max": 100, "step": answers.step} for element in answers.elements},
        "film": {"argon_pressure_pa": 0.5, "power_w": 100.0, "thickness_nm": 80.0, "presputter_s": 420.0},
        "objectives": [
            {
                "quantity": answers.quantity,
                "direction": answers.direction,
                "unit": canonical_unit(answers.quantity),
            }
        ],
        "budget": {"samples": answers.samples, "lab_hours": answers.lab_hours},
        "stopping": {},
        "optimizer": {"method": "gp", "initial_samples": 6},
        "measurement": {"max_field_mt": 300.0, "dwell_s": 6.0, "coarse_step_mt": 20.0, "fine_step_mt": 1.0},
    }
    return (
        CAMPAIGN_HEAD.format(file=file)
        + "\n"
        + commented(Campaign, values, leave_out=frozenset({"recovery", "growing", "virtual"}))
    )


def lab_text(answers: Answers, file: str) -> str:
    """The lab file `file`: a gun for each element, a robot, and the magnetometer."""
    values: dict[str, Any] = {
        "name": f"{answers.name[:57]}-lab",
        "cassette": {
            "slots": answers.slots,
            "columns": min(8, answers.slots),
            "substrate": SUBSTRATE,
            "pose": [120.0, -42.0, 40.0, 180.0, 0.0, 0.0],
            "pitch_mm": 12.0,
        },
        "alerts": {"channels": []},
        "stations": {
            "deposition": _deposition(answers),
            "magnetometry": _magnetometry(answers.magnetometer),
            "robot": {
                "kind": "transfer",
                "devices": {
                    "arm": {
                        "role": "mover",
                        "driver": "mecademic-meca500",
                        "address": "tcp://192.168.0.100:10000",
                        "timeout_s": 5.0,
                    }
                },
            },
        },
        "targets": {element: {"thickness_mm": 2.0, "life_kwh": 50.0, "used_kwh": 0.0} for element in answers.elements},
    }
    return LAB_HEAD.format(file=file) + "\n" + commented(LabSpec, values)


def _deposition(answers: Answers) -> dict[str, Any]:
    guns = {
        f"gun{number}": {
            "role": "gun",
            "driver": "aja-dcxs",
            "address": f"{PLACE}gun{number}",
            "settings": {"target": element},
            "limits": {"power": [0.0, 200.0]},
        }
        for number, element in enumerate(answers.elements, 1)
    }
    return {
        "kind": "deposition",
        "pose": [60.0, 210.0, 120.0, 180.0, 0.0, 90.0],
        "base_pressure_pa": 1e-3,
        "pumping_speed_l_s": 80.0,
        "tooling": dict.fromkeys(answers.elements, 1.0),
        "tooling_sigma": 0.01,
        "devices": {
            **guns,
            "argon": {
                "role": "gas",
                "driver": "alicat",
                "address": f"{PLACE}argon",
                "settings": {"gas": "Ar", "unit": "A"},
                "limits": {"flow": [0.0, 50.0]},
            },
            "gauge": {"role": "gauge", "driver": "pfeiffer-tpg36x", "address": f"{PLACE}gauge"},
            "monitor": {
                "role": "monitor",
                "driver": "inficon-sqm160",
                "address": f"{PLACE}monitor",
                "poll_s": 0.5,
            },
        },
    }


def _magnetometry(magnetometer: Magnetometer) -> dict[str, Any]:
    scale, sigma = (1e-3, 0.01) if magnetometer == "vsm" else (100.0, 0.005)
    return {
        "kind": "magnetometry",
        "pose": [60.0, -210.0, 90.0, 180.0, 0.0, -90.0],
        "quantity": SIGNAL[magnetometer],
        "scale": scale,
        "scale_sigma": sigma,
        "field_per_ampere_mt": 40.0,
        "devices": {
            "magnet": {
                "role": "magnet",
                "driver": "kepco-bop",
                "address": "TCPIP0::192.168.0.21::5025::SOCKET",
                "settings": {"max_slew_a_s": 2.0},
                "limits": {"current": [-10.0, 10.0]},
            },
            "hall": {"role": "field_meter", "driver": "lakeshore-475", "address": f"{PLACE}hall"},
            "lockin": {"role": "signal", "driver": "srs-sr830", "address": "TCPIP0::192.168.0.22::1234::SOCKET"},
        },
    }
