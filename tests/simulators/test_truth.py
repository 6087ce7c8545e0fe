import os
from pathlib import Path

import pytest

from simulators.lab import SimulatedLab
from simulators.truth import FormulaTruth, TableTruth, TruthError
from simulators.worldlog import WorldLog
from tests.simulators.world import HandClock

TABLE = """Fe,Co,Ni,kerr_rotation_mrad
100,0,0,0.70
0,100,0,0.50
0,0,100,0.20
50,50,0,0.90
"""
SHARED = Path(os.environ.get("NIGHTSHIFT_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "truth.csv"
        path.write_text(text)
        return path

    return write


def test_a_table_is_met_at_its_rows_and_linear_between_them(table):
    truth = TableTruth(table(TABLE))
    assert truth.properties({"Fe": 1.0})["kerr_rotation_mrad"] == pytest.approx(0.70)
    assert truth.properties({"Fe": 0.75, "Co": 0.25})["kerr_rotation_mrad"] == pytest.approx(0.80)
    assert truth.properties({"Fe": 0.5, "Ni": 0.5})["kerr_rotation_mrad"] == pytest.approx(0.45)


def test_properties_that_the_table_lacks_come_from_the_formula(table):
    measured, formula = TableTruth(table(TABLE)).properties({"Fe": 1.0}), FormulaTruth().properties({"Fe": 1.0})
    assert measured["saturation_magnetisation_ka_m"] == formula["saturation_magnetisation_ka_m"]
    assert measured.keys() == formula.keys()


def test_outside_the_measured_region_the_nearest_row_holds(table):
    rows = "Fe,Co,Ni,coercivity_mT\n80,10,10,1\n70,20,10,2\n70,10,20,3\n"
    truth = TableTruth(table(rows))
    assert truth.properties({"Ni": 1.0})["coercivity_mt"] == 3
    assert truth.properties({"Fe": 1.0})["coercivity_mt"] == 1


def test_a_binary_table_needs_no_triangle(table):
    truth = TableTruth(table("Fe,Co,Ms_emu_cc\n0,1,1400\n1,0,1700\n0.5,0.5,1900\n"))
    assert truth.properties({"Fe": 0.75, "Co": 0.25})["saturation_magnetisation_ka_m"] == pytest.approx(1800)


def test_flux_density_is_converted(table):
    truth = TableTruth(table("Fe,Co,Bs_T\n100,0,2.15\n0,100,1.8\n"))
    assert truth.properties({"Fe": 1.0})["saturation_magnetisation_ka_m"] == pytest.approx(1711, rel=0.001)


def test_many_elements_are_averaged_over_the_nearest_rows(table):
    symbols = ["Fe", "Co", "Ni", "Cr", "V", "W"]
    rows = [[100 if i == j else 0 for j in range(6)] for i in range(6)] + [[50, 50, 0, 0, 0, 0]]
    text = "\n".join([",".join([*symbols, "coercivity_mT"]), *(",".join(map(str, [*r, sum(r[:1])])) for r in rows)])
    truth = TableTruth(table(text))
    assert truth.properties({"Fe": 1.0})["coercivity_mt"] == pytest.approx(100, rel=1e-3)
    assert 0 < truth.properties({"Fe": 0.6, "Cr": 0.4})["coercivity_mt"] < 100


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows"),
        ("Fe,Co,coercivity_mT\n", "no rows"),
        ("iron,cobalt,coercivity_mT\n50,50,1\n", "no element columns"),
        ("Fe,Co\n50,50\n", "no property columns"),
        ("Fe,Co,colour\n50,50,1\n", "'colour' is neither an element nor a known property"),
        ("Fe,Co,coercivity_mT\n50,50,1\n50,20,1\n", "row 2: the elements sum to 70, must be about 100"),
        ("Fe,Co,coercivity_mT\n150,-50,1\n", "none negative"),
        ("Fe,Co,coercivity_mT\n50,50,high\n", "row 1, column coercivity_mT: 'high' is not a number"),
        ("Fe,Co,coercivity_mT\n50,50,nan\n", "must be finite"),
        ("Fe,Co,coercivity_mT\n50,50\n", "row 1 has 2 cells, the header has 3"),
        ("Fe,Co,Ms_emu_cc,Bs_T\n50,50,1900,2.4\n", "two columns give the same property"),
    ],
)
def test_a_table_that_cannot_be_used_is_explained(table, text, message):
    with pytest.raises(TruthError, match=message):
        TableTruth(table(text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TruthError, match=r"absent\.csv: there is no such file"):
        TableTruth(tmp_path / "absent.csv")


def test_unknown_elements_are_refused(table):
    truth = TableTruth(table(TABLE))
    with pytest.raises(TruthError, match="nothing of Ta"):
        truth.properties({"Ta": 0.5, "Fe": 0.5})
    with pytest.raises(TruthError, match="without any element"):
        truth.properties({})
    with pytest.raises(TruthError, match="nothing of Ta"):
        SimulatedLab({"targets": {"gun1": "Ta"}}, HandClock(), seed=1, truth=truth, log=WorldLog())


def test_measured_iron_cobalt_nickel_films():
    path = SHARED / "feconi_film.csv"
    if not path.exists():
        pytest.skip(f"no measured data at {path}; set NIGHTSHIFT_DATA to its folder")
    truth = TableTruth(path)
    best = truth.properties({"Fe": 0.558, "Co": 0.398, "Ni": 0.044})
    assert best["kerr_rotation_mrad"] == pytest.approx(0.82504)
    assert best["coercivity_mt"] == pytest.approx(3.8966)
    middle = truth.properties({"Fe": 1 / 3, "Co": 1 / 3, "Ni": 1 / 3})
    assert 0.0 < middle["kerr_rotation_mrad"] < 0.82504
