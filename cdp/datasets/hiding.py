"""Leaving fields out of documents. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

ANY_KEY: Final = "*"

Hidden = Mapping[str, Any]
"""What is left out: a tree of names, where an empty branch stands for all below it."""


def hidden_paths(paths: Iterable[str]) -> Hidden:
    """Return dotted paths as a tree; one below another that is hidden adds nothing.

    >>> hidden_paths(["a.b.c", "a.b", "d"])
    {'a': {'b': {}}, 'd': {}}
    """
    tree: dict[str, Any] = {}
    for path in sorted(paths):  # a path comes before those below it
        here, names = tree, path.split(".")
        for place, name in enumerate(names):
            if name in here and not here[name]:
                break  # hidden as a whole already
            here = here.setdefault(name, {})
            if place == len(names) - 1:
                here.clear()
    return tree


def without(document: Any, hidden: Hidden) -> Any:
    """Return a document without its hidden fields, in lists and maps, too.

    >>> without({"a": [{"b": 1, "c": 2}], "d": {"x": 3}}, hidden_paths(["a.b", "d.*"]))
    {'a': [{'c': 2}]}
    """
    if not hidden:
        return document
    if isinstance(document, list):
        return [without(item, hidden) for item in document]
    if not isinstance(document, Mapping):
        return document
    kept = {}
    for key, value in document.items():
        below = _below(hidden, key)
        if below is None:
            kept[key] = value
        elif below:
            shown = without(value, below)
            if shown or not value:  # nothing is said of what had only hidden parts
                kept[key] = shown
    return kept


def is_hidden(path: str, hidden: Hidden) -> bool:
    """Tell whether a dotted path is hidden, or stands below what is.

    >>> is_hidden("a.b.c", hidden_paths(["a.b"])), is_hidden("a", hidden_paths(["a.b"]))
    (True, False)
    """
    here: Hidden | None = hidden
    for name in path.split("."):
        here = _below(here, name) if here else None
        if here is None:
            return False
        if not here:
            return True
    return False


def _below(hidden: Hidden, key: str) -> Hidden | None:
    """Return what is hidden below a key: nothing of it (None), or all (empty)."""
    named, any_key = hidden.get(key), hidden.get(ANY_KEY)
    if named is None or any_key is None:
        return named if any_key is None else any_key
    return {**named, **any_key} if named and any_key else {}
