"""Reading schemas, ready for records."""

import pytest
from django.db import transaction

from cdp.errors import NotFound
from cdp.schemas.models import Schema
from cdp.schemas.registry.cache import Cache
from cdp.schemas.registry.catalogue import PROFILE_CLASS
from cdp.schemas.registry.resources import Kind
from cdp.schemas.selectors import (
    compiled_schema,
    compiled_schemas,
    get_component,
    get_schema,
    union_fields,
)
from cdp.schemas.services.schemas import change_schema
from cdp.tenancy.scope import scope
from tests.schemas.making import (
    ACTOR,
    CONTACT,
    TEXT,
    make_group,
    make_profile_schema,
    make_schema,
    own,
    root,
)


def test_a_schema_is_compiled_once_and_asked_for_by_one_query(in_scope, django_assert_num_queries):
    schema = make_schema(in_scope, CONTACT)
    first = compiled_schema(in_scope, schema.pk)

    with django_assert_num_queries(1):
        second = compiled_schema(in_scope, schema.pk)

    assert second is first


def test_many_schemas_cost_as_many_queries_as_one(in_scope, django_assert_num_queries):
    keys = [make_schema(in_scope, title=f"Schema {n}").pk for n in range(3)]

    with django_assert_num_queries(3):
        found = compiled_schemas(in_scope, [*keys, "sch_none"])

    assert set(found) == set(keys)


def test_a_change_is_seen_at_once(in_scope):
    schema = make_schema(in_scope, tier=TEXT)
    before = compiled_schema(in_scope, schema.pk)

    change_schema(actor=ACTOR, schema=schema, definition=own(in_scope, points=TEXT))

    after = compiled_schema(in_scope, schema.pk)
    assert f"{root(in_scope)}.points" not in before.fields
    assert f"{root(in_scope)}.points" in after.fields
    assert (before.version, after.version) == ("1.1", "1.2")


def test_a_version_that_was_rolled_back_leaves_no_trace(in_scope):
    schema = make_schema(in_scope, tier=TEXT)
    for name in ("gone", "kept"):
        savepoint = transaction.savepoint()
        changed = change_schema(
            actor=ACTOR, schema=schema, definition=own(in_scope, **{name: TEXT})
        )
        assert changed.version == 2
        assert f"{root(in_scope)}.{name}" in compiled_schema(in_scope, schema.pk).fields
        if name == "gone":
            transaction.savepoint_rollback(savepoint)
            schema.refresh_from_db()

    assert f"{root(in_scope)}.gone" not in compiled_schema(in_scope, schema.pk).fields


def test_things_are_found_by_any_of_their_names(in_scope):
    schema, group = make_schema(in_scope), make_group(in_scope)

    for key in (schema.pk, schema.uri, schema.alt_id):
        assert get_schema(in_scope, key) == schema
    for key in (group.pk, group.uri, group.alt_id):
        assert get_component(in_scope, Kind.FIELD_GROUP, key) == group
    for key in (PROFILE_CLASS, "_xdm.context.profile"):
        assert get_component(in_scope, Kind.CLASS, key).uri == PROFILE_CLASS
    for missing in (lambda: get_schema(in_scope, "x"), lambda: compiled_schema(in_scope, "x")):
        with pytest.raises(NotFound):
            missing()


def test_another_sandbox_has_other_schemas(sandbox, other_sandbox):
    with scope(sandbox, ACTOR):
        schema = make_profile_schema(sandbox)
        compiled_schema(sandbox, schema.pk)
        assert "personalEmail" in union_fields(sandbox, PROFILE_CLASS)

    with scope(other_sandbox, ACTOR):
        with pytest.raises(NotFound):
            compiled_schema(other_sandbox, schema.pk)
        assert "personalEmail" not in union_fields(other_sandbox, PROFILE_CLASS)
        assert not Schema.objects.for_sandbox(other_sandbox).exists()


def test_the_union_of_people_has_what_the_platform_writes(in_scope, django_assert_max_num_queries):
    fields = union_fields(in_scope, PROFILE_CLASS)

    assert {"identityMap.*.id", "segmentMembership.*.*.status", "personID"} <= set(fields)
    with django_assert_max_num_queries(3):  # its version, and what apps above work out
        assert union_fields(in_scope, PROFILE_CLASS) == fields


def test_a_cache_forgets_what_was_not_asked_for():
    cache: Cache[str] = Cache(2)
    cache.keep("a", "A")
    cache.keep("b", "B")
    cache.find("a")
    cache.keep("c", "C")

    assert [cache.find(key) for key in ("a", "b", "c")] == ["A", None, "C"]
