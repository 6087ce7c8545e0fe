"""What can be journaled: frozen facts in the past tense, versioned.

Every irreversible act stands between two entries: `StepIntended`, committed and synced before the act, and
`StepEnded` after it.  Facts about the sample that follow from a step (`FilmDeposited`, `SampleMoved`,
`ObservationMade`) are appended in the same transaction as its `StepEnded`.

`v` is the version of an entry's form.  A form never changes in place: a new one gets a new `v`, and the old
one stays readable.

What an entry holds is what JSON can hold, exactly: no NaN or infinity at any depth, no number given as text.
"""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    JsonValue,
    TypeAdapter,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from orchestrator.campaign.faults import Aid, Fault


def _whole(fractions: dict[str, float]) -> dict[str, float]:
    if min(fractions.values(), default=0.0) < 0 or abs(sum(fractions.values()) - 1) > 1e-6:
        raise ValueError("the fractions of a composition are not negative, and sum to 1")
    return fractions


Fractions = Annotated[dict[str, float], AfterValidator(_whole)]
"""Element -> atomic fraction; summing to 1."""


def _finite(plain: dict[str, JsonValue]) -> dict[str, JsonValue]:
    _check_finite(plain)
    return plain


def _check_finite(value: JsonValue) -> None:
    if isinstance(value, dict):
        for inner in value.values():
            _check_finite(inner)
    elif isinstance(value, list):
        if not _are_finite(value):
            for inner in value:
                _check_finite(inner)
    elif isinstance(value, float) and not isfinite(value):
        raise ValueError("a number is finite")


def _are_finite(numbers: list[Any]) -> bool:
    """Whether all of them are numbers, and finite: asked of a loop in a few microseconds."""
    try:
        return all(map(isfinite, numbers))
    except (TypeError, OverflowError):  # not all are numbers, or one is an integer that no float can hold
        return False


class _AsParsed:
    """What a JSON parser has made is what JSON can hold: only what Python hands over is looked through."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        parsed = core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema())
        return core_schema.json_or_python_schema(parsed, handler(source))


Plain = Annotated[dict[str, JsonValue], _AsParsed, AfterValidator(_finite)]
"""Whatever JSON can hold, by name."""
Place = str
Plan = Literal["transfer", "deposit", "measure", "retire"]
REFERENCE = 0
"""The number of the reference specimen, where entries name a sample: samples count from 1."""
GRIPPER: Place = "gripper"
"""Where a sample is that the robot has picked and not placed."""
StepEnd = Literal["done", "failed", "aborted", "interrupted", "unknown"]
Validity = Literal["valid", "censored", "failed"]
Side = Literal["lower", "upper"]
"""Of a bound: the truth is at least, or at most, that."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)
    v: Literal[1, 2, 3, 4]


class _First(_Entry):
    """An entry whose form has never changed."""

    v: Literal[1] = 1


class CampaignStarted(_First):
    """A campaign began in this home.  `campaign` and `lab` are the files as validated."""

    kind: Literal["campaign_started"] = "campaign_started"
    campaign: Plain
    lab: Plain
    by: str


class DaemonStarted(_First):
    """A daemon took the campaign up: its first, or one after another's death.

    `boot` names the machine's boot: another one than before tells of a power cut or a restart of the machine.
    """

    kind: Literal["daemon_started"] = "daemon_started"
    boot: str


