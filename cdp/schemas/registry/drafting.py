"""How a resource's document is put together, taken apart and changed.

People give a title, what the resource is based on, and a definition: the part of
the document that is theirs. The rest follows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cdp.schemas.registry.problems import Problem, Refused
from cdp.schemas.registry.resources import Kind

COLLECTIONS = {
    Kind.CLASS: "classes",
    Kind.FIELD_GROUP: "mixins",
    Kind.DATA_TYPE: "datatypes",
    Kind.SCHEMA: "schemas",
}
_GIVEN_ELSEWHERE = {
    "$id": "a new resource gets its own; import/ brings one along",
    "title": "it stands beside the definition",
    "description": "it stands beside the definition",
    "meta:intendedToExtend": "name the classes beside the definition",
    "meta:resourceType": "it follows from where you send this",
    "meta:class": "name the class beside the definition",
}
_HEADING = {*_GIVEN_ELSEWHERE, "$schema", "type", "meta:extends"}


@dataclass(frozen=True)
class Draft:
    """A resource as people describe it.

    `bases` are the `$id`s that it stands on: the behavior or parent of a class, the
    class and field groups of a schema. `classes` are those a field group is made for.
    """

    kind: Kind
    uri: str
    title: str
    description: str = ""
    bases: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    definition: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Write the whole document. Raises `Refused` for what the definition may not say."""
        for keyword, reason in _GIVEN_ELSEWHERE.items():
            if keyword in self.definition:
                detail = f"'{keyword}' does not belong into the definition: {reason}."
                raise Refused(Problem("malformed", detail, keyword))
        own = {key: value for key, value in self.definition.items() if key != "allOf"}
        extended = self.definition.get("allOf", [])
        if not isinstance(extended, list):
            raise Refused(Problem("malformed", "'allOf' is a list of references.", "allOf"))
        heading: dict[str, Any] = {"$id": self.uri, "title": self.title}
        if self.description:
            heading["description"] = self.description
        heading |= {"type": "object", "meta:resourceType": self.kind.value}
        if self.kind is Kind.FIELD_GROUP:
            heading["meta:intendedToExtend"] = list(self.classes)
        if self.kind is Kind.SCHEMA and self.bases:
            heading["meta:class"] = self.bases[0]
        based = [*({"$ref": uri} for uri in self.bases), *extended]
        return {**heading, **({"allOf": based} if based else {}), **own}

    def changed(self, definition: Mapping[str, Any] | None = None, **changes: Any) -> "Draft":
        """Change some of it; a definition is merged, so that `null` removes a key."""
        draft = replace(self, **{k: v for k, v in changes.items() if v is not None})
        if definition is None:
            return draft
        return replace(draft, definition=merge_patch(self.definition, definition))


def draft_of(document: Mapping[str, Any], kind: Kind) -> Draft:
    """Read a stored document as a draft again."""
    refs = [str(branch.get("$ref", "")) for branch in document.get("allOf", ())]
    is_based = kind in (Kind.CLASS, Kind.SCHEMA)
    bases = [ref for ref in refs if is_based and not ref.startswith("#")]
    extended = [{"$ref": ref} for ref in refs if ref not in bases]
    definition = {
        key: value for key, value in document.items() if key not in _HEADING and key != "allOf"
    }
    if extended:
        definition["allOf"] = extended
    return Draft(
        kind=kind,
        uri=str(document["$id"]),
        title=str(document["title"]),
        description=str(document.get("description", "")),
        bases=tuple(bases),
        classes=tuple(document.get("meta:intendedToExtend", ())),
        definition=definition,
    )


def merge_patch(target: Any, patch: Any) -> Any:
    """Merge as RFC 7396 says: objects meet, `null` removes, everything else replaces.

    >>> merge_patch({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "d": 3}})
    {'a': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def differences(before: Any, after: Any, path: str = "") -> Iterable[dict[str, Any]]:
    """Tell what has been added, removed and replaced between two documents.

    >>> list(differences({"a": 1}, {"a": 2}))
    [{'action': 'replace', 'path': '/a', 'before': 1, 'after': 2}]
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(key for key in after if key not in before)]:
            below = f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"
            if key not in after:
                yield {"action": "remove", "path": below, "before": before[key]}
            elif key not in before:
                yield {"action": "add", "path": below, "after": after[key]}
            else:
                yield from differences(before[key], after[key], below)
    elif before != after:
        yield {"action": "replace", "path": path, "before": before, "after": after}
