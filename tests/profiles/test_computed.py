from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from cdp import queue
from cdp.clickhouse import client
from cdp.clickhouse.errors import BudgetExceeded
from cdp.queue.models import QueueItem
from cdp.schemas.selectors import PROFILE_CLASS, union_fields
from cdp.tenancy.scope import scope
from profiles.computed.definition import months_before
from profiles.computed.refreshing import refresh_due
from profiles.identity.rules import Identity
from profiles.ingest import batches, refining
from profiles.ingest.regrouped import hand_over_regrouped
from profiles.models import ComputedAttribute, ComputedValues
from profiles.models import Identity as IdentityRow
from profiles.selectors.agreement import differences
from profiles.selectors.rules import linking_rules
from profiles.stitching.sightings import Sighting, Sightings
from profiles.stitching.stitch import stitch
from tests.profiles import world
from tests.profiles.world import ECIDS, ME, event, fates, make_dataset, make_namespace, send

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]
LAPTOP, PHONE = ECIDS["laptop"], ECIDS["phone"]
TOPICS = ["records.received", "computed.outdated", "batches.decided"]


@pytest.fixture
def web(sandbox):
    make_namespace(sandbox)
    return make_dataset(sandbox, "Web", events=True)


@pytest.fixture
def root(organization):
    return f"_{organization.tenant_namespace}"


def make(api, name, function, field="", **values):
    body = {"name": name, "function": function, "lookback_length": 30, "lookback_unit": "days"}
    made = api.post("/api/v1/computed-attributes/", {**body, "field": field, **values})
    assert made.status_code == 201, made.json()
    return made.json()


def publish(api, made):
    answer = api.post(f"/api/v1/computed-attributes/{made['id']}/publish/")
    queue.drain(TOPICS)
    return answer


def computed(api, root, identity=f"ECID:{LAPTOP}"):
    attributes = api.get("/api/v1/profiles/", {"identity": identity}).json()["attributes"]
    return attributes.get(root, {}).get("SystemComputedAttributes", {})


def buy(number, price, days_ago=0.0, **who):
    at = (timezone.now() - timedelta(days=days_ago)).isoformat(timespec="milliseconds")
    order = {"order": {"priceTotal": price}}
    return event(
        f"b{number}", "commerce.purchases", at, commerce=order, **(who or {"ECID": LAPTOP})
    )


PURCHASES = {"conditions": [{"field": "eventType", "operator": "=", "value": "commerce.purchases"}]}


@pytest.mark.acceptance("D-13")
@pytest.mark.acceptance("D-14")
@pytest.mark.acceptance("B-13")
def test_every_function_over_events_as_they_come(api, sandbox, web, root):
    price = "commerce.order.priceTotal"
    page = "web.webPageDetails.name"
    for made in (
        make(api, "spent", "sum", price, **PURCHASES),
        make(api, "purchases", "count", **PURCHASES),
        make(api, "cheapest", "min", price),
        make(api, "dearest", "max", price),
        make(api, "lastPage", "most_recent", page),
        make(api, "pages", "last", page, keep=2),
        make(api, "firstSeen", "min", "timestamp"),
    ):
        publish(api, made)

    visits = [
        event(f"v{day}", at=f"2026-11-0{day}T10:00:00Z", ECID=LAPTOP,
              web={"webPageDetails": {"name": f"page {day}"}})
        for day in (3, 1, 2)
    ]  # fmt: skip
    send(sandbox, web, visits)
    send(sandbox, web, [*[buy(n, 0.1) for n in range(25)], buy("x", 247.5)])

    assert computed(api, root) == {
        "spent": 250.0,
        "purchases": 26,
        "cheapest": 0.1,
        "dearest": 247.5,
        "lastPage": {"value": "page 3", "timestamp": "2026-11-03T10:00:00.000Z"},
        "pages": ["page 3", "page 2"],
        "firstSeen": "2026-11-01T10:00:00.000Z",
    }
    assert list(differences(sandbox)) == []


