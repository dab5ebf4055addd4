"""The fields that rules of a sandbox may name, as the schemas describe them."""

from collections.abc import Mapping

from cdp.schemas.registry.fields import Field
from cdp.schemas.selectors import EVENT_CLASS, PROFILE_CLASS, union_fields
from cdp.tenancy.models import Sandbox
from segments.language.vocabulary import Kind, Known, Vocabulary

_KINDS: Mapping[str, Kind] = {
    "string": "text",
    "number": "number",
    "integer": "integer",
    "boolean": "boolean",
    "object": "object",
    "map": "object",
}
_TEXT_FORMATS: Mapping[str, Kind] = {"date-time": "time", "date": "day"}


def vocabulary(sandbox: Sandbox) -> Vocabulary:
    """Return the words of the sandbox's rules: the unions of people and of their events."""
    return Vocabulary(
        profile=_known(union_fields(sandbox, PROFILE_CLASS)),
        event=_known(union_fields(sandbox, EVENT_CLASS)),
    )


def _known(fields: Mapping[str, Field]) -> dict[str, Known]:
    return {
        path: Known(path, kind, field.array, field.in_array, field.labels)
        for path, field in fields.items()
        if (kind := _kind(field)) is not None
    }


def _kind(field: Field) -> Kind | None:
    """Return how a field's values compare; None where the schema leaves it open."""
    if field.type == "string":
        return _TEXT_FORMATS.get(field.format or "", "text")
    return _KINDS.get(field.type)
