"""The walls between tenants, tried on every route and every table.

The victim's objects are asked for by a stranger, and by a neighbour: another sandbox of
the same organization. Both may do everything in their own place.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from cdp.tenancy.models import Organization, Sandbox
from cdp.tenancy.scope import Scope, bypass, organization_scope, scope
from cdp.tenancy.services.organizations import create_sandbox
from tests.architecture import tenant_tables
from tests.factories import ACTOR, OrganizationFactory, api_client, sandbox_of
from tests.routes import Operation, operations
from tests.walls import makers, others, snapshot

NAMING = [operation for operation in operations() if operation.parameters]
# Those without a maker fail the first test, not all of them.
SCOPED = [operation for operation in NAMING if operation.is_scoped and operation.named in makers()]
LISTS = [
    operation
    for operation in operations()
    if operation.is_scoped and operation.method == "GET" and not operation.parameters
]


@dataclass
class World:
    """A victim, its neighbour in the same organization, and a stranger."""

    victim: Sandbox
    neighbour: Sandbox
    stranger: Sandbox
    objects: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def client(self, sandbox: Sandbox) -> APIClient:
        """Return a client that may do everything in one sandbox."""
        return api_client(sandbox.organization, sandbox=sandbox.name)


@pytest.fixture
def world(transactional_db: None) -> World:
    organization: Organization = OrganizationFactory()
    with organization_scope(organization, ACTOR):
        neighbour = create_sandbox(actor=ACTOR, organization=organization, name="dev", title="Dev")
    made = World(sandbox_of(organization), neighbour, sandbox_of(OrganizationFactory()))
    for template, owner in {operation.named: operation.belongs_to for operation in SCOPED}.items():
        with opened(made.victim, owner):
            made.objects[template] = makers()[template](made.victim)
    return made


def opened(sandbox: Sandbox, owner: str) -> AbstractContextManager[Scope]:
    if owner == "sandbox":
        return scope(sandbox, ACTOR)
    return organization_scope(sandbox.organization, ACTOR)


def call(client: APIClient, operation: Operation, values: Mapping[str, str]) -> Any:
    client.raise_request_exception = False
    path = operation.path(**values)
    return client.generic(operation.method, path, b"{}", content_type="application/json")


def test_every_route_that_names_an_object_says_how_to_make_it():
    unspoken = {
        operation.named if operation.is_scoped else operation.template for operation in NAMING
    } - {*makers(), *others()}

    assert unspoken == set(), "say in tests/<app>/walls.py how to make what these routes name"


def test_every_maker_speaks_of_a_route():
    templates = {operation.named for operation in NAMING if operation.is_scoped}

    assert set(makers()) - templates == set()
    assert set(others()) - templates - {operation.template for operation in NAMING} == set()


@pytest.mark.clickhouse
def test_its_owner_finds_each_object_nobody_else_does_and_nothing_changes(world):
    owner = world.client(world.victim)
    missing = [
        str(operation)
        for operation in SCOPED
        if operation.method == "GET" and operation.belongs_to != "operators"
        if call(owner, operation, world.objects[operation.named]).status_code != 200
    ]
    clients = {who: world.client(getattr(world, who)) for who in ("stranger", "neighbour")}
    before = snapshot()

    open_to = {
        f"{operation} to the {who}": answer.status_code
        for who, client in clients.items()
        for operation in SCOPED
        # What belongs to the organization is the neighbour's, too.
        if who == "stranger" or operation.belongs_to == "sandbox"
        if (answer := call(client, operation, world.objects[operation.named])).status_code
        != (403 if operation.belongs_to == "operators" else 404)
    }
    after = snapshot()

    assert missing == []
    assert open_to == {}
    assert {table for table in after if after[table] != before[table]} == set()


@pytest.mark.clickhouse
def test_nobody_else_sees_it_in_a_list(world):
    sandboxed = {operation.named for operation in SCOPED if operation.belongs_to == "sandbox"}
    ids = {
        template: {value for value in values.values() if "_" in value}  # names are nobody's own
        for template, values in world.objects.items()
    }
    secret = {
        "stranger": set().union(*ids.values()),
        "neighbour": set().union(*(ids[template] for template in sandboxed)),
    }

    leaks = {
        f"{operation} to the {who}": found
        for who in ("stranger", "neighbour")
        for client in [world.client(getattr(world, who))]
        for operation in LISTS
        if (found := _found(call(client, operation, {}).content.decode(), secret[who]))
    }

    assert leaks == {}


def _found(text: str, secret: set[str]) -> list[str]:
    return sorted(value for value in secret if value in text)


def test_sql_shows_no_row_without_a_sandbox_and_only_its_own_with_one(world):
    sandboxed = {operation.named for operation in SCOPED if operation.belongs_to == "sandbox"}
    for other in (world.neighbour, world.stranger):
        for template in sandboxed:
            with scope(other, ACTOR):
                makers()[template](other)
    owner = {"sandbox_id": world.victim.pk, "organization_id": world.victim.organization_id}

    with connection.cursor() as cursor:
        without = {table for table in tenant_tables() if _count(cursor, table)}
    with scope(world.victim, ACTOR), connection.cursor() as cursor:
        foreign = {
            table
            for table, columns in tenant_tables().items()
            if _foreign(cursor, table, {name: owner[name] for name in columns})
        }
        own = sum(_count(cursor, table) for table in tenant_tables())
    with bypass(), connection.cursor() as cursor:
        everybodys = sum(_count(cursor, table) for table in tenant_tables())

    assert without == set()
    assert foreign == set()
    assert len(sandboxed) < own < everybodys - 2 * len(sandboxed)


def _count(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT count(*) FROM {table}")
    return int(cursor.fetchone()[0])


def _foreign(cursor: Any, table: str, owner: dict[str, Any]) -> int:
    others_row = " OR ".join(f"{column} <> %({column})s" for column in owner)
    cursor.execute(f"SELECT count(*) FROM {table} WHERE {others_row}", owner)
    return int(cursor.fetchone()[0])