def test_no_number_is_too_large_for_a_sum(api, sandbox, web, root):
    publish(api, make(api, "spent", "sum", "commerce.order.priceTotal"))

    send(sandbox, web, [buy(n, 5e12) for n in range(3)])
    send(sandbox, web, [buy("x", 1.5e305, ECID=PHONE)])

    assert computed(api, root) == {"spent": 15e12}
    assert computed(api, root, f"ECID:{PHONE}") == {"spent": 1e60}


def test_values_follow_merges(api, sandbox, web, root):
    publish(api, make(api, "spent", "sum", "commerce.order.priceTotal"))
    send(sandbox, web, [buy(1, 10.0), buy(2, 5.0, ECID=PHONE)])
    assert computed(api, root, f"ECID:{PHONE}") == {"spent": 5.0}

    send(sandbox, web, [event("l1", ECID=LAPTOP, CRM="c"), event("l2", ECID=PHONE, CRM="c")])

    assert computed(api, root, f"ECID:{PHONE}") == {"spent": 15.0}
    with scope(sandbox, ME):
        assert ComputedValues.objects.for_sandbox(sandbox).count() == 1


def once_worked_out(monkeypatch, module, name, happens):
    """Let something happen between the working out of values and their being kept, once."""
    real = getattr(module, name)

    def and_then(*args):
        found = real(*args)
        monkeypatch.setattr(module, name, real)
        happens()
        return found

    monkeypatch.setattr(module, name, and_then)


def merge(sandbox, *identities):
    sightings, now = Sightings(), timezone.now()
    sightings.see(identities, Sighting(round(now.timestamp() * 1000), "ds_1", "r"))
    hand_over_regrouped(sandbox, stitch(sandbox, sightings, linking_rules(sandbox), now))


@pytest.mark.parametrize(
    ("module", "name"), [(batches, "work_out_changed"), (refining, "work_out")]
)
def test_whoever_merges_while_values_are_worked_out_leaves_no_snapshot(
    api, sandbox, web, root, monkeypatch, module, name
):
    publish(api, make(api, "spent", "sum", "commerce.order.priceTotal"))
    send(sandbox, web, [event("0", CRM="c")])
    send(sandbox, web, [event("1", ECID=LAPTOP)])
    pair = Identity("CRM", "c"), Identity("ECID", LAPTOP)
    once_worked_out(monkeypatch, module, name, lambda: merge(sandbox, *pair))

    send(sandbox, web, [buy(1, 5.0)])
    queue.drain(TOPICS)

    assert computed(api, root) == {"spent": 5.0}
    assert list(differences(sandbox)) == []


def test_what_time_changes_does_not_undo_what_happens_meanwhile(
    api, sandbox, web, root, monkeypatch
):
    publish(api, make(api, "spent", "sum", "commerce.order.priceTotal"))
    send(sandbox, web, [buy(1, 5.0)])
    with scope(sandbox, ME):
        ComputedAttribute.objects.for_sandbox(sandbox).update(evaluated_at=None)
    once_worked_out(monkeypatch, refining, "work_out", lambda: send(sandbox, web, [buy(2, 7.0)]))

    refresh_due()
    queue.drain(["computed.outdated"])
    queue.drain(TOPICS)

    assert computed(api, root) == {"spent": 12.0}


def test_the_news_of_a_change_comes_after_the_values(api, sandbox, web, root):
    publish(api, make(api, "spent", "sum", "commerce.order.priceTotal"))
    send(sandbox, web, [buy(1, 10.0)])

    rows = client.fetch_text(
        f"SELECT toFloat64(body.`{root}`.SystemComputedAttributes.spent.:Float64) FROM profiles FINAL"
        " WHERE sandbox_id = {sandbox:UInt32}",
        sandbox=sandbox,
        budget=client.LOOKUP,
    )
    with scope(sandbox, ME):
        news = QueueItem.objects.for_sandbox(sandbox).filter(topic="profiles.changed").count()
    assert (rows, news) == ([(10.0,)], 1)


def test_publishing_works_out_what_has_happened_before(api, sandbox, web, root):
    send(sandbox, web, [buy(1, 10.0), buy(2, 7.0, days_ago=40)])

    publish(api, make(api, "spent", "sum", "commerce.order.priceTotal"))

    assert computed(api, root) == {"spent": 10.0}


