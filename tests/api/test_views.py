"""The base of the views: whose rows are open, for how long, and what if it fails."""

from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.urls import path
from rest_framework.response import Response
from rest_framework.test import APIClient

from cdp.api.permissions import ANY_CALLER
from cdp.api.views import SandboxViewSet
from cdp.errors import Conflict
from cdp.tenancy.models import UsageCounter
from cdp.tenancy.scope import current_scope, scope
from tests.factories import ACTOR


class ProbeViewSet(SandboxViewSet):
    """Does in a request what the tests ask for."""

    permissions = {"*": ANY_CALLER}

    def list(self, request):
        """List what is there."""
        rows = UsageCounter.objects.for_sandbox(self.sandbox).values_list("name", flat=True)
        return Response({"names": list(rows)})

    def create(self, request):
        """Write a row, then do what the body says."""
        UsageCounter.objects.create(sandbox=self.sandbox, day="2026-01-01", name="written")
        match request.data["then"]:
            case "refuse":
                raise Conflict("No.")
            case "break":
                raise ZeroDivisionError
            case "lose the database":
                raise OperationalError("server closed the connection unexpectedly")
        return Response({"organization": current_scope().organization_id}, status=201)

    def stream(self, request):
        """Send rows while they are read."""

        def chunks():
            for row in UsageCounter.objects.for_sandbox(self.sandbox).iterator():
                yield row.name.encode()

        return self.streamed(chunks, content_type="text/plain", filename="names.txt")


urlpatterns = [
    path("probe/", ProbeViewSet.as_view({"get": "list", "post": "create"})),
    path("stream/", ProbeViewSet.as_view({"get": "stream"})),
]
handler500 = "cdp.api.pages.server_error"

pytestmark = pytest.mark.urls(__name__)


def names_in(sandbox):
    with scope(sandbox, ACTOR):
        return list(UsageCounter.objects.for_sandbox(sandbox).values_list("name", flat=True))


def test_the_scope_ends_with_the_answer(api, organization):
    answer = api.post("/probe/", {"then": "answer"})

    assert answer.json() == {"organization": organization.pk}
    assert current_scope() is None


@pytest.mark.parametrize(
    ("then", "status", "code"),
    [("refuse", 409, "conflict"), ("lose the database", 503, "unavailable")],
)
def test_a_refusal_rolls_everything_back(api, sandbox, then, status, code):
    answer = api.post("/probe/", {"then": then})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert names_in(sandbox) == []


def test_a_store_that_is_away_says_when_to_come_back(api):
    assert api.post("/probe/", {"then": "lose the database"})["Retry-After"] == "2"


def test_what_nobody_foresaw_is_a_problem_without_details(api, sandbox):
    api.raise_request_exception = False

    answer = api.post("/probe/", {"then": "break"})

    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert answer.json()["code"] == "fault"
    assert answer.json()["request_id"]
    assert "ZeroDivision" not in answer.content.decode()
    assert names_in(sandbox) == []


@pytest.mark.django_db(transaction=True)
def test_a_stream_opens_a_scope_of_its_own(api, sandbox):
    with scope(sandbox, ACTOR):
        UsageCounter.objects.create(sandbox=sandbox, day="2026-01-01", name="one")

    answer = api.get("/stream/")

    assert not connection.in_atomic_block
    assert b"".join(answer.streaming_content) == b"one"
    assert answer["Content-Disposition"] == 'attachment; filename="names.txt"'


@pytest.mark.django_db(transaction=True)
def test_a_request_leaves_nothing_open_on_the_connection(api, sandbox):
    with scope(sandbox, ACTOR):
        UsageCounter.objects.create(sandbox=sandbox, day="2026-01-01", name="one")

    assert api.get("/probe/").json() == {"names": ["one"]}
    assert list(UsageCounter.unscoped.all()) == []


def test_every_answer_carries_the_request_id(api):
    first, second = api.get("/probe/"), api.get("/probe/", headers={"X-Request-Id": "forged"})

    assert UUID(first["X-Request-Id"]) != UUID(second["X-Request-Id"])


def test_a_foreign_accept_header_gets_json(api):
    answer = api.get(
        "/probe/", headers={"Accept": "application/vnd.adobe.xed-full+json; version=1"}
    )

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_operators_say_for_whom_they_act(db, organization):
    from cdp.tenancy.services.operators import create_operator
    from tests.factories import make_token

    _, credential, _ = create_operator(email="ops@example.com", password="long enough, truly")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {make_token(credential)}")

    assert client.get("/probe/").status_code == 403
    assert client.get("/probe/", headers={"X-Organization": organization.pk}).status_code == 200
    assert client.get("/probe/", headers={"X-Organization": "org_nonsense"}).status_code == 404


def test_a_parameter_that_is_given_twice_is_refused(api, sandbox):
    refused = api.get("/probe/?a=1&b=1&a=2&c=&c=")

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert [(each["path"], each["code"]) for each in refused.json()["errors"]] == [
        ("a", "repeated_parameter"),
        ("c", "repeated_parameter"),
    ]
    assert api.get("/probe/?a=1&b=1").status_code == 200
