"""Wrong in what becomes of the samples."""

from __future__ import annotations

from tests.audit.doctor import Doctor
from tests.audit.mutations.kit import caught_by, ended, put, retreat


@caught_by("film-once")
def a_film_told_twice(doctor: Doctor) -> None:
    version, _, film = doctor.find("film_deposited", sample=4)  # of a step that was cut off: no one result is due
    doctor.insert(version, film)


@caught_by("film-once", "done-has-result")
def a_second_film_of_a_step_that_is_done(doctor: Doctor) -> None:
    version, _, film = doctor.find("film_deposited", sample=3)
    doctor.insert(version, film)


@caught_by("deposit-on-bare")
def a_deposition_where_a_film_may_be(doctor: Doctor) -> None:
    """Sample 2's first deposition failed before a film was begun; now nobody knows."""
    _, _, intent = doctor.find("step_intended", plan="deposit", sample=2)
    doctor.edit("step_ended", put(end="unknown", evidence={"shutter": "opened"}), step=intent["step"])


@caught_by("deposit-on-bare", "settled-left-alone")
def a_deposition_onto_a_film(doctor: Doctor) -> None:
    again = {**retreat(1), "plan": "deposit", "station": "deposition", "claims": ["deposition"]}
    doctor.insert(doctor.find("sample_suggested", sample=3)[0], again, ended())


@caught_by("film-accounted")
def a_forgotten_film(doctor: Doctor) -> None:
    doctor.delete("observation_made", sample=4)


@caught_by("film-accounted", "done-has-result", "suggestions-informed")
def a_lost_measurement(doctor: Doctor) -> None:
    doctor.delete("observation_made", sample=2)


@caught_by("given-up-by-name")
def a_sample_given_up_for_no_reason(doctor: Doctor) -> None:
    doctor.edit("sample_discarded", put(by=""), sample=5)


@caught_by("given-up-by-name")
def a_sample_given_up_twice(doctor: Doctor) -> None:
    version, _, entry = doctor.find("sample_discarded", sample=6)
    doctor.insert(version, entry)


@caught_by("given-up-by-name")
def an_observed_sample_that_is_discarded(doctor: Doctor) -> None:
    gone = {"kind": "sample_discarded", "sample": 1, "by": "policy", "reason": "could not be deposited"}
    doctor.insert(doctor.find("sample_discarded", sample=6)[0], gone)


@caught_by("settled-left-alone")
def a_quarantined_sample_that_is_measured(doctor: Doctor) -> None:
    version, _, _ = doctor.find("step_ended", step=doctor.find("step_intended", plan="deposit", sample=3)[2]["step"])
    aside = {"kind": "sample_quarantined", "sample": 3, "reason": "nobody knows"}
    doctor.insert(version, aside, {"kind": "operator_needed", "reason": "look at sample 3"})


@caught_by("settled-left-alone", night="troubled")
def a_lost_sample_that_is_fetched(doctor: Doctor) -> None:
    home = {"source": "magnetometry", "destination": "cassette/2"}
    doctor.insert(doctor.find("operator_needed")[0], {**retreat(2), "plan": "transfer", "kwargs": home}, ended())


@caught_by("settled-left-alone")
def an_observed_sample_that_is_measured_again(doctor: Doctor) -> None:
    again = {**retreat(1), "plan": "measure", "station": "magnetometry", "claims": ["magnetometry"]}
    doctor.insert(doctor.find("sample_suggested", sample=3)[0], again, ended())


@caught_by("measured-has-film")
def a_bare_substrate_that_is_measured(doctor: Doctor) -> None:
    again = {**retreat(6), "plan": "measure", "station": "magnetometry", "claims": ["magnetometry"]}
    doctor.insert(doctor.find("sample_discarded", sample=6)[0] - 1, again, ended())


@caught_by("unknown-settled")
def a_film_that_was_cut_off_and_settled_by_nothing(doctor: Doctor) -> None:
    doctor.edit("step_ended", put(evidence=None), end="interrupted")


