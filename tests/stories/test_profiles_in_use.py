"""What Luma's sites ask of a profile, and what they tell it: all of it over HTTP."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from rest_framework.test import APIClient

from cdp.queue import drain
from tests.profiles.world import ECIDS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

XDM = "https://ns.adobe.com/xdm"
PEOPLE, EVENTS = f"{XDM}/context/profile", f"{XDM}/context/experienceevent"
EMAIL = "sarah.rose@luma.example"
LAPTOP, PHONE, STRANGER = ECIDS["laptop"], ECIDS["phone"], ECIDS["tablet"]


class Luma:
    """Luma's sandbox, as it is set up and used over the API."""

    def __init__(self, api, tenant):
        self.api, self.own = api, f"_{tenant}"
        self.crm = self._inlet("Customers", self._people_schema())
        self.web = self._inlet("Web", self._events_schema())

    def post(self, path, body):
        answer = self.api.post(f"/api/v1/{path}", body)
        assert answer.status_code in (200, 201), answer.json()
        return answer.json()

    def tell(self, **record):
        """Say something of Sarah as the CRM or a form of the site does."""
        self._collect(self.crm, {"personalEmail": {"address": EMAIL}, **record})

    def happens(self, kind, *, ago=timedelta(minutes=1), **identities):
        """Have something happen on the site or in the app."""
        at = datetime.now(UTC) - ago
        named = {name: [{"id": value}] for name, value in identities.items()}
        self._collect(
            self.web, {"eventType": kind, "timestamp": at.isoformat(), "identityMap": named}
        )

    def profile(self, identity, **asked):
        answer = self.api.get("/api/v1/profiles/", {"identity": identity, **asked})
        assert answer.status_code == 200, answer.json()
        return answer.json()

    def segment(self, name, rule):
        made = self.post("segments/", {"name": name, "rule": rule})
        self.post(f"segments/{made['id']}/publish/", {})
        drain()
        return made["id"]

    def names(self, profile):
        """Name the segments that a profile is in."""
        held = [key for key, state in profile["segments"].items() if state["status"] == "realized"]
        return sorted(self.api.get(f"/api/v1/segments/{key}/").json()["name"] for key in held)

    def _collect(self, inlet, record):
        answer = APIClient().post(f"/collection/{inlet['id']}", [record])  # as a page does: no key
        assert answer.status_code == 200, answer.content
        drain()

    def _people_schema(self):
        score = {"type": "object", "properties": {"propensity": {"type": "number"}}}
        definition = {"type": "object", "properties": {self.own: score}}
        own = self.post(
            "field-groups/", {"title": "Scores", "classes": [PEOPLE], "definition": definition}
        )
        groups = [
            f"{XDM}/context/profile-person-details",
            f"{XDM}/context/profile-personal-details",
            f"{XDM}/mixins/profile/profile-loyalty-details",
            f"{XDM}/mixins/profile-consents",
            own["uri"],
        ]
        schema = self.post(
            "schemas/", {"title": "People", "class_id": PEOPLE, "field_groups": groups}
        )["id"]
        self.post(
            "descriptors/",
            {
                "schema_id": schema, "kind": "identity", "paths": ["personalEmail.address"],
                "namespace": "Email", "primary": True,
            },
        )  # fmt: skip
        self.api.patch(f"/api/v1/schemas/{schema}/", {"profile_enabled": True})
        return schema

    def _events_schema(self):
        groups = [f"{XDM}/context/identitymap", f"{XDM}/context/experienceevent-commerce"]
        schema = self.post(
            "schemas/", {"title": "Events", "class_id": EVENTS, "field_groups": groups}
        )["id"]
        body = {"profile_enabled": True, "identity_map_primary": True}
        self.api.patch(f"/api/v1/schemas/{schema}/", body)
        return schema

    def _inlet(self, name, schema):
        dataset = self.post(
            "datasets/", {"name": name, "schema_id": schema, "profile_enabled": True}
        )
        return self.post(
            "inlets/",
            {
                "name": name, "door": "xdm", "dataset_ids": [dataset["id"]],
                "requires_key": False,
            },
        )  # fmt: skip


@pytest.fixture
def luma(api, organization):
    return Luma(api, organization.tenant_namespace)


def is_event(kind):
    return {"type": "compare", "operator": "=", "left": {"field": "eventType"}, "right": kind}


def visits(test, count):
    step = {"where": is_event("web.visits"), "count": {"test": test, "count": count}}
    return {"type": "sequence", "steps": [step]}


RETURNING = visits(">=", 2)
NEW = {
    "type": "all",
    "of": [
        {"type": "events", "where": is_event("web.visits")},
        {"type": "not", "of": RETURNING},
    ],
}
BUYERS = {"type": "events", "where": is_event("commerce.purchases")}
BRONZE = {
    "type": "compare",
    "operator": "=",
    "left": {"field": "loyalty.tier"},
    "right": "Bronze",
}


