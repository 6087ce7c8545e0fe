"""The parts of the page, one by one."""

from __future__ import annotations

import re
from datetime import UTC

import matplotlib as mpl
import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import LifecycleError
from orchestrator.campaign.state import slot_place
from orchestrator.report import formats
from orchestrator.report.best import running_best
from orchestrator.report.facts import Night
from orchestrator.report.loops import MOST_POINTS, loop_frames, loop_of
from orchestrator.report.maps import maps
from orchestrator.report.marks import Mark, marks
from orchestrator.report.markup import Html, el, join
from orchestrator.report.model import model
from orchestrator.report.svg import INK, draw
from orchestrator.report.tables import sample_table
from orchestrator.report.timeline import timeline
from orchestrator.report.troubles import troubles
from orchestrator.report.verdict import verdict, wants
from tests.report.synthetic import START, Script, campaign, recorded


@pytest.fixture(scope="module")
def night(journal: list[e.Recorded]) -> Night:
    return Night(journal, UTC)


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html))


# --- markup and formats -------------------------------------------------------------------------------


def test_only_html_is_html() -> None:
    assert el("p", "a<b", Html("<b>c</b>"), None, 3, class_="x", aria_label='"') == (
        '<p class="x" aria-label="&quot;">a&lt;b<b>c</b>3</p>'
    )
    assert join("<", "&") == "&lt;&amp;"


@pytest.mark.parametrize(
    ("value", "sigma", "unit", "expected"),
    [
        (1942.34, 11.2, "kA/m", "1942 ± 11 kA/m"),
        (2.4412, 0.0138, "T", "2.441 ± 0.014 T"),
        (-0.5, 0.1, "mrad", "−0.50 ± 0.10 mrad"),
        (0.91, None, "1", "0.9100"),
        (1942.34, 0.0, "kA/m", "1942 ± 0 kA/m"),
        (None, None, "kA/m", "– kA/m"),
        (0.0, None, "T", "0.00 T"),
    ],
)
def test_digits_follow_the_uncertainty(value: float | None, sigma: float | None, unit: str, expected: str) -> None:
    assert formats.with_sigma(value, sigma, unit).replace(formats.NO_BREAK, " ") == expected


def test_compositions_leave_out_what_is_not_there() -> None:
    made = {"Fe": 0.6821, "Co": 0.3178, "Ni": 0.0001}
    assert formats.formula(made) == "Fe<sub>68.2</sub>Co<sub>31.8</sub>"
    assert formats.plain_formula(made) == "Fe 68.2 Co 31.8"
    assert formats.at_percent(0.29) == "29"


@pytest.mark.parametrize(
    ("value", "expected"), [(1876.3, "1880"), (0.0, "0"), (3e-7, "3 × 10⁻⁷"), (70.0, "70"), (-2.4e9, "−2.4 × 10⁹")]
)
def test_short_numbers(value: float, expected: str) -> None:
    assert formats.short(value) == expected


def test_units_with_powers() -> None:
    assert formats.unit_after("A m2") == " A m²"
    assert formats.quantity_label("saturation_magnetisation", "emu/cm3") == "saturation magnetisation (emu/cm³)"
    assert formats.unit_after("1") == ""


def test_elapsed_and_listed() -> None:
    assert formats.elapsed(4 * 3600 + 7 * 60 + 20) == "4:07"
    assert formats.listed([1, 2, 3]) == "1, 2 and 3"
    assert formats.counted(1, "film") == "1 film"


# --- the night ----------------------------------------------------------------------------------------


def test_a_damaged_journal_is_an_error(journal: list[e.Recorded]) -> None:
    with pytest.raises(LifecycleError):
        Night(journal[3:])


def test_holds_last_from_the_command_to_the_next(night: Night, journal: list[e.Recorded]) -> None:
    ((begin, end),) = night.holds
    assert end - begin == pytest.approx(1260)
    cut = next(n for n, r in enumerate(journal) if isinstance(r.entry, e.CampaignHeld))
    unfinished = Night(journal[: cut + 1])
    assert unfinished.holds == [(begin, unfinished.end)]


def test_bars_of_steps_that_never_ended_are_open(journal: list[e.Recorded]) -> None:
    cut = next(n for n, r in enumerate(journal) if isinstance(r.entry, e.StepIntended))
    (bar,) = Night(journal[: cut + 1]).bars
    assert (bar.end_word, bar.outcome) == ("open", None)


# --- the verdict --------------------------------------------------------------------------------------


def test_verdict_of_a_good_night(night: Night) -> None:
    told = words(verdict(night, [])).replace(formats.NO_BREAK, " ")
    assert told.startswith("24 of 25 films in 12.0 lab hours. Ended as planned (budget: 25 samples).")
    assert night.top is not None
    assert night.top.value is not None
    assert f"Highest saturation magnetisation: {night.top.value:.0f} ± " in told
    assert f"sample {night.top.sample}." in told
    assert "22 valid, 1 censored, 1 failed" in told
    assert told.endswith("Nobody is needed.")


