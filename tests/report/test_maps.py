"""The maps, for every kind of space."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Any

import numpy as np
import pytest

from orchestrator.campaign import entries as e
from orchestrator.report.belief import Belief, believed
from orchestrator.report.colours import VALUES, Scale
from orchestrator.report.facts import Night
from orchestrator.report.maps import maps
from orchestrator.report.marks import marks
from orchestrator.report.projections import MOST_AXES, Axis, axes_of
from tests.report.synthetic import Script, campaign, full_night, recorded
from tests.report.test_page import parsed, words


def drawn(night: Night) -> str:
    belief = believed(night)
    assert isinstance(belief, Belief), belief
    html = str(maps(night, belief))
    parsed(html)
    return html


def a_night(told: dict[str, Any], settings: dict[str, list[float]] | None = None, samples: int = 5) -> Night:
    script = Script(told)
    for number in range(1, samples + 1):
        asked = script.composition(number)
        applied = {name: values[number % len(values)] for name, values in (settings or {}).items()}
        script.say(
            e.SampleSuggested(
                sample=number, slot=number, composition=asked, settings=applied, method="gp", observed=0, pending=[],
                seconds=0,
            )
        )  # fmt: skip
        uid = script.begin("deposit", number, ["deposition"])
        script.now += 60
        script.say(script.film(number, asked))
        script.end(uid)
        uid = script.measure(number)
        script.say(script.observe(number).model_copy(update={"settings": applied}))
        script.end(uid)
    return Night(recorded(script.timed), UTC)


def test_three_elements_make_two_triangles(journal: list[e.Recorded]) -> None:
    html = drawn(Night(journal, UTC))
    assert html.count('<svg class="drawing"') == 2
    assert "filled with the model&#x27;s mean" in html
    assert "filled with the model&#x27;s uncertainty" in html
    assert "what the model expects" in words(html)
    assert "standard deviation of that" in words(html)


def test_a_line_in_the_triangle_has_no_surface() -> None:
    told = campaign(samples=5, constraints=[{"coefficients": {"Fe": 1, "Ni": -2}, "min": 0, "max": 0}])
    html = drawn(a_night(told))
    assert html.count('<svg class="drawing"') == 1
    assert "filled" not in html


def test_more_elements_make_a_panel_a_pair() -> None:
    html = drawn(Night(full_night(campaign(("Fe", "Co", "Ni", "V"), samples=8, constraints=[])), UTC))
    assert "by every pair of Fe (at.%), Co (at.%), Ni (at.%), V (at.%)" in html
    assert "Each panel is a projection" in html
    assert "mean standard deviation in a cell" in html


def test_so_many_elements_that_some_are_not_shown() -> None:
    elements = ("Fe", "Co", "Ni", "V", "Cr", "Cu", "Mn", "Pt")
    night = Night(full_night(campaign(elements, samples=6, constraints=[])), UTC)
    shown = axes_of(night, marks(night))
    assert len(shown) == MOST_AXES
    (hidden,) = set(elements) - {axis.name for axis in shown}
    assert f"Not shown: {hidden}." in words(drawn(night))


def test_two_elements_and_a_band() -> None:
    html = drawn(Night(full_night(campaign(("Fe", "Co"), samples=8, constraints=[])), UTC))
    assert "against Fe (at.%)" in html
    assert "one standard deviation" in html


@pytest.mark.parametrize("elements", [("Fe", "Co", "Ni"), ("Fe", "Co")])
def test_settings_that_are_searched_are_axes_too(elements: tuple[str, ...]) -> None:
    told = campaign(elements, samples=5, constraints=[])
    told["film"] = told["film"] | {"argon_pressure_pa": {"min": 0.3, "max": 0.9, "step": None, "scale": "log"}}
    night = a_night(told, {"argon_pressure_pa": [0.3, 0.5, 0.9]})
    html = drawn(night)
    assert "argon pressure (Pa)" in html
    assert ("as of the best" in html) == (len(elements) == 3)


def test_one_composition_is_no_map() -> None:
    assert "There is one composition only." in maps(a_night(campaign(("Fe",), constraints=[])), "why not")


def test_where_a_candidate_is() -> None:
    assert Axis("Fe", True).of({"Fe": 0.25}, {}) == 25
    assert Axis("Co", True).of({"Fe": 1.0}, {}) == 0
    assert np.isnan(Axis("gas", False).of({}, {"gas": "Ar"}))
    assert [Axis(name, False).label for name in ("power_w", "odd_thing", "x")] == ["power (W)", "odd thing", "x"]


def test_a_scale_is_the_same_for_one_and_for_many() -> None:
    scale = Scale("s", VALUES, -2.0, 2.0, "T", 1)
    assert [scale.share(x) for x in (-9.0, -1.0, 9.0)] == scale.shares(np.array([-9.0, -1.0, 9.0])).tolist()
    assert Scale("s", VALUES, 3.0, 3.0, "T", 1).shares(np.array([3.0, 4.0])).tolist() == [0.5, 0.5]
    assert scale.colour(-2.0) == "#440154"
    assert re.findall(r"<span>([^<]+)</span>", scale.legend("x")) == ["−2.0", "2.0 T"]