def test_time_alone_changes_a_value(api, sandbox, web, root, monkeypatch):
    made = make(api, "spent", "sum", "commerce.order.priceTotal", lookback_length=1)
    publish(api, made)
    send(sandbox, web, [buy(1, 10.0), buy(2, 7.0, days_ago=0.9)])
    refresh_due()
    queue.drain(TOPICS)
    assert computed(api, root) == {"spent": 17.0}

    later = timezone.now() + timedelta(hours=3)
    monkeypatch.setattr(timezone, "now", lambda: later)
    refresh_due()
    queue.drain(TOPICS)
    monkeypatch.undo()  # the token lives in the present

    assert computed(api, root) == {"spent": 10.0}


def test_whoever_has_too_many_events_keeps_her_values_and_stops_nobody(
    api, sandbox, web, root, monkeypatch
):
    publish(api, make(api, "spent", "sum", "commerce.order.priceTotal"))
    send(sandbox, web, [buy(1, 5.0)])
    with scope(sandbox, ME):
        laptop = IdentityRow.objects.for_sandbox(sandbox).get(value=LAPTOP).pk
    real = client.fetch_text

    def limited(text, **values):
        if laptop in values["params"].get("ids", ()):
            raise BudgetExceeded("too much")
        return real(text, **values)

    monkeypatch.setattr(client, "fetch_text", limited)
    others = [buy(n, n, ECID=f"{n:038}") for n in range(11, 14)]

    receipt = send(sandbox, web, [buy(2, 7.0), *others])

    assert fates(sandbox, receipt) == "ssss"
    assert computed(api, root) == {"spent": 5.0}
    assert computed(api, root, f"ECID:{12:038}") == {"spent": 12.0}


def test_everybody_has_a_turn_before_it_begins_anew(api, sandbox, web):
    publish(api, make(api, "spent", "sum", "commerce.order.priceTotal"))
    attributes = ComputedAttribute.objects.for_sandbox(sandbox)
    waiting = QueueItem.objects.for_sandbox(sandbox).filter(topic="computed.outdated")
    long_ago = timezone.now() - timedelta(days=2)
    with scope(sandbox, ME):
        queue.publish("computed.outdated", {"after": 5_000}, sandbox=sandbox)
        attributes.update(evaluated_at=long_ago)

    refresh_due()

    with scope(sandbox, ME):
        assert [row.payload for row in waiting] == [{"after": 5_000}]
        assert attributes.get().evaluated_at == long_ago
    queue.drain(TOPICS)
    refresh_due()
    with scope(sandbox, ME):
        assert [row.payload for row in waiting.all()] == [{"after": 0}]


def test_a_disabled_attribute_leaves_nothing(api, sandbox, web, root):
    made = make(api, "spent", "sum", "commerce.order.priceTotal")
    publish(api, made)
    send(sandbox, web, [buy(1, 10.0)])

    refused = api.delete(f"/api/v1/computed-attributes/{made['id']}/")
    api.post(f"/api/v1/computed-attributes/{made['id']}/disable/")
    too_early = api.delete(f"/api/v1/computed-attributes/{made['id']}/")
    queue.drain(TOPICS)

    for answer in (refused, too_early):
        assert (answer.status_code, answer.json()["code"]) == (409, "computed_attribute_in_use")
    assert computed(api, root) == {}
    assert api.delete(f"/api/v1/computed-attributes/{made['id']}/").status_code == 204


def test_rules_and_templates_know_the_fields(api, sandbox, web, root):
    publish(api, make(api, "spent", "sum", "commerce.order.priceTotal"))
    publish(api, make(api, "lastPage", "most_recent", "web.webPageDetails.name"))

    with scope(sandbox, ME):
        fields = union_fields(sandbox, PROFILE_CLASS)

    below = f"{root}.SystemComputedAttributes"
    assert fields[f"{below}.spent"].type == "number"
    assert fields[f"{below}.lastPage.value"].type == "string"
    assert fields[f"{below}.lastPage.timestamp"].format == "date-time"


