"""What the page is told, as types: every field is described, and `GET /api/openapi.json` has them as JSON schema.

What is not known is null, never 0.  All times are lab time, seconds since the epoch, unless a name says otherwise;
durations are lab seconds.  Compositions are fractions that sum to 1; values and sigmas are in the objective's unit.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Fractions = dict[str, float]


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Objective(Shape):
    quantity: str
    direction: Literal["max", "min"]
    unit: str
    target: float | None
    """The campaign stops at this; null: never."""
    weight: float = 1.0
    """Against the other objectives."""


class Outcome(Shape):
    """One of several quantities that a film is judged by, as it was observed."""

    value: float | None = None
    """Of a censored one a bound, of the side that `bound` names."""
    sigma: float | None = None
    unit: str = ""
    validity: Literal["valid", "censored", "failed"] = "valid"
    bound: Literal["lower", "upper"] | None = None
    reason: str = ""


class FrontFilm(Shape):
    """A film that no other is better than."""

    sample: int
    composition: Fractions
    settings: dict[str, float]
    outcomes: dict[str, Outcome]


class Budget(Shape):
    samples: int
    lab_hours: float
    substrates: int | None
    """Null: all in the cassette."""
    ends_at: float
    """When the lab hours are used up."""


class Counts(Shape):
    suggested: int
    deposited: int
    valid: int
    censored: int
    failed: int
    discarded: int
    quarantined: int
    pending: int
    """Suggested, and no observation yet."""
    earlier: int
    """Observations that the campaign began with; in no other number here."""


class Need(Shape):
    """Why a person is needed now, and what to do about it."""

    text: str
    command: Literal["recover", "resume"] | None
    """What to give once it is seen to; null: only a new daemon (`nightshift recover`) can take it."""
    seq: int
    """The entry that called."""


class Finish(Shape):
    """When the campaign will be over, as the rest of the night plays out: a range that holds about eight times in
    ten."""

    low: float
    middle: float
    high: float
    films_to_come: int
    """By the budget of samples; fewer if the lab hours are used up before."""
    basis: str
    """Whose steps it follows from, in words."""
    open_ended: bool
    """A stopping rule may end it earlier."""


class Best(Shape):
    sample: int
    value: float
    sigma: float
    unit: str
    composition: Fractions
    settings: dict[str, float]
    time: float | None
    outcomes: dict[str, Outcome] = {}
    """With several objectives, or limits: all that it is judged by; with several, it is the best by their weights."""


class BestPoint(Shape):
    """From this sample on the best valid value so far was this one."""

    sample: int
    count: int
    """Valid observations by then, this one included."""
    time: float
    value: float
    sigma: float


class Step(Shape):
    uid: str
    plan: Literal["transfer", "deposit", "measure", "retire"]
    sample: int
    """0 is the reference specimen."""
    attempt: int
    aid: str
    """What the recovery policy adds to this attempt; "" for a first one."""
    since: float
    source: str | None
    destination: str | None
    expected_s: float
    """What is typical for it, in all: the median."""
    expected_late_s: float
    """The 90 % quantile."""
    expected_basis: str
    """Whose steps say so, in words."""
    words: str


class StationView(Shape):
    kind: Literal["deposition", "magnetometry", "transfer"]
    devices: dict[str, str]
    """Device -> its role: gun, gas, gauge, monitor, heater, magnet, field_meter, signal, mover."""
    state: Literal["idle", "running", "claimed", "lost", "given up"]
    """``claimed``: occupied by a step of another station.  What the worker itself says is in `live`."""
    step: Step | None
    lost: bool
    given_up: bool
    """Lost for good: no new worker is started without the operator."""


class Neighbour(Shape):
    sample: int
    distance_at_percent: float
    """Euclidean, between what was made and what is suggested."""
    value: float | None
    sigma: float | None
    validity: str


class Why(Shape):
    """Why the optimizer chose what it chose."""

    sample: int
    phase: str
    time: float
    composition: Fractions
    settings: dict[str, float]
    method: str
    """gp, space-filling, growing, random, or fallback (no optimizer could be asked)."""
    words: str
    mean: float | None
    sigma: float | None
    acquisition: float | None
    acquisition_name: str
    best_then: float | None
    """The best valid value when it was chosen."""
    exploration: float | None
    """Share of the expected improvement over `best_then` that the spread contributes, 0 to 1, from mean and sigma;
    the rest is exploitation.  Null without a model, or without a best."""
    nearest: list[Neighbour]
    """At most three, measured before it was chosen, nearest first."""
    runner_up: dict[str, Any] | None
    binds: list[str]
    """Limits that the composition or a setting is at, in words."""
    hyperparameters: list[str]
    """The fit, in words."""
    observed: int
    pending: list[int]
    """Samples under way that the choice took into account."""
    replicate: bool
    cut_short: bool
    seconds: float
    outcomes: dict[str, dict[str, Any]] = {}
    """What is expected of each quantity, where films are judged by several: mean, sigma, unit, and the probability that
    its limits are kept."""
    front: int = 0
    """How many films there were by then that no other was better than."""


class Model(Shape):
    """The model's last assessment of itself."""

    observed: int
    seq: int
    within_one: float | None
    within_two: float | None
    log_density: float | None
    constant_log_density: float | None
    regret: float | None
    improvement_probability: float | None
    residuals: dict[str, float]
    """Sample -> predictive standard deviations between value and leave-one-out prediction."""
    concerns: list[dict[str, Any]]


