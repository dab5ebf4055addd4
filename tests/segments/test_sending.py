"""What somebody who sends a segment is told of it, and may send along."""

import pytest

from cdp.datasets.services.datasets import create_dataset
from cdp.datasets.services.writing import write_records
from cdp.queue import drain
from cdp.schemas.selectors import PROFILE_CLASS
from cdp.schemas.services.descriptors import create_descriptor
from cdp.schemas.services.schemas import create_schema
from cdp.tenancy.scope import scope
from destinations.models import Activation
from destinations.services.preparing import changes_of
from governance.selectors import get_policy
from governance.services.policies import change_policy, stored_core_policy
from tests.destinations.world import make_webhook
from tests.segments.shop import ACTOR, XDM, open_shop
from tests.segments.test_compositions import compose, mail, result
from tests.segments.test_uploads import COLUMNS, csv, folder, known, make, send  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]
ACTIVATIONS = "/api/v1/activations/"
GOLD = 'person.gender = "female"'


@pytest.fixture
def shop(sandbox):
    return open_shop(sandbox)


@pytest.fixture
def place(sandbox):
    return make_webhook(sandbox, "https://receiver.example/hook").pk


@pytest.mark.acceptance("D-41")
def test_the_rough_number_of_people_is_told_when_a_segment_is_sent(api, shop, place):
    shop.person(mail("ada"), person={"gender": "female"})
    shop.person(mail("ben"), person={"gender": "male"})
    key = api.post("/api/v1/segments/", {"name": "Women", "text": GOLD}).json()["id"]

    made = api.post(ACTIVATIONS, {"connection_id": place, "segment_id": key}).json()
    listed = api.get(ACTIVATIONS).json()["results"]
    api.post(f"/api/v1/segments/{key}/publish/")
    drain()
    counted = api.get(f"{ACTIVATIONS}{made['id']}/").json()

    assert (made["people"]["size"], made["people"]["estimated"]) == (1, True)
    assert listed[0]["people"] is None
    segment = api.get(f"/api/v1/segments/{key}/").json()
    assert counted["people"] == {"size": 1, "at": segment["evaluated_at"], "estimated": False}
    assert api.get(ACTIVATIONS).json()["results"][0]["people"] == counted["people"]


def sent(shop, activation_id: str) -> list[dict]:
    """Return what is sent of each delivery, in the order of their making."""
    with scope(shop.sandbox, ACTOR):
        activation = Activation.objects.for_sandbox(shop.sandbox).get(pk=activation_id)
        rows = activation.deliveries.order_by("id")
        return [dict(change.attributes) for change in changes_of(activation, list(rows))]


def test_what_a_file_says_of_its_people_is_sent_along(api, shop, place):
    known(shop, "ada", "ben")
    key = make(api)
    mapping = [{"segment_attribute": "score", "target": "points"}]
    body = {"connection_id": place, "segment_id": key, "mapping": mapping}
    made = api.post(ACTIVATIONS, body)
    assert made.status_code == 201, made.json()

    send(api, key, csv("ada", "ben"))

    assert sent(shop, made.json()["id"]) == [{"points": 0.5}, {"points": 1.5}]


def test_what_the_segment_does_not_know_is_not_sent(api, shop, place):
    key = make(api)
    mapping = [{"segment_attribute": "scores", "target": "points"}]

    body = {"connection_id": place, "segment_id": key, "mapping": mapping}
    answer = api.post(ACTIVATIONS, body)

    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["path"] == "mapping.0.segment_attribute"
    assert "Did you mean 'score'?" in error["detail"]
    with scope(shop.sandbox, ACTOR):
        assert not Activation.objects.for_sandbox(shop.sandbox).exists()


