"""What somebody may ask of segments whose roles lack a label."""

import pytest

from cdp.datasets.models import Dataset
from cdp.queue import drain
from cdp.tenancy.models import Role, Sandbox
from cdp.tenancy.scope import organization_scope, scope
from segments.models import Composition, Segment
from tests.factories import api_client
from tests.segments.shop import ACTOR, open_shop
from tests.segments.test_compositions import BUY, POINTS, compose, mail, result
from tests.segments.test_look_ups import RUNNING, catalogue
from tests.segments.test_uploads import csv, make, send

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]
__all__ = ["catalogue"]

HIDDEN = [
    "loyalty.points > 5",
    'person.name.firstName = "Ada" or loyalty.points > 5',
    f'xEvent[eventType = "{BUY}" and commerce.order.priceTotal > 5].count() > 0',
    'personalEmail.address = "ada@luma.example"',
]
SEEN = ['person.name.firstName = "Ada"', f'xEvent[eventType = "{BUY}"].count() > 0']


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.FILES_URL = tmp_path.as_uri()


@pytest.fixture
def shop(sandbox):
    """A shop with points, prices and addresses that carry labels."""
    shop = open_shop(sandbox)
    labelled = {
        shop.people.pk: {"loyalty.points": ["C2"], "personalEmail.address": ["I1"]},
        shop.events.pk: {"commerce.order": ["C8"]},
    }
    with scope(sandbox, ACTOR):
        for key, labels in labelled.items():
            Dataset.objects.for_sandbox(sandbox).filter(pk=key).update(field_labels=labels)
    shop.person(mail("ada"), loyalty={"points": 7.0}, person={"name": {"firstName": "Ada"}})
    Sandbox.objects.filter(pk=sandbox.pk).update(guards_labels=True)
    return shop


@pytest.fixture
def officer(organization):
    """Somebody who carries all of the labels."""
    client = api_client(organization)
    with organization_scope(organization, ACTOR):
        role = Role.objects.for_organization(organization).order_by("-pk").first()
        role.labels = ["C2", "C5", "C8", "I1"]
        role.save()
    return client


def refused(answer, path: str = "") -> None:
    assert (answer.status_code, answer.json()["code"]) == (403, "field_hidden")
    assert answer.json()["path"].endswith(path)


@pytest.mark.parametrize("text", HIDDEN)
def test_nobody_finds_people_by_what_is_hidden(api, officer, shop, text):
    refused(api.post("/api/v1/segment-estimates/", {"text": text}))
    refused(api.post("/api/v1/segments/", {"name": "New", "text": text}))
    of = {"of": {"type": "rule", "text": text}}
    refused(api.post("/api/v1/compositions/", {"name": "New", "definition": of}))

    assert officer.post("/api/v1/segment-estimates/", {"text": text}).status_code == 200
    with scope(shop.sandbox, ACTOR):
        assert not Segment.objects.for_sandbox(shop.sandbox).exists()
        assert not Composition.objects.for_sandbox(shop.sandbox).exists()


@pytest.mark.parametrize("text", SEEN)
def test_people_are_found_by_what_is_seen(api, shop, text):
    assert api.post("/api/v1/segment-estimates/", {"text": text}).status_code == 200
    assert api.post("/api/v1/segments/", {"name": "New", "text": text}).status_code == 201


def test_a_segment_by_something_hidden_may_be_renamed_and_read_but_not_turned(api, officer, shop):
    made = officer.post("/api/v1/segments/", {"name": "Rich", "text": HIDDEN[0]}).json()["id"]
    officer.post(f"/api/v1/segments/{made}/publish/")
    drain()
    at = f"/api/v1/segments/{made}/"

    assert api.patch(at, {"name": "Wealthy"}).status_code == 200
    assert len(api.get(f"{at}members/").json()["results"]) == 1
    refused(api.patch(at, {"text": "loyalty.points > 6"}), "loyalty.points")

    assert api.get(at).json()["text"] == HIDDEN[0]


@pytest.mark.parametrize(
    "more",
    [
        {"rank": {"by": POINTS, "order": "descending", "limit": 1}},
        {
            "split": {
                "by": "attribute",
                "attribute": "loyalty.points",
                "branches": [{"key": "a", "name": "A", "values": [7]}],
            }
        },
    ],
    ids=["rank", "split"],
)
def test_nobody_ranks_or_splits_by_what_is_hidden(api, officer, shop, more):
    definition = {"of": {"type": "rule", "text": SEEN[0]}, **more}
    body = {"name": "New", "definition": definition}

    refused(api.post("/api/v1/compositions/", body), "loyalty.points")
    assert officer.post("/api/v1/compositions/", body).status_code == 201


def test_a_look_up_by_what_is_hidden_is_refused(api, catalogue):
    with scope(catalogue.sandbox, ACTOR):
        products = Dataset.objects.for_sandbox(catalogue.sandbox).filter(pk=catalogue.products.pk)
        products.update(field_labels={catalogue.text("ROOT.category"): ["C2"]})
    asked = {"text": catalogue.text(RUNNING)}

    assert api.post("/api/v1/segment-estimates/", asked).status_code == 200
    Sandbox.objects.filter(pk=catalogue.sandbox.pk).update(guards_labels=True)
    refused(api.post("/api/v1/segment-estimates/", asked), ".category")


def test_what_rows_say_of_members_is_seen_by_who_carries_its_labels(api, officer, shop):
    key = make(officer)
    send(officer, key, csv("ada"))
    url = f"/api/v1/segments/{key}/members/?attributes=true"

    [hidden] = api.get(url).json()["attributes"].values()
    [seen] = officer.get(url).json()["attributes"].values()

    assert hidden == {"tier": "gold"}
    assert seen == {"tier": "gold", "score": 0.5}


def test_what_records_say_of_members_is_seen_by_who_carries_their_labels(api, officer, catalogue):
    root = catalogue.text("ROOT")
    catalogue.product("s-1", category="running")
    catalogue.shop.person(mail("ada"), person={"name": {"firstName": "s-1"}})
    enrich = [
        {
            "dataset_id": catalogue.products.pk,
            "key": "person.name.firstName",
            "match": f"{root}.sku",
            "attributes": [f"{root}.sku", f"{root}.category"],
        }
    ]
    made = compose(api, "Known", {"of": {"type": "rule", "text": "true"}, "enrich": enrich})
    url = f"/api/v1/segments/{result(made)}/members/?attributes=true"
    Sandbox.objects.filter(pk=catalogue.sandbox.pk).update(guards_labels=True)

    def shown(client, path: str) -> dict:
        with scope(catalogue.sandbox, ACTOR):
            products = Dataset.objects.for_sandbox(catalogue.sandbox)
            products.filter(pk=catalogue.products.pk).update(field_labels={path: ["C2"]})
        [own] = client.get(url).json()["attributes"].values()
        return own

    whole = {f"{root}.sku": "s-1", f"{root}.category": "running"}
    assert shown(officer, f"{root}.category") == whole
    assert shown(api, f"{root}.category") == {f"{root}.sku": "s-1"}
    assert shown(api, root) == {}
