"""What the compiled validator found, said in our words."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from cdp.schemas.registry.screening import RecordError
from cdp.schemas.registry.suggest import Hints

HINTED = 20
MAX_SHOWN = 500
NO_HINTS = Hints(())


def explain_all(errors: Iterable[Any], hints: Hints) -> Iterator[RecordError]:
    """Say in our words what the validator found in one record.

    Only the first faults get a hint: looking for one is dear, and a record may have
    thousands of unknown fields.
    """
    for number, error in enumerate(errors):
        yield from explain(error, hints if number < HINTED else NO_HINTS)


def explain(error: Any, hints: Hints) -> Iterator[RecordError]:
    """Say in our words what is wrong at one place; unknown fields one by one."""
    path = written_path(error.instance_path)
    kind = error.kind.as_dict()
    name = error.kind.name
    if name in ("additionalProperties", "unevaluatedProperties"):
        for number, unexpected in enumerate(kind["unexpected"]):
            helpful = hints if number < HINTED else NO_HINTS
            yield _unknown(error.instance_path, str(unexpected), helpful)
    elif name == "required":
        place = f"{path}.{kind['property']}" if path else kind["property"]
        yield RecordError(place, "required", "This field is required.")
    elif name == "propertyNames":
        yield _bad_name(path, error.kind.error)
    elif name in ("anyOf", "oneOf", "not", "if"):
        yield RecordError(path, "no_alternative", "None of the allowed forms fits this value.")
    else:
        code, say = _SAY.get(name, ("not_valid", lambda _: error.message[:300]))
        yield RecordError(path, code, say(kind))


def written_path(parts: Iterable[str | int]) -> str:
    """Write an instance path as people do.

    >>> written_path(["productListItems", 0, "SKU"])
    'productListItems[0].SKU'
    """
    written = ""
    for part in parts:
        written += f"[{part}]" if isinstance(part, int) else f".{part}" if written else part
    return written if len(written) <= MAX_SHOWN else f"{written[:MAX_SHOWN]}..."


def field_path(parts: Iterable[str | int], known: Collection[str]) -> str:
    """Write an instance path as `Field.path` does: no indexes, `*` for the names in a map.

    >>> field_path(["identityMap", "ECID", 0, "id"], {"identityMap", "identityMap.*"})
    'identityMap.*.id'
    """
    path = ""
    for name in parts:
        if isinstance(name, str):
            below = f"{path}.{name}" if path else name
            any_name = f"{path}.*"
            path = any_name if below not in known and any_name in known else below
    return path


def _unknown(parts: list[str | int], name: str, hints: Hints) -> RecordError:
    place = written_path([*parts, name])
    parent = field_path(parts, hints.known)
    meant = hints.meant_among_siblings(parent, name)
    hint = (
        f" Did you mean '{written_path([*parts, meant])}'?"
        if meant
        else hints.for_path(f"{parent}.{name}" if parent else name)
    )
    return RecordError(place, "unknown_field", f"The schema has no field '{place}'.{hint}")


def _bad_name(path: str, error: Any) -> RecordError:
    name = str(error.instance)
    place = f"{path}.{name}" if path else name
    if "." in name:
        detail = f"The name {name!r} has a dot, which would be read as two levels."
        return RecordError(place, "dotted_name", detail)
    return RecordError(place, "bad_name", f"The name {name!r} cannot be used here.")


def _listed(values: list[Any]) -> str:
    shown = ", ".join(repr(value) for value in values[:12])
    return f"{shown} and {len(values) - 12} more" if len(values) > 12 else shown


_SAY: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "type": ("wrong_type", lambda k: f"This must be of type {' or '.join(k['types'])}."),
    "enum": ("not_allowed", lambda k: f"This must be one of {_listed(k['options'])}."),
    "const": ("not_allowed", lambda k: f"This must be {k['expected_value']!r}."),
    "format": ("bad_format", lambda k: f"This is not a valid {k['format']}."),
    "pattern": ("pattern", lambda k: f"This does not match the pattern {k['pattern']}."),
    "minimum": ("out_of_range", lambda k: f"This must be at least {k['limit']}."),
    "maximum": ("out_of_range", lambda k: f"This must be at most {k['limit']}."),
    "exclusiveMinimum": ("out_of_range", lambda k: f"This must be more than {k['limit']}."),
    "exclusiveMaximum": ("out_of_range", lambda k: f"This must be less than {k['limit']}."),
    "multipleOf": ("out_of_range", lambda k: f"This must be a multiple of {k['multiple_of']}."),
    "minLength": ("bad_length", lambda k: f"This needs at least {k['limit']} characters."),
    "maxLength": ("bad_length", lambda k: f"This has more than {k['limit']} characters."),
    "minItems": ("bad_length", lambda k: f"This needs at least {k['limit']} items."),
    "maxItems": ("bad_length", lambda k: f"This has more than {k['limit']} items."),
    "minProperties": ("bad_length", lambda k: f"This needs at least {k['limit']} fields."),
    "maxProperties": ("bad_length", lambda k: f"This has more than {k['limit']} fields."),
    "uniqueItems": ("not_unique", lambda _: "The items must differ from each other."),
}
