"""`/oauth/token/` as OAuth2 clients use it."""

import base64

import pytest
from oauth2_provider.models import get_access_token_model
from rest_framework.test import APIClient

from cdp.api.tokens import forget_expired_tokens
from cdp.tenancy.scope import organization_scope
from cdp.tenancy.services.access import create_credential
from tests.factories import ACTOR, make_credential, make_token

URL = "/oauth/token/"


@pytest.fixture
def client_and_secret(organization):
    with organization_scope(organization, ACTOR):
        credential, secret = create_credential(
            actor=ACTOR, organization=organization, name="Partner"
        )
    return credential.client_id, secret


def ask(client_id, secret, **body):
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return APIClient().post(
        URL,
        {"grant_type": "client_credentials", **body},
        format="multipart",
        HTTP_AUTHORIZATION=f"Basic {basic}",
    )


def test_a_secret_is_changed_for_a_token_that_works(client_and_secret):
    answer = ask(*client_and_secret)

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in ("expires_in", "token_type", "scope")} == {
        "expires_in": 3_600,
        "token_type": "Bearer",
        "scope": "api",
    }
    assert answer["Cache-Control"] == "no-store"
    token = answer.json()["access_token"]
    me = APIClient().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Bearer {token}")
    assert (me.status_code, me.json()["name"]) == (200, "Partner")


def test_the_secret_may_stand_in_the_body(client_and_secret):
    client_id, secret = client_and_secret
    body = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}

    assert APIClient().post(URL, body, format="multipart").status_code == 200


def test_neither_token_nor_secret_is_stored(client_and_secret):
    token = ask(*client_and_secret).json()["access_token"]

    stored = get_access_token_model().objects.get()
    assert stored.token == ""
    assert token not in str(vars(stored))
    assert client_and_secret[1] not in str(vars(stored.application))


def test_a_wrong_secret_is_refused_the_way_oauth2_says(client_and_secret):
    answer = ask(client_and_secret[0], "wrong")

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert not get_access_token_model().objects.exists()


@pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", "nonsense"])
def test_other_grants_are_refused(client_and_secret, grant):
    answer = ask(*client_and_secret, grant_type=grant)

    assert answer.status_code in {400, 401}
    assert answer.json()["error"]
    assert not get_access_token_model().objects.exists()


def test_expired_tokens_do_not_pile_up(client_and_secret, organization):
    credential = make_credential(organization, [])
    live = make_token(credential)
    make_token(credential, seconds=-1)

    forget_expired_tokens()

    assert get_access_token_model().objects.get().token == live


def test_another_method_is_405(db):
    assert APIClient().get(URL).status_code == 405
