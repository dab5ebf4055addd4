"""Sending on what an inlet takes: to a webhook, as rows of the queue first."""

import time
from typing import Any, Final

import orjson

from cdp.datasets import selectors
from cdp.datasets.decoding import Known, arrival_of, decode
from cdp.datasets.models import ForwardingRule
from cdp.datasets.records import Received
from cdp.outgoing.client import NoAnswer, UrlRefused, send
from cdp.outgoing.signature import signed_headers
from cdp.queue import Claim, Item
from cdp.tenancy import secrets
from cdp.tenancy.actors import Actor
from cdp.tenancy.scope import scope

ACTOR: Final = Actor.system("datasets.forwarding")
SIGNED_WITH: Final = "signing_secret"
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class ForwardingFailed(Exception):
    """The receiver did not take it; the queue tries again later."""


def forward(claim: Claim) -> None:
    """Handle topic `records.forwarded`: send each row to the rule that it is for.

    A rule that is gone or off meanwhile takes nothing. What the receiver refuses for
    good is put aside with its answer; anything else is tried again.
    """
    for item in claim.items:
        with scope(claim.sandbox, ACTOR):
            rule = _rule(claim, item)
            body = _body(claim, item, rule) if rule else b""
            secret = _secret(rule) if rule else ""
        refusal = _send(item, rule, body, secret) if rule and body else ""
        with scope(claim.sandbox, ACTOR):
            if refusal:
                claim.bury([item], refusal)
            else:
                claim.finish([item])


def _rule(claim: Claim, item: Item) -> ForwardingRule | None:
    return (
        ForwardingRule.objects.for_sandbox(claim.sandbox)
        .select_related("sandbox__organization")
        .filter(pk=item.payload["rule"], enabled=True)
        .first()
    )


def _body(claim: Claim, item: Item, rule: ForwardingRule) -> bytes:
    """Return what is sent: the records as XDM, those of the wanted event types; or nothing."""
    arrival = arrival_of(item)
    inlets = selectors.inlet_facts(claim.sandbox, [arrival.inlet_id])
    routed = {route.dataset_id for inlet in inlets.values() for route in inlet.routes.all}
    datasets = selectors.dataset_facts(claim.sandbox, routed)
    records = [
        _shown(place)
        for place in decode([item], Known(claim.sandbox, inlets, datasets))
        if isinstance(place, Received) and _is_wanted(place.record, rule)
    ]
    if not records:
        return b""
    return orjson.dumps(
        {
            "type": "records.accepted",
            "receipt_id": arrival.receipt_id,
            "inlet_id": arrival.inlet_id,
            "received_at": arrival.received_at,
            "records": records,
        }
    )


def _shown(received: Received) -> dict[str, Any]:
    return {
        "dataset_id": received.dataset_id,
        "position": received.position,
        "record": received.record,
    }


def _is_wanted(record: Any, rule: ForwardingRule) -> bool:
    if not rule.event_types:
        return True
    return isinstance(record, dict) and record.get("eventType") in rule.event_types


def _secret(rule: ForwardingRule) -> str:
    return str(secrets.decrypt(rule.sandbox.organization, bytes(rule.secrets))[SIGNED_WITH])


def _send(item: Item, rule: ForwardingRule, body: bytes, secret: str) -> str:
    """Post the body; return why it was refused for good, or nothing.

    Raises `ForwardingFailed` when another try may help.
    """
    headers = {
        "Content-Type": "application/json",
        **signed_headers(
            secret,
            message_id=f"{item.payload['receipt']}.{rule.pk}",
            timestamp=int(time.time()),
            body=body,
        ),
    }
    try:
        answer = send("POST", rule.url, headers=headers, body=body)
    except UrlRefused as error:
        return str(error)
    except NoAnswer as error:
        raise ForwardingFailed(str(error)) from error
    if answer.status < 300:
        return ""
    told = f"{rule.url} answered {answer.status}."
    if answer.status in _AGAIN:
        raise ForwardingFailed(told)
    return told
