"""A document with its references becomes one plain JSON Schema.

Folding follows `$ref`, joins `allOf` and drops `definitions`; `closing` then
makes the result say exactly what a record may hold. Any JSON Schema 2020-12
validator gives the same verdict on the outcome as ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from cdp.schemas.registry import patterns
from cdp.schemas.registry.closing import close
from cdp.schemas.registry.formats import FORMATS
from cdp.schemas.registry.merge import Node, merge
from cdp.schemas.registry.pattern_parser import NotPortable
from cdp.schemas.registry.problems import Problem, Refused

Lookup = Callable[[str], Mapping[str, Any] | None]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# The public files refer to this for their JSON-LD context, which says nothing about data.
_CONTEXT = "https://ns.adobe.com/xdm/common/extensible"

MAX_DEPTH = 60
MAX_NODES = 30_000

_FOLDED_AWAY = {"$ref", "allOf", "definitions", "$defs", "$schema", "$id", "$anchor"}


def resolve(document: Mapping[str, Any], lookup: Lookup) -> Node:
    """Make the plain JSON Schema 2020-12 of a document.

    `lookup` gives the document of a `$id`, or None. Raises `Refused` for unknown
    and circular references, conflicting fields and patterns that are not portable.
    """
    return close(
        {
            "$schema": DIALECT,
            **{key: document[key] for key in ("$id", "title") if key in document},
            **fold(document, lookup),
        }
    )


def fold(document: Mapping[str, Any], lookup: Lookup) -> Node:
    """Follow the references of a document without closing it yet."""
    folder = _Folder(lookup)
    folded = folder.fold(document, _At(document))
    folder.check_weight(folded)
    return folded


@dataclass(frozen=True, slots=True)
class _At:
    """Where folding stands: in which document, by which references, at which field."""

    root: Mapping[str, Any]
    trail: tuple[str, ...] = ()
    path: str = ""
    depth: int = 0

    def below(self, name: str) -> "_At":
        return replace(self, path=f"{self.path}.{name}" if self.path else name)

    def inside(self) -> "_At":
        if self.depth > MAX_DEPTH:
            detail = f"Fields and references nest deeper than {MAX_DEPTH} levels."
            raise Refused(Problem("nesting", detail, self.path))
        return replace(self, depth=self.depth + 1)


class _Folder:
    """Folds one document; remembers what a reference led to."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.followed: dict[str, Node] = {}
        self.weights: dict[int, int] = {}

    def fold(self, node: Any, at: _At) -> Node:
        if node is True:
            return {}
        if not isinstance(node, Mapping):
            raise Refused(Problem("malformed", "A field is described by an object.", at.path))
        at = at.inside()
        parts = [self.own(node, at)]
        if "$ref" in node:
            parts.append(self.follow(str(node["$ref"]), at))
        parts.extend(self.fold(branch, at) for branch in node.get("allOf", ()))
        return reduce(lambda first, second: merge(first, second, at.path), parts)

    def own(self, node: Mapping[str, Any], at: _At) -> Node:
        """Fold what the node says itself, beside its references."""
        own: Node = {}
        for keyword, value in node.items():
            if keyword not in _FOLDED_AWAY:
                own.update(self.keyword(keyword, value, at))
        if "type" not in own and own.keys() & {"properties", "patternProperties"}:
            own["type"] = "object"
        return own

    def keyword(self, keyword: str, value: Any, at: _At) -> Node:
        match keyword:
            case "properties":
                return {keyword: {name: self.fold(value[name], at.below(name)) for name in value}}
            case "patternProperties":
                folded = {portable_at(key, at.path): self.fold(value[key], at) for key in value}
                return {keyword: folded}
            case "items" if isinstance(value, list):  # how older drafts write a tuple
                return {"prefixItems": [self.fold(branch, at) for branch in value]}
            case "anyOf" | "oneOf" | "prefixItems":
                return {keyword: [self.fold(branch, at) for branch in value]}
            case "additionalProperties" if not isinstance(value, bool):
                return {keyword: self.fold(value, at.below("*"))}
            case "items" | "contains" | "not" | "if" | "then" | "else":
                return {keyword: self.fold(value, at)}
            case "pattern":
                return {keyword: portable_at(value, at.path)}
            case "format" if value not in FORMATS:
                return {"meta:format": value}  # an annotation: engines disagree on the rest
        return {keyword: value}

    def follow(self, ref: str, at: _At) -> Node:
        """Fold what a reference points at, once per target."""
        elsewhere, _, fragment = ref.partition("#")
        if elsewhere == _CONTEXT:
            return {}
        target = f"{elsewhere or at.root.get('$id', '')}#{fragment}"
        if target in at.trail:
            detail = f"The reference to {ref} leads back to itself."
            raise Refused(Problem("reference-cycle", detail, at.path))
        if target not in self.followed:
            document = self.lookup(elsewhere) if elsewhere else at.root
            if document is None:
                detail = f"There is no resource with the id {ref}."
                raise Refused(Problem("unknown-reference", detail, at.path))
            node = pointed_at(document, fragment, ref, at.path)
            there = _At(document, (*at.trail, target), at.path, at.depth)
            self.followed[target] = self.fold(node, there)
            self.check_weight(self.followed[target], at.path)
        return self.followed[target]

    def check_weight(self, node: Node, path: str = "") -> None:
        """Refuse what would unfold to too much; references multiply quickly."""
        if self.weight(node) > MAX_NODES:
            detail = f"With all references followed there are more than {MAX_NODES:,} fields."
            raise Refused(Problem("too-many-fields", detail, path))

    def weight(self, node: Any) -> int:
        """Count what is below a node; what several places share is counted for each."""
        if not isinstance(node, dict | list):
            return 0
        if id(node) not in self.weights:
            below = node.values() if isinstance(node, dict) else node
            own = 1 if isinstance(node, dict) else 0
            self.weights[id(node)] = own + sum(map(self.weight, below))
        return self.weights[id(node)]


def pointed_at(document: Mapping[str, Any], fragment: str, ref: str, path: str = "") -> Any:
    """Find the part of a document that a JSON pointer names."""
    node: Any = document
    for token in fragment.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, Mapping) or name not in node:
            raise Refused(
                Problem("unknown-reference", f"There is nothing at the reference {ref}.", path)
            )
        node = node[name]
    return node


def portable_at(pattern: Any, path: str) -> str:
    """Give the pattern in its portable form, or refuse it with its path."""
    try:
        return patterns.portable(str(pattern))
    except NotPortable as error:
        raise Refused(
            Problem("portable-pattern", f"The pattern {pattern!r} cannot be used: {error}.", path)
        ) from error
