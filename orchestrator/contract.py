"""Drawing up a night contract: instruments are asked who they are, alerts are really sent, earlier nights are read.

What it comes to is decided by `orchestrator.service.contract`, which asks nobody.

::

    python -m orchestrator.contract HOME [--below FOLDER]

draws up that of the campaign in HOME, asking no instrument, and prints it as JSON: for the operator's page, whose
daemon must not read a dozen journals itself.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from drivers.errors import InstrumentError
from orchestrator import apart, rpc
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import fold
from orchestrator.journal import SqliteJournal
from orchestrator.lab import identities
from orchestrator.service.alerts.commands import try_channels
from orchestrator.service.budget import as_changed
from orchestrator.service.contract import checks
from orchestrator.service.contract.earlier import EarlierNight, Rehearsal, homes_below, nights
from orchestrator.service.contract.lines import NOT_ASKED, Contract, Line, NotChecked, not_asked
from orchestrator.service.forecast import Forecast, before
from orchestrator.service.history import History
from orchestrator.service.home import Home, HomeError
from orchestrator.versions import version

ERRORS = {
    "Gone": "its port cannot be opened",
    "NoReply": "no answer in time",
    "Garbled": "an answer that is none",
    "Refused": "it refused",
    "WrongInstrument": "another instrument answers",
    "SettingError": "its settings are wrong",
    "Fault": "it reports a fault",
    "TimeoutError": "it hangs",
}
"""Class of what goes wrong when an instrument is asked who it is -> in words."""


def draw_up(
    campaign: Campaign,
    lab: LabSpec,
    folder: Path,
    *,
    home: Home | None = None,
    rehearsed: Path | None = None,
    offline: bool = False,
    expected: bool = False,
    within: bool = False,
) -> Contract:
    """The contract of `campaign` in `lab`, whose earlier nights are below `folder`.

    `home` is where it will be; `rehearsed` a dry run's home that is not below `folder`.  `offline`: neither instruments
    nor alert channels are asked.  `expected`: that a daemon lives in `home` is meant.  `within`: it is that
    daemon which asks.
    """
    now = time.time()
    homes = homes_below(folder, *([rehearsed] if rehearsed else []))
    earlier = nights([each for each in homes if each.journal.is_file()], lab.name)
    told = before(campaign, lab, now, History.of([(night.state, night.rehearsed) for night in earlier], lab))
    done = [found for each in homes if (found := Rehearsal.of(each)) is not None]
    alone = nobody_else(home, earlier, homes, expected=expected, within=within)
    if offline:
        asked = not_asked("instruments", "alerts")
    elif alone.verdict == "red":  # whoever talks to instruments that are at work disturbs them
        asked = [Line("instruments", "amber", NOT_ASKED, "they may be at work; check again when nobody else is")]
        asked += alerts(lab)
    else:
        asked = [*instruments(lab), *alerts(lab)]
    lines = [
        checks.rehearsal(campaign, lab, version(), done),
        checks.finish(told, campaign),
        *_supplies(campaign, lab, folder if home is None else home.path, earlier, told),
        *asked,
        dead_man(lab),
        checks.reference(lab, earlier, now),
        alone,
    ]
    return Contract(campaign, lab, version(), tuple(lines))


def quickly(campaign: Campaign, lab: LabSpec, home: Home) -> Contract:
    """What can be said at once of a campaign that is gone on with: its lab must be made safe, and waits for nobody."""
    told = before(campaign, lab, time.time())
    lines = [*_supplies(campaign, lab, home.path, [], told), *not_asked("instruments", "alerts"), dead_man(lab)]
    return Contract(campaign, lab, version(), tuple(lines))


def _supplies(
    campaign: Campaign, lab: LabSpec, path: Path, earlier: Sequence[EarlierNight], told: Forecast
) -> list[Line]:
    free = shutil.disk_usage(_existing(path)).free
    return [
        checks.substrates(campaign, lab),
        *checks.targets(campaign, lab, told, earlier),
        checks.gas(campaign, lab, told),
        checks.disk(campaign, free, earlier, lab.alerts.disk_low_gib),
        checks.limits(campaign, lab),
        checks.interlocks(campaign),
        *checks.calculators(campaign, lab, _missing(lab)),
    ]


def _missing(lab: LabSpec) -> set[str]:
    """Programs of virtual stations that are not on this machine."""
    return {spec.command for spec in lab.virtual.values() if spec.command and shutil.which(spec.command) is None}


def _existing(path: Path) -> Path:
    """`path`, or the folder that it will be made in."""
    path = path.absolute()
    return next(each for each in (path, *path.parents) if each.exists())


def instruments(lab: LabSpec) -> list[Line]:
    """Every instrument of `lab`, asked who it is."""
    answers = identities(lab)
    wrong = {name: error for name, error in answers.items() if isinstance(error, Exception)}
    lines = [Line(f"instrument {name}", "red", *_wrong(error)) for name, error in wrong.items()]
    good: Mapping[str, str] = {name: str(told) for name, told in answers.items() if name not in wrong}
    if good:
        told = "; ".join(f"{name}: {text}" for name, text in good.items())
        lines.append(Line("instruments", "green", f"{len(good)} of {len(answers)} answer: {told}"))
    return lines


def _wrong(error: Exception) -> tuple[str, str]:
    """What is wrong in words, and what to do: the error's own advice, if it has any."""
    words = ERRORS.get(type(error).__name__, "it cannot be used")
    found, separator, advice = str(error).rpartition("; ")
    if separator and advice.startswith("check "):
        return f"{words}: {found}", advice
    known = isinstance(error, InstrumentError | TimeoutError)
    return f"{words}: {error}", "check cable, power and the lab file" if known else "mend the lab file"


