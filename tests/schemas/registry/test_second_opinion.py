"""Made-up schemas and records: what we take, `jsonschema` takes, and the other way round.

Inside the fixed formats and the common patterns; elsewhere the two libraries differ by
nature. Python's `$` also stands before a last line feed, so its patterns end in `\\Z`.
"""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp.schemas.registry.formats import is_date, is_date_time
from cdp.schemas.registry.resolve import resolve
from cdp.schemas.registry.sampling import sample_record
from cdp.schemas.registry.screening import LIMITS, screen
from cdp.schemas.registry.validation import compile_schema

NAMES = st.sampled_from(["a", "b", "c", "sku", "price"])


def texts() -> st.SearchStrategy[dict[str, Any]]:
    plain = st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={"minLength": st.integers(0, 2), "maxLength": st.integers(2, 5)},
    )
    forms = st.sampled_from(["date", "date-time", "ipv4", "ipv6", "uuid"])
    patterns = st.sampled_from(["^[a-c]+$", "\\d{2}", "a|b", "^.$", "[^x]", "^\\w*$"])
    return st.one_of(
        plain,
        forms.map(lambda form: {"type": "string", "format": form}),
        patterns.map(lambda pattern: {"type": "string", "pattern": pattern}),
        st.lists(st.sampled_from(["a", "b", "x", ""]), min_size=1, unique=True).map(
            lambda values: {"type": "string", "enum": values}
        ),
    )


def numbers() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"type": st.sampled_from(["number", "integer"])},
        optional={
            "minimum": st.integers(-3, 3),
            "maximum": st.integers(3, 8),
            "exclusiveMaximum": st.integers(5, 9),
            "multipleOf": st.sampled_from([1, 2, 0.5]),
        },
    )


def objects(below: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    properties = st.dictionaries(NAMES, below, min_size=1, max_size=4)

    def with_required(fields: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
        required = st.lists(st.sampled_from(sorted(fields)), unique=True, max_size=2)
        return required.map(lambda names: {"properties": fields, "required": names})

    return properties.flatmap(with_required)


def nested(below: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    arrays = st.tuples(below, st.integers(0, 1), st.booleans()).map(
        lambda given: {
            "type": "array",
            "items": given[0],
            "minItems": given[1],
            "uniqueItems": given[2],
        }
    )
    maps = below.map(lambda value: {"type": "object", "additionalProperties": value})
    free = st.just({"type": "object"})
    return st.one_of(objects(below), arrays, maps, free)


LEAVES = st.one_of(texts(), numbers(), st.just({"type": "boolean"}))
SCHEMAS = objects(st.recursive(LEAVES, nested, max_leaves=8))

STRINGS = st.one_of(
    st.sampled_from(
        [
            *("a", "b", "ab", "", "x", "12", "a\n", "é", "2026-01-01", "2026-02-30", "1.2.3.4"),
            *("2026-01-01T00:00:00Z", "2026-01-01T00:00:60Z", "::1", "1::2::3", "256.1.1.1"),
            "0d5cf7a0-8d0f-4b2e-9a53-1f2a3b4c5d6e",
        ]
    ),
    st.text(max_size=4),
)
VALUES = st.one_of(
    STRINGS,
    st.booleans(),
    st.integers(-4, 10),
    st.sampled_from([2**53, 2**53 - 1, 2**60, 1e300, 0.1, 0.5, 2.0, -0.0, float("inf")]),
    st.none(),
)
RECORDS = st.recursive(
    VALUES,
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(st.one_of(NAMES, st.sampled_from(["x.y", "", "other"])), below, max_size=4),
    ),
    max_leaves=10,
)


def variations(record: Any, noise: Any) -> Iterator[Any]:
    """Give the record, the noise, and the record with the noise in each of its places."""
    yield record
    yield noise
    if isinstance(record, dict):
        for key, value in record.items():
            yield {k: v for k, v in record.items() if k != key}
            for changed in variations(value, noise):
                yield {**record, key: changed}
    if isinstance(record, list) and record:
        for changed in variations(record[0], noise):
            yield [changed, *record[1:]]


def checker() -> jsonschema.FormatChecker:
    known = jsonschema.FormatChecker(["ipv4", "ipv6", "uuid"])
    # Elsewhere these need packages of their own, and take leap seconds and the year 0.
    for name, check in (("date", is_date), ("date-time", is_date_time)):
        known.checks(name)(lambda value, check=check: not isinstance(value, str) or check(value))
    return known


def pattern(validator: Any, wanted: str, instance: Any, _: Any) -> Iterator[Any]:
    end = re.sub(r"(?<!\\)\$", r"\\Z", wanted)
    if isinstance(instance, str) and not re.search(end, instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {wanted!r}")


SecondOpinion = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": pattern})
FORMATS = checker()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(SCHEMAS, RECORDS)
def test_two_validators_agree_on_every_schema_and_record(document, noise):
    schema = compile_schema(resolve(document, {}.get))
    second = SecondOpinion(schema.resolved, format_checker=FORMATS)

    for record in variations(sample_record(schema) if not _contradicts(document) else {}, noise):
        if screen(record, LIMITS):
            assert schema.validate(record)
        else:
            assert (not schema.validate(record)) == second.is_valid(record), record


def _contradicts(node: Any) -> bool:
    """Tell whether some limits leave no value, so that no sample could be made."""
    if isinstance(node, dict):
        low, high = node.get("minimum", -9), min(node.get("maximum", 9), 9)
        step = node.get("multipleOf", 1)
        none_left = node.get("type") in ("number", "integer") and low > high - step
        return none_left or any(map(_contradicts, node.values()))
    return isinstance(node, list) and any(map(_contradicts, node))