class SampleSuggested(_Entry):
    """The optimizer chose the composition of a new sample, on the bare substrate in cassette slot `slot`, and those
    settings of its film that the campaign searches.

    `observed` counts the observations and `pending` lists the samples that the choice took into account:
    together with the seed they decide it, so that it can be reproduced.  `withheld` lists samples that came to nothing
    and whose candidates were not to be suggested again.  `replicate`: this repeats what was measured, since nothing new
    was left, or since that tells more (then `runner_up` is new).  `cut_short`: time was up before the search had ended,
    so that a faster machine may have chosen another.  `cost` is that of the film, in the campaign's unit, and
    `feasibility` the probability that it can be made and measured; None where the campaign goes by neither.

    `outcomes`, where films are judged by several quantities: of each what is expected, its "mean", "sigma" and "unit",
    and where it is limited the "probability" that the film keeps to it.  `mean` and `sigma` are those of the first
    objective.

    Version 1 had no settings, and was never cut short.  Versions 1 and 2 withheld nothing, and repeated only when
    nothing new was left.  Versions 1 to 3 had no outcomes.
    """

    v: Literal[1, 2, 3, 4] = 4
    kind: Literal["sample_suggested"] = "sample_suggested"
    sample: int
    slot: int
    composition: Fractions
    settings: dict[str, float] = {}
    method: str
    observed: int
    pending: list[int]
    withheld: list[int] = []
    mean: float | None = None
    sigma: float | None = None
    acquisition: float | None = None
    runner_up: Plain | None = None
    hyperparameters: Plain | None = None
    replicate: bool = False
    cut_short: bool = False
    cost: float | None = None
    feasibility: float | None = None
    outcomes: dict[str, Plain] = {}
    seconds: float


class ModelAssessed(_First):
    """How far the model could be trusted after `observed` observations, when it was asked for a suggestion.

    `residuals`: sample number -> predictive standard deviations between its value and what the model predicts of it
    from all the others, larger being better than predicted; earlier observations count 0, -1, -2...  `within_one` and
    `within_two` are the shares of them within one and two; the log densities are means over the values, by the model
    and by one without inputs.  `regret` bounds what can still be gained, in the objective's unit, and
    `improvement_probability` is the greatest that any sample improves by what the campaign calls one; None where it
    does not ask for them.  A concern has a kind, a text and perhaps a sample.
    """

    kind: Literal["model_assessed"] = "model_assessed"
    observed: int
    residuals: dict[str, float] = {}
    within_one: float | None = None
    within_two: float | None = None
    log_density: float | None = None
    constant_log_density: float | None = None
    regret: float | None = None
    improvement_probability: float | None = None
    concerns: list[Plain] = []


class StepIntended(_First):
    """A step is about to be carried out by `station`; `claims` are all the stations it occupies.

    `aid` is what the recovery policy adds to this attempt; "" for a first one.
    """

    kind: Literal["step_intended"] = "step_intended"
    step: str
    plan: Plan
    sample: int
    attempt: int
    station: str
    claims: list[str]
    kwargs: Plain
    aid: Aid | Literal[""] = ""


class StepEnded(_First):
    """A step's outcome.  `fault` is the class of what went wrong, "" where nothing did or an operator ended it.

    ``interrupted``: a process of ours died, and evidence tells what came of the step; the entries beside this one
    say so.  ``unknown``: nobody can say how far it came.  `evidence` is what was looked at to settle a step that a
    death had cut off: its station's marks, and readings taken before and after the station was made safe.
    """

    kind: Literal["step_ended"] = "step_ended"
    step: str
    end: StepEnd
    fault: Fault | Literal[""] = ""
    error: str = ""
    run_uids: list[str] = []
    evidence: Plain | None = None


class SampleMoved(_First):
    kind: Literal["sample_moved"] = "sample_moved"
    sample: int
    source: Place
    destination: Place


class FilmDeposited(_First):
    """A film exists, with the composition it really has.  `finished` is False for an interrupted one."""

    kind: Literal["film_deposited"] = "film_deposited"
    sample: int
    finished: bool
    composition: Fractions
    composition_sigma: dict[str, float]
    thickness_nm: float
    thickness_sigma_nm: float
    doses: dict[str, dict[str, float]]
    shutter_open_s: float
    monitor_thickness_nm: float | None = None
    remarks: list[str] = []


class RatesCalibrated(_First):
    """Deposition rates, nm/s per watt on the substrate, as measured by the thickness monitor; `energy_kwh`
    is what each target has been given in this campaign."""

    kind: Literal["rates_calibrated"] = "rates_calibrated"
    rates: dict[str, dict[str, float]]
    energy_kwh: dict[str, float]


