import pytest
from django.db import connection

from cdp import queue
from cdp.clickhouse import client
from cdp.tenancy.scope import scope
from profiles.selectors.search import SEARCH
from tests.factories import api_client
from tests.profiles.world import ECIDS, ME, event, make_dataset, make_namespace, send

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]
LAPTOP, PHONE = ECIDS["laptop"], ECIDS["phone"]
SARAH = {
    "_luma": {"crmId": "c-1", "tier": "bronze", "points": 120.0},
    "personalEmail": {"address": "sarah@luma.com"},
    "mobilePhone": {"number": "+1 (555) 010-99"},
    "person": {"name": {"firstName": "Sarah", "lastName": "Rose"}, "gender": "female"},
    "consents": {"marketing": {"email": {"val": "y"}}},
}


@pytest.fixture
def web(sandbox):
    return make_dataset(sandbox, "Web", events=True)


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
def sarah(sandbox, web, crm):
    send(sandbox, web, [event("1", at="2026-11-01T10:00:00Z", ECID=LAPTOP)])
    send(sandbox, web, [event("2", "login", at="2026-11-02T10:00:00Z", ECID=LAPTOP, CRM="c-1")])
    send(sandbox, crm, [SARAH])
    send(sandbox, web, [event("3", at="2026-11-03T10:00:00Z", ECID=PHONE, Email="sarah@luma.com")])


def look_up(api, identity, **params):
    return api.get("/api/v1/profiles/", {"identity": identity, **params})


@pytest.mark.acceptance("A-34")
@pytest.mark.acceptance("D-31")
@pytest.mark.acceptance("D-32")
def test_a_person_is_looked_up_by_email_with_attributes_and_events(api, sarah):
    answer = look_up(api, "Email:sarah@luma.com", events=10)

    profile = answer.json()
    assert answer.status_code == 200
    assert profile["attributes"] == SARAH
    assert profile["consents"] == {"marketing": {"email": {"val": "y"}}}
    assert [e["event_id"] for e in profile["events"]] == ["3", "2", "1"]


@pytest.mark.acceptance("D-06")
@pytest.mark.acceptance("D-07")
@pytest.mark.acceptance("D-09")
@pytest.mark.acceptance("D-10")
@pytest.mark.acceptance("D-34")
def test_every_identity_leads_to_the_same_person(api, sarah):
    asked = [f"ECID:{LAPTOP}", f"ECID:{PHONE}", "CRM:c-1", "email:sarah@luma.com"]

    answers = [look_up(api, identity).json() for identity in asked]

    assert len({answer["id"] for answer in answers}) == 1
    assert [(i["namespace"], i["value"], i["type"]) for i in answers[0]["identities"]] == [
        ("ECID", LAPTOP, "Cookie"),
        ("CRM", "c-1", "Cross_device"),
        ("Email", "sarah@luma.com", "Email"),
        ("ECID", PHONE, "Cookie"),
    ]


def test_a_profile_is_read_by_id_with_sources_and_only_some_fields(api, sarah, crm):
    key = look_up(api, "CRM:c-1").json()["id"]

    answer = api.get(
        f"/api/v1/profiles/{key}/", {"sources": "true", "fields": "person.name,_luma.tier"}
    )

    profile = answer.json()
    assert profile["attributes"] == {
        "person": {"name": {"firstName": "Sarah", "lastName": "Rose"}},
        "_luma": {"tier": "bronze"},
    }
    assert set(profile["sources"]) == {
        "person.name.firstName",
        "person.name.lastName",
        "_luma.tier",
    }
    source = profile["sources"]["_luma.tier"]
    assert (source["dataset_id"], source["identity"]) == (
        crm.pk,
        {"namespace": "CRM", "value": "c-1"},
    )


def test_nobody_is_404_and_a_malformed_identity_is_422(api, sandbox):
    assert look_up(api, "Email:nobody@luma.com").status_code == 404
    assert look_up(api, "Email:nobody@luma.com").json()["code"] == "profile_unknown"
    assert look_up(api, "nobody").json()["code"] == "identity_invalid"
    assert look_up(api, "Shoe:1").json()["errors"][0]["code"] == "namespace_unknown"
    assert look_up(api, "ECID:1").json()["errors"][0]["code"] == "ecid_malformed"
    assert api.get("/api/v1/profiles/").status_code in (400, 422)
    assert api.get("/api/v1/profiles/prf_999/").status_code == 404
    assert api.get("/api/v1/profiles/nonsense/").status_code == 404


def test_the_events_of_a_look_up_are_the_first_of_the_timeline(api, sandbox, web, sarah):
    at = "2026-11-04T10:00:00Z"
    send(sandbox, web, [event(key, at=at, ECID=PHONE) for key in ("6", "4", "5")])
    key = look_up(api, "Email:sarah@luma.com").json()["id"]

    shown = look_up(api, "Email:sarah@luma.com", events=4).json()["events"]

    timeline = api.get(f"/api/v1/profiles/{key}/events/", {"limit": 4}).json()["results"]
    assert [one["event_id"] for one in shown] == ["4", "5", "6", "3"]
    assert shown == timeline