@caught_by("unknown-settled", night="troubled")
def a_sample_that_was_lost_and_not_set_aside(doctor: Doctor) -> None:
    doctor.delete("sample_quarantined")


@caught_by("unknown-settled")
def a_film_that_was_settled_by_other_marks(doctor: Doctor) -> None:
    """As if the shutter had never been about to open."""
    doctor.edit("step_ended", lambda entry: entry["evidence"].update(marks=[]), end="interrupted")


@caught_by("unknown-settled")
def a_film_that_was_settled_by_other_readings(doctor: Doctor) -> None:
    doctor.edit("step_ended", lambda entry: entry["evidence"].update(substrate_shutter="open"), end="interrupted")


@caught_by("unknown-settled", night="troubled")
def a_hand_over_that_was_cut_off_and_settled_by_nothing(doctor: Doctor) -> None:
    doctor.edit("step_ended", put(evidence={}), end="interrupted")


@caught_by("moves-connected", "moves-agree", night="troubled")
def a_sample_that_was_guessed_to_have_arrived(doctor: Doctor) -> None:
    doctor.edit("sample_moved", put(destination="magnetometry"), destination="gripper")


@caught_by("times-forward", night="troubled")
def a_lost_sample_that_was_heard_of_earlier(doctor: Doctor) -> None:
    doctor.retime(-30, "operator_needed")


@caught_by("quarantine-alerts")
def a_sample_set_aside_in_silence(doctor: Doctor) -> None:
    aside = {"kind": "sample_quarantined", "sample": 6, "reason": "nobody knows"}
    doctor.insert(doctor.find("sample_discarded", sample=6)[0], aside)


@caught_by("observed-once")
def a_sample_observed_twice(doctor: Doctor) -> None:
    version, _, entry = doctor.find("observation_made", sample=4)
    doctor.insert(version, entry)


@caught_by("observed-once", "done-has-result", "suggestions-informed")
def a_value_observed_twice(doctor: Doctor) -> None:
    version, _, entry = doctor.find("observation_made", sample=2)
    doctor.insert(version, entry)


@caught_by("observed-what-was-made")
def a_model_told_what_was_asked_for(doctor: Doctor) -> None:
    doctor.edit("observation_made", put(composition={"Fe": 0.6, "Co": 0.4}), sample=2)


@caught_by("observed-what-was-made", "film-as-recorded", "made-as-told")
def films_of_swapped_samples(doctor: Doctor) -> None:
    made = {n: doctor.find("film_deposited", sample=n)[2]["composition"] for n in (2, 3)}
    doctor.edit("film_deposited", put(composition=made[3]), sample=2)
    doctor.edit("film_deposited", put(composition=made[2]), sample=3)


@caught_by("no-made-up-value", "entries-known")
def a_bad_contact_that_is_a_zero(doctor: Doctor) -> None:
    doctor.edit("observation_made", put(value=0.0, sigma=0.0), sample=4)


@caught_by("no-made-up-value")
def a_bound_that_nothing_explains(doctor: Doctor) -> None:
    doctor.edit("observation_made", put(reason=""), sample=3)


@caught_by("no-made-up-value", "entries-known")
def a_bound_of_no_side(doctor: Doctor) -> None:
    doctor.edit("observation_made", put(bound=None), sample=3)


@caught_by("no-made-up-value")
def a_value_in_another_unit(doctor: Doctor) -> None:
    doctor.edit("observation_made", put(unit="A/m"), sample=2)


@caught_by("compositions-whole", "entries-known", "film-as-recorded", "observed-what-was-made", "made-as-told")
def fractions_that_do_not_sum_to_1(doctor: Doctor) -> None:
    doctor.edit("film_deposited", put(composition={"Fe": 0.7, "Co": 0.4}), sample=2)


@caught_by("compositions-whole")
def an_element_that_the_campaign_has_not(doctor: Doctor) -> None:
    doctor.edit("sample_suggested", put(composition={"Fe": 0.5, "Cu": 0.5}), sample=6)
