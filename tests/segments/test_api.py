import jsonschema_rs
import pytest

from cdp.queue import drain
from cdp.tenancy.scope import scope
from segments.models import Segment
from tests.segments.shop import ACTOR, open_shop
from tests.segments.test_evaluation import BUYERS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]
BOUGHT = 'xEvent[eventType = "commerce.purchases"]'


@pytest.fixture
def shop(sandbox):
    return open_shop(sandbox)


def test_text_and_tree_are_converted_into_each_other(api, shop):
    from_text = api.post("/api/v1/segments/convert/", {"text": BOUGHT})
    from_tree = api.post("/api/v1/segments/convert/", {"rule": BUYERS})

    assert from_text.json() == from_tree.json() == {"rule": BUYERS, "text": BOUGHT}


def test_a_mistyped_path_is_refused_with_what_was_meant_and_nothing_is_made(api, shop):
    answer = api.post("/api/v1/segments/", {"name": "Typo", "text": 'xEvent[eventtype = "x"]'})

    assert answer.status_code == 422
    assert answer.json()["code"] == "rule_refused"
    assert answer.json()["errors"][0]["hint"] == "eventType"
    with scope(shop.sandbox, ACTOR):
        assert not Segment.objects.for_sandbox(shop.sandbox).exists()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": "xEvent.count() > 5"}, "unbounded_scan"),
        ({"text": f'{BOUGHT} and xEvent[eventType.matches("(?=x)")]'}, "bad_pattern"),
        ({"text": "(" * 500 + BOUGHT + ")" * 500}, "too_deep"),
        ({"text": f"{BOUGHT} or " * 2_000 + BOUGHT}, "too_large"),
        ({"text": f"{BOUGHT} or " * 600 + BOUGHT}, "shape"),
        ({"rule": {"type": "all", "of": []}}, "shape"),
        ({}, "one_of_two"),
    ],
)  # fmt: skip
def test_a_rule_without_bound_or_measure_is_refused_with_a_reason(api, shop, body, code):
    answer = api.post("/api/v1/segments/convert/", body)

    assert answer.status_code == 422, answer.json()
    assert code in {error["code"] for error in answer.json()["errors"]}


def test_the_form_of_a_rule_is_published(api):
    shown = api.get("/api/v1/segments/schema/")

    assert shown.status_code == 200
    assert jsonschema_rs.is_valid(shown.json(), BUYERS)
    assert not jsonschema_rs.is_valid(shown.json(), {"type": "nope"})


@pytest.mark.acceptance("A-60")
@pytest.mark.acceptance("B-35")
def test_an_estimate_is_exact_for_few_and_changes_with_the_rule(api, shop):
    shop.event("ada@luma.example", "commerce.purchases")
    shop.event("ben@luma.example", "commerce.productViews")

    bought = api.post("/api/v1/segment-estimates/", {"text": BOUGHT}).json()
    everyone = api.post("/api/v1/segment-estimates/", {"text": "true"}).json()

    assert (bought["profiles"], bought["low"], bought["size"], bought["high"]) == (2, 1, 1, 1)
    assert bought["namespaces"] == {"Email": 1}
    assert len(bought["preview"]) == 1
    assert everyone["size"] == 2


def test_a_mistake_in_a_text_is_told_with_its_place_and_what_was_meant(api):
    wrong = api.post("/api/v1/segments/convert/", {"text": "true and\n  person.nam = 1"})
    cut_off = api.post("/api/v1/segments/convert/", {"text": "not"})

    assert (wrong.status_code, wrong.json()["code"]) == (422, "rule_refused")
    told = {"line": 2, "column": 3}
    assert [told | error for error in wrong.json()["errors"]] == wrong.json()["errors"]
    [error] = cut_off.json()["errors"]
    assert (error["line"], error["column"], error["path"]) == (1, 4, "text")
    assert "a field" in error["expected"]


