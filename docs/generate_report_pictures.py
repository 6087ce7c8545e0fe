"""Run three nights on the simulated lab, write their reports, and take pictures of the pages with Chromium.

::

    python -m docs.generate_report_pictures NIGHTS          # runs what is not in the folder NIGHTS yet: minutes
    python -m docs.generate_report_pictures NIGHTS --only good

It takes Playwright (`pip install playwright`) and `chromium` on the path (Debian's package of that name).  The nights:

good    the example campaign, with a reference specimen
broken  the same lab on a bad night: a gripper that misses, a line that drops, an overloaded lock-in, a dead crystal,
        and a person who holds and resumes
wide    six elements in a lab with six guns
"""

from __future__ import annotations

import argparse
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from orchestrator.campaign.commands import Request
from orchestrator.campaign.lifecycle import Command
from orchestrator.lab import SimulatedLab
from orchestrator.morning import write_report_of
from orchestrator.night import load, run_at
from orchestrator.service.asking import give
from orchestrator.service.home import Home

ROOT = Path(__file__).parents[1]
IMAGES = Path(__file__).parent / "images"
SPEED = 120.0
"""Lab seconds per real second: slow enough that the machine's own delays are small beside a film."""

OPERATOR = "anna"
PATIENT = 'measurement = { actions = ["remeasure", "remeasure", "remeasure", "skip"], wait_s = 900 }'
BROKEN = (
    {"kind": "grips_nothing", "at": 9000.0},
    {"kind": "disconnect", "device": "gun1", "at": 12000.0},
    {"kind": "pick_up", "size": 5.0, "at": 15000.0, "until": 19000.0},
    {"kind": "noise", "size": 400.0, "at": 25000.0, "until": 27500.0},
    {"kind": "crystal_fails", "at": 30000.0},
)
REFERENCE = "[reference]\nslot = 48\nvalue = 2.2e-6\nsigma = 2e-8\ntolerance = 0.05\nevery_films = 4\n"
MORE_GUNS = ("V", "Cr", "Cu")
DESK_PX = 1280
HEAD_OF = "good"
SECTIONS = {
    "good": ("best-so-far", "map", "model", "report-card"),
    "broken": ("stations", "what-did-not-go-to-plan"),
    "wide": ("map",),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nights", type=Path)
    parser.add_argument("--only", choices=NIGHTS)
    parser.add_argument("--pictures", type=Path, default=IMAGES)
    chosen = parser.parse_args()
    for name in [chosen.only] if chosen.only else NIGHTS:
        home = Home(chosen.nights / name)
        if not home.begun:
            NIGHTS[name](chosen.nights / name)
        pictures(write_report_of(home), name, chosen.pictures)


def good(folder: Path) -> None:
    _run(folder, (), _lab(folder), {"samples = 24": "samples = 24"})


def broken(folder: Path) -> None:
    changes = {"robot = {": f"{PATIENT}\nrobot = {{", "samples = 24": "samples = 20", "seed = 1": "seed = 3"}
    _run(folder, BROKEN, _lab(folder), changes, meanwhile=_hold_and_resume)


def wide(folder: Path) -> None:
    more = "\n".join(f"{element} = {{ min = 0, max = 30, step = 2 }}" for element in MORE_GUNS)
    changes = {
        "[film]": f"{more}\n\n[film]",
        "samples = 24": "samples = 20",
        "initial_samples = 6": "initial_samples = 8",
    }
    _run(folder, (), _lab(folder, MORE_GUNS), changes)


NIGHTS: dict[str, Callable[[Path], None]] = {"good": good, "broken": broken, "wide": wide}


def _run(
    folder: Path,
    faults: Sequence[dict[str, Any]],
    lab_file: Path,
    changes: dict[str, str],
    meanwhile: Callable[[Home, Callable[[], float]], None] | None = None,
) -> None:
    text = (ROOT / "campaigns/fe-co-ni.toml").read_text().replace("lab_hours = 12", "lab_hours = 16")
    for old, new in changes.items():
        text = text.replace(old, new)
    campaign = folder / "campaign.toml"
    campaign.write_text(text)
    spec, lab = load(campaign, lab_file, None)
    home = Home(folder)
    world = folder / "world.jsonl"
    with SimulatedLab(lab, spec.seed, home.simulators_log, world=world, faults=faults) as simulated:
        addresses = simulated.addresses()
        clock = simulated.start_clock(SPEED)
        if meanwhile is not None:
            threading.Thread(target=meanwhile, args=(home, clock.now), daemon=True).start()
        run_at(spec, lab, home, addresses, clock, clock.spec(), by=OPERATOR)


def _hold_and_resume(home: Home, now: Callable[[], float]) -> None:
    """Somebody stops everything for half an hour, five hours into the night."""
    begun = now()
    for command, at_h, reason in ((Command.HOLD, 5.0, "looking at the argon bottle"), (Command.RESUME, 5.5, "")):
        while now() - begun < at_h * 3600:
            time.sleep(0.05)
        give(home, Request(command, OPERATOR, reason))


def _lab(folder: Path, more: Sequence[str] = ()) -> Path:
    """The example lab with a reference specimen in its last slot, and a gun for each of `more` elements."""
    text = (ROOT / "campaigns/labs/vsm.toml").read_text()
    text = text.replace("slots = 48", f"slots = 48\nfilled = {list(range(1, 48))}")
    text = text.replace("[alerts]", f"{REFERENCE}\n[alerts]").replace("Ni = 1.0 }", "Ni = 1.0" + "".join(
        f", {element} = 1.0" for element in more) + " }")  # fmt: skip
    for number, element in enumerate(more, 4):
        text += (
            f'\n[stations.deposition.devices.gun{number}]\nrole = "gun"\ndriver = "aja-dcxs"\n'
            f'address = "/dev/gun{number}"\nsettings = {{ target = "{element}" }}\nlimits = {{ power = [0, 200] }}\n'
            f"\n[targets.{element}]\nthickness_mm = 3.0\nlife_kwh = 60\nused_kwh = {number}\n"
        )
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "lab.toml"
    target.write_text(text)
    return target


def pictures(page: Path, name: str, folder: Path) -> None:
    """Of `page` as a desk shows it: its head, and each figure that the how-to names, where it is on the page."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": DESK_PX, "height": 900})
        tab.goto(page.resolve().as_uri())
        if name == HEAD_OF:
            tab.screenshot(path=folder / f"report-{name}.png")
        for section in SECTIONS[name]:
            tab.locator(f"section:has(> h2#{section})").screenshot(path=folder / f"report-{name}-{section}.png")
        browser.close()


if __name__ == "__main__":
    main()