class ObservationMade(_Entry):
    """What the model is told of a sample: the composition that was made, and a validated value or none.

    `value` and `sigma` are in the objective's unit, the first one's if there are several; `value` is None when the
    measurement failed, and when it is censored a bound, of the side that `bound` names.  `settings` are those that the
    campaign searches, as they were applied.  `quantities` are all that was measured, in canonical units.

    `outcomes`, where films are judged by several quantities: of each its "validity" and "unit", its "value", "sigma"
    and "bound" if it has them, or a "reason".  The observation is valid if all of them are, failed if one is missing,
    and else censored; what a failed one does tell, the model is told.

    Version 1 had no settings.  Versions 1 and 2 had no outcomes.
    """

    v: Literal[1, 2, 3] = 3

    kind: Literal["observation_made"] = "observation_made"
    sample: int
    composition: Fractions
    composition_sigma: dict[str, float]
    settings: dict[str, float] = {}
    value: float | None
    sigma: float | None
    unit: str
    validity: Validity
    bound: Side | None = None
    reason: str = ""
    quantities: dict[str, Plain]
    outcomes: dict[str, Plain] = {}
    loop: Plain | None = None

    @model_validator(mode="after")
    def _no_made_up_value(self) -> ObservationMade:
        if self.validity == "failed":
            if self.value is not None or self.sigma is not None:
                raise ValueError("a failed observation has no value")
        elif self.value is None or self.sigma is None or self.sigma < 0:
            raise ValueError(f"a {self.validity} observation has a value, and a sigma of at least 0")
        if (self.validity == "censored") != (self.bound is not None):
            raise ValueError("a censored observation, and no other, is a lower or an upper bound")
        for quantity, told in self.outcomes.items():
            if (told.get("validity") == "failed") != (told.get("value") is None):
                raise ValueError(f"{quantity} has a value unless it failed, and then it has none")
        return self


class CalculationIntended(_First):
    """A virtual station is about to calculate: the optimizer chose the composition, and process `lane` of `station`
    begins at once.

    Calculations count from 1 and are no samples: they take no slot, no substrate and nothing of the films' budget.
    `observed` counts the films and `calculated` the results that the choice took into account.  `worth` is the
    logarithm of the improvement that it may tell of, in the model's units; None where it is spread over the space.
    """

    kind: Literal["calculation_intended"] = "calculation_intended"
    calculation: int
    step: str
    station: str
    lane: str
    composition: Fractions
    settings: dict[str, float] = {}
    method: str
    observed: int
    calculated: int
    worth: float | None = None


class CalculationEnded(_First):
    """What came of a calculation, which its fidelity tells apart from what was measured.

    `composition` is that of the crystal that was calculated.  `value` is in the objective's unit, and `sigma` its
    numerical standard uncertainty; both are None unless it is ``done``.  ``interrupted``: a process of ours died, or
    the campaign ended, and nothing is known.  `remembered`: the result was on disk.
    """

    kind: Literal["calculation_ended"] = "calculation_ended"
    calculation: int
    end: Literal["done", "failed", "interrupted"]
    fidelity: str = ""
    composition: Fractions
    value: float | None = None
    sigma: float | None = None
    unit: str
    seconds: float = 0.0
    remembered: bool = False
    fault: Fault | Literal[""] = ""
    error: str = ""
    quantities: dict[str, Plain] = {}

    @model_validator(mode="after")
    def _no_made_up_value(self) -> CalculationEnded:
        if self.end == "done" and (self.value is None or self.sigma is None or self.sigma < 0):
            raise ValueError("a calculation that is done has a value, and a sigma of at least 0")
        if self.end != "done" and (self.value is not None or self.sigma is not None):
            raise ValueError("a calculation that is not done has no value")
        return self


class ReferenceMeasured(_First):
    """The lab's reference specimen was measured, to see whether the magnetometer has drifted.

    `ratio` is what it showed over what it is known to have.  ``drifted``: that is out of tolerance.
    """

    kind: Literal["reference_measured"] = "reference_measured"
    sample: Literal[0] = 0
    value: float
    sigma: float
    unit: str
    expected: float
    expected_sigma: float
    ratio: float
    ratio_sigma: float
    verdict: Literal["good", "drifted"]
    loop: Plain | None = None


