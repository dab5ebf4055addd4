"""Documents from elsewhere become resources, as many as can.

Files of the public XDM repository and exports of other registries are read alike.
Unknown keywords are kept. What cannot be taken in is left out with its reason, and
so is everything that rests on it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cdp.schemas.registry.catalogue import RECORD, TIME_SERIES
from cdp.schemas.registry.composing import all_references, compose
from cdp.schemas.registry.definitions import Find
from cdp.schemas.registry.exchange import in_order
from cdp.schemas.registry.problems import Problem, Refused, refuse_if
from cdp.schemas.registry.repository_form import in_registry_form
from cdp.schemas.registry.resolve import MAX_DEPTH, pointed_at, resolve
from cdp.schemas.registry.resources import Kind, Resource
from cdp.schemas.registry.validation import validator_of
from cdp.schemas.registry.wellformed import check_form

# How registries and files write the kinds.
_KINDS = {
    "behaviors": Kind.BEHAVIOR,
    "classes": Kind.CLASS,
    "mixins": Kind.FIELD_GROUP,
    "fieldgroups": Kind.FIELD_GROUP,
    "datatypes": Kind.DATA_TYPE,
    "schemas": Kind.SCHEMA,
}


Check = Callable[[Resource, Find], Iterable[Problem]]


def _no_more(_: Resource, __: Find) -> Iterable[Problem]:
    return ()


@dataclass
class Reading:
    """What became of a set of documents.

    `resources` may be stored, each after those it refers to; `known` are ids that
    are there already; `failures` names each document that cannot be used.
    """

    resources: list[Resource] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    failures: dict[str, tuple[Problem, ...]] = field(default_factory=dict)


def read_documents(
    documents: Iterable[tuple[str, Any]], find: Find, check: Check = _no_more
) -> Reading:
    """Read documents, each given with a name for the report.

    `find` looks up what is there already, which a document never replaces. `check`
    says what else keeps a resource out; it gets the resource and the look-up.
    """
    reading = Reading()
    forms: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    for name, document in documents:
        try:
            form = _form(document, names)
        except Refused as refusal:
            reading.failures[name] = refusal.problems
        else:
            forms[form["$id"]], names[form["$id"]] = form, name
    _Reader(forms, names, find, check, reading).read()
    return reading


def kind_of(form: Mapping[str, Any], references: frozenset[str]) -> Kind:
    """Tell what a document is: it says so itself, or its references and tags do."""
    said = str(form.get("meta:resourceType", ""))
    if said in _KINDS or said in set(Kind):
        return _KINDS.get(said) or Kind(said)
    folder = str(form["$id"]).rpartition("/")[0].rpartition("/")[2]
    if "meta:class" in form:
        return Kind.SCHEMA
    if "meta:intendedToExtend" in form:
        return Kind.FIELD_GROUP
    if {RECORD, TIME_SERIES} & references:
        return Kind.CLASS
    return _KINDS.get(folder, Kind.DATA_TYPE)


def _form(document: Any, names: Mapping[str, str]) -> dict[str, Any]:
    refuse_if(check_form(document))
    uri = document.get("$id")
    if not isinstance(uri, str) or not uri.strip():
        raise Refused(Problem("malformed", "A resource says its $id."))
    if uri in names:
        raise Refused(Problem("said-already", f"'{names[uri]}' has the same $id."))
    return in_registry_form(document)


class _Reader:
    """Takes the documents in one after the other, those without references first."""

    def __init__(
        self,
        forms: dict[str, dict[str, Any]],
        names: dict[str, str],
        find: Find,
        check: Check,
        reading: Reading,
    ) -> None:
        self.forms = forms
        self.names = names
        self.find_known = find
        self.check = check
        self.reading = reading
        self.taken: dict[str, Resource] = {}

    def find(self, uri: str) -> Resource | None:
        return self.taken.get(uri) or self.find_known(uri)

    def lookup(self, uri: str) -> Mapping[str, Any] | None:
        resource = self.find(uri)
        return resource.document if resource else None

    def read(self) -> None:
        ordered, circular = in_order(self.forms.values())
        for uri in circular:
            self.fail(uri, Problem("reference-cycle", "Its references lead back to itself."))
        for form in ordered:
            uri = str(form["$id"])
            if self.find_known(uri) is not None:
                self.reading.known.append(uri)
                continue
            try:
                resource = self.resource(dict(form))
                refuse_if(self.check(resource, self.find))
                self.taken[uri] = resource
            except Refused as refusal:
                self.fail(uri, *refusal.problems)
        self.reading.resources = list(self.taken.values())

    def fail(self, uri: str, *problems: Problem) -> None:
        self.reading.failures[self.names[uri]] = problems

    def resource(self, form: dict[str, Any]) -> Resource:
        """Make one resource, if it resolves and compiles."""
        form = self.with_parts(form, str(form["$id"]))
        kind = kind_of(form, all_references(form, self.find))
        if kind is Kind.BEHAVIOR:
            detail = "There are two behaviors, record and time-series; no other can come in."
            raise Refused(Problem("reference-kind", detail))
        if kind is Kind.SCHEMA:
            resolved = compose(form, self.find).resolved
        else:
            resolved = resolve(form, self.lookup)
        validator_of(resolved)
        uri = str(form["$id"])
        title = str(form.get("title") or uri.rpartition("/")[2])
        document = {**form, "title": title, "meta:resourceType": kind.value}
        return Resource(kind, uri, title, document)

    def with_parts(self, node: Any, home: str, trail: tuple[str, ...] = ()) -> Any:
        """Copy in parts of a document that is known here in another form.

        The catalogue has no `definitions`, so a published file that refers to one of
        them brings that part along.
        """
        if isinstance(node, list):
            return [self.with_parts(entry, home, trail) for entry in node]
        if not isinstance(node, Mapping):
            return node
        ref = str(node.get("$ref", ""))
        uri, _, fragment = ref.partition("#")
        source = uri or home
        if not fragment or source not in self.forms or self.find_known(source) is None:
            return {key: self.with_parts(value, home, trail) for key, value in node.items()}
        if len(trail) > MAX_DEPTH or f"{source}#{fragment}" in trail:
            raise Refused(Problem("reference-cycle", f"The reference to {ref} leads to itself."))
        part = pointed_at(self.forms[source], fragment, ref)
        if not isinstance(part, Mapping):
            raise Refused(Problem("malformed", f"There is no field at the reference {ref}."))
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return {**self.with_parts(part, source, (*trail, f"{source}#{fragment}")), **rest}
