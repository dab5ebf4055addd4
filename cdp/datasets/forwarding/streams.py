"""Sending on to a Kafka-compatible topic: a message for each record, in order for each person.

A sandbox has one claim at a time, and no row overtakes an older one of its rule. So
the order in which requests were written down is the order in which the topic has them;
after an outage some messages may come a second time, with the same `ce_id`.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson
from django.db.models import Min
from django.utils import timezone

from cdp.datasets.decoding import Known
from cdp.datasets.forwarding.records import (
    ACTOR,
    find_rules,
    known_of,
    person_key,
    wanted_records,
)
from cdp.datasets.models import ForwardingRule
from cdp.datasets.records import Received
from cdp.datasets.topics import RECORDS_STREAMED
from cdp.outgoing.accounts import Account
from cdp.outgoing.kafka import BrokerAway, Cluster, Message, Producer
from cdp.queue import Claim, Item
from cdp.queue.models import QueueItem
from cdp.tenancy import secrets
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope

KEPT: Final = timedelta(days=1)
SHORTEST: Final = timedelta(seconds=1)
LONGEST: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One row of the queue and the messages that it becomes."""

    item: Item
    messages: list[Message]


def stream(claim: Claim) -> None:
    """Handle topic `records.streamed`: send each row's records to the topic of its rule.

    While a cluster is away its rows wait, later each time and for a day at most; then
    they are put aside with the reason. A message that is too large is put aside alone.
    """
    by_rule: dict[str, list[Item]] = defaultdict(list)
    for item in claim.items:
        by_rule[item.payload["rule"]].append(item)
    with scope(claim.sandbox, ACTOR):
        rules = find_rules(claim.sandbox, by_rule)
        first = _oldest_elsewhere(claim, by_rule)
    for rule_id, items in by_rule.items():
        with scope(claim.sandbox, ACTOR):
            ready = _hold_back(claim, items, first.get(rule_id))
            if rule_id not in rules:
                claim.finish(ready)
                continue
            work = _messages(claim.sandbox, ready, rules[rule_id])
            cluster = Cluster(account_of(rules[rule_id]))
        _send(claim, cluster, work)


def _oldest_elsewhere(claim: Claim, rule_ids: Collection[str]) -> dict[str, int]:
    """Return for each rule its oldest row that waits and is not in this claim."""
    waiting = (
        QueueItem.objects.for_sandbox(claim.sandbox)
        .filter(topic=RECORDS_STREAMED, key__in=list(rule_ids), buried_at=None)
        .exclude(claim=claim.token)
    )
    return dict(waiting.values_list("key").annotate(Min("id")))


def _hold_back(claim: Claim, items: list[Item], oldest: int | None) -> list[Item]:
    """Put rows back that would overtake an older one, until its time; return the others."""
    if oldest is None:
        return items
    early = [item for item in items if item.id > oldest]
    row = QueueItem.objects.for_sandbox(claim.sandbox).filter(pk=oldest).first()
    pause = row.available_at - timezone.now() if row else timedelta()
    claim.retry(early, "Waits for an older one.", max(pause, timedelta()))
    return [item for item in items if item.id < oldest]


def _messages(sandbox: Sandbox, items: list[Item], rule: ForwardingRule) -> list[Outgoing]:
    known = known_of(sandbox, items)
    return [
        Outgoing(
            item,
            [_message(received, known, rule) for received in wanted_records(item, known, rule)],
        )
        for item in items
    ]


def _message(received: Received, known: Known, rule: ForwardingRule) -> Message:
    """Write a record as a CloudEvent in the binary form of the Kafka binding."""
    key = person_key(received.record, known.datasets.get(received.dataset_id))
    return Message(
        key=(key or received.receipt_id).encode(),
        value=orjson.dumps(received.record),
        headers={
            "ce_specversion": "1.0",
            "ce_id": f"{received.receipt_id}-{received.position}.{rule.pk}",
            "ce_type": "record.accepted",
            "ce_source": f"/inlets/{received.arrival.inlet_id}",
            "ce_time": received.received_at.isoformat(),
            "ce_datasetid": received.dataset_id,
            "content-type": "application/json",
        },
    )


def account_of(rule: ForwardingRule) -> Account:
    """Return the settings of the rule's cluster with what is secret in them."""
    return Account(rule.settings, secrets.decrypt(rule.sandbox.organization, bytes(rule.secrets)))


def _send(claim: Claim, cluster: Cluster, work: list[Outgoing]) -> None:
    sending = [each for each in work if each.messages]
    refused: dict[int, str] = {}
    failure = ""
    if sending:
        try:
            with cluster.producer() as producer:
                refused = _send_all(producer, sending)
        except BrokerAway as error:
            failure = str(error)
    with scope(claim.sandbox, ACTOR):
        if failure:
            _again(claim, [each.item for each in sending], failure)
        for item_id, reason in refused.items():
            claim.bury([each.item for each in sending if each.item.id == item_id], reason)
        left = sending if failure else [each for each in sending if each.item.id in refused]
        done = {each.item.id for each in work} - {each.item.id for each in left}
        claim.finish([each.item for each in work if each.item.id in done])


def _send_all(producer: Producer, work: list[Outgoing]) -> dict[int, str]:
    """Send everything; return by row why a message of it was refused for good."""
    owners = [each.item.id for each in work for _ in each.messages]
    reasons = producer.send([message for each in work for message in each.messages])
    return {owner: reason for owner, reason in zip(owners, reasons, strict=True) if reason}


def _again(claim: Claim, items: list[Item], error: str) -> None:
    """Put rows back together, so that they stay in order; give up what is too old."""
    now = timezone.now()
    old = [item for item in items if now - item.created_at > KEPT]
    claim.bury(old, error)
    young = [item for item in items if item not in old]
    if young:
        claim.retry(young, error, _pause(young[0].created_at, now))


def _pause(since: datetime, now: datetime) -> timedelta:
    """Wait a quarter of the time that the oldest has waited already."""
    return min(max((now - since) / 4, SHORTEST), LONGEST)
