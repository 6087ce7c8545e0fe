"""Checks of the journal's order: whole, forward in time, every outcome after its intent, one step a station."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from orchestrator.audit.records import CLOCK_S, Records, Step
from orchestrator.audit.ruling import FINE, Breach, Ruling, Unchecked, rule
from orchestrator.campaign import entries as e


def journal_intact(records: Records) -> Iterator[Ruling]:
    yield from (Breach(wrong.message) for wrong in records.misread)
    yield from (FINE for _ in range(records.rows))


def entries_known(records: Records) -> Iterator[Ruling]:
    for unknown in records.unknown:
        yield Breach(f"entry {unknown.version} {unknown.message}", (unknown.version or 0,))
    yield from (FINE for _ in range(records.rows - len(records.unknown)))


def versions_gapless(records: Records) -> Iterator[Ruling]:
    there = {fact.version for fact in records.facts} | {u.version for u in records.unknown if u.version}
    last = max(there, default=0)
    for version in range(1, last + 1):
        yield rule(version not in there, Breach(f"entry {version} is missing", (version,)))
    for version in sorted(there):
        if version < 1:
            yield Breach(f"an entry is numbered {version}; versions count from 1", (version,))


def times_forward(records: Records) -> Iterator[Ruling]:
    for before, fact in zip(records.facts, records.facts[1:], strict=False):
        back = before.time - fact.time
        if back > CLOCK_S and isinstance(fact.entry, e.DaemonStarted):
            yield Unchecked(f"the clock was set back by {back:.0f} s when the daemon started (entry {fact.version})")
            continue
        yield rule(
            back > CLOCK_S,
            Breach(
                f"entry {fact.version} was made {back:.1f} s before the one it follows", (before.version, fact.version)
            ),
        )


def campaign_framed(records: Records) -> Iterator[Ruling]:
    """A campaign starts first, once; when it has ended for good, nothing more is done or learnt."""
    ended: tuple[int, str] | None = None
    done = (e.SampleSuggested, e.StepIntended, e.SampleMoved, e.FilmDeposited, e.ObservationMade, e.CampaignEnded)
    for number, fact in enumerate(records.facts):
        match fact.entry:
            case e.CampaignStarted():
                yield rule(number > 0, Breach("a campaign starts in a journal that has begun", (fact.version,)))
            case _ if number == 0:
                yield Breach(f"the journal begins with {fact.entry.kind}, not with its campaign", (fact.version,))
            case _ if ended is not None and isinstance(fact.entry, done):
                version, how = ended
                yield Breach(f"{fact.entry.kind}, but the campaign ended as {how}", (version, fact.version))
        if isinstance(fact.entry, e.CampaignEnded) and fact.entry.end != "needs operator":
            ended = fact.version, fact.entry.end


def intent_before_outcome(records: Records) -> Iterator[Ruling]:
    intended: dict[str, int] = {}
    ended: dict[str, int] = {}
    for fact in records.facts:
        match fact.entry:
            case e.StepIntended(step=uid):
                again = Breach("a step is intended twice", (intended.get(uid, 0), fact.version), step=uid)
                yield rule(uid in intended, again)
                intended.setdefault(uid, fact.version)
            case e.StepEnded(step=uid):
                yield _end_follows(fact.version, uid, intended, ended)
                ended.setdefault(uid, fact.version)


def _end_follows(version: int, uid: str, intended: dict[str, int], ended: dict[str, int]) -> Ruling:
    if uid not in intended:
        return Breach("a step ended that was not intended before", (version,), step=uid)
    return rule(uid in ended, Breach("a step ends twice", (ended.get(uid, 0), version), step=uid))


def one_step_per_station(records: Records) -> Iterator[Ruling]:
    """No station, and no sample, has two steps open at a time."""
    holders: dict[str, str] = {}
    for fact in records.facts:
        match fact.entry:
            case e.StepIntended() as intent:
                for claim in (*dict.fromkeys([intent.station, *intent.claims]), f"sample {intent.sample}"):
                    taken = f"it claims {claim}, which step {holders.get(claim)} has"
                    yield rule(claim in holders, Breach(taken, (fact.version,), sample=intent.sample, step=intent.step))
                    holders.setdefault(claim, intent.step)
            case e.StepEnded(step=uid):
                holders = {claim: step for claim, step in holders.items() if step != uid}


def none_left_open(records: Records) -> Iterator[Ruling]:
    """The end of a campaign finds no step open, unless it asks for the operator of a station that is lost."""
    over = records.over
    if over is None:
        if still := [step.uid for step in records.steps.values() if step.end is None]:
            yield Unchecked(f"the campaign has not ended; open: {', '.join(still)}")
        return
    lost = {fact.entry.station for fact in records.of(e.StationLost)}
    for step in records.steps.values():
        if step.end is None and over.entry.end == "needs operator" and step.intent.entry.station in lost:
            yield Unchecked(f"step {step.uid} is open at a station that was lost: nobody has looked yet")
            continue
        message = f"the campaign ended as {over.entry.end}, the step is open"
        yield rule(step.end is None, Breach(message, step.versions, step.sample, step.uid))


def back_after_lost(records: Records) -> Iterator[Ruling]:
    """A station or the optimizer is back only after this daemon had lost it, and not after it was lost for good."""
    lost: dict[str, bool] = {}
    for fact in records.facts:
        match fact.entry:
            case e.DaemonStarted():
                lost.clear()
            case e.StationLost() | e.OptimizerLost() as gone:
                lost[_process(gone)] = gone.for_good
            case e.StationRestarted() | e.OptimizerRestarted() as back:
                name = _process(back)
                wrong = "was lost for good" if lost.get(name) else "had not been lost"
                yield rule(lost.pop(name, True), Breach(f"{name} is back, and {wrong}", (fact.version,)))


def _process(entry: e.StationLost | e.StationRestarted | e.OptimizerLost | e.OptimizerRestarted) -> str:
    return f"station {entry.station}" if isinstance(entry, e.StationLost | e.StationRestarted) else "the optimizer"


def samples_known(records: Records) -> Iterator[Ruling]:
    """Whatever is told of a sample is told after it was suggested."""
    known: set[int] = set() if records.reference is None else {e.REFERENCE}
    for fact in records.facts:
        number = getattr(fact.entry, "sample", None)
        if isinstance(fact.entry, e.SampleSuggested):
            known.add(fact.entry.sample)
        elif isinstance(number, int):
            yield rule(
                number not in known,
                Breach(f"{fact.entry.kind} of a sample that was never suggested", (fact.version,), number),
            )


Result = type[e.SampleMoved | e.FilmDeposited | e.ObservationMade | e.ReferenceMeasured]
RESULTS: dict[str, tuple[Result, str]] = {
    "transfer": (e.SampleMoved, "where the sample went"),
    "deposit": (e.FilmDeposited, "which film was made"),
    "measure": (e.ObservationMade, "what was observed"),
}
REFERENCE_RESULT: tuple[Result, str] = (e.ReferenceMeasured, "what the reference specimen showed")


def _of_reference(step: Step) -> bool:
    return step.plan == "measure" and step.sample == e.REFERENCE


def done_has_result(records: Records) -> Iterator[Ruling]:
    """A step that is done has told what came of it: one result, while it was open."""
    for step in records.steps.values():
        if step.ended_as != "done" or step.end is None or step.plan not in RESULTS:
            continue
        kind, what = REFERENCE_RESULT if _of_reference(step) else RESULTS[step.plan]
        told = Counter(step.covers(f) and f.entry.sample == step.sample for f in records.of(kind))[True]
        yield rule(
            told != 1,
            Breach(
                f"done, but {what} is told {told} times", (step.intent.version, step.end.version), step.sample, step.uid
            ),
        )


def results_within_steps(records: Records) -> Iterator[Ruling]:
    """Every move, film and observation belongs to a step of its plan on its sample."""
    for plan, (kind, _) in [*RESULTS.items(), ("measure", REFERENCE_RESULT)]:
        for fact in records.of(kind):
            number = fact.entry.sample
            inside = any(step.covers(fact) for step in records.steps_on(number, plan))
            yield rule(
                not inside,
                Breach(f"{fact.entry.kind}, and no {plan} of that sample is open", (fact.version,), number),
            )
