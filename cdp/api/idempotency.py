"""`Idempotency-Key`: a POST that is sent again is answered again, and done once.

The answer is stored in the transaction that does the work, so neither is ever there
without the other, whatever is killed in between. An advisory lock of that transaction
tells whether the first request is still running. A refusal rolls back and is not stored.
"""

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from cdp.api.models import StoredAnswer
from cdp.errors import Conflict, Invalid, Malformed
from cdp.tenancy import secrets
from cdp.tenancy.models import Organization, Sandbox

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY_LENGTH = 255
SWEPT = 100  # old answers that each new one takes along
_KEPT_HEADERS = ("Location", "ETag", "Content-Type")


class KeyInUse(Conflict):
    """The first request with this key is still running."""

    code = "idempotency_key_in_use"


class KeyReused(Invalid):
    """The key has been used for another body."""

    code = "idempotency_key_reused"


def once(view: Any, answer: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Return the answer to a request, or the stored answer to the same request before it.

    Without the header this is `answer()`. Raises `KeyInUse` and `KeyReused`.
    """
    key = view.request.headers.get(HEADER)
    if key is None:
        return answer()
    if not 0 < len(key) <= KEY_LENGTH:
        raise Malformed(f"An {HEADER} has 1 to {KEY_LENGTH} characters.")
    organization: Organization = view.caller.organization
    key_hash, body_hash = _key_hash(view, key), _body_hash(view.request)
    _lock(key_hash)
    stored = _find(organization, key_hash)
    if stored is None:
        response = answer()
        if isinstance(response, HttpResponse):  # a stream is not kept
            _store(view, organization, key_hash, body_hash, response)
        return response
    if bytes(stored.body_hash) != body_hash:
        raise KeyReused(f"This {HEADER} was sent with another body. Use a new key.")
    return _replayed(secrets.decrypt(organization, bytes(stored.answer)))


def forget(*, before: datetime, at_most: int) -> int:
    """Delete old answers of the scope that is open; return how many there were."""
    old = StoredAnswer.unscoped.filter(created_at__lt=before).values("pk")[:at_most]
    return StoredAnswer.unscoped.filter(pk__in=old).delete()[0]


def forget_sandbox(sandbox: Sandbox) -> int:
    """Delete every answer of a sandbox; encrypted as they are, nobody can tell whom they name."""
    rows = StoredAnswer.objects.for_organization(sandbox.organization_id).filter(sandbox=sandbox)
    return rows.delete()[0]


def _key_hash(view: Any, key: str) -> bytes:
    sandbox = getattr(view, "sandbox", None)
    parts = (view.caller.kind, view.caller.id, sandbox and sandbox.pk, view.request.path, key)
    return hashlib.sha256(repr(parts).encode()).digest()


def _body_hash(request: Any) -> bytes:
    body: bytes = request._request.body  # noqa: SLF001  the framework then parses what was read
    return hashlib.sha256(request.META.get("QUERY_STRING", "").encode() + b"\n" + body).digest()


def _lock(key_hash: bytes) -> None:
    number = int.from_bytes(key_hash[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        (free,) = cursor.fetchone() or (False,)
    if not free:
        raise KeyInUse(f"A request with this {HEADER} is still running. Ask again in a moment.")


def _find(organization: Organization, key_hash: bytes) -> StoredAnswer | None:
    rows = StoredAnswer.objects.for_organization(organization).filter(key_hash=key_hash)
    stored = rows.first()
    if stored is not None and stored.created_at < timezone.now() - settings.IDEMPOTENCY_KEPT:
        stored.delete()
        return None
    return stored


def _store(
    view: Any,
    organization: Organization,
    key_hash: bytes,
    body_hash: bytes,
    response: HttpResponse,
) -> None:
    now = timezone.now()
    forget(before=now - settings.IDEMPOTENCY_KEPT, at_most=SWEPT)
    answer = {
        "status": response.status_code,
        "headers": {name: response[name] for name in _KEPT_HEADERS if name in response},
        "body": base64.b64encode(response.content).decode(),
    }
    StoredAnswer.objects.create(
        organization=organization,
        sandbox=getattr(view, "sandbox", None),
        key_hash=key_hash,
        body_hash=body_hash,
        answer=secrets.encrypt(organization, answer),
        created_at=now,
    )


def _replayed(answer: dict[str, Any]) -> HttpResponse:
    body = base64.b64decode(answer["body"])
    return HttpResponse(
        body, status=answer["status"], headers={**answer["headers"], REPLAYED: "true"}
    )
