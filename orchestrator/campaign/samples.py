"""All samples of a campaign, and what every decision asks of them: kept at hand, so that it costs the same in the
ten-thousandth film as in the first."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field, replace

from orchestrator.campaign.entries import FilmDeposited, Place, SampleSuggested
from orchestrator.campaign.lifecycle import Phase
from orchestrator.campaign.sample import Sample, slot_place
from orchestrator.campaign.search import Queued

AWAITED = (Phase.SUGGESTED, Phase.DEPOSITING, Phase.DEPOSITED, Phase.MEASURING)


def _planned(sample: Sample) -> bool:
    return sample.film is not None or sample.phase not in (Phase.DISCARDED, Phase.VETOED)


def has_substrate(sample: Sample) -> bool:
    """Whether a substrate is that sample's; one that was vetoed gives its own back when it is in its slot again."""
    return sample.phase is not Phase.VETOED or not sample.at_home or sample.bound_for is not None


def _settled(sample: Sample) -> bool:
    return sample.phase is Phase.QUARANTINED or (sample.finished and sample.at_home)


@dataclass
class Samples:
    """`by_number` is in the order in which they were suggested.  Only the methods here change a sample's phase, film,
    place or `bound_for`; whoever changes anything else of one asks for it with `mine`.

    `planned` counts films, and samples that may be or become one; `films` those that are.
    """

    by_number: dict[int, Sample] = field(default_factory=dict)
    planned: int = 0
    films: int = 0
    _of_slot: dict[int, int] = field(default_factory=dict)
    _home_of: dict[Place, int] = field(default_factory=dict)
    _abroad: dict[int, None] = field(default_factory=dict)  # not at rest in their own slots
    _awaited: dict[int, None] = field(default_factory=dict)
    _unsettled: dict[int, None] = field(default_factory=dict)
    _mine: set[int] | None = field(default=None, compare=False)  # not shared with a copy; None: all

    def copy(self) -> Samples:
        """One that can be changed without changing this one, and the other way round.  The samples are shared until
        one of both changes them."""
        self._mine = set()
        other = replace(self, _mine=set())
        for name, value in vars(other).items():
            if isinstance(value, dict):
                setattr(other, name, value.copy())
        return other

    # --- questions ------------------------------------------------------------------------------------

    @property
    def slots(self) -> Set[int]:
        """Whose substrates are used."""
        return self._of_slot.keys()

    @property
    def awaited(self) -> list[Sample]:
        """Those whose observation is still to come, in order."""
        return [self.by_number[number] for number in self._awaited]

    @property
    def all_settled(self) -> bool:
        """Every one is finished and in its slot, or set aside."""
        return not self._unsettled

    def at(self, place: Place) -> Sample | None:
        """The first that is at `place`, on its way there, or perhaps there."""
        found = [sample for n in self._abroad if place in ((sample := self.by_number[n]).place, sample.bound_for)]
        if place in self._home_of and self._home_of[place] not in self._abroad:
            found.append(self.by_number[self._home_of[place]])
        if len(found) > 1:
            return next(sample for sample in self.by_number.values() if any(sample is one for one in found))
        return found[0] if found else None

    # --- changes --------------------------------------------------------------------------------------

    def add(self, suggestion: SampleSuggested, own: Queued | None = None) -> None:
        """A new one, at rest in its slot; perhaps an operator's `own`."""
        slot = suggestion.slot
        sample = Sample(suggestion.sample, slot, slot_place(slot), Phase.SUGGESTED, suggestion=suggestion, own=own)
        self.by_number[sample.number] = sample
        self._of_slot[sample.slot] = self._home_of[sample.place] = sample.number
        self._awaited[sample.number] = self._unsettled[sample.number] = None
        self.planned += 1
        if self._mine is not None:
            self._mine.add(sample.number)

    def mine(self, number: int) -> Sample:
        """The sample, to be changed.  Raises `KeyError`."""
        if self._mine is None:
            return self.by_number[number]
        if number not in self._mine:
            self.by_number[number] = self.by_number[number].copy()
            self._mine.add(number)
        return self.by_number[number]

    def turn(self, number: int, phase: Phase, film: FilmDeposited | None = None) -> Sample:
        """It comes to `phase`, perhaps by becoming `film`."""
        sample = self.mine(number)
        self.planned -= _planned(sample)
        sample.phase = phase
        if film is not None:
            self.films += sample.film is None
            sample.film = film
        self.planned += _planned(sample)
        if phase not in AWAITED:
            self._awaited.pop(number, None)
        elif number not in self._awaited:  # its observation was withdrawn
            self._awaited = {n: None for n in self.by_number if n == number or n in self._awaited}
        _note(self._unsettled, number, not _settled(sample))
        self._give_back(sample)
        return sample

    def move(self, number: int, place: Place, bound_for: Place | None = None) -> None:
        """It is at `place`; on its way, or perhaps, at `bound_for`."""
        sample = self.mine(number)
        sample.place, sample.bound_for = place, bound_for
        _note(self._abroad, number, bound_for is not None or not sample.at_home)
        if sample.finished:
            _note(self._unsettled, number, not sample.at_home)
        self._give_back(sample)

    def _give_back(self, sample: Sample) -> None:
        """Its substrate, if that is no longer its own."""
        if not has_substrate(sample):
            del self._of_slot[sample.slot], self._home_of[slot_place(sample.slot)]


def _note(numbers: dict[int, None], number: int, belongs: bool) -> None:
    if belongs:
        numbers[number] = None
    else:
        numbers.pop(number, None)