def alerts(lab: LabSpec) -> list[Line]:
    """The alert channels of `lab`, each sent a test message."""
    channels = (*lab.alerts.channels, *lab.alerts.escalation)
    if not lab.alerts.channels:
        return [Line("alerts", "amber", "no channel: nobody is told", "give channels in the lab file, under [alerts]")]
    answers = try_channels(channels, lab.name)
    wrong = {channel: why for channel, why in answers.items() if why}
    if not wrong:
        return [Line("alerts", "green", f"took a test: {', '.join(answers)}")]
    told = "; ".join(f"{channel} did not take a test: {why}" for channel, why in wrong.items())
    first = list(answers)[: len(lab.alerts.channels)]
    dead = all(channel in wrong for channel in first)
    return [Line("alerts", "red" if dead else "amber", told, "mend the channel, or take it out of the lab file")]


def dead_man(lab: LabSpec) -> Line:
    if lab.alerts.ping_url is None:
        do = "give alerts.ping_url, or run `nightshift watch` on another machine"
        return Line("dead man", "amber", "nobody notices a machine that is dead", do)
    return Line("dead man", "green", f"a service is called every {lab.alerts.ping_every_min:g} min")


def nobody_else(
    home: Home | None,
    earlier: Sequence[EarlierNight],
    homes: Sequence[Home],
    *,
    expected: bool,
    within: bool = False,
) -> Line:
    """Whether a daemon is at work already, in the home (unless `within`) or at the lab's instruments."""
    asked = home if not within else None
    if asked is not None and expected and (busy := _busy(asked)):
        return Line("nobody else", "red", busy, "start another daemon in another home, or wait")
    if asked is not None and not expected and asked.path.exists() and (pid := asked.daemon) is not None:
        return Line("nobody else", "red", f"a daemon lives in {asked.path} (process {pid or '?'})", "end it first")
    ours = home.path.absolute() if home is not None else None
    for night in earlier:
        pid = night.home.daemon
        if pid is not None and not night.rehearsed and night.home.path.absolute() != ours:
            found = f"process {pid or '?'} runs {night.home.path} in this lab"
            return Line("nobody else", "red", found, "wait for its end, or stop it")
    which = "no other daemon" if within else "no daemon"
    return Line("nobody else", "green", f"{which} of this lab lives in the {len(homes)} homes that were looked at")


def _busy(home: Home) -> str:
    """What the daemon that serves `home` is at, "" if it waits for a campaign."""
    try:
        with home.connect() as daemon:
            mode = str(daemon.status()["mode"])
    except (HomeError, rpc.RpcError) as error:
        return f"the daemon that served {home.path} does not answer ({error})"
    return "" if mode == "idle" else f"a campaign is under way here ({mode})"


# --- again, during the night ------------------------------------------------------------------------------

PATIENCE_S = 60.0
"""Real seconds that it may take, on the slowest machine."""


def under_way(home: Home, folder: Path) -> Contract:
    """The contract of the campaign in `home`, as its daemon may draw it up: no instrument and no channel is asked.

    Raises `HomeError`, `JournalError` or `LifecycleError` if its journal cannot be read.
    """
    with closing(SqliteJournal(home.need_journal())) as journal:
        state = fold(journal.read())
    if state.started is None:
        raise HomeError(f"{home.path}: no campaign has begun here")
    campaign = as_changed(Campaign.model_validate(state.started.campaign), state)
    lab = LabSpec.model_validate(state.started.lab)
    known = lab.alerts.model_copy(update={"ping_url": home.routes.ping})  # which no journal holds
    return draw_up(campaign, lab.model_copy(update={"alerts": known}), folder, home=home, offline=True, within=True)


def under_way_apart(home: Home, folder: Path, patience_s: float = PATIENCE_S) -> dict[str, Any]:
    """The same by a process of its own with a low priority, as plain values.  Raises `NotChecked`."""
    try:
        written = apart.run("orchestrator.contract", str(home.path), "--below", str(folder), patience_s=patience_s)
    except apart.TooSlow as error:
        raise NotChecked(f"{error}; try again when the machine has less to do") from None
    except apart.NotDone as error:
        raise NotChecked(str(error)) from error
    told: dict[str, Any] = json.loads(written)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw up the night contract of the campaign in HOME, as JSON.")
    parser.add_argument("home", type=Path)
    parser.add_argument("--below", type=Path, default=Path("nights"), help="where the lab's earlier homes are")
    asked = parser.parse_args()
    apart.step_back()
    sys.stdout.write(json.dumps(under_way(Home(asked.home), asked.below).as_dict()) + "\n")


if __name__ == "__main__":
    main()
