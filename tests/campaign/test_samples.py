"""What is kept of the samples agrees with them, and copies are copies, whatever is done to which."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.campaign.lifecycle import Phase
from orchestrator.campaign.sample import Sample
from orchestrator.campaign.samples import Samples, has_substrate
from tests.campaign.slowly import check_samples
from tests.campaign.stories import film, suggested

PLACES = ["deposition", "magnetometry", "gripper", "cassette/1", "cassette/2", "cassette/9"]
NUMBERS = st.integers(1, 4)

adding = st.tuples(st.just("add"), NUMBERS)
turning = st.tuples(st.just("turn"), NUMBERS, st.sampled_from(list(Phase)), st.booleans())
moving = st.tuples(st.just("move"), NUMBERS, st.sampled_from([*PLACES, "home"]), st.sampled_from([None, *PLACES]))
failing = st.tuples(st.just("fail"), NUMBERS)
copying = st.just(("copy",))


class Book:
    """Samples as they are kept, and as a plain dictionary beside them."""

    def __init__(self, kept: Samples | None = None, plain: dict[int, Sample] | None = None) -> None:
        self.kept = kept or Samples()
        self.plain = plain or {}

    def copy(self) -> Book:
        return Book(self.kept.copy(), deepcopy(self.plain))

    def do(self, act: str, number: int, *args) -> None:
        if act == "add":
            if number not in self.plain:
                suggestion = suggested(number)
                self.kept.add(suggestion)
                self.plain[number] = Sample(
                    number, suggestion.slot, f"cassette/{suggestion.slot}", Phase.SUGGESTED, suggestion=suggestion
                )
        elif number in self.plain:
            getattr(self, f"_{act}")(number, *args)

    def _turn(self, number: int, phase: Phase, filmed: bool) -> None:
        sample = self.plain[number]
        withdrawn = (sample.phase, phase) == (Phase.OBSERVED, Phase.DEPOSITED)
        if withdrawn or sample.phase not in (Phase.OBSERVED, Phase.DISCARDED, Phase.QUARANTINED, Phase.VETOED):
            self.kept.turn(number, phase, film(number) if filmed else None)
            self.plain[number] = replace(sample, phase=phase, film=film(number) if filmed else sample.film)

    def _move(self, number: int, place: str, bound_for: str | None) -> None:
        if not has_substrate(self.plain[number]):
            return  # nothing is left that could be moved
        place = f"cassette/{self.plain[number].slot}" if place == "home" else place
        self.kept.move(number, place, bound_for)
        self.plain[number] = replace(self.plain[number], place=place, bound_for=bound_for)

    def _fail(self, number: int) -> None:
        for sample in (self.kept.mine(number), self.plain[number]):
            sample.failures.setdefault("transfer", []).append("protocol")


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 3), st.one_of(adding, turning, moving, failing, copying)), max_size=40))
def test_whatever_is_done_to_whichever_copy(acts):
    books = [Book()]
    for which, (act, *args) in acts:
        book = books[which % len(books)]
        if act == "copy":
            books.append(book.copy())
        else:
            book.do(act, *args)
        for each in books:
            check_samples(each.kept, each.plain)


def test_of_several_at_a_place_the_first_suggested_is_told():
    samples = Samples()
    for number in (7, 2, 5):
        samples.add(suggested(number))
    samples.move(5, "deposition")
    samples.move(2, "cassette/2", "deposition")
    assert samples.at("deposition") is samples.by_number[2]
    samples.move(5, "cassette/7")
    assert samples.at("cassette/7") is samples.by_number[7]
    samples.move(7, "deposition")
    assert samples.at("cassette/7") is samples.by_number[5]
