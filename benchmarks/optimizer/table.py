"""The comparison as a table and as one JSON object."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from benchmarks.optimizer.pools import Pool
from benchmarks.optimizer.roster import Entrant
from benchmarks.optimizer.search import Outcome, Plan
from benchmarks.optimizer.statistics import Pairs, capped, compare, figure, worst_pool

BySeed = Mapping[int, Outcome]
Results = Mapping[str, Mapping[str, BySeed]]
"""Pool -> agent -> seed -> what became of the search."""


@dataclass(frozen=True)
class Findings:
    """What a comparison found.  `sequential`: the same with no results outstanding, as far as it was made."""

    found: Sequence[Entrant]
    pools: Sequence[Pool]
    plan: Plan
    seeds: int
    left_out: Sequence[str]
    results: Results
    sequential: Results = field(default_factory=dict)


def as_json(findings: Findings) -> str:
    """Everything, experiments by seed included (null where none of the best was found)."""
    plan = findings.plan
    return json.dumps(
        {
            "plan": {**asdict(plan), "seeds": findings.seeds},
            "agents": {entrant.name: entrant.version for entrant in findings.found},
            "python": platform.python_version(),
            "left_out": list(findings.left_out),
            "pools": {pool.name: _pool(pool, findings.results[pool.name], plan) for pool in findings.pools},
            "overall": overall(findings),
        },
        indent=1,
    )


def as_text(findings: Findings) -> str:
    """Pool by pool, then overall."""
    plan = findings.plan
    lines = [
        f"Experiments to the first of the best 1 %: budget {plan.budget}, {plan.first} of it shared random rows,",
        f"mode {plan.mode.label}, at most {findings.seeds} seeds, Python {platform.python_version()}.",
        "",
        *(f"{entrant.name:<21} {entrant.version}" for entrant in findings.found),
    ]
    for pool in findings.pools:
        lines += ["", f"{pool.name}: {len(pool.y)} rows, {int(pool.good.sum())} of them good, {pool.X.shape[1]} inputs"]
        lines.append(
            f"  {'agent':<21} {'median [quartiles]':<20} {'mean':>6} {'found':>8} {'wall ms':>9} {'CPU ms':>9}"
        )
        agents = findings.results[pool.name]
        lines += [_line(name, outcomes, plan.budget) for name, outcomes in agents.items() if outcomes]
    return "\n".join([*lines, "", *_overall_lines(overall(findings))])


def overall(findings: Findings) -> dict[str, Any]:
    """Figures of all agents, and the first one compared with each of the others.

    A figure is over what the agent has searched; it stands beside another's only where `pools` and `searches`
    agree.  The worst pool is judged by the peers that have searched it with all of our seeds.
    """
    budget = findings.plan.budget
    searched = {who.name: of_agent(findings.results, who.name) for who in findings.found}
    ours, *peers = searched
    figures = {name: _figure(by_pool, budget) for name, by_pool in searched.items() if by_pool}
    pairs = {peer: paired(searched[ours], searched[peer], budget) for peer in peers}
    others = {
        who.name: {pool: pair for pool, pair in pairs[who.name].items() if len(pair[0]) == len(searched[ours][pool])}
        for who in findings.found[1:]
        if not who.agent.ours
    }
    alone = {name: paired(searched[name], of_agent(findings.sequential, name), budget) for name in searched}
    return {
        "agent": ours,
        "figures": figures,
        "against": {name: _compared(of) for name, of in pairs.items() if of},
        "against_sequential": {name: _compared(of) for name, of in alone.items() if of},
        **({"worst_pool": _worst(others)} if any(others.values()) else {}),
    }


def of_agent(results: Results, agent: str) -> dict[str, BySeed]:
    """Pool -> seed -> outcome of one agent, for the pools that it has searched."""
    return {pool: agents[agent] for pool, agents in results.items() if agents.get(agent)}


def paired(ours: Mapping[str, BySeed], theirs: Mapping[str, BySeed], budget: int) -> Pairs:
    """Over the pools and seeds that both have."""
    pairs = {}
    for pool in ours:
        both = sorted(set(ours[pool]) & set(theirs.get(pool, {})))
        if both:
            pairs[pool] = (
                capped([ours[pool][seed].experiments for seed in both], budget),
                capped([theirs[pool][seed].experiments for seed in both], budget),
            )
    return pairs


def _figure(by_pool: Mapping[str, BySeed], budget: int) -> dict[str, Any]:
    means = [capped([outcome.experiments for outcome in of.values()], budget).mean() for of in by_pool.values()]
    return {"figure": figure(means), "pools": len(means), "searches": sum(map(len, by_pool.values()))}


def _compared(pairs: Pairs) -> dict[str, Any]:
    return {**asdict(compare(pairs)), "pools": len(pairs), "pairs": sum(len(ours) for ours, _ in pairs.values())}


def _worst(pairs: Mapping[str, Pairs]) -> dict[str, Any]:
    """Ours against the best of others' agents in each pool, over the seeds that both have."""
    pool, peer, multiple = worst_pool(
        {
            peer: {pool: float(ours.mean() / theirs.mean()) for pool, (ours, theirs) in of.items()}
            for peer, of in pairs.items()
        }
    )
    return {"pool": pool, "best_peer": peer, "ratio": multiple}


