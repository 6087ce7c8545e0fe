"""What deserves an alert, and what it says."""

from __future__ import annotations

from typing import get_args

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.entries import Recorded
from orchestrator.service.alerts.alert import Alert, alert_of, message, outdated
from orchestrator.service.alerts.telling import standing

STATION_LOST = e.StationLost(station="robot", reason="its process died (exit code -9)")
STATION_BACK = e.StationRestarted(station="robot", reason="its process died (exit code -9)")
OPTIMIZER_LOST = e.OptimizerLost(reason="it has not answered for 4.0 s")
OPTIMIZER_GONE = e.OptimizerLost(reason="it has not answered for 4.0 s", for_good=True)
OPTIMIZER_BACK = e.OptimizerRestarted(reason="it has not answered for 4.0 s")
QUARANTINED = e.SampleQuarantined(sample=3, reason="the gripper is empty")
NEEDED = e.OperatorNeeded(reason="5 samples in a row came to nothing")
RECOVERED = e.CommandGiven(command="recover", by="tester", reason="done")
DAEMON = e.DaemonStarted(boot="boot")

DESERVE = [
    (STATION_LOST, "warning", ["Station robot was lost", "exit code -9", "nothing to do yet"]),
    (STATION_BACK, "info", ["Station robot is safe and works again", "nothing to do"]),
    (OPTIMIZER_LOST, "warning", ["The optimizer was lost", "4.0 s", "nothing to do yet"]),
    (OPTIMIZER_GONE, "warning", ["not started again", "space-filling", "stop it"]),
    (OPTIMIZER_BACK, "info", ["The optimizer works again"]),
    (QUARANTINED, "warning", ["Sample 3 is set aside", "the gripper is empty", "look for it"]),
    (NEEDED, "critical", ["cannot go on alone", "5 samples in a row", "`nightshift recover`"]),
    (e.CampaignEnded(end="done", reason="budget: 3 samples"), "info", ["is done", "budget: 3 samples", "safe"]),
    (e.CampaignEnded(end="stopped", reason="stop"), "info", ["is stopped", "every station is safe"]),
    (e.CampaignEnded(end="aborted", reason="SIGTERM"), "warning", ["was aborted", "SIGTERM"]),
    (e.CampaignEnded(end="needs operator", reason="robot"), "critical", ["needs you: robot", "`nightshift recover`"]),
]
SILENT = {
    "campaign_started",
    "daemon_started",
    "model_assessed",
    "sample_suggested",
    "step_intended",
    "step_ended",
    "sample_moved",
    "film_deposited",
    "rates_calibrated",
    "observation_made",
    "calculation_intended",
    "calculation_ended",  # also one that failed: films go on without it
    "weights_changed",
    "observation_withdrawn",  # the operator is called beside it
    "reference_measured",
    "sample_discarded",
    "command_given",
    "own_sample_queued",
    "queue_reordered",
    "own_sample_withdrawn",
    "suggestion_vetoed",
    "observation_rejected",
    "observation_restored",
    "measurement_requested",
    "sample_noted",
    "budget_changed",
    "alerts_acknowledged",
    "contract_signed",
    "campaign_held",
    "station_made_safe",
}


def recorded(*entries: e.Entry) -> list[Recorded]:
    return [Recorded(version=n, time=1.7e9 + n, entry=entry) for n, entry in enumerate(entries, 1)]


@pytest.mark.parametrize(("entry", "severity", "words"), DESERVE, ids=lambda value: getattr(value, "kind", ""))
def test_what_deserves_an_alert(entry: e.Entry, severity: str, words: list[str]) -> None:
    alert = alert_of(Recorded(version=7, time=1.7e9, entry=entry))
    assert alert is not None
    assert (alert.name, alert.time, alert.severity) == ("7", 1.7e9, severity)
    assert [word for word in words if word not in alert.text] == []


def test_every_kind_of_entry_is_judged() -> None:
    """A new kind must be put on one side or the other."""
    members = get_args(get_args(e.Entry)[0])
    assert {member.model_fields["kind"].default for member in members} == SILENT | {entry.kind for entry, *_ in DESERVE}
    assert all(alert_of(one) is None for one in recorded(DAEMON, RECOVERED, e.CampaignHeld()))


def test_a_station_lost_for_good_is_told_once() -> None:
    """The operator is called beside it, in the same transaction, with its name and why."""
    lost = e.StationLost(station="robot", reason="why", for_good=True)
    (alert,) = standing(recorded(lost, e.OperatorNeeded(reason="station robot is lost (why)")))
    assert alert.severity == "critical"


def test_what_came_right_replaces_what_went_wrong() -> None:
    assert [a.name for a in standing(recorded(STATION_LOST, OPTIMIZER_LOST, STATION_BACK))] == ["2", "3"]


def test_what_an_operator_has_recovered_from_is_not_told() -> None:
    ended = e.CampaignEnded(end="needs operator", reason="robot")
    assert standing(recorded(QUARANTINED, NEEDED, ended, RECOVERED)) == []
    assert [a.name for a in standing(recorded(NEEDED, ended, RECOVERED, DAEMON, NEEDED))] == ["5"]


def test_another_daemon_has_other_processes_and_the_same_needs() -> None:
    assert [a.name for a in standing(recorded(STATION_LOST, QUARANTINED, NEEDED, DAEMON))] == ["2", "3"]


POLICY_HOLD = e.CommandGiven(command="hold", by="recovery policy", reason="the gun arcs", after_steps=True)


def test_a_hold_by_policy_is_told_until_somebody_lifts_it() -> None:
    (alert,) = standing(recorded(POLICY_HOLD, DAEMON))
    assert alert.severity == "critical"
    assert "the gun arcs" in alert.text
    for command in ("resume", "stop", "abort"):
        assert standing(recorded(POLICY_HOLD, e.CommandGiven(command=command, by="tester", reason=""))) == []


def test_an_operator_s_own_hold_wakes_nobody() -> None:
    assert standing(recorded(e.CommandGiven(command="hold", by="tester", reason="coffee"))) == []


def test_other_commands_outdate_nothing() -> None:
    hold = e.CommandGiven(command="hold", by="tester", reason="")
    assert not outdated(Alert("1", 0.0, "warning", "text", "station robot"), hold)


def test_one_message_tells_all_with_the_worst_in_its_title() -> None:
    told = message(standing(recorded(STATION_LOST, NEEDED, QUARANTINED)), "fe-co-ni in vsm", "/nights/one")
    assert told.title == "Nightshift, fe-co-ni in vsm: you are needed"
    assert told.severity == "critical"
    lines = told.body.splitlines()
    assert ["robot" in lines[0], "alone" in lines[1], "Sample 3" in lines[2]] == [True] * 3
    assert lines[3:] == ["Home: /nights/one"]


def test_a_message_says_how_many_follow() -> None:
    body = message(standing(recorded(NEEDED)), "campaign", "home", 6).body
    assert body.splitlines()[1].startswith("And 6 more")