def test_a_label_of_a_column_forbids_to_send_it(api, shop):
    key = make(api)
    place = make_webhook(
        shop.sandbox, "https://ads.example/hook", marketing_actions=["emailTargeting"]
    ).pk
    with scope(shop.sandbox, ACTOR):
        policy = stored_core_policy(get_policy(shop.sandbox, "pol_core_email_targeting"))
        change_policy(actor=ACTOR, policy=policy, status="enabled")

    for name, status, code in (("score", 422, "use_refused"), ("tier", 201, None)):
        mapping = [{"segment_attribute": name, "target": "it"}]
        body = {"connection_id": place, "segment_id": key, "mapping": mapping}

        answer = api.post(ACTIVATIONS, body)

        assert (answer.status_code, answer.json().get("code")) == (status, code)


def test_a_composition_adds_what_a_record_says(api, shop, place):
    with scope(shop.sandbox, ACTOR):
        schema = create_schema(
            actor=ACTOR, sandbox=shop.sandbox, title="Programmes", class_uri=PROFILE_CLASS,
            field_groups=[
                f"{XDM}/context/profile-person-details",
                f"{XDM}/context/profile-personal-details",
            ],
        )  # fmt: skip
        create_descriptor(
            actor=ACTOR, schema=schema, kind="identity",
            paths=["personalEmail.address"], namespace="Email", primary=True,
        )  # fmt: skip
        dataset = create_dataset(
            actor=ACTOR, sandbox=shop.sandbox, schema=schema, name="Programmes"
        )
        rows = [
            {
                "personalEmail": {"address": mail("gold")},
                "person": {"name": {"firstName": "Aurelia", "lastName": "gold"}},
            }
        ]
        write_records(sandbox=shop.sandbox, dataset=dataset, records=rows)
    drain()
    shop.person(mail("ada"), loyalty={"tier": "gold", "points": 1})
    shop.person(mail("ben"), loyalty={"tier": "blue", "points": 1})
    path = "person.name.firstName"
    enrich = [
        {
            "dataset_id": dataset.pk,
            "key": "loyalty.tier",
            "match": "person.name.lastName",
            "attributes": [path],
        }
    ]
    made = compose(api, "Known", {"of": {"type": "rule", "text": "true"}, "enrich": enrich})

    page = api.get(f"/api/v1/segments/{result(made)}/members/?attributes=true").json()

    assert [page["attributes"][each] for each in page["results"]] == [
        {path: "Aurelia"},
        {path: None},
    ]
    mapping = [{"segment_attribute": path, "target": "programme"}]
    body = {"connection_id": place, "segment_id": result(made), "mapping": mapping}
    assert api.post(ACTIVATIONS, body).status_code == 201


def test_segments_are_found_by_what_they_are_and_what_they_look_at(api, shop):
    key = make(api, name="From the CRM", tags=["spring"])
    text = f'{GOLD} and xEvent[eventType = "commerce.purchases"]'
    women = api.post(
        "/api/v1/segments/",
        {"name": "Women", "text": text, "description": "Who bought", "tags": ["spring", "vip"]},
    ).json()["id"]
    made = compose(api, "Others", {"of": {"type": "exclude", "of": {"type": "rule", "text": "true"},
        "without": {"type": "segment", "id": key}}})  # fmt: skip

    def found(query: str) -> set[str]:
        answer = api.get(f"/api/v1/segments/?{query}")
        assert answer.status_code == 200, answer.json()
        return {row["id"] for row in answer.json()["results"]}

    assert found("origin=upload") == {key}
    assert found("origin=composition") == {result(made)} == found(f"composition_id={made['id']}")
    assert found("state=draft") == {women} == found("tag=vip") == found("search=bought+wom")
    assert found("tag=spring") == {women, key}
    assert found("field=person.gender") == {women} == found("field=eventType")
    assert found(f"references={key}") == {result(made)}
    assert found(f"dataset_id={shop.people.pk}") == {women}
    assert found("dataset_id=ds_none") == found("search=nothing") == set()
    ordered = api.get("/api/v1/segments/?ordering=name").json()["results"]
    assert [row["name"] for row in ordered] == ["From the CRM", "Others", "Women"]
    assert api.get("/api/v1/segments/?colour=red").status_code == 422
