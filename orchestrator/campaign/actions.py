"""What an operator can do about the search: one table, of which daemon, command line and web routes are made.

Each action is a table of fields, validated at the border by `parsed`; `ACTIONS` has them by name, and `described`
tells them with their fields as plain values.  In which modes of the campaign, and in which phases of the sample that
it is about, an action makes sense, is told here; what else has to be so is told by `orchestrator.service.acting`.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from orchestrator.campaign.composition import Composition
from orchestrator.campaign.lifecycle import CommandRefused, Mode, Phase
from orchestrator.campaign.problems import NOTHING, Findings, Problem
from orchestrator.campaign.table import Count, Number, Table, Text, bare, interval, key, noted, validated
from orchestrator.campaign.toml_source import Source

SEARCHING = (Mode.RUNNING, Mode.HOLDING, Mode.HELD)
"""Modes in which new films are, or will be, begun."""
MEASURING = (*SEARCHING, Mode.STOPPING)
"""And those in which films are measured."""
UNDER_WAY = (*MEASURING, Mode.ABORTING)
"""And those in which anything can be journaled."""

ANY_SAMPLE = tuple(phase for phase in Phase if phase is not Phase.REFERENCE)


class SearchAction(Table):
    """One thing to do about the search.

    `name` is what it is called on the command line and in routes, `what` says what it does; `modes` are those of the
    campaign in which it is taken, and `phases` those of the sample, if it is about one.  `why`: it is not taken
    without a reason.
    """

    name: ClassVar[str]
    what: ClassVar[str]
    modes: ClassVar[tuple[Mode, ...]]
    phases: ClassVar[tuple[Phase, ...]] = ()
    why: ClassVar[bool] = False

    @property
    def subject(self) -> str:
        """What must not have been changed by another since its giver looked: "" if that does not matter."""
        return ""

    @property
    def about(self) -> str:
        """What it is about, in words: with the name, all that is asked for."""
        return self.subject


class OwnSample(SearchAction):
    name = "sample"
    what = "Queue a sample of your own: it takes the next turn, and the next free substrate."
    modes = SEARCHING

    composition: dict[Text, Annotated[Number, Field(ge=0, le=100)]] = key(
        "Element symbol -> its amount; together 100 at.%.",
        unit="at.%",
        inside="a number from 0 to 100 at.%",
        min_length=1,
    )
    settings: dict[Text, Number] = key(
        "Key of [film] that is searched -> its value.", inside="a number in the setting's unit", default={}
    )

    @property
    def about(self) -> str:
        return made_of({element: amount / 100 for element, amount in self.composition.items()}, self.settings)


class _Queued(SearchAction):
    queued: Count = key("Number of the own sample, as the queue tells it.", ge=1)

    @property
    def subject(self) -> str:
        return "queue"

    @property
    def about(self) -> str:
        return f"own sample {self.queued}"


class Reorder(_Queued):
    name = "reorder"
    what = "Move a queued sample of your own to another place in the queue."
    modes = MEASURING

    position: Count = key("Its place in the queue from now on, the first being 1.", ge=1, default=1)


class Withdraw(_Queued):
    name = "withdraw"
    what = "Take a sample of your own out of the queue again."
    modes = MEASURING


class OfSample(SearchAction):
    """An action on one sample."""

    sample: Count = key("Number of the sample.", ge=1)

    @property
    def subject(self) -> str:
        return f"sample {self.sample}"


class Veto(OfSample):
    name = "veto"
    what = "Do not make a suggested sample: its substrate is free again, and it is not suggested again."
    modes = SEARCHING
    phases = (Phase.SUGGESTED, Phase.VETOED)
    why = True


class Reject(OfSample):
    name = "reject"
    what = "Do not believe the value of a sample: the model no longer sees it; journal and report keep it."
    modes = UNDER_WAY
    phases = (Phase.OBSERVED, Phase.QUARANTINED)
    why = True


class Accept(OfSample):
    name = "accept"
    what = "Take a rejection back: the model sees the value again."
    modes = UNDER_WAY
    phases = (Phase.OBSERVED, Phase.QUARANTINED)


class Repeat(OfSample):
    name = "repeat"
    what = "Measure a sample again: its value no longer counts, and the next one does."
    modes = MEASURING
    phases = (Phase.OBSERVED,)


class Note(OfSample):
    name = "note"
    what = "Remark on a sample, for journal and report."
    modes = UNDER_WAY
    phases = ANY_SAMPLE

    text: Text = key("The remark.", min_length=1, max_length=2000, right="1 to 2000 characters")

    @property
    def subject(self) -> str:
        return ""

    @property
    def about(self) -> str:
        return f"sample {self.sample}: {self.text}"


class ChangeBudget(SearchAction):
    name = "budget"
    what = "Change what the campaign may spend."
    modes = SEARCHING

    samples: Count | None = key("Films to make in all.", unit="films", ge=1, le=100_000, default=None)
    lab_hours: Number | None = key("Lab time from the start.", unit="h", gt=0, le=10_000, default=None)

    @model_validator(mode="after")
    def _check(self) -> ChangeBudget:
        if self.samples is None and self.lab_hours is None:
            raise Findings([Problem(("samples",), NOTHING, "nothing is asked for", "give samples, or lab_hours")])
        return self

    @property
    def subject(self) -> str:
        return "budget"

    @property
    def about(self) -> str:
        return budget_of(self.samples, self.lab_hours)


class ChangeWeights(SearchAction):
    name = "weights"
    what = "Change how much each objective counts against the others; refused where there is only one."
    modes = SEARCHING

    weights: dict[Text, Annotated[Number, Field(gt=0)]] = key(
        "Quantity of an objective -> its weight against the others.", inside="a number above 0", min_length=1
    )

    @property
    def subject(self) -> str:
        return "weights"

    @property
    def about(self) -> str:
        return weights_of(self.weights)


ACTIONS: Mapping[str, type[SearchAction]] = {
    action.name: action
    for action in (
        OwnSample,
        Reorder,
        Withdraw,
        Veto,
        Reject,
        Accept,
        Repeat,
        Note,
        ChangeBudget,
        ChangeWeights,
    )
}
"""Every action by its name."""


@dataclass(frozen=True)
class SearchRequest:
    """An action that somebody asks for; `by`, `reason`, `key` and `seen` as in `commands.Request`."""

    action: SearchAction
    by: str
    reason: str = ""
    key: str = ""
    seen: int | None = None


class _Fields(Source):
    """The fields of a request, which is no file with lines."""

    def located(self, problem: Problem) -> str:
        return f"{self.name}: {problem.text()}"


def parsed(name: str, fields: Mapping[str, Any]) -> SearchAction:
    """The action `name` with `fields`.  Raises `SpecError`, which names each field that is wrong and what would be
    right, or `CommandRefused` if there is no such action."""
    if (action := ACTIONS.get(name)) is None:
        raise CommandRefused(f"there is no action {name!r}: give one of {', '.join(ACTIONS)}")
    return validated(action, _Fields(name, dict(fields), {}))


def described() -> list[dict[str, Any]]:
    """Every action as plain values: "action", "what", "modes", "phases", "why" (a reason is needed) and "fields", each
    with "name", "type" (integer, number, text or numbers, which is a table of them), "unit", "required", "what" and
    "right" (its bounds, in words)."""
    return [
        {
            "action": action.name,
            "what": action.what,
            "modes": [mode.value for mode in action.modes],
            "phases": [phase.value for phase in action.phases],
            "why": action.why,
            "fields": [
                {
                    "name": name,
                    "type": _type(info.annotation),
                    "unit": noted(info, "unit"),
                    "required": info.is_required(),
                    "what": info.description,
                    "right": interval(info),
                }
                for name, info in action.model_fields.items()
            ],
        }
        for action in ACTIONS.values()
    ]


def _type(annotation: Any) -> str:
    kind = bare(annotation)
    return {int: "integer", float: "number", str: "text", dict: "numbers"}[typing.get_origin(kind) or kind]


def made_of(fractions: Mapping[str, float], settings: Mapping[str, float]) -> str:
    """A composition and its settings in words, whatever order they came in."""
    ordered = dict(sorted(fractions.items(), key=lambda part: (-part[1], part[0])))
    try:
        composition = str(Composition(ordered))
    except ValueError:  # what was asked for need not be a composition
        composition = " ".join(f"{element}={100 * fraction:g}" for element, fraction in ordered.items())
    return " ".join([composition, *(f"{name}={value:g}" for name, value in sorted(settings.items()))])


def weights_of(weights: Mapping[str, float]) -> str:
    """Weights in words."""
    return "weights " + ", ".join(f"{quantity} {weight:g}" for quantity, weight in sorted(weights.items()))


def budget_of(samples: int | None, lab_hours: float | None) -> str:
    """A budget in words."""
    told = [f"{samples} samples"] if samples is not None else []
    return ", ".join([*told, f"{lab_hours:g} lab hours"] if lab_hours is not None else told)
