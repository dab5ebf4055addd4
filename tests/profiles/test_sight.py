"""What somebody sees whose roles lack a label."""

import base64
import json

import pytest
from django.http import QueryDict
from django.utils import timezone

from cdp import queue
from cdp.api.pagination import Cursor
from cdp.datasets.models import Dataset, RejectedRecord
from cdp.schemas.models import Descriptor
from cdp.tenancy.models import Role, Sandbox
from cdp.tenancy.scope import organization_scope, scope
from profiles.models import ComputedAttribute
from tests.factories import api_client
from tests.profiles.world import ECIDS, ME, event, make_dataset, make_namespace, send

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]
LAPTOP = ECIDS["laptop"]
URL = "/api/v1/profiles/"
SARAH = {
    "_luma": {"crmId": "c-1", "tier": "bronze", "points": 120.0, "interests": ["yoga"]},
    "personalEmail": {"address": "sarah@luma.com"},
    "mobilePhone": {"number": "+1 555 010 99"},
    "person": {"name": {"firstName": "Sarah", "lastName": "Rose"}, "gender": "female"},
}


def label(sandbox, dataset, path, *labels):
    with scope(sandbox, ME):
        schema = Dataset.objects.for_sandbox(sandbox).get(pk=dataset.pk).schema
        Descriptor.objects.create(
            sandbox=sandbox,
            schema=schema,
            kind="label",
            paths=[path],
            settings={"labels": list(labels)},
        )
        schema.version += 1
        schema.save()


@pytest.fixture
def crm(sandbox):
    make_namespace(sandbox)
    return make_dataset(
        sandbox,
        "CRM",
        events=False,
        identities=[("_luma.crmId", "CRM", True), ("personalEmail.address", "Email", False)],
    )


@pytest.fixture
def web(sandbox):
    return make_dataset(sandbox, "Web", events=True)


@pytest.fixture
def sarah(sandbox, web, crm):
    send(sandbox, crm, [SARAH])
    happened = event(
        "1", ECID=LAPTOP, Email="sarah@luma.com", commerce={"order": {"priceTotal": 9.0}}
    )
    send(sandbox, web, [happened])
    label(sandbox, crm, "person", "S2")
    label(sandbox, crm, "_luma.interests", "PSPD")
    label(sandbox, crm, "personalEmail.address", "I1")
    label(sandbox, web, "commerce.order", "C8")
    Sandbox.objects.filter(pk=sandbox.pk).update(guards_labels=True)


@pytest.fixture
def analyst(organization):
    """Somebody with every permission and no label."""
    return api_client(organization)


@pytest.fixture
def officer(organization):
    """Somebody who carries all of the labels, in two roles."""
    client = api_client(organization)
    with organization_scope(organization, ME):
        first = Role.objects.for_organization(organization).order_by("-pk").first()
        first.labels = ["S2", "PSPD"]
        first.save()
        Role.objects.create(
            organization=organization,
            name="More",
            labels=["I1", "C8"],
            sandboxes=["prod"],
            credentials=first.credentials,
        )
    return client


def test_who_lacks_a_label_does_not_see_what_carries_it(analyst, sarah):
    seen = analyst.get(URL, {"identity": "CRM:c-1", "sources": "true", "events": 5}).json()

    assert seen["attributes"] == {
        "_luma": {"crmId": "c-1", "tier": "bronze", "points": 120.0},
        "mobilePhone": {"number": "+1 555 010 99"},
    }
    assert set(seen["sources"]) == {
        "_luma.crmId",
        "_luma.tier",
        "_luma.points",
        "mobilePhone.number",
    }
    assert [one["namespace"] for one in seen["identities"]] == ["CRM", "ECID"]
    [happened] = seen["events"]
    assert "commerce" not in happened["body"]
    assert set(happened["body"]["identityMap"]) == {"ECID"}


def test_who_carries_all_labels_sees_everything(officer, sarah):
    seen = officer.get(URL, {"identity": "Email:sarah@luma.com", "events": 5}).json()

    assert seen["attributes"] == SARAH
    assert len(seen["identities"]) == 3
    assert seen["events"][0]["body"]["commerce"] == {"order": {"priceTotal": 9.0}}


