"""Pools and earlier observations: what is read, what is wrong, and that the files are not needed again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.campaign.problems import SpecError
from orchestrator.campaign.spec import Campaign, load_campaign
from orchestrator.optimizer.making import make_optimizer

CAMPAIGN = """\
name = "night"
pool = "pool.csv"
descriptors = ["vec"]
prior_data = ["earlier.csv"]
[film]
argon_pressure_pa = 0.5
power_w = 100
thickness_nm = "pool"
[[objectives]]
quantity = "kerr_rotation"
direction = "max"
unit = "mrad"
[budget]
samples = 6
lab_hours = 5
"""
POOL = "label,Fe,Co,thickness_nm,vec\na,100,0,50,8\nb,50,50,50,8.5\nc,0,100,50,9\nd,0,100,80,9\n"
EARLIER = "Fe,Co,thickness_nm,value,sigma\n49.5,50.1,51,1.2,0.1\n1,99,52,0.4,0.1\n"


def written(folder: Path, pool: str = POOL, earlier: str = EARLIER, campaign: str = CAMPAIGN) -> Path:
    for name, text in (("pool.csv", pool), ("earlier.csv", earlier), ("night.toml", campaign)):
        (folder / name).write_text(text)
    return folder / "night.toml"


def test_what_is_read_is_part_of_the_campaign(tmp_path: Path) -> None:
    campaign = load_campaign(written(tmp_path))
    for file in tmp_path.iterdir():
        file.unlink()
    again = Campaign.model_validate(json.loads(campaign.model_dump_json()))
    assert again == campaign
    assert again.pool is not None
    assert again.pool.columns["vec"] == (8, 8.5, 9, 9)
    assert len(again.pool.sha256) == 64
    assert again.ranges() == {"Fe": (0, 100), "Co": (0, 100)}
    assert again.extremes("thickness_nm") == (50, 80)


def test_the_pool_is_all_that_is_suggested_and_earlier_films_are_known(tmp_path: Path) -> None:
    optimizer = make_optimizer(load_campaign(written(tmp_path)))
    assert optimizer.observed == 0
    made = []
    for number in range(2):
        chosen = optimizer.suggest([], number)
        made.append((dict(chosen.composition), dict(chosen.settings)))
        seen = {"composition": chosen.composition, "settings": chosen.settings, "value": 1.0, "sigma": 0.1}
        optimizer.observe({"sample": number, **seen})
    # Rows b and c are those of the earlier films.
    assert sorted(settings["thickness_nm"] for _, settings in made) == [50, 80]
    assert {tuple(composition.values()) for composition, _ in made} == {(1.0, 0.0), (0.0, 1.0)}
    assert optimizer.suggest([], 2).replicate


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("50,50,50", "50,51,50", "pool.csv:3: its amounts sum to 101 at.%; let them sum to 100"),
        ("50,50,50,8.5", "50,50,50", "pool.csv:3: has 4 cells; give 5, one for each column"),
        ("100,0,50", "100,0,thick", "pool.csv:2: thickness_nm = thick: cannot be; give a number from 1 to 5000 nm"),
        ("100,0,50,8", "100,0,50,", "pool.csv:2: vec = nothing: cannot be; give a finite number"),
        ("d,0,100,80", "d,0,100,50", "pool.csv:5: is the same candidate as line 4; give it once"),
        ("label,Fe", "label,fe", 'pool.csv:1: column "fe": is not known; did you mean "Fe"?'),
        ("vec", "e_per_a", 'pool.csv:1: column "vec" is missing; give a finite number in each row'),
        ("Co,thickness_nm", "Co,Co", 'pool.csv:1: column "Co" comes 2 times; give it once'),
        ("b,50", '"b,50', "is not CSV here"),
    ],
)
def test_a_bad_pool_is_told_by_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in POOL
    with pytest.raises(SpecError) as caught:
        load_campaign(written(tmp_path, pool=POOL.replace(old, new)))
    assert any(message in line for line in caught.value.lines), caught.value.lines


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("49.5", "39.5", "earlier.csv:2: its amounts sum to 89.6 at.%"),
        (",value,", ",worth,", 'earlier.csv:1: column "worth": is not known'),
        ("0.4,0.1", "0.4,-0.1", "earlier.csv:3: sigma = -0.1: cannot be; give at least 0"),
        ("thickness_nm,", "label,", 'earlier.csv:1: column "thickness_nm" is missing'),
    ],
)
def test_bad_earlier_data_are_told_by_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in EARLIER
    with pytest.raises(SpecError) as caught:
        load_campaign(written(tmp_path, earlier=EARLIER.replace(old, new)))
    assert any(message in line for line in caught.value.lines), caught.value.lines


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("power_w = 100", "power_w = { min = 50, max = 90 }", "film.power_w: is searched by itself, but the pool"),
        ("[film]", "[elements]\nFe = { step = 5 }\n[film]", "elements: is given beside a pool"),
    ],
)
def test_a_pool_says_it_all(tmp_path: Path, old: str, new: str, message: str) -> None:
    campaign = CAMPAIGN.replace(old, new).replace('prior_data = ["earlier.csv"]\n', "")
    with pytest.raises(SpecError, match=message):
        load_campaign(written(tmp_path, campaign=campaign))
