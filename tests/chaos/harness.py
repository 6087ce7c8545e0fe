"""One night under fire: a simulated lab that survives, a night process that does not, and the acts of a plan.

The simulated lab is a process of its own, whose clock runs on whatever happens to the others.  The night process
is restarted whenever it is gone, as a service supervisor would; what it does then is its own business.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from orchestrator.lab import SimulatedLab, open_clock
from orchestrator.night import load
from tests.alerts.receivers import HttpChannel, Mood
from tests.chaos import aftermath, faults, plan, tally
from tests.chaos.family import VARIABLE, Family, Member, alive, send
from tests.chaos.plan import Act, Options

ROOT = Path(__file__).parents[2]
CAMPAIGN = Path(__file__).with_name("campaign.toml")
LAB = ROOT / "campaigns/labs/vsm.toml"

POLL_S = 0.02
HANG_UNSEEN_S = 45.0
"""Real seconds after which a hung child should have been noticed and ended."""
WATCH_S = 60.0
"""Real seconds in which a watch should have told what a night left untold."""
ALONE_S = 60.0
"""Real seconds in which a station without its daemon should have made itself safe and ended."""
MOODS: tuple[Mood, ...] = ("refuses", "hangs", "fails")
"""What an alert channel that is down may do."""
CRASHES = 8
"""How often a night may end by itself, with nothing done to it, before it is given up."""


class Night:
    """Night number `number` of a run; `folder` keeps everything of it."""

    def __init__(self, options: Options, number: int, folder: Path) -> None:
        self.options = options
        self.number = number
        self.folder = folder
        self.acts = plan.acts(options, number)
        self.done: list[dict[str, Any]] = []
        self.boots: list[dict[str, Any]] = []
        self.trouble: list[str] = []
        self.gave_up: list[str] = []
        self.kills = 0
        self.mark = uuid.uuid4().hex
        self.family = Family(self.mark)
        self.summary: dict[str, Any] | None = None
        self._popen: subprocess.Popen[bytes] | None = None
        self._timers: list[tuple[float, Callable[[], None]]] = []
        self._undo: list[tuple[str, faults.Undo]] = []
        self._leftovers: list[tuple[dict[str, Any], float, list[Member]]] = []
        self._again: list[float] = []
        self._restart_at = 0.0
        self._expected = False
        self._fatal: dict[str, Any] | None = None
        self._crashes = 0
        self._seen_under_way: float | None = None

    def run(self) -> dict[str, Any]:
        """The night's record, as plain values."""
        began = time.monotonic()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.channel = HttpChannel()
        self.lab = self._write_lab()
        self.campaign = self._write_campaign()
        spec, lab = load(self.campaign, None, None)
        disk = self._disk()
        log = self.folder / "simulators.log"
        try:
            with SimulatedLab(lab, spec.seed, log, world=self.folder / "world.jsonl") as simulated:
                self.addresses = simulated.addresses()
                self.clock = simulated.start_clock(self.options.speed)
                self.clock_specs = [self.clock.spec()]
                self._drive()
                self._clear_up()
                unsafe = aftermath.left_on(lab, self.addresses, open_clock(self.clock.spec()))
        finally:
            self._end_everybody()
            self.channel.close()
            if disk is not None:
                disk.close(keep=self.folder / "home.kept")
        return self._record(began, unsafe)

    # --- the night process ----------------------------------------------------------------------------

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def _disk(self) -> faults.Disk | None:
        if not {"disk-full", "read-only"} & {act.fault for act in self.acts}:
            self.disk = None
        else:
            self.disk = faults.Disk(self.home)
        return self.disk

    def _write_lab(self) -> Path:
        """The example lab; if alerts are to go astray, with a channel for them."""
        path = self.folder / "lab.toml"
        used = "alerts-down" in self.options.faults
        channels = f'channels = ["{self.channel.url()}"]' if used else "channels = []"
        path.write_text(LAB.read_text().replace("channels = []", channels))
        return path

    def _write_campaign(self) -> Path:
        text = CAMPAIGN.read_text().replace('"LAB"', f'"{self.lab}"')
        text = text.replace("seed = 1", f"seed = {plan.campaign_seed(self.options, self.number)}")
        path = self.folder / "campaign.toml"
        path.write_text(text.replace("samples = 3", f"samples = {self.options.films}"))
        return path

    def _boot(self) -> None:
        """Start the night process: the first time, or again."""
        request = {
            "home": str(self.home),
            "campaign": str(self.campaign),
            "lab": str(self.lab),
            "addresses": self.addresses,
            "clock": self.clock_specs[-1],
        }
        with (self.folder / "night.log").open("ab") as errors, (self.folder / "night.out").open("wb") as output:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.night"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=errors,
                cwd=ROOT,
                env={**os.environ, VARIABLE: self.mark},
                start_new_session=True,
            )
        assert self._popen.stdin is not None
        with suppress(BrokenPipeError):  # it died at once; we shall see
            self._popen.stdin.write(json.dumps(request).encode() + b"\n")
            self._popen.stdin.flush()
        now = time.monotonic()
        self.boots.append({"at": now, "pid": self._popen.pid, "accepting_s": None, "disturbed": bool(self._undo)})
        if self._again:
            self._timers.append((now + self._again.pop(0), self._kill_again))

    def _drive(self) -> None:
        deadline = time.monotonic() + self._patience_s()
        self._boot()
        while self.summary is None:
            now = time.monotonic()
            if now > deadline:
                self._stuck()
                return
            for timer in [timer for timer in self._timers if timer[0] <= now]:
                self._timers.remove(timer)
                timer[1]()
            if self._popen is None:
                if now >= self._restart_at:
                    self._boot()
            elif self._popen.poll() is not None:
                self._exited()
            else:
                self._act_if_due()
            self._look()
            time.sleep(POLL_S)

    def _patience_s(self) -> float:
        span_s = self.options.films * plan.FILM_S + self.options.a_night * plan.COST_S
        return 3 * span_s / self.options.speed + self.options.a_night * 45 + 60

    def _exited(self) -> None:
        """The night process is gone: because the night is over, because we killed it, or by itself."""
        assert self._popen is not None
        code = self._waited(self._popen)
        self._popen = None
        if code == 0:
            self.summary = json.loads((self.folder / "night.out").read_text())
            if self._fatal is not None:  # our kill came too late to be one
                self._fatal.update(done=False, why_not="the night was ending")
                self.kills -= 1
            return
        self._fatal = None
        if not self._expected:
            self._crashes += 1
            boot = self.boots[-1]
            if not boot["disturbed"]:
                self.trouble.append(f"the night process ended by itself with exit code {code}: {self._last_words()}")
            else:
                self.gave_up.append(self._last_words())
            if self._crashes > CRASHES:
                self.trouble.append("given up: it ends every time")
                self.summary = {}
            self._restart_at = time.monotonic() + 0.5
        self._expected = False

    def _last_words(self) -> str:
        lines = (self.folder / "night.log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def _look(self) -> None:
        """See whether the newest night process takes orders, and whether those left behind have gone."""
        boot = self.boots[-1]
        if boot["accepting_s"] is None and self._popen is not None:
            with suppress(OSError, ValueError, LookupError):
                if json.loads((self.home / "daemon.json").read_text())["pid"] == boot["pid"]:
                    boot["accepting_s"] = time.monotonic() - boot["at"]
        for leftover in list(self._leftovers):
            act, since, members = leftover
            if not any(alive(member.pid) for member in members):
                act["safe_alone_s"] = time.monotonic() - since
                self._leftovers.remove(leftover)
            elif time.monotonic() - since > ALONE_S:
                self.trouble.append(f"{members} outlived the daemon by {ALONE_S:g} s")
                send(members, signal.SIGKILL)

    def _stuck(self) -> None:
        self.trouble.append("the night did not end")
        send(self.family.choose("daemon", 0.0), signal.SIGUSR1)  # it writes its stacks into its log
        time.sleep(1.0)

    def _clear_up(self) -> None:
        """After the night: whatever we changed is undone, and nobody may be left."""
        for _, undo in self._undo:
            undo()
        self._undo.clear()
        send(self.family.members(), signal.SIGCONT)  # one that hung, and lost its daemon meanwhile, may go now
        if not self.family.gone(ALONE_S if self.summary else 0.0) and self.summary:
            self.trouble.append(f"left behind after the night: {self.family.members()}")
        self._end_everybody()
        self.channel.become("takes")
        if "alerts-down" in self.options.faults and self.summary:
            self._tell_the_rest()

    def _tell_the_rest(self) -> None:
        """As an operator's watch does who has a channel again."""
        command = [sys.executable, "-m", "orchestrator.cli", "watch", "--home", str(self.home)]
        try:
            watch = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WATCH_S, check=False)
        except subprocess.TimeoutExpired:
            self.trouble.append(f"the watch did not end in {WATCH_S:g} s after the night")
        else:
            self.trouble += [f"the watch ended with: {watch.stderr.strip()}"] if watch.returncode else []

    def _end_everybody(self) -> None:
        while members := self.family.members():
            send(members, signal.SIGKILL)
        if self._popen is not None:
            self._waited(self._popen)

    @staticmethod
    def _waited(popen: subprocess.Popen[bytes]) -> int:
        """Its exit code, and nothing of it left open."""
        assert popen.stdin is not None
        with suppress(BrokenPipeError):
            popen.stdin.close()
        return popen.wait()

    # --- acts -----------------------------------------------------------------------------------------

    def _act_if_due(self) -> None:
        if not self.acts or self._undo or self._again:
            return  # one trouble at a time, but for those that are meant to come together
        act = self.acts[0]
        if self._lab_s() < act.at_s or not self._well_into(act):
            return
        record = {**act.as_dict(), "done": True, "why_not": "", "at": time.monotonic(), "lab_s": self._lab_s()}
        record["accepting"] = self.boots[-1]["accepting_s"] is not None
        try:
            if not self._perform(act, record):
                return  # nobody of that kind is there yet
        except faults.Impossible as reason:
            record.update(done=False, why_not=str(reason))
        self.acts.pop(0)
        self._seen_under_way = None
        self.done.append(record)

    def _lab_s(self) -> float:
        return self.clock.now() - self.clock.lab_epoch

    def _well_into(self, act: Act) -> bool:
        """Whether a step of the act's plan has been under way for as long as it wants."""
        if act.during is None:
            return True
        if self._seen_under_way is None:
            if act.during in aftermath.plans_under_way(self.home / "journal.db"):
                self._seen_under_way = self._lab_s()
            return False
        return self._lab_s() >= self._seen_under_way + act.into_s

    def _perform(self, act: Act, record: dict[str, Any]) -> bool:
        """Carry out `act`; False if there is nobody to do it to."""
        match act.fault:
            case "kill" | "startup" | "recovering":
                return self._kill(act, record)
            case "hang":
                return self._hang(act, record)
            case "disk-full" | "locked":
                return self._disturb(act)
            case "alerts-down":
                return self._silence(act, record)
        return self._cut(act, record)

    def _kill(self, act: Act, record: dict[str, Any]) -> bool:
        victims = self.family.choose(act.target, act.pick)
        if not victims:
            return False
        record["victims"] = [f"{m.role} {m.station}".strip() for m in victims]
        if self.boots[-1]["accepting_s"] is None:
            self.boots[-1]["disturbed"] = True  # a start may fail of it, and is made again
        if act.target in ("daemon", "all"):
            self._take_down(act)
            self._fatal = record
        survivors = [m for m in self.family.members() if m not in victims] if act.target == "daemon" else []
        self.family.kill(victims, act.pick, everybody=act.target == "all")
        record["at"] = time.monotonic()
        self.kills += 1
        if survivors:
            self._leftovers.append((record, record["at"], survivors))
        return True

    def _take_down(self, act: Act) -> None:
        """The night process is about to die, and it is us."""
        self._expected = True
        self._restart_at = time.monotonic() + act.wait_s
        self._again.extend(act.again_s)

    def _kill_again(self) -> None:
        if self._popen is None or self._popen.poll() is not None:
            return
        self._expected = True
        self._restart_at = time.monotonic()
        self.family.kill(self.family.members(), 0.5, everybody=True)
        self.kills += 1

    def _hang(self, act: Act, record: dict[str, Any]) -> bool:
        victims = self.family.choose(act.target, act.pick)
        if not victims or (act.target == "daemon" and self.boots[-1]["accepting_s"] is None):
            return False
        record["victims"] = [f"{m.role} {m.station}".strip() for m in victims]
        send(victims, signal.SIGSTOP)
        goes_on = act.pick * 997 % 1 < 0.5
        record["then"] = "goes on" if goes_on else "stays"
        now = time.monotonic()
        if goes_on:
            self._timers.append((now + act.lasts_s, lambda: send(victims, signal.SIGCONT)))
        elif act.target == "daemon":
            self._timers.append((now + act.lasts_s, lambda: self._end_hung_daemon(act, victims)))
        else:
            self._timers.append((now + HANG_UNSEEN_S, lambda: self._unseen(victims)))
        return True

    def _end_hung_daemon(self, act: Act, victims: list[Member]) -> None:
        self._take_down(act)
        send(victims, signal.SIGKILL)
        self.kills += 1

    def _unseen(self, victims: list[Member]) -> None:
        if self.summary is None and any(alive(member.pid) for member in victims):
            self.trouble.append(f"{victims} hung for {HANG_UNSEEN_S:g} s, and nobody noticed")
            send(victims, signal.SIGKILL)

    def _disturb(self, act: Act) -> bool:
        if act.fault == "locked":
            undo = faults.lock(self.home / "journal.db")
        else:
            assert self.disk is not None
            undo = self.disk.full(self.family)
        self._until(act, undo)
        return True

    def _silence(self, act: Act, record: dict[str, Any]) -> bool:
        """Nobody can be alerted, and there is something to tell."""
        stations = {member.station: member for member in self.family.members() if member.station}
        if self.boots[-1]["accepting_s"] is None or not stations:
            return False
        victim = stations[sorted(stations)[int(act.pick * len(stations))]]
        record["victims"] = [f"worker {victim.station}"]
        send([victim], signal.SIGKILL)
        self.kills += 1
        record["mood"] = MOODS[int(act.pick * len(MOODS))]
        self.channel.become(record["mood"])
        self._timers.append((time.monotonic() + act.lasts_s, lambda: self.channel.become("takes")))
        return True

    def _until(self, act: Act, undo: faults.Undo) -> None:
        entry = (act.fault, undo)
        self._undo.append(entry)
        self.boots[-1]["disturbed"] = True

        def end() -> None:
            if entry in self._undo:
                self._undo.remove(entry)
                undo()

        self._timers.append((time.monotonic() + act.lasts_s, end))

    def _cut(self, act: Act, record: dict[str, Any]) -> bool:
        """Kill everything, and change something before the restart."""
        if not self._kill(act, record):
            return False
        self.family.gone(5.0)
        match act.fault:
            case "torn":
                record["frames_lost"] = faults.power_cut(self.home, Random(act.pick))
            case "read-only":
                assert self.disk is not None
                self._until(act, self.disk.read_only())
            case "clock":
                spec = self.clock_specs[-1]
                self.clock_specs.append({**spec, "lab_epoch": spec["lab_epoch"] + act.off_s})
        return True

    # --- the record -----------------------------------------------------------------------------------

    def _record(self, began: float, unsafe: list[str]) -> dict[str, Any]:
        kept = self.folder / "home.kept"
        home = kept if kept.exists() else self.home
        journal = tally.read_journal(home / "journal.db")
        verdict = tally.judge(tally.read_world(self.folder / "world.jsonl"), journal)
        verdict.unsafe = unsafe
        verdict.audit = aftermath.audit(home, self.folder / "world.jsonl")
        verdict.trouble = self.trouble
        if "alerts-down" in self.options.faults:
            verdict.untold = aftermath.untold(journal, [got.message for got in self.channel.got])
        if len(self.clock_specs) == 1:  # else nobody can tell the journal's times from one another
            aftermath.measure(journal, self.clock.spec(), self.boots, self.done)
        return {
            "night": self.number,
            "clean": verdict.clean,
            "kills": self.kills,
            "wall_s": round(time.monotonic() - began, 1),
            "verdict": verdict.as_dict(),
            "acts": self.done,
            "not_reached": len(self.acts),
            "gave_up": self.gave_up,
            "restarts": [
                {"accepting_s": boot["accepting_s"], "action_s": boot.get("action_s")} for boot in self.boots[1:]
            ],
        }
