"""The campaign file: what is searched for, where, with which budget, and what to do when something fails.

`load_campaign(path)` is the one way in from a file.  A `Campaign` that exists is consistent: the checks that
compare keys with each other run whenever one is built, also from a journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator

from orchestrator.campaign import quantities
from orchestrator.campaign.attached import EarlierData, Pool, with_tables
from orchestrator.campaign.checks import check_campaign, check_element, check_faults, check_limit, check_objective
from orchestrator.campaign.cost import Cost
from orchestrator.campaign.faults import Action, Fault
from orchestrator.campaign.film import Film, Setting
from orchestrator.campaign.growing import GrowingSettings
from orchestrator.campaign.problems import Findings, SpecError
from orchestrator.campaign.table import Count, Number, Table, Text, key, validated
from orchestrator.campaign.terms import Terms
from orchestrator.campaign.toml_source import Source
from orchestrator.campaign.virtualspec import VirtualUse

__all__ = [
    "Budget",
    "Campaign",
    "Cost",
    "ElementRange",
    "FaultRule",
    "Faults",
    "Film",
    "LinearConstraint",
    "Measurement",
    "Objective",
    "OptimizerSettings",
    "OutcomeLimit",
    "Recovery",
    "Setting",
    "SpecError",
    "Stopping",
    "load_campaign",
    "parse_campaign",
]

Quantity = Literal[
    "saturation_magnetisation",
    "coercivity",
    "remanence",
    "squareness",
    "kerr_rotation",
    "anomalous_hall_resistivity",
    "anomalous_hall_resistance",
]


class ElementRange(Table):
    """How much of an element a film may have."""

    min: Number = key("The least amount of the element.", unit="at.%", ge=0, le=100, default=0.0)
    max: Number = key("The greatest amount of the element.", unit="at.%", ge=0, le=100, default=100.0)
    step: Number = key(
        "Compositions have whole multiples of this; `min` and `max` must be multiples too.",
        unit="at.%",
        ge=0.1,
        le=50,
    )

    @model_validator(mode="after")
    def _check(self) -> ElementRange:
        check_element(self)
        return self


class LinearConstraint(Table):
    """A limit on a weighted sum of amounts: min <= sum of coefficient x at.% <= max.  At least one limit; with two that
    are equal the sum has that value exactly.  Settings of [film] that have equal steps may be in the sum too."""

    coefficients: dict[Text, Number] = key(
        "Element symbol -> its weight in the sum; or key of [film] -> the weight of its value.", min_length=1
    )
    min: Number | None = key("The least that the sum may be; no limit if absent.", unit="at.%", default=None)
    max: Number | None = key("The most that the sum may be; no limit if absent.", unit="at.%", default=None)


class Objective(Table):
    """What is to be made as large or as small as possible."""

    quantity: Quantity = key("What is measured.")
    direction: Literal["max", "min"] = key("Whether more is better or less is.")
    unit: Text = key("The unit for the target and for reports.", right="a unit of the quantity")
    weight: Number = key(
        "How much it counts against the other objectives, where one trade-off is to be named or sought.",
        gt=0,
        le=1e6,
        default=1.0,
    )
    reference: Number | None = key(
        "With several objectives: the worst value that is still worth having, in this unit; absent: a little worse "
        "than the worst of the best films so far.",
        right="a number in the objective's unit",
        default=None,
    )

    @model_validator(mode="after")
    def _check(self) -> Objective:
        check_objective(self)
        return self

    def to_unit(self, value: float) -> float:
        """`value` in the quantity's canonical unit, expressed in this objective's unit."""
        return quantities.to_unit(self.quantity, value, self.unit)

    def from_unit(self, value: float) -> float:
        """`value` in this objective's unit, expressed in the quantity's canonical unit."""
        return quantities.from_unit(self.quantity, value, self.unit)


class OutcomeLimit(Table):
    """What a film must have besides: a measured quantity from `min` to `max`, or one of the two.  A film that does not
    keep it is never the best, and candidates count by how probably they do."""

    quantity: Quantity = key("What is measured; an objective or another.")
    unit: Text = key("The unit of `min` and `max`.", right="a unit of the quantity")
    min: Number | None = key("The least that it may be; no limit if absent.", default=None)
    max: Number | None = key("The most that it may be; no limit if absent.", default=None)

    @model_validator(mode="after")
    def _check(self) -> OutcomeLimit:
        check_limit(self)
        return self


class Budget(Table):
    """What the campaign may spend; it ends when any of these is used up."""

    samples: Count = key("Films to make.", unit="films", ge=1, le=100_000)
    lab_hours: Number = key("Lab time from the start.", unit="h", gt=0, le=10_000)
    substrates: Count | None = key(
        "Substrates that may be used, spares for failed films included; absent: all in the cassette.",
        unit="substrates",
        ge=1,
        default=None,
    )


class Stopping(Table):
    """When to stop before the budget is spent."""

    target: Number | None = key(
        "Stop once a film is this good, in the objective's unit; absent: never.",
        right="a number in the objective's unit",
        default=None,
    )
    no_improvement_samples: Count | None = key(
        "Stop after so many valid films in a row without a better one; absent: never.",
        unit="films",
        ge=1,
        default=None,
    )
    regret: Number | None = key(
        "Stop once the model's bound on what the best film can still fall short of the best possible is below this, in "
        "the objective's unit; absent: never.",
        right="a number above 0 in the objective's unit",
        gt=0,
        default=None,
    )
    improvement_probability: Number | None = key(
        "Stop once no film that could come next is better by `improvement` with more than this probability; absent: "
        "never.",
        gt=0,
        lt=1,
        default=None,
    )
    improvement: Number = key(
        "What counts as better for `improvement_probability`, in the objective's unit.",
        right="a number of at least 0 in the objective's unit",
        ge=0,
        default=0.0,
    )
    min_samples: Count = key(
        "`regret` and `improvement_probability` stop nothing before so many valid films; a model of fewer than 8 "
        "cannot be judged.",
        unit="films",
        ge=8,
        le=100_000,
        default=12,
    )

    @property
    def by_model(self) -> bool:
        """Whether the model has a say in when to stop."""
        return self.regret is not None or self.improvement_probability is not None


class OptimizerSettings(Table):
    """How the next composition is chosen."""

    method: Literal["gp", "growing", "random"] = key(
        "Gaussian process, compositions grown as a tree (see [optimizer.growing]), or random search.", default="gp"
    )
    initial_samples: Count = key(
        "Space-filling films before the model decides.", unit="films", ge=1, le=1000, default=6
    )
    acquisition: Literal["log_ei", "log_nei", "pi", "ucb", "thompson", "knowledge_gradient", "scalarised"] = key(
        "What a candidate is scored by: expected improvement over the best mean (`log_ei`), or over the best film "
        "whichever it is (`log_nei`), probability of improvement, upper confidence bound, a function drawn from the "
        "belief, or knowledge gradient.  With several objectives: improvement of the hypervolume (`log_ei`), or of one "
        "trade-off (`scalarised`).",
        default="log_ei",
    )
    trade_off: Literal["weights", "random"] = key(
        "Which trade-off `scalarised` seeks: always that of the objectives' weights, or another each time, drawn at "
        "random around them, so that all of the front is found.",
        default="weights",
    )
    exploration: Literal["constant", "decreasing", "srinivas"] = key(
        "How many standard deviations `ucb` is above the mean, as the search goes on: always `exploration_weight`; "
        "that, less and less until the budget is spent; or slowly more by the rule of Srinivas et al.",
        default="constant",
    )
    exploration_weight: Number = key(
        "Standard deviations that `ucb` is above the mean, to begin with.", gt=0, le=100, default=2.0
    )
    feasibility: Literal["off", "learned"] = key(
        "Whether failed observations say where films cannot be made or measured, so that such candidates count less.",
        default="off",
    )
    replicate: Literal["when_exhausted", "by_value"] = key(
        "When a film is made again: when nothing new is left, or whenever it tells more of which film is the best than "
        "a new one promises.",
        default="when_exhausted",
    )
    attempts: Count = key(
        "Samples that may come to nothing, given up or set aside without an observation, before their candidate is not "
        "suggested again.",
        unit="samples",
        ge=1,
        le=100,
        default=2,
    )
    max_pool: Count = key(
        "Most candidates scored for one suggestion; a larger space is sampled.",
        unit="candidates",
        ge=100,
        le=5_000_000,
        default=200_000,
    )
    growing: GrowingSettings = key('How `method = "growing"` searches.', default=GrowingSettings())


class Measurement(Table):
    """The hysteresis loop of each film."""

    max_field_mt: Number = key("Field at the ends of the loop.", unit="mT", gt=0, le=20_000, default=300.0)
    dwell_s: Number = key("Averaging time at each field.", unit="s", gt=0, le=600, default=8.0)
    coarse_step_mt: Number = key("Field step away from the reversal.", unit="mT", gt=0, le=5000, default=20.0)
    fine_step_mt: Number = key("Field step around the reversal.", unit="mT", gt=0, le=5000, default=0.5)


class FaultRule(Table):
    """What to do about one class of fault, once it is certain what happened to the film."""

    actions: tuple[Action, ...] = key(
        "What to do after the first such fault of a step, the second, and so on; the last ends the attempts.",
        right="a list of 1 to 11 actions, the last of them skip, hold or wake",
        min_length=1,
        max_length=11,
    )
    wait_s: Number = key(
        "Lab time before the first further attempt; twice as long before each one after it.", unit="s", ge=0, le=86400
    )
    longest_wait_s: Number = key("But never longer than this.", unit="s", ge=0, le=86400)
    budget: Count = key("So many in the campaign; one more trips the breaker.", unit="faults", ge=1, le=1_000_000)


class Faults(Table):
    """What to do about each class of fault.  What a table leaves out is as in the class's own default."""

    communication: FaultRule = key(
        "An instrument gave no answer or a garbled one, or its port is gone.",
        default=FaultRule(
            actions=("retry", "reconnect", "reconnect", "skip"), wait_s=30, longest_wait_s=1800, budget=20
        ),
    )
    timeout: FaultRule = key(
        "An instrument answers, but an act of it did not end in its time.",
        default=FaultRule(actions=("retry", "reconnect", "skip"), wait_s=60, longest_wait_s=1800, budget=10),
    )
    instrument: FaultRule = key(
        "An instrument refused, or reports a fault of its own: no plasma, power not reached, a trip.",
        default=FaultRule(actions=("retry", "retry", "skip"), wait_s=120, longest_wait_s=1800, budget=10),
    )
    interlock: FaultRule = key(
        "An interlock tripped, and did not clear within `interlock_wait_s`.",
        default=FaultRule(actions=("retry", "retry", "wake"), wait_s=300, longest_wait_s=3600, budget=6),
    )
    vacuum: FaultRule = key(
        "Base pressure or argon pressure was not reached.",
        default=FaultRule(actions=("retry", "wake"), wait_s=1800, longest_wait_s=3600, budget=4),
    )
    calibration: FaultRule = key(
        "A rate could not be measured, and none was known: the crystal has failed, or a shutter sticks.",
        default=FaultRule(actions=("recalibrate", "wake"), wait_s=120, longest_wait_s=1800, budget=4),
    )
    limit: FaultRule = key(
        "A setting outside the limits of the lab; nothing was sent.",
        default=FaultRule(actions=("skip",), wait_s=0, longest_wait_s=0, budget=4),
    )
    measurement: FaultRule = key(
        "A loop that says nothing of the film: overload, noise, no contact, not closed.",
        default=FaultRule(actions=("remeasure", "skip"), wait_s=60, longest_wait_s=1800, budget=20),
    )
    robot: FaultRule = key(
        "The robot gripped nothing, or does not let go.  A sample that it lost is always a person's to find.",
        default=FaultRule(actions=("retry", "skip"), wait_s=60, longest_wait_s=1800, budget=10),
    )
    storage: FaultRule = key(
        "A station could not write down what it does: a full disk.",
        default=FaultRule(actions=("retry", "retry", "wake"), wait_s=60, longest_wait_s=1800, budget=6),
    )
    protocol: FaultRule = key(
        "Anything else: the procedure cannot be done as it was asked for, or has a bug.",
        default=FaultRule(actions=("retry", "skip"), wait_s=60, longest_wait_s=1800, budget=6),
    )
    death: FaultRule = key(
        "A process of ours died or was not there.  Counted against the budget each time, and against the step after "
        "`interruptions` times.",
        default=FaultRule(actions=("retry", "skip"), wait_s=60, longest_wait_s=1800, budget=50),
    )

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_class(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {name: {**_rule_by_default(name), **rule} if isinstance(rule, Mapping) else rule
                for name, rule in given.items()}  # fmt: skip

    @model_validator(mode="after")
    def _check(self) -> Faults:
        check_faults(self)
        return self

    def of(self, fault: Fault) -> FaultRule:
        """The rule for `fault`."""
        rule: FaultRule = getattr(self, fault)
        return rule


def _rule_by_default(fault: str) -> dict[str, Any]:
    info = Faults.model_fields.get(fault)
    return info.default.model_dump() if info else {}


class Recovery(Table):
    """What to do when something fails."""

    faults: Faults = key("What to do about each class of fault.", default=Faults())
    breaker: Literal["hold", "wake"] = key(
        "What the breaker does that trips on a budget of faults, or on `failures_in_a_row`.", default="wake"
    )
    failures_in_a_row: Count = key(
        "The breaker trips after so many samples in a row that came to nothing: measured without a value, set aside, "
        "or given up after a failure.  A valid or censored measurement begins the count anew.",
        ge=1,
        le=1000,
        default=3,
    )
    interlock_wait_s: Number = key(
        "How long a step waits, shutters closed, for a tripped interlock that may clear by itself: a reading that is "
        "too old, a flow or a power off its set point.  Any other ends the step at once.",
        unit="s",
        ge=0,
        le=3600,
        default=60.0,
    )
    hold_plasma: Literal["keep", "off"] = key(
        "What a hold does to a deposition: keep its plasma burning behind closed shutters, so that a resume finishes "
        "the film; or put it out, so that a film that was growing counts as broken off.",
        default="keep",
    )
    hold_limit_s: Number = key(
        "Where a hold keeps the plasma, it does so for at most so long; then the plasma is let go, and a film that "
        "was growing counts as broken off.",
        unit="s",
        gt=0,
        le=1e6,
        default=28800.0,
    )
    interrupted_film: Literal["measure", "discard"] = key(
        "What to do with a film that was broken off: measure it as it is, with the composition and thickness that "
        "it really has, or discard it.  (It is never gone on with, but in a hold: whatever else breaks a film off, the "
        "safe state comes first and puts out the plasma.)",
        default="measure",
    )
    unattended: bool = key(
        "Whether a daemon that is started by the machine itself (`--unattended`: after a crash or a power cut) may go "
        "on with this campaign on hardware.  If not, it waits for the operator's `nightshift recover`.",
        default=False,
    )
    interruptions: Count = key(
        "A step on a sample that our own deaths have cut off so many times counts as a failed attempt.",
        ge=1,
        le=100,
        default=5,
    )


class Campaign(Table):
    """One search for the best composition, in one lab, within one budget."""

    name: Text = key(
        "Name of the campaign.",
        pattern=r"^[a-z0-9][a-z0-9-]{0,63}$",
        right="at most 64 small letters, digits and hyphens",
    )
    seed: Count = key("Everything random in the campaign follows from it.", ge=0, le=2**32 - 1, default=0)
    lab: Text | None = key("Path of the lab file, from the folder of this file.", min_length=1, default=None)
    at_most: Count | None = key(
        "At most so many elements in one film; absent: all.", unit="elements", ge=1, default=None
    )
    elements: dict[Text, ElementRange] = key(
        "Element symbol -> how much of it a film may have.  Must be given, unless there is a pool.", default={}
    )
    constraints: tuple[LinearConstraint, ...] = key("Linear constraints on composition and settings.", default=())
    pool: Pool | None = key(
        "Path of a CSV table with one candidate in each row, from the folder of this file: the campaign chooses among "
        'these.  Columns: at.% of each element, by its symbol; each key of [film] that is "pool"; the `descriptors`.',
        right="path of a CSV file",
        default=None,
    )
    descriptors: tuple[Text, ...] = key(
        "Columns of the pool that the model sees beside composition and settings.", default=()
    )
    prior_data: tuple[EarlierData, ...] = key(
        "Paths of CSV tables with earlier observations, from the folder of this file: at.% of each element, each "
        "setting that is searched, `value` in the objective's unit (the first one's), and its `sigma` if it is known; "
        "likewise each other quantity that films are judged by, and its sigma as QUANTITY_sigma.  The model learns "
        "from them before the first suggestion; they count as initial samples, and not in the budget.",
        right="a list of paths of CSV files",
        default=(),
    )
    film: Film = key("How every film is made.")
    objectives: tuple[Objective, ...] = key(
        "What is optimised: one quantity, or up to four, each with what it is worth against the others.",
        min_length=1,
        max_length=4,
    )
    limits: tuple[OutcomeLimit, ...] = key("What every film must have besides, as measured.", default=())
    budget: Budget = key("What the campaign may spend.")
    cost: Cost | None = key("What films cost; absent: all the same.", default=None)
    stopping: Stopping = key("When to stop early.", default=Stopping())
    optimizer: OptimizerSettings = key("How compositions are chosen.", default=OptimizerSettings())
    measurement: Measurement = key("The hysteresis loop.", default=Measurement())
    recovery: Recovery = key("What to do when something fails.", default=Recovery())
    virtual: dict[Text, VirtualUse] = key(
        "Name of a virtual station of the lab -> what may be spent on it; the model learns from its results too.",
        default={},
    )

    @model_validator(mode="after")
    def _check(self) -> Campaign:
        if problems := check_campaign(self):
            raise Findings(problems)
        return self

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Element -> the least and the most of it that a film may have, at.%."""
        if self.pool is not None:
            amounts = zip(self.pool.elements, self.pool.at_percent.T, strict=True)
            return {element: (float(column.min()), float(column.max())) for element, column in amounts}
        return {element: (bounds.min, bounds.max) for element, bounds in self.elements.items()}

    def searched(self) -> tuple[str, ...]:
        """The keys of [film] that are not the same for every film."""
        return (*self.film.settings(), *self.film.of_pool())

    def extremes(self, setting: str) -> tuple[float, float]:
        """The least and the greatest value of a key of [film] in any film."""
        given = getattr(self.film, setting)
        if isinstance(given, Setting):
            return given.ends
        if self.pool is not None and setting in self.film.of_pool():
            return min(self.pool.columns[setting]), max(self.pool.columns[setting])
        return given, given

    @property
    def objective(self) -> Objective:
        """The first objective: the only one, or the one that stands first wherever one number must do."""
        return self.objectives[0]

    @property
    def terms(self) -> Terms:
        """What films are judged by."""
        return Terms.of_campaign(self)


def load_campaign(path: str | Path) -> Campaign:
    """The campaign in the file at `path`.  Raises `SpecError`."""
    return validated(Campaign, with_tables(Source.read(path)))


def parse_campaign(text: str, name: str = "campaign.toml") -> Campaign:
    """The campaign in a TOML `text`; `name` stands for the file in messages, and tables are looked for beside it.
    Raises `SpecError`."""
    return validated(Campaign, with_tables(Source.parse(text, name)))
