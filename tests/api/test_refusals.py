"""Every refusal is a problem document that says what to do (RFC 9457)."""

import pytest
from django.db import DatabaseError, DataError, IntegrityError, OperationalError
from rest_framework import serializers
from rest_framework.test import APIClient

from cdp.api.errors import as_refusal
from cdp.api.serializers import StrictSerializer
from cdp.tenancy.models import Role
from cdp.tenancy.scope import organization_scope
from tests.factories import ACTOR, api_client, make_credential, make_token

URL = "/api/v1/roles/"
PROBLEM = "application/problem+json"


def send(api, body, content_type="application/json"):
    return api.generic("POST", URL, body, content_type=content_type)


def roles_of(organization):
    with organization_scope(organization, ACTOR):
        return list(Role.objects.for_organization(organization).order_by("pk").values_list("name"))


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        pytest.param(
            b'{"name": ',
            400,
            {
                "title": "The request cannot be read",
                "code": "malformed_json",
                "detail": "The body is not valid JSON: unexpected end of data: "
                "line 1 column 10 (char 9).",
            },
            id="malformed JSON",
        ),
        pytest.param(
            b'{"name": "a\\u0000b"}',
            400,
            {
                "title": "The request cannot be read",
                "code": "json_nul_character",
                "detail": "The JSON holds the character NUL (\\u0000), which cannot be stored.",
            },
            id="NUL byte",
        ),
        pytest.param(
            b'{"name": ' + b"[" * 500 + b"]" * 500 + b"}",
            400,
            {
                "title": "The request cannot be read",
                "code": "json_too_deep",
                "detail": "The JSON nests deeper than 64 levels.",
            },
            id="deep nesting",
        ),
        pytest.param(
            b'{"name": "' + b"x" * 20_000_000 + b'"}',
            413,
            {
                "title": "Too large",
                "code": "too_large",
                "detail": "The body is larger than the 2,000,000 bytes this route takes. "
                "Send it in parts.",
                "limit": 2_000_000,
            },
            id="20 MB",
        ),
        pytest.param(
            b'["a list"]',
            422,
            {
                "title": "Not valid",
                "code": "invalid",
                "detail": "Some values are not valid; see `errors`.",
                "errors": [
                    {
                        "path": "",
                        "code": "invalid",
                        "detail": "Invalid data. Expected a dictionary, but got list.",
                    }
                ],
            },
            id="a list for an object",
        ),
        pytest.param(
            b'{"name": ["x"], "permissions": {"a": 1}, "sandboxes": [[]], "nmae": 1}',
            422,
            {
                "title": "Not valid",
                "code": "invalid",
                "detail": "Some values are not valid; see `errors`.",
                "errors": [
                    {
                        "path": "nmae",
                        "code": "unknown_field",
                        "detail": "There is no field 'nmae'. Did you mean 'name'?",
                    }
                ],
            },
            id="unknown field",
        ),
        pytest.param(
            b'{"name": ["x"], "permissions": {"a": 1}, "sandboxes": ["prod", []]}',
            422,
            {
                "title": "Not valid",
                "code": "invalid",
                "detail": "Some values are not valid; see `errors`.",
                "errors": [
                    {"path": "name", "code": "invalid", "detail": "Not a valid string."},
                    {
                        "path": "permissions",
                        "code": "not_a_list",
                        "detail": 'Expected a list of items but got type "dict".',
                    },
                    {"path": "sandboxes.1", "code": "invalid", "detail": "Not a valid string."},
                ],
            },
            id="wrong types",
        ),
    ],
)
def test_a_hostile_body_gets_its_problem_and_changes_nothing(
    api, organization, body, status, problem
):
    before = roles_of(organization)

    answer = send(api, body)

    expected = {
        "type": f"urn:cdp:problem:{problem['code']}",
        "status": status,
        "errors": [],
        **problem,
    }
    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM)
    assert answer.json() == expected
    assert roles_of(organization) == before


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "x"])
def test_another_content_type_is_415(api, content_type):
    answer = send(api, b'{"name": "x"}', content_type)

    assert (answer.status_code, answer["Content-Type"]) == (415, PROBLEM)
    assert answer.json() == {
        "type": "urn:cdp:problem:unsupported_media_type",
        "title": "Unsupported media type",
        "status": 415,
        "code": "unsupported_media_type",
        "detail": f'Unsupported media type "{content_type}" in request. Send application/json.',
        "errors": [],
    }


def test_a_body_of_unknown_length_is_refused(api):
    answer = api.generic(
        "POST", URL, b"", content_type="application/json", HTTP_TRANSFER_ENCODING="chunked"
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "length_required")


