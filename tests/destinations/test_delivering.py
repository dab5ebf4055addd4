"""Delivering to a receiver that answers, fails, dawdles, moves or is gone."""

import time
from collections import Counter
from datetime import timedelta

import pytest
from werkzeug import Request, Response

from cdp.queue import backlog, drain
from cdp.queue.models import QueueItem
from cdp.tenancy.models import AuditEvent, UsageCounter
from cdp.tenancy.scope import organization_scope, scope
from destinations.connectors.webhook.connector import WebhookConnector
from destinations.enums import ConnectionState, DeliveryState
from destinations.services import delivering
from destinations.services.activations import change_activation, delete_activation
from destinations.services.connections import change_connection
from destinations.topics import DELIVERIES_DUE
from governance.selectors import get_policy
from governance.services.policies import change_policy, stored_core_policy
from profiles.models import Identity
from segments.topics import MEMBERSHIPS_CHANGED
from tests.destinations.world import (
    ACTOR,
    activate,
    deliveries,
    fresh,
    label_field,
    make_person,
    make_segment,
    make_webhook,
    queries_of,
    runs,
    tell,
    work,
)

DELIVERED, FAILED = DeliveryState.DELIVERED, DeliveryState.FAILED


class Receiver:
    """A receiver that gives the answers of a list, then 200; it remembers what it was sent."""

    def __init__(self, httpserver) -> None:
        self.url = httpserver.url_for("/hook")
        self.answers: list[int | tuple[int, dict[str, str]]] = []
        self.messages: list[tuple[str, dict]] = []
        httpserver.expect_request("/hook").respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        self.messages.append((request.headers["webhook-id"], request.get_json()))
        answer = self.answers.pop(0) if self.answers else 200
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        return Response(status=status, headers=headers)

    @property
    def heard(self) -> list[tuple[str, str]]:
        """The types of what was sent, with the profile."""
        return [(message["type"], message["data"]["profile_id"]) for _, message in self.messages]


@pytest.fixture
def receiver(httpserver):
    """A receiver of webhooks."""
    return Receiver(httpserver)


@pytest.fixture
def at_once(settings):
    """Let three further attempts follow without a pause."""
    settings.DELIVERY_DELAYS = [timedelta(0)] * 3


@pytest.fixture
def segment(sandbox, customers):
    """A segment of people called Sarah."""
    return make_segment(sandbox)


@pytest.fixture
def connection(sandbox, receiver):
    """A connection to the receiver."""
    return make_webhook(sandbox, receiver.url)


@pytest.fixture
def activation(connection, segment):
    """The segment, sent to the receiver."""
    return activate(connection, segment)


@pytest.mark.acceptance("D-46")
@pytest.mark.acceptance("D-47")
def test_a_change_reaches_the_receiver_with_what_is_mapped(sandbox, segment, activation, receiver):
    sarah = make_person(sandbox)

    tell(segment, entered=[sarah.pk])
    work()

    [delivery], [run] = deliveries(sandbox), runs(sandbox)
    [(message_id, message)] = receiver.messages
    assert message["type"] == "segment.entered"
    assert message["data"] == {
        "activation_id": activation.pk,
        "segment": {"id": segment.pk, "name": "Runners"},
        "id": delivery.public_id,
        "sequence": delivery.pk,
        "profile_id": f"prf_{sarah.pk}",
        "attributes": {"first_name": "Sarah"},
        "identities": {"email": [f"sarah{sarah.pk}@luma.example"]},
    }
    assert (delivery.state, delivery.batch) == (DELIVERED, message_id)
    assert (run.received, run.delivered, run.pending) == (1, 1, 0)
    with scope(sandbox, ACTOR):
        assert backlog(sandbox, DELIVERIES_DUE) == 0
        usage = UsageCounter.objects.for_sandbox(sandbox).values_list("name", "subject", "amount")
        assert list(usage) == [("deliveries.sent", activation.connection_id, 1)]


def test_a_member_who_leaves_is_sent_as_removed(sandbox, segment, activation, receiver):
    sarah = make_person(sandbox)

    tell(segment, entered=[sarah.pk])
    work()
    tell(segment, exited=[sarah.pk])
    work()

    assert receiver.heard == [
        ("segment.entered", f"prf_{sarah.pk}"),
        ("segment.exited", f"prf_{sarah.pk}"),
    ]


