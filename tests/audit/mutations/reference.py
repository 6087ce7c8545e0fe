"""The reference specimen, and values that it does not vouch for."""

from __future__ import annotations

from tests.audit.doctor import Doctor

from .kit import caught_by, ended, put, retreat


@caught_by("reference-bare", night="checked")
def a_film_for_the_reference_specimen(doctor: Doctor) -> None:
    deposit = {**retreat(0), "plan": "deposit", "station": "deposition", "claims": ["deposition"]}
    doctor.insert(doctor.find("sample_suggested", sample=1)[0], deposit, ended())


@caught_by("reference-ruled", night="checked")
def a_reference_that_showed_something_else(doctor: Doctor) -> None:
    doctor.edit("reference_measured", put(value=2.4e-6))


@caught_by("reference-ruled", night="checked")
def a_reference_known_to_have_something_else(doctor: Doctor) -> None:
    doctor.edit("reference_measured", put(expected=2.1e-6))


@caught_by("reference-ruled", night="checked")
def a_verdict_on_another_loop(doctor: Doctor) -> None:
    doctor.edit("reference_measured", put(value=2.02e-6, ratio=1.01))


@caught_by("reference-ruled", "values-vouched-for", night="checked")
def a_drift_that_is_called_good(doctor: Doctor) -> None:
    doctor.edit("reference_measured", put(verdict="good"), 2)


@caught_by("values-vouched-for", night="checked")
def too_many_films_after_a_verdict(doctor: Doctor) -> None:
    doctor.edit("campaign_started", lambda entry: entry["lab"]["reference"].update(every_films=1))


@caught_by("values-vouched-for", "observed-once", "settled-left-alone", night="checked")
def a_value_that_stands_although_the_magnetometer_had_drifted(doctor: Doctor) -> None:
    doctor.delete("observation_withdrawn", sample=2)


@caught_by("done-has-result", "values-vouched-for", night="checked")
def a_verdict_that_is_missing(doctor: Doctor) -> None:
    doctor.delete("reference_measured", 4)


@caught_by("values-vouched-for", "film-accounted", night="checked")
def a_value_taken_back_for_no_reason(doctor: Doctor) -> None:
    withdrawn = {"kind": "observation_withdrawn", "sample": 2, "reason": "it looks odd"}
    doctor.insert(doctor.find("observation_made", 1, sample=2)[0] + 1, withdrawn)
