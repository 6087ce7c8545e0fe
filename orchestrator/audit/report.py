"""Carrying out every check, and what came of it as text and as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from orchestrator.audit.records import Records
from orchestrator.audit.ruling import Breach, Check, Unchecked
from orchestrator.audit.table import CHECKS

SHOWN = 5
"""Reasons for what is not checkable that are shown in words, for one check; the rest is counted."""


@dataclass(frozen=True)
class Finding:
    """What one check came to; `looked` counts the facts that it could rule on."""

    check: Check
    looked: int
    breaches: tuple[Breach, ...]
    unchecked: tuple[Unchecked, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "check": self.check.name,
            "invariant": self.check.invariant,
            "proves": self.check.proves,
            "looked": self.looked,
            "breaches": [asdict(breach) for breach in self.breaches],
            "not_checkable": [unchecked.message for unchecked in self.unchecked],
        }


@dataclass(frozen=True)
class Report:
    """An audit.  `end` is how the campaign ended, None for one that is not over."""

    home: str
    entries: int
    end: str | None
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def breaches(self) -> list[tuple[str, Breach]]:
        """(name of the check, breach), in the order of the checks."""
        return [(finding.check.name, breach) for finding in self.findings for breach in finding.breaches]

    @property
    def clean(self) -> bool:
        return not self.breaches

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "home": self.home,
            "clean": self.clean,
            "entries": self.entries,
            "end": self.end,
            "breaches": len(self.breaches),
            "looked": sum(finding.looked for finding in self.findings),
            "notes": list(self.notes),
            "checks": [finding.as_dict() for finding in self.findings],
        }

    def as_text(self) -> str:
        """For a person: the table, then every breach, then what cannot be told."""
        ended = "is not over" if self.end is None else f"ended as {self.end}"
        lines = [f"{self.home}: {self.entries} entries; the campaign {ended}", *self.notes, "", *_table(self.findings)]
        if self.breaches:
            lines += ["", "Breaches:", *(f"  {name}: {_in_words(breach)}" for name, breach in self.breaches)]
        if any(finding.unchecked for finding in self.findings):
            lines += ["", "Not checkable:", *(line for finding in self.findings for line in _reasons(finding))]
        return "\n".join([*lines, "", self._verdict()])

    def _verdict(self) -> str:
        looked = sum(finding.looked for finding in self.findings)
        idle = sum(finding.looked == 0 for finding in self.findings)
        found = len(self.breaches)
        said = "clean" if not found else "1 breach" if found == 1 else f"{found} breaches"
        return f"{said}: {len(self.findings)} checks looked at {looked} facts; {idle} of them at nothing"


def examine(records: Records, checks: Sequence[Check] = CHECKS) -> tuple[Finding, ...]:
    """Every check's finding, in order."""
    return tuple(_finding(check, records) for check in checks)


def _finding(check: Check, records: Records) -> Finding:
    rulings = list(check.examine(records))
    unchecked = tuple(ruling for ruling in rulings if isinstance(ruling, Unchecked))
    breaches = tuple(ruling for ruling in rulings if isinstance(ruling, Breach))
    return Finding(check, len(rulings) - len(unchecked), breaches, unchecked)


def _table(findings: Iterable[Finding]) -> list[str]:
    lines = [f"{'inv.':>4}  {'check':24} {'looked at':>9}  {'breaches':>8}  proves"]
    for finding in findings:
        looked = str(finding.looked) if finding.looked else "nothing"
        found = str(len(finding.breaches)) if finding.breaches else "-"
        check = finding.check
        lines.append(f"{check.invariant:>4}  {check.name:24} {looked:>9}  {found:>8}  {check.proves}")
    return lines


def _in_words(breach: Breach) -> str:
    numbers = ", ".join(str(version) for version in breach.versions if version)
    where = [
        f"entr{'ies' if ',' in numbers else 'y'} {numbers}" if numbers else "",
        f"sample {breach.sample}" if breach.sample is not None else "",
        f"step {breach.step}" if breach.step else "",
        f"run {breach.run}" if breach.run else "",
        f"substrate {breach.substrate}" if breach.substrate is not None else "",
    ]
    told = ", ".join(filter(None, where))
    return f"{breach.message} ({told})" if told else breach.message


def _reasons(finding: Finding) -> list[str]:
    said = list(dict.fromkeys(unchecked.message for unchecked in finding.unchecked))
    lines = [f"  {finding.check.name}: {message}" for message in said[:SHOWN]]
    return [*lines, f"  {finding.check.name}: and {len(said) - SHOWN} more"] if len(said) > SHOWN else lines