@pytest.mark.parametrize(
    ("function", "field", "more", "code"),
    [
        ("sum", "web.webPageDetails.name", {}, "not_a_number"),
        ("sum", "commerce.order.priceTotl", {}, "unknown_field"),
        ("min", "eventType", {}, "not_ordered"),
        ("max", "", {}, "required"),
        ("most_recent", "commerce.order", {}, "not_a_value"),
        ("count", "", {"lookback_length": 7, "lookback_unit": "months"}, "too_long"),
        ("count", "", {"conditions": [{"field": "eventType", "operator": "in", "value": 1}]}, "required"),
        ("count", "", {"conditions": [{"field": "eventType", "operator": "=", "value": 1}]}, "wrong_type"),
        ("count", "", {"conditions": [{"field": "timestamp", "operator": ">", "value": "x"}]}, "wrong_type"),
        ("count", "", {"conditions": [
            {"field": "commerce.order.priceTotal", "operator": "<", "value": 1e300}]}, "too_large"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_refused(api, sandbox, web, function, field, more, code):
    body = {"name": "no", "function": function, "field": field}
    body |= {"lookback_length": 1, "lookback_unit": "days", **more}

    refused = api.post("/api/v1/computed-attributes/", body)

    assert refused.status_code == 422
    assert [error["code"] for error in refused.json()["errors"]] == [code]
    with scope(sandbox, ME):
        assert not ComputedAttribute.objects.for_sandbox(sandbox).exists()


def test_a_mistyped_field_says_what_was_meant(api, sandbox, web):
    body = {"name": "no", "function": "sum", "field": "commerce.order.priceTotl"}

    refused = api.post(
        "/api/v1/computed-attributes/", {**body, "lookback_length": 1, "lookback_unit": "days"}
    )

    assert "Did you mean 'commerce.order.priceTotal'?" in refused.json()["errors"][0]["detail"]


def test_of_what_is_published_only_the_words_change(api, sandbox, web):
    made = make(api, "visits", "count")
    url = f"/api/v1/computed-attributes/{made['id']}/"
    publish(api, made)

    assert api.patch(url, {"title": "Visits"}).json()["title"] == "Visits"
    refused = api.patch(url, {"lookback_length": 2})
    assert refused.json()["code"] == "computed_attribute_published"
    assert api.get(url).json()["lookback_length"] == 30


def test_whole_months_back():
    assert months_before(datetime(2026, 8, 31, 9, tzinfo=UTC), 6) == datetime(
        2026, 2, 28, 9, tzinfo=UTC
    )
    assert months_before(datetime(2026, 1, 15, tzinfo=UTC), 1) == datetime(2025, 12, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("operator", "value", "count"),
    [
        ("=", 5.0, 1),
        ("!=", 5.0, 2),
        (">", 5, 1),
        (">=", 5, 2),
        ("<", 5, 1),
        ("in", [1, 9], 2),
        ("exists", None, 3),
    ],
)
def test_conditions_choose_events(api, sandbox, web, root, operator, value, count):
    condition = {"field": "commerce.order.priceTotal", "operator": operator}
    if value is not None:
        condition["value"] = value
    publish(api, make(api, "chosen", "count", conditions=[condition]))

    send(sandbox, web, [buy(n, price) for n, price in enumerate([1.0, 5.0, 9.0])])
    send(sandbox, web, [event("v", ECID=LAPTOP)])

    assert computed(api, root) == {"chosen": count}


@pytest.mark.parametrize(
    ("operator", "value", "count"),
    [
        ("=", 1.5, 0),
        ("<", 1.5, 1),
        (">=", 1.5, 2),
        ("in", [1.5, 2], 1),
        (">=", 2.0, 2),
    ],
)
def test_whole_numbers_are_compared_with_any_number(
    api, sandbox, monkeypatch, root, operator, value, count
):
    schema = world.objects(**world.EVENT["properties"], level={"type": "integer"})
    monkeypatch.setattr(world, "EVENT", schema)
    games = make_dataset(sandbox, "Games", events=True)
    condition = {"field": "level", "operator": operator, "value": value}
    publish(api, make(api, "found", "count", conditions=[condition]))

    send(sandbox, games, [event(f"g{n}", ECID=LAPTOP, level=n) for n in (1, 2, 3)])

    assert computed(api, root).get("found", 0) == count
