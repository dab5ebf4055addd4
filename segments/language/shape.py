"""What is out of shape in a JSON tree, said at the place where it is.

A schema that offers several forms fails as a whole where none of them fits. Which form its
author meant is known by a word, such as its `type`, or by the kind of value: told is what
that form lacks.
"""

from collections.abc import Iterator, Sequence
from typing import Any as Json
from typing import Final

from segments.language.errors import Problem
from segments.language.vocabulary import suggest

_FORMS: Final = frozenset({"oneOf", "anyOf"})
_NONE: Final = "None of the forms fits that can stand here: see the JSON Schema."
_LONGEST: Final = 300


def shape_problems(validator: Json, tree: Json) -> list[Problem]:
    """Return every place of a tree that does not conform to a schema."""
    told = [problem for error in validator.iter_errors(tree) for problem in _told(error)]
    explained = {problem.path for problem in told if problem.detail != _NONE}
    told = [one for one in told if one.detail != _NONE or one.path not in explained]
    return list(dict.fromkeys(told))


def _told(error: Json) -> Iterator[Problem]:
    if error.kind.name not in _FORMS:
        yield Problem("shape", _short(error.message), _pointer(error.instance_path))
        return
    forms, at = error.kind.context, error.instance_path
    meant = [form for form in forms if not any(_is_word(inner, at) for inner in form)]
    if len(meant) != 1:
        meant = [form for form in meant if _may_be_meant(form, at)]
    if len(meant) == 1:
        for inner in meant[0]:
            yield from _told(inner)
        return
    detail = _unknown_word(forms, at, error.instance) or _one_of_several(forms) or _NONE
    yield Problem("shape", detail, _pointer(at))


def _may_be_meant(form: Sequence[Json], at: Sequence[str | int]) -> bool:
    """Tell whether the value itself is of this form, whatever is wrong inside of it."""
    return not any(_is_of_another(error, at) for error in form)


def _is_of_another(error: Json, at: Sequence[str | int]) -> bool:
    if list(error.instance_path) != list(at):
        return _is_word(error, at)
    kind = error.kind
    if kind.name in _FORMS:
        return not any(_may_be_meant(form, at) for form in kind.context)
    return kind.name in ("required", "type", "pattern")


def _is_word(error: Json, at: Sequence[str | int]) -> bool:
    """Tell whether what fails is a word by which forms are known: a constant, or a `type`."""
    path = list(error.instance_path)
    is_word = error.kind.name == "const" or (error.kind.name == "enum" and path[-1:] == ["type"])
    return is_word and path[:-1] == list(at)


def _unknown_word(forms: Sequence[Sequence[Json]], at: Sequence[str | int], given: Json) -> str:
    """Say which words there are, if the one by which these forms are known is none of them."""
    words = [error for form in forms for error in form if _is_word(error, at)]
    if len(words) < len(forms):
        return ""
    name = words[0].instance_path[-1]
    known = [word for error in words for word in _expected(error.kind)]
    near = suggest(str(given[name]), known)
    hint = f" Did you mean '{near}'?" if near else ""
    return _short(f"There is no {name} '{given[name]}' here.{hint} There are: {', '.join(known)}.")


def _expected(kind: Json) -> list[str]:
    return [kind.expected_value] if kind.name == "const" else kind.options


def _one_of_several(forms: Sequence[Sequence[Json]]) -> str:
    """Say which properties would do, if all that each form lacks is one."""
    lacking = [form[0].kind for form in forms if len(form) == 1]
    if len(lacking) < len(forms) or any(kind.name != "required" for kind in lacking):
        return ""
    return f"One of these is required: {', '.join(kind.property for kind in lacking)}."


def _short(message: str) -> str:
    """Leave out the middle of what quotes a long value: its end says what is wrong."""
    half = _LONGEST // 2
    return message if len(message) <= _LONGEST else f"{message[:half]} ... {message[-half:]}"


def _pointer(path: Sequence[str | int]) -> str:
    return "".join(f"/{part}" for part in path)