class ReferenceView(Shape):
    phase: str
    place: str
    checked_at: float | None
    awaited: bool
    """Nothing may be measured before it has shown that the magnetometer is right."""
    unchecked: list[int]
    drifts: int


class Target(Shape):
    used_kwh: float
    """Of this campaign and before."""
    life_kwh: float


class FaultCount(Shape):
    times: int
    budget: int


class CommandView(Shape):
    seq: int
    time: float
    command: str
    by: str
    reason: str
    changed: bool


class ContractLine(Shape):
    """What was looked at, how it is, what was found, and what to do; "" if nothing."""

    subject: str
    verdict: Literal["green", "amber", "red"]
    found: str
    do: str


class ContractView(Shape):
    """What was found before the night, and who let it begin on that."""

    time: float
    by: str
    armed: str
    """How he said that it may: --arm, typed; "" where nobody was asked."""
    green: int
    amber: int
    red: int
    """How many lines of each verdict."""
    lines: list[ContractLine]


class View(Shape):
    """The campaign as of entry `seq` of the journal: the same for all who look."""

    campaign: str
    lab: str
    simulated: bool
    objective: Objective
    """The first, or only one."""
    objectives: list[Objective]
    limits: list[str]
    """What a film must have besides, in words."""
    elements: list[str]
    settings: list[str]
    """Keys of the film that are searched beside the composition."""
    budget: Budget
    mode: Literal["running", "holding", "held", "stopping", "aborting", "stopped", "needs operator"]
    words: str
    """The mode as a sentence."""
    transitional: bool
    """Something asked for is still coming about (holding, stopping, aborting)."""
    may: list[str]
    """Commands that make sense now."""
    read_only: str | None
    """Why nothing can be commanded here; null: it can."""
    stop_wanted: bool
    held_by_policy: bool
    end: str | None
    end_reason: str | None
    needs: Need | None
    last_command: CommandView | None
    time: float
    """Of the last entry."""
    started_at: float
    counts: Counts
    finish: Finish | None
    best: Best | None
    front: list[FrontFilm]
    """With several objectives: the films that no other is better than, the best in the first objective first."""
    best_so_far: list[BestPoint]
    stations: dict[str, StationView]
    next: Why | None
    """The last suggestion whose film is not finished yet."""
    model: Model | None
    reference: ReferenceView | None
    targets: dict[str, Target]
    faults: dict[str, FaultCount]
    slots: int
    slots_used: int
    last_loop: int | None
    """The sample whose loop was measured last."""
    contract: ContractView | None
    """The last that was signed; null: none, as for a dry run."""


class Achieved(Shape):
    """The film as it was made."""

    composition: Fractions
    composition_sigma: dict[str, float]
    thickness_nm: float
    thickness_sigma_nm: float
    finished: bool


class SampleRow(Shape):
    number: int
    phase: Literal[
        "suggested", "depositing", "deposited", "measuring", "observed", "discarded", "quarantined", "vetoed"
    ]
    slot: int
    place: str
    bound_for: str | None
    composition: Fractions
    """What was asked for."""
    settings: dict[str, float]
    method: str
    mean: float | None
    sigma_predicted: float | None
    achieved: Achieved | None
    value: float | None
    """Of a censored one a bound, of the side that `bound` names."""
    sigma: float | None
    unit: str | None
    validity: Literal["valid", "censored", "failed"] | None
    bound: Literal["lower", "upper"] | None
    reason: str
    """Why it is censored, failed, discarded or quarantined; "" where there is nothing to say."""
    suggested_at: float | None
    observed_at: float | None
    has_loop: bool
    replicate: bool
    outcomes: dict[str, Outcome]
    """Of each quantity that films are judged by, if they are several."""
    broken: list[str]
    """The limits that a valid film does not keep, in words."""
    rejected: str | None
    """Who does not believe the value, when and why; null: it counts."""


class Reading(Shape):
    value: bool | int | float | str | list[Any] | None
    unit: str