def test_a_failed_attempt_is_repeated_under_the_same_id(
    sandbox, segment, activation, receiver, at_once
):
    receiver.answers = [500, 503]

    tell(segment, entered=[make_person(sandbox).pk])
    work()

    ids = [message_id for message_id, _ in receiver.messages]
    assert len(ids) == 3
    assert len(set(ids)) == 1
    assert receiver.messages[0] == receiver.messages[2]
    assert [row.state for row in deliveries(sandbox)] == [DELIVERED]
    assert fresh(activation.connection).failures == 0


def test_an_attempt_waits_for_its_time(sandbox, segment, activation, receiver, clock, settings):
    settings.DELIVERY_DELAYS = [timedelta(seconds=10), timedelta(seconds=60)]
    receiver.answers = [500, 500]
    tell(segment, entered=[make_person(sandbox).pk])
    attempts = []

    for seconds in (0, 9, 3, 50, 20):
        clock.move(seconds=seconds)
        work()
        attempts.append(len(receiver.messages))

    assert attempts == [1, 1, 2, 2, 3]


def test_the_wait_that_the_receiver_asks_for_is_kept(sandbox, segment, activation, receiver, clock):
    receiver.answers = [(429, {"Retry-After": "120"})]
    tell(segment, entered=[make_person(sandbox).pk])
    work()

    clock.move(seconds=119)
    work()
    early = len(receiver.messages)
    clock.move(seconds=20)
    work()

    assert (early, len(receiver.messages)) == (1, 2)


def test_after_the_last_attempt_it_has_failed_with_the_reason(
    sandbox, segment, activation, receiver, at_once
):
    receiver.answers = [500, 500, 500, 502]

    tell(segment, entered=[make_person(sandbox).pk])
    work()

    assert len(receiver.messages) == 4
    [delivery], [run] = deliveries(sandbox), runs(sandbox)
    assert (delivery.state, delivery.error) == (FAILED, "The receiver answered 502.")
    assert (run.failed, run.pending) == (1, 0)


def test_what_the_receiver_rejects_is_not_repeated_and_stops_nobody(
    sandbox, segment, activation, receiver
):
    receiver.answers = [422]
    first, second = make_person(sandbox), make_person(sandbox, "Ada")

    tell(segment, entered=[first.pk])
    work()
    tell(segment, entered=[second.pk])
    work()

    assert [(row.state, row.error) for row in deliveries(sandbox)] == [
        (FAILED, "The receiver answered 422."),
        (DELIVERED, ""),
    ]
    assert len(receiver.messages) == 2
    assert fresh(activation.connection).resting_until is None


def test_a_redirect_to_an_inner_address_is_not_followed(
    sandbox, segment, activation, receiver, httpserver
):
    receiver.answers = [(307, {"Location": httpserver.url_for("/inner")})]

    tell(segment, entered=[make_person(sandbox).pk])
    work()

    assert [request.path for request, _ in httpserver.log] == ["/hook"]
    assert [row.state for row in deliveries(sandbox)] == [FAILED]


def test_a_receiver_that_is_gone_is_left_alone_from_then_on(
    sandbox, organization, segment, activation, receiver
):
    receiver.answers = [410]
    people = [make_person(sandbox).pk for _ in range(3)]

    tell(segment, entered=people[:1])
    work()
    tell(segment, entered=people[1:])
    work()

    connection = fresh(activation.connection)
    reason = "The receiver answered 410: it wants nothing more."
    assert (connection.state, connection.stopped_because) == (ConnectionState.STOPPED, reason)
    assert [(row.profile_id, row.state) for row in deliveries(sandbox)] == [(people[0], FAILED)]
    assert len(receiver.messages) == 1
    with organization_scope(organization, ACTOR):
        stopped = AuditEvent.objects.for_organization(organization).filter(
            action="destination_connection.stopped"
        )
        assert [event.after for event in stopped] == [{"reason": reason}]

    with scope(sandbox, ACTOR):
        change_connection(actor=ACTOR, connection=connection, state=ConnectionState.ACTIVE)
    tell(segment, exited=people[:1])
    work()

    assert deliveries(sandbox)[-1].state == DELIVERED