def test_the_text_of_an_event_says_what_its_columns_say(sandbox, sarah):
    texts = "SELECT document, toJSONString(body) FROM events WHERE sandbox_id = {sandbox:UInt32}"

    rows = client.fetch_text(texts, sandbox=sandbox, params={}, budget=client.LOOKUP)

    assert len(rows) == 3
    assert all(document == columns != "{}" for document, columns in rows)


def test_a_look_up_asks_postgresql_a_fixed_number_of_things(api, sarah, django_assert_num_queries):
    # Token, sandbox, roles, namespaces, person and policy; the other four are the scope's, which
    # inside of a test's transaction has to be undone.
    with django_assert_num_queries(10):
        look_up(api, "Email:sarah@luma.com")


@pytest.mark.acceptance("D-35")
def test_events_are_filtered_ordered_and_paged(api, sarah):
    key = look_up(api, "CRM:c-1").json()["id"]
    url = f"/api/v1/profiles/{key}/events/"

    def ids(**params):
        return [e["event_id"] for e in api.get(url, params).json()["results"]]

    assert ids() == ["3", "2", "1"]
    assert ids(ordering="timestamp") == ["1", "2", "3"]
    assert ids(event_type="login") == ["2"]
    assert ids(since="2026-11-02T10:00:00Z", until="2026-11-03T10:00:00Z") == ["2"]
    first = api.get(url, {"limit": 2, "ordering": "timestamp"}).json()
    second = api.get(first["next"]).json()
    assert [e["event_id"] for e in first["results"] + second["results"]] == ["1", "2", "3"]
    assert second["next"] is None
    assert api.get(url, {"cursor": "x", "limit": 2}).status_code == 400


@pytest.mark.parametrize("ordering", ["timestamp", "-timestamp"])
def test_an_event_in_two_datasets_is_on_one_page_after_the_other(api, sandbox, web, ordering):
    app = make_dataset(sandbox, "App", events=True)
    twin = event("1 2", at="2026-11-01T00:00:00Z", ECID=LAPTOP)
    for dataset in (app, web):
        send(sandbox, dataset, [twin])
    key = api.get("/api/v1/profiles/", {"identity": f"ECID:{LAPTOP}"}).json()["id"]

    first = api.get(f"/api/v1/profiles/{key}/events/", {"limit": 1, "ordering": ordering}).json()
    second = api.get(first["next"]).json()

    shown = [one["dataset_id"] for page in (first, second) for one in page["results"]]
    assert sorted(shown) == sorted([app.pk, web.pk])
    assert second["next"] is None


def test_fragments_show_what_each_dataset_says(api, sarah, crm):
    key = look_up(api, "CRM:c-1").json()["id"]

    [fragment] = api.get(f"/api/v1/profiles/{key}/fragments/").json()

    assert (fragment["dataset_id"], fragment["document"]) == (crm.pk, SARAH)


def test_a_chain_explains_and_cutting_it_splits(api, sandbox, web, sarah):
    send(sandbox, web, [event("p", at="2026-11-04T10:00:00Z", ECID=PHONE)])
    key = look_up(api, "CRM:c-1").json()["id"]
    ends = {"first": "CRM:c-1", "second": f"ECID:{PHONE}"}

    explained = api.get(f"/api/v1/profiles/{key}/explain/", ends).json()

    assert explained["same_profile"]
    assert [link["record"] for link in explained["links"]][-1] == "3"
    assert len(explained["links"]) == 2

    link = {
        "first": {"namespace": "Email", "value": "sarah@luma.com"},
        "second": {"namespace": "ECID", "value": PHONE},
    }
    parted = api.post(f"/api/v1/profiles/{key}/cut-link/", link).json()
    queue.drain(["batches.decided"])

    assert parted["first_profile"] == key
    assert parted["second_profile"] != key
    phone = look_up(api, f"ECID:{PHONE}", events=10).json()
    assert phone["id"] == parted["second_profile"]
    assert [e["event_id"] for e in phone["events"]] == ["p"]
    rest = look_up(api, "CRM:c-1", events=10).json()
    assert [e["event_id"] for e in rest["events"]] == ["3", "2", "1"]

    send(sandbox, web, [event("4", ECID=PHONE, Email="sarah@luma.com")])
    assert look_up(api, f"ECID:{PHONE}").json()["id"] == parted["second_profile"]

    restored = api.post(f"/api/v1/profiles/{key}/restore-link/", link).json()
    assert restored == {"first_profile": key, "second_profile": key}


def test_a_field_that_nobody_can_have_is_refused_with_a_hint(api, sarah):
    answer = look_up(api, "CRM:c-1", fields="person.nam,_luma.tier")

    assert answer.status_code == 422
    assert look_up(api, "CRM:nobody", fields="person.nam").status_code == 422
    [error] = answer.json()["errors"]
    assert (error["path"], error["code"]) == ("fields", "field_unknown")
    assert error["detail"] == "People have no field 'person.nam'. Did you mean 'person.name'?"


