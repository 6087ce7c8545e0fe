"""The texts that programs read and write."""

from __future__ import annotations

import math
import re
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.virtual import akaikkr_files, atoms
from orchestrator.virtual.akaikkr import AkaiKkr
from orchestrator.virtual.calculator import NotConverged, UnreadableResult, UnsuitableComposition
from orchestrator.virtual.crystals import SITES, Species, crystal
from orchestrator.virtual.elk_files import Mesh, ground_state, input_text, k_points, species_text
from orchestrator.virtual.program import Program
from tests.virtual.published import AKAIKKR_FE, AKAIKKR_OUTPUT, ENERGIES, INFO, MOMENTS, SPECIES

# --- crystals -----------------------------------------------------------------------------------------

neighbours = st.lists(st.integers(0, 100), min_size=5, max_size=5).filter(any)


@given(neighbours)
def test_neighbours_are_one_virtual_atom_of_their_mean_charge(parts):
    c = {element: n / sum(parts) for element, n in zip(("Cr", "Mn", "Fe", "Co", "Ni"), parts, strict=True)}
    made = crystal(c)
    (kind,) = made.species
    assert kind.charge == pytest.approx(sum(x * atoms.NUMBER[element] for element, x in c.items()), abs=1e-5)
    assert made.atoms == 1
    assert sum(made.composition.values()) == pytest.approx(1, abs=1e-4)
    assert made.volume == pytest.approx(atoms.mean(c, atoms.VOLUME_A3), rel=1e-4)


@given(st.sampled_from(["Pt", "Ir", "V", "Al"]), st.integers(1, 12), st.integers(0, 100))
def test_other_elements_take_whole_sites_and_the_composition_is_what_is_calculated(element, sites, cobalt):
    wanted = (sites + 0.3) / SITES
    made = crystal({element: wanted, "Fe": (1 - wanted) * (1 - cobalt / 100), "Co": (1 - wanted) * cobalt / 100})
    assert made.composition[element] == sites / SITES
    assert sum(made.composition.values()) == pytest.approx(1, abs=1e-4)
    assert made.atoms == SITES
    positions = [position for kind in made.species for position in kind.positions]
    assert len(set(positions)) == SITES
    assert made.species[1].charge == atoms.NUMBER[element]


def test_the_first_two_sites_of_a_solute_are_far_apart():
    made = crystal({"Fe": 0.875, "Pt": 0.125}, "bcc")
    first, second = made.species[1].positions
    away = math.dist(first, second) * 2  # cube edges
    assert away > 1.7  # not nearest neighbours, which are 0.87 apart


def test_alloys_without_a_neighbour_or_of_unknown_elements_are_refused():
    with pytest.raises(UnsuitableComposition, match="nothing of"):
        crystal({"Pt": 1.0})
    with pytest.raises(UnsuitableComposition, match="knows nothing of Xe"):
        crystal({"Fe": 0.5, "Xe": 0.5})
    with pytest.raises(UnsuitableComposition, match="none is left"):
        crystal({"Fe": 0.02, "Pt": 0.98})


def test_structure_goes_by_electrons_unless_it_is_given():
    assert crystal({"Fe": 0.7, "Co": 0.3}).structure == "bcc"
    assert crystal({"Ni": 0.8, "Fe": 0.2}).structure == "fcc"
    assert crystal({"Ni": 1.0}, "bcc").structure == "bcc"


# --- Elk ----------------------------------------------------------------------------------------------


def test_the_input_of_elk_is_of_blocks_each_with_an_empty_line_after_it():
    text = input_text(crystal({"Fe": 0.7, "Co": 0.3}), Mesh())
    blocks = [block.split("\n", 1) for block in text.strip("\n").split("\n\n")]
    found = {name: value.split() for name, value in blocks}
    assert found["tasks"] == ["0"]
    assert found["spinpol"] == [".true."]
    assert found["avec"] == [f"{x:.8f}" for x in (0.5, 0.5, -0.5, 0.5, -0.5, 0.5, -0.5, 0.5, 0.5)]
    assert float(found["scale"][0]) == pytest.approx(5.387, abs=1e-3)  # 2.8506 angstrom
    assert found["atoms"][:3] == ["1", "'virtual.in'", "1"]
    assert input_text(crystal({"Fe": 1.0}), Mesh(), resume=True).startswith("tasks\n 1\n")


@given(st.floats(0.1, 0.9))
def test_k_points_are_no_farther_apart_than_asked(spacing):
    made = crystal({"Fe": 1.0})
    reciprocal = 2 * math.pi * math.sqrt(2) / made.cube_a  # of the body-centred cell
    for n in k_points(made, spacing):
        assert reciprocal / n <= spacing * (1 + 1e-6) < reciprocal / max(n - 1, 1e-9) * (1 + 1e-6)


def test_a_supercell_takes_fewer_k_points():
    assert max(k_points(crystal({"Fe": 0.875, "Pt": 0.125}), 0.35)) < min(k_points(crystal({"Fe": 1.0}), 0.35))