def test_nothing_is_hidden_where_labels_are_not_guarded(sandbox, analyst, sarah):
    Sandbox.objects.filter(pk=sandbox.pk).update(guards_labels=False)

    assert analyst.get(URL, {"identity": "CRM:c-1"}).json()["attributes"] == SARAH


def test_every_other_way_to_the_profile_hides_the_same(analyst, sarah):
    key = analyst.get(URL, {"identity": "CRM:c-1"}).json()["id"]

    answers = [
        analyst.post(f"{URL}bulk-get/", {"ids": [key], "sources": True}),
        *(analyst.get(f"{URL}{key}/{part}/") for part in ("events", "identities", "fragments")),
        analyst.get(f"{URL}{key}/explain/"),
        analyst.get("/api/v1/identity-graphs/", {"identity": "CRM:c-1"}),
        analyst.get(f"{URL}{key}/", {"fields": "person.name.firstName,personalEmail"}),
    ]

    assert [answer.status_code for answer in answers] == [200] * len(answers)
    for answer in answers:
        text = answer.content.decode()
        assert not [word for word in ("Sarah", "sarah@", "yoga", "priceTotal") if word in text]
    assert answers[-1].json()["attributes"] == {}


@pytest.mark.parametrize(
    ("path", "query", "hidden"),
    [
        ("search/", {"email": "sarah"}, "personalEmail.address"),
        ("search/", {"name": "sarah"}, "person.name.firstName"),
        ("search/", {"identity": "Email:sarah@luma.com"}, "identityMap.Email"),
        ("", {"identity": "Email:sarah@luma.com"}, "identityMap.Email"),
    ],
)
def test_nobody_searches_by_what_is_hidden(analyst, sarah, path, query, hidden):
    refused = analyst.get(f"{URL}{path}", query)

    assert (refused.status_code, refused.json()["code"]) == (403, "field_hidden")
    assert refused.json()["path"] == hidden


def test_a_search_by_what_is_seen_goes_on(analyst, sarah):
    found = analyst.get(f"{URL}search/", {"phone": "1555"})

    assert [one["matched"] for one in found.json()["results"]] == ["155501099"]


def test_the_identities_of_a_bulk_get_are_refused_too(analyst, sarah):
    asked = {"identities": [{"namespace": "Email", "value": "sarah@luma.com"}]}

    assert analyst.post(f"{URL}bulk-get/", asked).json()["code"] == "field_hidden"
    assert (
        analyst.get("/api/v1/identities/lookup/", {"identity": "Email:sarah@luma.com"}).json()[
            "code"
        ]
        == "field_hidden"
    )


def test_a_type_of_events_that_is_hidden_neither_shows_nor_filters(sandbox, web, analyst, sarah):
    label(sandbox, web, "eventType", "C9")
    key = analyst.get(URL, {"identity": "CRM:c-1"}).json()["id"]

    [happened] = analyst.get(f"{URL}{key}/events/").json()["results"]
    refused = analyst.get(f"{URL}{key}/events/", {"event_type": "web.pageViews"})

    assert (happened["event_type"], "eventType" in happened["body"]) == ("", False)
    assert refused.json()["code"] == "field_hidden"


def test_what_is_worked_out_of_hidden_fields_is_hidden(sandbox, analyst, officer, sarah, web):
    root = "SystemComputedAttributes"
    with scope(sandbox, ME):
        for name, field in (("spent", "commerce.order.priceTotal"), ("visits", "")):
            ComputedAttribute.objects.create(
                sandbox=sandbox,
                name=name,
                function="sum" if field else "count",
                field=field,
                lookback_length=1,
                lookback_unit="days",
                state="published",
            )
    happened = event("2", ECID=LAPTOP, commerce={"order": {"priceTotal": 1.0}})
    send(sandbox, web, [happened])

    tenant = f"_{sandbox.organization.tenant_namespace}"
    seen = [c.get(URL, {"identity": "CRM:c-1"}).json()["attributes"] for c in (analyst, officer)]

    assert seen[0][tenant][root] == {"visits": 2}
    assert seen[1][tenant][root] == {"visits": 2, "spent": 10.0}
    with scope(sandbox, ME):
        ComputedAttribute.objects.for_sandbox(sandbox).update(state="disabled")
    left = analyst.get(URL, {"identity": "CRM:c-1"}).json()["attributes"]
    assert left[tenant][root] == {"visits": 2}


