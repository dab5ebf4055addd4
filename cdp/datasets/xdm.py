"""XDM streaming messages: a record in an envelope that says where it goes.

    {"header": {"datasetId": ..., "schemaRef": {"id": ...}, "operations": {"data": "merge"}},
     "body": {"xdmMeta": {"schemaRef": {"id": ...}}, "xdmEntity": {...}}}

A record may also come without its envelope; then the inlet alone says where it goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cdp.datasets.enums import Operation
from cdp.datasets.errors import MessageInvalid
from cdp.datasets.routes import Route, Routes
from cdp.errors import FieldError


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """The record of a message, and what is to be done with it where."""

    record: dict[str, Any]
    route: Route
    operation: str = Operation.CREATE


def messages_of(value: Any) -> list[Any]:
    """Return the messages of a request: `{"messages": [...]}`, a list, or a single one."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        messages: list[Any] = value["messages"]
        return messages
    return [value]


def unwrap(message: Any, routes: Routes) -> Unwrapped:
    """Open one message. Raises `MessageInvalid` that names the part which is wrong."""
    if not isinstance(message, dict):
        raise _invalid("", "not_an_object", "A record is a JSON object.")
    body = message.get("body")
    if not (isinstance(body, dict) and ("xdmEntity" in body or "header" in message)):
        return Unwrapped(message, routes.named("", ""))
    record = body.get("xdmEntity")
    if not isinstance(record, dict):
        raise _invalid("body.xdmEntity", "missing", "Put the record into body.xdmEntity.")
    header = _object(message, "header")
    route = routes.named(_text(header, "datasetId", "header"), _schema_of(header, body))
    return Unwrapped(record, route, _operation(header))


def _schema_of(header: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    """Return the schema that the envelope names; both places must agree."""
    meta = _object(body, "xdmMeta")
    said = {_text(_object(place, "schemaRef"), "id", "schemaRef") for place in (header, meta)} - {
        ""
    }
    if len(said) > 1:
        raise _invalid(
            "body.xdmMeta.schemaRef.id",
            "schema_differs",
            "header.schemaRef and body.xdmMeta.schemaRef name different schemas.",
        )
    return said.pop() if said else ""


def _operation(header: Mapping[str, Any]) -> str:
    given = _object(header, "operations").get("data", Operation.CREATE)
    if given not in Operation.values:
        raise _invalid(
            "header.operations.data",
            "unknown_operation",
            f"Use one of {', '.join(Operation.values)}.",
        )
    return str(given)


def _object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _invalid(key, "not_an_object", f"'{key}' is a JSON object.")
    return value


def _text(parent: Mapping[str, Any], key: str, path: str) -> str:
    value = parent.get(key, "")
    if not isinstance(value, str):
        raise _invalid(f"{path}.{key}", "not_a_text", f"'{key}' is a text.")
    return value


def _invalid(path: str, code: str, detail: str) -> MessageInvalid:
    error: FieldError = {"path": path, "code": code, "detail": detail}
    return MessageInvalid(detail, errors=[error])
