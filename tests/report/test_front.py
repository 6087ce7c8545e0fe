"""The report of a night with several objectives: the films that none is better than, in place of one best."""

from __future__ import annotations

from orchestrator.report import render
from orchestrator.report.facts import Night
from orchestrator.report.front import trade_offs
from orchestrator.report.random_search import held_against
from orchestrator.report.top import ranked
from tests.campaign.test_terms import SQUARE, entries_of, two
from tests.report.test_page import parsed
from tests.service.nights import campaign

FILMS = (1800.0, 6.0), (1500.0, 2.0), (1400.0, 3.0), (1700.0, 3.0), (1900.0, 1.0, 0.1)


def test_the_page_shows_the_front_and_no_single_best():
    page = render(entries_of(two(limits=[SQUARE]), *FILMS), simulated=True)
    parsed(page)
    assert '<h2 id="trade-offs">Trade-offs</h2>' in page
    assert "Best so far" not in page
    assert "3 of the 5 films measured in every objective are such that none is better." in page
    assert "1 film (×) did not keep squareness at least 0.5." in page
    assert "By the weights (saturation magnetisation 1, coercivity 1) the best trade-off of them is sample 4." in page
    assert "3 films that none is better than" in page


def test_the_table_has_the_front_alone_and_every_quantity():
    night = Night(entries_of(two(limits=[SQUARE]), *FILMS))
    table = trade_offs(night).split("<table")[1]
    numbers = [row.split("</th>")[0].split(">")[-1] for row in table.split('scope="row"')[1:]]
    assert numbers == ["1", "4", "2"]
    assert "squareness" in table
    assert [sample.number for sample in ranked(night)] == [4, 1, 2, 3]


def test_it_is_not_held_against_random_search():
    assert held_against(Night(entries_of(two(), *FILMS)), "no model") == "there are several objectives"


def test_a_night_without_a_value_says_so():
    page = render(entries_of(two(), (None, 1.0)), simulated=False)
    parsed(page)
    assert "No sample has been measured in every objective yet." in page


def test_a_night_in_which_no_film_keeps_the_limits_says_so():
    page = render(entries_of(two(limits=[SQUARE]), (1900.0, 1.0, 0.1)), simulated=False)
    assert "None of them keeps all limits." in page
    assert "No film has squareness at least 0.5" in page


def test_one_objective_with_a_limit_has_a_best_that_keeps_it():
    limits = [{"quantity": "coercivity", "unit": "mT", "max": 2.5}]
    page = render(entries_of(campaign(limits=limits), *FILMS[:4]), simulated=False)
    parsed(page)
    assert "Best so far" in page
    assert "1500" in page.split("Highest saturation magnetisation")[1][:120]