def test_an_expired_token_is_401(organization):
    credential = make_credential(organization, ["view-access"])
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {make_token(credential, seconds=-1)}")

    answer = client.get(URL)

    assert (answer.status_code, answer["Content-Type"]) == (401, PROBLEM)
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer.json() == {
        "type": "urn:cdp:problem:unauthenticated",
        "title": "Who are you?",
        "status": 401,
        "code": "unauthenticated",
        "detail": "The access token has expired. Get a new one at /oauth/token/.",
        "errors": [],
    }


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "Send an access token. Get one at /oauth/token/."),
        ("Bearer nonsense", "The access token is unknown. Get one at /oauth/token/."),
        ("Bearer", "Send the header as 'Authorization: Bearer <access token>'."),
        ("Basic eDp5", "Send the header as 'Authorization: Bearer <access token>'."),
    ],
)
def test_whoever_is_unknown_is_told_what_to_send(db, header, detail):
    headers = {"HTTP_AUTHORIZATION": header} if header else {}

    answer = APIClient().get(URL, **headers)

    assert (answer.status_code, answer.json()["detail"]) == (401, detail)


def test_a_deleted_credential_is_out_at_once(organization, api):
    credential = make_credential(organization, ["view-access"])
    gone = APIClient()
    gone.credentials(HTTP_AUTHORIZATION=f"Bearer {make_token(credential)}")

    assert gone.get(URL).status_code == 200
    assert api.delete(f"/api/v1/credentials/{credential.pk}/").status_code == 204
    assert gone.get(URL).status_code == 401


@pytest.mark.parametrize("path", ["/api/v1/roles/a%00b/", "/api/v1/roles/?name=a%00b"])
def test_a_nul_in_the_address_is_400(api, path):
    answer = api.get(path)

    assert (answer.status_code, answer.json()["code"]) == (400, "nul_character")


def test_an_address_without_a_route_is_404(db):
    answer = APIClient().get("/api/v1/nonsense")

    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)
    assert answer.json()["detail"] == "No route leads to /api/v1/nonsense/."


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_a_method_that_a_route_lacks_is_405(api, method):
    answer = getattr(api, method)(URL)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer["Allow"] == "GET, POST, HEAD"


def test_an_object_that_is_not_there_is_named(api):
    answer = api.get(f"{URL}rol_nonsense/")

    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "There is no role 'rol_nonsense' here.",
    )


def test_an_unknown_sandbox_is_404(organization):
    answer = api_client(organization, sandbox="nonsense").get("/api/v1/me/")

    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "There is no sandbox 'nonsense'. Say one of yours in X-Sandbox-Name.",
    )


class Cause(Exception):
    def __init__(self, pgcode):
        self.pgcode = pgcode


@pytest.mark.parametrize(
    ("error", "pgcode", "status"),
    [
        (OperationalError("server closed the connection"), None, 503),
        (DataError("integer out of range"), "22003", 422),
        (IntegrityError("duplicate key"), "23505", 409),
        (IntegrityError("foreign key"), "23503", 409),
        (IntegrityError("not null"), "23502", None),
        (DatabaseError("what else"), None, None),
        (ZeroDivisionError(), None, None),
    ],
)
def test_what_the_database_refuses_is_the_clients_only_if_it_can_act_on_it(error, pgcode, status):
    error.__cause__ = Cause(pgcode)

    refusal = as_refusal(error)

    assert (refusal.status if refusal else None) == status


class _Shape(StrictSerializer):
    colour = serializers.ChoiceField(choices=["red", "green"], required=False)
    colours = serializers.ListField(child=serializers.ChoiceField(choices=["red"]), required=False)
    code = serializers.RegexField(r"^[a-z]{1,3}$", required=False)


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        ({"colour": "blue{0}"}, "'blue{0}' is none of: red, green."),
        ({"colour": []}, "'[]' is none of: red, green."),
        ({"code": "A"}, "This does not match the pattern ^[a-z]{1,3}$"),
    ],
)
def test_a_refused_value_is_answered_with_what_would_have_been_taken(given, detail):
    shape = _Shape(data=given)

    assert not shape.is_valid()
    assert [str(one) for errors in shape.errors.values() for one in errors] == [detail]


def test_a_refused_item_of_a_list_is_answered_with_what_would_have_been_taken():
    shape = _Shape(data={"colours": ["red", "blue"]})

    assert not shape.is_valid()
    assert shape.errors["colours"] == {1: ["'blue' is none of: red."]}
