"""Patterns mean the same to Rust, RE2 and Python."""

import re

import jsonschema_rs
import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from cdp.schemas.registry.pattern_parser import NotPortable
from cdp.schemas.registry.patterns import example, portable

LITERALS = st.sampled_from(["a", "Z", "0", "_", "-", " ", "é", "\\.", "\\/", "\\-", "\\x41", "\\t"])
CLASSES = st.sampled_from(
    ["\\d", "\\w", "\\s", "\\D", "\\W", "\\S", ".", "[a-c]", "[^a-c]", "[\\d_-]", "[^\\s]", "[\\W]"]
)
COUNTS = st.sampled_from(["", "*", "+", "?", "{2}", "{1,3}", "{2,}", "+?"])


def patterns() -> st.SearchStrategy[str]:
    atoms = st.one_of(LITERALS, CLASSES)
    counted = st.tuples(atoms, COUNTS).map("".join)
    sequences = st.lists(counted, min_size=1, max_size=4).map("".join)
    choices = st.lists(sequences, min_size=1, max_size=3).map("|".join)
    groups = st.tuples(choices, COUNTS).map(lambda pair: f"({pair[0]}){pair[1]}")
    middles = st.lists(st.one_of(counted, groups), min_size=1, max_size=3).map("".join)
    anchored = st.tuples(st.sampled_from(["", "^"]), middles, st.sampled_from(["", "$"]))
    return anchored.map("".join)


TEXTS = st.text(st.sampled_from("aZ0_- é.\n\r\t/b٣\u2028A"), max_size=12)


def rust(pattern: str, text: str) -> bool:
    options = jsonschema_rs.RegexOptions()
    schema = {"type": "string", "pattern": pattern}
    return jsonschema_rs.Draft202012Validator(schema, pattern_options=options).is_valid(text)


@given(patterns(), TEXTS)
def test_three_engines_agree_on_every_pattern_of_the_subset(pattern, text):
    written = portable(pattern)

    # Python's `$` also stands before a last line feed; the others' does not.
    expected = re.search(re.sub(r"\$$", r"\\Z", written), text) is not None
    assert rust(written, text) == expected
    assert (re2.search(written, text) is not None) == expected


@given(patterns())
def test_writing_a_pattern_twice_changes_nothing_more(pattern):
    assert portable(portable(pattern)) == portable(pattern)


@given(patterns(), st.integers(0, 5))
def test_an_example_is_found_by_its_pattern(pattern, least):
    assert rust(portable(pattern), example(pattern, least))


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("^[A-Z]{2}$", "^[A-Z]{2}$"),
        ("\\d+", "[0-9]+"),
        ("(a|b)?", "(?:a|b)?"),
        ("[-.\\w]+", "[\\--.0-9A-Z_a-z]+"),
        ("a.b", "a[^\\x0a\\x0d\u2028-\u2029]b"),
        ("a{2,2}", "a{2}"),
        ("\\u00e9", "é"),
        ("[a&&b]".replace("&&", "&"), "[\\x26a-b]"),
        ("(x|)", "(?:x|)"),
    ],
)
def test_classes_are_written_out(pattern, written):
    assert portable(pattern) == written


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)b",
        "(?<n>a)",
        "(?i)a",
        "\\1",
        "\\bword",
        "\\p{L}",
        "a**",
        "a{2}{3}",
        "*a",
        "^*",
        "a{3,2}",
        "a{1001}",
        "(a{50}){50}",
        "[]",
        "[a",
        "[z-a]",
        "[a-\\d]",
        "[\\d-a]",
        "[a[b]]",
        "[a&&b]",
        "[a--b]",
        "(a",
        "a)",
        "a{",
        "}",
        "]",
        "\\",
        "\\x4",
        "\\ud800",
        "\\01",
        "(" * 40 + ")" * 40,
        "a" * 1001,
    ],
)
def test_what_engines_read_differently_is_refused(pattern):
    with pytest.raises(NotPortable):
        portable(pattern)


def test_the_largest_pattern_that_is_taken_compiles_everywhere():
    written = portable("^(.{10}){100}$")

    assert rust(written, "x" * 1000)
    assert re2.search(written, "x" * 1000)
