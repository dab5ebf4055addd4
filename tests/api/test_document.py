"""The OpenAPI document: valid, complete, and changed only on purpose."""

from pathlib import Path

import jsonschema_rs
import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from cdp.api.document import document
from cdp.api.permissions import ANY_CALLER, OPERATOR
from cdp.tenancy.permissions import PERMISSIONS
from tests.api.contract import contract_lines

CONTRACT = Path(__file__).with_name("contract.txt")
METHODS = {"get", "post", "put", "patch", "delete"}


def operations():
    return [
        pytest.param(operation, id=f"{method.upper()} {path}")
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_it_is_valid_and_was_made_without_a_warning():
    made = document()

    validate_schema(made)
    assert made["openapi"] == "3.1.0"
    assert not GENERATOR_STATS, "`manage.py check --deploy` tells the warnings"


@pytest.mark.parametrize("operation", operations())
def test_every_operation_explains_itself(operation):
    assert operation["summary"]
    assert len(operation["description"]) > len("Needs a credential, and no permission.")
    assert operation["x-permission"] in {*PERMISSIONS, ANY_CALLER, OPERATOR}
    assert {"401", "403", "429", "503"} <= set(operation["responses"])


def test_every_example_is_of_the_form_that_it_shows():
    made = document()
    shown = [
        (body["schema"], example["value"])
        for item in made["paths"].values()
        for method, operation in item.items()
        if method in METHODS
        for body in operation.get("requestBody", {}).get("content", {}).values()
        for example in body.get("examples", {}).values()
    ]

    assert len(shown) > 20
    for schema, value in shown:
        jsonschema_rs.validate({**schema, "components": made["components"]}, value)


def test_what_one_answer_holds_is_shown_as_one():
    looked_up = document()["paths"]["/api/v1/profiles/"]["get"]["responses"]["200"]

    assert looked_up["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/ProfileOut"
    }


def test_every_refusal_is_a_problem():
    answers = [
        (code, answer)
        for item in document()["paths"].values()
        for method, operation in item.items()
        if method in METHODS
        for code, answer in operation["responses"].items()
        if code[0] in "45"
    ]

    assert answers
    assert {tuple(answer["content"]) for _, answer in answers} == {("application/problem+json",)}
    assert all(answer["description"] for _, answer in answers)


def test_operation_ids_are_unique():
    ids = [
        operation["operationId"]
        for item in document()["paths"].values()
        for method, operation in item.items()
        if method in METHODS
    ]

    assert len(ids) == len(set(ids))


def test_the_contract_changes_only_on_purpose():
    """Clients rely on it. If the change is meant: `python -m tests.api.contract`."""
    assert CONTRACT.read_text().splitlines() == contract_lines()


@pytest.mark.parametrize("page", ["docs", "redoc"])
def test_people_read_it_from_our_own_files(db, page):
    html = APIClient().get(f"/api/v1/{page}/").content.decode()

    assert "/static/drf_spectacular_sidecar/" in html
    assert "https://cdn" not in html


def test_it_is_served_to_everybody(db):
    answer = APIClient().get("/api/v1/schema/")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json()["info"]["title"] == "Customer Data Platform"
