import pytest

from cdp import queue
from cdp.clickhouse import client
from cdp.tenancy.models import AuditEvent
from cdp.tenancy.scope import scope
from profiles.models import IdentitySettings, MergePolicy, Namespace
from tests.profiles.world import ECIDS, ME, event, make_dataset, make_namespace, send

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]
TABLET = ECIDS["tablet"]
RULES = [
    {"namespace": "CRM", "priority": 1, "unique": True},
    {"namespace": "ECID", "priority": 2, "unique": False},
]
SHARED = {
    "events": [
        {
            "timestamp": f"2026-01-0{day}T00:00:00Z",
            "identities": [
                {"namespace": "CRM", "value": who},
                {"namespace": "ECID", "value": TABLET},
            ],
        }
        for day, who in [(1, "jane"), (2, "john")]
    ]
}


def work():
    queue.drain(["graphs.outdated", "snapshots.outdated", "batches.decided"])


def profile_of(api, identity):
    return api.get("/api/v1/profiles/", {"identity": identity}).json()["id"]


@pytest.mark.acceptance("B-10")
def test_a_namespace_is_made_and_found_by_its_code(api, sandbox):
    answer = api.post(
        "/api/v1/namespaces/",
        {"code": "CrmId", "type": "Cross_device", "name": "CRM id", "normaliser": "lowercase"},
    )

    assert answer.status_code == 201
    assert answer.headers["Location"].endswith("/api/v1/namespaces/CrmId/")
    found = api.get("/api/v1/namespaces/crmid/").json()
    assert (found["code"], found["custom"], found["stitches"]) == ("CrmId", True, True)
    with scope(sandbox, ME):
        event = AuditEvent.unscoped.filter(action="namespace.created").get()
    assert event.target_id == found["id"]


def test_codes_are_taken_once_whatever_their_case(api, sandbox):
    api.post("/api/v1/namespaces/", {"code": "Shop", "type": "Cross_device"})

    for code in ("SHOP", "email"):
        answer = api.post("/api/v1/namespaces/", {"code": code, "type": "Email"})
        assert (answer.status_code, answer.json()["code"]) == (409, "namespace_taken")
    with scope(sandbox, ME):
        assert Namespace.objects.for_sandbox(sandbox).count() == 1


def test_standard_namespaces_are_listed_and_never_changed(api):
    listed = api.get("/api/v1/namespaces/", {"limit": 5}).json()
    assert [row["code"] for row in listed["results"]] == [
        "AdCloud",
        "AAID",
        "ECID",
        "TNTID",
        "Email",
    ]
    assert listed["next"]

    refused = api.patch("/api/v1/namespaces/Phone_E.164/", {"name": "mine"})

    assert (refused.status_code, refused.json()["code"]) == (409, "namespace_standard")


def test_words_of_a_namespace_change_and_its_type_does_not(api):
    api.post("/api/v1/namespaces/", {"code": "Shop", "type": "Cross_device"})

    assert api.patch("/api/v1/namespaces/Shop/", {"name": "Shops"}).json()["name"] == "Shops"
    assert api.patch("/api/v1/namespaces/Shop/", {"type": "Email"}).status_code in (400, 422)


