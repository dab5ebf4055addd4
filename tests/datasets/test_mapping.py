"""The mapping language: exact values, faults with their places, limits, and nothing else raised."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cdp.datasets.mapping.errors import ExpressionInvalid, RowInvalid
from cdp.datasets.mapping.expression import FUNCTIONS, compile_expression
from cdp.datasets.mapping.parse import DEEPEST, LONGEST
from cdp.datasets.mapping.rules import Rule, attribute_text, compile_mapping
from cdp.schemas.registry.fields import Field
from tests.datasets import mapping_page

NOW = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)
ROW = {
    "name": "Sarah",
    "first name": "S",
    "a-b": 5,
    "age": 41,
    "price": 2.5,
    "yes": True,
    "nothing": None,
    "items": [{"sku": "a", "n": 1}, {"sku": "b"}, 7],
    "address": {"city": "Rome", "street": {"no": 3}},
    "tags": ["x", "y"],
}


def value(text, row=ROW):
    return compile_expression(text).evaluate(row, now=NOW)


def fault(text):
    with pytest.raises(ExpressionInvalid) as caught:
        compile_expression(text)
    return caught.value.detail


def test_the_page_tells_every_function_as_it_is():
    assert mapping_page.FILE.read_text() == mapping_page.page()


EXAMPLES = {name: each.example for name, each in FUNCTIONS.items() if each.example}


@pytest.mark.parametrize(("text", "result"), EXAMPLES.values(), ids=EXAMPLES.keys())
def test_every_example_gives_what_it_says(text, result):
    found = value(text)

    assert found == result
    assert type(found) is type(result)


# Functions without an example of their own: other spellings, and what depends on the moment.
OTHERS = {
    "now": ("now()", NOW),
    "timestamp": ("timestamp()", 1_795_169_100_000),
    "lcase": ('lcase("AbC")', "abc"),
    "ucase": ('ucase("AbC")', "ABC"),
    "to_bigint": ('to_bigint("12.7")', 12),
    "to_decimal": ('to_decimal("12.5")', 12.5),
    "to_map": ('to_map("a", 1)', {"a": 1}),
    "str_to_map": ('str_to_map("a:1,b:2")', {"a": "1", "b": "2"}),
    "is_set": ('is_set(address, "street.no")', True),
    "nullify": ("nullify()", None),
}


@pytest.mark.parametrize(("text", "result"), OTHERS.values(), ids=OTHERS.keys())
def test_other_spellings_and_moments(text, result):
    assert value(text) == result


def test_no_function_goes_without_a_test():
    assert set(FUNCTIONS) == {*EXAMPLES, *OTHERS, "uuid", "guid"}
    assert len({value("uuid()"), value("uuid()"), value("guid()")}) == 3
    assert len(value("uuid()")) == 36


VALUES = {
    "name": "Sarah",
    "missing": None,
    "address.city": "Rome",
    "address.street.no": 3,
    "address.missing.deep": None,
    "items[0].sku": "a",
    "items[9]": None,
    "items[*].sku": ["a", "b", None],
    "items.n": [1, None, None],
    'address["city"]': "Rome",
    "${first name}": "S",
    r"a\-b": 5,
    "1 + 2 * 3": 7,
    "(1 + 2) * 3": 9,
    "10 - 2 - 3": 5,
    "7 / 2": 3.5,
    "6 / 2": 3,
    "-7 % 3": -1,
    "-age": -41,
    "- -age": 41,
    '"n" + 1': "n1",
    "1 + nothing": None,
    "nothing == null": True,
    "nothing == 0": False,
    "nothing < 1": False,
    "nothing > 1": False,
    "true == 1": False,
    "1 == 1.0": True,
    "1 < 2 && 2 < 3": True,
    "false || yes": True,
    "!yes": False,
    "!nothing": True,
    '"Sarah" ~ "^Sa"': True,
    "name ~ 'z'": False,
    'age > 40 ? "old" : "young"': "old",
    'nothing ? 1 : false ? 2 : "else"': "else",
    "1 != 2": True,
    "[1, name, null, [true]]": [1, "Sarah", None, [True]],
    "[]": [],
    r'"a\"b\\c\nd"': 'a"b\\c\nd',
    "'it\\'s'": "it's",
    "1e3": 1000.0,
    "join('-', tags)": "x-y",
    "coalesce(nothing, missing, name)": "Sarah",
    "iif(age >= 18, 'adult', 'minor')": "adult",
    "decode(name, 'Ben', 1, 'Sarah', 2, 3)": 2,
    "lower(nothing)": None,
    'date("2026-11-20") > date("2026-11-19")': True,
    'date("2026-11-20T10:00:00Z") == "2026-11-20T11:00:00+01:00"': True,
}


@pytest.mark.parametrize(("text", "result"), VALUES.items(), ids=VALUES.keys())
def test_expressions_have_exact_values(text, result):
    assert value(text) == result


FAULTS = {
    "1 +": "The expression ends too early.",
    "": "The expression ends too early.",
    "1 + * 2": "The expression cannot be read from '* 2' (character 5) on.",
    "name name": "The expression cannot be read from 'name' (character 6) on.",
    "(1": "The expression ends too early.",
    "1)": "The expression cannot be read from ')' (character 2) on.",
    '"open': "The expression cannot be read from '\"open' (character 1) on.",
    "a ? b": "The expression ends too early.",
    "lowr(name)": "There is no function 'lowr'. Did you mean 'lower'?",
    "xyzzy()": "There is no function 'xyzzy'.",
    "lower()": "'lower' is used as lower(text), not with 0 values.",
    "lower(1, 2)": "'lower' is used as lower(text), not with 2 values.",
    "1" * (LONGEST + 1): "An expression has 4,000 characters at most.",
}


@pytest.mark.parametrize(("text", "detail"), FAULTS.items(), ids=[k[:20] for k in FAULTS])
def test_a_text_that_is_no_expression_is_told_with_its_place(text, detail):
    assert fault(text) == detail


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1_999 + "1" + ")" * 1_999,
        "!" * 3_900 + "1",
        "-" * 3_900 + "1",
        "[" * 1_900 + "]" * 1_900,
        "lower(" * 500 + "name" + ")" * 500,
        "a" + ".b" * 1_900,
        "+".join(["1"] * 1_900),
        "true?1:" * 550 + "2",
    ],
    ids=["brackets", "nots", "minuses", "arrays", "calls", "members", "sum", "choices"],
)
def test_what_is_nested_without_end_is_refused_or_has_a_value(text):
    try:
        expression = compile_expression(text)
    except ExpressionInvalid as error:
        told = error.detail
    else:
        told = f"{DEEPEST} levels are not reached" if expression.evaluate({}, now=NOW) == 1 else ""
    assert f"{DEEPEST}" in told or "too deeply" in told


BAD_ROWS = {
    "1 / 0": "Division by zero.",
    "1 % 0": "Division by zero.",
    "name * 2": "'Sarah' is no number.",
    "yes + 1": "A number is wanted here, not a truth value.",
    "name < 1": "a text and a number cannot be compared.",
    "address + 'x'": "A text is wanted here, not an object.",
    "9999999999 * 9999999999": "The number grew too large.",
    "1e308 * 10": "The number grew too large.",
    "lpad('x', 200000, 'y')": "A text has 100,000 characters at most.",
    "replacestr(lpad('', 90000, 'a'), 'a', 'bb')": "A text grew longer than 100,000 characters.",
    "to_integer('many')": "'many' is no number.",
    "to_boolean('perhaps')": "'perhaps' is neither true nor false.",
    "to_object('a')": "Keys and values come in pairs.",
    "matches_regex(name, '(')": "'(' is no regular expression of the kind RE2.",
    "matches_regex(name, '(?=a)')": "'(?=a)' is no regular expression of the kind RE2.",
}


@pytest.mark.parametrize(("text", "detail"), BAD_ROWS.items(), ids=[k[:30] for k in BAD_ROWS])
def test_a_row_that_an_expression_cannot_work_with_is_told_why(text, detail):
    with pytest.raises(RowInvalid) as caught:
        value(text)

    assert str(caught.value) == detail


def test_a_regular_expression_made_to_be_slow_is_not():
    row = {"text": "a" * 90_000 + "!"}

    assert value("matches_regex(text, '(a+)+$')", row) is False
    assert value("text ~ '(a|aa)+$'", row) is False


def compiled(*rules):
    fields = {
        path: Field(path, kind, array=array)
        for path, kind, array in [
            ("name", "string", False),
            ("points", "number", False),
            ("tags", "string", True),
        ]
    }
    return compile_mapping([Rule(*rule) for rule in rules], fields)


def test_a_failing_rule_names_its_destination_and_the_others_are_done():
    mapping, errors = compiled(("attribute", "name", "name"), ("expression", "name * 2", "points"))
    assert errors == []

    record, faults = mapping.apply(ROW, now=NOW)

    assert record == {"name": "Sarah"}
    assert faults == [
        {
            "path": "points",
            "code": "mapping_failed",
            "detail": "'Sarah' is no number. (for 'points')",
        }
    ]


def test_appending_is_said_for_a_whole_array_and_stands_alone():
    mapping, errors = compiled(
        ("expression", "upsert_array_append(split(name, 'r'))", "tags"),
        ("expression", "upsert_array_replace(name)", "name"),
    )
    assert errors == []
    assert mapping.appended == ["tags"]

    refused = [
        ("expression", "first(upsert_array_append(tags))", "name"),
        ("expression", "upsert_array_append(upsert_array_append(tags))", "tags"),
        ("expression", "upsert_array_append(tags)", "tags[0]"),
    ]
    for rule in refused:
        assert [error["code"] for error in compiled(rule)[1]] == ["invalid"]


NAMES = st.text("ab .-[]{}*\\é\"'", min_size=1, max_size=8)


@pytest.mark.property
@given(NAMES)
def test_an_attribute_of_any_name_is_read_or_refused(name):
    try:
        text = attribute_text(name)
        expression = compile_expression(text)
    except ExpressionInvalid:
        return
    expression.evaluate({name: 1}, now=NOW)


WORDS = st.sampled_from(
    [*FUNCTIONS, *ROW, *"+-*/%<>!?:.,()[]", "==", "&&", "||", "~", "null", "true", "'t'", '"', "'",
     "1", "2.5", "1e999", "${", "}", "\\", "[*]", " ", "(", ")", "999999999999999999999"]
)  # fmt: skip
SOUP = st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=30)
ATOMS = st.sampled_from(
    ["name", "age", "nothing", "items", "address", "tags", "items[*].sku", "null", "true", "'t'",
     "''", "1", "-3", "2.5", "[1, 'a']", "[]", "to_object('a', 1)", "now()", "1e308", "address.city"]
)  # fmt: skip


def calls(inner):
    call = st.builds(
        lambda name, arguments: f"{name}({', '.join(arguments)})",
        st.sampled_from(sorted(FUNCTIONS)),
        st.lists(inner, max_size=4),
    )
    operators = st.sampled_from(["+", "-", "*", "/", "%", "<", "==", "!=", "~", "&&", "||"])
    return call | st.builds(lambda a, sign, b: f"({a} {sign} {b})", inner, operators, inner)


@pytest.mark.property
@given(SOUP | st.recursive(ATOMS, calls, max_leaves=6))
@example("make_date_time(1e308, 1, 1)")
@example("round(1, 1e308)")
@example("date_part('year', 1e308)")
def test_nothing_but_its_own_errors_leaves_the_language(text):
    with suppress(ExpressionInvalid, RowInvalid):
        compile_expression(text).evaluate(ROW, now=NOW)


@pytest.mark.parametrize("type_", ["number", "integer", "any"])
@pytest.mark.parametrize("source", ["to_bigint(a)", "[to_bigint(a)]"])
def test_a_number_beyond_64_bits_is_told_of_its_rule(type_, source):
    fields = {"n": Field(path="n", type=type_, array=source.startswith("["))}
    mapping, _ = compile_mapping([Rule("expression", source, "n")], fields)

    record, [error] = mapping.apply({"a": "9" * 30}, now=NOW)

    assert (record, error["path"], error["code"]) == ({}, "n", "mapping_failed")
    assert "64 bits" in error["detail"]
