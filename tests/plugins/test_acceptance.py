"""The catalogue of demands and the count of those that are shown."""

import re
from collections import Counter

import pytest

from tests.plugins.acceptance import Catalogue, Tally

THREE = Catalogue({"A": "First", "B": "Second"}, {"A-01": "One", "A-02": "Two", "B-01": "Three"})


def test_every_demand_of_every_guide_is_there_in_words_of_its_own():
    catalogue = Catalogue.read()

    assert Counter(line[0] for line in catalogue.lines) == {
        "A": 89,
        "B": 50,
        "C": 50,
        "D": 60,
        "E": 50,
    }
    assert set(catalogue.guides) == set("ABCDE")
    for guide, count in Counter(line[0] for line in catalogue.lines).items():
        expected = [f"{guide}-{number:02}" for number in range(1, count + 1)]
        assert [line for line in catalogue.lines if line.startswith(guide)] == expected
    assert all(re.fullmatch(r"\S.{10,}\S", text) for text in catalogue.lines.values())


def test_a_line_is_passed_failed_or_missing():
    tally = Tally(THREE)
    tally.collected("one", {"A-01", "A-02"})
    tally.collected("two", {"A-02"})
    tally.collected("three", {"B-01"})

    tally.ended("one", "setup", "passed")
    tally.ended("one", "call", "passed")
    tally.ended("two", "call", "failed")
    tally.ended("three", "setup", "skipped")

    assert list(tally.report()) == [
        "A-01 passed",
        "A-02 failed",
        "B-01 missing",
        "A: 1 passed, 1 failed, 0 missing of 2 (First)",
        "B: 0 passed, 0 failed, 1 missing of 1 (Second)",
    ]


def test_what_breaks_while_it_is_taken_down_has_failed():
    tally = Tally(THREE)
    tally.collected("one", {"A-01"})

    tally.ended("one", "call", "passed")
    tally.ended("one", "teardown", "failed")

    assert tally.state_of("A-01") == "failed"


def test_a_mark_that_names_no_demand_is_an_error():
    with pytest.raises(LookupError, match="A-99"):
        Tally(THREE).collected("one", {"A-99"})
