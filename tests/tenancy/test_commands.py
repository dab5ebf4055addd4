"""The commands with which an installation begins."""

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from cdp.tenancy.models import Credential, Operator

EMAIL = "ops@example.com"


def printed(capsys):
    lines = capsys.readouterr().out.splitlines()
    return {line[:15].strip(): line[15:].strip() for line in lines if line[14:15] == " "}


def test_the_first_operator_gets_a_password_and_a_credential_that_work(db, client, capsys):
    call_command("create_operator", EMAIL)

    shown = printed(capsys)
    assert client.login(email=EMAIL, password=shown["Password"])
    answer = APIClient().post(
        "/oauth/token/",
        {
            "grant_type": "client_credentials",
            "client_id": shown["Client id"],
            "client_secret": shown["Client secret"],
        },
        format="multipart",
    )
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {answer.json()['access_token']}"}
    assert APIClient().get("/api/v1/organizations/", **bearer).status_code == 200
    call_command("delete_operator", EMAIL)
    assert APIClient().get("/api/v1/organizations/", **bearer).status_code == 401


@pytest.mark.parametrize(
    ("email", "password", "reason"),
    [
        (EMAIL, "x7-long-enough-99", "already"),
        ("no address", "x7-long-enough-99", "valid email"),
        ("new@example.com", "short", "too short"),
    ],
)
def test_what_cannot_be_an_operator_is_refused(db, email, password, reason):
    call_command("create_operator", EMAIL)

    with pytest.raises(CommandError, match=reason):
        call_command("create_operator", email, password=password)

    assert Operator.objects.count() == Credential.objects.count() == 1


def test_deleting_nobody_is_refused(db):
    with pytest.raises(CommandError, match="There is no operator"):
        call_command("delete_operator", EMAIL)
