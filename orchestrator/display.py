"""The night on a terminal: one live panel, redrawn in place."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orchestrator.campaign.fronts import value_words, words
from orchestrator.service.contact import Contact
from orchestrator.service.progress import Progress

REDRAW_S = 0.2


@contextmanager
def show(*, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """A callable that shows the progress given to it; on standard error, so that output can be piped.

    Without a terminal one line is written for every film measured.
    """
    console = Console(stderr=True)
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield _paced(lambda progress: live.update(panel(progress), refresh=True))
    else:
        yield _line_per_film()


class Screen(Protocol):
    """Where a night is shown that another process runs."""

    def show(self, contact: Contact, now: float) -> None:
        """What was last heard, at real time `now`."""


@contextmanager
def screen() -> Iterator[Screen]:
    """A live panel on standard output; without a terminal, a line whenever something has changed."""
    console = Console()
    if not console.is_terminal:
        yield _Lines(sys.stdout.write)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield _Panel(live)


class _Panel:
    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, contact: Contact, now: float) -> None:
        self._live.update(watched(contact, now), refresh=True)


class _Lines:
    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._last = ""

    def show(self, contact: Contact, now: float) -> None:
        line = headline(contact.progress) if contact.progress else "no campaign yet"
        if contact.lost(now):
            line = f"no contact ({contact.trouble}); last heard: {line}"
        if line != self._last:
            self._last = line
            self._write(line + "\n")
            sys.stdout.flush()


def watched(contact: Contact, now: float) -> RenderableType:
    """What was last heard, under a line that says whether it is so now; grey if it is old."""
    body: RenderableType = panel(contact.progress) if contact.progress else Text("No campaign yet.")
    if contact.lost(now):
        silent = f" NO CONTACT for {contact.silence_s(now):.0f} s "
        badge = Text.assemble((silent, "bold white on red"), f" {contact.trouble}; below is what was last heard")
        return Group(badge, Text(as_lines(body), style="bright_black"))
    if contact.progress and contact.progress.end:
        return body
    if contact.trouble and contact.silence_s(now) >= 1:
        heard = (f" last heard {contact.silence_s(now):.0f} s ago ", "bold black on yellow")
        return Group(Text.assemble(heard, f" {contact.trouble}"), body)
    return Group(Text.assemble((" live ", "bold black on green"), f" {contact.trouble}"), body)


def as_text(progress: Progress) -> str:
    """The panel as plain text."""
    return as_lines(panel(progress), width=100)


def as_lines(shown: RenderableType, width: int = 160) -> str:
    """`shown` as plain text of at most `width` columns."""
    console = Console(width=width, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(shown)
    return "\n".join(line.rstrip() for line in capture.get().rstrip().splitlines())


def headline(progress: Progress) -> str:
    """One line: films done of budget, best so far, predicted finish."""
    done = progress.valid + progress.censored + progress.failed
    line = f"{progress.campaign}: {progress.end or progress.mode}, film {done} of {progress.samples_budget} measured"
    if progress.best:
        made = " ".join(f"{el}{100 * x:.0f}" for el, x in progress.best["composition"].items() if x >= 0.005)
        made += "".join(f", {name} {value:.4g}" for name, value in progress.best.get("settings", {}).items())
        line += _best(progress, progress.best, made)
    elif progress.limits and progress.valid:
        line += f", no film yet with {' and '.join(progress.limits)}"
    if progress.earlier:
        line += f", {progress.earlier} earlier observations known"
    if progress.finish_early and progress.finish_late:
        early, late = (
            time.strftime("%H:%M", time.localtime(at)) for at in (progress.finish_early, progress.finish_late)
        )
        line += f", done {early}-{late}"
    elif progress.predicted_finish:
        line += f", done about {time.strftime('%H:%M', time.localtime(progress.predicted_finish))}"
    return line


def _best(progress: Progress, best: dict[str, Any], made: str) -> str:
    if progress.front:
        count = f"{len(progress.front)} films that none is better than"
        return f", {count}, by the weights sample {best['sample']}: {words(best['outcomes'])} ({made})"
    told = words(best["outcomes"]) if best.get("outcomes") else f"{best['value']:.4g} {best['unit']}"
    return f", best {told} ({made})"


def _front(progress: Progress) -> Table:
    """The films that no other is better than."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    units = {name: told.get("unit") for film in progress.front for name, told in film["outcomes"].items()}
    titles = [f"{name.replace('_', ' ')} ({unit})" for name, unit in units.items()]
    for title in ("none better", "made", *titles, ""):
        table.add_column(title, no_wrap=title == "made")
    for film in progress.front:
        made = " ".join(f"{el}{100 * x:.0f}" for el, x in film["composition"].items() if x >= 0.005)
        chosen = "by the weights" if progress.best and film["sample"] == progress.best["sample"] else ""
        values = [value_words({**film["outcomes"].get(name, {}), "unit": ""}) for name in units]
        table.add_row(f"sample {film['sample']}", made, *values, chosen)
    return table


def panel(progress: Progress) -> Group:
    """Headline, bar, and what each station does."""
    done = progress.valid + progress.censored + progress.failed
    hours = (progress.now - progress.started_at) / 3600
    stations = Table.grid(padding=(0, 2))
    for name, station in sorted(progress.stations.items()):
        minutes = (progress.now - (station.since or progress.now)) / 60
        waits = f"waiting on {station.waiting_on}" if station.waiting_on else ""
        stations.add_row(name, f"{station.step} sample {station.sample}", f"{minutes:.0f} min", waits)
    counts = f"{hours:.1f} lab hours; {progress.failed} failed, {progress.censored} censored; entry {progress.version}"
    bar = Table.grid(padding=(0, 2))
    bar.add_row(ProgressBar(total=progress.samples_budget, completed=done, width=40), Text(counts, style="dim"))
    rows: list[RenderableType] = [
        Text(headline(progress), style="bold"),
        bar,
        stations,
    ]
    if progress.front:
        rows.append(_front(progress))
    if progress.command:
        last = progress.command
        why = f" ({last['reason']})" if last["reason"] else ""
        at = time.strftime("%H:%M", time.localtime(last["time"]))
        rows.append(Text(f"Last command: {last['command']} by {last['by']} at {at}{why}", style="dim"))
    if progress.faults:
        told = ", ".join(f"{fault} {times}" for fault, times in progress.faults.items())
        rows.append(Text(f"faults: {told}", style="dim"))
    rows += [Text(f"Model: {concern}", style="yellow") for concern in progress.concerns]
    if progress.needs:
        rows.append(Text(f"Needs you: {progress.needs}", style="bold red"))
    return Group(*rows)


def _paced(draw: Callable[[Progress], None]) -> Callable[[Progress], None]:
    drawn = 0.0

    def maybe(progress: Progress) -> None:
        nonlocal drawn
        if time.monotonic() - drawn >= REDRAW_S or progress.end:
            drawn = time.monotonic()
            draw(progress)

    return maybe


def _line_per_film() -> Callable[[Progress], None]:
    last = -1

    def line(progress: Progress) -> None:
        nonlocal last
        done = progress.valid + progress.censored + progress.failed
        if done != last:
            last = done
            sys.stderr.write(headline(progress) + "\n")

    return line
