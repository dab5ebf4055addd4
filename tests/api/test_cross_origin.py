"""Which pages may call the REST API from a browser: those that the installation lists."""

import pytest
from django.test import Client

APP = "https://app.luma.example"
ME = "/api/v1/me/"


@pytest.fixture(autouse=True)
def listed(settings):
    settings.CORS_ALLOWED_ORIGINS = [APP]


def ask_beforehand(origin, path=ME, method="PATCH", headers="authorization,if-match"):
    return Client().options(
        path,
        HTTP_ORIGIN=origin,
        HTTP_ACCESS_CONTROL_REQUEST_METHOD=method,
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS=headers,
    )


def test_a_listed_page_may_call_and_read_the_answer(api):
    asked = ask_beforehand(APP)
    answer = api.get(ME, HTTP_ORIGIN=APP)

    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == APP
    assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]
    allowed = asked.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"authorization", "x-sandbox-name", "if-match", "idempotency-key"} <= set(allowed)
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert "origin" in answer.headers["Vary"].lower()


def test_a_refusal_can_be_read_too(db):
    answer = Client().get(ME, HTTP_ORIGIN=APP)

    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == APP


def test_no_cookie_is_taken_along(api):
    assert "Access-Control-Allow-Credentials" not in api.get(ME, HTTP_ORIGIN=APP).headers


@pytest.mark.parametrize("origin", ["https://evil.example", "http://app.luma.example", "null"])
def test_another_page_may_not(api, origin):
    asked, answer = ask_beforehand(origin), api.get(ME, HTTP_ORIGIN=origin)

    assert "Access-Control-Allow-Origin" not in asked.headers
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", ["/admin/", "/oauth/token/", "/readyz"])
def test_the_console_and_tokens_are_for_no_page(db, path):
    assert "Access-Control-Allow-Origin" not in ask_beforehand(APP, path).headers


@pytest.mark.parametrize("path", ["/v1/batch", "/ee/v1/interact?configId=x"])
def test_the_trackers_doors_are_open_to_every_page(db, path):
    shop = "https://shop.example"

    asked = ask_beforehand(shop, path, method="POST", headers="authorization,content-type")
    refused = Client().post(path, b"{}", content_type="text/plain", HTTP_ORIGIN=shop)

    assert asked.status_code == 204
    assert "authorization" in asked.headers["Access-Control-Allow-Headers"]
    for answer in (asked, refused):
        assert answer.headers["Access-Control-Allow-Origin"] == shop
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in answer.headers["Vary"]
    assert refused.status_code in {401, 404}
