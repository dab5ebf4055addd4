"""Sending on to a webhook: a signed request for each request that came in."""

import time
from typing import Final

import orjson

from cdp.datasets.decoding import arrival_of
from cdp.datasets.forwarding.records import (
    ACTOR,
    ForwardingFailed,
    find_rules,
    known_of,
    wanted_records,
)
from cdp.datasets.models import ForwardingRule
from cdp.outgoing.client import NoAnswer, UrlRefused, send
from cdp.outgoing.signature import signed_headers
from cdp.queue import Claim, Item
from cdp.tenancy import secrets
from cdp.tenancy.scope import scope

SIGNED_WITH: Final = "signing_secret"
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


def forward(claim: Claim) -> None:
    """Handle topic `records.forwarded`: send each row to the rule that it is for.

    A rule that is gone or off meanwhile takes nothing. What the receiver refuses for
    good is put aside with its answer; anything else is tried again.
    """
    for item in claim.items:
        with scope(claim.sandbox, ACTOR):
            rule = find_rules(claim.sandbox, [item.payload["rule"]]).get(item.payload["rule"])
            body = _body(claim, item, rule) if rule else b""
            secret = _secret(rule) if rule else ""
        refusal = _send(item, rule, body, secret) if rule and body else ""
        with scope(claim.sandbox, ACTOR):
            if refusal:
                claim.bury([item], refusal)
            else:
                claim.finish([item])


def _body(claim: Claim, item: Item, rule: ForwardingRule) -> bytes:
    """Return what is sent: the wanted records as XDM; or nothing."""
    records = wanted_records(item, known_of(claim.sandbox, [item]), rule)
    if not records:
        return b""
    arrival = arrival_of(item)
    return orjson.dumps(
        {
            "type": "records.accepted",
            "receipt_id": arrival.receipt_id,
            "inlet_id": arrival.inlet_id,
            "received_at": arrival.received_at,
            "records": [
                {
                    "dataset_id": received.dataset_id,
                    "position": received.position,
                    "record": received.record,
                }
                for received in records
            ],
        }
    )


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
