"""What an inlet takes also reaches a Kafka-compatible topic: in order, and at least once.

The broker is the one that librdkafka brings: it speaks the real protocol over TCP.
"""

import socket
import time

import orjson
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from django.utils import timezone

from cdp import queue
from cdp.datasets.doors import inlets
from cdp.datasets.forwarding.streams import KEPT
from cdp.datasets.topics import RECORDS_STREAMED
from cdp.outgoing import kafka
from cdp.queue.models import QueueItem
from cdp.tenancy.models import AuditEvent
from cdp.tenancy.scope import organization_scope, scope
from tests.datasets.making import ACTOR, event, make_dataset, make_inlet, send

RULES = "/api/v1/forwarding-rules/"
PASSWORD = "one-that-nobody-sees"
# The broker tells its version in a form of its own, as some compatible ones do.
SETTINGS = {"topic": "events", "tls": False, "protocol_version": "2.3"}


@pytest.fixture
def broker():
    """Two brokers; yields the address of the first."""
    cluster = Producer({"test.mock.num.brokers": 2, "bootstrap.servers": "mock", "log_level": 0})
    brokers = cluster.list_topics(timeout=10).brokers.values()
    yield next(f"{each.host}:{each.port}" for each in brokers)
    cluster.flush(1)


@pytest.fixture(autouse=True)
def noticed_at_once(monkeypatch, settings):
    monkeypatch.setattr(inlets, "KEPT_SECONDS", 0)
    monkeypatch.setattr(kafka, "CONNECT_SECONDS", 1)
    monkeypatch.setattr(kafka, "DELIVER_SECONDS", 3)
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]


@pytest.fixture
def inlet(sandbox):
    return make_inlet(sandbox, make_dataset(sandbox))


def make_rule(api, address, **settings):
    given = {**SETTINGS, "bootstrap_servers": [address], **settings}
    body = {"name": "Analytics", "kind": "kafka", "settings": given}
    response = api.post(RULES, body)
    assert response.status_code == 201, response.json()
    return response.json()


def read(address, number, topic="events"):
    """Read so many messages from the beginning, and see that there is no more."""
    consumer = Consumer({"bootstrap.servers": address, "group.id": "test"})
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
    found, end = [], time.monotonic() + 20
    while len(found) < number and time.monotonic() < end:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            found.append(message)
    assert consumer.poll(0.3) is None
    consumer.close()
    return found


def waiting(sandbox):
    with scope(sandbox, ACTOR):
        return list(
            QueueItem.objects.for_sandbox(sandbox).filter(topic=RECORDS_STREAMED).order_by("id")
        )


def hurry(sandbox):
    """Let everything that rests be due now."""
    with scope(sandbox, ACTOR):
        QueueItem.objects.for_sandbox(sandbox).update(available_at=timezone.now())


def of_person(number, person):
    return event(number, identityMap={"Email": [{"id": person, "primary": True}]})


def test_each_record_is_a_message_keyed_by_its_person(api, sandbox, inlet, broker):
    rule = make_rule(api, broker)

    receipt = send(inlet, [of_person(1, "a@luma.example"), of_person(2, "b@luma.example")])
    receipt = receipt.json()["xactionId"]
    send(inlet, of_person(3, "a@luma.example"))
    queue.drain([RECORDS_STREAMED])

    messages = {orjson.loads(each.value())["_id"]: each for each in read(broker, 3)}
    assert sorted(messages) == ["event-1", "event-2", "event-3"]
    keys = [messages[name].key() for name in sorted(messages)]
    assert keys == [b"Email:a@luma.example", b"Email:b@luma.example", b"Email:a@luma.example"]
    headers = {name: value.decode() for name, value in messages["event-2"].headers()}
    assert headers["ce_id"] == f"{receipt}-1.{rule['id']}"
    assert (headers["ce_specversion"], headers["ce_type"]) == ("1.0", "record.accepted")
    assert headers["ce_source"] == f"/inlets/{inlet.pk}"
    assert waiting(sandbox) == []


def test_messages_of_one_person_keep_their_order_over_an_outage(api, sandbox, inlet, broker):
    rule = make_rule(api, "127.0.0.1:1")
    for number in range(10):
        send(inlet, of_person(number, "a@luma.example"))
    queue.drain([RECORDS_STREAMED])
    send(inlet, of_person(10, "a@luma.example"))  # while the older ones rest
    queue.drain([RECORDS_STREAMED])
    resting = waiting(sandbox)

    servers = {"settings": {"bootstrap_servers": [broker]}}
    assert api.patch(f"{RULES}{rule['id']}/", servers).status_code == 200
    hurry(sandbox)
    queue.drain([RECORDS_STREAMED])

    assert len(resting) == 11
    assert "Waits for an older one." in resting[10].error
    assert [item.attempts for item in resting] == [0] * 11
    names = [orjson.loads(each.value())["_id"] for each in read(broker, 11)]
    assert names == [f"event-{number}" for number in range(11)]
    assert waiting(sandbox) == []


