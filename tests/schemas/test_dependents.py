"""A schema may only grow as soon as anything stands on it, however close the race."""

import threading

import pytest
from django.db import connection

from cdp.datasets.services.datasets import create_dataset, delete_dataset
from cdp.schemas.dependents import dependents_of
from cdp.schemas.errors import ChangeRefused, ResourceInUse
from cdp.schemas.models import Schema
from cdp.schemas.services.components import change_component
from cdp.schemas.services.schemas import change_schema, delete_schema
from cdp.tenancy.scope import scope
from tests.factories import OrganizationFactory, sandbox_of
from tests.schemas.making import ACTOR, TEXT, make_group, make_schema, own, root

NUMBER = {"type": "number"}


def make_dataset(sandbox, schema):
    return create_dataset(actor=ACTOR, sandbox=sandbox, schema=schema, name="Rows")


@pytest.mark.clickhouse
def test_one_dataset_is_enough_to_lock_the_schema_and_its_groups(in_scope):
    group = make_group(in_scope, points=TEXT)
    schema = make_schema(in_scope, group.uri, tier=TEXT)
    dataset = make_dataset(in_scope, schema)

    with pytest.raises(ChangeRefused) as refusal:
        change_schema(actor=ACTOR, schema=schema, definition=own(in_scope, tier=None))
    assert refusal.value.errors[0]["code"] == "field-removed"
    with pytest.raises(ChangeRefused):
        change_component(actor=ACTOR, component=group, definition=own(in_scope, points=NUMBER))
    with pytest.raises(ResourceInUse) as refusal:
        delete_schema(actor=ACTOR, schema=schema)
    assert refusal.value.extra["dependents"] == [
        {"type": "dataset", "id": dataset.pk, "name": "Rows"}
    ]
    assert dependents_of(in_scope, schema) == refusal.value.extra["dependents"]

    delete_dataset(actor=ACTOR, dataset=dataset)
    schema.refresh_from_db()
    changed = change_schema(actor=ACTOR, schema=schema, definition=own(in_scope, tier=None))

    assert changed.version == 2


@pytest.mark.django_db(transaction=True)
def test_a_dataset_cannot_slip_in_while_its_schema_changes():
    sandbox = sandbox_of(OrganizationFactory())
    with scope(sandbox, ACTOR):
        schema = make_schema(sandbox, tier=TEXT)
    made = []

    def slip_in() -> None:
        with scope(sandbox, ACTOR):
            dataset = make_dataset(sandbox, Schema.objects.for_sandbox(sandbox).get(pk=schema.pk))
        made.append(dataset)
        connection.close()

    with scope(sandbox, ACTOR):
        change_schema(actor=ACTOR, schema=schema, definition=own(sandbox, tier=NUMBER))
        thread = threading.Thread(target=slip_in)
        thread.start()
        thread.join(0.5)
        assert made == []  # the change was allowed because there was none, so there is none yet
    thread.join(10)

    assert len(made) == 1
    with scope(sandbox, ACTOR), pytest.raises(ChangeRefused):
        change_schema(actor=ACTOR, schema=schema, definition=own(sandbox, tier=TEXT))


@pytest.mark.django_db(transaction=True)
def test_changes_of_one_registry_take_turns():
    sandbox = sandbox_of(OrganizationFactory())
    with scope(sandbox, ACTOR):
        group = make_group(sandbox, tier=TEXT)
        schema = make_schema(sandbox, group.uri)
    failures = []

    def work(number: int) -> None:
        try:
            with scope(sandbox, ACTOR):
                if number % 2:
                    fields = own(sandbox, **{f"group{number}": TEXT})
                    change_component(actor=ACTOR, component=fresh(group), definition=fields)
                else:
                    fields = own(sandbox, **{f"schema{number}": TEXT})
                    change_schema(actor=ACTOR, schema=fresh(schema), definition=fields)
        except Exception as failure:  # told below
            failures.append(failure)
        finally:
            connection.close()

    def fresh(row):
        return type(row).objects.for_sandbox(sandbox).get(pk=row.pk)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert failures == []
    with scope(sandbox, ACTOR):
        resolved = fresh(schema).resolved["properties"][root(sandbox)]["properties"]
        version = fresh(schema).version
    assert set(resolved) == {"tier", *(f"{'group' if n % 2 else 'schema'}{n}" for n in range(8))}
    assert version == 9
