"""Files of the public XDM repository, in either form, become resources."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp.schemas.registry.catalogue import standard_resources
from cdp.schemas.registry.definitions import check_definition
from cdp.schemas.registry.fields import fields_of
from cdp.schemas.registry.importing import Reading, read_documents
from cdp.schemas.registry.problems import Refused
from cdp.schemas.registry.repository_form import in_registry_form, registry_path
from cdp.schemas.registry.resolve import resolve
from cdp.schemas.registry.resources import Kind
from tests.schemas.published import (
    ADDRESS,
    BROKEN,
    HOUSE,
    LETTER,
    NS,
    ON_BROKEN,
    SOUND,
    STREET,
    TOWN,
    named,
)

KEYWORDS = [
    *("type", "properties", "required", "items", "allOf", "oneOf", "$ref", "$id", "enum", "title"),
    *("minimum", "maximum", "pattern", "format", "additionalProperties", "definitions", "not"),
    *("meta:enum", "meta:intendedToExtend", "meta:resourceType", "meta:xdmType", "meta:status"),
    *("patternProperties", "uniqueItems", "multipleOf", "minLength", "const", "default", "a"),
]

OWN_KINDS = [kind for kind in Kind if kind is not Kind.BEHAVIOR]


def read(*documents: dict) -> Reading:
    return read_documents(named(*documents), standard_resources().get)


def rules(reading: Reading) -> dict[str, list[str]]:
    return {name: [p.rule for p in problems] for name, problems in reading.failures.items()}


def test_published_files_are_read_whatever_their_order():
    reading = read(*SOUND)

    assert rules(reading) == {}
    assert reading.known == [ADDRESS["$id"]]
    assert {resource.uri: resource.kind for resource in reading.resources} == {
        HOUSE["$id"]: Kind.DATA_TYPE,
        LETTER["$id"]: Kind.DATA_TYPE,
        STREET["$id"]: Kind.FIELD_GROUP,
        TOWN["$id"]: Kind.CLASS,
    }


def test_references_are_followed_across_files_and_into_the_catalogue():
    reading = read(*SOUND)
    documents = {resource.uri: resource.document for resource in reading.resources}

    def lookup(uri):
        standard = standard_resources().get(uri)
        return documents.get(uri) or (standard.document if standard else None)

    fields = fields_of(resolve(documents[STREET["$id"]], lookup))

    assert fields["houses"].array
    assert fields["houses._schema.latitude"].required
    assert fields["houses._experience.house.code"].type == "string"
    assert fields["houses.colour"].enum == ("red", "blue")
    assert fields["door.width"].type == fields["width"].type == "number"
    assert fields["home.postalCode"].type == "string"


def test_a_part_of_a_file_that_the_catalogue_has_is_brought_along():
    reading = read(ADDRESS, LETTER)

    (letter,) = reading.resources
    fields = fields_of(resolve(letter.document, lambda uri: None))
    assert fields["to.line"].type == "string"


def test_unknown_keywords_are_kept():
    (house,) = read({**HOUSE, "x-anything": {"a": [1]}, "auditable": True}).resources

    assert house.document["x-anything"] == {"a": [1]}
    assert house.document["meta:extensible"] is True
    assert "meta:license" not in house.document


def test_what_fails_is_told_with_its_reason_and_so_is_what_rests_on_it():
    reading = read(ON_BROKEN, BROKEN, HOUSE)

    assert rules(reading) == {
        "broken.json": ["unknown-reference"],
        "on-broken.json": ["unknown-reference"],
    }
    assert "xdm/datatypes/nowhere" in reading.failures["broken.json"][0].detail
    assert reading.failures["broken.json"][0].path == "a"
    assert [resource.uri for resource in reading.resources] == [HOUSE["$id"]]


A = f"{NS}xdm/a"
B = f"{NS}xdm/b"


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([("a", [])], {"a": ["malformed"]}),
        ([("a", {"title": "A"})], {"a": ["malformed"]}),
        ([("a", {"$id": A}), ("b", {"$id": A})], {"b": ["said-already"]}),
        ([("a", {"$id": A, "title": "x\x00"})], {"a": ["malformed"]}),
        (
            [
                ("a", {"$id": A, "properties": {"x": {"$ref": B}}}),
                ("b", {"$id": B, "properties": {"x": {"$ref": A}}}),
            ],
            {"a": ["reference-cycle"], "b": ["reference-cycle"]},
        ),
        (
            [("a", {"$id": A, "properties": {"x": {"$ref": "#"}}})],
            {"a": ["reference-cycle"]},
        ),
        (
            [("a", {"$id": A, "properties": {"x": {"type": "string", "pattern": "(?=a)"}}})],
            {"a": ["portable-pattern"]},
        ),
        (
            [("a", {"$id": A, "properties": {"x": {"type": "text"}}})],
            {"a": ["malformed"]},
        ),
        (
            [("a", {"$id": A, "properties": {"x": 5}})],
            {"a": ["malformed"]},
        ),
        (
            [("a", {"$id": A, "properties": {"x": {"$ref": f"{NS}xdm/common/address#/no"}}})],
            {"a": ["unknown-reference"]},
        ),
    ],
)
def test_hostile_documents_are_refused_one_by_one(documents, expected):
    assert rules(read_documents(documents, standard_resources().get)) == expected


def test_references_that_multiply_are_stopped():
    levels = [
        {
            "$id": f"{NS}xdm/level{n}",
            "properties": {name: {"$ref": f"{NS}xdm/level{n + 1}"} for name in "ab"},
        }
        for n in range(40)
    ]
    levels.append({"$id": f"{NS}xdm/level40", "properties": {"x": {"type": "string"}}})

    reading = read(*levels)

    assert {rule for found in rules(reading).values() for rule in found} == {
        "too-many-fields",
        "unknown-reference",
    }
    assert len(reading.resources) < 20


def test_a_chain_of_references_has_an_end():
    chain = [
        {"$id": f"{NS}xdm/link{n}", "properties": {"a": {"$ref": f"{NS}xdm/link{n + 1}"}}}
        for n in range(2000)
    ]
    chain.append({"$id": f"{NS}xdm/link2000", "properties": {"x": {"type": "string"}}})

    reading = read(*chain)

    assert {rule for found in rules(reading).values() for rule in found} == {
        "nesting",
        "unknown-reference",
    }


def test_a_part_that_refers_to_itself_is_refused():
    looping = {
        **ADDRESS,
        "definitions": {"line": {"properties": {"a": {"$ref": "#/definitions/line"}}}},
    }

    assert rules(read(looping, LETTER)) == {"letter.json": ["reference-cycle"]}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("xdm:firstName", ["firstName"]),
        ("@id", ["_id"]),
        ("@type", ["_type"]),
        ("schema:latitude", ["_schema", "latitude"]),
        ("dc:title", ["_dc", "title"]),
        ("https://ns.adobe.com/experience/a/b", ["_experience", "a", "b"]),
        ("plain", ["plain"]),
    ],
)
def test_names_are_rewritten(name, path):
    assert registry_path(name) == path


def test_a_document_in_registry_form_stays_as_it_is():
    for resource in standard_resources().values():
        assert in_registry_form(resource.document) == resource.document


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 5),
        st.sampled_from(["", "string", "object", "array", "#", "#/definitions/house", "(", A]),
    ),
    lambda below: st.one_of(
        st.lists(below, max_size=2),
        st.dictionaries(st.sampled_from(KEYWORDS), below, max_size=3),
    ),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SOUND), st.integers(0, 200), JSON)
def test_no_document_is_so_broken_that_it_raises(document, place, noise):
    changed = with_noise(document, place, noise)

    reading = read_documents([("changed", changed), *named(*SOUND)], standard_resources().get)

    assert all(resolve_again(resource, reading) for resource in reading.resources)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(OWN_KINDS), st.sampled_from(SOUND), st.integers(0, 200), JSON)
def test_no_definition_is_so_broken_that_it_raises(kind, document, place, noise):
    changed = with_noise(in_registry_form(document), place, noise)
    find = standard_resources().get

    if not list(check_definition(kind, changed, "luma", find)):
        with contextlib.suppress(Refused):
            resolve(changed, lambda uri: getattr(find(uri), "document", None))


def with_noise(document: Any, place: int, noise: Any) -> Any:
    """Put the noise into one place of a copy of the document."""
    copy = json.loads(json.dumps(document))
    holders = list(places(copy))
    holder, key = holders[place % len(holders)]
    holder[key] = noise
    return copy


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(pairs):
        yield node, key
        if isinstance(value, dict | list):
            yield from places(value)


def resolve_again(resource: Any, reading: Reading) -> bool:
    taken = {each.uri: each.document for each in reading.resources}

    def lookup(uri: str) -> Any:
        return taken.get(uri) or getattr(standard_resources().get(uri), "document", None)

    if resource.kind is Kind.SCHEMA:
        return True
    return resolve(resource.document, lookup)["title"] == resource.title
