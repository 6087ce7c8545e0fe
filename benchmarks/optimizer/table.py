"""The comparison as a table and as one JSON object."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.optimizer.pools import Pool
from benchmarks.optimizer.roster import Entrant
from benchmarks.optimizer.search import Outcome, Plan
from benchmarks.optimizer.statistics import Comparison, Pairs, capped, compare, figure, worst_pool

Results = Mapping[str, Mapping[str, Mapping[int, Outcome]]]
"""Pool -> agent -> seed -> what became of the search."""


def as_json(
    results: Results,
    found: Sequence[Entrant],
    pools: Sequence[Pool],
    plan: Plan,
    seeds: int,
    left_out: Sequence[str],
) -> str:
    """Everything, experiments by seed included (null where none of the best was found)."""
    return json.dumps(
        {
            "plan": {**asdict(plan), "seeds": seeds},
            "agents": {entrant.name: entrant.version for entrant in found},
            "python": platform.python_version(),
            "left_out": list(left_out),
            "pools": {pool.name: _pool(pool, results[pool.name], plan) for pool in pools},
            "overall": overall(results, found, plan),
        },
        indent=1,
    )


def as_text(
    results: Results,
    found: Sequence[Entrant],
    pools: Sequence[Pool],
    plan: Plan,
    seeds: int,
    left_out: Sequence[str],
) -> str:
    """Pool by pool, then overall."""
    lines = [
        f"Experiments to the first of the best 1 %: budget {plan.budget}, {plan.first} of it shared random rows,",
        f"mode {plan.mode.label}, at most {seeds} seeds, Python {platform.python_version()}.",
        "",
        *(f"{entrant.name:<21} {entrant.version}" for entrant in found),
    ]
    for pool in pools:
        lines += ["", f"{pool.name}: {len(pool.y)} rows, {int(pool.good.sum())} of them good, {pool.X.shape[1]} inputs"]
        lines.append(
            f"  {'agent':<21} {'median [quartiles]':<20} {'mean':>6} {'found':>8} {'wall ms':>9} {'CPU ms':>9}"
        )
        lines += [_line(name, outcomes, plan.budget) for name, outcomes in results[pool.name].items() if outcomes]
    return "\n".join([*lines, "", *_overall_lines(overall(results, found, plan), found[0].name)])


def overall(results: Results, found: Sequence[Entrant], plan: Plan) -> dict[str, Any]:
    """Figures of all agents, and the first one compared with each of the others.

    A figure is over the pools that the agent has searched; it stands beside another's only where `pools` agree.
    """
    means = {entrant.name: _means(results, entrant.name, plan.budget) for entrant in found}
    ours = found[0].name
    figures = {name: {"figure": figure(list(by.values())), "pools": len(by)} for name, by in means.items() if by}
    peers = {name: by for name, by in means.items() if name != ours and by}
    pairs = {name: paired(results, ours, name, plan.budget) for name in peers}
    return {
        "agent": ours,
        "figures": figures,
        "against": {name: _against(compare(of), of) for name, of in pairs.items() if of},
        **({"worst_pool": _worst(pairs)} if any(pairs.values()) else {}),
    }


def paired(results: Results, ours: str, theirs: str, budget: int) -> Pairs:
    """Over the seeds that both have searched with."""
    pairs = {}
    for pool, agents in results.items():
        both = sorted(set(agents.get(ours, {})) & set(agents.get(theirs, {})))
        if both:
            pairs[pool] = (
                capped([agents[ours][seed].experiments for seed in both], budget),
                capped([agents[theirs][seed].experiments for seed in both], budget),
            )
    return pairs


def _means(results: Results, agent: str, budget: int) -> dict[str, float]:
    return {
        pool: float(capped([outcome.experiments for outcome in agents[agent].values()], budget).mean())
        for pool, agents in results.items()
        if agents.get(agent)
    }


def _against(comparison: Comparison, pairs: Pairs) -> dict[str, Any]:
    return {**asdict(comparison), "pools": len(pairs), "pairs": sum(len(ours) for ours, _ in pairs.values())}


def _worst(pairs: Mapping[str, Pairs]) -> dict[str, Any]:
    """Ours against the best peer of the pool, over the seeds that both have."""
    pool, peer, multiple = worst_pool(
        {
            peer: {pool: float(ours.mean() / theirs.mean()) for pool, (ours, theirs) in of.items()}
            for peer, of in pairs.items()
        }
    )
    return {"pool": pool, "best_peer": peer, "ratio": multiple}


def _pool(pool: Pool, agents: Mapping[str, Mapping[int, Outcome]], plan: Plan) -> dict[str, Any]:
    return {
        "rows": len(pool.y),
        "good": int(pool.good.sum()),
        "inputs": pool.X.shape[1],
        "split": pool.spec.split,
        "digest": pool.digest,
        "agents": {name: _agent(outcomes, plan.budget) for name, outcomes in agents.items() if outcomes},
    }


def _agent(outcomes: Mapping[int, Outcome], budget: int) -> dict[str, Any]:
    experiments = [outcome.experiments for _, outcome in sorted(outcomes.items())]
    wall, cpu = _seconds(outcomes)
    return {
        "seeds": sorted(outcomes),
        "experiments": experiments,
        "capped_mean": float(capped(experiments, budget).mean()),
        "median_seconds_per_decision": wall,
        "median_cpu_seconds_per_decision": cpu,
        "errors": {seed: outcome.error for seed, outcome in outcomes.items() if outcome.error},
    }


def _line(name: str, outcomes: Mapping[int, Outcome], budget: int) -> str:
    experiments = [outcome.experiments for outcome in outcomes.values()]
    values = np.array([np.inf if found is None else found for found in experiments])
    low, middle, high = (_quantile(values, share, budget) for share in (0.25, 0.5, 0.75))
    hits = sum(found is not None for found in experiments)
    failed = sum(outcome.error is not None for outcome in outcomes.values())
    wall, cpu = _seconds(outcomes)
    return (
        f"  {name:<21} {f'{middle} [{low}-{high}]':<20} {capped(experiments, budget).mean():>6.1f}"
        f" {f'{hits}/{len(experiments)}':>8} {_ms(wall):>9} {_ms(cpu):>9}"
    ) + (f"  {failed} ended in an error" if failed else "")


def _overall_lines(overall: Mapping[str, Any], ours: str) -> list[str]:
    lines = [
        "Geometric mean over pools of the mean experiments (capped at the budget), and the ratio of",
        f"{ours}'s to it over common pools and seeds [95 % paired bootstrap], p of a stratified permutation test:",
        f"  {'agent':<21} {'figure':>7} {'pools':>6}   ratio",
    ]
    for name, found in overall["figures"].items():
        line = f"  {name:<21} {found['figure']:>7.2f} {found['pools']:>6}"
        if name in overall["against"]:
            a = overall["against"][name]
            line += f"   {a['ratio']:.3f} [{a['low']:.3f}-{a['high']:.3f}]  p {a['p']:.4f}  ({a['pairs']} pairs)"
        lines.append(line)
    if "worst_pool" in overall:
        worst = overall["worst_pool"]
        lines.append(f"Worst pool: {worst['pool']}, {worst['ratio']:.2f} times its best peer's ({worst['best_peer']}).")
    return lines


def _quantile(values: np.ndarray, share: float, budget: int) -> str:
    """Of experiments, where infinite ones are not found."""
    value = float(np.quantile(np.minimum(values, budget + 1), share))
    return f">{budget}" if value > budget else f"{value:g}"


def _seconds(outcomes: Mapping[int, Outcome]) -> tuple[float | None, float | None]:
    """Median wall and CPU seconds of a decision; None where every search ended within the shared rows."""
    decisions = [took for outcome in outcomes.values() for took in outcome.decisions]
    if not decisions:
        return None, None
    return float(np.median([took.wall for took in decisions])), float(np.median([took.cpu for took in decisions]))


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.3g}" if seconds < 1 else f"{1000 * seconds:.0f}"
