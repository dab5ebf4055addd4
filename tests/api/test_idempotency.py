"""`Idempotency-Key`: done once, answered again."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from cdp.api.idempotency import forget
from cdp.api.models import StoredAnswer
from cdp.tenancy.models import Credential, Role
from cdp.tenancy.sandboxes import handlers
from cdp.tenancy.scope import bypass, organization_scope, scope
from tests.factories import ACTOR, api_client, make_credential, make_token

URL = "/api/v1/roles/"
CREDENTIALS = "/api/v1/credentials/"


def post(api, body, key="once", url=URL):
    return api.post(url, body, headers={"Idempotency-Key": key})


def count_roles(organization):
    with organization_scope(organization, ACTOR):
        return Role.objects.for_organization(organization).count()


@contextmanager
def held(number: int) -> Iterator[None]:
    """Hold an advisory lock the way another process would."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [number])
            yield
    finally:
        other.close()


def test_the_same_request_is_done_once_and_answered_again(api, organization):
    before = count_roles(organization)

    first, again = post(api, {"name": "Analyst"}), post(api, {"name": "Analyst"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert {name: again[name] for name in ("Location", "ETag", "Content-Type")} == {
        name: first[name] for name in ("Location", "ETag", "Content-Type")
    }
    assert count_roles(organization) == before + 1


def test_another_body_is_refused_and_changes_nothing(api, organization):
    post(api, {"name": "Analyst"})
    before = count_roles(organization)

    answer = post(api, {"name": "Another"})

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert count_roles(organization) == before


def test_a_refusal_is_not_kept(api):
    assert post(api, {"name": ""}).status_code == 422
    assert post(api, {"name": "Analyst"}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_a_request_that_still_runs_is_409(organization):
    api = api_client(organization)
    post(api, {"name": "Analyst"})
    with organization_scope(organization, ACTOR):
        stored = StoredAnswer.objects.for_organization(organization).get()
    before = count_roles(organization)

    with held(int.from_bytes(bytes(stored.key_hash)[:8], signed=True)):
        answer = post(api, {"name": "Analyst"})

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_in_use")
    assert count_roles(organization) == before
    assert post(api, {"name": "Analyst"}).status_code == 201


def test_a_key_is_the_credentials_own(api, organization):
    other = api_client(organization)

    first, second = post(api, {"name": "One"}), post(other, {"name": "Two"})

    assert (first.json()["name"], second.json()["name"]) == ("One", "Two")


def test_a_key_is_the_routes_own(api):
    role, credential = post(api, {"name": "One"}), post(api, {"name": "One"}, url=CREDENTIALS)

    assert (role.status_code, credential.status_code) == (201, 201)
    assert credential.json()["id"].startswith("crd_")


def test_a_secret_that_is_shown_once_is_stored_encrypted(api, organization):
    first = post(api, {"name": "Partner"}, url=CREDENTIALS)
    again = post(api, {"name": "Partner"}, url=CREDENTIALS)

    with organization_scope(organization, ACTOR):
        stored = bytes(StoredAnswer.objects.for_organization(organization).get().answer)
    assert again.json()["client_secret"] == first.json()["client_secret"]
    assert first.json()["client_secret"].encode() not in stored
    assert Credential.objects.filter(organization=organization, name="Partner").count() == 1


def test_an_answer_is_kept_for_24_hours(organization, clock):
    api = APIClient()
    token = make_token(make_credential(organization, ["manage-access"]), days=3)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    first = post(api, {"name": "One"}, url=CREDENTIALS).json()["id"]

    clock.move(hours=23, minutes=59)
    assert post(api, {"name": "One"}, url=CREDENTIALS).json()["id"] == first
    clock.move(minutes=2)
    assert post(api, {"name": "One"}, url=CREDENTIALS).json()["id"] != first


def test_old_answers_go_when_new_ones_come(organization, clock):
    api = APIClient()
    token = make_token(make_credential(organization, ["manage-access"]), days=3)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    for number in range(3):
        post(api, {"name": f"Old {number}"}, key=f"old-{number}", url=CREDENTIALS)

    clock.move(hours=25)
    post(api, {"name": "New"}, key="new", url=CREDENTIALS)

    with bypass():
        assert StoredAnswer.unscoped.count() == 1
        assert forget(before=clock(), at_most=10) == 0


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_has_a_sane_length(api, key):
    assert post(api, {"name": "One"}, key=key).status_code == 400


def test_answers_go_with_their_sandbox(sandbox, other_sandbox):
    for owner in (sandbox, other_sandbox):
        with scope(owner, ACTOR):
            StoredAnswer.objects.create(
                organization=owner.organization,
                sandbox=owner,
                key_hash=str(owner.pk).encode(),
                body_hash=b"",
                answer=b"",
                created_at=timezone.now(),
            )

    with scope(sandbox, ACTOR):
        erased = handlers()["api"].erase(sandbox, [("Email", "sarah@example.com")])

    assert erased == {"stored answers": 1}
    with bypass():
        assert [answer.sandbox_id for answer in StoredAnswer.unscoped.all()] == [other_sandbox.pk]