def test_the_id_of_a_merged_profile_leads_to_the_survivor(api, sandbox, web):
    send(sandbox, web, [event("1", ECID=LAPTOP)])
    send(sandbox, web, [event("2", ECID=PHONE)])
    older = look_up(api, f"ECID:{LAPTOP}").json()["id"]
    younger = look_up(api, f"ECID:{PHONE}").json()["id"]

    send(sandbox, web, [event("3", ECID=LAPTOP, Email="s@luma.com")])
    send(sandbox, web, [event("4", ECID=PHONE, Email="s@luma.com")])

    assert api.get(f"/api/v1/profiles/{younger}/").json()["id"] == older


def test_many_are_got_at_once_each_with_its_status(api, sarah):
    key = look_up(api, "CRM:c-1").json()["id"]

    answer = api.post(
        "/api/v1/profiles/bulk-get/",
        {
            "identities": [
                {"namespace": "Email", "value": "sarah@luma.com"},
                {"namespace": "Email", "value": "nobody@luma.com"},
            ],
            "ids": [key, "prf_999"],
        },
    ).json()

    assert [(row["asked"], row["status"]) for row in answer["results"]] == [
        ("Email:sarah@luma.com", 200),
        ("Email:nobody@luma.com", 404),
        (key, 200),
        ("prf_999", 404),
    ]
    assert answer["results"][0]["profile"] == answer["results"][2]["profile"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("name", "sar"),
        ("name", "Rose"),
        ("email", "SARAH@"),
        ("phone", "+1 555"),
        ("identity", "CRM:c-1"),
    ],
)
def test_people_are_found_by_how_they_begin(api, sarah, kind, text):
    key = look_up(api, "CRM:c-1").json()["id"]

    found = api.get("/api/v1/profiles/search/", {kind: text}).json()

    assert [row["id"] for row in found["results"]] == [key]


def test_a_search_goes_page_by_page(api, sandbox, crm):
    rows = [
        {"_luma": {"crmId": f"c-{n}"}, "person": {"name": {"firstName": f"Sam{n}"}}}
        for n in range(5)
    ]
    send(sandbox, crm, rows)

    page = api.get("/api/v1/profiles/search/", {"name": "sam", "limit": 2}).json()
    seen = [row["matched"] for row in page["results"]]
    while page["next"]:
        page = api.get(page["next"]).json()
        seen += [row["matched"] for row in page["results"]]

    assert seen == [f"sam{n}" for n in range(5)]


def test_a_search_uses_its_index_under_row_level_security(sandbox):
    with scope(sandbox, ME), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO profiles_searchterm (sandbox_id, profile_id, kind, term)"
            " SELECT %s, n, 'name', md5(n::text) FROM generate_series(1, 20000) AS n",
            [sandbox.pk],
        )
        cursor.execute("ANALYZE profiles_searchterm")
        values = {"sandbox": sandbox.pk, "kind": "name", "since": "abc", "after": 0}
        values |= {"until": "abc\U0010ffff", "limit": 20}
        cursor.execute(f"EXPLAIN {SEARCH}", values)
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "search_term_prefix" in plan
    assert "term ~>=~ 'abc'" in plan.split("Filter:")[0]


def test_without_the_permission_nothing_is_shown_or_cut(organization, sarah):
    stranger = api_client(organization, permissions=["view-segments"])
    assert look_up(stranger, "CRM:c-1").status_code == 403
    reader = api_client(organization, permissions=["view-profiles"])
    key = look_up(reader, "CRM:c-1").json()["id"]
    link = {
        "first": {"namespace": "CRM", "value": "c-1"},
        "second": {"namespace": "ECID", "value": LAPTOP},
    }

    refused = reader.post(f"/api/v1/profiles/{key}/cut-link/", link)

    assert (refused.status_code, refused.json()["permission"]) == (403, "manage-identities")
    assert len(look_up(reader, "CRM:c-1").json()["identities"]) == 4


def test_another_sandbox_knows_nobody(organization, other_sandbox, sarah):
    other = api_client(organization, sandbox="dev")

    assert look_up(other, "Email:sarah@luma.com").status_code == 404
    mine = look_up(api_client(organization), "Email:sarah@luma.com").json()["id"]
    assert other.get(f"/api/v1/profiles/{mine}/").status_code == 404


def test_a_look_up_costs_the_same_for_many_identities(
    api, sandbox, sarah, web, django_assert_max_num_queries
):
    look_up(api, "CRM:c-1")
    send(sandbox, web, [event(f"x{n}", ECID=str(n + 100).zfill(38), CRM="c-1") for n in range(20)])

    with django_assert_max_num_queries(12):
        assert len(look_up(api, "CRM:c-1").json()["identities"]) == 24


def test_the_end_of_a_link_that_cannot_be_is_named(api, sarah):
    key = api.get("/api/v1/profiles/", {"identity": "CRM:c-1"}).json()["id"]
    good, bad = ({"namespace": "CRM", "value": value} for value in ("c-1", "anonymous"))

    for first, second, path in ((good, bad, "second"), (bad, good, "first")):
        ends = {"first": first, "second": second}
        refused = api.post(f"/api/v1/profiles/{key}/cut-link/", ends).json()
        assert [error["path"] for error in refused["errors"]] == [path]
