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
from tests.architecture import TABLES_WITHOUT_POLICY, tenant_tables
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
def test_its_owner_finds_each_object(world):
    owner = world.client(world.victim)

    missing = [
        str(operation)
        for operation in SCOPED
        if operation.method == "GET" and operation.belongs_to != "operators"
        if call(owner, operation, world.objects[operation.named]).status_code != 200
    ]

    assert missing == []


@pytest.mark.clickhouse
@pytest.mark.parametrize("who", ["stranger", "neighbour"])
def test_nobody_else_finds_it_and_nothing_changes(world, who):
    client = world.client(getattr(world, who))
    before = snapshot()
    answers = {}

    for operation in SCOPED:
        if who == "neighbour" and operation.belongs_to != "sandbox":
            continue  # what belongs to the organization is the neighbour's, too
        answer = call(client, operation, world.objects[operation.named])
        expected = 403 if operation.belongs_to == "operators" else 404
        if answer.status_code != expected:
            answers[str(operation)] = answer.status_code
    after = snapshot()

    assert answers == {}
    assert {table for table in after if after[table] != before[table]} == set()


@pytest.mark.clickhouse
@pytest.mark.parametrize("who", ["stranger", "neighbour"])
def test_nobody_else_sees_it_in_a_list(world, who):
    client = world.client(getattr(world, who))
    sandboxed = {operation.named for operation in SCOPED if operation.belongs_to == "sandbox"}
    secret = {
        value
        for template, values in world.objects.items()
        if who == "stranger" or template in sandboxed
        for value in values.values()
        if "_" in value  # ids; the names of things are nobody's own
    }

    leaks = {
        str(operation): found
        for operation in LISTS
        if (found := _found(call(client, operation, {}).content.decode(), secret))
    }

    assert leaks == {}


def _found(text: str, secret: set[str]) -> list[str]:
    return sorted(value for value in secret if value in text)


def test_sql_without_a_sandbox_shows_no_row_of_any_tenant(world):
    with connection.cursor() as cursor:
        visible = {table: _count(cursor, table) for table in tenant_tables()}

    assert {table for table, count in visible.items() if count} == set()
    with bypass(), connection.cursor() as cursor:
        assert sum(_count(cursor, table) for table in tenant_tables()) > len(world.objects)


def test_sql_in_a_sandbox_shows_its_own_rows_alone(world):
    for other in (world.neighbour, world.stranger):
        for template, make in makers().items():
            if template in {op.named for op in SCOPED if op.belongs_to == "sandbox"}:
                with scope(other, ACTOR):
                    make(other)
    owner = {"sandbox_id": world.victim.pk, "organization_id": world.victim.organization_id}

    with scope(world.victim, ACTOR), connection.cursor() as cursor:
        foreign = {
            table: strange
            for table, columns in tenant_tables().items()
            if (strange := _foreign(cursor, table, {name: owner[name] for name in columns}))
        }
        shown = sum(_count(cursor, table) for table in tenant_tables())

    assert foreign == {}
    assert shown >= len(world.objects) - len(TABLES_WITHOUT_POLICY)


def _count(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT count(*) FROM {table}")
    return int(cursor.fetchone()[0])


def _foreign(cursor: Any, table: str, owner: dict[str, Any]) -> int:
    others_row = " OR ".join(f"{column} <> %({column})s" for column in owner)
    cursor.execute(f"SELECT count(*) FROM {table} WHERE {others_row}", owner)
    return int(cursor.fetchone()[0])
