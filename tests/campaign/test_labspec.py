"""Lab files, and whether a lab can do a campaign."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.campaign.fit import energy_kwh
from orchestrator.campaign.labchecks import DRIVERS, ROLES
from orchestrator.campaign.labspec import LabSpec, check_fit, load_lab, parse_lab
from orchestrator.campaign.problems import SpecError
from orchestrator.campaign.spec import Campaign, load_campaign, parse_campaign
from tests.campaign.bad_input import CAMPAIGN, LAB

ROOT = Path(__file__).resolve().parents[2]
LABS = sorted((ROOT / "campaigns" / "labs").glob("*.toml"))


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_example_labs(path: Path) -> None:
    lab = load_lab(path)
    assert lab.guns() == {"Fe": "gun1", "Co": "gun2", "Ni": "gun3"}
    assert len(lab.cassette.bare) == 48
    assert lab.cassette.substrate.area_mm2 == 25
    assert {device.driver for s in lab.stations.values() for device in s.devices.values()} <= DRIVERS.keys()


def test_what_is_read() -> None:
    lab = parse_lab(LAB)
    assert lab.deposition.devices["gun1"].limits["power"] == (0, 200)
    assert lab.deposition.devices["gun1"].timeout_s == 1
    assert lab.magnetometry.quantity == "moment"
    assert lab.max_field_mt() == 400
    assert lab.targets["Fe"].remaining_kwh == 33.5
    assert lab.cassette.bare == tuple(range(1, 31))


def test_where_alerts_go_is_never_written_down_with_the_rest() -> None:
    lab = parse_lab(LAB)
    assert lab.alerts.channels == ("mailto://lab:secret@example.org",)
    assert "secret@" not in lab.model_dump_json() + repr(lab) + str(lab.model_dump())


def test_a_misspelt_key_does_not_show_the_password_it_holds() -> None:
    with pytest.raises(SpecError) as caught:
        parse_lab(LAB.replace("channels = ", "chanels = "))
    assert "alerts.chanels = ***" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_survives_json() -> None:
    lab = parse_lab(LAB.replace('"mailto://lab:secret@example.org"', ""))
    assert LabSpec.model_validate(json.loads(lab.model_dump_json())) == lab


def test_places_lie_on_the_tray() -> None:
    lab = parse_lab(LAB.replace("slots = 30", "slots = 30\ncolumns = 8\nfilled = [9, 2]"))
    places = lab.places()
    assert len(places) == 32
    assert places["cassette/1"] == (120, -42, 40, 180, 0, 0)
    assert places["cassette/8"] == (120 + 7 * 12, -42, 40, 180, 0, 0)
    assert places["cassette/10"] == (120 + 12, -42 + 12, 40, 180, 0, 0)
    assert places["deposition"] == lab.deposition.pose
    assert places["magnetometry"] == lab.magnetometry.pose
    assert lab.cassette.bare == (2, 9)


def test_stations_may_have_any_name_and_order() -> None:
    lab = parse_lab(LAB.replace("stations.deposition", "stations.chamber_2"))
    assert lab.station("deposition")[0] == "chamber_2"
    assert set(lab.places()) >= {"deposition", "magnetometry"}


def test_every_driver_has_a_place() -> None:
    assert set(DRIVERS.values()) <= {role for roles in ROLES.values() for role in roles}


def test_secrets_are_never_shown() -> None:
    for channels in ('["secret@example.org"]', '"mailto://lab:secret@example.org"', "[{ url = 'secret' }]"):
        with pytest.raises(SpecError) as caught:
            parse_lab(LAB.replace('["mailto://lab:secret@example.org"]', channels))
        assert "alerts.channels" in str(caught.value)
        assert "secret" not in str(caught.value)


# --- campaign and lab -------------------------------------------------------------------------------------


def campaign(old: str = "", new: str = "") -> Campaign:
    return parse_campaign(CAMPAIGN.replace(old, new))


def test_good_campaign_fits_good_lab() -> None:
    check_fit(campaign(), parse_lab(LAB))


def test_misfits_have_the_line_of_the_campaign_file() -> None:
    kerr = load_campaign(ROOT / "campaigns" / "fe-co-ni-kerr.toml")
    vsm = load_lab(ROOT / "campaigns" / "labs" / "vsm.toml")
    text = (ROOT / "campaigns" / "fe-co-ni-kerr.toml").read_text()
    line = 1 + text[: text.index("quantity =")].count("\n")
    with pytest.raises(SpecError, match=rf"fe-co-ni-kerr\.toml:{line}: objectives\[1\]\.quantity"):
        check_fit(kerr, vsm)
    with pytest.raises(SpecError, match=rf"fe-co-ni-kerr\.toml:{line}: "):
        check_fit(kerr.model_copy(update={"seed": 9}), vsm)


def test_misfits_of_a_campaign_without_file() -> None:
    spec = Campaign.model_validate(campaign("samples = 24", "samples = 40").model_dump())
    with pytest.raises(SpecError, match=r"fe-co-ni:1: budget\.samples = 40: the cassette"):
        check_fit(spec, parse_lab(LAB))


def test_worn_target() -> None:
    worn = parse_lab(LAB.replace("used_kwh = 6.5", "used_kwh = 39"))
    with pytest.raises(SpecError, match=r"elements\.Fe: its target has 1 kWh left, and 24 films need about 1\.8 kWh"):
        check_fit(campaign(), worn)


def test_energy_estimate() -> None:
    """Half of 50 nm at 1e-4 nm/s/W is 250 kJ, 180 s at 100 W is 18 kJ; 24 times."""
    assert energy_kwh(campaign(), "Fe") == pytest.approx(24 * 268e3 / 3.6e6)


def test_asymmetric_magnet_limits_count_the_weaker_side() -> None:
    lab = parse_lab(LAB.replace("[-10, 10]", "[-5, 10]"))
    assert lab.max_field_mt() == 200
    with pytest.raises(SpecError, match="reaches 200 mT"):
        check_fit(campaign(), lab)


def test_kerr_lab_serves_kerr_and_coercivity_but_no_magnetisation() -> None:
    kerr = parse_lab(LAB.replace('quantity = "moment"', 'quantity = "kerr_rotation"'))
    objective = 'quantity = "saturation_magnetisation"\ndirection = "max"\nunit = "kA/m"'
    for quantity, unit in (("kerr_rotation", "mrad"), ("coercivity", "Oe"), ("squareness", "1")):
        check_fit(campaign(objective, f'quantity = "{quantity}"\ndirection = "max"\nunit = "{unit}"'), kerr)
    for quantity in ("saturation_magnetisation", "remanence"):
        with pytest.raises(SpecError, match="measures kerr_rotation"):
            check_fit(campaign(objective, f'quantity = "{quantity}"\ndirection = "max"\nunit = "kA/m"'), kerr)


def relay_lab(gun1: str, box: str = "") -> str:
    """The good lab with another supply at gun 1."""
    lines = [gun1 + "\n" + box if line.startswith("gun1 = ") else line for line in LAB.splitlines()]
    return "\n".join(lines)


BOX = "box = { role = 'relays', driver = 'velleman-k8090', address = 'box' }"
SUPPLY = (
    "gun1 = { role = 'gun', driver = '%s', address = 'rf', settings = { target = 'Fe', shutter_relay = 1 }, "
    "limits = { power = [0, 200] }, poll_s = %s }"
)


def test_a_gun_without_a_shutter_needs_a_relay() -> None:
    cesar = SUPPLY % ("ae-cesar", "1")
    assert parse_lab(relay_lab(cesar, BOX)).deposition.devices["gun1"].settings["shutter_relay"] == 1
    with pytest.raises(SpecError, match="has no shutter of its own, and station deposition no relay box; add a device"):
        parse_lab(relay_lab(cesar))
    with pytest.raises(SpecError, match="shutter_relay: is missing; give the number of the relay of box"):
        parse_lab(relay_lab(cesar.replace(", shutter_relay = 1", ""), BOX))
    with pytest.raises(SpecError, match="shutter_relay = 0: is no relay"):
        parse_lab(relay_lab(cesar.replace("relay = 1", "relay = 0"), BOX))


def test_an_instrument_with_a_dead_mans_switch_is_asked_often_enough() -> None:
    parse_lab(relay_lab(SUPPLY % ("tc-cxn", "0.5"), BOX))
    with pytest.raises(SpecError, match=r"poll_s = 2: is too long: tc-cxn goes off when it is not asked for 2 s; give"):
        parse_lab(relay_lab(SUPPLY % ("tc-cxn", "2"), BOX))


def test_a_lab_with_a_heater_does_not_heat_films_yet() -> None:
    heater = (
        "heater = { role = 'heater', driver = 'eurotherm-2400', address = 'heat', limits = { temperature = [0, 500] } }"
    )
    gun1 = next(line for line in LAB.splitlines() if line.startswith("gun1 = "))
    lab = parse_lab(relay_lab(gun1, heater))
    check_fit(campaign(), lab)
    with pytest.raises(SpecError, match=r"film\.temperature_c = 300: films are not heated yet.*; leave it out"):
        check_fit(campaign("thickness_nm = 50", "thickness_nm = 50\ntemperature_c = 300"), lab)
    with pytest.raises(SpecError, match=r"limits\.temperature: is missing; give the \[lowest, highest\] temperature"):
        parse_lab(relay_lab(gun1, heater.replace(", limits = { temperature = [0, 500] }", "")))
