"""Wrong in what virtual stations calculated."""

from __future__ import annotations

from tests.audit.doctor import Doctor
from tests.audit.mutations.kit import caught_by, put

NIGHT = "calculated"


@caught_by("calculations-framed", night=NIGHT)
def a_calculation_that_ends_and_was_not_intended(doctor: Doctor) -> None:
    doctor.delete("calculation_intended", calculation=1)


@caught_by("calculations-framed", night=NIGHT)
def a_calculation_that_ends_twice(doctor: Doctor) -> None:
    version, _, entry = doctor.find("calculation_ended", calculation=1)
    doctor.insert(version, entry)


@caught_by("calculations-framed", night=NIGHT)
def two_calculations_in_one_process(doctor: Doctor) -> None:
    version, _, _ = doctor.find("calculation_intended", calculation=2)
    ended = doctor.delete("calculation_ended", calculation=1)
    doctor.insert(version, ended)


@caught_by("calculations-framed", night=NIGHT)
def a_calculation_that_outlives_the_campaign(doctor: Doctor) -> None:
    doctor.delete("calculation_ended", calculation=3)


@caught_by("calculations-allowed", night=NIGHT)
def a_calculation_too_many(doctor: Doctor) -> None:
    doctor.edit("campaign_started", lambda entry: entry["campaign"]["virtual"]["theory"].update(calculations=1))


@caught_by("calculations-allowed", night=NIGHT)
def a_calculation_by_a_station_that_is_not_used(doctor: Doctor) -> None:
    doctor.edit("calculation_intended", put(station="other", lane="other.1"), calculation=1)


@caught_by("calculations-allowed", night=NIGHT)
def a_calculation_in_another_unit(doctor: Doctor) -> None:
    doctor.edit("calculation_ended", put(unit="T"), calculation=1)
