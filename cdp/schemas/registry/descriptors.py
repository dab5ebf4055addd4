"""What can be said about a field of a schema beyond its type.

A descriptor belongs to a schema and names a path in it. It changes nothing about
which records are valid, but much about what is done with them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cdp.schemas.registry import suggest
from cdp.schemas.registry.fields import Field
from cdp.schemas.registry.names import tenant_root
from cdp.schemas.registry.problems import Problem

MAX_PER_SANDBOX = 4000
SUMMARY_METRICS = "https://ns.adobe.com/xdm/classes/summarymetrics"
GRANULARITIES = ("hour", "day", "week", "month", "quarter", "year")
CARDINALITIES = ("1:1", "1:0", "M:1", "M:0")


class DescriptorKind(StrEnum):
    """What a descriptor says."""

    IDENTITY = "identity"
    LABEL = "label"
    PRIMARY_KEY = "primary-key"
    VERSION = "version"
    TIMESTAMP = "timestamp"
    GRANULARITY = "granularity"
    ONE_TO_ONE = "one-to-one"
    REFERENCE_IDENTITY = "reference-identity"
    RELATIONSHIP = "relationship"
    ALTERNATE_DISPLAY = "alternate-display"
    DEPRECATED = "deprecated"


SETTINGS: dict[DescriptorKind, frozenset[str]] = {
    DescriptorKind.IDENTITY: frozenset({"namespace", "primary"}),
    DescriptorKind.LABEL: frozenset({"labels"}),
    DescriptorKind.PRIMARY_KEY: frozenset(),
    DescriptorKind.VERSION: frozenset(),
    DescriptorKind.TIMESTAMP: frozenset(),
    DescriptorKind.GRANULARITY: frozenset({"granularity", "time_zone"}),
    DescriptorKind.ONE_TO_ONE: frozenset({"destination_schema", "destination_path"}),
    DescriptorKind.REFERENCE_IDENTITY: frozenset({"namespace"}),
    DescriptorKind.RELATIONSHIP: frozenset(
        {"destination_schema", "destination_path", "cardinality", "name", "inverse_name"}
    ),
    DescriptorKind.ALTERNATE_DISPLAY: frozenset({"title", "description", "enum"}),
    DescriptorKind.DEPRECATED: frozenset(),
}


@dataclass(frozen=True)
class Descriptor:
    """One statement about one or more paths of a schema."""

    kind: DescriptorKind
    paths: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The first path; all kinds but a composite key have only one."""
        return self.paths[0]


@dataclass(frozen=True)
class Described:
    """The schema that a descriptor is about, and what is already said of it."""

    class_uri: str
    behavior: str
    tenant: str
    fields: Mapping[str, Field]
    others: Sequence[Descriptor] = ()

    def of(self, kind: DescriptorKind) -> list[Descriptor]:
        """Pick the descriptors of one kind."""
        return [descriptor for descriptor in self.others if descriptor.kind is kind]


def check_descriptor(descriptor: Descriptor, described: Described) -> Iterator[Problem]:
    """Tell what keeps this descriptor from being added to the schema."""
    yield from _check_settings(descriptor)
    unknown = [path for path in descriptor.paths if path not in described.fields]
    for path in unknown:
        meant = suggest.hint(path, described.fields.keys())
        yield Problem("unknown-path", f"The schema has no field '{path}'.{meant}", path)
    if not unknown:
        if len(descriptor.paths) != 1 and descriptor.kind is not DescriptorKind.PRIMARY_KEY:
            yield Problem("one-path", f"A {descriptor.kind} descriptor is about one field.")
        if descriptor in described.others:
            yield Problem("said-already", "The schema has this descriptor already.")
        yield from _CHECKS[descriptor.kind](descriptor, described)


def _check_settings(descriptor: Descriptor) -> Iterator[Problem]:
    known = SETTINGS[descriptor.kind]
    for name in descriptor.settings.keys() - known:
        takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
        detail = f"A {descriptor.kind} descriptor has no setting '{name}'; {takes}."
        yield Problem("unknown-setting", detail, name)
    if not isinstance(descriptor.settings.get("primary", False), bool):
        yield Problem("primary", "'primary' is true or false.", "primary")