def _pool(pool: Pool, agents: Mapping[str, BySeed], plan: Plan) -> dict[str, Any]:
    return {
        "rows": len(pool.y),
        "good": int(pool.good.sum()),
        "inputs": pool.X.shape[1],
        "split": pool.spec.split,
        "digest": pool.digest,
        "agents": {name: _agent(outcomes, plan.budget) for name, outcomes in agents.items() if outcomes},
    }


def _agent(outcomes: BySeed, budget: int) -> dict[str, Any]:
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


def _line(name: str, outcomes: BySeed, budget: int) -> str:
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


def _overall_lines(overall: Mapping[str, Any]) -> list[str]:
    lines = [
        "Geometric mean over pools of the mean experiments (capped at the budget), and the ratio of",
        f"{overall['agent']}'s to it over common pools and seeds [95 % paired bootstrap],",
        "p of a stratified permutation test:",
        f"  {'agent':<21} {'figure':>7} {'pools':>6} {'searches':>9}   ratio",
    ]
    for name, found in overall["figures"].items():
        line = f"  {name:<21} {found['figure']:>7.2f} {found['pools']:>6} {found['searches']:>9}"
        lines.append(f"{line}   {_ratio(overall['against'][name])}" if name in overall["against"] else line)
    if "worst_pool" in overall:
        worst = overall["worst_pool"]
        lines.append(f"Worst pool: {worst['pool']}, {worst['ratio']:.2f} times its best peer's ({worst['best_peer']}).")
    if overall["against_sequential"]:
        lines += ["", "Ratio of each agent's experiments to its own with no results outstanding:"]
        lines += [f"  {name:<21} {_ratio(found)}" for name, found in overall["against_sequential"].items()]
    return lines


def _ratio(found: Mapping[str, Any]) -> str:
    interval = f"{found['ratio']:.3f} [{found['low']:.3f}-{found['high']:.3f}]"
    return f"{interval}  p {found['p']:.2g}  ({found['pairs']} pairs)"


def _quantile(values: np.ndarray, share: float, budget: int) -> str:
    """Of experiments, where infinite ones are not found."""
    value = float(np.quantile(np.minimum(values, budget + 1), share))
    return f">{budget}" if value > budget else f"{value:g}"


def _seconds(outcomes: BySeed) -> tuple[float | None, float | None]:
    """Median wall and CPU seconds of a decision; None where every search ended within the shared rows."""
    decisions = [took for outcome in outcomes.values() for took in outcome.decisions]
    if not decisions:
        return None, None
    return float(np.median([took.wall for took in decisions])), float(np.median([took.cpu for took in decisions]))


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.3g}" if seconds < 1 else f"{1000 * seconds:.0f}"