class LiveStation(Shape):
    """What a station's worker said last."""

    heard_s: float | None
    """Real seconds since; null: never.  Older than 5 s: grey it."""
    state: str | None
    """idle, running, holding, held, waiting on interlock, aborting, safe."""
    fraction: float | None
    """Of the step under way, by its plan; null: not known."""
    text: str
    waiting_on: str
    hold_reason: str | None
    abort_reason: str | None
    troubles: list[str]
    devices: dict[str, dict[str, Reading]]
    """Device -> signal -> what it showed last.  A device that does not answer is named in `troubles`."""


class Live(Shape):
    """What no journal tells: clocks, liveness, readings."""

    server_time: float
    """Real seconds since the epoch."""
    lab_time: float
    rate: float
    """Lab seconds that pass in a real second; 0 where a campaign is only looked at."""
    decided_s: float | None
    """Real seconds since the deciding thread last came by; more than a few: the daemon hangs.  Null: nobody decides,
    the campaign is only looked at."""
    stations: dict[str, LiveStation]


class Line(Shape):
    """One entry of the journal."""

    seq: int
    time: float
    kind: str
    sample: int | None
    level: Literal["info", "warning", "critical"]
    text: str
    """The entry as a sentence."""
    entry: dict[str, Any]
    """As it is in the journal, but for loops and the campaign and lab files, which are null."""


class Loop(Shape):
    sample: int
    seq: int
    time: float
    value: float | None
    sigma: float | None
    unit: str
    validity: str
    loop: dict[str, Any]


class MapPanel(Shape):
    """The model on a grid: `x`, `y` (and for a ternary the third element, 1 - x - y) are fractions."""

    kind: Literal["ternary", "pair", "line"]
    elements: list[str]
    fixed: dict[str, float]
    """The other elements' fractions relative to each other, and the settings: those of the best sample."""
    compositions: list[list[float]]
    """Point -> fraction of each of `elements`."""
    feasible: list[bool]
    """Within the campaign's limits."""
    mean: list[float]
    sigma: list[float]
    acquisition: list[float]


class Map(Shape):
    observed: int
    """Observations that the model knows."""
    unit: str
    panels: list[MapPanel]


class Refusal(Shape):
    """Why a request was not carried out: `code` for programs, `detail` for people."""

    code: str
    detail: str


class Told(Shape):
    """What the giver of a command is told."""

    mode: str
    """The campaign's state after it: at once the transitional one."""
    changed: bool
    again: bool
    """This very request had been carried out already."""
    note: str
    first: dict[str, Any] | None


class Did(Shape):
    """What the giver of an action on the search is told."""

    action: str
    about: str
    mode: str
    changed: bool
    again: bool
    """This very request had been carried out already."""
    entry: int
    """The one that tells of it."""
    number: int | None
    """Of the sample, or of the own sample."""
    note: str
    first: dict[str, Any] | None


class Act(Shape):
    """An action's fields, its reason, and the last entry that its giver had seen."""

    fields: dict[str, Any] = Field(default={}, max_length=20)
    reason: str = Field(default="", max_length=1000)
    seen: int = Field(ge=0)


class OwnSample(Shape):
    """One that waits for its turn."""

    number: int
    composition: Fractions
    settings: dict[str, float]
    by: str
    reason: str


class Search(Shape):
    """What may be done about the search, and the queue of own samples."""

    boot: str
    actions: list[dict[str, Any]]
    """Each with its name, what it does, in which modes of the campaign and phases of a sample, whether it needs a
    reason, and its fields."""
    queue: list[OwnSample]
    """Next first."""


class AlertDelivery(Shape):
    channel: str
    """Its number and service: no URL."""
    state: Literal["delivered", "waiting", "failed", "outdated", "too old", "acknowledged"]
    """``failed``: so far; it is tried again.  The last three: it need not be told any more."""
    at: float | None
    """Real seconds since the epoch."""
    reason: str
    """Why the channel did not take it."""


class AlertView(Shape):
    name: str
    time: float
    severity: Literal["info", "warning", "critical"]
    text: str
    unacknowledged: bool
    """Nobody has been seen since who could have seen to it."""
    deliveries: list[AlertDelivery]


class Acknowledged(Shape):
    entry: int
    """The one that says so."""


class Checked(Shape):
    """The night contract as it would be drawn up now, without asking an instrument or a channel."""

    at: float
    """Real seconds since the epoch."""
    verdict: Literal["green", "amber", "red"]
    lines: list[ContractLine]


class Order(Shape):
    """A command's reason, and the last entry that its giver had seen."""

    reason: str = Field(default="", max_length=1000)
    seen: int = Field(ge=0)


class Login(Shape):
    name: str
    role: Literal["viewer", "operator", "admin"]


class People(Shape):
    """Who may log in."""

    people: list[Login]


class Session(Shape):
    name: str
    role: Literal["viewer", "operator", "admin"]
    csrf: str
    """To be sent as the header X-CSRF-Token with every POST."""
    login: bool
    """Whether people log in here; if not, who has the machine's account is the operator."""
    boot: str
