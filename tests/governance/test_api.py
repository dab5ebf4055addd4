"""The API of governance."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cdp.tenancy.models import AuditEvent
from governance import core
from governance.models import CorePolicyState, Label, MarketingAction, Policy
from tests.factories import api_client

LABELS = "/api/v1/labels/"
ACTIONS = "/api/v1/marketing-actions/"
POLICIES = "/api/v1/policies/"
POLICY = {
    "name": "No leavers in e-mail",
    "marketing_actions": ["emailTargeting"],
    "deny": {"label": "leaver"},
}


@pytest.fixture
def leaver(api):
    """A label of the organization's own."""
    return api.post(LABELS, {"name": "leaver", "title": "Has left us"}).json()


@pytest.fixture
def policy(api, leaver):
    """A draft of a policy."""
    return api.post(POLICIES, POLICY).json()


@pytest.mark.parametrize(
    ("route", "given"), [(LABELS, core.LABELS), (ACTIONS, core.MARKETING_ACTIONS)]
)
def test_the_core_catalogue_is_there_from_the_start_and_read_only(api, route, given):
    listed = api.get(route).json()
    name = next(iter(given))

    assert [entry["name"] for entry in listed["results"]] == list(given)
    assert all(entry["is_core"] for entry in listed["results"])
    assert api.get(f"{route}{name}/").json() == listed["results"][0]
    refused = api.patch(f"{route}{name}/", {"title": "Mine"})
    assert (refused.status_code, refused.json()["code"]) == (409, "core_is_fixed")


@pytest.mark.parametrize(("route", "model"), [(LABELS, Label), (ACTIONS, MarketingAction)])
def test_an_own_entry_follows_the_core_ones(api, in_scope, route, model):
    created = api.post(route, {"name": "ownThing", "title": "Own", "description": "Why."})

    assert created.status_code == 201
    assert created["Location"] == f"{route}ownThing/"
    assert created.json()["is_core"] is False
    assert api.get(route).json()["results"][-1] == created.json()

    tag = api.get(created["Location"])["ETag"]
    changed = api.patch(created["Location"], {"title": "Ours"}, HTTP_IF_MATCH=tag)
    stale = api.patch(created["Location"], {"title": "Theirs"}, HTTP_IF_MATCH=tag)

    assert changed.json() == {**created.json(), "title": "Ours"}
    assert stale.status_code == 412
    assert model.objects.for_sandbox(in_scope).get().title == "Ours"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "C4", "title": "Mine"}, "name"),
        ({"name": "no spaces", "title": "Mine"}, "name"),
        ({"name": "x" * 64, "title": "Mine"}, "name"),
        ({"name": "fine"}, "title"),
        ({"name": "fine", "title": "Mine", "core": True}, "core"),
    ],
)
def test_a_label_that_cannot_be_is_refused_and_nothing_is_made(api, in_scope, body, path):
    refused = api.post(LABELS, body)

    assert refused.status_code == 422
    assert {error["path"] for error in refused.json()["errors"]} == {path}
    assert not Label.objects.for_sandbox(in_scope).exists()


def test_a_name_is_used_once(api, in_scope, leaver):
    refused = api.post(LABELS, {"name": "leaver", "title": "Again"})

    assert (refused.status_code, refused.json()["code"]) == (409, "name_taken")
    assert Label.objects.for_sandbox(in_scope).get().title == "Has left us"


def test_pages_lead_through_the_whole_list_and_back(api, leaver):
    pages, url = [], f"{LABELS}?limit=8"
    while url:
        page = api.get(url).json()
        pages.append([entry["name"] for entry in page["results"]])
        url = page["next"]
    back = api.get(page["previous"]).json()

    assert [len(page) for page in pages] == [8, 8, len(core.LABELS) + 1 - 16]
    assert [name for page in pages for name in page] == [*core.LABELS, "leaver"]
    assert [entry["name"] for entry in back["results"]] == pages[1]
    assert api.get(f"{LABELS}?limit=0").status_code == 422
    assert api.get(f"{LABELS}?cursor=x").status_code == 400


