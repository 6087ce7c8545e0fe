"""One message to one channel: over real sockets, in a process of its own."""

from __future__ import annotations

import time

import pytest

from orchestrator.service.alerts.alert import Message
from orchestrator.service.alerts.courier import (
    MOST,
    START_S,
    Courier,
    NotDelivered,
    hand_over,
    label,
    scrubbed,
    unknown,
)
from tests.alerts.receivers import HttpChannel, MailChannel

TOLD = Message(
    "Nightshift, fe-co-ni in vsm: you are needed", "03:12 Station robot is lost.\nHome: /nights/ä", "critical"
)


def refusal(url: str, timeout_s: float = 15.0) -> str:
    with pytest.raises(NotDelivered) as caught:
        hand_over(url, TOLD, timeout_s)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(caught.value.__cause__)
    return str(caught.value)


def test_a_channel_takes_it_as_it_is() -> None:
    with HttpChannel() as channel:
        hand_over(channel.url("lab:s3cret"), TOLD)
        got = channel.next()
    assert (got.title, got.message) == (TOLD.title, TOLD.body)


def test_a_mail_comes_whole() -> None:
    with MailChannel() as channel:
        hand_over(channel.url(), TOLD)
        mail = channel.got.get(timeout=10)
    assert "fe-co-ni in vsm" in mail
    assert "03:12 Station robot is lost." in mail


def test_a_mail_server_that_refuses_is_no_delivery() -> None:
    with MailChannel(refuse=True) as channel:
        assert "failed" in refusal(channel.url())


def test_a_server_that_fails_is_named_by_its_code() -> None:
    with HttpChannel() as channel:
        channel.become("fails")
        assert "error=500" in refusal(channel.url("lab:s3cret"))


def test_nobody_there_is_no_delivery() -> None:
    with HttpChannel() as channel:
        channel.become("refuses")
        assert "Connection error" in refusal(channel.url("lab:s3cret"))


def test_one_that_hangs_is_left_in_time() -> None:
    with HttpChannel() as channel:
        channel.become("hangs")
        began = time.monotonic()
        # Apprise itself would wait: its own time-out is told to be longer than ours.
        refusal(channel.url("lab:s3cret") + "?rto=100", timeout_s=3.0)
        assert time.monotonic() - began < START_S + 10.0, "the start of its process included"


def test_what_apprise_does_not_know_is_found_without_asking_anybody() -> None:
    with HttpChannel() as channel:
        assert unknown([channel.url(), "nosuch://lab:s3cret@host", "mailto://lab:s3cret@example.org"]) == [1]
        assert channel.asked == 0
    assert unknown([]) == []
    assert "Unparseable" in refusal("nosuch://lab:s3cret@host")


SECRETS = {
    "mailto://lab:s3cret@example.org?smtp=mail.example.org": ["s3cret", "S3CRET"],
    "slack://T1JJ3T3L2/s3cret/TIiajkdnlazkcOXrIdevi7FQ/#lab": ["T1JJ3T3L2", "s3cret", "TIiajkdnlazkcOXrIdevi7FQ"],
    "json://lab:s3cret%2Fp%40ss@example.org/path?token=tok+en": ["s3cret%2Fp%40ss", "s3cret/p@ss", "tok+en", "tok en"],
    "tgram://123456789:s3cret/chat": ["123456789", "s3cret"],
    "json://a:b1@host": ["b1"],
}


@pytest.mark.parametrize("url", SECRETS)
def test_no_secret_of_a_url_is_ever_said(url: str) -> None:
    said = scrubbed(f"Failed: {url} refused '{', '.join(SECRETS[url])}' as a pass phrase.", url)
    assert [secret for secret in SECRETS[url] if secret in said] == []
    assert said.startswith("Failed: ")
    assert "refused" in said
    assert said.endswith("pass phrase.")


def test_a_channel_is_called_by_its_place_and_kind() -> None:
    assert [label(1, "mailto://lab:s3cret@example.org"), label(2, "slack://a/b/c")] == ["1 mailto", "2 slack"]


# --- one that keeps its process -----------------------------------------------------------------------


def test_one_message_after_the_other_by_the_same_process() -> None:
    courier = Courier()
    courier.prepare()
    helper = courier._helper
    with HttpChannel() as channel:
        for _ in range(2):
            courier.hand_over(channel.url("lab:s3cret"), TOLD)
            assert channel.next().message == TOLD.body
        channel.become("fails")
        with pytest.raises(NotDelivered, match="error=500"):
            courier.hand_over(channel.url("lab:s3cret"), TOLD)
        assert courier._helper is helper is not None
        helper.told = MOST
        channel.become("takes")
        courier.hand_over(channel.url(), TOLD)
        assert courier._helper is not helper
        assert not helper.lives
    courier.close()
    courier.close()
    assert courier._helper is None


def test_a_process_that_hangs_is_replaced() -> None:
    courier = Courier()
    with HttpChannel() as channel:
        channel.become("hangs")
        with pytest.raises(NotDelivered, match="did not take the message within 1 s"):
            courier.hand_over(channel.url() + "?rto=100", TOLD, 1.0)
        channel.become("takes")
        courier.hand_over(channel.url(), TOLD)
        assert channel.next().title == TOLD.title
    courier.close()


def test_a_process_that_died_while_it_waited_costs_no_message() -> None:
    courier = Courier()
    courier.prepare()
    assert courier._helper is not None
    courier._helper._process.kill()
    courier._helper._process.wait()
    with HttpChannel() as channel:
        courier.hand_over(channel.url(), TOLD)
        assert channel.next().title == TOLD.title
    courier.close()


def test_one_whose_starter_has_ended_ends_too() -> None:
    courier = Courier()
    courier.prepare()
    assert courier._helper is not None
    process = courier._helper._process
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(60) == 0
    courier.close()
