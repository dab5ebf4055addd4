"""One class and any number of field groups become a schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cdp.schemas.registry.closing import close
from cdp.schemas.registry.definitions import Find
from cdp.schemas.registry.fields import fields_of
from cdp.schemas.registry.merge import Node, merge
from cdp.schemas.registry.problems import Problem, Refused, refuse_if
from cdp.schemas.registry.resolve import DIALECT, fold
from cdp.schemas.registry.resources import Kind, Resource, references


@dataclass(frozen=True)
class Composition:
    """What a schema document comes to.

    `references` are the `$id`s of all resources it rests on, however deep;
    `origins` says for each field path by which resource it came.
    """

    resolved: Node
    class_uri: str
    behavior: str
    references: frozenset[str]
    origins: Mapping[str, str]


def compose(document: Mapping[str, Any], find: Find) -> Composition:
    """Put a schema together.

    Raises `Refused`, naming the rule: `one-class`, `field-group-fits-class`,
    `class-behavior`, `conflicting-field`, `unknown-reference`, `reference-cycle`.
    """
    parts = _parts(document, find)
    refuse_if(check_parts(parts, find))
    klass = next(part for part in parts if part.kind is Kind.CLASS)
    resolved, origins = _merged(document, parts, find)
    return Composition(
        resolved=close({"$schema": DIALECT, **_heading(document), **resolved}),
        class_uri=klass.uri,
        behavior=behavior_of(klass, find) or "",
        references=all_references(document, find),
        origins=origins,
    )


def check_parts(parts: list[Resource], find: Find) -> Iterator[Problem]:
    """Check that there is one class and that every field group may join it."""
    classes = [part for part in parts if part.kind is Kind.CLASS]
    if len(classes) != 1:
        named = ", ".join(f"'{part.title}'" for part in classes) or "none"
        yield Problem("one-class", f"A schema has exactly one class; this one names {named}.")
        return
    klass = classes[0]
    if behavior_of(klass, find) is None:
        detail = f"The class '{klass.title}' extends no behavior: record or time-series."
        yield Problem("class-behavior", detail)
    fitting = {klass.uri, *all_references(klass.document, find)}
    for part in parts:
        wanted = set(part.intended_to_extend)
        if part.kind is Kind.FIELD_GROUP and wanted and not wanted & fitting:
            names = ", ".join(sorted(f"'{_title(uri, find)}'" for uri in wanted))
            yield Problem(
                "field-group-fits-class",
                f"The field group '{part.title}' is made for {names} and cannot join a schema "
                f"of the class '{klass.title}'.",
            )
        elif part.kind not in (Kind.CLASS, Kind.FIELD_GROUP):
            detail = f"'{part.title}' is a {part.kind.noun}; a schema is made of field groups."
            yield Problem("reference-kind", detail)


def behavior_of(klass: Resource, find: Find) -> str | None:
    """Find the behavior that a class has, itself or through its parents."""
    for uri in sorted(all_references(klass.document, find)):
        resource = find(uri)
        if resource is not None and resource.kind is Kind.BEHAVIOR:
            return resource.uri.rpartition("/")[2]
    return None


def all_references(document: Mapping[str, Any], find: Find) -> frozenset[str]:
    """Collect the `$id` of everything a document rests on, however deep."""
    found: set[str] = set()
    waiting = list(references(document))
    while waiting:
        uri = waiting.pop()
        if uri not in found and uri != document.get("$id"):
            found.add(uri)
            resource = find(uri)
            waiting.extend(references(resource.document) if resource else ())
    return frozenset(found)


def _parts(document: Mapping[str, Any], find: Find) -> list[Resource]:
    """Look up what the schema names in `allOf`; its own definitions are not among them."""
    parts: list[Resource] = []
    for branch in document.get("allOf", ()):
        ref = str(branch.get("$ref", "")) if isinstance(branch, Mapping) else ""
        if not ref or ref.startswith("#"):
            continue
        resource = find(ref)
        if resource is None:
            detail = f"There is no class or field group with the id {ref}."
            raise Refused(Problem("unknown-reference", detail))
        if resource not in parts:
            parts.append(resource)
    return parts


def _merged(
    document: Mapping[str, Any], parts: list[Resource], find: Find
) -> tuple[Node, dict[str, str]]:
    """Merge the parts one after the other, remembering who brought what."""

    def lookup(uri: str) -> Mapping[str, Any] | None:
        resource = find(uri)
        return resource.document if resource else None

    elsewhere = {part.uri for part in parts}
    own = [b for b in document.get("allOf", ()) if not references({"a": b}) & elsewhere]
    rest = {key: value for key, value in document.items() if key not in ("allOf", "title")}
    sources = [(part.title, part.document) for part in parts]
    sources.append((str(document.get("title", "")), {**rest, "allOf": own}))
    resolved: Node = {}
    origins: dict[str, str] = {}
    for title, source in sources:
        folded = fold(source, lookup)
        try:
            resolved = merge(resolved, folded)
        except Refused as refusal:
            raise Refused(
                *(_named(problem, origins, title) for problem in refusal.problems)
            ) from refusal
        for path in fields_of(folded):
            origins.setdefault(path, title)
    return {k: v for k, v in resolved.items() if not _is_about_resource(k)}, origins


def _named(problem: Problem, origins: Mapping[str, str], title: str) -> Problem:
    first = origins.get(problem.path, "another part")
    return replace(problem, detail=f"{problem.detail} It comes with '{first}' and with '{title}'.")


def _heading(document: Mapping[str, Any]) -> Node:
    return {key: document[key] for key in ("$id", "title", "description") if key in document}


def _is_about_resource(keyword: str) -> bool:
    """Tell whether a keyword speaks of the document, not of the records."""
    return keyword.startswith("meta:") or keyword in ("title", "description", "$schema")


def _title(uri: str, find: Find) -> str:
    resource = find(uri)
    return resource.title if resource else uri
