"""What is out of shape in a JSON tree, said at the place where it is.

A schema that offers several forms fails as a whole where none of them fits. Which form its
author meant is known by its `type`, or by the kind of value: told is what that form lacks.
"""

from collections.abc import Iterator, Sequence
from typing import Any as Json
from typing import Final

from segments.language.errors import Problem
from segments.language.vocabulary import suggest

_FORMS: Final = frozenset({"oneOf", "anyOf"})
_LONGEST: Final = 300


def shape_problems(validator: Json, tree: Json) -> list[Problem]:
    """Return every place of a tree that does not conform to a schema."""
    told = [problem for error in validator.iter_errors(tree) for problem in _told(error)]
    return list(dict.fromkeys(told))


def _told(error: Json) -> Iterator[Problem]:
    if error.kind.name not in _FORMS:
        yield Problem("shape", _short(error.message), _pointer(error.instance_path))
        return
    meant = [form for form in error.kind.context if _may_be_meant(form, error.instance_path)]
    if len(meant) == 1:
        for inner in meant[0]:
            yield from _told(inner)
        return
    detail = (
        _unknown_type(error) or "None of the forms fits that can stand here: see the JSON Schema."
    )
    yield Problem("shape", detail, _pointer(error.instance_path))


def _may_be_meant(form: Sequence[Json], at: Sequence[str | int]) -> bool:
    """Tell whether the value itself is of this form, whatever is wrong inside of it."""
    return not any(_is_of_another(error, at) for error in form)


def _is_of_another(error: Json, at: Sequence[str | int]) -> bool:
    kind, path = error.kind.name, list(error.instance_path)
    if path == list(at):
        if kind in _FORMS:
            return not any(_may_be_meant(form, at) for form in error.kind.context)
        is_key = kind == "required" and error.kind.property != "type" and not _has_type(error)
        return kind in ("type", "pattern") or is_key
    return kind in ("const", "enum") and path == [*at, "type"]


def _has_type(error: Json) -> bool:
    return isinstance(error.instance, dict) and "type" in error.instance


def _unknown_type(error: Json) -> str:
    """Say which types there are, if the value has one that is none of them."""
    if not _has_type(error):
        return ""
    known: list[str] = []
    for inner in (inner for form in error.kind.context for inner in form):
        if list(inner.instance_path) == [*error.instance_path, "type"]:
            one = inner.kind
            known += [one.expected_value] if one.name == "const" else one.options
    given = error.instance["type"]
    if not known or given in known:
        return ""
    near = suggest(str(given), known)
    hint = f" Did you mean '{near}'?" if near else ""
    return _short(f"There is no type '{given}' here.{hint} There are: {', '.join(known)}.")


def _short(message: str) -> str:
    """Leave out the middle of what quotes a long value: its end says what is wrong."""
    half = _LONGEST // 2
    return message if len(message) <= _LONGEST else f"{message[:half]} ... {message[-half:]}"


def _pointer(path: Sequence[str | int]) -> str:
    return "".join(f"/{part}" for part in path)