def test_films_as_good_as_the_best_are_named() -> None:
    script = Script(campaign(samples=3))
    for number in (1, 2, 3):
        script.suggest(number)
        uid = script.begin("deposit", number, ["deposition"])
        script.now += 60
        script.say(script.film(number, {"Fe": 1.0}))
        script.end(uid)
        uid = script.measure(number)
        value = {1: 1000.0, 2: 1010.0, 3: 900.0}[number]
        script.say(script.observe(number).model_copy(update={"value": value, "sigma": 10.0}))
        script.end(uid)
    assert "Sample 1 is as good within 2σ." in words(verdict(Night(recorded(script.timed)), None))


def test_what_needs_a_person() -> None:
    script = Script(campaign())
    for number in (1, 2, 3):
        script.suggest(number)
    script.transfer(1, slot_place(1), "deposition")
    uid = script.begin("deposit", 1, ["deposition"])
    script.now += 60
    script.say(script.film(1, {"Fe": 1.0}))
    script.end(uid)
    script.begin("transfer", 2, ["robot"], source=slot_place(2), destination="cassette/9")
    script.say(e.SampleQuarantined(sample=3, reason="unknown whether a film was begun"))
    script.say(e.StationLost(station="magnetometry", reason="its worker died"))
    assert len(wants(Night(recorded(script.timed)))) == 2  # while it runs, films on their way are no trouble
    script.say(e.CampaignEnded(end="needs operator", reason="quarantined: samples 3"))
    told = wants(Night(recorded(script.timed)))
    assert told == [
        "quarantined: samples 3",
        "station magnetometry was lost: see that it is safe",
        "sample 3 (slot 3, at cassette/3) is set aside: unknown whether a film was begun",
        "sample 2: nobody can say how far its transfer came",
        "sample 1 has a film that was not measured",
        "sample 1 is still at deposition, not in slot 1",
    ]


# --- figures ------------------------------------------------------------------------------------------


def test_marks(night: Night) -> None:
    shown = {mark.sample: mark for mark in marks(night)}
    assert len(shown) == 25
    assert [shown[n].state for n in (1, 9, 14, 18)] == ["valid", "lost", "censored", "lost"]
    assert shown[9].value is None
    assert [shown[n].shape for n in (1, 7, 21)] == ["s", "o", "^"]


def test_running_best_counts_valid_values_only() -> None:
    values = [("valid", 3.0), ("censored", 9.0), ("valid", 2.0), ("lost", None), ("valid", 4.0)]
    shown = [Mark(n, "gp", state, {}, value, 0.1) for n, (state, value) in enumerate(values, 1)]
    assert running_best(shown, "max") == [(1, 3.0), (3, 3.0), (5, 4.0)]
    assert running_best(shown, "min") == [(1, 3.0), (3, 2.0), (5, 2.0)]


def test_drawing_leaves_matplotlib_as_it_was() -> None:
    before = mpl.rcParams["svg.hashsalt"], mpl.rcParams["font.size"]
    drawing = draw("t", 200, 100, "a < b", lambda figure: figure.text(0.5, 0.5, "$x$ & <y>", color=INK))
    assert (mpl.rcParams["svg.hashsalt"], mpl.rcParams["font.size"]) == before
    assert "<title>a &lt; b</title>" in drawing
    assert "$x$ &amp; &lt;y&gt;" in drawing
    assert "fill: var(--ink)" in drawing
    assert not re.search(r"<metadata|<style|\d\.\d{3}|<\?xml", drawing)


def test_map_names_its_corners_and_scale(night: Night) -> None:
    drawn = maps(night, "nothing was believed")
    for element in ("Fe", "Co", "Ni"):
        assert f">{element}</text>" in drawn
    assert words(drawn).count("kA/m") == 1


def test_map_zooms_into_a_corner() -> None:
    script = Script(campaign())
    for number, fe in ((1, 0.8), (2, 0.9), (3, 0.86)):
        script.suggest(number)
        uid = script.begin("deposit", number, ["deposition"])
        script.now += 60
        script.say(script.film(number, {"Fe": fe, "Co": 1 - fe, "Ni": 0.0}))
        script.end(uid)
        uid = script.measure(number)
        script.say(script.observe(number))
        script.end(uid)
    drawn = maps(Night(recorded(script.timed)), "nothing was believed")
    assert ">80<" in drawn
    assert ">40<" not in drawn


def test_timeline_shows_every_step_and_its_share(night: Night) -> None:
    drawn = timeline(night)
    assert len(re.findall(r'<rect class="deposit', drawn)) == 28  # 27 steps, and the legend
    assert len(re.findall(r'<rect class="[a-z]+ bad"', drawn)) == 5
    assert "sample 18: deposit, attempt 2, failed" in drawn
    shares = [int(share) for share in re.findall(r'class="share">(\d+)\u00a0%<', drawn)]
    assert shares[0] >= 90
    assert len(shares) == 3
    assert re.findall(r'class="share">(\d+)<', drawn) == [str(len(troubles(night)))]
    ticks = re.findall(r"<span style[^>]*>(\d\d:\d\d)<", drawn)
    assert ticks == ["20:00", "22:00", "00:00", "02:00", "04:00", "06:00"]


