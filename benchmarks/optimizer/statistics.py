"""How many experiments ours needs against a peer's: ratios, intervals and tests over pairs.

Notation
--------
s           seeds that both agents have searched with
experiments (s,)  to the first good row, the budget where none was found (a capped value, so a lower bound)
Pairs       pool -> (ours, theirs), each (s,); the same index is the same seed

An agent's figure is the geometric mean over pools of the mean over seeds, so that every pool weighs the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pairs = Mapping[str, tuple[Floats, Floats]]

DRAWS = 20_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Comparison:
    """`ratio` of the figures, ours to theirs, its paired bootstrap interval and a two-sided p."""

    ratio: float
    low: float
    high: float
    p: float


def capped(experiments: Sequence[int | None], budget: int) -> Floats:
    """As numbers; a search that found nothing counts as the budget."""
    return np.array([budget if found is None else min(found, budget) for found in experiments], dtype=float)


def figure(means: Sequence[float]) -> float:
    """Geometric mean."""
    return float(np.exp(np.mean(np.log(means))))


def compare(pairs: Pairs, seed: int = 0, draws: int = DRAWS) -> Comparison:
    """Ours against theirs over all pools."""
    low, high = interval(pairs, np.random.default_rng([seed, 0]), draws)
    return Comparison(ratio(pairs), low, high, p_value(pairs, np.random.default_rng([seed, 1]), draws))


def ratio(pairs: Pairs) -> float:
    """Our figure over theirs."""
    return figure([ours.mean() for ours, _ in pairs.values()]) / figure([theirs.mean() for _, theirs in pairs.values()])


def interval(pairs: Pairs, rng: np.random.Generator, draws: int = DRAWS) -> tuple[float, float]:
    """Percentile bootstrap of the ratio: pairs are drawn anew within every pool, the pools stay."""
    logs = np.zeros(draws)
    for ours, theirs in pairs.values():
        drawn = rng.integers(len(ours), size=(draws, len(ours)))
        logs += np.log(ours[drawn].mean(axis=1)) - np.log(theirs[drawn].mean(axis=1))
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.exp(np.percentile(logs / len(pairs), [tail, 100.0 - tail]))
    return float(low), float(high)


def p_value(pairs: Pairs, rng: np.random.Generator, draws: int = DRAWS) -> float:
    """Two-sided permutation test, stratified by pool: were the two of each pair exchangeable, how often would
    the logarithm of the ratio be at least as far from zero?"""
    logs = np.zeros(draws)
    for ours, theirs in pairs.values():
        exchanged = rng.random((draws, len(ours))) < 0.5
        logs += np.log(np.where(exchanged, theirs, ours).mean(axis=1))
        logs -= np.log(np.where(exchanged, ours, theirs).mean(axis=1))
    observed = abs(np.log(ratio(pairs)))
    as_far = np.abs(logs / len(pairs)) >= observed * (1.0 - 1e-9) - 1e-12
    return float((1 + as_far.sum()) / (1 + draws))


def worst_pool(ratios: Mapping[str, Mapping[str, float]]) -> tuple[str, str, float]:
    """The pool where ours is the largest multiple of its best peer's; that peer, and the multiple.

    `ratios`: peer -> pool -> our mean over the peer's; the best peer of a pool has the largest.
    """
    found: dict[str, tuple[float, str]] = {}
    for peer, by_pool in ratios.items():
        for pool, multiple in by_pool.items():
            found[pool] = max(found.get(pool, (0.0, "")), (multiple, peer))
    pool = max(found, key=lambda name: found[name])
    return pool, found[pool][1], found[pool][0]