def test_linking_rules_are_read_replaced_and_guarded_by_their_version(api, sandbox):
    make_namespace(sandbox)
    assert api.get("/api/v1/identity-settings/").json()["rules"] == []

    answer = api.put("/api/v1/identity-settings/", {"rules": RULES})

    assert answer.json()["rules"] == RULES
    stale = api.put("/api/v1/identity-settings/", {"rules": []}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert api.get("/api/v1/identity-settings/").json()["rules"] == RULES


def test_a_cookie_above_a_person_id_is_refused_and_nothing_changes(api, sandbox):
    make_namespace(sandbox)
    upside_down = [
        {"namespace": "ECID", "priority": 1},
        {"namespace": "CRM", "priority": 2},
    ]

    refused = api.put("/api/v1/identity-settings/", {"rules": upside_down})

    assert refused.status_code == 422
    assert [e["code"] for e in refused.json()["errors"]] == ["priority_order"]
    with scope(sandbox, ME):
        assert not IdentitySettings.objects.for_sandbox(sandbox).exists()


def test_a_simulation_shows_graphs_and_stores_nothing(api, sandbox):
    make_namespace(sandbox)

    answer = api.post("/api/v1/identity-settings/simulate/", {**SHARED, "rules": RULES}).json()

    graphs = [{one["value"] for one in graph} for graph in answer["graphs"]]
    assert graphs == [{TABLET, "john"}, {"jane"}]
    assert [link["accepted"] for link in answer["links"]] == [True, False]
    assert api.get("/api/v1/identity-settings/").json()["rules"] == []
    asked = api.get("/api/v1/identities/lookup/", {"identity": "CRM:jane"})
    assert (asked.status_code, asked.json()["code"]) == (404, "identity_unknown")


def test_new_rules_part_those_whom_a_shared_device_had_joined(api, sandbox):
    make_namespace(sandbox)
    web = make_dataset(sandbox, "Web", events=True)
    send(sandbox, web, [event("1", at="2026-11-01T00:00:00Z", ECID=TABLET, CRM="jane")])
    send(sandbox, web, [event("2", at="2026-11-02T00:00:00Z", ECID=TABLET, CRM="john")])
    assert profile_of(api, "CRM:jane") == profile_of(api, "CRM:john")

    api.put("/api/v1/identity-settings/", {"rules": RULES})
    work()

    assert profile_of(api, "CRM:jane") != profile_of(api, "CRM:john")
    assert profile_of(api, f"ECID:{TABLET}") == profile_of(api, "CRM:john")


def test_a_graph_is_shown_with_its_links(api, sandbox):
    make_namespace(sandbox)
    web = make_dataset(sandbox, "Web", events=True)
    send(sandbox, web, [event("1", at="2026-11-01T00:00:00Z", ECID=TABLET, CRM="jane")])

    graph = api.get("/api/v1/identity-graphs/", {"identity": "CRM:jane"}).json()
    many = api.post(
        "/api/v1/identity-graphs/bulk-get/",
        {"identities": [{"namespace": "CRM", "value": v} for v in ("jane", "nobody")]},
    ).json()

    assert {member["value"] for member in graph["members"]} == {TABLET, "jane"}
    [link] = graph["links"]
    assert (link["record"], link["state"], link["dataset_ids"]) == ("1", "joins", [web.pk])
    assert [row["profile_id"] for row in many["results"]] == [graph["profile_id"], None]


@pytest.mark.acceptance("D-08")
def test_the_known_value_wins_over_the_inferred_one_by_merge_policy(api, sandbox):
    make_namespace(sandbox)
    identities = [("_luma.crmId", "CRM", True)]
    crm = make_dataset(sandbox, "CRM", events=False, identities=identities)
    guess = make_dataset(sandbox, "Guess", events=False, identities=identities)
    send(sandbox, crm, [{"_luma": {"crmId": "c-1"}, "person": {"gender": "female"}}])
    send(sandbox, guess, [{"_luma": {"crmId": "c-1"}, "person": {"gender": "male"}}])

    def gender(**params):
        asked = api.get("/api/v1/profiles/", {"identity": "CRM:c-1", **params})
        return asked.json()["attributes"]["person"]["gender"]

    policy = api.post(
        "/api/v1/merge-policies/",
        {"name": "CRM first", "attributes": "dataSetPrecedence", "datasets": [crm.pk, guess.pk]},
    ).json()
    assert (gender(), gender(merge_policy=policy["id"])) == ("male", "female")

    api.patch(f"/api/v1/merge-policies/{policy['id']}/", {"is_default": True})
    work()

    assert gender() == "female"
    rows = client.fetch_text(
        "SELECT body.person.gender.:String FROM profiles FINAL WHERE sandbox_id = {sandbox:UInt32}",
        sandbox=sandbox,
        budget=client.LOOKUP,
    )
    assert rows == [("female",)]


def test_graph_none_shows_the_asked_identity_alone(api, sandbox):
    make_namespace(sandbox)
    crm = make_dataset(
        sandbox,
        "CRM",
        events=False,
        identities=[("_luma.crmId", "CRM", True), ("personalEmail.address", "Email", False)],
    )
    send(
        sandbox,
        crm,
        [{"_luma": {"crmId": "c-1", "tier": "x"}, "personalEmail": {"address": "s@x"}}],
    )
    policy = api.post("/api/v1/merge-policies/", {"name": "Alone", "graph": "none"}).json()["id"]

    alone = api.get("/api/v1/profiles/", {"identity": "Email:s@x", "merge_policy": policy}).json()

    assert [one["value"] for one in alone["identities"]] == ["s@x"]
    assert alone["attributes"] == {}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"attributes": "dataSetPrecedence"}, "required"),
        ({"datasets": ["ds_1"]}, "unexpected"),
        ({"is_default": True, "graph": "none"}, "default_needs_graph"),
        ({"source_timed": ["ds_gone"]}, "unknown"),
    ],
)
def test_a_senseless_merge_policy_is_refused(api, sandbox, values, code):
    refused = api.post("/api/v1/merge-policies/", {"name": "No", **values})

    assert refused.status_code == 422
    assert code in [error["code"] for error in refused.json()["errors"]]
    with scope(sandbox, ME):
        assert MergePolicy.objects.for_sandbox(sandbox).count() == 0


def test_there_are_at_most_five_and_one_default_which_stays(api, sandbox):
    for n in range(5):
        made = api.post("/api/v1/merge-policies/", {"name": f"P{n}", "is_default": True})
        assert made.status_code == 201

    sixth = api.post("/api/v1/merge-policies/", {"name": "P5"})
    assert sixth.json()["code"] == "too_many_merge_policies"
    listed = api.get("/api/v1/merge-policies/").json()["results"]
    assert [row["name"] for row in listed if row["is_default"]] == ["P4"]
    last, first = listed[0]["id"], listed[-1]["id"]
    assert api.delete(f"/api/v1/merge-policies/{last}/").json()["code"] == "merge_policy_in_use"
    assert api.patch(f"/api/v1/merge-policies/{last}/", {"is_default": False}).status_code == 409
    assert api.delete(f"/api/v1/merge-policies/{first}/").status_code == 204


@pytest.mark.parametrize("tag", ['"7"', "nonsense", '"", "x"', ""])
def test_rules_are_not_replaced_by_who_has_read_others(api, tag):
    before = api.get("/api/v1/identity-settings/").json()

    stale = api.put("/api/v1/identity-settings/", {"rules": []}, headers={"If-Match": tag})

    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert api.get("/api/v1/identity-settings/").json()["version"] == before["version"]


def test_what_cannot_be_simulated_is_named_by_its_place(api, django_assert_max_num_queries):
    good, bad = ({"namespace": "Email", "value": value} for value in ("a@x", "anonymous"))
    events = [
        {"timestamp": "2026-01-01T00:00:00Z", "identities": identities}
        for identities in ([good], [good, bad])
    ]
    url = "/api/v1/identity-settings/simulate/"

    refused = api.post(url, {"events": events}).json()

    assert [error["path"] for error in refused["errors"]] == ["events.1.identities.1"]
    with django_assert_max_num_queries(12):
        assert api.post(url, {"events": [events[0]] * 500}).status_code == 200
