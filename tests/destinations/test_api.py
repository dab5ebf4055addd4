"""The API of destinations."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from cdp.tenancy.models import AuditEvent, Sandbox
from cdp.tenancy.scope import organization_scope, scope
from destinations.models import Activation, DestinationConnection
from governance.errors import UseRefused
from segments.models import Segment
from segments.services.lifecycle import change_segment
from tests.destinations.world import (
    ACTOR,
    MAPPING,
    activate,
    deliveries,
    fresh,
    label_field,
    make_person,
    make_segment,
    make_webhook,
    queries_of,
    tell,
    work,
)
from tests.factories import api_client

TYPES = "/api/v1/destination-types/"
CONNECTIONS = "/api/v1/destination-connections/"
ACTIVATIONS = "/api/v1/activations/"
URL = "https://receiver.example/hook"
WEBHOOK = {
    "name": "E-mail tool",
    "kind": "webhook",
    "settings": {"url": URL, "authorization": "Bearer hush"},
    "marketing_actions": ["emailTargeting"],
}


NAMED = {
    "type": "compare",
    "operator": "=",
    "left": {"field": "person.name.firstName"},
    "right": "Ada",
}


@pytest.fixture
def connection(api):
    """A connection as the API makes it."""
    return api.post(CONNECTIONS, WEBHOOK).json()


@pytest.fixture
def segment(sandbox, customers):
    """A segment of people called Sarah."""
    return make_segment(sandbox)


@pytest.fixture
def activation(api, connection, segment):
    """An activation as the API makes it."""
    body = {"connection_id": connection["id"], "segment_id": segment.pk, "mapping": MAPPING}
    return api.post(ACTIVATIONS, body).json()


@pytest.mark.acceptance("D-42")
def test_every_destination_type_is_listed_with_its_settings(api):
    listed = api.get(TYPES).json()["results"]

    assert [each["kind"] for each in listed] == ["csv_file", "webhook"]
    assert api.get(f"{TYPES}webhook/").json() == listed[1]
    assert listed[1]["settings_schema"]["properties"]["authorization"]["writeOnly"] is True
    assert api.get(f"{TYPES}fax/").status_code == 404
    page = api.get(f"{TYPES}?limit=1").json()
    assert [each["kind"] for each in api.get(page["next"]).json()["results"]] == ["webhook"]


@pytest.mark.acceptance("D-50")
def test_a_connection_is_made_and_its_secrets_are_shown_only_once(api, sandbox):
    created = api.post(CONNECTIONS, WEBHOOK)
    made = created.json()
    secret = made.pop("made_secrets")["signing_secret"]

    assert created.status_code == 201
    assert made["settings"] == {"url": URL, "batch_size": 1}
    assert made["secrets_set"] == ["authorization", "signing_secret"]
    assert made["marketing_actions"] == ["emailTargeting"]
    assert api.get(created["Location"]).json() == made
    assert api.get(CONNECTIONS).json()["results"] == [made]
    with scope(sandbox, ACTOR):
        row = DestinationConnection.objects.for_sandbox(sandbox).get()
        stored = bytes(row.secrets)
        events = AuditEvent.objects.for_organization(sandbox.organization)
        written = str(list(events.values_list("before", "after")))
    assert b"hush" not in stored
    assert "hush" not in written
    assert secret not in written


def test_a_secret_of_ones_own_is_kept_and_not_repeated(api):
    secret = "whsec_" + "A" * 43 + "="
    body = {**WEBHOOK, "settings": {"url": URL, "signing_secret": secret}}

    made = api.post(CONNECTIONS, body).json()

    assert made["made_secrets"] == {}
    assert secret not in str(made)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"settings": {}}, "settings"),
        ({"settings": {"url": 5}}, "settings.url"),
        ({"settings": {"url": "http://receiver.example/"}}, "settings"),
        ({"settings": {"url": URL, "batch_size": 0}}, "settings.batch_size"),
        ({"settings": {"url": URL, "batchsize": 1}}, "settings"),
        ({"settings": {"url": URL, "signing_secret": "hush-hush"}}, "settings.signing_secret"),
        ({"settings": {"url": URL, "authorization": "a\r\nb"}}, "settings.authorization"),
        ({"marketing_actions": []}, "marketing_actions"),
        ({"marketing_actions": ["spying"]}, "marketing_actions"),
        ({"name": ""}, "name"),
    ],
)
def test_a_connection_that_cannot_work_is_refused_and_nothing_is_made(api, sandbox, change, path):
    refused = api.post(CONNECTIONS, {**WEBHOOK, **change})

    assert refused.status_code == 422
    assert [error["path"] for error in refused.json()["errors"]] == [path]
    assert "hush" not in refused.content.decode()
    with scope(sandbox, ACTOR):
        assert not DestinationConnection.objects.for_sandbox(sandbox).exists()


def test_settings_are_merged_and_secrets_stay(api, connection):
    route = f"{CONNECTIONS}{connection['id']}/"

    changed = api.patch(route, {"name": "Tool", "settings": {"batch_size": 50}}).json()
    without = api.patch(route, {"settings": {"authorization": None}}).json()

    assert changed["settings"] == {"url": URL, "batch_size": 50}
    assert changed["secrets_set"] == ["authorization", "signing_secret"]
    assert without["secrets_set"] == ["signing_secret"]
    assert without["name"] == "Tool"


def test_a_secret_is_not_sent_to_another_address_than_it_was_given_for(api, connection):
    route = f"{CONNECTIONS}{connection['id']}/"
    other = {"url": "https://other.example/hook"}

    refused = api.patch(route, {"settings": other})
    accepted = api.patch(route, {"settings": {**other, "authorization": "Bearer new"}})

    assert refused.status_code == 422
    assert [error["path"] for error in refused.json()["errors"]] == ["settings.authorization"]
    assert accepted.json()["settings"]["url"] == other["url"]


def test_a_connection_is_tried_and_says_what_it_found(api, sandbox, httpserver):
    good = api.post(
        CONNECTIONS, {**WEBHOOK, "settings": {"url": httpserver.url_for("/good")}}
    ).json()
    inner = api.post(CONNECTIONS, {**WEBHOOK, "name": "Inner", "settings": {
        "url": f"https://127.0.0.2:{httpserver.port}/good"}}).json()  # fmt: skip
    httpserver.expect_request("/good").respond_with_data("")

    answer = api.post(f"{CONNECTIONS}{good['id']}/test/")
    refused = api.post(f"{CONNECTIONS}{inner['id']}/test/")

    assert answer.status_code == 200
    assert answer.json()["detail"].startswith("The receiver answered 200")
    assert (refused.status_code, refused.json()["code"]) == (409, "test_failed")
    assert "private network" in refused.json()["detail"]
    [(request, _)] = httpserver.log
    secret = good["made_secrets"]["signing_secret"]
    assert Webhook(secret).verify(request.get_data(), dict(request.headers))["data"] == {}


def test_a_connection_in_use_is_not_deleted(api, connection, activation):
    route = f"{CONNECTIONS}{connection['id']}/"

    refused = api.delete(route)
    api.delete(f"{ACTIVATIONS}{activation['id']}/")
    deleted = api.delete(route)

    assert refused.status_code == 409
    assert refused.json()["dependents"] == [{"type": "activation", "id": activation["id"]}]
    assert deleted.status_code == 204


@pytest.mark.acceptance("D-43")
def test_a_segment_goes_to_several_destinations_and_to_each_once(
    api, sandbox, connection, segment, activation
):
    display = api.post(CONNECTIONS, {**WEBHOOK, "name": "Display"}).json()["id"]
    folder = {**WEBHOOK, "name": "Files", "kind": "csv_file", "settings": {"url": "file:///news"}}
    files = api.post(CONNECTIONS, folder).json()["id"]

    created = [
        api.post(ACTIVATIONS, {"connection_id": place, "segment_id": segment.pk})
        for place in (display, files)
    ]
    again = api.post(ACTIVATIONS, {"connection_id": files, "segment_id": segment.pk})

    assert [response.status_code for response in created] == [201, 201]
    assert (again.status_code, again.json()["code"]) == (409, "already_activated")
    listed = api.get(f"{ACTIVATIONS}?segment_id={segment.pk}").json()["results"]
    assert [each["connection_id"] for each in listed] == [files, display, connection["id"]]
    assert api.get(f"{ACTIVATIONS}?connection_id={display}").json()["results"] == [
        created[0].json()
    ]


@pytest.mark.acceptance("D-45")
def test_a_start_without_an_end_ends_ninety_days_later(api, connection, segment):
    starts_at = timezone.now().replace(microsecond=0)
    body = {"connection_id": connection["id"], "segment_id": segment.pk}

    made = api.post(ACTIVATIONS, {**body, "starts_at": starts_at}).json()
    open_ended = api.patch(f"{ACTIVATIONS}{made['id']}/", {"starts_at": None, "ends_at": None})

    ends_at = starts_at + timedelta(days=90)
    assert made["ends_at"] == ends_at.isoformat().replace("+00:00", "Z")
    assert (open_ended.json()["starts_at"], open_ended.json()["ends_at"]) == (None, None)


def test_attributes_and_identities_are_mapped(api, activation):
    assert activation["mapping"] == list(MAPPING)
    assert activation["enabled"] is True

    changed = api.patch(f"{ACTIVATIONS}{activation['id']}/", {"mapping": [MAPPING[1]]})

    assert changed.json()["mapping"] == [MAPPING[1]]


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ({"attribute": "person.name.fistName", "target": "a"}, "mapping.0.attribute"),
        ({"attribute": "person", "target": "a"}, "mapping.0.attribute"),
        ({"attribute": "nothing", "target": "a"}, "mapping.0.attribute"),
        ({"identity": "Emial", "target": "a"}, "mapping.0.identity"),
        ({"identity": "Email"}, "mapping.0.target"),
        ({"identity": "Email", "target": "=a"}, "mapping.0.target"),
        ({"identity": "Email", "attribute": "person.gender", "target": "a"}, "mapping.0"),
        ({"target": "a"}, "mapping.0"),
        ({"event": "commerce.order", "target": "a"}, "mapping.0.event"),
    ],
)
def test_a_mapping_of_what_is_not_there_is_refused_and_changes_nothing(
    api, activation, entry, path
):
    route = f"{ACTIVATIONS}{activation['id']}/"

    refused = api.patch(route, {"mapping": [entry]})

    assert refused.status_code == 422
    assert path in {error["path"] for error in refused.json()["errors"]}
    assert api.get(route).json() == activation


def test_a_misspelt_attribute_is_answered_with_the_right_one(api, activation):
    body = {"mapping": [{"attribute": "person.name.fistName", "target": "a"}]}

    [error] = api.patch(f"{ACTIVATIONS}{activation['id']}/", body).json()["errors"]

    assert "Did you mean 'person.name.firstName'?" in error["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"mapping": [MAPPING[0], MAPPING[0]]}, 422),
        ({"mapping": [{"identity": "Email", "target": f"t{n}"} for n in range(51)]}, 422),
        ({"starts_at": "2026-05-01T00:00:00Z", "ends_at": "2026-05-01T00:00:00Z"}, 422),
        ({"starts_at": "yesterday"}, 422),
        ({"connection_id": "dst_none"}, 404),
        ({"segment_id": "seg_none"}, 404),
        ({"segment_id": "seg_\0"}, 400),
    ],
)
def test_an_activation_that_cannot_be_is_refused_and_nothing_is_made(
    api, sandbox, connection, segment, body, status
):
    given = {"connection_id": connection["id"], "segment_id": segment.pk, **body}

    refused = api.post(ACTIVATIONS, given)

    assert refused.status_code == status
    with scope(sandbox, ACTOR):
        assert not Activation.objects.for_sandbox(sandbox).exists()


@pytest.fixture
def forbidden(api, customers):
    """The first name may not be used to choose who gets e-mail."""
    label_field(customers.schema, "person.name.firstName", "C4")
    return api.patch("/api/v1/policies/pol_core_email_targeting/", {"status": "enabled"}).json()


@pytest.mark.acceptance("D-29")
@pytest.mark.acceptance("D-30")
@pytest.mark.acceptance("D-51")
@pytest.mark.acceptance("D-52")
def test_an_activation_that_a_policy_forbids_is_refused_with_policy_labels_and_lineage(
    api, sandbox, connection, segment, forbidden
):
    body = {"connection_id": connection["id"], "segment_id": segment.pk, "mapping": []}

    refused = api.post(ACTIVATIONS, body)
    problem = refused.json()

    assert refused.status_code == 422
    assert problem["code"] == "use_refused"
    assert problem["detail"] == (
        "The policy 'Restrict email targeting' does not allow emailTargeting with data labelled "
        "C4 (person.name.firstName)."
    )
    [violation] = problem["violations"]
    assert violation["policy"] == {"id": forbidden["id"], "name": forbidden["name"]}
    assert (violation["labels"], violation["marketing_actions"]) == (["C4"], ["emailTargeting"])
    assert [(node["type"], node["name"]) for node in violation["lineage"]["nodes"]] == [
        ("dataset", "Customers"),
        ("merge_policy", "Newest value"),
        ("segment", "Runners"),
        ("destination", "E-mail tool"),
    ]
    ids = [node["id"] for node in violation["lineage"]["nodes"]]
    assert violation["lineage"]["edges"] == [
        {"from": start, "to": end} for start, end in pairwise(ids)
    ]
    assert [each["code"] for each in violation["resolutions"]] == [
        "change_rule",
        "change_marketing_actions",
        "change_labels",
        "disable_policy",
    ]
    with scope(sandbox, ACTOR):
        assert not Activation.objects.for_sandbox(sandbox).exists()


@pytest.mark.django_db(transaction=True)
def test_a_refusal_is_in_the_audit_trail_although_nothing_else_is(
    api, organization, sandbox, connection, segment, forbidden
):
    body = {"connection_id": connection["id"], "segment_id": segment.pk, "mapping": []}

    refused = api.post(ACTIVATIONS, body)

    assert refused.status_code == 422
    with organization_scope(organization, ACTOR):
        events = AuditEvent.objects.for_organization(organization)
        [event] = events.filter(action__startswith="use.")
        assert not events.filter(action="activation.created").exists()
    assert (event.action, event.target_type) == ("use.refused", "activation")
    assert event.request_id == refused["X-Request-Id"]
    assert event.after["violations"][0]["policy"]["id"] == forbidden["id"]
    assert event.after["fields"] == {"person.name.firstName": ["C4"]}
    assert event.after["policies"] == [forbidden["id"]]


def test_the_same_use_for_another_purpose_is_allowed(api, segment, forbidden):
    other = api.post(CONNECTIONS, {**WEBHOOK, "marketing_actions": ["analytics"]}).json()

    allowed = api.post(ACTIVATIONS, {"connection_id": other["id"], "segment_id": segment.pk})

    assert allowed.status_code == 201


def test_a_mapping_that_a_policy_forbids_is_refused_and_changes_nothing(
    api, sandbox, connection, customers
):
    everybody = make_segment(
        sandbox,
        "Everybody",
        rule={"type": "is_null", "operand": {"field": "person.birthYear"}},
    )
    body = {"connection_id": connection["id"], "segment_id": everybody.pk}
    activation = api.post(ACTIVATIONS, body).json()
    label_field(customers.schema, "personalEmail.address", "C5")
    api.patch("/api/v1/policies/pol_core_email_targeting/", {"status": "enabled"})
    route = f"{ACTIVATIONS}{activation['id']}/"

    refused = api.patch(route, {"mapping": [MAPPING[1]]})

    assert refused.json()["code"] == "use_refused"
    [field] = refused.json()["violations"][0]["fields"]
    assert field == {"path": "personalEmail.address", "labels": ["C5"], "part": "identity"}
    assert api.get(route).json() == activation
    assert api.patch(route, {"mapping": [MAPPING[0]]}).status_code == 200


def test_a_rule_that_a_live_activation_forbids_is_refused_and_stays_as_it_was(
    api, sandbox, connection, customers
):
    harmless = {"type": "is_null", "operand": {"field": "person.birthYear"}}
    segment = make_segment(sandbox, "Everybody", rule=harmless)
    api.post(ACTIVATIONS, {"connection_id": connection["id"], "segment_id": segment.pk})
    label_field(customers.schema, "person.name.firstName", "C4")
    api.patch("/api/v1/policies/pol_core_email_targeting/", {"status": "enabled"})

    with pytest.raises(UseRefused), scope(sandbox, ACTOR):
        row = Segment.objects.for_sandbox(sandbox).get(pk=segment.pk)
        change_segment(actor=ACTOR, segment=row, rule=NAMED)

    assert fresh(segment).rule == harmless


def test_a_marketing_action_that_a_policy_forbids_is_refused_and_changes_nothing(
    api, sandbox, segment, forbidden
):
    connection = api.post(CONNECTIONS, {**WEBHOOK, "marketing_actions": ["analytics"]}).json()
    api.post(ACTIVATIONS, {"connection_id": connection["id"], "segment_id": segment.pk})
    route = f"{CONNECTIONS}{connection['id']}/"

    refused = api.patch(route, {"marketing_actions": ["analytics", "emailTargeting"]})

    assert refused.json()["code"] == "use_refused"
    assert api.get(route).json()["marketing_actions"] == ["analytics"]


@pytest.mark.parametrize(
    ("change", "labels"),
    [
        ({"labels": ["C4"]}, {"C4"}),
        ({"field_labels": {"person.name.firstName": ["C4"]}}, {"C4"}),
        ({"field_labels": {"person.name": ["C4"]}}, {"C4"}),
    ],
)
def test_a_label_on_a_dataset_that_a_live_activation_forbids_is_refused_with_lineage(
    api, customers, activation, change, labels
):
    api.patch("/api/v1/policies/pol_core_email_targeting/", {"status": "enabled"})
    route = f"/api/v1/datasets/{customers.pk}/"
    before = api.get(route).json()

    refused = api.patch(route, change)

    assert (refused.status_code, refused.json()["code"]) == (422, "use_refused")
    [violation] = refused.json()["violations"]
    assert set(violation["labels"]) == labels
    assert [node["type"] for node in violation["lineage"]["nodes"]] == [
        "dataset", "merge_policy", "segment", "destination",
    ]  # fmt: skip
    assert violation["lineage"]["nodes"][0]["id"] == customers.pk
    assert api.get(route).json() == before
    harmless = {"field_labels": {"person.birthYear": ["C4"]}, "labels": ["C11"]}
    assert api.patch(route, harmless).status_code == 200


def test_a_dataset_whose_labels_a_live_activation_forbids_does_not_begin_to_feed_profiles(
    api, sandbox, customers, activation
):
    api.patch("/api/v1/policies/pol_core_email_targeting/", {"status": "enabled"})
    body = {"name": "Bought", "schema_id": customers.schema_id, "labels": ["C4"]}
    bought = api.post("/api/v1/datasets/", body)
    assert bought.status_code == 201
    route = f"/api/v1/datasets/{bought.json()['id']}/"

    refused = api.patch(route, {"profile_enabled": True})
    made = api.post("/api/v1/datasets/", {**body, "name": "More", "profile_enabled": True})

    assert [answer.json()["code"] for answer in (refused, made)] == ["use_refused"] * 2
    assert api.get(route).json()["profile_enabled"] is False
    names = {row["name"] for row in api.get("/api/v1/datasets/").json()["results"]}
    assert "More" not in names


def test_before_a_policy_is_enabled_one_may_ask_what_it_would_stop(api, customers, activation):
    label_field(customers.schema, "person.name.firstName", "C4")

    answer = api.get("/api/v1/policies/pol_core_email_targeting/broken-uses/").json()
    harmless = api.get("/api/v1/policies/pol_core_analytics/broken-uses/").json()

    [broken] = answer["results"]
    assert (broken["type"], broken["id"]) == ("activation", activation["id"])
    assert {field["part"] for field in broken["violations"][0]["fields"]} == {"rule", "mapping"}
    assert harmless == {"results": [], "has_more": False}


def test_a_segment_in_use_is_not_deleted(api, activation, segment):
    refused = api.delete(f"/api/v1/segments/{segment.pk}/")

    assert refused.status_code == 409
    assert refused.json()["dependents"] == [
        {"type": "activation", "id": activation["id"], "name": "E-mail tool"}
    ]


def test_runs_and_deliveries_can_be_followed(api, sandbox, segment, httpserver):
    httpserver.expect_request("/hook").respond_with_data("")
    activation = activate(make_webhook(sandbox, httpserver.url_for("/hook")), segment)
    people = [make_person(sandbox).pk for _ in range(3)]
    tell(segment, entered=people)
    work()
    route = f"{ACTIVATIONS}{activation.pk}/"

    [run] = api.get(f"{route}runs/").json()["results"]
    listed = api.get(f"{route}deliveries/?state=delivered&limit=2").json()
    rest = api.get(listed["next"]).json()["results"]

    assert (run["received"], run["delivered"], run["failed"], run["pending"]) == (3, 3, 0, 0)
    assert [each["profile_id"] for each in [*listed["results"], *rest]] == [
        f"prf_{each}" for each in reversed(people)
    ]
    assert {each["run_id"] for each in rest} == {run["id"]}
    assert rest[0]["batch"] == deliveries(sandbox)[0].batch
    assert api.get(f"{route}deliveries/?state=failed").json()["results"] == []
    assert api.get(f"{ACTIVATIONS}act_none/runs/").status_code == 404


def test_sending_and_connecting_need_their_own_permissions(organization, connection, segment):
    reader = api_client(organization, permissions=["view-destinations"])
    connector = api_client(organization, permissions=["manage-destinations"])
    sender = api_client(organization, permissions=["activate-segments"])
    body = {"connection_id": connection["id"], "segment_id": segment.pk}

    assert reader.get(CONNECTIONS).status_code == 200
    assert reader.post(CONNECTIONS, WEBHOOK).json()["permission"] == "manage-destinations"
    assert connector.post(ACTIVATIONS, body).json()["permission"] == "activate-segments"
    assert sender.post(ACTIVATIONS, body).status_code == 201
    assert sender.get(ACTIVATIONS).json()["permission"] == "view-destinations"


@pytest.mark.parametrize("count", [1, 3])
def test_lists_cost_one_query_however_long_they_are(api, sandbox, segment, count):
    for _ in range(count):
        activate(make_webhook(sandbox, URL), segment, mapping=[])

    for route in (CONNECTIONS, ACTIVATIONS):
        with queries_of("destinations_") as ours:
            assert len(api.get(route).json()["results"]) == count
        assert len(ours) == 1


def test_a_mapping_of_what_its_author_does_not_see_is_refused(
    api, sandbox, customers, connection, segment, activation
):
    label_field(customers.schema, "person.name.firstName", "C2")
    label_field(customers.schema, "personalEmail.address", "I1")
    Sandbox.objects.filter(pk=sandbox.pk).update(guards_labels=True)
    seen = {"attribute": "person.name.lastName", "target": "last_name"}
    at = f"{ACTIVATIONS}{activation['id']}/"

    for entry, path in zip(MAPPING, ("person.name.firstName", "identityMap.Email"), strict=True):
        for mapping in ([entry], [seen, entry]):
            refused = api.patch(at, {"mapping": mapping})
            assert (refused.status_code, refused.json()["code"]) == (403, "field_hidden")
            assert refused.json()["path"] == path

    assert api.get(at).json()["mapping"] == activation["mapping"]
    assert api.patch(at, {"mapping": [seen]}).status_code == 200
    assert api.delete(at).status_code == 204
    body = {"connection_id": connection["id"], "segment_id": segment.pk, "mapping": MAPPING}
    assert api.post(ACTIVATIONS, body).json()["code"] == "field_hidden"
    with scope(sandbox, ACTOR):
        assert not Activation.objects.for_sandbox(sandbox).exists()
