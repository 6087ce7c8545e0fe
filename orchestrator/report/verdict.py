"""The night in three lines: how far it came, what it found, what needs a person."""

from __future__ import annotations

import math
from collections.abc import Sequence

from orchestrator.campaign.entries import ObservationMade
from orchestrator.campaign.fronts import words
from orchestrator.campaign.lifecycle import Phase
from orchestrator.report.facts import Night, value_of
from orchestrator.report.formats import at_percent, clock, counted, formula, listed, with_sigma
from orchestrator.report.markup import Html, el, join

_ENDS = {
    "done": "Ended as planned",
    "stopped": "Stopped by a person",
    "aborted": "Aborted",
    "needs operator": "Ended because it needs a person",
}
MOST_NAMED = 6


def verdict(night: Night, hazards: Sequence[object] | None) -> Html:
    needs = wants(night, hazards)
    third = (
        el("p", el("b", "Needs a person: "), needs[0], class_="line wants")
        if len(needs) == 1
        else el("div", el("b", "Needs a person"), el("ul", *(el("li", need) for need in needs)), class_="line wants")
        if needs
        else el("p", "Nobody is needed.", class_="line")
    )
    return el("section", _course(night), _finding(night), third, class_="verdict", aria_label="Verdict")


def wants(night: Night, hazards: Sequence[object] | None = None) -> list[str]:
    """What a person has to see to, most urgent first."""
    state = night.state
    needs = [f"station {name} was lost: see that it is safe" for name in sorted(state.lost_stations)]
    if state.needs:
        needs.insert(0, state.needs)
    elif state.ended and state.ended.end == "needs operator":
        needs.insert(0, state.ended.reason)
    needs += [
        f"sample {s.number} (slot {s.slot}, at {s.place}) is set aside: {s.note or 'its state is unknown'}"
        for s in night.samples
        if s.phase is Phase.QUARANTINED
    ]
    if state.ended:
        needs += [
            f"sample {step.intent.sample}: nobody can say how far its {step.intent.plan} came"
            for step in state.open_steps.values()
        ]
        needs += [f"sample {s.number} has a film that was not measured" for s in night.unmeasured]
        needs += [
            f"sample {s.number} is still at {s.place}, not in slot {s.slot}"
            for s in night.samples
            if not s.at_home and s.phase is not Phase.QUARANTINED
        ]
    if hazards:
        needs.append(f"the simulated lab saw {counted(len(hazards), 'hazard')}: see below")
    return needs


def _course(night: Night) -> Html:
    state = night.state
    if state.started is None:
        return el("p", "No campaign has started in this journal.", class_="line")
    films = len(night.films)
    of = f" of {night.budget_samples}" if night.budget_samples else ""
    noun = "film" if (night.budget_samples or films) == 1 else "films"
    done = join(el("b", f"{films}{of} {noun}"), f" in {night.hours:.1f} lab hours. ")
    if state.ended:
        how = f"{_ENDS[state.ended.end]} ({state.ended.reason})."
    else:
        how = f"Not ended: {state.mode}, last entry at {clock(night.end, night.zone)}."
    return el("p", done, how, class_="line")


def _finding(night: Night) -> Html:
    counts = ", ".join(f"{night.validities(word)} {word}" for word in ("valid", "censored", "failed"))
    counts += f", {len(night.rejected)} rejected" if night.rejected else ""
    top = night.top
    if top is None and night.state.terms.limits and night.validities("valid"):
        limits = listed([str(limit) for limit in night.state.terms.limits])
        return el("p", "No film has ", limits, f" ({counts}).{_earlier(night)}", class_="line")
    if top is None:
        return el("p", f"No valid value ({counts}).{_earlier(night)}", class_="line")
    if night.several:
        return _finding_several(night, top, counts)
    best = el("b", with_sigma(value_of(top), top.sigma, top.unit))
    word = "Highest" if night.direction == "max" else "Lowest"
    quantity = night.quantity.replace("_", " ") or "value"
    settings = "".join(f", {name.replace('_', ' ')} {value:.4g}" for name, value in top.settings.items())
    where = join(formula(top.composition), f" {_uncertainty(top)}{settings}, sample {top.sample}")
    return el(
        "p",
        join(f"{word} {quantity}: ", best, " at ", where, ". "),
        el("span", _as_good(night, top), f"Observations: {counts}.{_earlier(night)}", class_="aside"),
        class_="line",
    )


def _finding_several(night: Night, top: ObservationMade, counts: str) -> Html:
    front = len(night.state.front)
    best = join("by the weights ", el("b", words(top.outcomes)), " at ", formula(top.composition))
    where = join(best, f" {_uncertainty(top)}, sample {top.sample}. ")
    aside = el("span", f"Observations: {counts}.{_earlier(night)}", class_="aside")
    no_better = "No film is better than it: " if front == 1 else f"{front} films that none is better than; "
    return el("p", no_better, where, aside, class_="line")


def _earlier(night: Night) -> str:
    """What the model knew beside: none of it was made or measured in this night."""
    return f" The model began with {night.earlier} earlier ones, which are not shown here." if night.earlier else ""


def _uncertainty(top: ObservationMade) -> str:
    sigmas = [sigma for sigma in (top.composition_sigma or {}).values() if sigma]
    return f"(±{at_percent(max(sigmas), 1)} at.%)" if sigmas else "(at.%)"


def _as_good(night: Night, top: ObservationMade) -> Html | None:
    """Who else may be the best: the highest of many noisy values is partly luck."""
    rivals = sorted(
        o.sample
        for o in night.state.observations
        if o is not top and o.validity == "valid" and abs(value_of(o) - value_of(top)) <= 2 * _difference_sigma(o, top)
    )
    if not rivals:
        return None
    if len(rivals) > MOST_NAMED:
        return join(f"{len(rivals)} other samples are as good within 2σ. ")
    noun, verb = ("Sample", "is") if len(rivals) == 1 else ("Samples", "are")
    return join(f"{noun} ", listed(rivals), f" {verb} as good within 2σ. ")


def _difference_sigma(one: ObservationMade, other: ObservationMade) -> float:
    return math.hypot(one.sigma or 0.0, other.sigma or 0.0)
