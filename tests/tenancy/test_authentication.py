"""From a write key or a session to who acts."""

import pytest
from django.test import Client

from cdp.tenancy.authentication import actor_of_write_key, write_key_of
from cdp.tenancy.errors import PermissionMissing, Unauthenticated
from cdp.tenancy.models import AuditEvent, WriteKey
from cdp.tenancy.scope import scope
from cdp.tenancy.services.access import create_write_key, revoke_write_key
from cdp.tenancy.services.operators import create_operator
from tests.factories import ACTOR

PASSWORD = "x7-long-enough-99"


@pytest.fixture
def write_key(sandbox):
    with scope(sandbox, ACTOR):
        row, key = create_write_key(actor=ACTOR, sandbox=sandbox, inlet_id="inl_1", name="Site")
    return row, key


def test_a_write_key_may_send_and_nothing_else(write_key, sandbox):
    row, key = write_key

    actor = actor_of_write_key(write_key_of(key))

    assert (actor.kind, actor.id, actor.organization_id) == (
        "write_key",
        row.pk,
        sandbox.organization_id,
    )
    assert actor.permissions == {"ingest"}
    with pytest.raises(PermissionMissing):
        actor.require("view-datasets")


def test_only_a_hash_of_a_write_key_is_kept(write_key):
    _row, key = write_key

    stored = vars(WriteKey.objects.get())
    assert key not in str(stored)
    assert stored["hint"] == key[-4:]


def test_a_revoked_write_key_opens_nothing(write_key, sandbox):
    row, key = write_key
    with scope(sandbox, ACTOR):
        first = revoke_write_key(actor=ACTOR, write_key=row).revoked_at
        assert revoke_write_key(actor=ACTOR, write_key=row).revoked_at == first

    with pytest.raises(Unauthenticated, match="unknown or revoked"):
        write_key_of(key)
    with scope(sandbox, ACTOR):
        events = AuditEvent.objects.for_organization(sandbox.organization_id)
        assert events.filter(action="write_key.revoked").count() == 1


@pytest.mark.parametrize("key", ["", "nonsense", "\0", "é" * 100])
def test_what_is_no_write_key_opens_nothing(db, key):
    with pytest.raises(Unauthenticated):
        write_key_of(key)


@pytest.fixture
def console(db):
    """A browser in which an operator has signed in."""
    create_operator(email="ops@example.com", password=PASSWORD)
    browser = Client(enforce_csrf_checks=True)
    assert browser.login(email="ops@example.com", password=PASSWORD)
    return browser


def test_a_session_reads_the_api(console, organization):
    answer = console.get("/api/v1/me/", headers={"X-Organization": organization.pk})

    assert (answer.status_code, answer.json()["kind"]) == (200, "operator")


def test_a_session_changes_nothing_without_a_csrf_token(console):
    body = {"name": "Luma", "tenant_namespace": "luma"}

    answer = console.post("/api/v1/organizations/", body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "CSRF" in answer.json()["detail"]


def test_a_session_changes_with_a_csrf_token_and_the_trail_names_the_operator(console):
    console.get("/admin/tenancy/operator/add/")
    token = console.cookies["csrftoken"].value
    body = {"name": "Luma", "tenant_namespace": "luma"}

    answer = console.post(
        "/api/v1/organizations/",
        body,
        content_type="application/json",
        headers={"X-CSRFToken": token},
    )

    assert answer.status_code == 201