@given(st.floats(24.0, 28.0))
def test_a_virtual_atom_is_neutral_and_has_its_charge(charge):
    charge = round(charge, 6)
    base = SPECIES[{24: "Cr", 25: "Mn", 26: "Fe", 27: "Co", 28: "Ni"}[int(charge + 1e-9)]]
    text = species_text(Species("virtual", charge, ()), base)

    def electrons(species):
        return sum(float(line.split()[3]) for line in species.splitlines() if re.match(r"\s+\d\s+\d\s+\d\s", line))

    def nucleus(species):
        return -float(re.search(r"(-[\d.]+)\s*: spzn", species).group(1))

    assert nucleus(text) == pytest.approx(charge, abs=1e-6)
    assert electrons(text) - electrons(base) == pytest.approx(nucleus(text) - nucleus(base), abs=2e-6)


def test_the_last_state_is_read_and_a_moment_has_no_sign():
    files = {"INFO.OUT": INFO, "MOMENTM.OUT": MOMENTS, "TOTENERGY.OUT": ENERGIES}
    found = ground_state(files)
    assert found.moment == pytest.approx(2.316394372)
    assert found.moment_change == pytest.approx(1.1726e-5, rel=1e-3)
    assert (found.energy, found.loops) == (-1308.31230392, 2)
    with pytest.raises(NotConverged):
        ground_state({**files, "INFO.OUT": INFO.replace("targets achieved", "not yet")})
    for name in ("MOMENTM.OUT", "TOTENERGY.OUT"):
        for damage in ("", "NaN\n", "*****\n"):
            with pytest.raises(UnreadableResult, match=name):
                ground_state({**files, name: damage})
    with pytest.raises(UnreadableResult):
        ground_state({"INFO.OUT": INFO})


@given(st.text(max_size=200), st.text(max_size=200))
def test_whatever_elk_may_write_is_read_or_refused(moments, info):
    try:
        found = ground_state({"INFO.OUT": info + INFO, "MOMENTM.OUT": moments, "TOTENERGY.OUT": ENERGIES})
    except UnreadableResult:
        return
    assert math.isfinite(found.moment)


# --- AkaiKKR ------------------------------------------------------------------------------------------


def values(text):
    """What the program reads: comment lines and commas left out, one list of words a line."""
    lines = (line for line in text.splitlines() if line.strip() and line[0] not in "c#")
    return [line.replace(",", " ").split() for line in lines]


def test_the_input_of_akaikkr_is_of_the_published_form():
    settings = akaikkr_files.Settings(bzqlty=4, maxitr=50)
    ours = values(akaikkr_files.input_text({"Fe": 1.0}, "bcc", 5.27 * 0.529177210903, settings, resume=True))
    theirs = values(AKAIKKR_FE)
    plain = [[*map(_number, words)] for words in ours], [[*map(_number, words)] for words in theirs]
    for line in plain[0]:
        line[:] = ["data/fe" if word == "data/alloy" else "Fe" if word == "X" else word for word in line]
    assert plain[0] == plain[1]


def _number(word):
    try:
        return float(word)
    except ValueError:
        return word


def test_a_random_alloy_has_a_line_for_each_component_and_concentrations_of_a_hundred():
    lines = values(akaikkr_files.input_text({"Co": 0.25, "Fe": 0.75}, "bcc", 2.86, akaikkr_files.Settings()))
    site = lines.index(next(line for line in lines if line[0] == "X"))
    assert lines[site][1] == "2"
    assert [[float(x) for x in line] for line in lines[site + 1 : site + 3]] == [[27, 25], [26, 75]]


def test_the_published_output_is_read():
    found = akaikkr_files.output(AKAIKKR_OUTPUT, akaikkr_files.Settings())
    assert (found.moment, found.energy_ry, found.loops) == (2.1598, -2522.817621496, 48)
    assert found.log_error == -6.104


def test_an_output_that_did_not_converge_or_is_damaged_is_refused():
    settings = akaikkr_files.Settings()
    with pytest.raises(NotConverged, match="maxitr"):
        akaikkr_files.output(AKAIKKR_OUTPUT.replace("err= -6.104", "err= -3.104"), settings)
    for damage in ("", "segmentation fault", AKAIKKR_OUTPUT.replace("moment=  2.1598", "moment= ******")):
        with pytest.raises(UnreadableResult):
            akaikkr_files.output(damage, settings)


def test_akaikkr_is_run_by_its_standard_input_and_its_result_kept(tmp_path):
    program = tmp_path / "specx"
    program.write_text(f"#!/bin/sh\ncat > read.txt\necho potential > data/alloy\ncat <<'E'\n{AKAIKKR_OUTPUT}E\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    kkr = AkaiKkr(tmp_path / "home", Program((str(program),), timeout_s=30.0))
    found = kkr.calculate({"Fe": 0.7, "Co": 0.3})
    assert found.moment == 2.1598
    assert found.details["structure"] == "bcc"
    assert kkr.calculate({"Fe": 0.7, "Co": 0.3}).remembered
