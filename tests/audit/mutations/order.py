"""Wrong in the journal's order."""

from __future__ import annotations

from tests.audit.doctor import Doctor
from tests.audit.mutations.kit import caught_by, ended, failed_measurement, put, retreat


@caught_by("versions-gapless")
def an_entry_is_missing(doctor: Doctor) -> None:
    doctor.delete("daemon_started", renumbered=False)


@caught_by("entries-known")
def an_entry_of_an_unknown_kind(doctor: Doctor) -> None:
    doctor.insert(doctor.last() - 1, {"kind": "miracle_happened"})


@caught_by("entries-known", "samples-known")
def an_entry_that_lacks_a_field(doctor: Doctor) -> None:
    doctor.edit("sample_suggested", lambda entry: entry.pop("slot"), sample=6)


@caught_by("journal-intact")
def a_file_of_another_program(doctor: Doctor) -> None:
    with doctor.journal() as db:
        db.execute("PRAGMA application_id = 42")


@caught_by("times-forward")
def an_entry_made_before_the_one_it_follows(doctor: Doctor) -> None:
    doctor.retime(-100, "sample_suggested", sample=3)


@caught_by("campaign-framed")
def a_campaign_started_twice(doctor: Doctor) -> None:
    _, _, started = doctor.find("campaign_started")
    doctor.insert(doctor.last() - 1, started)


@caught_by("campaign-framed")
def something_done_after_the_end(doctor: Doctor) -> None:
    doctor.insert(doctor.last(), {"kind": "campaign_ended", "end": "stopped", "reason": "again"})


@caught_by("samples-known")
def a_sample_that_was_never_suggested(doctor: Doctor) -> None:
    gone = {"kind": "sample_discarded", "sample": 99, "by": "anna", "reason": "broken"}
    doctor.insert(doctor.last() - 1, gone)


@caught_by("intent-before-outcome")
def a_step_that_ends_twice(doctor: Doctor) -> None:
    version, _, entry = doctor.find("step_ended")
    doctor.insert(version, entry)


@caught_by("intent-before-outcome")
def a_step_intended_twice(doctor: Doctor) -> None:
    version, _, _ = doctor.find("step_ended", 3)
    doctor.insert(version, retreat(1), ended(), retreat(1), ended())


@caught_by(
    "intent-before-outcome", "results-within-steps", "runs-intended", "steps-agree", "marks-after-intent",
    "acts-within-steps",
)  # fmt: skip
def an_outcome_without_an_intent(doctor: Doctor) -> None:
    doctor.delete("step_intended", plan="deposit", sample=1)


@caught_by("one-step-per-station")
def two_steps_at_one_station(doctor: Doctor) -> None:
    version, _, _ = doctor.find("step_intended", plan="transfer", sample=2)
    doctor.insert(version, retreat(1), ended())


@caught_by("done-has-result")
def a_measurement_that_is_done_and_tells_nothing(doctor: Doctor) -> None:
    doctor.edit("step_ended", put(end="done", fault=""), step=failed_measurement(doctor))
    doctor.station("magnetometry", "UPDATE steps SET state = 'done' WHERE uid = ?", failed_measurement(doctor))


@caught_by("results-within-steps")
def an_observation_outside_its_step(doctor: Doctor) -> None:
    entry = doctor.delete("observation_made", sample=4)
    version, time, _ = doctor.find("step_ended", step=doctor.find("step_intended", plan="measure", sample=4)[2]["step"])
    doctor.insert(version, entry, time=time + 1)


@caught_by("moves-connected")
def a_transfer_from_where_the_sample_is_not(doctor: Doctor) -> None:
    _, _, intent = doctor.find("step_intended", plan="transfer", sample=3)  # it grips nothing
    wrong = {"source": "cassette/7", "destination": "deposition"}
    doctor.edit("step_intended", put(kwargs=wrong), plan="transfer", sample=3)
    statement = "UPDATE steps SET step = json_set(step, '$.kwargs.source', 'cassette/7') WHERE uid = ?"
    doctor.station("robot", statement, intent["step"])


@caught_by("moves-connected", "moves-agree")
def a_sample_that_went_elsewhere(doctor: Doctor) -> None:
    doctor.edit("sample_moved", put(destination="cassette/7"), sample=4, destination="cassette/4")


@caught_by("moves-connected", "results-within-steps", "done-has-result", "moves-agree")
def moves_of_swapped_samples(doctor: Doctor) -> None:
    doctor.edit("sample_moved", put(sample=3), sample=4, destination="cassette/4")


@caught_by("none-left-open")
def a_step_that_never_ends(doctor: Doctor) -> None:
    doctor.insert(doctor.find("sample_discarded", sample=6)[0], retreat(4))


@caught_by("back-after-lost")
def an_optimizer_that_is_back_from_nowhere(doctor: Doctor) -> None:
    doctor.delete("optimizer_lost")


@caught_by("back-after-lost")
def a_station_that_is_back_after_it_was_lost_for_good(doctor: Doctor) -> None:
    lost = {"kind": "station_lost", "station": "robot", "reason": "died", "for_good": True}
    doctor.insert(doctor.last() - 1, lost, {"kind": "station_restarted", "station": "robot", "reason": "died"})
