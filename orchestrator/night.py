"""One campaign from start to end: processes up, the daemon's run, the report.

A rehearsal and a night on hardware differ in two arguments, the addresses and the clock; the lines that run
the campaign are the same.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from drivers.clock import Clock, RealClock
from orchestrator import rpc
from orchestrator.campaign import entries as e
from orchestrator.campaign.commands import Request
from orchestrator.campaign.digest import sha256_of
from orchestrator.campaign.labspec import LabSpec, load_lab
from orchestrator.campaign.lifecycle import Command, Mode
from orchestrator.campaign.problems import SpecError
from orchestrator.campaign.spec import Campaign, load_campaign
from orchestrator.campaign.state import CampaignState, fold
from orchestrator.campaign.timeline import intervals, utilisation
from orchestrator.console.serve import Console
from orchestrator.console.source import Post, Source
from orchestrator.journal import JournalError, SqliteJournal
from orchestrator.lab import SimulatedLab, addresses_of, clock_from
from orchestrator.morning import WORLD, write_apart
from orchestrator.service.alerts.alert import subject_of
from orchestrator.service.alerts.alerting import Alerting
from orchestrator.service.alerts.lookout import Lookout
from orchestrator.service.alerts.outbox import Outbox
from orchestrator.service.alerts.sentry import Ping, Sentry
from orchestrator.service.api import Api
from orchestrator.service.contract.earlier import Rehearsal
from orchestrator.service.crew import Crew
from orchestrator.service.daemon import Daemon
from orchestrator.service.home import Home, HomeError, Routes
from orchestrator.service.status import Progress, status
from orchestrator.systemd import Notifier
from orchestrator.versions import version
from orchestrator.witness import account, read_world

log = logging.getLogger(__name__)

OnProgress = Callable[[Progress], None]
WAIT_S = 1.0


class NotAllowed(Exception):
    """A campaign is not gone on with unless a person asks for it."""


def load(campaign: Path, lab: Path | None, seed: int | None) -> tuple[Campaign, LabSpec]:
    """Read both files; `lab` defaults to the one that the campaign names.  Raises `SpecError`."""
    spec = load_campaign(campaign)
    if seed is not None:
        spec = spec.model_copy(update={"seed": seed})
    if lab is None and spec.lab is None:
        raise SpecError([f"{campaign}: lab: is missing; name the lab file there, or with --lab"])
    return spec, load_lab(lab or campaign.parent / str(spec.lab))


def rehearse(
    campaign: Campaign,
    lab: LabSpec,
    home: Home,
    *,
    speed: float,
    by: str,
    truth: Path | None = None,
    world: Path | None = None,
    alerts: bool = False,
    on_progress: OnProgress = lambda _: None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Run `campaign` on a simulated lab; the summary as plain values.  Its alerts are sent only if `alerts`."""
    witness = world or home.path / WORLD
    night = Night(campaign, lab, home, by, on_progress, console, simulated=True)
    with home.claimed():
        with (
            SimulatedLab(lab, campaign.seed, home.simulators_log, truth=truth, world=witness) as simulated,
            Crew(campaign, lab, home.path) as crew,
        ):
            home.keep_channels(*(_routes(lab) if alerts else ((),)))
            addresses = simulated.addresses()
            crew.await_started()  # so that lab time begins when the lab does
            clock = simulated.start_clock(speed)
            night.run(crew, addresses, clock, clock.spec())
        told = night.summary(witness)
        rehearsal_of(campaign, lab, told).write(home)
        return told


def rehearsal_of(campaign: Campaign, lab: LabSpec, told: dict[str, Any]) -> Rehearsal:
    """What a dry run with the summary `told` leaves for whoever starts the campaign on hardware."""
    unharmed = not any(told[name] for name in ("hazards", "lost", "doubled", "unmeasured"))
    passed = told["end"] == "done" and unharmed
    return Rehearsal(sha256_of(campaign), sha256_of(lab), version(), passed, told["end"], time.time())


