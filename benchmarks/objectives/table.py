"""What the searches say: hypervolume by experiments, processor seconds of a decision, and ours against each peer's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Searches = dict[str, dict[str, dict[int, tuple[Floats, Sequence[float]]]]]
"""Problem -> agent -> seed -> the share found after each experiment, and processor seconds of each decision."""

AT = (10, 20, 30, 40, 60, 100)
DRAWS = 20_000


def figures(of_agent: Mapping[int, tuple[Floats, Sequence[float]]], first: int) -> dict[str, float]:
    """Means over seeds: "mean" over the experiments after the first ones, after so many of them, and the median of the
    processor seconds."""
    curves = np.array([curve for curve, _ in of_agent.values()])
    told = {"seeds": float(len(curves)), "mean": float(curves[:, first:].mean())}
    told |= {f"after {n}": float(curves[:, n - 1].mean()) for n in AT if n <= curves.shape[1]}
    seconds = [s for _, each in of_agent.values() for s in each]
    return {**told, "seconds": float(np.median(seconds)) if seconds else 0.0}


def difference(
    ours: Mapping[int, tuple[Floats, Sequence[float]]],
    theirs: Mapping[int, tuple[Floats, Sequence[float]]],
    first: int,
) -> tuple[float, float, float, int]:
    """Of the means, ours less theirs, with a paired 95 % bootstrap interval, and the number of seeds."""
    seeds = sorted(ours.keys() & theirs.keys())
    away = np.array([ours[s][0][first:].mean() - theirs[s][0][first:].mean() for s in seeds])
    drawn = np.random.default_rng(0).integers(len(away), size=(DRAWS, len(away)))
    low, high = np.percentile(away[drawn].mean(axis=1), [2.5, 97.5])
    return float(away.mean()), float(low), float(high), len(seeds)


def as_plain(made: Searches, first: int) -> dict[str, dict[str, dict[str, float]]]:
    return {
        problem: {agent: figures(seeds, first) for agent, seeds in agents.items()} for problem, agents in made.items()
    }


def as_text(made: Searches, first: int) -> str:
    """A table for each problem; the first agent is held against each of the others."""
    lines = []
    for problem, agents in made.items():
        told = {agent: figures(seeds, first) for agent, seeds in agents.items()}
        columns = [name for name in next(iter(told.values())) if name not in ("seeds", "seconds")]
        lines += [f"## {problem}", "", "| | " + " | ".join(columns) + " | CPU s per decision | seeds |"]
        lines.append("|---" * (len(columns) + 3) + "|")
        for agent, values in told.items():
            cells = [f"{values.get(name, float('nan')):.3f}" for name in columns]
            lines.append(f"| {agent} | {' | '.join(cells)} | {values['seconds']:.2f} | {values['seeds']:.0f} |")
        ours, *others = agents
        lines.append("")
        for other in others:
            if agents[ours].keys() & agents[other].keys():
                mean, low, high, n = difference(agents[ours], agents[other], first)
                lines.append(f"{ours} less {other}: {mean:+.3f} [{low:+.3f}, {high:+.3f}] ({n} seeds)")
        lines.append("")
    return "\n".join(lines)
