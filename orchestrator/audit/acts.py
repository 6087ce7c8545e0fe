"""Checks of what operators did about the search: own samples, vetoes, rejections, repeats, the budget."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.audit.records import Fact, Records
from orchestrator.audit.ruling import Breach, Ruling, rule
from orchestrator.campaign import entries as e

OPERATOR = "operator"


def acts_named(records: Records) -> Iterator[Ruling]:
    """Whoever does something says who he is; and who vetoes or rejects, why."""
    for fact in _acts(records):
        told, wrong = fact.entry, ""
        if not told.by:
            wrong = f"{told.kind} by nobody"
        elif isinstance(told, e.SuggestionVetoed | e.ObservationRejected) and not told.reason:
            wrong = f"{told.kind} for no reason"
        yield rule(bool(wrong), Breach(wrong, (fact.version,), getattr(told, "sample", None)))


def acts_seen(records: Records) -> Iterator[Ruling]:
    """What another has changed since is not changed unseen: the same sample, the queue, the budget, the weights."""
    last: dict[str, int] = {}
    for fact in records.facts:
        match fact.entry:
            case e.ObservationMade(sample=number):
                last[f"value of sample {number}"] = fact.version
            case e.OwnSampleQueued() | e.SampleNoted():
                pass
            case told if isinstance(told, e.Act):
                subjects = _subjects(told)
                before = max((last.get(subject, 0) for subject in subjects), default=0)
                late = told.seen is not None and before > told.seen
                message = f"{told.kind} by {told.by}, who had seen entry {told.seen}: entry {before} came later"
                yield rule(late, Breach(message, (before, fact.version), getattr(told, "sample", None)))
                last |= dict.fromkeys(subjects[:1], fact.version)


def _subjects(told: e.Act) -> list[str]:
    """What `told` changes, and after that what else its giver must have seen."""
    match told:
        case e.QueueReordered() | e.OwnSampleWithdrawn():
            return ["queue"]
        case e.SuggestionVetoed(sample=number):
            return [f"sample {number}"]
        case e.ObservationRejected(sample=number) | e.ObservationRestored(sample=number):
            return [f"sample {number}", f"value of sample {number}"]
        case e.MeasurementRequested(sample=number):
            return [f"sample {number}", f"value of sample {number}"]
        case e.WeightsChanged():
            return ["weights"]
    return ["budget"]


def acts_in_time(records: Records) -> Iterator[Ruling]:
    """After a stop no film is asked for, vetoed or budgeted; after an abort nothing is to be measured again."""
    stopped = aborted = 0
    for fact in records.facts:
        match fact.entry:
            case e.CampaignEnded():
                aborted = 0  # whoever takes it up again begins anew
            case e.CommandGiven(command="stop"):
                stopped = fact.version
            case e.CommandGiven(command="abort"):
                aborted = fact.version
            case e.OwnSampleQueued() | e.SuggestionVetoed() | e.BudgetChanged() | e.WeightsChanged() as told:
                since = aborted or stopped
                yield rule(since > 0, Breach(f"{told.kind} after the campaign was to end", (since, fact.version)))
            case e.MeasurementRequested(sample=number):
                message = "to be measured again after an abort"
                yield rule(aborted > 0, Breach(message, (aborted, fact.version), number))


def own_in_turn(records: Records) -> Iterator[Ruling]:
    """Own samples are made in the order of the queue, as they were asked for, and before anything else is chosen."""
    asked: dict[int, Fact[e.OwnSampleQueued]] = {}
    queue: list[int] = []
    for fact in records.facts:
        wrong, sample = "", None
        match fact.entry:
            case e.OwnSampleQueued(queued=number):
                wrong = (
                    "" if number == len(asked) + 1 else f"own sample {number} is the {len(asked) + 1}. that was queued"
                )
                asked[number] = fact  # type: ignore[assignment]
                queue.append(number)
            case e.QueueReordered(order=order):
                wrong = "" if sorted(order) == sorted(queue) else f"the queue {queue} becomes {order}"
                queue = list(order)
            case e.OwnSampleWithdrawn(queued=number):
                wrong = "" if number in queue else f"own sample {number} is withdrawn, and is not in the queue"
                queue = [other for other in queue if other != number]
            case e.SampleSuggested() as told:
                sample, wrong = told.sample, _out_of_turn(told, queue, asked)
                queue = queue[1:] if told.method == OPERATOR else queue
            case _:
                continue
        yield rule(bool(wrong), Breach(wrong, (fact.version,), sample))


def _out_of_turn(told: e.SampleSuggested, queue: list[int], asked: dict[int, Fact[e.OwnSampleQueued]]) -> str:
    if told.method != OPERATOR:
        return f"chosen by {told.method} while own sample {queue[0]} waits" if queue else ""
    first = asked.get(queue[0]) if queue else None
    if first is None:
        return "an operator's own, and none was queued"
    same = (told.composition, told.settings) == (first.entry.composition, first.entry.settings)
    return "" if same else f"not what was asked for as own sample {queue[0]}"


def vetoed_bare(records: Records) -> Iterator[Ruling]:
    """What is vetoed is a bare substrate for certain, and nothing is made of it but the way home."""
    for number, fact in records.vetoed.items():
        deposits = records.steps_on(number, "deposit")
        perhaps = [s for s in deposits if s.ended_as in (None, "unknown") and s.intent.version < fact.version]
        open_then = [s for s in deposits if s.covers(fact)]
        film = records.films.get(number)
        wrong = "it has a film" if film else "a deposition may have begun one" if perhaps or open_then else ""
        yield rule(bool(wrong), Breach(f"vetoed, and {wrong}", (fact.version,), number))
        for step in records.steps_on(number, "deposit", "measure"):
            late = step.intent.version > fact.version
            message = f"a {step.plan} of a sample that was vetoed"
            yield rule(late, Breach(message, (fact.version, step.intent.version), number, step.uid))


def vetoes_heeded(records: Records) -> Iterator[Ruling]:
    """Nobody but an operator chooses again what was vetoed, while there is anything else."""
    vetoed: dict[str, int] = {}
    chosen = {said.entry.sample: _key(said.entry) for said in records.of(e.SampleSuggested)}
    for fact in records.facts:
        match fact.entry:
            case e.SuggestionVetoed(sample=number) if number in chosen:
                vetoed[chosen[number]] = fact.version
            case e.SampleSuggested() as told if told.method != OPERATOR and not told.replicate:
                since = vetoed.get(_key(told), 0)
                yield rule(since > 0, Breach("chosen again, and was vetoed", (since, fact.version), told.sample))


def _key(told: e.SampleSuggested) -> str:
    parts = {**told.composition, **told.settings}
    return " ".join(f"{name}={parts[name]:.9g}" for name in sorted(parts) if parts[name])


def rejections_ruled(records: Records) -> Iterator[Ruling]:
    """Only a value that stands is rejected or measured again, and only one that is rejected is taken back."""
    standing: dict[int, bool] = {}  # whether it is a value
    rejected: set[int] = set()
    for fact in records.facts:
        match fact.entry:
            case e.ObservationMade(sample=number) as told:
                standing[number] = told.value is not None
                continue
            case e.ObservationWithdrawn(sample=number):
                standing.pop(number, None)
                rejected.discard(number)
                continue
            case e.ObservationRejected(sample=number):
                wrong = (
                    "" if standing.get(number) and number not in rejected else "rejected, and has no value that counts"
                )
                rejected.add(number)
            case e.ObservationRestored(sample=number):
                wrong = "" if number in rejected else "taken back, and was not rejected"
                rejected.discard(number)
            case e.MeasurementRequested(sample=number):
                wrong = "" if number in standing else "to be measured again, and was not measured"
                standing.pop(number, None)
                rejected.discard(number)
            case _:
                continue
        yield rule(bool(wrong), Breach(wrong, (fact.version,), number))


def _acts(records: Records) -> list[Fact[e.Act]]:
    return [fact for fact in records.facts if isinstance(fact.entry, e.Act)]  # type: ignore[misc]
