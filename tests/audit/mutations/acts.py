"""Wrong in what operators did about the search."""

from __future__ import annotations

from typing import Any

from tests.audit.doctor import Doctor, Entry
from tests.audit.mutations.kit import caught_by, put


def act(kind: str, **told: Any) -> Entry:
    return {"kind": kind, "by": "bert", "reason": "r", "key": "", "seen": None, **told}


@caught_by("acts-named", night="acted")
def a_rejection_for_no_reason(doctor: Doctor) -> None:
    doctor.edit("observation_rejected", put(reason=""))


@caught_by("acts-named", night="acted")
def a_note_by_nobody(doctor: Doctor) -> None:
    doctor.edit("sample_noted", put(by=""))


@caught_by("acts-seen", night="acted")
def a_rejection_taken_back_unseen(doctor: Doctor) -> None:
    doctor.edit("observation_restored", put(seen=1))


@caught_by("acts-seen", night="acted")
def a_rejection_by_who_had_not_seen_the_value(doctor: Doctor) -> None:
    doctor.edit("observation_rejected", put(seen=1))


@caught_by("acts-seen", night="acted")
def a_queue_reordered_twice_from_one_look(doctor: Doctor) -> None:
    doctor.edit("own_sample_withdrawn", put(seen=1))


@caught_by("acts-in-time", night="acted")
def a_budget_changed_after_a_stop(doctor: Doctor) -> None:
    last = doctor.find("step_ended", number=-1)[0]
    stop = {"kind": "command_given", "command": "stop", "by": "anna", "reason": "enough"}
    doctor.insert(last, stop, act("budget_changed", samples=6, lab_hours=None))


@caught_by("own-in-turn", night="acted")
def a_queue_that_lost_one_when_it_was_reordered(doctor: Doctor) -> None:
    doctor.edit("queue_reordered", put(order=[2, 1]), queued=1)


@caught_by("own-in-turn", night="acted")
def an_own_sample_that_nobody_asked_for(doctor: Doctor) -> None:
    doctor.edit("sample_suggested", put(method="operator"), sample=3)


@caught_by("own-in-turn", night="acted")
def a_choice_out_of_turn(doctor: Doctor) -> None:
    doctor.delete("own_sample_withdrawn")


@caught_by("own-in-turn", night="acted")
def not_what_was_asked_for(doctor: Doctor) -> None:
    doctor.edit("own_sample_queued", put(composition={"Fe": 0.6, "Co": 0.4}), queued=2)


@caught_by("vetoed-bare", night="acted")
def a_film_that_was_vetoed_while_it_grew(doctor: Doctor) -> None:
    """A deposition of which nobody knows what came before the veto."""
    veto = doctor.find("suggestion_vetoed")[0]
    step = {"kind": "step_intended", "step": "another", "plan": "deposit", "sample": 1, "attempt": 1,
            "station": "deposition", "claims": ["deposition"], "kwargs": {}}  # fmt: skip
    end = {"kind": "step_ended", "step": "another", "end": "failed", "fault": "protocol", "error": "", "run_uids": []}
    for kind, number in [
        ("queue_reordered", 0),
        ("queue_reordered", 1),
        *[("own_sample_withdrawn", n) for n in (0, 1)],
    ]:
        doctor.edit(kind, put(seen=None), number)  # what they had seen is numbered otherwise now
    for kind in ("observation_rejected", "observation_restored", "measurement_requested"):
        doctor.edit(kind, put(seen=None))
    doctor.insert(veto, end)
    doctor.insert(veto - 1, step)


@caught_by("settled-left-alone", night="acted")
def a_vetoed_sample_that_is_carried_on(doctor: Doctor) -> None:
    version = doctor.find("step_intended", plan="transfer", sample=1)[0]
    veto = doctor.delete("suggestion_vetoed")
    doctor.insert(version - 1, veto)


@caught_by("vetoes-heeded", night="acted")
def a_vetoed_composition_chosen_again(doctor: Doctor) -> None:
    first = doctor.find("sample_suggested", sample=1)[2]
    doctor.edit("sample_suggested", put(composition=first["composition"]), sample=3)


@caught_by("rejections-ruled", night="acted")
def a_rejection_of_what_is_rejected(doctor: Doctor) -> None:
    version = doctor.find("observation_rejected")[0]
    doctor.insert(version, act("observation_rejected", sample=2))


@caught_by("rejections-ruled", night="acted")
def a_rejection_taken_back_that_never_was(doctor: Doctor) -> None:
    doctor.edit("observation_restored", put(sample=3))


@caught_by("suggestions-distinct", "suggestions-informed", "moves-connected", "films-known", night="acted")
def a_substrate_taken_that_was_not_given_back(doctor: Doctor) -> None:
    doctor.delete("suggestion_vetoed")


@caught_by("suggestions-informed", night="acted")
def a_choice_that_knows_what_was_rejected(doctor: Doctor) -> None:
    doctor.edit("sample_suggested", put(observed=1), sample=3)


@caught_by("suggestions-informed", night="acted")
def a_choice_that_overlooks_what_is_measured_again(doctor: Doctor) -> None:
    doctor.edit("sample_suggested", put(pending=[]), sample=4)


@caught_by("suggestions-in-budget", night="acted")
def more_films_than_the_new_budget(doctor: Doctor) -> None:
    doctor.edit("budget_changed", put(samples=1))


@caught_by("observed-once", "settled-left-alone", night="acted")
def measured_again_and_nobody_asked(doctor: Doctor) -> None:
    doctor.edit("sample_suggested", put(observed=2, pending=[]), sample=4)
    doctor.delete("measurement_requested")


@caught_by("commands-fresh", night="acted")
def an_action_taken_twice(doctor: Doctor) -> None:
    doctor.edit("observation_restored", put(key="one"))
    doctor.edit("measurement_requested", put(key="one"))