class ObservationWithdrawn(_First):
    """An observation is taken back, since the magnetometer had drifted: its film is to be measured again, and the
    model forgets it.  Its own entry stays in the journal."""

    kind: Literal["observation_withdrawn"] = "observation_withdrawn"
    sample: int
    reason: str


class SampleDiscarded(_First):
    """Given up by a named policy or person."""

    kind: Literal["sample_discarded"] = "sample_discarded"
    sample: int
    by: str
    reason: str


class SampleQuarantined(_First):
    """Set aside because its state is unknown; only an operator may release it."""

    kind: Literal["sample_quarantined"] = "sample_quarantined"
    sample: int
    reason: str


class CommandGiven(_First):
    """An operator's command, accepted; or a hold by the recovery policy.

    `after_steps`, of a hold: what is under way is finished first, and nothing more is begun.  `key` is the request's
    own, "" if it had none; `seen` the version of the last entry that its giver had seen, None if he knew of all (see
    `orchestrator.campaign.commands`).
    """

    kind: Literal["command_given"] = "command_given"
    command: Literal["hold", "resume", "stop", "abort", "recover"]
    by: str
    reason: str
    after_steps: bool = False
    key: str = ""
    seen: int | None = None


class _Act(_First):
    """What an operator did about the search.  `key` and `seen` are those of his request, as in `CommandGiven`."""

    by: str
    reason: str
    key: str = ""
    seen: int | None = None


class OwnSampleQueued(_Act):
    """An operator wants this made: at the next turn, or when those queued before it have been.

    `queued` counts the own samples of the campaign from 1.  When its turn has come the sample is a `SampleSuggested`
    with the method ``operator``, always of the first in the queue.
    """

    kind: Literal["own_sample_queued"] = "own_sample_queued"
    queued: int
    composition: Fractions
    settings: dict[str, float] = {}


class QueueReordered(_Act):
    """Own sample `queued` was moved; `order` is the whole queue since."""

    kind: Literal["queue_reordered"] = "queue_reordered"
    queued: int
    order: list[int]


class OwnSampleWithdrawn(_Act):
    """An own sample was taken out of the queue before its turn."""

    kind: Literal["own_sample_withdrawn"] = "own_sample_withdrawn"
    queued: int


class SuggestionVetoed(_Act):
    """A sample is not to be made.  Its film had not been begun: once it is in its slot, its substrate is anybody's
    again.  The optimizer does not suggest that again."""

    kind: Literal["suggestion_vetoed"] = "suggestion_vetoed"
    sample: int


class ObservationRejected(_Act):
    """The value of a sample is not to be believed: the model no longer sees it.  It stays in the journal."""

    kind: Literal["observation_rejected"] = "observation_rejected"
    sample: int


class ObservationRestored(_Act):
    """A value that was rejected counts again, as if it never had been."""

    kind: Literal["observation_restored"] = "observation_restored"
    sample: int


class MeasurementRequested(_Act):
    """A sample that was observed is to be measured again.  Its observation counts no longer, and stays in the
    journal."""

    kind: Literal["measurement_requested"] = "measurement_requested"
    sample: int


class SampleNoted(_Act):
    """Somebody remarked on a sample; nothing follows from it."""

    kind: Literal["sample_noted"] = "sample_noted"
    sample: int
    text: str


class WeightsChanged(_Act):
    """From now on the objectives that are named count so much against the others."""

    kind: Literal["weights_changed"] = "weights_changed"
    weights: dict[str, float]


class BudgetChanged(_Act):
    """From now on the campaign may spend that; None: as before.  `lab_hours` count from its start."""

    kind: Literal["budget_changed"] = "budget_changed"
    samples: int | None = None
    lab_hours: float | None = None


Act = (
    OwnSampleQueued
    | QueueReordered
    | OwnSampleWithdrawn
    | SuggestionVetoed
    | ObservationRejected
    | ObservationRestored
    | MeasurementRequested
    | SampleNoted
    | BudgetChanged
    | WeightsChanged
)
"""What operators do about the search."""


