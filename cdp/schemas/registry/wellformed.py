"""Whether a document is JSON Schema at all, before anybody reads it as one."""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from cdp.schemas.registry.explaining import written_path
from cdp.schemas.registry.problems import Problem
from cdp.schemas.registry.screening import Limits, screen

# The draft that the published files are closest to; it knows `definitions` and tuples.
_DRAFT = jsonschema_rs.Draft7Validator({"$ref": "http://json-schema.org/draft-07/schema#"})
_LIMITS = Limits(max_bytes=8 * 1024 * 1024, max_depth=64, max_fields=100_000)
SHOWN = 20


def check_form(document: Any) -> Iterator[Problem]:
    """Refuse what is no JSON, no JSON Schema, or misuses the keywords that XDM adds."""
    if not isinstance(document, Mapping):
        yield Problem("malformed", "A resource is a JSON object.")
        return
    unreadable = [
        Problem("malformed", error.detail, error.path)
        for error in screen(document, _LIMITS)
        if error.code not in ("null_value", "number_not_exact")  # a schema may say either
    ]
    if unreadable:
        yield from unreadable[:SHOWN]
        return
    for number, error in enumerate(_DRAFT.iter_errors(document)):
        if number == SHOWN:
            return
        detail = f"This is no JSON Schema: {error.message[:200]}."
        yield Problem("malformed", detail, written_path(error.instance_path))
    yield from _check_own_keywords(document, "")


def _check_own_keywords(node: Any, path: str) -> Iterator[Problem]:
    if isinstance(node, list):
        for entry in node:
            yield from _check_own_keywords(entry, path)
    if not isinstance(node, Mapping):
        return
    if not isinstance(node.get("meta:enum", {}), Mapping):
        yield Problem("malformed", "'meta:enum' is an object of values and titles.", path)
    classes = node.get("meta:intendedToExtend", [])
    if not isinstance(classes, list) or not all(isinstance(uri, str) for uri in classes):
        yield Problem("malformed", "'meta:intendedToExtend' is a list of ids.", path)
    for name, below in node.items():
        yield from _check_own_keywords(below, f"{path}.{name}" if path else name)
