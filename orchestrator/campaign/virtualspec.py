"""Virtual stations: how a calculator is run (lab file), and what a campaign may spend on it (campaign file)."""

from __future__ import annotations

from typing import Any, Literal

from orchestrator.campaign.table import Count, Number, Table, Text, key

LANE = "."
"""Between the name of a virtual station and the number of one of its processes: no station of a lab file has it in its
name."""


PROGRAMS = {"elk": "elk-lapw", "akaikkr": "specx"}
"""Calculator -> the program that it runs, where the lab file names no other; one that is not here runs none."""


class VirtualSpec(Table):
    """A calculator, whose results are observations of its own fidelity."""

    kind: Literal["virtual"] = key("Says that it is a calculator.")
    calculator: Literal["slater-pauling", "elk", "akaikkr"] = key(
        "The generalised Slater-Pauling model in closed form, Elk, or AkaiKKR."
    )
    processes: Count = key("How many calculations run at a time.", unit="processes", ge=1, le=64, default=1)
    cores: Count = key("Threads of each calculation.", unit="cores", ge=1, le=256, default=1)
    timeout_s: Number = key("Real time after which a calculation is ended.", unit="s", gt=0, le=1e6, default=3600.0)
    typical_s: Number = key("Real time that one usually takes.", unit="s", ge=0, le=1e6, default=60.0)
    program: Text | None = key(
        'Path of the program; absent: "elk-lapw" or "specx", wherever the shell finds it.', min_length=1, default=None
    )
    species: Text | None = key(
        "Folder of Elk's species files; absent: that of the Debian package.", min_length=1, default=None
    )
    results: Text | None = key(
        "Folder in which results are kept for all campaigns; absent: each campaign keeps its own.",
        min_length=1,
        default=None,
    )
    structure: Literal["bcc", "fcc"] | None = key(
        "The crystal that every alloy is calculated in; absent: by its number of electrons.", default=None
    )
    k_spacing_per_a: Number = key(
        "Largest distance between k points in Elk's mesh.", unit="1/Å", gt=0.05, le=1.0, default=0.32
    )

    @property
    def command(self) -> str | None:
        """The program that it runs; None if it runs none."""
        return (self.program or PROGRAMS[self.calculator]) if self.calculator in PROGRAMS else None

    @property
    def devices(self) -> dict[str, Any]:
        """None: it has no instruments."""
        return {}


class VirtualUse(Table):
    """What the campaign may spend on a virtual station."""

    calculations: Count = key("Calculations, at most.", unit="calculations", ge=1, le=1_000_000)
    head_start: Count = key(
        "Calculations that are made before the first film is chosen, unless they fail.",
        unit="calculations",
        ge=0,
        le=10_000,
        default=16,
    )
    cost: Number = key(
        "What a calculation costs, where a film costs 1: one is begun only if what it may tell is worth that.",
        unit="films",
        ge=0,
        le=1e6,
        default=0.001,
    )


def lanes(name: str, processes: int) -> tuple[str, ...]:
    """What the processes of virtual station `name` are called: each is a station of its own to the journal.

    >>> lanes("theory", 2)
    ('theory.1', 'theory.2')
    """
    return tuple(f"{name}{LANE}{number}" for number in range(1, processes + 1))