class AlertsAcknowledged(_First):
    """Somebody has seen what was alerted so far and sees to it: nobody else need be called for it.  `key` is the
    request's own, "" if it had none."""

    kind: Literal["alerts_acknowledged"] = "alerts_acknowledged"
    by: str
    reason: str = ""
    key: str = ""


class ContractSigned(_First):
    """Somebody let the campaign begin or go on unattended, on what was found before.

    `campaign_sha256` and `lab_sha256` are digests of the files as validated, `version` is Nightshift's.  `armed` is how
    he said that it may: "--arm", "typed"; "" where nothing is at stake or nobody was asked.  A line has a subject, a
    verdict (green, amber, red), what was found, and what to do.
    """

    kind: Literal["contract_signed"] = "contract_signed"
    by: str
    campaign_sha256: str
    lab_sha256: str
    version: str
    armed: str = ""
    lines: list[Plain]


class CampaignHeld(_First):
    """Every station has come to rest at a gate after a hold."""

    kind: Literal["campaign_held"] = "campaign_held"


class StationLost(_First):
    """A station's worker died or stopped answering.  `for_good`: it died too often, and no new one is started."""

    kind: Literal["station_lost"] = "station_lost"
    station: str
    reason: str
    for_good: bool = False


class StationRestarted(_First):
    """A station that was lost has a new worker, which has made it safe.  `reason` is why it was lost."""

    kind: Literal["station_restarted"] = "station_restarted"
    station: str
    reason: str


class OptimizerLost(_First):
    """The optimizer died or stopped answering; suggestions are space-filling until it is back.  `for_good`: it died
    too often, and is not started again."""

    kind: Literal["optimizer_lost"] = "optimizer_lost"
    reason: str
    for_good: bool = False


class OptimizerRestarted(_First):
    """The optimizer was started again; it is told everything anew.  `reason` is why it was lost."""

    kind: Literal["optimizer_restarted"] = "optimizer_restarted"
    reason: str


class StationMadeSafe(_First):
    kind: Literal["station_made_safe"] = "station_made_safe"
    station: str
    reason: str


class OperatorNeeded(_First):
    """The night cannot go on alone."""

    kind: Literal["operator_needed"] = "operator_needed"
    reason: str


class CampaignEnded(_First):
    kind: Literal["campaign_ended"] = "campaign_ended"
    end: Literal["done", "stopped", "aborted", "needs operator"]
    reason: str


Entry = Annotated[
    CampaignStarted
    | DaemonStarted
    | SampleSuggested
    | ModelAssessed
    | StepIntended
    | StepEnded
    | SampleMoved
    | FilmDeposited
    | RatesCalibrated
    | ObservationMade
    | CalculationIntended
    | CalculationEnded
    | ReferenceMeasured
    | ObservationWithdrawn
    | SampleDiscarded
    | SampleQuarantined
    | CommandGiven
    | Act
    | AlertsAcknowledged
    | ContractSigned
    | CampaignHeld
    | StationLost
    | StationRestarted
    | OptimizerLost
    | OptimizerRestarted
    | StationMadeSafe
    | OperatorNeeded
    | CampaignEnded,
    Field(discriminator="kind"),
]

_ADAPTER: TypeAdapter[Entry] = TypeAdapter(Entry)
_parsed = _ADAPTER.validator.validate_json


class Recorded(NamedTuple):
    """An entry in the journal: its version (1, 2, 3...), and the lab time at which it was appended."""

    version: int
    time: float
    entry: Entry

    def to_json(self) -> str:
        """All of it as one line of JSON."""
        return f'{{"version":{self.version},"time":{self.time!r},"entry":{to_json(self.entry)}}}'


def to_json(entry: Entry) -> str:
    """`entry` as one line of JSON."""
    return entry.model_dump_json()


def from_json(text: str) -> Entry:
    """The entry that `text` holds.  Raises `ValueError` (`pydantic.ValidationError` is one) if it is none."""
    entry: Entry = _parsed(text)
    return entry