def test_what_waited_too_long_is_put_aside(api, sandbox, inlet):
    make_rule(api, "127.0.0.1:1")
    send(inlet, event(1))
    with scope(sandbox, ACTOR):
        QueueItem.objects.for_sandbox(sandbox).update(created_at=timezone.now() - 2 * KEPT)

    queue.drain([RECORDS_STREAMED])

    (buried,) = waiting(sandbox)
    assert buried.buried_at is not None
    assert buried.error


def test_a_message_that_is_too_large_holds_no_other_up(api, sandbox, inlet, broker, monkeypatch):
    monkeypatch.setattr(kafka, "LARGEST_REQUEST", 20_000)
    make_rule(api, broker)

    send(inlet, event(1))
    send(inlet, event(2, web={"webPageDetails": {"name": "x" * 40_000}}))
    send(inlet, event(3))
    queue.drain([RECORDS_STREAMED])

    (buried,) = waiting(sandbox)
    assert "too large" in buried.error
    assert {orjson.loads(each.value())["_id"] for each in read(broker, 2)} == {"event-1", "event-3"}


def test_a_rule_that_is_off_sends_nothing(api, sandbox, inlet, broker):
    rule = make_rule(api, broker)
    send(inlet, event(1))

    api.patch(f"{RULES}{rule['id']}/", {"enabled": False})
    queue.drain([RECORDS_STREAMED])

    assert waiting(sandbox) == []
    topics = AdminClient({"bootstrap.servers": broker}).list_topics(timeout=5).topics
    assert "events" not in topics


def test_a_broker_that_advertises_an_inner_address_is_not_followed(
    api, sandbox, inlet, broker, settings, monkeypatch
):
    settings.ALLOWED_PRIVATE_HOSTS = ["broker.luma.example"]
    _lead(monkeypatch, "broker.luma.example", "127.0.0.1")
    make_rule(api, broker.replace("127.0.0.1", "broker.luma.example"))

    send(inlet, event(1))
    queue.drain([RECORDS_STREAMED])

    (resting,) = waiting(sandbox)
    assert "127.0.0.1 leads to an address inside a private network" in resting.error


def test_bootstrap_servers_inside_our_network_are_never_called(api, sandbox, inlet, settings):
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.5)
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    make_rule(api, address)
    settings.ALLOWED_PRIVATE_HOSTS = []

    send(inlet, event(1))
    queue.drain([RECORDS_STREAMED])

    with listener, pytest.raises(TimeoutError):
        listener.accept()
    assert "inside a private network" in waiting(sandbox)[0].error


def _lead(monkeypatch, name, address):
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *a, **k: real(address if host == name else host, *a, **k),
    )


def test_a_password_never_comes_back_and_goes_to_no_other_server(api, organization):
    sasl = {"mechanism": "SCRAM-SHA-512", "username": "cdp", "password": PASSWORD}
    rule = make_rule(api, "127.0.0.1:9092", **sasl)
    path = f"{RULES}{rule['id']}/"

    moved = api.patch(path, {"settings": {"bootstrap_servers": ["127.0.0.1:9093"]}})
    renamed = api.patch(path, {"settings": {"topic": "others"}})

    assert moved.status_code == 422
    assert [error["path"] for error in moved.json()["errors"]] == ["settings.password"]
    assert renamed.json()["settings"]["topic"] == "others"
    assert renamed.json()["settings"]["bootstrap_servers"] == ["127.0.0.1:9092"]
    with organization_scope(organization, ACTOR):
        events = AuditEvent.objects.for_organization(organization)
        told = list(events.values_list("before", "after"))
    assert len(told) > 2
    assert PASSWORD not in f"{rule}{moved.json()}{renamed.json()}{told}"


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"settings": {**SETTINGS, "bootstrap_servers": ["b.example:9092"]}}, "settings"),
        ({"settings": {"topic": "t"}}, "settings"),
        ({"settings": {"bootstrap_servers": ["b.example"], "topic": "t"}}, "settings.bootstrap_servers.0"),
        ({"settings": {"bootstrap_servers": ["b.example:1"], "topic": "a b"}}, "settings.topic"),
        ({"settings": {"bootstrap_servers": ["b.example:1"], "topic": "t", "username": "u"}}, "settings"),
        ({"settings": {"bootstrap_servers": ["b.example:1"], "topic": "t", "ca_certificate": "x"}}, "settings"),
        ({"settings": {"bootstrap_servers": ["b.example:1"], "topic": "t"}, "url": "https://a.example"}, "url"),
        ({"kind": "webhook", "url": "https://a.example", "settings": {"topic": "t"}}, "settings"),
        ({"kind": "webhook"}, "url"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_work_is_refused(api, values, path):
    response = api.post(RULES, {"name": "X", "kind": "kafka", **values})

    assert response.status_code == 422, response.json()
    assert {error["path"] for error in response.json()["errors"]} == {path}
    assert api.get(RULES).json()["results"] == []