def _plain_text(path: str, described: Described, what: str) -> Iterator[Problem]:
    """Check that a path holds one text per record."""
    place = described.fields[path]
    if place.type != "string" or place.array:
        yield Problem("text-field", f"{what} is a single text; '{path}' is not.", path)
    if place.in_array or ".*" in path:
        detail = f"{what} has one value per record; '{path}' is inside a list or a map."
        yield Problem("not-in-list", detail, path)


def _identity(descriptor: Descriptor, described: Described) -> Iterator[Problem]:
    yield from _plain_text(descriptor.path, described, "An identity")
    yield from _check_namespace(descriptor, "namespace")
    others = described.of(DescriptorKind.IDENTITY)
    if any(other.path == descriptor.path for other in others):
        yield Problem("said-already", f"'{descriptor.path}' is an identity already.")
    if descriptor.settings.get("primary") and any(o.settings.get("primary") for o in others):
        first = next(other.path for other in others if other.settings.get("primary"))
        detail = f"A schema has one primary identity; here it is '{first}'."
        yield Problem("one-primary-identity", detail, descriptor.path)


def _check_namespace(descriptor: Descriptor, name: str) -> Iterator[Problem]:
    namespace = descriptor.settings.get(name)
    if not isinstance(namespace, str) or not namespace.strip():
        detail = f"Give '{name}': the code of an identity namespace, such as Email."
        yield Problem("namespace", detail, descriptor.path)


def _label(descriptor: Descriptor, described: Described) -> Iterator[Problem]:
    labels = descriptor.settings.get("labels")
    if not isinstance(labels, list) or not labels:
        yield Problem("labels", "Give 'labels': a list with at least one.", descriptor.path)
    if descriptor.path == tenant_root(described.tenant):
        detail = "The root of your own fields takes no label; label the fields below it."
        yield Problem("label-a-leaf", detail, descriptor.path)
    if any(other.path == descriptor.path for other in described.of(DescriptorKind.LABEL)):
        detail = f"'{descriptor.path}' has a label descriptor already; change that one."
        yield Problem("said-already", detail, descriptor.path)


def _primary_key(descriptor: Descriptor, described: Described) -> Iterator[Problem]:
    for path in descriptor.paths:
        place = described.fields[path]
        if not place.is_leaf or place.array or place.in_array or ".*" in path:
            yield Problem("key-field", f"A key is a single value; '{path}' is not.", path)
    if described.of(DescriptorKind.PRIMARY_KEY):
        yield Problem("said-already", "The schema has a primary key already.")
    times = {"timestamp", *(o.path for o in described.of(DescriptorKind.TIMESTAMP))}
    if described.behavior == "time-series" and not times & set(descriptor.paths):
        detail = "The key of a time series includes the time: add 'timestamp'."
        yield Problem("key-with-time", detail)


def _version(descriptor: Descriptor, described: Described) -> Iterator[Problem]:
    place = described.fields[descriptor.path]
    if not place.required:
        detail = f"The version must be in every record; '{place.path}' is not required."
        yield Problem("required-field", detail, place.path)
    if place.type not in ("integer", "number", "string") or place.array or place.in_array:
        detail = "A version is a number, a moment or a text that can be ordered."
        yield Problem("ordered-field", detail, place.path)


def _timestamp(descriptor: Descriptor, described: Described) -> Iterator[Problem]:
    place = described.fields[descriptor.path]
    if place.format != "date-time" or place.array or place.in_array:
        yield Problem("moment-field", f"'{place.path}' is no single date-time.", place.path)
    if not place.required:
        detail = f"The time must be in every record; '{place.path}' is not required."
        yield Problem("required-field", detail, place.path)


def _granularity(descriptor: Descriptor, described: Described) -> Iterator[Problem]:
    if described.class_uri != SUMMARY_METRICS:
        yield Problem("summary-metrics-only", "Only summary metrics have a granularity.")
    if descriptor.settings.get("granularity") not in GRANULARITIES:
        yield Problem("granularity", f"Give 'granularity': one of {', '.join(GRANULARITIES)}.")


