"""Nights that never were: a good one with a bit of everything, one that loses a sample, one that drifts, one in which
an operator has much to say."""

from __future__ import annotations

from pathlib import Path

from orchestrator.campaign import entries as e

from .scribe import Scribe, asked_for


def plain_night(home: Path) -> Path:
    """Sample 1 with nothing special; 2 is deposited and measured at the second attempt; 3 is gripped at the second,
    and censored, with a hold before; 4 is cut off while it grows, and fails to be measured; 5 cannot be deposited, and
    6 comes too late."""
    night = Scribe(home)
    night.suggest(1)
    night.transfer(1, "deposition")
    night.deposit(1)
    night.transfer(1, "magnetometry")
    night.suggest(2, 0, [1])
    night.measure(1)
    night.transfer(2, "deposition")
    night.strikes_not(2)
    night.deposit(2, 2)
    night.transfer(1, "cassette/1")
    night.transfer(2, "magnetometry")
    night.measures_nothing(2)
    night.measure(2, attempt=2)
    night.transfer(2, "cassette/2")
    night.suggest(3, 2)
    night.grips_nothing(3, "deposition")
    for command in ("hold", "resume"):
        night.now += 50
        night.say(e.CommandGiven(command=command, by="anna", reason="looking at the arm"))
    night.transfer(3, "deposition")
    night.deposit(3)
    night.transfer(3, "magnetometry")
    night.measure(3, "censored")
    night.transfer(3, "cassette/3")
    night.suggest(4, 3)
    night.suggest(5, 3, [4])
    night.transfer(5, "deposition")
    night.strikes_not(5)
    night.say(e.SampleDiscarded(sample=5, by="recovery policy", reason="could not be deposited"))
    night.transfer(5, "cassette/5")
    night.transfer(4, "deposition")
    night.dies_depositing(4)
    night.suggest(6, 3, [4])
    night.say(e.OptimizerLost(reason="it has not answered for 4.1 s"))
    night.now += 2
    night.say(e.OptimizerRestarted(reason="it has not answered for 4.1 s"))
    night.transfer(4, "magnetometry")
    night.measure(4, "failed")
    night.transfer(4, "cassette/4")
    uid = night.begin("retire", 4)
    night.end(uid, "done", {})
    night.now += 10
    night.say(e.SampleDiscarded(sample=6, by="anna", reason="not begun: budget: 12 lab hours"))
    night.made_safe("budget: 12 lab hours")
    night.say(e.CampaignEnded(end="done", reason="budget: 12 lab hours"))
    return night.close()


def troubled_night(home: Path, *, taken_up: bool = False) -> Path:
    """Sample 1 is in the gripper when all dies, and is put down by the next daemon; sample 2 is lost on its way."""
    night = Scribe(home)
    night.suggest(1)
    night.transfer(1, "deposition")
    night.deposit(1)
    _dies_carrying(night, 1)
    night.measure(1)
    night.transfer(1, "cassette/1")
    night.suggest(2, 1)
    night.transfer(2, "deposition")
    night.deposit(2)
    night.transfer(2, "magnetometry")
    night.measure(2)
    uid = night.begin("transfer", 2, source="magnetometry", destination="cassette/2")
    night.pick(uid, 2, "magnetometry")
    night.stop(uid, "failed", {"moved": False, "holding": True})
    night.now += 2
    night.say(
        e.StepEnded(step=uid, end="unknown", run_uids=[f"run-{uid}"]),
        e.SampleQuarantined(sample=2, reason="lost on its way"),
        e.OperatorNeeded(reason="find sample 2"),
    )
    night.made_safe("find sample 2")
    night.say(e.CampaignEnded(end="needs operator", reason="find sample 2"))
    if taken_up:
        _is_taken_up(night)
    return night.close()


def checked_night(home: Path) -> Path:
    """Samples 1 and 2 are measured between two checks, the second of which finds a drift, and measured again."""
    night = Scribe(home, {"slot": 7, "value": 2e-6, "sigma": 1e-8, "tolerance": 0.03, "every_films": 2})
    night.transfer(e.REFERENCE, "magnetometry")
    night.check()
    night.transfer(e.REFERENCE, "cassette/7")
    for sample in (1, 2):
        night.suggest(sample, sample - 1)
        night.transfer(sample, "deposition")
        night.deposit(sample)
        _is_measured(night, sample)
    night.transfer(e.REFERENCE, "magnetometry")
    night.check(0.8)
    withdrawn = [e.ObservationWithdrawn(sample=sample, reason="the magnetometer drifted") for sample in (1, 2)]
    night.check(0.8, *withdrawn, e.OperatorNeeded(reason="the magnetometer has drifted"))
    night.made_safe("the magnetometer has drifted")
    night.say(e.CampaignEnded(end="needs operator", reason="the magnetometer has drifted"))
    night.now += 3600
    night.say(e.CommandGiven(command="recover", by="anna", reason="centred"), e.DaemonStarted(boot="boot-2"))
    night.check(1.01)
    night.transfer(e.REFERENCE, "cassette/7")
    for sample in (1, 2):
        _is_measured(night, sample)
    night.transfer(e.REFERENCE, "magnetometry")
    night.check(1.0)
    night.transfer(e.REFERENCE, "cassette/7")
    night.made_safe("budget: 2 samples")
    night.say(e.CampaignEnded(end="done", reason="budget: 2 samples"))
    return night.close()