def test_core_policies_are_listed_and_disabled(api):
    listed = api.get(POLICIES).json()["results"]

    assert [entry["id"] for entry in listed] == list(core.POLICIES)
    assert {entry["status"] for entry in listed} == {"disabled"}
    assert listed[1]["deny"] == {
        "operator": "OR",
        "operands": [{"label": "C4"}, {"label": "C5"}],
    }


@pytest.mark.parametrize(
    ("policy_id", "name", "action", "labels"),
    [
        pytest.param(*row, marks=pytest.mark.acceptance(line))
        for line, row in {
            "A-46": (
                "pol_core_sensitive_data",
                "Restrict sensitive data",
                "crossSiteTargeting",
                ["S1"],
            ),
            "A-47": (
                "pol_core_onsite_advertising",
                "Restrict onsite advertising",
                "onsiteAdvertising",
                ["C6"],
            ),
            "A-48": (
                "pol_core_email_targeting",
                "Restrict email targeting",
                "emailTargeting",
                ["C4"],
            ),
            "A-49": (
                "pol_core_cross_site_targeting",
                "Restrict cross-site targeting",
                "crossSiteTargeting",
                ["C5"],
            ),
            "A-50": (
                "pol_core_combining_identifiable_data",
                "Restrict combining directly identifiable data with anonymous data",
                "combineWithPII",
                ["C3", "I1"],
            ),
        }.items()
    ],
)
@pytest.mark.acceptance("A-51")
def test_an_enabled_core_policy_is_asked_and_a_disabled_one_is_not(
    api, policy_id, name, action, labels
):
    question = {"marketing_actions": [action], "labels": labels}
    before = api.post(f"{POLICIES}evaluate/", question).json()
    switched = api.patch(f"{POLICIES}{policy_id}/", {"status": "enabled"})

    answer = api.post(f"{POLICIES}evaluate/", question).json()

    assert before == {"allowed": True, "violations": []}
    assert (switched.status_code, switched.json()["status"]) == (200, "enabled")
    assert answer["allowed"] is False
    [violation] = answer["violations"]
    assert violation["policy"] == {"id": policy_id, "name": name}
    assert (violation["marketing_actions"], violation["labels"]) == ([action], labels)


@pytest.mark.acceptance("D-53")
def test_a_core_policy_is_switched_but_not_rewritten_or_deleted(api, in_scope):
    route = f"{POLICIES}pol_core_analytics/"
    tag = api.get(route)["ETag"]

    rewritten = api.patch(route, {"name": "Mine"})
    deleted = api.delete(route)
    on = api.patch(route, {"status": "enabled"}, HTTP_IF_MATCH=tag)
    stale = api.patch(route, {"status": "draft"}, HTTP_IF_MATCH=tag)
    off = api.patch(route, {"status": "disabled"}, HTTP_IF_MATCH=on["ETag"])

    assert (rewritten.status_code, deleted.status_code) == (409, 409)
    assert (on.status_code, stale.status_code, off.status_code) == (200, 412, 200)
    assert [state.status for state in CorePolicyState.objects.for_sandbox(in_scope)] == ["disabled"]
    events = AuditEvent.objects.for_organization(in_scope.organization_id)
    switched = events.filter(action="policy.changed").order_by("pk").values_list("before", "after")
    assert list(switched) == [
        ({"status": "disabled"}, {"status": "enabled"}),
        ({"status": "enabled"}, {"status": "disabled"}),
    ]


@pytest.mark.acceptance("D-28")
def test_a_policy_is_made_of_labels_and_marketing_actions(api, policy):
    assert policy == {
        **POLICY,
        "id": policy["id"],
        "description": "",
        "is_core": False,
        "status": "draft",
        "created_at": policy["created_at"],
        "updated_at": policy["updated_at"],
    }
    assert api.get(POLICIES).json()["results"][-1] == policy
    assert api.get(f"{POLICIES}{policy['id']}/").json() == policy


