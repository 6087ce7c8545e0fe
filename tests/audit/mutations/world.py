"""Wrong by the simulated world's own account."""

from __future__ import annotations

from tests.audit.doctor import Doctor, Entry, seen
from tests.audit.mutations.kit import caught_by


@caught_by("begun-once")
def a_film_begun_twice(doctor: Doctor) -> None:
    def twice(events: list[Entry]) -> None:
        first = seen(events, "film_begun", 3)
        events.insert(events.index(first) + 1, {**first, "t": first["t"] + 5})

    doctor.world(twice)


@caught_by("films-known")
def a_film_that_the_journal_does_not_know(doctor: Doctor) -> None:
    """Sample 5's deposition failed before a film was begun, says its station."""
    time = doctor.find("step_intended", plan="deposit", sample=5)[1] + 100

    def extra(events: list[Entry]) -> list[Entry]:
        for kind in ("film_begun", "film_finished"):
            events.append({**seen(events, kind, 3), "t": time, "substrate": 5})
        return sorted(events, key=lambda event: event["t"])

    doctor.world(extra)


@caught_by("films-known", "acts-within-steps")
def a_film_on_a_substrate_of_no_sample(doctor: Doctor) -> None:
    def extra(events: list[Entry]) -> None:
        for kind in ("film_begun", "film_finished"):
            events.append({**seen(events, kind, 3), "t": events[-1]["t"] + 1, "substrate": 8})

    doctor.world(extra)


@caught_by("films-real")
def a_film_that_never_was(doctor: Doctor) -> None:
    for event in ("film_begun", "film_finished", "measured"):
        doctor.without(event, 4)


@caught_by("made-as-told")
def a_film_of_another_composition(doctor: Doctor) -> None:
    def other(events: list[Entry]) -> None:
        seen(events, "film_finished", 3)["composition"] = {"Fe": 0.6, "Co": 0.4}

    doctor.world(other)


@caught_by("made-as-told")
def a_film_of_another_thickness(doctor: Doctor) -> None:
    doctor.world(lambda events: seen(events, "film_finished", 3).update(thickness_nm=60.0))


@caught_by("value-true")
def a_value_that_is_not_true(doctor: Doctor) -> None:
    def other(events: list[Entry]) -> None:
        seen(events, "film_finished", 2)["true_properties"]["saturation_magnetisation_ka_m"] = 900.0

    doctor.world(other)


@caught_by("value-true")
def a_bound_on_the_wrong_side(doctor: Doctor) -> None:
    def other(events: list[Entry]) -> None:
        seen(events, "film_finished", 3)["true_properties"]["saturation_magnetisation_ka_m"] = 900.0

    doctor.world(other)


@caught_by("measured-for-real")
def a_film_that_was_never_measured(doctor: Doctor) -> None:
    doctor.without("measured", 2)


@caught_by("measured-for-real")
def a_film_measured_before_it_was_observed(doctor: Doctor) -> None:
    """The loop was read in an earlier stay than the one that was observed."""
    doctor.world(lambda events: seen(events, "measured", 2).update(t=seen(events, "film_begun", 2)["t"] + 550))
    doctor.world(lambda events: sorted(events, key=lambda event: event["t"]))


@caught_by("acts-within-steps")
def a_film_begun_before_its_intent(doctor: Doctor) -> None:
    """In the moment between the sample's arrival and the intent of its deposition."""
    doctor.world(lambda events: seen(events, "film_begun", 3).update(t=seen(events, "placed", 3)["t"] + 3))


@caught_by("acts-within-steps", "moves-agree")
def a_sample_moved_after_the_outcome(doctor: Doctor) -> None:
    def late(events: list[Entry]) -> None:
        for event in ("picked", "placed", "moved"):
            seen(events, event, 4, -1)["t"] += 100

    doctor.world(late)


@caught_by("moves-agree")
def a_sample_that_moved_untold(doctor: Doctor) -> None:
    """The transfer that gripped nothing did move the sample."""
    time = doctor.find("step_intended", plan="transfer", sample=3)[1] + 10

    def extra(events: list[Entry]) -> list[Entry]:
        for after, (event, place) in enumerate((("picked", "cassette/3"), ("placed", "deposition"))):
            events.append({"t": time + after, "event": event, "substrate": 3, "place": place})
        return sorted(events, key=lambda event: event["t"])

    doctor.world(extra)


@caught_by("moves-agree")
def a_sample_that_was_never_moved(doctor: Doctor) -> None:
    doctor.world(lambda events: [x for x in events if not (x["substrate"] == 4 and x.get("place") == "cassette/4")])


@caught_by("no-hazard")
def a_hazard(doctor: Doctor) -> None:
    doctor.world(lambda events: events.append({"t": events[-1]["t"], "event": "hazard", "kind": "magnet_slew"}))


@caught_by("sources-off")
def sources_that_stay_on(doctor: Doctor) -> None:
    doctor.without("film_finished", 4)


@caught_by("world-intact")
def a_torn_line_in_the_world_log(doctor: Doctor) -> None:
    with doctor.world_log.open("a") as log:
        log.write('{"t": 1738609')


@caught_by("world-in-order")
def a_film_finished_that_was_never_begun(doctor: Doctor) -> None:
    doctor.world(
        lambda events: events.append({**seen(events, "film_finished", 1), "t": events[-1]["t"], "substrate": 8})
    )


@caught_by("world-in-order")
def a_world_whose_time_goes_back(doctor: Doctor) -> None:
    doctor.world(lambda events: events.append({"t": events[0]["t"], "event": "tick", "substrate": 0}))