def acted_night(home: Path) -> Path:
    """Sample 1 is vetoed in the chamber; the second of three own samples is made on its substrate, as sample 2, the
    others are withdrawn.  2 is rejected and taken back, and later measured again."""
    night = Scribe(home)
    night.suggest(1)
    night.transfer(1, "deposition")
    night.act(e.SuggestionVetoed, sample=1)
    night.transfer(1, "cassette/1")
    for queued in (1, 2, 3):
        night.act(e.OwnSampleQueued, queued=queued, composition=asked_for(5 if queued == 1 else queued))
    night.act(e.QueueReordered, queued=2, order=[2, 1, 3])
    night.act(e.QueueReordered, queued=1, order=[2, 3, 1])
    night.act(e.OwnSampleWithdrawn, queued=3)
    night.act(e.OwnSampleWithdrawn, queued=1)
    night.suggest(2, slot=1, method="operator")
    night.transfer(2, "deposition")
    night.deposit(2)
    night.transfer(2, "magnetometry")
    night.measure(2)
    night.transfer(2, "cassette/1")
    night.act(e.SampleNoted, sample=2, text="a fingerprint")
    night.act(e.ObservationRejected, sample=2)
    night.suggest(3, slot=2)
    night.act(e.ObservationRestored, sample=2)
    night.transfer(3, "deposition")
    night.deposit(3)
    night.transfer(3, "magnetometry")
    night.measure(3)
    night.transfer(3, "cassette/2")
    night.act(e.MeasurementRequested, sample=2)
    night.act(e.BudgetChanged, samples=4)
    night.suggest(4, 1, [2], slot=3)
    night.transfer(2, "magnetometry")
    night.measure(2)
    night.transfer(2, "cassette/1")
    night.now += 10
    night.say(e.SampleDiscarded(sample=4, by="anna", reason="not begun: budget: 12 lab hours"))
    night.made_safe("budget: 12 lab hours")
    night.say(e.CampaignEnded(end="done", reason="budget: 12 lab hours"))
    return night.close()


def calculated_night(home: Path) -> Path:
    """A virtual station calculates twice, of which once in vain, and is cut off once; then a film is made."""
    night = Scribe(home, virtual={"theory": {"calculations": 2, "head_start": 1, "cost": 0.001}})
    iron = {"Fe": 1.0, "Co": 0.0}
    for number, end in enumerate(("done", "interrupted", "failed"), 1):
        night.now += 10
        night.say(
            e.CalculationIntended(
                calculation=number, step=f"calculation-{number}", station="theory", lane="theory.1", composition=iron,
                method="space-filling", observed=0, calculated=int(number > 1),
            )
        )  # fmt: skip
        night.now += 10
        told = {"fidelity": "closed-form", "value": 1740.0, "sigma": 0.0} if end == "done" else {"error": "no"}
        fault = {"fault": "timeout"} if end == "failed" else {}
        ended = {"calculation": number, "end": end, "composition": iron, "unit": "kA/m", **told, **fault}
        night.say(e.CalculationEnded.model_validate(ended))
    night.suggest(1)
    night.transfer(1, "deposition")
    night.deposit(1)
    _is_measured(night, 1)
    night.made_safe("stop")
    night.say(e.CampaignEnded(end="stopped", reason="stop"))
    return night.close()


def _is_measured(night: Scribe, sample: int) -> None:
    night.transfer(sample, "magnetometry")
    night.measure(sample)
    night.transfer(sample, f"cassette/{sample}")


def _is_taken_up(night: Scribe) -> None:
    """The operator has put sample 2 back and lets the campaign go on; later he aborts it, with a film waiting."""
    night.now += 3600
    night.say(e.CommandGiven(command="recover", by="anna", reason="sample 2 is back in its slot"))
    night.say(e.DaemonStarted(boot="boot-2"))
    night.suggest(3, 2)
    night.transfer(3, "deposition")
    night.deposit(3)
    night.say(e.CommandGiven(command="abort", by="anna", reason="the pump is loud"))
    night.made_safe("abort")
    night.say(e.CampaignEnded(end="aborted", reason="abort"))


def _dies_carrying(night: Scribe, sample: int) -> None:
    uid = night.begin("transfer", sample, source="deposition", destination="magnetometry")
    night.pick(uid, sample, "deposition")
    night.now += 60
    evidence = night.cut_off(uid, {"holding": True})
    night.say(
        e.SampleMoved(sample=sample, source="deposition", destination=e.GRIPPER),
        e.StepEnded(step=uid, end="interrupted", error="the worker died", evidence=evidence),
    )
    uid = night.begin("transfer", sample, source=e.GRIPPER, destination="magnetometry")
    night.place(uid, sample, "deposition", "magnetometry")
    night.places[sample] = "magnetometry"
    moved = e.SampleMoved(sample=sample, source=e.GRIPPER, destination="magnetometry")
    night.end(uid, "done", {"moved": True}, moved)
