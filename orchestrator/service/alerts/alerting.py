"""Sending alerts beside the thread that decides, which never waits for one.

The journal says what is to be told, the outbox what has been.  One thread takes entries and keeps the outbox; each
channel has another, so that one that hangs delays no other.  In quiet hours only critical alerts are sent; those that
nobody acknowledges go to a second group of channels.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from queue import Empty, Queue

from orchestrator.campaign import entries as e
from orchestrator.campaign.labspec import Alerts
from orchestrator.journal import Journal, JournalError
from orchestrator.service.alerts.alert import Alert, Message, Severity, acknowledges, message, outdated
from orchestrator.service.alerts.courier import ATTEMPT_S, START_S, Courier, NotDelivered, label
from orchestrator.service.alerts.escalation import Escalation
from orchestrator.service.alerts.hours import quiet_s
from orchestrator.service.alerts.line import MATTERS_S, Line
from orchestrator.service.alerts.outbox import Fate, Outbox
from orchestrator.service.alerts.telling import Teller, standing
from orchestrator.service.books import Listener

log = logging.getLogger(__name__)

Send = Callable[[str, Message], None]
"""Hands a message to the channel at a URL.  Raises `NotDelivered`, in bounded time.  By default a `Courier` does."""
CLOSE_S = 2 * ATTEMPT_S + START_S + 5.0
"""An attempt under way, and a last one."""
LOOK_AGAIN_S = 60.0
"""Quiet hours are by a clock that may be set: nobody waits for them in one go."""


class Channel:
    """One channel, and what it is still to be told; `step` is called by a thread of its own."""

    def __init__(
        self,
        number: int,
        url: str,
        outbox: Outbox,
        render: Callable[[Sequence[Alert], int], Message],
        lab_now: Callable[[], float],
        send: Send | None = None,
        now: Callable[[], float] = time.monotonic,
        quiet: Callable[[], float] = lambda: 0.0,
        leave_quiet: Callable[[], bool] = lambda: False,
    ) -> None:
        self.name = label(number, url)
        self._quiet, self._leave_quiet = quiet, leave_quiet
        self._courier = Courier()
        self._url, self._outbox, self._render = url, outbox, render
        self._send = self._courier.hand_over if send is None else send
        self._by_courier = send is None
        self._lab_now, self._now = lab_now, now
        self._line = Line()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"alerts {self.name}", daemon=True)

    def put(self, alert: Alert) -> None:
        """Tell of `alert`, unless that is done."""
        if self._outbox.settled(self.name, alert):
            return
        with self._changed:
            self._settle(self._line.put(alert, self._now()), "outdated")
            self._changed.notify_all()

    def drop_outdated(self, later: e.Entry) -> None:
        with self._changed:
            self._settle(self._line.drop(lambda alert: outdated(alert, later)), "outdated")

    def drop_acknowledged(self) -> None:
        """Somebody sees to whatever waits here."""
        with self._changed:
            self._settle(self._line.drop(lambda _: True), "acknowledged")

    @property
    def idle(self) -> bool:
        """Whether nothing is left to be told."""
        with self._changed:
            return not self._line.waiting

    def due_in(self) -> float | None:
        """Seconds until `step` has something to send; None if nothing waits."""
        with self._changed:
            return self._line.due_in(self._now(), self._quiet())

    def step(self) -> None:
        """Send what waits, as one message."""
        with self._changed:
            self._settle(self._line.drop(self._too_old), "too old")
            alerts, more = self._line.next(), len(self._line.waiting)
        if not alerts:
            return
        try:
            self._send(self._url, self._render(alerts, more - len(alerts)))
        except NotDelivered as why:
            log.warning("alert channel %s: %s", self.name, why)
            self._outbox.failed(self.name, str(why))
            with self._changed:
                self._line.failed(self._now())
            return
        with self._changed:
            self._settle(alerts, "delivered")
            self._line.sent(alerts, self._now())

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Try once more, at once, to tell what waits."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def _run(self) -> None:
        if self._by_courier:
            self._courier.prepare()
        try:
            self._tell_all()
        finally:
            self._courier.close()

    def _tell_all(self) -> None:
        """Until we are closed."""
        last = False
        while not last:
            with self._changed:
                while not self._closing and (wait_s := self._line.due_in(self._now(), self._quiet())) != 0.0:
                    self._changed.wait(None if wait_s is None else min(wait_s, LOOK_AGAIN_S))
                last = self._closing
                leave = last and self._line.due_in(self._now(), self._quiet()) != 0.0 and self._kept_quiet()
            if not leave:
                self.step()

    def _kept_quiet(self) -> bool:
        """Whether what waits is kept for the end of the quiet hours by somebody who outlives us."""
        return self._quiet() > 0.0 and not self._line.urgent and self._leave_quiet()

    def _too_old(self, alert: Alert) -> bool:
        return self._lab_now() - alert.time > MATTERS_S

    def _settle(self, alerts: Sequence[Alert], fate: Fate) -> None:
        for alert in alerts:
            self._outbox.settle(self.name, alert, fate)


class Alerting(Listener):
    """Tells the channels at `urls` what the campaign `subject` in `home` has come to, and those at `escalation` what
    nobody acknowledges.  Use it as a context.

    `journal` is where the alerts follow from; None if they come by `tell` alone.  `lab_now` gives the time of their
    stamps, `rules` when to tell what.  `leave_quiet`: whether somebody outlives us who tells, when quiet hours are
    over, what is not urgent.
    """

    def __init__(
        self,
        urls: Sequence[str],
        outbox: Outbox,
        journal: Journal | None,
        lab_now: Callable[[], float],
        *,
        subject: str,
        home: str,
        send: Send | None = None,
        escalation: Sequence[str] = (),
        rules: Alerts | None = None,
        civil_now: Callable[[], datetime] = datetime.now,
        leave_quiet: Callable[[], bool] = lambda: False,
    ) -> None:
        self._outbox, self._journal, self._lab_now = outbox, journal, lab_now
        self.rules = rules or Alerts()

        def render(alerts: Sequence[Alert], more: int) -> Message:
            return message(alerts, subject, home, more)

        def quiet() -> float:
            return quiet_s(self.rules.quiet, civil_now())

        made = [
            Channel(number, url, outbox, render, lab_now, send, quiet=quiet, leave_quiet=leave_quiet)
            for number, url in enumerate([*urls, *escalation], 1)
        ]
        self.channels, self.second = made[: len(urls)], made[len(urls) :]
        self._escalation = Escalation(60 * self.rules.escalate_after_min)
        self._inbox: Queue[e.Recorded | Alert | None] = Queue()
        self._teller = Teller(self.rules)
        self._version = self._acknowledged = 0
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)

    # --- from any thread, at once ---------------------------------------------------------------------

    def recorded(self, recorded: e.Recorded) -> None:
        self._inbox.put(recorded)

    def unwritable(self, reason: str) -> None:
        if reason:
            text = f"The journal cannot be written ({reason}). The night waits two minutes for it, then ends: make "
            self.tell("critical", text + "room on its disk, or end what locks it.", "journal")
        else:
            self.tell("info", "The journal can be written again, and the night goes on.", "journal")

    def tell(self, severity: Severity, text: str, about: str = "", name: str = "") -> None:
        """Tell of what no journal can hold.  Of those that have the same `name`, one is told, once."""
        at = self._lab_now()
        self._inbox.put(Alert(name or f"{about} {uuid.uuid4().hex}", at, severity, text, about))

    # --- for whoever starts and ends it ---------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Whether all that has come has been told or need not be, and nobody's acknowledgement is waited for."""
        told = not self._inbox.unfinished_tasks and all(channel.idle for channel in (*self.channels, *self.second))
        return told and not (self.second and self._escalation.waiting)

    def __enter__(self) -> Alerting:
        for alert in self._outbox.of_no_entry():
            self._inbox.put(alert)
        for channel in (*self.channels, *self.second):
            channel.start()
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Try at once and once more to tell what waits: never longer than `CLOSE_S`, and not if we are interrupted."""
        if isinstance(error, Exception) and self._version:
            text = f"The daemon ended by itself ({error}); every station makes itself safe. Mend what it names, then "
            self.tell("critical", text + "give `nightshift recover`.", "daemon")
        self._inbox.put(None)
        patience_s = CLOSE_S if error is None or isinstance(error, Exception) else 0.0
        until = time.monotonic() + patience_s
        self._thread.join(patience_s)
        for channel in (*self.channels, *self.second):
            channel.join(max(0.0, until - time.monotonic()))

    # --- the thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            try:
                came = self._inbox.get(timeout=self._escalation.due_in(time.monotonic()))
            except Empty:
                self._escalate()
                continue
            if came is None:
                break
            if isinstance(came, Alert):
                self._raise([came])
            elif came.version > self._version:
                self._hear(came)
            self._inbox.task_done()
        for channel in (*self.channels, *self.second):
            channel.close()

    def _hear(self, recorded: e.Recorded) -> None:
        """The first entry brings with it all those before it: some may not have been told of."""
        news = [recorded]
        if not self._version and recorded.version > 1 and self._journal is not None:
            try:
                news = list(self._journal.read())
            except JournalError as error:
                log.error("alerts of what was before entry %d are not sent: %s", recorded.version, error)
        self._version = news[-1].version
        self._acknowledged = max((r.version for r in news if acknowledges(r.entry)), default=self._acknowledged)
        for channel in (*self.channels, *self.second):
            channel.drop_outdated(recorded.entry)
        self._spare(self._escalation.drop(lambda alert: outdated(alert, recorded.entry)), "outdated")
        if acknowledges(recorded.entry):
            self.acknowledged()
        self._raise(standing(news, self._teller))

    def acknowledged(self) -> None:
        """A person sees to what was told so far: nobody else is called for it."""
        self._spare(self._escalation.drop(lambda _: True), "acknowledged")
        for channel in self.second:
            channel.drop_acknowledged()

    def _spare(self, alerts: Sequence[Alert], fate: Fate) -> None:
        """The second group need not hear of `alerts`, not from the next daemon either."""
        for alert in alerts:
            for channel in self.second:
                self._outbox.settle(channel.name, alert, fate)

    def _raise(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            self._outbox.raised(alert)
            for channel in self.channels:
                channel.put(alert)
            acknowledged = alert.name.isdigit() and int(alert.name) <= self._acknowledged
            if not acknowledged and not all(self._outbox.settled(channel.name, alert) for channel in self.second):
                since_s = self._outbox.raised_s(alert)
                self._spare(self._escalation.raised(alert, time.monotonic(), since_s), "outdated")

    def _escalate(self) -> None:
        for alert in self._escalation.take(time.monotonic()):
            log.warning("nobody has acknowledged: %s", alert.text)
            for channel in self.second:
                channel.put(alert)
