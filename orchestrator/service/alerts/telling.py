"""What deserves an alert in a journal as a whole: single entries, and what several of them come to; pure."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.campaign import entries as e
from orchestrator.campaign.labspec import Alerts
from orchestrator.service.alerts.alert import Alert, Severity, alert_of, outdated

FEW_SAMPLES = 5
"""A budget of fewer has no part that would be worth a word."""


class Teller:
    """Takes a campaign's entries, from the first, and says what each brings; `rules` are those of the lab."""

    def __init__(self, rules: Alerts | None = None) -> None:
        self._rules = rules or Alerts()
        self._intents: dict[str, e.StepIntended] = {}
        self._failed: set[int] = set()
        self._in_a_row = self._rejects = self._samples = self._daemons = 0
        self._started_at = 0.0
        self._budget: dict[str, float] = {}
        self._spent: set[str] = set()

    def tell(self, recorded: e.Recorded) -> list[Alert]:
        """The alerts that `recorded`, the next entry, deserves."""
        single = alert_of(recorded)
        found = [single] if single else []
        for name, severity, text, about in self._together(recorded):
            found.append(Alert(name, recorded.time, severity, text, about))
        return found

    def _together(self, recorded: e.Recorded) -> list[tuple[str, Severity, str, str]]:
        version, entry = str(recorded.version), recorded.entry
        told: list[tuple[str, Severity, str, str]] = []
        match entry:
            case e.CampaignStarted():
                self._begin(entry, recorded.time)
            case e.DaemonStarted():
                self._daemons += 1
                if self._daemons > 1:
                    text = "The daemon was started again and goes on with the campaign. Nothing to do, unless you "
                    told.append((version, "info", text + "did not start it: then see why it had ended.", "restart"))
            case e.StepIntended():
                self._intents[entry.step] = entry
            case e.StepEnded():
                intent = self._intents.pop(entry.step, None)
                if entry.fault and intent is not None:
                    self._failed.add(intent.sample)
                    told.append((version, "warning", _fault(entry, intent), f"fault {entry.fault}"))
            case e.SampleSuggested():
                self._samples += 1
            case e.CommandGiven(command="recover" | "resume"):
                self._in_a_row = self._rejects = 0
            case e.ObservationMade():
                told += self._observed(entry, version)
            case e.SampleQuarantined():
                told += self._nothing(version)
            case e.SampleDiscarded(sample=number) if number in self._failed:
                told += self._nothing(version)
        return [*told, *self._budgets(recorded.time)]

    def _begin(self, entry: e.CampaignStarted, time: float) -> None:
        self._started_at = time
        budget = entry.campaign.get("budget")
        for name, least in (("samples", FEW_SAMPLES), ("lab_hours", 0)):
            limit = budget.get(name) if isinstance(budget, dict) else None
            if isinstance(limit, int | float) and limit >= least:
                self._budget[name] = float(limit)

    def _observed(self, entry: e.ObservationMade, version: str) -> list[tuple[str, Severity, str, str]]:
        self._rejects = 0 if entry.validity == "valid" else self._rejects + 1
        told = []
        if self._rejects >= self._rules.rejects_in_a_row:
            text = f"{self._rejects} measurements in a row are not valid (the last: {entry.reason or entry.validity}). "
            text += "Look at the loops, the contacts and the reference; hold if they are no good."
            told.append((f"{version} rejects", _WARNING, text, "rejects"))
        if entry.validity != "failed":
            self._in_a_row = 0
            return told
        return [*told, *self._nothing(version)]

    def _nothing(self, version: str) -> list[tuple[str, Severity, str, str]]:
        self._in_a_row += 1
        if self._in_a_row < self._rules.failures_in_a_row:
            return []
        text = f"{self._in_a_row} samples in a row came to nothing. See the journal; the night stops by itself only at "
        return [(f"{version} failures", _WARNING, text + "recovery.failures_in_a_row.", "failures")]

    def _budgets(self, time: float) -> list[tuple[str, Severity, str, str]]:
        spent = {"samples": float(self._samples), "lab_hours": (time - self._started_at) / 3600}
        told: list[tuple[str, Severity, str, str]] = []
        for name, limit in self._budget.items():
            if name not in self._spent and spent[name] >= self._rules.budget_share * limit:
                self._spent.add(name)
                words = name.replace("_", " ")
                text = f"{spent[name]:.3g} of {limit:g} {words} of the budget are spent. There is nothing to do."
                told.append((f"budget {name}", "info", text, ""))
        return told


_WARNING: Severity = "warning"


def _fault(ended: e.StepEnded, intent: e.StepIntended) -> str:
    what = f"The {intent.plan} of sample {intent.sample} in station {intent.station} failed (class {ended.fault}"
    what += f", attempt {intent.attempt}): {ended.error or 'no reason is told'}. "
    return what + "The recovery policy decides what comes next; there is nothing to do yet."


def standing(entries: Iterable[e.Recorded], teller: Teller | None = None) -> list[Alert]:
    """The alerts of `entries` of which somebody still has to hear at their end."""
    teller = teller or Teller()
    alerts: list[Alert] = []
    for recorded in entries:
        new = teller.tell(recorded)
        alerts = [a for a in alerts if not outdated(a, recorded.entry) and not any(n.replaces(a) for n in new)]
        alerts += new
    return alerts
