"""Wrong in the stations' logs."""

from __future__ import annotations

import json

from tests.audit.doctor import Doctor
from tests.audit.mutations.kit import caught_by, failed_measurement, put


@caught_by("documents-intact")
def a_descriptor_that_cannot_be_read(doctor: Doctor) -> None:
    doctor.station("robot", "UPDATE documents SET body = '{' WHERE name = 'descriptor' AND run LIKE 'run-retire%'")


@caught_by("documents-intact", "runs-whole")
def an_event_that_cannot_be_read(doctor: Doctor) -> None:
    doctor.station("robot", "UPDATE documents SET body = '[]' WHERE name = 'event' AND run LIKE 'run-retire%'")


@caught_by("runs-whole")
def a_lost_event(doctor: Doctor) -> None:
    doctor.station("deposition", "DELETE FROM documents WHERE name = 'event' AND run LIKE 'run-deposit-3%'")


@caught_by("runs-whole")
def a_lost_stop(doctor: Doctor) -> None:
    doctor.station("magnetometry", "DELETE FROM documents WHERE name = 'stop' AND run LIKE 'run-measure-3%'")


@caught_by("runs-logged")
def a_lost_run(doctor: Doctor) -> None:
    doctor.station("deposition", "DELETE FROM documents WHERE run LIKE 'run-deposit-3%'")


@caught_by("runs-logged")
def a_run_of_another_sample(doctor: Doctor) -> None:
    statement = "UPDATE documents SET body = json_set(body, '$.sample', '2') WHERE name = 'start' AND run LIKE ?"
    doctor.station("deposition", statement, "run-deposit-3%")


@caught_by("runs-logged")
def a_run_of_another_attempt(doctor: Doctor) -> None:
    statement = "UPDATE documents SET body = json_set(body, '$.attempt', 2) WHERE name = 'start' AND run LIKE ?"
    doctor.station("deposition", statement, "run-deposit-3%")


@caught_by("runs-logged")
def an_outcome_that_names_no_run(doctor: Doctor) -> None:
    doctor.edit("step_ended", put(run_uids=[]), step=doctor.find("step_intended", plan="retire")[2]["step"])
    doctor.station("robot", "DELETE FROM documents WHERE run LIKE 'run-retire%'")


@caught_by("runs-intended")
def an_orphan_run(doctor: Doctor) -> None:
    for name, body in (("start", {"step": "deposit-7-999"}), ("stop", {"num_events": {}})):
        statement = "INSERT INTO documents (run, name, body) VALUES ('orphan', ?, ?)"
        doctor.station("deposition", statement, name, json.dumps(body))


@caught_by("runs-intended")
def a_run_that_its_outcome_forgets(doctor: Doctor) -> None:
    """A failed step, so that it need not name any run."""
    doctor.edit("step_ended", put(run_uids=[]), step=failed_measurement(doctor))


@caught_by("steps-agree")
def a_step_carried_out_with_other_arguments(doctor: Doctor) -> None:
    statement = "UPDATE steps SET step = json_set(step, '$.kwargs.power_w', 150.0) WHERE uid LIKE 'deposit-3%'"
    doctor.station("deposition", statement)


@caught_by("steps-agree")
def a_step_begun_before_it_was_intended(doctor: Doctor) -> None:
    doctor.station("deposition", "UPDATE steps SET begun = begun - 60 WHERE uid LIKE 'deposit-3%'")


@caught_by("steps-agree")
def a_step_that_goes_on_after_its_outcome(doctor: Doctor) -> None:
    doctor.station("deposition", "UPDATE steps SET ended = ended + 60 WHERE uid LIKE 'deposit-3%'")


@caught_by("steps-agree")
def a_failed_step_that_is_called_done(doctor: Doctor) -> None:
    doctor.station("deposition", "UPDATE steps SET state = 'failed' WHERE uid LIKE 'deposit-3%'")


@caught_by("steps-agree")
def a_step_that_its_station_knows_nothing_of(doctor: Doctor) -> None:
    doctor.station("robot", "DELETE FROM steps WHERE uid LIKE 'retire%'")


@caught_by("steps-agree", "marks-after-intent")
def a_step_that_the_journal_knows_nothing_of(doctor: Doctor) -> None:
    statement = "INSERT INTO steps (uid, step, state, begun) SELECT 'extra', step, state, begun FROM steps LIMIT 1"
    doctor.station("deposition", statement)
    doctor.station("deposition", "INSERT INTO marks (uid, mark, facts, time) VALUES ('extra', 'uncover', '{}', 0)")


@caught_by("marks-after-intent")
def an_act_before_its_intent(doctor: Doctor) -> None:
    doctor.station("deposition", "UPDATE marks SET time = time - 3000 WHERE uid LIKE 'deposit-3%'")


@caught_by("marks-after-intent")
def an_act_after_its_outcome(doctor: Doctor) -> None:
    doctor.station("robot", "UPDATE marks SET time = time + 3000 WHERE uid LIKE 'transfer-4%' AND mark = 'place'")


@caught_by("film-as-recorded")
def a_film_that_is_not_the_recorded_one(doctor: Doctor) -> None:
    doctor.edit("film_deposited", put(thickness_nm=50.01), sample=3)


@caught_by("observed-as-recorded")
def an_outcome_that_was_not_measured(doctor: Doctor) -> None:
    told = {"validity": "valid", "value": 1.0, "sigma": 0.1, "unit": "kA/m"}
    doctor.edit("observation_made", put(outcomes={"saturation_magnetisation": told}), sample=3)


@caught_by("observed-as-recorded")
def quantities_that_are_not_the_recorded_ones(doctor: Doctor) -> None:
    doctor.edit("observation_made", put(loop={"field_mt": [], "signal": []}), sample=2)


@caught_by("observed-as-recorded")
def a_value_that_is_not_among_the_quantities(doctor: Doctor) -> None:
    doctor.edit("observation_made", put(value=1583.0), sample=2)


@caught_by("readings-within-limits")
def a_device_set_beyond_its_limits(doctor: Doctor) -> None:
    statement = "UPDATE documents SET body = json_set(body, '$.data.power', 201.0) WHERE name = 'event' AND run LIKE ?"
    doctor.station("deposition", statement, "run-deposit-3%")


@caught_by("runs-logged", "steps-agree")
def a_station_without_its_log(doctor: Doctor) -> None:
    (doctor.home / "magnetometry.documents.db").unlink()
