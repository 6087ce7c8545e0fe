"""Wrong in what was decided."""

from __future__ import annotations

from tests.audit.doctor import Doctor, Entry
from tests.audit.mutations.kit import caught_by, failed_measurement, put


@caught_by("suggestions-distinct", "moves-connected")
def two_samples_on_one_substrate(doctor: Doctor) -> None:
    doctor.edit("sample_suggested", put(slot=1), sample=6)


@caught_by("suggestions-distinct")
def a_sample_on_no_substrate(doctor: Doctor) -> None:
    doctor.edit("sample_suggested", put(slot=9), sample=6)


@caught_by("suggestions-informed")
def a_choice_that_overlooks_an_observation(doctor: Doctor) -> None:
    doctor.edit("sample_suggested", put(observed=1), sample=3)


@caught_by("suggestions-informed")
def a_choice_that_overlooks_a_pending_sample(doctor: Doctor) -> None:
    doctor.edit("sample_suggested", put(pending=[]), sample=2)


@caught_by("suggestions-informed")
def a_choice_that_knows_the_future(doctor: Doctor) -> None:
    doctor.edit("sample_suggested", put(observed=1, pending=[]), sample=2)


@caught_by("suggestions-in-budget")
def more_films_than_the_budget(doctor: Doctor) -> None:
    doctor.edit("campaign_started", lambda entry: entry["campaign"]["budget"].update(samples=4))


@caught_by("suggestions-in-budget")
def more_substrates_than_the_budget(doctor: Doctor) -> None:
    doctor.edit("campaign_started", lambda entry: entry["campaign"]["budget"].update(substrates=4))


@caught_by("commands-obeyed")
def a_step_begun_while_held(doctor: Doctor) -> None:
    doctor.delete("command_given", command="resume")


@caught_by("commands-obeyed")
def films_begun_after_a_stop(doctor: Doctor) -> None:
    order = {"kind": "command_given", "command": "stop", "by": "anna", "reason": "enough"}
    doctor.insert(doctor.find("sample_suggested", sample=5)[0], order)


@caught_by("commands-obeyed")
def a_step_begun_after_an_abort(doctor: Doctor) -> None:
    order = {"kind": "command_given", "command": "abort", "by": "anna", "reason": "smoke"}
    doctor.insert(doctor.find("sample_suggested", sample=6)[0], order)


@caught_by("commands-obeyed")
def a_hold_lifted_by_a_stop_that_knew_nothing_of_it(doctor: Doctor) -> None:
    doctor.edit("command_given", put(command="stop", by="bert", seen=1), command="resume")


@caught_by("commands-fresh")
def a_resume_that_knew_nothing_of_the_hold(doctor: Doctor) -> None:
    doctor.edit("command_given", put(seen=1), command="resume")


@caught_by("commands-fresh")
def a_request_taken_twice(doctor: Doctor) -> None:
    for command in ("hold", "resume"):
        doctor.edit("command_given", put(key="one"), command=command)


@caught_by("left-safe")
def a_station_left_as_it_was(doctor: Doctor) -> None:
    doctor.delete("station_made_safe", station="deposition")


@caught_by("settings-within-limits")
def a_film_asked_for_beyond_the_limits(doctor: Doctor) -> None:
    def lower(entry: Entry) -> None:
        for gun in ("gun1", "gun2"):
            entry["lab"]["stations"]["deposition"]["devices"][gun]["limits"]["power"] = [0.0, 90.0]

    doctor.edit("campaign_started", lower)


@caught_by("settings-as-chosen")
def a_setting_that_is_not_searched(doctor: Doctor) -> None:
    doctor.edit("sample_suggested", put(settings={"power_w": 120.0}), sample=3)


@caught_by("settings-as-chosen")
def a_setting_that_nobody_chose(doctor: Doctor) -> None:
    doctor.edit("campaign_started", lambda entry: entry["campaign"]["film"].update(power_w={"choices": [100, 120]}))


@caught_by("settings-as-chosen")
def a_setting_beyond_its_range(doctor: Doctor) -> None:
    def narrow(entry: Entry) -> None:
        entry["campaign"]["film"].update(power_w={"min": 50.0, "max": 80.0, "choices": None})

    doctor.edit("campaign_started", narrow)
    for sample in range(1, 7):
        doctor.edit("sample_suggested", put(settings={"power_w": 100.0}), sample=sample)


@caught_by("settings-as-chosen")
def a_film_with_another_power_than_the_campaign_says(doctor: Doctor) -> None:
    doctor.edit("campaign_started", lambda entry: entry["campaign"]["film"].update(power_w=90.0))


@caught_by("settings-within-limits")
def a_field_beyond_the_coil(doctor: Doctor) -> None:
    doctor.edit(
        "campaign_started", lambda entry: entry["lab"]["stations"]["magnetometry"].update(field_per_ampere_mt=20)
    )


@caught_by("faults-told")
def a_failure_of_no_class(doctor: Doctor) -> None:
    doctor.edit("step_ended", put(fault=""), end="failed", step=failed_measurement(doctor))


@caught_by("faults-told")
def a_fault_of_a_step_that_is_done(doctor: Doctor) -> None:
    doctor.edit("step_ended", put(fault="robot"), end="done")


@caught_by("attempts-within-rules")
def a_second_attempt_against_the_rule(doctor: Doctor) -> None:
    def no_second(entry: Entry) -> None:
        entry["campaign"]["recovery"]["faults"]["measurement"]["actions"] = ["skip"]

    doctor.edit("campaign_started", no_second)