def test_a_dead_receiver_costs_few_attempts_however_much_waits(
    sandbox, segment, activation, receiver, clock
):
    receiver.answers = [500] * 100
    people = [make_person(sandbox).pk for _ in range(30)]

    tell(segment, entered=people)
    work()
    tried = len(receiver.messages)
    tell(segment, exited=people)
    work()
    resting = fresh(activation.connection).resting_until

    assert tried <= 8
    assert len(receiver.messages) == tried
    assert resting > clock.now
    assert {row.state for row in deliveries(sandbox)} == {DeliveryState.PENDING}

    receiver.answers = []
    for _ in range(30):
        clock.move(seconds=60)
        work()

    assert Counter(row.state for row in deliveries(sandbox)) == {DELIVERED: 60}
    assert fresh(activation.connection).failures == 0


def test_what_waits_too_long_for_a_dead_receiver_fails(
    sandbox, segment, activation, receiver, clock
):
    receiver.answers = [500] * 1_000
    tell(segment, entered=[make_person(sandbox).pk for _ in range(20)])
    work()

    clock.move(days=2, seconds=1)
    work()

    assert Counter(row.state for row in deliveries(sandbox)) == {FAILED: 20}
    assert "took nothing for 2 days" in deliveries(sandbox)[0].error


def test_a_slow_receiver_holds_up_no_other(sandbox, segment, receiver, httpserver, settings):
    settings.DELIVERY_SECONDS = 0.2
    slow = httpserver.url_for("/slow")
    httpserver.expect_request("/slow").respond_with_handler(lambda _: Response(str(time.sleep(1))))
    activate(make_webhook(sandbox, slow), segment)
    activate(make_webhook(sandbox, receiver.url), segment)
    started = time.monotonic()

    tell(segment, entered=[make_person(sandbox).pk for _ in range(20)])
    work(rounds=False)

    assert len(receiver.messages) == 20
    assert time.monotonic() - started < 1


def test_the_changes_of_a_profile_arrive_in_their_order(
    sandbox, segment, activation, receiver, clock
):
    receiver.answers = [500]
    sarah, ada = make_person(sandbox), make_person(sandbox, "Ada")

    tell(segment, entered=[sarah.pk])
    work()
    tell(segment, exited=[sarah.pk])
    tell(segment, entered=[ada.pk])
    for _ in range(4):
        clock.move(seconds=2)
        work()

    heard = [kind for kind, profile in receiver.heard if profile == f"prf_{sarah.pk}"]
    assert heard == ["segment.entered", "segment.entered", "segment.exited"]
    assert {row.state for row in deliveries(sandbox)} == {DELIVERED}


def test_changes_of_a_profile_that_wait_together_arrive_in_their_order(
    sandbox, segment, activation, receiver, clock
):
    sarah = make_person(sandbox)

    tell(segment, entered=[sarah.pk])
    tell(segment, exited=[sarah.pk])
    tell(segment, entered=[sarah.pk])
    for _ in range(4):
        work()
        clock.move(seconds=1)

    assert [kind for kind, _ in receiver.heard] == [
        "segment.entered",
        "segment.exited",
        "segment.entered",
    ]


@pytest.mark.parametrize("times", [1, 3])
def test_a_worker_that_dies_after_sending_sends_the_same_again(
    sandbox, segment, activation, receiver, clock, monkeypatch, times
):
    written = delivering.settle
    deaths = iter([True] * times)

    def die(*args: object) -> None:
        if next(deaths, False):
            raise SystemError("killed")
        written(*args)

    monkeypatch.setattr(delivering, "settle", die)
    people = [make_person(sandbox).pk for _ in range(3)]

    tell(segment, entered=people)
    for _ in range(12):
        work(forgiving=True)
        clock.move(minutes=1)

    once = dict(receiver.messages)  # what a receiver keeps that honours the ids
    assert sorted(message["data"]["profile_id"] for message in once.values()) == sorted(
        f"prf_{each}" for each in people
    )
    assert len(receiver.messages) > 3
    assert Counter(row.state for row in deliveries(sandbox)) == {DELIVERED: 3}
    assert [run.delivered for run in runs(sandbox)] == [3]


def test_a_fault_of_ours_ends_in_the_queues_hands_and_spares_the_others(
    sandbox, segment, activation, receiver, clock, monkeypatch
):
    bad, good = make_person(sandbox), make_person(sandbox, "Ada")
    deliver = WebhookConnector.deliver

    def stumble(self, batch):
        changes = list(batch.changes)
        if changes[0].profile_id == f"prf_{bad.pk}":
            raise ZeroDivisionError("a bug")
        return deliver(self, type(batch)(**{**_values(batch), "changes": changes}))

    monkeypatch.setattr(WebhookConnector, "deliver", stumble)

    tell(segment, entered=[bad.pk, good.pk])
    for _ in range(12):
        work(forgiving=True)
        clock.move(minutes=6)

    assert receiver.heard == [("segment.entered", f"prf_{good.pk}")]
    with scope(sandbox, ACTOR):
        [buried] = QueueItem.objects.for_sandbox(sandbox).filter(buried_at__isnull=False)
        assert len(buried.payload["deliveries"]) == 1


