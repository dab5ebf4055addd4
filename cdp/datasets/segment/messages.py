"""What trackers send, before anything is mapped."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

KINDS: Final = frozenset({"identify", "track", "page", "screen", "group", "alias"})
_BATCHES: Final = frozenset({"batch", "import"})


class MessageUnusable(ValueError):
    """A message from which no record can be made; `path` says where the reason is."""

    def __init__(self, path: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.path, self.code, self.detail = path, code, detail


def messages_of(value: Any, endpoint: str) -> Iterator[dict[str, Any]]:
    """Yield the messages of a request; the address of a single one says its kind."""
    if endpoint not in _BATCHES:
        yield value | {"type": endpoint}
        return
    yield from value["batch"]


def count_of(value: Any, endpoint: str) -> int:
    """Count a request's messages. Raises `MessageUnusable` if it is not of the right form."""
    if not isinstance(value, dict):
        raise MessageUnusable("", "not_an_object", "A request is a JSON object.")
    if endpoint not in _BATCHES:
        return 1
    batch = value.get("batch")
    if not isinstance(batch, list):
        raise MessageUnusable("batch", "missing", "Put the messages into 'batch'.")
    return len(batch)


def kind_of(message: dict[str, Any]) -> str:
    """Return the kind of a message. Raises `MessageUnusable`."""
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in KINDS:
        detail = f"The type is one of {', '.join(sorted(KINDS))}, not '{kind}'."
        raise MessageUnusable("type", "unknown_type", detail)
    if not message.get("userId") and not message.get("anonymousId"):
        raise MessageUnusable("userId", "nobody", "Say a userId or an anonymousId.")
    return kind


def happened_at(
    message: dict[str, Any], *, received_at: datetime, sent_at: datetime | None, corrects: bool
) -> datetime:
    """Return when it happened by our clock.

    The client's clock may be wrong, but wrong by the same when it noted the event and
    when it sent it: so what counts is how long before the sending the event was. A time
    that no clock ever showed is left as it is.
    """
    original = read_time(message.get("originalTimestamp")) or read_time(message.get("timestamp"))
    if original is None:
        return received_at
    sent = read_time(message.get("sentAt")) or sent_at
    if not corrects or sent is None:
        return original
    try:
        return received_at - (sent - original)
    except OverflowError:
        return original


def read_time(text: Any) -> datetime | None:
    """Return a time, or None for anything that is none."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def with_traits(message: dict[str, Any]) -> dict[str, Any]:
    """Put the traits in one place: some trackers send them in the context alone."""
    context = _object(message.get("context"))
    traits = _object(context.get("traits")) | _object(message.get("traits"))
    properties = _object(message.get("properties"))
    return {**message, "context": context, "traits": traits, "properties": properties}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