def test_the_labels_of_a_dataset_hide_all_that_it_brings(sandbox, crm, analyst, sarah):
    with scope(sandbox, ME):
        Dataset.objects.for_sandbox(sandbox).filter(pk=crm.pk).update(labels=["C12"])

    seen = analyst.get(URL, {"identity": f"ECID:{LAPTOP}"}).json()

    assert seen["attributes"] == {}
    assert [one["namespace"] for one in seen["identities"]] == ["ECID"]


def test_a_look_up_costs_no_query_more_where_nothing_is_guarded(
    sandbox, analyst, sarah, django_assert_max_num_queries
):
    analyst.get(URL, {"identity": "CRM:c-1"})  # compiles the schemas
    Sandbox.objects.filter(pk=sandbox.pk).update(guards_labels=False)

    with django_assert_max_num_queries(16) as unguarded:
        analyst.get(URL, {"identity": "CRM:c-1"})
    Sandbox.objects.filter(pk=sandbox.pk).update(guards_labels=True)
    with django_assert_max_num_queries(len(unguarded) + 4):
        analyst.get(URL, {"identity": "CRM:c-1"})


def test_the_rows_of_datasets_hide_the_same(crm, web, analyst, officer, sarah):
    [row] = analyst.get(f"/api/v1/datasets/{crm.pk}/rows/").json()["results"]
    [happened] = analyst.get(f"/api/v1/datasets/{web.pk}/preview/").json()["results"]
    [whole] = officer.get(f"/api/v1/datasets/{crm.pk}/rows/").json()["results"]
    refused = analyst.get(f"/api/v1/datasets/{crm.pk}/rows/", {"key": "sarah@luma.com"})

    assert row["key"] == ""
    assert row["record"] == {
        "_luma": {"crmId": "c-1", "tier": "bronze", "points": 120.0},
        "mobilePhone": {"number": "+1 555 010 99"},
    }
    assert "commerce" not in happened["record"]
    assert whole["record"] == SARAH
    assert (refused.status_code, refused.json()["code"]) == (403, "field_hidden")


def test_a_cursor_of_rows_tells_no_key_and_cannot_be_made_up(sandbox, crm, analyst, sarah):
    with scope(sandbox, ME):
        Dataset.objects.for_sandbox(sandbox).filter(pk=crm.pk).update(
            field_labels={"_luma.crmId": ["I2"]}
        )
    send(sandbox, crm, [{"_luma": {"crmId": "c-2"}}])
    url = f"/api/v1/datasets/{crm.pk}/rows/"

    first = analyst.get(url, {"limit": 1}).json()
    second = analyst.get(first["next"])
    cursor = QueryDict(first["next"].partition("?")[2])["cursor"]
    made_up = Cursor(("key", "timestamp"), ("c-1", 0)).text()

    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert b"c-1" not in raw
    assert second.status_code == 200
    assert len(second.json()["results"]) == 1
    refused = analyst.get(url, {"limit": 1, "cursor": made_up})
    assert (refused.status_code, refused.json()["code"]) == (400, "broken_cursor")


def test_a_link_of_hidden_identities_is_neither_cut_nor_restored(analyst, sarah):
    key = analyst.get(URL, {"identity": "CRM:c-1"}).json()["id"]
    ends = {
        "first": {"namespace": "CRM", "value": "c-1"},
        "second": {"namespace": "Email", "value": "sarah@luma.com"},
    }

    for change in ("cut-link", "restore-link"):
        refused = analyst.post(f"{URL}{key}/{change}/", ends)
        assert (refused.status_code, refused.json()["code"]) == (403, "field_hidden")
    graph = analyst.get("/api/v1/identity-graphs/", {"identity": "CRM:c-1"}).json()
    assert graph["profile_id"] == key


