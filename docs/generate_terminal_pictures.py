"""Rehearse a night, and draw what the commands say of it: status.svg, no-contact.svg and why.svg in docs/images.

``python docs/generate_terminal_pictures.py`` takes two minutes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rich.console import Console, RenderableType  # noqa: E402 - after the path
from rich.terminal_theme import MONOKAI  # noqa: E402

from orchestrator.campaign.why import why_of  # noqa: E402
from orchestrator.display import watched  # noqa: E402
from orchestrator.explanation import explained  # noqa: E402
from orchestrator.journal import SqliteJournal  # noqa: E402
from orchestrator.service.contact import Contact, Word  # noqa: E402
from orchestrator.service.home import Home  # noqa: E402
from orchestrator.service.progress import Progress  # noqa: E402

IMAGES = ROOT / "docs" / "images"
NIGHTSHIFT = [sys.executable, "-m", "orchestrator.cli"]
SPEED = 600
FILMS_FIRST = 8
"""Films measured before the night is photographed at work: by then the model decides."""


def main() -> None:
    """Bring every picture up to date."""
    with TemporaryDirectory(prefix="nightshift-pictures-") as folder:
        home = Path(folder) / "nights" / "first"
        nightshift("init", folder, "--name", "first-night", "--yes", "--samples", "16", "--hours", "100")
        night = subprocess.Popen(
            [*NIGHTSHIFT, "dry-run", f"{folder}/first-night.toml", "--home", str(home), "--speed", str(SPEED)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT,
        )  # fmt: skip
        try:
            progress = at_work(home, night)
            now = time.monotonic()
            draw(panel_of(progress, age_s=0.0, now=now), "status.svg", "nightshift status --watch")
            draw(panel_of(progress, age_s=41.0, now=now), "no-contact.svg", "nightshift status --watch")
            nightshift("stop", "--home", str(home), "--reason", "that will do")
            night.wait(timeout=600)
        finally:
            night.kill()
        last = max(r.entry.sample for r in entries_of(home) if r.entry.kind == "sample_suggested")
        draw(explained(why_of(entries_of(home), last)), "why.svg", f"nightshift why {last}")


def nightshift(*arguments: str) -> str:
    return subprocess.run([*NIGHTSHIFT, *arguments], check=True, capture_output=True, text=True, cwd=ROOT).stdout


def entries_of(home: Path) -> list[Any]:
    return list(SqliteJournal(home / "journal.db").read())


def at_work(home: Path, night: subprocess.Popen[bytes]) -> Progress:
    """How the night stands once the model decides, and both a film grows and one is measured."""
    while night.poll() is None:
        time.sleep(0.2)
        if not Home(home).served:
            continue
        told = json.loads(nightshift("status", "--home", str(home), "--json"))
        busy = {station["step"] for station in told.get("stations", {}).values()}
        if told.get("valid", 0) >= FILMS_FIRST and {"deposit", "measure"} <= busy and told.pop("live"):
            told.pop("note")
            return Progress.of(told)
    sys.exit("the night ended before it could be photographed at work")


def panel_of(progress: Progress, *, age_s: float, now: float) -> RenderableType:
    """The panel as it is shown `age_s` after the daemon was last heard."""
    contact = Contact(now)
    contact.heard(Word(progress, live=True), now - age_s)
    if age_s:
        contact.not_heard("its daemon does not answer")
    return watched(contact, now)


def draw(shown: RenderableType, picture: str, title: str) -> None:
    """`shown` as a terminal would show it, in docs/images."""
    console = Console(width=100, record=True, force_terminal=True, color_system="truecolor", file=open_nowhere())
    console.print(shown)
    svg = console.export_svg(title=title, theme=MONOKAI, unique_id=picture.partition(".")[0])
    svg = re.sub(r"@font-face \{.*?\}\n", "", svg, flags=re.S)  # a page of ours asks nobody for a font
    (IMAGES / picture).write_text(svg.replace("Fira Code", "DejaVu Sans Mono"))


def open_nowhere() -> Any:
    return Path("/dev/null").open("w")


if __name__ == "__main__":
    main()
