# ruff: noqa: E501 - messages stand here as they are printed
"""Broken campaign and lab files, each with the message it gets.

`docs/reference/bad-input.md` is generated from the same table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.campaign.labchecks import DRIVERS
from orchestrator.campaign.labspec import check_fit, parse_lab
from orchestrator.campaign.spec import parse_campaign


def drivers_of(role: str) -> str:
    """The drivers of `role`, as a message lists them."""
    return " or ".join(driver for driver, has in DRIVERS.items() if has == role)


CAMPAIGN = """\
name = "fe-co-ni"
seed = 1
at_most = 3

[elements]
Fe = { min = 0, max = 100, step = 2 }
Co = { min = 0, max = 100, step = 2 }
Ni = { min = 0, max = 100, step = 2 }

[[constraints]]
coefficients = { Ni = 1, Co = -1 }
max = 50

[film]
argon_pressure_pa = 0.5
power_w = 100
thickness_nm = 50

[[objectives]]
quantity = "saturation_magnetisation"
direction = "max"
unit = "kA/m"

[budget]
samples = 24
lab_hours = 12

[stopping]
no_improvement_samples = 12

[optimizer]
method = "gp"

[measurement]
max_field_mt = 300
coarse_step_mt = 20
fine_step_mt = 2

[recovery.faults]
robot = { actions = ["retry", "skip"], wait_s = 60 }
"""

LAB = """\
name = "bench-1"

[cassette]
slots = 30
pitch_mm = 12
pose = [120, -42, 40, 180, 0, 0]
substrate = { material = "SiO2/Si", width_mm = 5, height_mm = 5 }

[alerts]
channels = ["mailto://lab:secret@example.org"]

[stations.deposition]
kind = "deposition"
pose = [60, 210, 120, 180, 0, 90]
base_pressure_pa = 1e-3
pumping_speed_l_s = 80
tooling = { Fe = 1.0 }

[stations.deposition.devices]
gun1 = { role = "gun", driver = "aja-dcxs", address = "/dev/ttyUSB0", settings = { target = "Fe" }, limits = { power = [0, 200] } }
gun2 = { role = "gun", driver = "aja-dcxs", address = "/dev/ttyUSB1", settings = { target = "Co" }, limits = { power = [0, 200] } }
gun3 = { role = "gun", driver = "aja-dcxs", address = "/dev/ttyUSB2", settings = { target = "Ni" }, limits = { power = [0, 200] } }
argon = { role = "gas", driver = "alicat", address = "/dev/ttyUSB3", limits = { flow = [0, 50] } }
gauge = { role = "gauge", driver = "pfeiffer-tpg36x", address = "/dev/ttyUSB4" }
monitor = { role = "monitor", driver = "inficon-sqm160", address = "/dev/ttyUSB5" }

[targets]
Fe = { thickness_mm = 1, life_kwh = 40, used_kwh = 6.5 }
Co = { thickness_mm = 1, life_kwh = 40 }
Ni = { thickness_mm = 3, life_kwh = 90 }

[stations.magnetometry]
kind = "magnetometry"
pose = [60, -210, 90, 180, 0, -90]
quantity = "moment"
scale = 1e-3
field_per_ampere_mt = 40

[stations.magnetometry.devices.magnet]
role = "magnet"
driver = "kepco-bop"
address = "TCPIP0::192.168.0.21::5025::SOCKET"
settings = { max_slew_a_s = 5 }
limits = { current = [-10, 10] }

[stations.magnetometry.devices.hall]
role = "field_meter"
driver = "lakeshore-475"
address = "/dev/ttyUSB6"

[stations.magnetometry.devices.lockin]
role = "signal"
driver = "srs-sr830"
address = "TCPIP0::192.168.0.22::1234::SOCKET"

[stations.robot]
kind = "transfer"