def test_a_draft_is_asked_only_on_demand(api, policy):
    question = {"marketing_actions": ["emailTargeting"], "labels": ["leaver"]}

    plain = api.post(f"{POLICIES}evaluate/", question).json()
    with_drafts = api.post(f"{POLICIES}evaluate/", {**question, "include_drafts": True}).json()

    assert plain["allowed"] is True
    assert [each["policy"]["id"] for each in with_drafts["violations"]] == [policy["id"]]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"deny": {"label": "levaer"}}, "deny"),
        ({"deny": {"operator": "XOR", "operands": []}}, "deny"),
        ({"marketing_actions": ["emailTargetting"]}, "marketing_actions"),
        ({"marketing_actions": []}, "marketing_actions"),
        ({"status": "on"}, "status"),
        ({"name": ""}, "name"),
    ],
)
def test_a_policy_that_names_what_is_not_there_is_refused_and_stays_as_it_was(
    api, policy, change, path
):
    made = api.post(POLICIES, {**POLICY, "name": "Another", **change})
    changed = api.patch(f"{POLICIES}{policy['id']}/", change)

    for refused in (made, changed):
        assert refused.status_code == 422
        assert {error["path"] for error in refused.json()["errors"]} == {path}
    assert api.get(f"{POLICIES}{policy['id']}/").json() == policy
    assert len(api.get(POLICIES).json()["results"]) == len(core.POLICIES) + 1


def test_a_misspelt_name_is_answered_with_the_right_one(api, policy):
    refused = api.patch(f"{POLICIES}{policy['id']}/", {"marketing_actions": ["emailTargetting"]})

    assert refused.json()["detail"] == (
        "'emailTargetting' is not a marketing action of this sandbox. "
        "Did you mean 'emailTargeting'?"
    )


def test_a_policy_can_be_deleted(api, in_scope, policy):
    deleted = api.delete(f"{POLICIES}{policy['id']}/")

    assert deleted.status_code == 204
    assert not Policy.objects.for_sandbox(in_scope).exists()
    assert api.get(f"{POLICIES}{policy['id']}/").status_code == 404


def test_what_belongs_to_another_sandbox_is_not_there(api, other_sandbox, organization, policy):
    elsewhere = api_client(organization, sandbox=other_sandbox.name)

    assert elsewhere.get(f"{POLICIES}{policy['id']}/").status_code == 404
    assert elsewhere.patch(f"{POLICIES}{policy['id']}/", {"name": "X"}).status_code == 404
    assert elsewhere.delete(f"{POLICIES}{policy['id']}/").status_code == 404
    assert elsewhere.get(f"{LABELS}leaver/").status_code == 404
    assert api.get(f"{POLICIES}{policy['id']}/").json() == policy


def test_reading_and_changing_need_their_permissions(organization):
    reader = api_client(organization, permissions=["view-governance"])
    stranger = api_client(organization, permissions=["view-segments"])

    assert reader.get(POLICIES).status_code == 200
    question = {"marketing_actions": ["analytics"], "labels": []}
    assert reader.post(f"{POLICIES}evaluate/", question).status_code == 200
    refused = reader.patch(f"{POLICIES}pol_core_analytics/", {"status": "enabled"})
    assert (refused.status_code, refused.json()["permission"]) == (403, "manage-governance")
    assert stranger.get(LABELS).json()["permission"] == "view-governance"


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_costs_the_same_however_long_it_is(api, count):
    for number in range(count):
        api.post(LABELS, {"name": f"own{number}", "title": "Own"})
        api.post(POLICIES, {**POLICY, "name": f"Own {number}", "deny": {"label": "C4"}})

    def queries(route: str) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert api.get(route).status_code == 200
        return [q["sql"] for q in captured if '"governance_' in q["sql"]]

    assert (len(queries(LABELS)), len(queries(POLICIES))) == (1, 2)
