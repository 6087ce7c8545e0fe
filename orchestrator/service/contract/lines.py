"""The lines of a night contract: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from orchestrator.campaign import entries as e
from orchestrator.campaign.digest import sha256_of
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.spec import Campaign

Verdict = Literal["green", "amber", "red"]
NOT_ASKED = "not asked"


class NotChecked(Exception):
    """No contract could be drawn up; the message says why and what to do."""


@dataclass(frozen=True)
class Line:
    """What was looked at, how it is, what was found, and what to do; "" if nothing.

    Red: the night must not begin so.  Amber: it may, and a person should know.
    """

    subject: str
    verdict: Verdict
    found: str
    do: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Contract:
    """All lines of one campaign in one lab."""

    campaign: Campaign
    lab: LabSpec
    version: str
    lines: tuple[Line, ...]

    @property
    def red(self) -> tuple[Line, ...]:
        """What forbids to begin."""
        return tuple(line for line in self.lines if line.verdict == "red")

    @property
    def verdict(self) -> Verdict:
        """That of the worst line."""
        found = {line.verdict for line in self.lines}
        return "red" if "red" in found else "amber" if "amber" in found else "green"

    def signed(self, by: str, armed: str) -> e.ContractSigned:
        """The entry that says that `by` let the night begin on it."""
        return e.ContractSigned(
            by=by,
            campaign_sha256=sha256_of(self.campaign),
            lab_sha256=sha256_of(self.lab),
            version=self.version,
            armed=armed,
            lines=[line.as_dict() for line in self.lines],
        )

    def as_dict(self) -> dict[str, Any]:
        """As a command prints it as JSON."""
        return {
            "verdict": self.verdict,
            "campaign_sha256": sha256_of(self.campaign),
            "lab_sha256": sha256_of(self.lab),
            "version": self.version,
            "lines": [line.as_dict() for line in self.lines],
        }


def not_asked(*subjects: str) -> list[Line]:
    """Lines of what was left out."""
    return [Line(subject, "amber", NOT_ASKED, "check again without --offline") for subject in subjects]


def as_text(lines: Sequence[Line]) -> str:
    """A table for a person: one line each, and what to do below it."""
    width = max(len(line.subject) for line in lines)
    told = []
    for line in lines:
        told.append(f"{line.verdict:5}  {line.subject:{width}}  {line.found}")
        if line.do:
            told.append(f"{'':5}  {'':{width}}  -> {line.do}")
    return "\n".join(told)