def test_a_privacy_request_tells_no_hidden_value_and_its_file_goes_to_who_sees_all(
    analyst, officer, sarah, settings, tmp_path
):
    settings.FILES_URL = tmp_path.as_uri()
    asked = {
        "users": [
            {
                "actions": ["access"],
                "identities": [
                    {"namespace": "Email", "value": "sarah@luma.com"},
                    {"namespace": "CRM", "value": "c-1"},
                ],
            }
        ]
    }

    [made] = analyst.post("/api/v1/privacy-jobs/", asked).json()["results"]
    queue.drain()
    one = f"/api/v1/privacy-jobs/{made['id']}/"
    [listed] = analyst.get("/api/v1/privacy-jobs/").json()["results"]
    refused = analyst.get(f"{one}content/")

    hidden, seen = {"namespace": "Email", "value": None}, {"namespace": "CRM", "value": "c-1"}
    for shown in (made, listed, analyst.get(one).json()):
        assert shown["identities"] == [hidden, seen]
    assert (refused.status_code, refused.json()["code"]) == (403, "field_hidden")
    assert officer.get(one).json()["identities"][0]["value"] == "sarah@luma.com"
    assert officer.get(f"{one}content/").status_code == 200


def test_refused_records_are_seen_by_those_who_see_all_of_their_dataset(
    sandbox, crm, web, analyst, officer, sarah
):
    receipt = send(sandbox, crm, [{**SARAH, "personEmail": "sarah@luma.com", "_luma": "c-7"}])

    def shown(client):
        [row] = client.get("/api/v1/rejected-records/").json()["results"]
        [fate] = client.get(f"/api/v1/receipts/{receipt}/").json()["fates"]
        return [row, client.get(f"/api/v1/rejected-records/{row['id']}/").json(), fate]

    for row in shown(analyst):
        assert row.get("record") is None
        assert {error["path"] for error in row["errors"]} >= {"_luma"}
        assert all(error["detail"].startswith("Hidden") for error in row["errors"])
        assert "sarah@" not in str(row)
    row, one, fate = shown(officer)
    assert row["record"]["personEmail"] == "sarah@luma.com"
    assert one == row
    assert fate["errors"] == row["errors"]
    assert not row["errors"][0]["detail"].startswith("Hidden")


def test_what_was_refused_before_it_had_a_dataset_may_be_of_any(sandbox, crm, analyst, sarah):
    errors = [{"path": "", "code": "no_dataset", "detail": "'sarah@luma.com' has no place."}]
    with scope(sandbox, ME):
        RejectedRecord.objects.create(
            sandbox=sandbox,
            receipt_id="rcp_1",
            position=0,
            raw='"sarah@luma.com"',
            errors=errors,
            received_at=timezone.now(),
        )

    def shown():
        return analyst.get("/api/v1/rejected-records/").json()["results"][0]

    assert "sarah@" not in str(shown())
    Sandbox.objects.filter(pk=sandbox.pk).update(guards_labels=False)
    assert shown()["record"] == "sarah@luma.com"
    assert shown()["errors"] == errors


def test_bad_rows_of_a_batch_are_seen_by_those_who_see_all_of_their_dataset(
    crm, analyst, officer, sarah, settings, tmp_path
):
    settings.FILES_URL = tmp_path.as_uri()
    made = officer.post("/api/v1/batches/", {"dataset_id": crm.pk}).json()["id"]
    at = f"/api/v1/batches/{made}/"
    body = b'{"_luma": "sarah@luma.com"}\n{"_luma": 2}'
    officer.generic("PUT", f"{at}files/a.jsonl", body, content_type="application/octet-stream")
    officer.post(f"{at}complete/")
    queue.drain()

    def rows(client):
        text = b"".join(client.get(f"{at}errors/").streaming_content)
        return [json.loads(line) for line in text.splitlines()]

    assert [row["record"] for row in rows(officer)] == [{"_luma": "sarah@luma.com"}, {"_luma": 2}]
    seen = rows(analyst)
    assert [(row["row"], row["record"]) for row in seen] == [
        (row["row"], None) for row in rows(officer)
    ]
    assert all(one["detail"].startswith("Hidden") for row in seen for one in row["errors"])
    for client, is_hidden in ((officer, False), (analyst, True)):
        for shown in (client.get(at).json(), client.get("/api/v1/batches/").json()["results"][0]):
            [count] = shown["errors"]
            assert count["count"] == 2
            assert count["example"].startswith("Hidden") == is_hidden