def run_at(
    campaign: Campaign,
    lab: LabSpec,
    home: Home,
    addresses: dict[str, str],
    clock: Clock,
    clock_spec: dict[str, float] | None,
    *,
    by: str,
    contract: e.ContractSigned | None = None,
    on_progress: OnProgress = lambda _: None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Run `campaign` on the instruments at `addresses` (device name -> address); the summary as plain values.

    `clock_spec` is what other processes build `clock` from; None for real time.  `contract` is what it was signed on.
    """
    home.make()
    night = Night(campaign, lab, home, by, on_progress, console, contract=contract)
    with home.claimed():
        with Crew(campaign, lab, home.path) as crew:
            home.keep_channels(*_routes(lab))
            night.run(crew, addresses, clock, clock_spec)
        return night.summary()


def carry_on(
    home: Home,
    addresses: dict[str, str],
    clock: Clock,
    clock_spec: dict[str, float] | None,
    *,
    by: str,
    on_progress: OnProgress = lambda _: None,
    recovered: bool = False,
    abort: bool = False,
    console: Console | None = None,
    unattended: bool = False,
    sign: Callable[[Campaign, LabSpec], e.ContractSigned] | None = None,
) -> dict[str, Any]:
    """Go on with the campaign whose journal is in `home`, wherever and however it was left; the summary.

    One that has ended is only summed up.  So is one that needs an operator, unless `recovered`: his word that
    what the journal needed him for is done.  `abort`: it is not gone on with; what was under way is settled, and the
    campaign ends.  Empty `addresses` are those of the lab file.  `unattended`: no person has asked for it, which the
    campaign must have allowed; raises `NotAllowed` if it has not.  `sign` says on what it is gone on with, and may not
    take long.
    """
    journal = home.need_journal()
    if home.rehearsed and not addresses:
        raise HomeError(f"{home.path}: was a rehearsal, and its simulated lab is gone; start another")
    with home.claimed():
        state = fold(SqliteJournal(journal).read())
        campaign, lab = begun(state, home)
        if state.ended and not ((recovered or abort) and state.mode is Mode.NEEDS_OPERATOR):
            return summary(home, campaign, 0.0)
        if unattended and not campaign.recovery.unattended:
            raise NotAllowed(
                f"{home.path}: its campaign does not say recovery.unattended = true, so nobody but you goes on with "
                "it: see that the lab is well, then `nightshift recover`"
            )
        clock, clock_spec = clock_from(state.time, clock, clock_spec)
        contract = sign(campaign, lab) if sign else None
        night = Night(campaign, lab, home, by, on_progress, console, simulated=home.rehearsed, contract=contract)
        with Crew(campaign, lab, home.path) as crew:
            at = addresses or addresses_of(lab)
            night.run(crew, at, clock, clock_spec, recovered=recovered, abort=abort)
        return night.summary()


def begun(state: CampaignState, home: Home) -> tuple[Campaign, LabSpec]:
    """The campaign and lab that the journal of `home` began with.  Raises `HomeError` if it tells of none."""
    if state.started is None:
        raise HomeError(f"{home.path}: its daemon died before the campaign began; start it again in another --home")
    return Campaign.model_validate(state.started.campaign), LabSpec.model_validate(state.started.lab)


def run_for_real(
    campaign: Campaign,
    lab: LabSpec,
    home: Home,
    *,
    by: str,
    contract: e.ContractSigned,
    on_progress: OnProgress = lambda _: None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Run `campaign` on the instruments at the lab file's addresses; the summary as plain values."""
    at = addresses_of(lab)
    return run_at(
        campaign,
        lab,
        home,
        at,
        RealClock(),
        None,
        by=by,
        contract=contract,
        on_progress=on_progress,
        console=console,
    )


def serve(lab: LabSpec, home: Home, console: Console | None = None) -> dict[str, Any]:
    """Wait until an operator starts a campaign, then run it like `run_for_real`."""
    notifier = Notifier.from_environment()
    with home.claimed(), _served(Api(lab), home) as api:
        home.keep_channels(*_routes(lab))
        notifier.ready("waits for a campaign")
        while (begun := api.await_campaign(WAIT_S)) is None:
            notifier.alive("waits for a campaign")
        campaign, by, contract = begun
        night = Night(campaign, lab, home, by, console=console, contract=contract)
        with Crew(campaign, lab, home.path) as crew:
            night.run(crew, addresses_of(lab), RealClock(), None, api=api)
        return night.summary()


def hand_over(campaign: Campaign, home: Home, *, by: str, contract: e.ContractSigned) -> str:
    """Start `campaign` in the daemon that serves `home`; what to do next, in words.  Raises `HomeError`."""
    with home.connect() as daemon:
        daemon.start(campaign.model_dump(mode="json"), by, contract.model_dump(mode="json"))
    return f"{campaign.name} runs in {home.path}: see `nightshift status --home {home.path}`"


def _routes(lab: LabSpec) -> tuple[Sequence[str], Sequence[str], str | None]:
    return lab.alerts.channels, lab.alerts.escalation, lab.alerts.ping_url


@contextmanager
def serve_lab(
    lab: LabSpec, *, seed: int, speed: float, truth: Path | None, world: Path | None
) -> Iterator[dict[str, str]]:
    """The simulated lab alone, for whoever wants to talk to it: device name -> address."""
    log = Path(tempfile.gettempdir()) / f"nightshift-simulators-{os.getpid()}.log"
    with SimulatedLab(lab, seed, log, truth=truth, world=world) as simulated:
        addresses = simulated.addresses()
        simulated.start_clock(speed)
        yield addresses


@contextmanager
def _served(api: Api, home: Home) -> Iterator[Api]:
    """`api`, reachable for whoever can read the home."""
    token = secrets.token_hex(16)
    with rpc.serve({"daemon": api}, token) as server:
        home.announce(server.uris["daemon"], token)
        try:
            yield api
        finally:
            home.withdraw()


@dataclass(frozen=True)
class Night:
    """One daemon's time with a campaign: from its processes to its summary and report."""

    campaign: Campaign
    lab: LabSpec
    home: Home
    by: str
    on_progress: OnProgress = lambda _: None
    console: Console | None = None
    simulated: bool = False
    contract: e.ContractSigned | None = None
    began: float = field(default_factory=time.monotonic)
    notifier: Notifier = field(default_factory=Notifier.from_environment)

    def run(
        self,
        crew: Crew,
        addresses: dict[str, str],
        clock: Clock,
        clock_spec: dict[str, float] | None,
        *,
        recovered: bool = False,
        abort: bool = False,
        api: Api | None = None,
    ) -> None:
        """Begin or go on, and end."""
        crew.await_started()
        crew.connect(addresses, clock_spec)
        journal = SqliteJournal(self.home.journal)
        routes, outbox = self._routes(), Outbox(self.home.alerts)
        with (
            self._alerting(routes, outbox, journal, clock) as alerting,
            Sentry(self._lookout(), alerting, self.home.path) as sentry,
        ):

            def on_progress(progress: Progress) -> None:
                """The deciding thread has come by."""
                self.notifier.alive(_in_short(progress))
                sentry.progressed(progress)
                self.on_progress(progress)

            daemon = Daemon(
                self.campaign,
                self.lab,
                journal,
                crew.stations,
                crew.suggestions,
                clock,
                by=self.by,
                boot=boot_id(),
                contract=self.contract,
                on_progress=on_progress,
                listener=alerting,
                calculators=crew.calculators,
            )
            every_s = 60 * self.lab.alerts.ping_every_min
            with (
                nullcontext(api) if api else _served(Api(self.lab), self.home) as serving,
                self._shown(daemon, crew, clock, routes),
                _signals(daemon),
                Ping(routes.ping, every_s, outbox, lambda: daemon.decided_s),
            ):
                serving.serve(daemon)
                self.notifier.ready(_in_short(daemon.latest))
                try:
                    daemon.run(recovered=recovered, abort=abort)
                finally:
                    if self.console is None or not self.console.stays:
                        self.notifier.stopping(_in_short(daemon.latest))
                    daemon.close()
        self.home.keep_last(status(daemon.state, self.campaign, daemon.state.time).as_dict())

    def summary(self, world: Path | None = None) -> dict[str, Any]:
        """Of the night, once it is over and its crew is dismissed: the report takes a while, and a station is not to
        wait for it.  `world` is the simulated lab's own log, if it keeps one."""
        return summary(self.home, self.campaign, time.monotonic() - self.began, world)

    @contextmanager
    def _shown(self, daemon: Daemon, crew: Crew, clock: Clock, routes: Routes) -> Iterator[None]:
        """The campaign is on the operator's page."""
        if self.console is None:
            yield
            return
        try:
            journal = SqliteJournal(self.home.journal)  # its own, so that neither waits for the other
        except JournalError as error:  # no reason to leave a lab alone
            log.error("the console shows nothing: %s", error)
            yield
            return
        source = Source(
            daemon,
            journal,
            clock,
            self.simulated,
            heard=lambda: {name: station.heard for name, station in crew.stations.items()},
            chart=crew.suggestions.chart,
            post=Post.of(self.home.alerts, routes),
        )
        with self.console.attached(source):
            yield

    def _routes(self) -> Routes:
        try:
            return self.home.routes
        except HomeError as error:  # no reason to leave a lab alone
            log.error("nobody is alerted: %s", error)
            return Routes()

    def _alerting(self, routes: Routes, outbox: Outbox, journal: SqliteJournal, clock: Clock) -> Alerting:
        return Alerting(
            routes.channels,
            outbox,
            journal,
            clock.now,
            subject=subject_of(self.campaign.name, self.lab.name),
            home=str(self.home.path),
            escalation=routes.escalation,
            rules=self.lab.alerts,
            leave_quiet=lambda: self.home.is_watched,
        )

    def _lookout(self) -> Lookout:
        faults = self.campaign.recovery.faults
        longest_s = max(getattr(faults, name).longest_wait_s for name in type(faults).model_fields)
        return Lookout(self.lab.alerts, longest_s)


def _in_short(progress: Progress) -> str:
    """One line for whoever looks after the machine."""
    done = progress.valid + progress.censored + progress.failed
    what = progress.end or progress.mode
    needs = f"; needs you: {progress.needs}" if progress.needs else ""
    return f"{progress.campaign}: {what}, {done} of {progress.samples_budget} measured{needs}"


@contextmanager
def _signals(daemon: Daemon) -> Iterator[None]:
    """SIGINT and SIGTERM abort the campaign, a second one ends our processes at once."""

    def abort(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)
        daemon.command(Request(Command.ABORT, daemon.by, signal.Signals(number).name))

    before = {number: signal.signal(number, abort) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def boot_id() -> str:
    """What the kernel calls this boot of the machine; "" where it does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def summary(home: Home, campaign: Campaign, wall_s: float, world: Path | None = None) -> dict[str, Any]:
    """The summary of the night in `home`, as plain values; its report is written anew, by a process of its own.

    "report" is where it is, or why there is none.
    """
    journal = SqliteJournal(home.journal)
    state = fold(journal.read())
    assert state.ended is not None
    now = status(state, campaign, state.time)
    seen = account(read_world(world), state) if world else None
    no_report = write_apart(home, world=world)
    told = {
        "campaign": campaign.name,
        "seed": campaign.seed,
        "end": state.ended.end,
        "reason": state.ended.reason,
        "samples": len(state.samples),
        "valid": now.valid,
        "censored": now.censored,
        "failed": now.failed,
        "best": now.best,
        "lab_hours": (state.time - state.started_at) / 3600,
        "wall_s": wall_s,
        "station_utilisation": utilisation(intervals(journal.read())),
        "home": str(home.path),
        "report": f"none: {no_report}" if no_report else str(home.report),
    }
    if seen is not None:
        told |= {
            "hazards": len(seen.hazards),
            "lost": len(seen.lost),
            "doubled": len(seen.doubled),
            "unmeasured": len(seen.unmeasured),
        }
    return told


def summary_lines(summary: dict[str, Any], home: Home) -> str:
    """The summary for a person."""
    lines = [
        f"{summary['campaign']}: {summary['end']} ({summary['reason']}), seed {summary['seed']}",
        f"{summary['samples']} samples: {summary['valid']} valid, {summary['censored']} censored, "
        f"{summary['failed']} failed, in {summary['lab_hours']:.1f} lab hours ({summary['wall_s']:.0f} s)",
    ]
    if summary["best"]:
        top = summary["best"]
        made = " ".join(f"{el}{100 * x:.1f}" for el, x in top["composition"].items() if x > 0.0005)
        lines.append(f"best: {top['value']:.4g} +- {top['sigma']:.2g} {top['unit']} at {made} (sample {top['sample']})")
    shares = ", ".join(f"{name} {share:.0%}" for name, share in summary["station_utilisation"].items())
    lines.append(f"stations at work: {shares}")
    if "hazards" in summary:
        lines.append(
            f"by the world log: {summary['hazards']} hazards, {summary['lost']} films lost, "
            f"{summary['doubled']} doubled"
        )
    lines.append(f"report: {summary['report']}")
    return "\n".join(lines)
