"""Chooses the next sample: suggest and observe.

`make_optimizer` gives a campaign's optimizer, `service` is its process, and `fallback` is what the night goes
on with when that process is down.  `PlainOptimizer` is the optimizer without a campaign, and `Fraction`, `Number`,
`Integer` and `Category` are its degrees of freedom.  Each is imported when first asked for: the fallback needs numpy
and no more, and the service limits numpy's threads before numpy is imported.
"""

from typing import Any

__all__ = ["Category", "Fraction", "Integer", "Number", "PlainOptimizer", "fallback", "make_optimizer"]


def __getattr__(name: str) -> Any:
    if name == "fallback":
        from orchestrator.optimizer.start import fallback

        return fallback
    if name == "make_optimizer":
        from orchestrator.optimizer.making import make_optimizer

        return make_optimizer
    if name == "PlainOptimizer":
        from orchestrator.optimizer.plain import PlainOptimizer

        return PlainOptimizer
    if name in ("Category", "Fraction", "Integer", "Number"):
        from orchestrator.optimizer import dofs

        return getattr(dofs, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
