"""Entries of the journal as sentences for a person: pure."""

from __future__ import annotations

from typing import Any, Literal

from orchestrator.campaign import entries as e
from orchestrator.campaign.search import acted
from orchestrator.console.shapes import Line

Level = Literal["info", "warning", "critical"]


def line(recorded: e.Recorded) -> Line:
    """One line of the page's journal."""
    entry = recorded.entry
    plain = entry.model_dump(mode="json")
    for large in ("loop", "campaign", "lab"):
        if isinstance(plain.get(large), dict):
            plain[large] = None
    return Line(
        seq=recorded.version,
        time=recorded.time,
        kind=entry.kind,
        sample=getattr(entry, "sample", None),
        level=level(entry),
        text=sentence(entry),
        entry=plain,
    )


def level(entry: e.Entry) -> Level:
    """How much it matters."""
    match entry:
        case e.OperatorNeeded() | e.CampaignEnded(end="needs operator"):
            return "critical"
        case e.CommandGiven(command="hold", after_steps=True):
            return "critical"
        case e.StationLost() | e.OptimizerLost() | e.SampleQuarantined() | e.SampleDiscarded():
            return "warning"
        case e.ObservationWithdrawn() | e.ReferenceMeasured(verdict="drifted") | e.ObservationMade(validity="failed"):
            return "warning"
        case e.StepEnded() if entry.end not in ("done", "aborted"):
            return "warning"
        case _:
            return "info"


def composition_words(composition: dict[str, float]) -> str:
    """Such as ``Fe64 Co36``, at.%."""
    return " ".join(f"{element}{100 * share:.3g}" for element, share in composition.items() if share >= 5e-4)


def sentence(entry: e.Entry) -> str:
    """The entry in words; its kind where there are none for it."""
    match entry:
        case e.CampaignStarted():
            return f"Campaign {entry.campaign.get('name')} begun by {entry.by}."
        case e.DaemonStarted():
            return "A daemon took the campaign up."
        case e.SampleSuggested():
            promise = "" if entry.mean is None else f", expected {entry.mean:.4g} ± {entry.sigma or 0:.2g}"
            made = composition_words(entry.composition) + _settings(entry.settings)
            return f"Sample {entry.sample} suggested: {made} ({entry.method}{promise}), slot {entry.slot}."
        case e.ModelAssessed():
            concerns = "; ".join(str(concern.get("text", "")) for concern in entry.concerns)
            return f"Model of {entry.observed} observations assessed: {concerns or 'no concern'}."
        case e.StepIntended():
            again = f" (attempt {entry.attempt})" if entry.attempt > 1 else ""
            return f"{step_words(entry).capitalize()}{again}."
        case e.StepEnded():
            return f"Step {entry.step} {entry.end}{_because(entry.error)}."
        case e.SampleMoved():
            return f"{_specimen(entry.sample)} moved from {entry.source} to {entry.destination}."
        case e.FilmDeposited():
            broken = "" if entry.finished else ", broken off"
            made = composition_words(entry.composition)
            return f"Film on sample {entry.sample}: {made}, {entry.thickness_nm:.3g} nm{broken}."
        case e.RatesCalibrated():
            return f"Rates calibrated: {', '.join(entry.rates) or 'none'}."
        case e.ObservationMade():
            return f"Sample {entry.sample}: {_value(entry)}."
        case e.CalculationIntended():
            made = composition_words(entry.composition)
            return f"Calculation {entry.calculation} begun by {entry.lane}: {made} ({entry.method})."
        case e.CalculationEnded(end="done"):
            kept = ", remembered" if entry.remembered else f", {entry.seconds:.3g} s"
            return f"Calculation {entry.calculation}: {entry.value:.5g} {entry.unit} ({entry.fidelity}{kept})."
        case e.CalculationEnded():
            return f"Calculation {entry.calculation} {entry.end}{_because(entry.error)}."
        case e.ReferenceMeasured():
            return f"Reference measured: {entry.ratio:.4f} ± {entry.ratio_sigma:.4f} of what is known, {entry.verdict}."
        case e.ObservationWithdrawn():
            return f"Observation of sample {entry.sample} withdrawn{_because(entry.reason)}."
        case e.SampleDiscarded():
            return f"Sample {entry.sample} discarded by {entry.by}{_because(entry.reason)}."
        case e.SampleQuarantined():
            return f"Sample {entry.sample} set aside{_because(entry.reason)}."
        case e.CommandGiven():
            return f"{entry.command.capitalize()} by {entry.by}{_because(entry.reason)}."
        case told if isinstance(told, e.Act):
            did = acted(told, 0, 0.0)
            return f"{did.action.capitalize()} of {did.about} by {did.by}{_because(did.reason)}."
        case e.AlertsAcknowledged():
            return f"Alerts acknowledged by {entry.by}{_because(entry.reason)}."
        case e.ContractSigned():
            open_points = [str(line.get("subject")) for line in entry.lines if line.get("verdict") != "green"]
            armed = f", armed ({entry.armed})" if entry.armed else ""
            return f"Night contract signed by {entry.by}{armed}; not green: {', '.join(open_points) or 'nothing'}."
        case e.CampaignHeld():
            return "Held: every station is at rest."
        case e.StationLost():
            return f"Station {entry.station} lost{' for good' if entry.for_good else ''}{_because(entry.reason)}."
        case e.StationRestarted():
            return f"Station {entry.station} works again."
        case e.OptimizerLost():
            return f"Optimizer lost{' for good' if entry.for_good else ''}{_because(entry.reason)}."
        case e.OptimizerRestarted():
            return "Optimizer works again."
        case e.StationMadeSafe():
            return f"Station {entry.station} made safe{_because(entry.reason)}."
        case e.OperatorNeeded():
            return f"The operator is needed: {entry.reason}."
        case e.CampaignEnded():
            return f"Campaign ended, {entry.end}{_because(entry.reason)}."
    return _plain(entry)


def step_words(intent: e.StepIntended) -> str:
    """What a step does."""
    of = _specimen(intent.sample).lower()
    match intent.plan:
        case "transfer":
            return f"carry {of} from {intent.kwargs.get('source')} to {intent.kwargs.get('destination')}"
        case "retire":
            return "bring the arm out of the way"
        case "deposit":
            return f"deposit {of}"
        case "measure":
            return f"measure {of}"


def _value(entry: e.ObservationMade) -> str:
    because = _because(entry.reason)
    if entry.value is None:
        return f"no value{because}"
    sign = {"lower": "at least ", "upper": "at most ", None: ""}[entry.bound]
    return f"{sign}{entry.value:.5g} ± {entry.sigma or 0:.2g} {entry.unit}, {entry.validity}{because}"


def _specimen(number: int) -> str:
    return "The reference" if number == e.REFERENCE else f"Sample {number}"


def _settings(settings: dict[str, float]) -> str:
    return "".join(f", {name} {value:.4g}" for name, value in settings.items())


def _because(reason: str) -> str:
    return f": {reason.rstrip('.')}" if reason else ""


def _plain(entry: Any) -> str:
    kind = str(entry.kind).replace("_", " ")
    return f"{kind.capitalize()}."