@pytest.mark.acceptance("A-41")
def test_opting_out_by_the_api_reaches_the_profile(luma):
    luma.tell(
        person={"name": {"firstName": "Sarah"}}, consents={"marketing": {"email": {"val": "y"}}}
    )
    before = luma.profile(f"Email:{EMAIL}")["consents"]

    luma.tell(
        person={"name": {"firstName": "Sarah"}}, consents={"marketing": {"email": {"val": "n"}}}
    )

    after = luma.profile(f"Email:{EMAIL}")["consents"]
    assert (before, after) == (
        {"marketing": {"email": {"val": "y"}}},
        {"marketing": {"email": {"val": "n"}}},
    )


@pytest.mark.acceptance("D-11")
def test_loyalty_tier_and_points_are_read_for_a_greeting(luma):
    luma.tell(person={"name": {"firstName": "Sarah"}}, loyalty={"tier": "Bronze", "points": 120.0})
    luma.happens("web.visits", ECID=LAPTOP, Email=EMAIL)

    greeted = luma.profile(
        f"ECID:{LAPTOP}", fields="person.name.firstName,loyalty.tier,loyalty.points"
    )

    assert greeted["attributes"] == {
        "person": {"name": {"firstName": "Sarah"}},
        "loyalty": {"tier": "Bronze", "points": 120.0},
    }


@pytest.mark.acceptance("D-12")
@pytest.mark.acceptance("D-33")
def test_a_home_page_reads_segments_and_attributes_within_a_second(luma):
    luma.segment("Bronze members", BRONZE)
    luma.segment("Buyers", BUYERS)
    luma.tell(loyalty={"tier": "Bronze", "points": 120.0})
    luma.happens("web.visits", ECID=LAPTOP, Email=EMAIL)

    started = time.monotonic()
    read = luma.profile(f"ECID:{LAPTOP}")
    took = time.monotonic() - started
    luma.happens("commerce.purchases", ECID=LAPTOP)

    assert took < 1
    assert read["attributes"]["loyalty"]["tier"] == "Bronze"
    assert luma.names(read) == ["Bronze members"]
    assert luma.names(luma.profile(f"ECID:{LAPTOP}")) == ["Bronze members", "Buyers"]


@pytest.mark.acceptance("D-15")
def test_new_and_returning_visitors_are_told_apart(luma):
    luma.segment("New", NEW)
    luma.segment("Returning", RETURNING)
    luma.happens("web.visits", ago=timedelta(days=3), ECID=LAPTOP)
    first = luma.names(luma.profile(f"ECID:{LAPTOP}"))

    luma.happens("web.visits", ECID=LAPTOP)
    luma.happens("web.visits", ECID=STRANGER)

    assert first == ["New"]
    assert luma.names(luma.profile(f"ECID:{LAPTOP}")) == ["Returning"]
    assert luma.names(luma.profile(f"ECID:{STRANGER}")) == ["New"]


@pytest.mark.acceptance("D-39")
def test_the_score_of_a_model_stands_with_the_profile_and_decides_a_segment(luma):
    likely = {
        "type": "compare",
        "operator": ">=",
        "left": {"field": f"{luma.own}.propensity"},
        "right": 0.8,
    }
    luma.segment("Likely buyers", likely)
    luma.tell(**{luma.own: {"propensity": 0.35}})
    before = luma.profile(f"Email:{EMAIL}")

    luma.tell(**{luma.own: {"propensity": 0.92}})

    after = luma.profile(f"Email:{EMAIL}")
    assert (luma.names(before), luma.names(after)) == ([], ["Likely buyers"])
    assert after["attributes"][luma.own] == {"propensity": 0.92}


@pytest.mark.acceptance("D-55")
@pytest.mark.acceptance("D-56")
def test_on_the_phone_after_the_mail_she_is_the_same_person_and_what_she_buys_is_hers(luma):
    luma.segment("Bronze members", BRONZE)
    luma.segment("Buyers", BUYERS)
    luma.tell(loyalty={"tier": "Bronze", "points": 120.0})
    luma.happens("web.visits", ago=timedelta(days=1), ECID=LAPTOP, Email=EMAIL)
    luma.happens("web.visits", ago=timedelta(minutes=9), ECID=PHONE)
    stranger = luma.profile(f"ECID:{PHONE}")

    luma.happens("directMarketing.emailClicked", ECID=PHONE, Email=EMAIL)
    phone, laptop = luma.profile(f"ECID:{PHONE}"), luma.profile(f"ECID:{LAPTOP}")
    luma.happens("commerce.purchases", ECID=PHONE)
    bought = luma.profile(f"ECID:{LAPTOP}", events=10)

    assert luma.names(stranger) == []
    assert phone["id"] == laptop["id"] != stranger["id"]
    assert phone["attributes"]["loyalty"]["tier"] == "Bronze"
    assert luma.names(phone) == luma.names(laptop) == ["Bronze members"]
    assert luma.names(bought) == ["Bronze members", "Buyers"]
    assert [one["event_type"] for one in bought["events"]] == [
        "commerce.purchases", "directMarketing.emailClicked", "web.visits", "web.visits",
    ]  # fmt: skip