@pytest.mark.acceptance("A-52")
@pytest.mark.acceptance("B-37")
@pytest.mark.acceptance("D-40")
def test_a_segment_is_made_explained_changed_and_evaluated_anew(api, shop):
    shop.event("ada@luma.example", "commerce.purchases")
    shop.event("ben@luma.example", "commerce.productViews")
    made = api.post("/api/v1/segments/", {"name": "Buyers", "text": BOUGHT}).json()
    at = f"/api/v1/segments/{made['id']}/"
    api.post(f"{at}publish/")
    drain()
    before = api.get(f"{at}members/").json()["results"]

    api.patch(at, {"text": BOUGHT.replace("purchases", "productViews")})
    drain()

    after = api.get(f"{at}members/").json()["results"]
    assert len(before) == len(after) == 1
    assert before != after
    history = api.get(f"{at}history/").json()
    assert [version["number"] for version in history["versions"]] == [2, 1]
    assert [size["size"] for size in history["sizes"]] == [1, 1]
    explained = api.get(f"{at}explain/").json()
    possible = {each["method"]: each["possible"] for each in explained["methods"]}
    assert possible == {"streaming": True, "batch": True, "edge": True}
    assert [used["path"] for used in explained["fields_used"]] == ["eventType"]


def test_equal_requests_are_one_and_a_waiting_one_can_be_cancelled(api, shop):
    first = api.post("/api/v1/segment-jobs/", {})
    second = api.post("/api/v1/segment-jobs/", {})
    assert first.status_code == 202
    assert first.json()["id"] == second.json()["id"]

    api.post(f"/api/v1/segment-jobs/{first.json()['id']}/cancel/")
    drain()

    job = api.get(f"/api/v1/segment-jobs/{first.json()['id']}/").json()
    assert job["state"] == "cancelled"
    refused = api.post(f"/api/v1/segment-jobs/{first.json()['id']}/cancel/")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")


def test_the_overlap_of_two_segments_is_counted(api, shop):
    shop.event("ada@luma.example", "commerce.purchases")
    shop.event("ada@luma.example", "commerce.productViews")
    shop.event("ben@luma.example", "commerce.productViews")
    made = [
        api.post("/api/v1/segments/", {"name": name, "text": text}).json()["id"]
        for name, text in (
            ("Bought", BOUGHT),
            ("Seen", BOUGHT.replace("purchases", "productViews")),
        )
    ]
    for key in made:
        api.post(f"/api/v1/segments/{key}/publish/")
    drain()

    answer = api.post("/api/v1/segments/overlap/", {"first": made[0], "second": made[1]})

    assert answer.json() == {"first": 1, "second": 2, "both": 1, "share": 0.5}


@pytest.mark.parametrize(
    ("given", "status", "path"),
    [
        ({"labels": ["C1", "NOPE"]}, 422, "labels"),
        ({"text": 'inSegment("seg_none")'}, 422, "rule"),
        ({"merge_policy_id": "mp_none"}, 404, None),
    ],
)
def test_what_a_segment_names_is_there_or_it_is_refused(api, shop, given, status, path):
    refused = api.post("/api/v1/segments/", {"name": "New", "text": BOUGHT, **given})

    assert refused.status_code == status, refused.json()
    assert [error["path"] for error in refused.json()["errors"]] == ([path] if path else [])
    with scope(shop.sandbox, ACTOR):
        assert not Segment.objects.for_sandbox(shop.sandbox).exists()


@pytest.mark.parametrize("url", ["segments/convert/", "segment-estimates/"])
def test_a_rule_that_asks_for_no_segment_is_refused_before_it_is_saved(api, shop, url):
    refused = api.post(f"/api/v1/{url}", {"text": f'{BOUGHT} or inSegment("seg_none")'})

    assert refused.status_code == 422
    [error] = refused.json()["errors"]
    assert (error["code"], error["detail"]) == (
        "unknown_segment",
        "There is no segment 'seg_none' here.",
    )


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"attributes": "maybe"}, "attributes"),
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"attribute": "true"}, "attribute"),
    ],
)
def test_members_are_not_listed_by_what_means_nothing(api, shop, query, path):
    made = api.post("/api/v1/segments/", {"name": "New", "text": BOUGHT}).json()["id"]

    refused = api.get(f"/api/v1/segments/{made}/members/", query)

    assert refused.status_code == 422
    assert [error["path"] for error in refused.json()["errors"]] == [path]


def test_a_filter_by_a_choice_that_is_none_is_answered_with_those_there_are(api):
    refused = api.get("/api/v1/segments/", {"state": "nope"}).json()
    by_model = api.get("/api/v1/segment-jobs/", {"state": "nope"}).json()

    assert refused["errors"][0]["detail"] == "'nope' is none of: draft, published, inactive."
    assert by_model["errors"][0]["detail"].startswith("'nope' is none of: waiting, ")
