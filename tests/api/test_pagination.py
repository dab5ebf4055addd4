"""Lists in pages, through the API."""

import base64

import orjson
import pytest

from cdp.tenancy.scope import organization_scope
from cdp.tenancy.services.access import create_role
from tests.factories import ACTOR

URL = "/api/v1/roles/?limit=2"


@pytest.fixture
def roles(organization, api):
    """Five roles; with the one of the client itself, six."""
    with organization_scope(organization, ACTOR):
        made = [
            create_role(actor=ACTOR, organization=organization, name=f"Role {number}")
            for number in range(5)
        ]
    return made


def names(page):
    return [row["name"] for row in page["results"]]


def test_pages_go_forth_and_back_over_every_row_once(api, roles):
    first = api.get(URL).json()
    second = api.get(first["next"]).json()
    third = api.get(second["next"]).json()

    assert first["previous"] is None
    assert names(first) == ["Role 4", "Role 3"]
    assert names(second) == ["Role 2", "Role 1"]
    assert names(third)[0] == "Role 0"
    assert third["next"] is None
    assert api.get(third["previous"]).json()["results"] == second["results"]
    assert api.get(second["previous"]).json()["results"] == first["results"]


def test_a_row_added_meanwhile_moves_nothing(api, organization, roles):
    first = api.get(URL).json()
    with organization_scope(organization, ACTOR):
        create_role(actor=ACTOR, organization=organization, name="Late")

    assert names(api.get(first["next"]).json()) == ["Role 2", "Role 1"]


def test_the_end_is_known_without_a_count(api, roles, django_assert_num_queries):
    # The token; the scope opens in two and closes in two; the caller's roles; the page.
    with django_assert_num_queries(7):
        page = api.get("/api/v1/roles/?limit=6").json()

    assert len(page["results"]) == 6
    assert page["next"] is None
    assert page["previous"] is None


def test_usage_is_sorted_by_day_and_ties_are_broken(api, sandbox):
    from datetime import date

    from cdp.tenancy.models import UsageCounter
    from cdp.tenancy.scope import scope

    days = [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 2), date(2026, 1, 3)]
    with scope(sandbox, ACTOR):
        for number, day in enumerate(days):
            UsageCounter.objects.create(sandbox=sandbox, day=day, name="n", subject=str(number))

    first = api.get("/api/v1/usage/?ordering=day&limit=2").json()
    second = api.get(first["next"]).json()

    subjects = [row["subject"] for page in (first, second) for row in page["results"]]
    assert subjects == ["0", "1", "2", "3"]
    assert [row["subject"] for row in api.get("/api/v1/usage/").json()["results"]] == [
        "3",
        "2",
        "1",
        "0",
    ]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("limit=0", 422, "invalid"),
        ("limit=501", 422, "invalid"),
        ("limit=many", 422, "invalid"),
        ("limit=%C2%B2", 422, "invalid"),
        pytest.param(f"limit={'9' * 5_000}", 422, "invalid", id="more digits than Python reads"),
        ("cursor=%21", 400, "broken_cursor"),
        ("cursor=AAAA", 400, "broken_cursor"),
        ("ordering=secret", 422, "invalid"),
        ("colour=red", 422, "invalid"),
    ],
)
def test_a_broken_query_is_refused(api, query, status, code):
    answer = api.get(f"/api/v1/roles/?{query}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([["-id"], [None], False], id="null"),
        pytest.param([["-id"], [{"a": 1}], False], id="not a value"),
        pytest.param([["-id"], [], False], id="too few"),
        pytest.param([["-password"], ["x"], False], id="another column"),
        pytest.param([1, 2, 3], id="no lists"),
        pytest.param([["-id"], ["\u0000"], False], id="NUL"),
    ],
)
def test_a_forged_cursor_is_refused(api, roles, parts):
    cursor = base64.urlsafe_b64encode(orjson.dumps(parts)).decode()

    answer = api.get("/api/v1/roles/", {"cursor": cursor})

    assert answer.status_code == 400
    assert answer.json()["code"] in {"broken_cursor", "cursor_of_another_ordering"}


@pytest.mark.parametrize("day", [1, 1.5, "2026-02-30", "x"])
def test_a_cursor_with_a_value_of_another_type_is_refused(api, sandbox, day):
    cursor = base64.urlsafe_b64encode(orjson.dumps([["-day", "-id"], [day, 1], False])).decode()

    answer = api.get("/api/v1/usage/", {"cursor": cursor})

    assert (answer.status_code, answer.json()["code"]) == (400, "broken_cursor")


def test_a_mistyped_parameter_is_told_what_was_meant(api):
    problem = api.get("/api/v1/roles/?nmae=x").json()

    assert problem["errors"] == [
        {
            "path": "nmae",
            "code": "unknown_parameter",
            "detail": "There is no parameter 'nmae'. Did you mean 'name'?",
        }
    ]
