"""Sending changes as signed HTTP requests."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Final

import orjson
from django.conf import settings

from cdp.outgoing.accounts import Account
from cdp.outgoing.client import Answer, NoAnswer, UrlRefused, check_url, send
from cdp.outgoing.signature import PATTERN, new_secret, signed_headers
from cdp.tenancy.ids import new_id
from destinations.connectors.base import (
    Batch,
    Change,
    Connector,
    DeliveryError,
    Mode,
    Receipt,
)

TEST_SECONDS: Final = 5
LONGEST_WAIT: Final = timedelta(days=1)
GONE: Final = 410
# Answers that say something about the moment or about credentials that are being changed, not
# about the message: worth another try. Any other answer below 500 is the receiver's verdict.
PASSING: Final = frozenset({401, 403, 404, 408, 409, 423, 425, 429})


class WebhookConnector(Connector):
    """Posts each change, or a batch of them, to a URL."""

    kind = "webhook"
    title = "Webhook"
    description = (
        "Posts signed JSON to a URL as soon as people enter or leave a segment. "
        "Signatures follow Standard Webhooks; `webhook-id` stays the same when a message is "
        "sent again."
    )
    category = "streaming"
    mode = Mode.STREAMING
    sent_secrets: ClassVar[Mapping[str, str]] = {"authorization": "url"}
    settings_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["url", "signing_secret"],
        "properties": {
            "url": {
                "type": "string",
                "title": "URL",
                "description": "Where messages are posted. https, and not inside a private "
                "network.",
                "maxLength": 2_000,
            },
            "batch_size": {
                "type": "integer",
                "title": "Batch size",
                "description": "1 sends a message for each change; more sends up to as many "
                "changes in one message of the type `segment.changes`.",
                "minimum": 1,
                "maximum": 1_000,
                "default": 1,
            },
            "authorization": {
                "type": "string",
                "title": "Authorization header",
                "description": "Sent as it is, for receivers that ask for one.",
                "minLength": 1,
                "maxLength": 4_000,
                "pattern": r"^[\x21-\x7e]+( [\x21-\x7e]+)*$",
                "writeOnly": True,
            },
            "signing_secret": {
                "type": "string",
                "title": "Signing secret",
                "description": "`whsec_` and 24 to 64 bytes in base64. Made for you, and shown "
                "once, if you give none.",
                "pattern": PATTERN,
                "writeOnly": True,
            },
        },
    }

    @classmethod
    def checked(cls, account: Account) -> Account:
        check_url(account["url"])
        return account

    @classmethod
    def make_secrets(cls) -> dict[str, Any]:
        return {"signing_secret": new_secret()}

    @property
    def batch_size(self) -> int:
        size: int = self.account["batch_size"]
        return size

    def test(self) -> str:
        message = {"type": "connection.test", "timestamp": _time(datetime.now(UTC)), "data": {}}
        answer = self._post(new_id("tst"), message, TEST_SECONDS)
        return f"The receiver answered {answer.status} in {answer.seconds * 1000:.0f} ms."

    def deliver(self, batch: Batch) -> Receipt:
        changes = list(batch.changes)
        answer = self._post(batch.id, message_of(batch, changes), settings.DELIVERY_SECONDS)
        return Receipt(delivered=len(changes), reference=f"HTTP {answer.status}")

    def _post(self, message_id: str, message: dict[str, Any], seconds: float) -> Answer:
        body = orjson.dumps(message)
        headers = signed_headers(
            self.account["signing_secret"],
            message_id=message_id,
            timestamp=int(time.time()),
            body=body,
        )
        if authorization := self.account.get("authorization"):
            headers["authorization"] = authorization
        headers["content-type"] = "application/json"
        try:
            answer = send("POST", self.account["url"], headers=headers, body=body, seconds=seconds)
        except UrlRefused as error:
            raise DeliveryError(str(error), permanent=True) from error
        except NoAnswer as error:
            raise DeliveryError(str(error)) from error
        _judge(answer)
        return answer


def message_of(batch: Batch, changes: list[Change]) -> dict[str, Any]:
    """Return what is posted; the same batch gives the same message."""
    segment = {"id": batch.segment_id, "name": batch.segment_name}
    if len(changes) == 1:
        event = _event(changes[0])
        data = {"activation_id": batch.activation_id, "segment": segment, **event.pop("data")}
        return {**event, "data": data}
    return {
        "type": "segment.changes",
        "timestamp": _time(batch.started_at),
        "data": {
            "activation_id": batch.activation_id,
            "segment": segment,
            "changes": [_event(change) for change in changes],
        },
    }


def _event(change: Change) -> dict[str, Any]:
    return {
        "type": "segment.entered" if change.entered else "segment.exited",
        "timestamp": _time(change.at),
        "data": {
            "id": change.id,
            "sequence": change.sequence,
            "profile_id": change.profile_id,
            "attributes": change.attributes,
            "identities": change.identities,
        },
    }


def _judge(answer: Answer) -> None:
    status = answer.status
    if 200 <= status < 300:
        return
    if status == GONE:
        raise DeliveryError("The receiver answered 410: it wants nothing more.", gone=True)
    if 300 <= status < 400:
        raise DeliveryError(
            f"The receiver answered {status}; redirects are not followed. Set the URL it names.",
            permanent=True,
        )
    raise DeliveryError(
        f"The receiver answered {status}.",
        permanent=status < 500 and status not in PASSING,
        retry_after=_retry_after(answer.headers.get("retry-after", "")),
    )


def _retry_after(value: str) -> timedelta | None:
    if value.isascii() and value.isdigit():
        return min(timedelta(seconds=min(int(value), 10**6)), LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(value) - datetime.now(UTC)
    except (TypeError, ValueError):
        return None
    return max(timedelta(0), min(wait, LONGEST_WAIT))


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