def _values(batch):
    return {name: getattr(batch, name) for name in batch.__slots__}


def test_a_profile_that_was_merged_away_takes_nothing_of_the_survivor_along(
    sandbox, segment, activation, receiver
):
    survivor, gone = make_person(sandbox), make_person(sandbox, "Ada")
    with scope(sandbox, ACTOR):
        Identity.objects.for_sandbox(sandbox).filter(profile=gone).update(profile=survivor)

    tell(segment, exited=[gone.pk])
    work()

    [(_, message)] = receiver.messages
    assert message["data"]["profile_id"] == f"prf_{gone.pk}"
    assert message["data"]["attributes"] == {"first_name": None}
    assert message["data"]["identities"] == {"email": []}


def test_what_waits_for_a_disabled_activation_is_not_sent(sandbox, segment, activation, receiver):
    tell(segment, entered=[make_person(sandbox).pk])
    drain([MEMBERSHIPS_CHANGED])
    with scope(sandbox, ACTOR):
        change_activation(actor=ACTOR, activation=fresh(activation), enabled=False)
    work()

    assert receiver.messages == []
    assert [(row.state, row.error) for row in deliveries(sandbox)] == [
        (FAILED, "The activation was disabled before this was sent.")
    ]


def test_what_waits_for_a_deleted_activation_is_forgotten(sandbox, segment, activation, receiver):
    tell(segment, entered=[make_person(sandbox).pk])
    drain([MEMBERSHIPS_CHANGED])
    with scope(sandbox, ACTOR):
        delete_activation(actor=ACTOR, activation=fresh(activation))
    work()

    assert receiver.messages == []
    assert deliveries(sandbox) == []
    with scope(sandbox, ACTOR):
        assert backlog(sandbox, DELIVERIES_DUE) == 0


@pytest.mark.acceptance("D-29")
def test_a_policy_that_is_enabled_later_stops_what_runs_already(
    sandbox, organization, customers, segment, activation, receiver
):
    label_field(customers.schema, "person.name.firstName", "C4")
    people = [make_person(sandbox).pk for _ in range(3)]
    tell(segment, entered=people[:1])
    work()

    _switch(sandbox, "enabled")
    tell(segment, entered=people[1:2])
    work()
    refused = fresh(activation).refused_because
    _switch(sandbox, "disabled")
    tell(segment, entered=people[2:])
    work()

    assert [(row.state, bool(row.error)) for row in deliveries(sandbox)] == [
        (DELIVERED, False),
        (DeliveryState.REFUSED, True),
        (DELIVERED, False),
    ]
    assert "'Restrict email targeting' does not allow emailTargeting" in refused
    assert fresh(activation).refused_because == ""
    assert len(receiver.messages) == 2
    assert [(run.delivered, run.refused) for run in runs(sandbox)] == [(2, 1)]
    with organization_scope(organization, ACTOR):
        decisions = AuditEvent.objects.for_organization(organization).filter(
            action__startswith="use.", actor_id="destinations.deliver"
        )
        assert [event.action for event in decisions.order_by("pk")] == [
            "use.refused",
            "use.allowed",
        ]


def _switch(sandbox, status: str) -> None:
    with scope(sandbox, ACTOR):
        policy = stored_core_policy(get_policy(sandbox, "pol_core_email_targeting"))
        change_policy(actor=ACTOR, policy=policy, status=status)


@pytest.mark.parametrize("count", [1, 40])
def test_a_claim_costs_the_same_however_many_batches_it_holds(
    sandbox, segment, activation, receiver, count
):
    tell(segment, entered=[make_person(sandbox).pk for _ in range(count)])
    drain([MEMBERSHIPS_CHANGED])

    with queries_of("destinations_|profiles_") as ours:
        drain([DELIVERIES_DUE])

    # Deliveries, activations, order; merge policy, people; then lock, write down.
    assert len(ours) == 7
    assert len(receiver.messages) == count
