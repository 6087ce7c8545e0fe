"""Numbers, times and compositions as the report writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from statistics import median

from orchestrator.report.markup import Child, Html, el, join, text

HOUR_S = 3600.0
NO_BREAK = "\u00a0"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def decimals(sigma: float | None, most: int = 6) -> int:
    """Digits after the point that give `sigma` two significant ones."""
    if not sigma or not math.isfinite(sigma):
        return 2
    return min(most, max(0, 1 - math.floor(math.log10(abs(sigma)))))


def column_decimals(sigmas: Iterable[float | None]) -> int:
    """Digits after the point for a column: right for its middle uncertainty."""
    known = [sigma for sigma in sigmas if sigma]
    return decimals(median(known)) if known else 2


def number(value: float | None, digits: int) -> str:
    """`value` with `digits` after the point and a true minus sign; a dash if there is none."""
    if value is None:
        return "–"
    if abs(value) >= 1e7:
        return f"{value:.4g}".replace("-", "−")
    return f"{value:.{digits}f}".replace("-", "−")


def with_sigma(value: float | None, sigma: float | None, unit: str, digits: int | None = None) -> str:
    """A value with its uncertainty, 1942 ± 11 kA/m, rounded as that deserves or to `digits` after the point."""
    if digits is None:
        digits = decimals(sigma) if sigma or not value else max(0, 3 - math.floor(math.log10(abs(value))))
    uncertain = f" ± {number(sigma, digits)}" if sigma is not None else ""
    return f"{number(value, digits)}{uncertain}{unit_after(unit)}".replace(" ", NO_BREAK)


def short(value: float) -> str:
    """`value` to three digits, with a power of ten only where that reads better: 1880, 2.4 × 10⁻⁶."""
    rounded = float(f"{value:.3g}")
    if 1e-3 <= abs(rounded) < 1e6 or not rounded:
        return f"{rounded:.10g}".replace("-", "−")
    mantissa, exponent = f"{rounded:.2e}".split("e")
    return f"{float(mantissa):g} × {power_of_ten(int(exponent))}".replace("-", "−")


def power_of_ten(exponent: int) -> str:
    """10⁻⁶"""
    return f"10{str(exponent).translate(_SUPERSCRIPTS)}"


def unit_after(unit: str) -> str:
    """` kA/m`; nothing for a plain number."""
    return "" if unit in ("", "1") else f" {pretty_unit(unit)}"


def pretty_unit(unit: str) -> str:
    """`A m2` as A m²."""
    return re.sub(r"(?<=m)[23]\b", lambda power: power[0].translate(_SUPERSCRIPTS), unit)


def quantity_label(quantity: str, unit: str) -> str:
    """`saturation magnetisation (kA/m)`"""
    words = quantity.replace("_", " ") or "value"
    return words if unit in ("", "1") else f"{words} ({pretty_unit(unit)})"


def formula(fractions: Mapping[str, float], digits: int = 1) -> Html:
    """A composition with its at.% as subscripts; elements below 0.05 at.% are left out."""
    return join(*(join(symbol, el("sub", at_percent(x, digits))) for symbol, x in _present(fractions)))


def plain_formula(fractions: Mapping[str, float]) -> str:
    """A composition in one line of text: Fe 68.2 Co 31.8."""
    return " ".join(f"{symbol} {at_percent(x, 1)}" for symbol, x in _present(fractions))


def at_percent(fraction: float, digits: int | None = None) -> str:
    """A fraction in at.%; without `digits`, as many as it needs."""
    return f"{100 * fraction:.{digits}f}" if digits is not None else f"{round(100 * fraction, 3):g}"


def _present(fractions: Mapping[str, float]) -> list[tuple[str, float]]:
    return [(symbol, x) for symbol, x in fractions.items() if x >= 0.0005]


def local(time: float, zone: tzinfo | None) -> datetime:
    """Lab time as a date in `zone`, or in this machine's."""
    return datetime.fromtimestamp(time, UTC).astimezone(zone)


def clock(time: float, zone: tzinfo | None) -> str:
    """02:14"""
    return f"{local(time, zone):%H:%M}"


def day_and_clock(time: float, zone: tzinfo | None) -> str:
    """Mon 3 Feb 2025, 20:00"""
    date = local(time, zone)
    return f"{date:%a} {date.day} {date:%b %Y, %H:%M}"


def elapsed(seconds: float) -> str:
    """4:07 for four hours and seven minutes."""
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02d}"


def minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min"


def listed(items: Iterable[Child]) -> Html:
    """1, 2 and 3"""
    made = [text(item) for item in items]
    if len(made) < 2:
        return join(*made)
    return join(join(*made[:-1], between=", "), " and ", made[-1])


def counted(count: int, noun: str, several: str | None = None) -> str:
    """1 film, 2 films"""
    return f"{count} {noun}" if count == 1 else f"{count} {several or noun + 's'}"


def percent(share: float) -> str:
    """37 %; what is not none is not said to be none, nor what is not all to be all."""
    if 0 < share < 0.005:
        return f"less than 1{NO_BREAK}%"
    if 0.995 < share < 1:
        return f"more than 99{NO_BREAK}%"
    return f"{100 * share:.0f}{NO_BREAK}%"