def _one_to_one(descriptor: Descriptor, described: Described) -> Iterator[Problem]:
    yield from _plain_text(descriptor.path, described, "A reference")
    yield from _check_destination(descriptor)


def _relationship(descriptor: Descriptor, described: Described) -> Iterator[Problem]:
    """Check a reference that may also stand in a list: each item leads somewhere."""
    place = described.fields[descriptor.path]
    if place.type != "string" or ".*" in place.path:
        yield Problem("text-field", f"A reference is a text; '{place.path}' is not.", place.path)
    yield from _check_destination(descriptor)
    cardinality = descriptor.settings.get("cardinality", "M:1")
    if cardinality not in CARDINALITIES:
        yield Problem("cardinality", f"'cardinality' is one of {', '.join(CARDINALITIES)}.")


def _check_destination(descriptor: Descriptor) -> Iterator[Problem]:
    if not isinstance(descriptor.settings.get("destination_schema"), str):
        detail = "Give 'destination_schema': the schema that the field refers to."
        yield Problem("destination", detail, descriptor.path)


def _reference_identity(descriptor: Descriptor, described: Described) -> Iterator[Problem]:
    yield from _plain_text(descriptor.path, described, "A reference")
    yield from _check_namespace(descriptor, "namespace")


def _alternate_display(descriptor: Descriptor, described: Described) -> Iterator[Problem]:
    for name in ("title", "description"):
        words = descriptor.settings.get(name, {})
        if not isinstance(words, Mapping) or not all(isinstance(w, str) for w in words.values()):
            detail = f'\'{name}\' is an object of languages and texts, such as {{"en": "..."}}.'
            yield Problem("display", detail, descriptor.path)
    if not descriptor.settings.keys() & {"title", "description", "enum"}:
        detail = "Give a 'title', a 'description' or titles for the values in 'enum'."
        yield Problem("display", detail, descriptor.path)


def _deprecated(descriptor: Descriptor, described: Described) -> Iterator[Problem]:
    if described.fields[descriptor.path].required:
        detail = f"'{descriptor.path}' is required, so it cannot be deprecated."
        yield Problem("required-field", detail, descriptor.path)


def check_destination_schema(
    descriptor: Descriptor, destination: Described, title: str
) -> Iterator[Problem]:
    """Check the far end of a reference: a record schema with a key to be found by."""
    if destination.behavior != "record":
        yield Problem("destination", f"'{title}' holds events; refer to a schema of records.")
    wanted = descriptor.settings.get("destination_path")
    keys = [d.path for d in destination.of(DescriptorKind.PRIMARY_KEY)]
    keys += [d.path for d in destination.of(DescriptorKind.IDENTITY) if d.settings.get("primary")]
    if wanted and wanted not in destination.fields:
        meant = suggest.hint(str(wanted), destination.fields.keys())
        yield Problem("unknown-path", f"'{title}' has no field '{wanted}'.{meant}", str(wanted))
    elif (wanted and wanted not in keys) or not keys:
        detail = (
            f"'{title}' is referred to by its primary identity or primary key: "
            f"{', '.join(keys) or 'give it one first'}."
        )
        yield Problem("destination-key", detail)


_CHECKS: dict[DescriptorKind, Callable[[Descriptor, Described], Iterator[Problem]]] = {
    DescriptorKind.IDENTITY: _identity,
    DescriptorKind.LABEL: _label,
    DescriptorKind.PRIMARY_KEY: _primary_key,
    DescriptorKind.VERSION: _version,
    DescriptorKind.TIMESTAMP: _timestamp,
    DescriptorKind.GRANULARITY: _granularity,
    DescriptorKind.ONE_TO_ONE: _one_to_one,
    DescriptorKind.REFERENCE_IDENTITY: _reference_identity,
    DescriptorKind.RELATIONSHIP: _relationship,
    DescriptorKind.ALTERNATE_DISPLAY: _alternate_display,
    DescriptorKind.DEPRECATED: _deprecated,
}