def test_timeline_stays_inside_its_row(night: Night) -> None:
    for x, width in re.findall(r'x="([\d.]+)%" width="([\d.]+)%"', timeline(night)):
        assert 0 <= float(x) <= 100
        assert float(x) + float(width) <= 100.2


def test_loops_in_order_with_the_odd_ones_last(night: Night) -> None:
    drawn = loop_frames(night)
    numbers = [int(n) for n in re.findall(r"loop of sample (\d+)", drawn)]
    assert len(numbers) == 24
    assert numbers[-2:] == [9, 14]
    assert numbers[:-2] == sorted(numbers[:-2])
    assert len(re.findall(r'class="loop top"', drawn)) == 1
    assert "The loops go on to ±300 mT." in drawn


def test_loops_with_gaps_or_too_many_points(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = night.samples[0]

    def with_loop(**loop: object) -> object:
        monkeypatch.setitem(night.loops, sample.number, loop)
        return loop_of(night, sample)

    assert with_loop() is None
    assert with_loop(field_mt=[1, 2], signal=[None, 3]) is None
    gaps = with_loop(field_mt=[1, 2, 3, 4], signal=[1, None, float("nan"), 4, 5], unit="T")
    assert (gaps.field_mt, gaps.signal) == ([1, 4], [1, 4])  # type: ignore[attr-defined]
    many = with_loop(field_mt=list(range(5000)), signal=list(range(5000)))
    assert len(many.field_mt) <= MOST_POINTS + 1  # type: ignore[attr-defined]


# --- tables -------------------------------------------------------------------------------------------


def test_rows_are_as_wide_as_their_head(night: Night) -> None:
    table = sample_table(night)
    widths = set()
    for row in re.findall(r"<tr.*?</tr>", table):
        cells = re.findall(r"<t[hd]([^>]*)>", row)
        spans = [re.search(r'colspan="(\d+)"', cell) for cell in cells]
        widths.add(sum(int(span[1]) if span else 1 for span in spans))
    assert len(widths) == 1


def test_every_sample_has_a_row_with_its_outcome(night: Night) -> None:
    rows = [words(row) for row in re.findall(r"<tr.*?</tr>", sample_table(night))][2:]
    assert len(rows) == 25
    assert rows[0].endswith("valid")
    assert "failed: signal is noise" in rows[8]
    assert "censored: not saturated" in rows[13]
    assert "discarded: could not be deposited" in rows[17]


def test_troubles_in_order_and_each_told_once(night: Night) -> None:
    found = troubles(night)
    assert [trouble.time for trouble in found] == sorted(trouble.time for trouble in found)
    assert [trouble.what for trouble in found] == [
        "deposit failed",
        "measure failed",
        "observation failed",
        "hold by anna",
        "held",
        "resume by anna",
        "observation censored",
        "deposit failed",
        "deposit failed, attempt 2",
        "discarded by recovery policy",
        "fallback suggestion",
    ]


def test_an_interrupted_film_and_an_open_step_are_troubles() -> None:
    script = Script(campaign())
    script.suggest(1)
    uid = script.begin("deposit", 1, ["deposition"])
    script.now += 60
    script.say(script.film(1, {"Fe": 1.0}, finished=False))
    script.end(uid, "aborted", "argon was lost")
    script.begin("measure", 1, ["magnetometry"])
    script.say(e.CampaignEnded(end="aborted", reason="abort"))
    told = [(trouble.time - START, trouble.what) for trouble in troubles(Night(recorded(script.timed)))]
    assert told == [(60, "film interrupted"), (60, "deposit aborted"), (60, "measure never ended")]


def assessed(**told):
    script = Script(campaign())
    script.suggest(1)
    script.say(e.ModelAssessed(observed=1, **told))
    return Night(recorded(script.timed), UTC)


def test_the_model_is_judged_in_words_and_drawn():
    shown = str(
        model(
            assessed(
                residuals={"1": -0.5, "2": 40.0},
                within_one=0.5,
                within_two=0.75,
                log_density=0.5,
                constant_log_density=-1.0,
                concerns=[{"kind": "outlier", "text": "sample 2 is <far> off", "sample": 2}],
            )
        )
    )
    assert "50 % are within one and 75 % within two" in shown
    assert "1.50 higher" in shown
    assert "sample 2 is &lt;far&gt; off" in shown
    assert '<svg class="drawing"' in shown


def test_a_model_of_few_values_is_not_judged():
    shown = str(model(assessed(residuals={"1": 0.25})))
    assert "too few" in shown
    assert "Nothing to look at" in shown
