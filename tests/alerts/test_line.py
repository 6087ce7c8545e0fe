"""When a channel is told what."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.service.alerts.alert import Alert
from orchestrator.service.alerts.line import FIRST_RETRY_S, GAP_S, GATHER_S, LONGEST_RETRY_S, MOST, SOON, Line


def alert(name: str, about: str = "") -> Alert:
    return Alert(name, 0.0, "warning", f"text {name}", about)


def test_the_first_goes_nearly_at_once_and_a_burst_together() -> None:
    line = Line()
    assert line.due_in(0.0) is None
    line.put(alert("1"), -GATHER_S)
    assert line.due_in(-GATHER_S) == GATHER_S
    assert line.due_in(0.0) == 0.0
    line.sent(line.waiting, 0.0)
    assert line.due_in(0.0) is None
    for number in range(50):
        line.put(alert(f"burst {number}"), 0.5)
    assert line.due_in(1.0) == GAP_S - 1.0
    assert line.due_in(GAP_S) == 0.0
    assert len(line.waiting) == 50


def test_a_flood_goes_in_messages_of_a_length_that_is_read_the_worst_first() -> None:
    line = Line()
    for number in range(MOST + 5):
        line.put(alert(f"{number}"), 0.0)
    line.put(Alert("bad", 0.0, "critical", "text"), 0.0)
    first = line.next()
    assert len(first) == MOST
    assert first[-1].name == "bad"
    line.sent(first, 1.0)
    assert len(line.next()) == 6
    assert line.due_in(1.0) == GAP_S


def test_nobody_is_woken_for_what_is_not_critical() -> None:
    line = Line()
    line.put(alert("1"), 0.0)
    assert line.due_in(1.0, quiet_s=3600.0) == 3600.0
    line.put(Alert("bad", 0.0, "critical", "text"), 1.0)
    assert line.due_in(2.0, quiet_s=3600.0) == 0.0


def test_what_came_while_one_was_sent_is_still_to_be_told() -> None:
    line = Line()
    line.put(alert("1"), 0.0)
    sending = list(line.waiting)
    line.put(alert("2"), 0.0)
    line.sent(sending, 0.0)
    assert [a.name for a in line.waiting] == ["2"]


def test_one_about_the_same_replaces_what_waits() -> None:
    line = Line()
    assert line.put(alert("1", "robot"), 0.0) == []
    assert line.put(alert("2"), 0.0) == []
    assert [a.name for a in line.put(alert("3", "robot"), 0.0)] == ["1"]
    assert line.put(alert("4"), 0.0) == []
    assert [a.name for a in line.waiting] == ["2", "3", "4"]


def test_a_channel_that_is_down_is_tried_ever_more_rarely_but_always_again() -> None:
    line, now, waits = Line(), 0.0, []
    line.put(alert("1"), 0.0)
    for _ in range(100):
        line.failed(now)
        waits.append(line.due_in(now) or 0.0)
        now += waits[-1]
    assert waits[: SOON + 3] == [FIRST_RETRY_S] * SOON + [FIRST_RETRY_S * factor for factor in (2, 4, 8)]
    assert all(before <= after for before, after in pairwise(waits))
    assert waits[-1] == LONGEST_RETRY_S
    line.sent(line.waiting, now)
    line.put(alert("2"), now)
    line.failed(now)
    assert line.due_in(now) == FIRST_RETRY_S


@given(st.lists(st.floats(min_value=0, max_value=120), min_size=1, max_size=80))
def test_never_more_than_a_few_messages_a_minute_and_none_later_than_a_gap(times: list[float]) -> None:
    """However alerts come, while the channel takes them."""
    line, sent, waited = Line(), [], []
    coming = sorted(times)
    put_at: dict[str, float] = {}
    now = 0.0
    while coming or line.waiting:
        while coming and coming[0] <= now:
            name = str(len(put_at))
            put_at[name] = coming.pop(0)
            line.put(alert(name), now)
        if line.due_in(now) == 0.0:
            waited += [now - put_at[a.name] for a in line.waiting]
            sent.append(now)
            line.sent(line.waiting, now)
        due_in = line.due_in(now)
        now = min([*coming[:1], *([] if due_in is None else [now + due_in])], default=now)
    assert len(waited) == len(times)
    assert max(waited) <= GAP_S + GATHER_S + 1e-6
    assert all(after - before >= GAP_S - 1e-6 for before, after in pairwise(sent))