[stations.robot.devices.arm]
role = "mover"
driver = "mecademic-meca500"
address = "tcp://192.168.0.100:10000"
"""


@dataclass(frozen=True)
class Case:
    """`old` replaced by `new` in the good campaign or lab file, and the lines of the message it gets."""

    file: str  # "campaign" or "lab": which file is broken; "fit": the campaign, for the good lab
    old: str
    new: str
    message: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.file}: {' / '.join(self.new.split(chr(10))).strip()[:60] or 'without ' + self.old[:40].strip()}"

    def read(self) -> None:
        """Read the broken file; raises `SpecError` if that is as it should be."""
        good = LAB if self.file == "lab" else CAMPAIGN
        assert good.count(self.old) == 1, f"{self.old!r} occurs {good.count(self.old)} times"
        text = good.replace(self.old, self.new)
        readers: dict[str, Callable[[], object]] = {
            "campaign": lambda: parse_campaign(text),
            "lab": lambda: parse_lab(text),
            "fit": lambda: check_fit(parse_campaign(text), parse_lab(LAB)),
        }
        readers[self.file]()


CASES: tuple[Case, ...] = (
    Case(
        "campaign",
        "seed = 1",
        "seed = ",
        (
            'campaign.toml:2: is not TOML here: Invalid value; give a number, "text", true, false, [a list] or { a = table }',
        ),
    ),
    Case(
        "campaign",
        "seed = 1",
        "seed = 1\nseed = 2",
        ("campaign.toml:3: is not TOML here: Cannot overwrite a value; give each key and each table once",),
    ),
    Case(
        "campaign",
        "[film]",
        "[film",
        ("campaign.toml:14: is not TOML here: Expected ']' at the end of a table declaration; close the brackets",),
    ),
    Case(
        "lab",
        '"SiO2/Si"',
        '"SiO2/Si',
        (
            "lab.toml:7: is not TOML here: Illegal character '\\n'; close the quotation marks before the end of the line",
        ),
    ),
    Case(
        "campaign",
        'name = "fe-co-ni"\n',
        "",
        ("campaign.toml:1: name: is missing; give at most 64 small letters, digits and hyphens",),
    ),
    Case(
        "campaign",
        'name = "fe-co-ni"',
        'name = "Fe Co Ni!"',
        (
            'campaign.toml:1: name = "Fe Co Ni!": is not allowed here; give at most 64 small letters, digits and hyphens',
        ),
    ),
    Case(
        "campaign",
        "seed = 1",
        'seed = "1"',
        ('campaign.toml:2: seed = "1": has the wrong type; give a whole number from 0 to 4294967295',),
    ),
    Case(
        "campaign",
        "seed = 1",
        "seed = -1",
        ("campaign.toml:2: seed = -1: is less than 0; give a whole number from 0 to 4294967295",),
    ),
    Case(
        "campaign",
        "seed = 1",
        "seed = true",
        ("campaign.toml:2: seed = true: has the wrong type; give a whole number from 0 to 4294967295",),
    ),
    Case(
        "campaign",
        "power_w = 100",
        "power_w = nan",
        ("campaign.toml:16: film.power_w = nan: is not a finite number; give a number from 3 to 1500 W",),
    ),
    Case(
        "campaign",
        "lab_hours = 12",
        "lab_hours = inf",
        (
            "campaign.toml:26: budget.lab_hours = inf: is not a finite number; give a number above 0 and at most 10000 h",
        ),
    ),
    Case(
        "campaign",
        "samples = 24",
        "samples = 24.5",
        ("campaign.toml:25: budget.samples = 24.5: has the wrong type; give a whole number from 1 to 100000",),
    ),
    Case(
        "campaign",
        "samples = 24",
        "samples = 0",
        ("campaign.toml:25: budget.samples = 0: is less than 1; give a whole number from 1 to 100000",),
    ),
    Case(
        "campaign",
        "samples = 24",
        "sample = 24",
        (
            "campaign.toml:24: budget.samples: is missing; give a whole number from 1 to 100000",
            'campaign.toml:25: budget.sample = 24: is not a known key; did you mean "samples"? known here: samples, lab_hours, substrates',
        ),
    ),
    Case(
        "campaign",
        "[stopping]",
        "[stoping]",
        (
            'campaign.toml:28: stoping = { no_improvement_samples = 12 }: is not a known key; did you mean "stopping"? known here: name, seed, lab, at_most, elements, constraints, pool, descriptors, prior_data, film, objectives, limits, budget, cost, stopping, optimizer, measurement, recovery, virtual',
        ),
    ),
    Case(
        "campaign",
        "[film]",
        "[film]\ntemperature_k = 300",
        (
            'campaign.toml:15: film.temperature_k = 300: is not a known key; did you mean "temperature_c"? known here: argon_pressure_pa, power_w, thickness_nm, presputter_s, temperature_c',
        ),
    ),
    Case(
        "campaign",
        "[elements]",
        "[[elements]]",
        (
            "campaign.toml:5: elements = [{ Fe = { min = 0, max = 100, step = 2 }, Co = { min = 0,...: has the wrong type; give a table",
        ),
    ),
    Case(
        "campaign",
        "Fe = { min = 0, max = 100, step = 2 }",
        "Fe = 50",
        ("campaign.toml:6: elements.Fe = 50: has the wrong type; give a table",),
    ),
    Case(
        "campaign",
        "Fe = { min = 0, max = 100, step = 2 }",
        "fe = { min = 0, max = 100, step = 2 }",
        ('campaign.toml:6: elements.fe: is not the symbol of an element; did you mean "Fe"?',),
    ),
    Case(
        "campaign",
        "Fe = { min = 0, max = 100, step = 2 }",
        "Fx = { min = 0, max = 100, step = 2 }",
        ("campaign.toml:6: elements.Fx: is not the symbol of an element; give a symbol such as Fe",),
    ),
    Case(
        "campaign",
        "Fe = { min = 0, max = 100, step = 2 }",
        "Fe = { min = 60, max = 40, step = 2 }",
        ("campaign.toml:6: elements.Fe.min = 60: is more than max = 40; give at most 40 at.%",),
    ),
    Case(
        "campaign",
        "Fe = { min = 0, max = 100, step = 2 }",
        "Fe = { min = 0, max = 100, step = 0 }",
        ("campaign.toml:6: elements.Fe.step = 0: is less than 0.1; give a number from 0.1 to 50 at.%",),
    ),
    Case(
        "campaign",
        "Fe = { min = 0, max = 100, step = 2 }",
        "Fe = { min = 0, max = 101, step = 2 }",
        ("campaign.toml:6: elements.Fe.max = 101: is more than 100; give a number from 0 to 100 at.%",),
    ),
    Case(
        "campaign",
        "Fe = { min = 0, max = 100, step = 2 }",
        "Fe = { min = 3, max = 100, step = 2 }",
        ("campaign.toml:6: elements.Fe.min = 3: is not a multiple of the step 2; give 2 or 4 at.%",),
    ),
    Case(
        "campaign",
        "Fe = { min = 0, max = 100, step = 2 }",
        "Fe = { min = 0, max = 100, step = 0.125 }",
        ("campaign.toml:6: elements.Fe.step = 0.125: has more than two decimals; give a multiple of 0.01 at.%",),
    ),
    Case(
        "campaign",
        "Fe = { min = 0, max = 100, step = 2 }",
        "Fe = { min = 0, max = 100, step = 2 }\nFe.step = 1",
        (
            "campaign.toml:7: is not TOML here: Cannot mutate immutable namespace ('elements', 'Fe'); give each key and each table once",
        ),
    ),
    Case(
        "campaign",
        "Fe = { min = 0, max = 100, step = 2 }\nCo = { min = 0, max = 100, step = 2 }",
        "Fe = { min = 60, max = 100, step = 2 }\nCo = { min = 50, max = 100, step = 2 }",
        ("campaign.toml:5: elements: the least amounts sum to 110 at.%; lower them to at most 100 at.%",),
    ),
    Case(
        "campaign",
        "Fe = { min = 0, max = 100, step = 2 }\nCo = { min = 0, max = 100, step = 2 }\nNi = { min = 0, max = 100, step = 2 }",
        "Fe = { max = 30, step = 2 }\nCo = { max = 30, step = 2 }\nNi = { max = 30, step = 2 }",
        ("campaign.toml:5: elements: the greatest amounts sum to 90 at.%; raise them to at least 100 at.%",),
    ),
    Case(
        "campaign",
        "at_most = 3",
        "at_most = 0",
        ("campaign.toml:3: at_most = 0: is less than 1; give a whole number of at least 1",),
    ),
    Case(
        "campaign",
        "at_most = 3",
        "at_most = 4",
        ("campaign.toml:3: at_most = 4: is more than the 3 elements of the campaign; give at most 3, or leave it out",),
    ),
    Case(
        "campaign",
        "at_most = 3\n\n[elements]\nFe = { min = 0, max = 100, step = 2 }\nCo = { min = 0",
        "at_most = 1\n\n[elements]\nFe = { min = 2, max = 100, step = 2 }\nCo = { min = 2",
        (
            "campaign.toml:3: at_most = 1: is less than the 2 elements whose min is above 0 (Fe, Co); give at least 2, or mins of 0",
        ),
    ),
    Case(
        "campaign",
        "Ni = 1, Co = -1",
        "Ni = 1, Cu = -1",
        (
            "campaign.toml:11: constraints[1].coefficients.Cu = -1: is not an element of the campaign; known here: Fe, Co, Ni",
        ),
    ),
    Case(
        "campaign",
        "Ni = 1, Co = -1",
        "Ni = 0, Co = 0",
        (
            "campaign.toml:11: constraints[1].coefficients = { Ni = 0, Co = 0 }: are all 0; give at least one other than 0",
        ),
    ),
    Case(
        "campaign",
        "max = 50\n",
        "",
        ("campaign.toml:10: constraints[1]: limits nothing; give min, max or both, in at.%",),
    ),
    Case(
        "campaign",
        "max = 50\n",
        "max = 50\nmin = 60\n",
        ("campaign.toml:13: constraints[1].min = 60: is more than max = 50; give at most 50 at.%",),
    ),
    Case(
        "campaign",
        "coefficients = { Ni = 1, Co = -1 }\nmax = 50",
        "coefficients = { Ni = 1, Co = 1, Fe = 1 }\nmax = 50",
        (
            "campaign.toml:5: elements: no composition was found that sums to 100 at.% within bounds and steps, at_most, constraints; give wider bounds, equal steps that divide 100, or looser constraints",
        ),
    ),
    Case(
        "campaign",
        "coefficients = { Ni = 1, Co = -1 }\nmax = 50",
        "coefficients = { Ni = 1 }\nmin = 50\n[[constraints]]\ncoefficients = { Co = 1 }\nmin = 52",
        (
            "campaign.toml:5: elements: no composition was found that sums to 100 at.% within bounds and steps, at_most, constraints; give wider bounds, equal steps that divide 100, or looser constraints",
        ),
    ),
    Case(
        "campaign",
        '"saturation_magnetisation"',
        '"saturation_magnetization"',
        (
            'campaign.toml:20: objectives[1].quantity = "saturation_magnetization": is not known; did you mean "saturation_magnetisation"? known here: saturation_magnetisation, coercivity, remanence, squareness, kerr_rotation, anomalous_hall_resistivity, anomalous_hall_resistance',
        ),
    ),
    Case(
        "campaign",
        'direction = "max"',
        'direction = "maximum"',
        (
            'campaign.toml:21: objectives[1].direction = "maximum": is not known; did you mean "max"? known here: max, min',
        ),
    ),
    Case(
        "campaign",
        'unit = "kA/m"',
        'unit = "mT"',
        (
            'campaign.toml:22: objectives[1].unit = "mT": is no unit of saturation_magnetisation; give one of "kA/m", "A/m", "MA/m", "emu/cm3", "T"',
        ),
    ),
    Case(
        "campaign",
        '[[objectives]]\nquantity = "saturation_magnetisation"\ndirection = "max"\nunit = "kA/m"\n',
        "",
        ("campaign.toml:1: objectives: is missing; give a list [...]",),
    ),
    Case(
        "campaign",
        "[budget]",
        '[[objectives]]\nunit = "T"\nquantity = "saturation_magnetisation"\ndirection = "min"\n\n[budget]',
        (
            'campaign.toml:26: objectives[2].quantity = "saturation_magnetisation": is an objective already; give each quantity once, or a limit of it',
        ),
    ),
    Case(
        "campaign",
        'direction = "max"',
        'weight = 0\ndirection = "max"',
        ("campaign.toml:21: objectives[1].weight = 0: is not more than 0; give a number above 0 and at most 1000000",),
    ),
    Case(
        "campaign",
        'direction = "max"',
        'reference = 400\ndirection = "max"',
        (
            "campaign.toml:21: objectives[1].reference = 400: is for several objectives, and there is one; leave it out, or give it as a limit of the quantity",
        ),
    ),
    Case(
        "campaign",
        "[budget]",
        '[[limits]]\nquantity = "coercivity"\nunit = "mT"\n\n[budget]',
        ("campaign.toml:24: limits[1]: limits nothing; give min, max or both, in mT",),
    ),
    Case(
        "campaign",
        "[budget]",
        '[[limits]]\nunit = "kA"\nquantity = "coercivity"\nmax = 2\n\n[budget]',
        (
            'campaign.toml:25: limits[1].unit = "kA": is no unit of coercivity; give one of "mT", "T", "Oe", "kA/m", "A/m"',
        ),
    ),
    Case(
        "campaign",
        "[budget]",
        '[[limits]]\nmin = 3\nmax = 2\nquantity = "coercivity"\nunit = "mT"\n\n[budget]',
        ("campaign.toml:25: limits[1].min = 3: is more than max = 2; give at most 2 mT",),
    ),
    Case(
        "campaign",
        "[budget]",
        '[[limits]]\nmax = 2\nunit = "mT"\nquantity = "coercivity"\n\n[[limits]]\nquantity = "coercivity"\nunit = "Oe"\nmin = 30\n\n[budget]',
        (
            'campaign.toml:27: limits[1].quantity = "coercivity": leaves nothing beside the other limit of this quantity; give limits that leave a range',
        ),
    ),
    Case(
        "fit",
        "[budget]",
        '[[limits]]\nmin = 1\nunit = "mrad"\nquantity = "kerr_rotation"\n\n[budget]',
        (
            'campaign.toml:27: limits[1].quantity = "kerr_rotation": the magnetometer of lab bench-1 measures moment, which does not give it; take one of saturation_magnetisation, coercivity, remanence, squareness',
        ),
    ),
    Case(
        "campaign",
        'method = "gp"',
        'method = "gp"\nacquisition = "scalarised"',
        (
            'campaign.toml:33: optimizer.acquisition = "scalarised": trades objectives against each other, and there is one; give log_ei, or a second [[objectives]]',
        ),
    ),
    Case(
        "campaign",
        'method = "gp"',
        'method = "gp"\ntrade_off = "random"',
        (
            'campaign.toml:33: optimizer.trade_off = "random": is for acquisition = "scalarised", and it is "log_ei"; leave it out, or choose scalarised',
        ),
    ),
    Case(
        "campaign",
        "lab_hours = 12",
        "lab_hours = 12\nsubstrates = 20",
        ("campaign.toml:27: budget.substrates = 20: is less than samples = 24; give at least 24, one for each film",),
    ),
    Case(
        "campaign",
        "argon_pressure_pa = 0.5",
        "argon_pressure_pa = 0.05",
        ("campaign.toml:15: film.argon_pressure_pa = 0.05: is less than 0.15; give a number from 0.15 to 5 Pa",),
    ),
    Case(
        "campaign",
        'method = "gp"',
        'method = "GP"',
        (
            'campaign.toml:32: optimizer.method = "GP": is not known; did you mean "gp"? known here: gp, growing, random',
        ),
    ),
    Case(
        "campaign",
        'method = "gp"',
        'acquisition = "ei"',
        (
            'campaign.toml:32: optimizer.acquisition = "ei": is not known; known here: log_ei, log_nei, pi, ucb, thompson, knowledge_gradient, scalarised',
        ),
    ),
    Case(
        "campaign",
        'method = "gp"',
        'exploration = "srinivas"\nexploration_weight = 3',
        (
            'campaign.toml:32: optimizer.exploration = "srinivas": is for acquisition = "ucb", and it is "log_ei"; leave it out, or choose ucb',
            'campaign.toml:33: optimizer.exploration_weight = 3: is for acquisition = "ucb", and it is "log_ei"; leave it out, or choose ucb',
        ),
    ),
    Case(
        "campaign",
        'method = "gp"',
        'feasibility = true\nreplicate = "never"\nattempts = 0',
        (
            'campaign.toml:32: optimizer.feasibility = true: has the wrong type; give one of "off", "learned"',
            'campaign.toml:33: optimizer.replicate = "never": is not known; known here: when_exhausted, by_value',
            "campaign.toml:34: optimizer.attempts = 0: is less than 1; give a whole number from 1 to 100",
        ),
    ),
    Case(
        "campaign",
        "[stopping]",
        "[cost]\nelements = { Ir = 20, Co = -1 }\n\n[stopping]",
        ("campaign.toml:29: cost.elements.Co = -1: is less than 0; give a number of at least 0",),
    ),
    Case(
        "campaign",
        "[stopping]",
        "[cost]\nelements = { Ir = 20 }\nsettings = { power_w = 0.1 }\n\n[stopping]",
        (
            "campaign.toml:29: cost.elements.Ir = 20: is not an element of the campaign; known here: Fe, Co, Ni",
            "campaign.toml:30: cost.settings.power_w = 0.1: is not a setting that is searched; leave it out: it is the same for all",
        ),
    ),
    Case(
        "campaign",
        "[stopping]",
        "[cost]\nfilm = 0\n\n[stopping]",
        ("campaign.toml:29: cost.film = 0: is not more than 0; give a number above 0",),
    ),
    Case(
        "campaign",
        "[stopping]",
        "[cost]\nfilm = 2\n\n[stopping]",
        ("campaign.toml:28: cost: makes no film dearer than another; give elements, settings or a budget",),
    ),
    Case(
        "campaign",
        "[stopping]",
        "[cost]\nfilm = 2\nbudget = 1\n\n[stopping]",
        ("campaign.toml:30: cost.budget = 1: is less than film = 2, what the first film costs; give at least 2",),
    ),
    Case(
        "campaign",
        "fine_step_mt = 2",
        "fine_step_mt = 50",
        ("campaign.toml:37: measurement.fine_step_mt = 50: is more than coarse_step_mt = 20; give at most 20 mT",),
    ),
    Case(
        "campaign",
        "coarse_step_mt = 20",
        "coarse_step_mt = 400",
        (
            "campaign.toml:36: measurement.coarse_step_mt = 400: is more than max_field_mt = 300; give at most 300 mT; about a twentieth of it is usual",
        ),
    ),
    Case(
        "campaign",
        'actions = ["retry", "skip"]',
        "actions = []",
        (
            "campaign.toml:40: recovery.faults.robot.actions = []: has 0 entries; give a list of 1 to 11 actions, the last of them skip, hold or wake",
        ),
    ),
    Case(
        "campaign",
        'actions = ["retry", "skip"]',
        'actions = ["retry", "again", "skip"]',
        (
            'campaign.toml:40: recovery.faults.robot.actions[2] = "again": is not known; known here: retry, reconnect, recalibrate, remeasure, skip, hold, wake',
        ),
    ),
    Case(
        "campaign",
        'actions = ["retry", "skip"]',
        'actions = ["skip", "retry"]',
        (
            'campaign.toml:40: recovery.faults.robot.actions[1] = "skip": ends the attempts, and is not the last; put it last',
            'campaign.toml:40: recovery.faults.robot.actions[2] = "retry": is a further attempt, and after it nothing is said; end the list with one of skip, hold, wake',
        ),
    ),
    Case(
        "campaign",
        'actions = ["retry", "skip"]',
        'actions = ["recalibrate", "skip"]',
        (
            'campaign.toml:40: recovery.faults.robot.actions[1] = "recalibrate": is nothing to do about a fault of class robot; give one of retry, skip, hold, wake',
        ),
    ),
    Case(
        "campaign",
        'actions = ["retry", "skip"]',
        'actions = "skip"',
        (
            'campaign.toml:40: recovery.faults.robot.actions = "skip": has the wrong type; give a list of 1 to 11 actions, the last of them skip, hold or wake',
        ),
    ),
    Case(
        "campaign",
        "wait_s = 60",
        "wait_s = 60, longest_wait_s = 30, budget = 0",
        ("campaign.toml:40: recovery.faults.robot.budget = 0: is less than 1; give a whole number from 1 to 1000000",),
    ),
    Case(
        "campaign",
        "wait_s = 60",
        "wait_s = -1, patience_s = 5",
        (
            "campaign.toml:40: recovery.faults.robot.wait_s = -1: is less than 0; give a number from 0 to 86400 s",
            "campaign.toml:40: recovery.faults.robot.patience_s = 5: is not a known key; known here: actions, wait_s, longest_wait_s, budget",
        ),
    ),
    Case(
        "campaign",
        "wait_s = 60",
        "wait_s = 4000",
        (
            "campaign.toml:40: recovery.faults.robot.longest_wait_s = 1800: is less than wait_s = 4000; give at least 4000 s",
        ),
    ),
    Case(
        "campaign",
        "robot = {",
        "robots = {",
        (
            'campaign.toml:40: recovery.faults.robots = { actions = ["retry", "skip"], wait_s = 60 }: is not a known key; did you mean "robot"? known here: communication, timeout, instrument, interlock, vacuum, calibration, limit, measurement, robot, storage, protocol, death',
        ),
    ),
    Case(
        "campaign",
        "[recovery.faults]\n",
        '[recovery]\nbreaker = "stop"\ninterlock_wait_s = 7200\n\n[recovery.faults]\n',
        (
            'campaign.toml:40: recovery.breaker = "stop": is not known; known here: hold, wake',
            "campaign.toml:41: recovery.interlock_wait_s = 7200: is more than 3600; give a number from 0 to 3600 s",
        ),
    ),
    Case(
        "campaign",
        "[recovery.faults]\n",
        '[recovery]\ntransfer = { retries = 1, then = "hold" }\n\n[recovery.faults]\n',
        (
            'campaign.toml:40: recovery.transfer = { retries = 1, then = "hold" }: is not a known key; known here: faults, breaker, failures_in_a_row, interlock_wait_s, hold_plasma, hold_limit_s, interrupted_film, unattended, interruptions',
        ),
    ),
    Case(
        "lab",
        "slots = 30",
        "slots = 30\nfilled = [1, 2, 31, 2]",
        (
            "lab.toml:5: cassette.filled[3] = 31: is not a slot of the cassette; give a whole number from 1 to 30",
            "lab.toml:5: cassette.filled[4] = 2: is listed twice; list each slot once",
        ),
    ),
    Case(
        "lab",
        "slots = 30",
        "slots = 30\ncolumns = 40",
        ("lab.toml:5: cassette.columns = 40: is more than slots = 30; give at most 30",),
    ),
    Case(
        "lab",
        "pose = [120, -42, 40, 180, 0, 0]",
        "pose = [120, -42, 40]",
        (
            "lab.toml:6: cassette.pose = [120, -42, 40]: has 3 entries; give six numbers [x, y, z, alpha, beta, gamma] in mm and degrees",
        ),
    ),
    Case(
        "lab",
        "mailto://lab:secret@example.org",
        "secret@example.org",
        (
            'lab.toml:10: alerts.channels[1] = ***: is not allowed here; give a URL such as "mailto://user:password@example.org"',
        ),
    ),
    Case(
        "lab",
        'kind = "transfer"\n',
        "",
        (
            'lab.toml:56: stations.robot.kind: is missing; give one of "deposition", "magnetometry", "transfer", "virtual"',
        ),
    ),
    Case(
        "lab",
        'kind = "transfer"',
        'kind = "robot"',
        (
            'lab.toml:57: stations.robot.kind = "robot": is no kind of station; give one of "deposition", "magnetometry", "transfer", "virtual"',
        ),
    ),
    Case(
        "lab",
        "pumping_speed_l_s = 80",
        "pumping_speed = 80",
        (
            "lab.toml:12: stations.deposition.pumping_speed_l_s: is missing; give a number above 0 and at most 10000 l/s",
            'lab.toml:16: stations.deposition.pumping_speed = 80: is not a known key; did you mean "pumping_speed_l_s"? known here: kind, pose, base_pressure_pa, pumping_speed_l_s, argon_left_l, tooling, tooling_sigma, devices',
        ),
    ),
    Case(
        "lab",
        "tooling = { Fe = 1.0 }",
        "tooling = { Fe = 0, Xx = 1 }",
        (
            "lab.toml:17: stations.deposition.tooling.Fe = 0: is no tooling factor; give a number above 0, usually from 0.5 to 2",
            "lab.toml:17: stations.deposition.tooling.Xx = 1: is not the symbol of an element; give a symbol such as Fe",
        ),
    ),
    Case(
        "lab",
        '"/dev/ttyUSB1"',
        '"/dev/ttyUSB0"',
        (
            'lab.toml:21: stations.deposition.devices.gun2.address = "/dev/ttyUSB0": is the address of gun1 too; buses are not supported yet; give an address of its own',
        ),
    ),
    Case(
        "lab",
        'target = "Co"',
        'target = "Fe"',
        (
            'lab.toml:21: stations.deposition.devices.gun2.settings.target = "Fe": is on gun1 too; give each gun a target of its own',
        ),
    ),
    Case(
        "lab",
        'target = "Co"',
        'target = "Cu"',
        (
            'lab.toml:21: stations.deposition.devices.gun2.settings.target = "Cu": has no [targets.Cu]; add it, with thickness_mm, life_kwh and used_kwh',
        ),
    ),
    Case(
        "lab",
        'settings = { target = "Co" }, ',
        "",
        (
            'lab.toml:21: stations.deposition.devices.gun2.settings.target: is missing; give the element of the target mounted on it, such as "Fe"',
        ),
    ),
    Case(
        "lab",
        'settings = { target = "Co" }, limits = { power = [0, 200] }',
        'settings = { target = "Co" }, limits = { power = [200, 0] }',
        (
            "lab.toml:21: stations.deposition.devices.gun2.limits.power = [200, 0]: has its lowest above its highest value; give [0, 200]",
        ),
    ),
    Case(
        "lab",
        'settings = { target = "Co" }, limits = { power = [0, 200] }',
        'settings = { target = "Co" }',
        (
            "lab.toml:21: stations.deposition.devices.gun2.limits.power: is missing; give the [lowest, highest] power in W that the target bears, such as [0, 200]",
        ),
    ),
    Case(
        "lab",
        'settings = { target = "Co" }, limits = { power = [0, 200] }',
        'settings = { target = "Co" }, limits = { power = 200 }',
        (
            "lab.toml:21: stations.deposition.devices.gun2.limits.power = 200: has the wrong type; give a list [lowest, highest]",
        ),
    ),
    Case(
        "lab",
        '"pfeiffer-tpg36x"',
        '"pfeiffer-tpg366"',
        (
            'lab.toml:24: stations.deposition.devices.gauge.driver = "pfeiffer-tpg366": is no known driver; did you mean "pfeiffer-tpg36x"? known here: '
            + ", ".join(DRIVERS),
        ),
    ),
    Case(
        "lab",
        '"pfeiffer-tpg36x"',
        '"kepco-bop"',
        (
            'lab.toml:24: stations.deposition.devices.gauge.driver = "kepco-bop": drives a magnet, but the role here is gauge; give driver '
            + f"{drivers_of('gauge')}, or role magnet",
        ),
    ),
    Case(
        "lab",
        'gauge = { role = "gauge", driver = "pfeiffer-tpg36x", address = "/dev/ttyUSB4" }\n',
        "",
        (
            "lab.toml:19: stations.deposition.devices: has no device of role gauge; add one, with driver "
            + drivers_of("gauge"),
        ),
    ),
    Case(
        "lab",
        'argon = { role = "gas"',
        'argon = { role = "gass"',
        (
            'lab.toml:23: stations.deposition.devices.argon.role = "gass": is not known; did you mean "gas"? known here: gun, gas, gauge, monitor, heater, relays, pump, magnet, field_meter, signal, hall_meter, mover',
        ),
    ),
    Case(
        "lab",
        "pumping_speed_l_s = 80",
        "pumping_speed_l_s = 80\nscale = 1",
        (
            "lab.toml:17: stations.deposition.scale = 1: is not a known key; it belongs to [stations.NAME]; known here: kind, pose, base_pressure_pa, pumping_speed_l_s, argon_left_l, tooling, tooling_sigma, devices",
        ),
    ),
    Case(
        "lab",
        'kind = "transfer"\n\n[stations.robot.devices.arm]',
        'kind = "transfer"\n\n[stations.robot.arm]',
        (
            "lab.toml:56: stations.robot.devices: is missing; give a table",
            'lab.toml:59: stations.robot.arm = { role = "mover", driver = "mecademic-meca500", address =...: is not a known key; known here: kind, devices',
        ),
    ),
    Case(
        "lab",
        '[stations.magnetometry.devices.hall]\nrole = "field_meter"',
        '[stations.magnetometry.devices.gauge]\nrole = "field_meter"',
        (
            "lab.toml:46: stations.magnetometry.devices.gauge: is the name of a device of station deposition too; give a name that no other device of the lab has",
        ),
    ),
    Case(
        "lab",
        "[stations.robot.devices.arm]",
        "[stations.robot.devices.Arm-1]",
        (
            "lab.toml:59: stations.robot.devices.Arm-1: is no name that can be used here; give at most 32 small letters, digits and underscores, a letter first",
        ),
    ),
    Case(
        "lab",
        "used_kwh = 6.5",
        "used_kwh = 65",
        (
            "lab.toml:28: targets.Fe.used_kwh = 65: is more than life_kwh = 40; give at most 40 kWh; 0 after a new target is mounted",
        ),
    ),
    Case(
        "lab",
        "limits = { current = [-10, 10] }\n",
        "",
        (
            "lab.toml:39: stations.magnetometry.devices.magnet.limits.current: is missing; give the [lowest, highest] current in A that the coils bear, such as [-10, 10]",
        ),
    ),
    Case(
        "lab",
        'address = "tcp://192.168.0.100:10000"',
        'address = ""\ntimeout_s = 0',
        (
            'lab.toml:62: stations.robot.devices.arm.address = "": is empty; give a port address',
            "lab.toml:63: stations.robot.devices.arm.timeout_s = 0: is not more than 0; give a number above 0 and at most 60 s",
        ),
    ),
    Case(
        "lab",
        '[stations.robot]\nkind = "transfer"\n',
        '[stations.robot]\nkind = "transfer"\n\n[stations.arm2]\nkind = "transfer"\ndevices = { arm2 = { role = "mover", driver = "mecademic-meca500", address = "tcp://192.168.0.101:10000" } }\n',
        (
            'lab.toml:60: stations.arm2.kind = "transfer": is a second station of this kind; several are not supported yet; keep one station of each kind',
        ),
    ),
    Case(
        "lab",
        "[alerts]",
        "[reference]\nslot = 7\nvalue = 2e-6\nsigma = 1e-7\n\n[alerts]",
        (
            "lab.toml:9: reference.tolerance = 0.03: is less than twice the relative uncertainty of value = 2e-06 +- 1e-07; give at least 0.1, or know the specimen better",
            "lab.toml:10: reference.slot = 7: holds a bare substrate, by cassette.filled (or without it); list the slots with bare substrates in cassette.filled, and leave this one out",
        ),
    ),
    Case(
        "lab",
        "[alerts]",
        "[reference]\nslot = 31\nvalue = 0\nsigma = 0\n\n[alerts]",
        (
            "lab.toml:10: reference.slot = 31: is not a slot of the cassette; give a whole number from 1 to 30",
            "lab.toml:11: reference.value = 0: tells no drift; give what the specimen is known to have",
        ),
    ),
    Case(
        "fit",
        "Fe = { min = 0, max = 100, step = 2 }",
        "Fe = { min = 0, max = 100, step = 2 }\nPt = { min = 0, max = 20, step = 2 }",
        (
            "campaign.toml:7: elements.Pt: no gun of lab bench-1 has a target of it; take one of Fe, Co, Ni, or mount the target",
        ),
    ),
    Case(
        "fit",
        "samples = 24",
        "samples = 31",
        (
            "campaign.toml:25: budget.samples = 31: the cassette of lab bench-1 holds 30 bare substrates; give at most 30, or fill the cassette",
        ),
    ),
    Case(
        "fit",
        "samples = 24",
        "samples = 24\nsubstrates = 40",
        (
            "campaign.toml:26: budget.substrates = 40: the cassette of lab bench-1 holds 30 bare substrates; give at most 30, or fill the cassette",
        ),
    ),
    Case(
        "fit",
        "thickness_nm = 50",
        "thickness_nm = 2000",
        (
            "campaign.toml:6: elements.Fe: its target has 33.5 kWh left, and 24 films need about 67 kWh; make fewer films, or mount a new target and set its used_kwh to 0 in the lab file",
            "campaign.toml:7: elements.Co: its target has 40 kWh left, and 24 films need about 67 kWh; make fewer films, or mount a new target and set its used_kwh to 0 in the lab file",
        ),
    ),
    Case(
        "fit",
        "power_w = 100",
        "power_w = 250",
        (
            "campaign.toml:16: film.power_w = 250: gun1 (Fe) is limited to 0 to 200 W; give 0 to 200 W",
            "campaign.toml:16: film.power_w = 250: gun2 (Co) is limited to 0 to 200 W; give 0 to 200 W",
            "campaign.toml:16: film.power_w = 250: gun3 (Ni) is limited to 0 to 200 W; give 0 to 200 W",
        ),
    ),
    Case(
        "fit",
        "thickness_nm = 50",
        "thickness_nm = 50\ntemperature_c = 300",
        ("campaign.toml:18: film.temperature_c = 300: lab bench-1 has no heater; leave it out",),
    ),
    Case(
        "fit",
        'quantity = "saturation_magnetisation"\ndirection = "max"\nunit = "kA/m"',
        'quantity = "kerr_rotation"\ndirection = "max"\nunit = "mrad"',
        (
            'campaign.toml:20: objectives[1].quantity = "kerr_rotation": the magnetometer of lab bench-1 measures moment, which does not give it; take one of saturation_magnetisation, coercivity, remanence, squareness',
        ),
    ),
    Case(
        "fit",
        "max_field_mt = 300",
        "max_field_mt = 500",
        (
            "campaign.toml:35: measurement.max_field_mt = 500: the magnet of lab bench-1 reaches 400 mT within its current limits; give at most 400 mT",
        ),
    ),
    Case(
        "campaign",
        "power_w = 100",
        "power_w = { min = 50 }",
        ("campaign.toml:16: film.power_w.max: is missing; give min and max, or choices = [...]",),
    ),
    Case(
        "campaign",
        "power_w = 100",
        "power_w = { min = 50, max = 150, step = 30 }",
        (
            "campaign.toml:16: film.power_w.max = 150: is no whole number of steps of 30 above min = 50; give 140 or 170",
        ),
    ),
    Case(
        "campaign",
        "power_w = 100",
        "power_w = { min = 150, max = 50 }",
        ("campaign.toml:16: film.power_w.min = 150: is not less than max = 50; give a range, or one number",),
    ),
    Case(
        "campaign",
        "power_w = 100",
        "power_w = { min = 1, max = 150 }",
        ("campaign.toml:16: film.power_w.min = 1: is less than 3; give 3 to 1500",),
    ),
    Case(
        "campaign",
        "power_w = 100",
        "power_w = { choices = [50, 5000] }",
        ("campaign.toml:16: film.power_w.choices[2] = 5000: is more than 1500; give 3 to 1500",),
    ),
    Case(
        "campaign",
        "power_w = 100",
        "power_w = { choices = [50, 100], step = 1 }",
        ("campaign.toml:16: film.power_w.step = 1: is given beside choices; leave out step, or the choices",),
    ),
    Case(
        "campaign",
        "power_w = 100",
        "power_w = { choices = [50] }",
        ("campaign.toml:16: film.power_w.choices = [50]: are not several values, each once; give two or more",),
    ),
    Case(
        "campaign",
        "power_w = 100",
        'power_w = { min = 50, max = 150, scale = "category" }',
        (
            'campaign.toml:16: film.power_w.scale = "category": is for choices; give "linear" or "log", or choices = [...]',
        ),
    ),
    Case(
        "campaign",
        "power_w = 100",
        'power_w = { min = 50, max = 150, scale = "logarithmic" }',
        ('campaign.toml:16: film.power_w.scale = "logarithmic": is not known; known here: linear, log, category',),
    ),
    Case(
        "campaign",
        "power_w = 100",
        "power_w = { min = 50, max = 150, stpe = 2 }",
        (
            'campaign.toml:16: film.power_w.stpe = 2: is not a known key; did you mean "step"? known here: min, max, step, choices, scale',
        ),
    ),
    Case(
        "campaign",
        "power_w = 100",
        "power_w = { min = 3, max = 1500, step = 0.1 }",
        ("campaign.toml:16: film.power_w.step = 0.1: makes more than 10001 values; give at least 0.1497",),
    ),
    Case(
        "campaign",
        "power_w = 100",
        'power_w = "pool"',
        (
            'campaign.toml:16: film.power_w = "pool": is to be in a pool, and there is none; give pool = FILE, or a number',
        ),
    ),
    Case(
        "campaign",
        "argon_pressure_pa = 0.5",
        'argon_pressure_pa = { choices = [0.3, 0.5, 1] }\npresputter_s = { min = 0, max = 100, scale = "log" }',
        ('campaign.toml:16: film.presputter_s.min = 0: has no logarithm; give more than 0, or scale = "linear"',),
    ),
    Case(
        "campaign",
        "coefficients = { Ni = 1, Co = -1 }",
        "coefficients = { Ni = 1, power_w = -1 }",
        (
            "campaign.toml:11: constraints[1].coefficients.power_w = -1: is not an element of the campaign; known here: Fe, Co, Ni",
        ),
    ),
    Case(
        "campaign",
        "coefficients = { Ni = 1, Co = -1 }\nmax = 50\n\n[film]\nargon_pressure_pa = 0.5",
        'coefficients = { Ni = 1, argon_pressure_pa = -1 }\nmax = 50\n\n[film]\nargon_pressure_pa = { min = 0.3, max = 0.9, scale = "log" }',
        (
            "campaign.toml:11: constraints[1].coefficients.argon_pressure_pa = -1: is a setting whose values are not at equal distances; give it a step, or leave it out here",
        ),
    ),
    Case(
        "campaign",
        "coefficients = { Ni = 1, Co = -1 }\nmax = 50",
        "coefficients = { Ni = 2, Co = 2, Fe = 2 }\nmin = 199\nmax = 199",
        (
            "campaign.toml:5: elements: no composition was found that sums to 100 at.% within bounds and steps, at_most, constraints; give wider bounds, equal steps that divide 100, or looser constraints",
        ),
    ),
    Case(
        "campaign",
        "at_most = 3",
        'at_most = 3\npool = "no-such-table.csv"',
        (
            'campaign.toml:4: pool = "no-such-table.csv": there is no such file; give its path from the folder of this file',
        ),
    ),
    Case(
        "campaign",
        "at_most = 3",
        "at_most = 3\npool = 7",
        ("campaign.toml:4: pool = 7: has the wrong type; give path of a CSV file",),
    ),
    Case(
        "campaign",
        "at_most = 3",
        'at_most = 3\ndescriptors = ["valence_electrons"]',
        (
            'campaign.toml:4: descriptors = ["valence_electrons"]: are columns of a pool, and there is none; leave them out',
        ),
    ),
    Case(
        "campaign",
        "at_most = 3",
        'at_most = 3\nprior_data = ["no-such-table.csv"]',
        (
            'campaign.toml:4: prior_data[1] = "no-such-table.csv": there is no such file; give its path from the folder of this file',
        ),
    ),
    Case(
        "campaign",
        "at_most = 3",
        'at_most = 3\nprior_data = "earlier.csv"',
        ('campaign.toml:4: prior_data = "earlier.csv": has the wrong type; give a list of paths of CSV files',),
    ),
    Case(
        "campaign",
        "[elements]\nFe = { min = 0, max = 100, step = 2 }\nCo = { min = 0, max = 100, step = 2 }\nNi = { min = 0, max = 100, step = 2 }\n\n[[constraints]]\ncoefficients = { Ni = 1, Co = -1 }\nmax = 50\n\n",
        "",
        ("campaign.toml:1: elements: is missing; give a table of the elements, or a pool",),
    ),
    Case(
        "fit",
        "power_w = 100",
        "power_w = { min = 50, max = 250 }",
        (
            "campaign.toml:16: film.power_w.max = 250: gun1 (Fe) is limited to 0 to 200 W; give 0 to 200 W",
            "campaign.toml:16: film.power_w.max = 250: gun2 (Co) is limited to 0 to 200 W; give 0 to 200 W",
            "campaign.toml:16: film.power_w.max = 250: gun3 (Ni) is limited to 0 to 200 W; give 0 to 200 W",
        ),
    ),
    Case(
        "fit",
        "argon_pressure_pa = 0.5",
        "argon_pressure_pa = { min = 0.3, max = 1.5 }",
        (
            "campaign.toml:15: film.argon_pressure_pa.max = 1.5: takes about 71.1 sccm at 80 l/s, and argon is limited to 50 sccm; give at most 1.05 Pa",
        ),
    ),
)
