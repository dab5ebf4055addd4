"""Descriptors as the XDM registry writes them, for exchange with other tools."""

from collections.abc import Mapping
from typing import Any

from cdp.schemas.registry.descriptors import Descriptor, DescriptorKind
from cdp.schemas.registry.problems import Problem, Refused

_TYPES = {
    DescriptorKind.IDENTITY: "xdm:descriptorIdentity",
    DescriptorKind.LABEL: "xdm:descriptorLabel",
    DescriptorKind.PRIMARY_KEY: "xdm:descriptorPrimaryKey",
    DescriptorKind.VERSION: "xdm:descriptorVersion",
    DescriptorKind.TIMESTAMP: "xdm:descriptorTimestamp",
    DescriptorKind.GRANULARITY: "xdm:descriptorTimeSeriesGranularity",
    DescriptorKind.ONE_TO_ONE: "xdm:descriptorOneToOne",
    DescriptorKind.REFERENCE_IDENTITY: "xdm:descriptorReferenceIdentity",
    DescriptorKind.RELATIONSHIP: "xdm:descriptorRelationship",
    DescriptorKind.ALTERNATE_DISPLAY: "xdm:alternateDisplayInfo",
    DescriptorKind.DEPRECATED: "xdm:descriptorDeprecated",
}
_KINDS = {name: kind for kind, name in _TYPES.items()}
_NAMES = {
    "namespace": "xdm:namespace",
    "primary": "xdm:isPrimary",
    "labels": "xdm:labels",
    "granularity": "xdm:granularity",
    "time_zone": "xdm:ianaTimezone",
    "destination_schema": "xdm:destinationSchema",
    "destination_path": "xdm:destinationProperty",
    "cardinality": "xdm:cardinality",
    "name": "xdm:sourceToDestinationName",
    "inverse_name": "xdm:destinationToSourceName",
    "title": "xdm:title",
    "description": "xdm:description",
    "enum": "meta:enum",
}
_SETTINGS = {name: setting for setting, name in _NAMES.items()}
_SETTINGS["xdm:identityNamespace"] = "namespace"


def is_descriptor(document: Any) -> bool:
    """Tell whether a document of an export is a descriptor."""
    return isinstance(document, Mapping) and document.get("@type") in _KINDS


def in_xdm_form(descriptor: Descriptor, schema_uri: str) -> dict[str, Any]:
    """Write a descriptor as other registries do; a destination is given by its `$id`."""
    written: dict[str, Any] = {
        "@type": _TYPES[descriptor.kind],
        "xdm:sourceSchema": schema_uri,
        "xdm:sourceVersion": 1,
        "xdm:sourceProperty": [_slashed(path) for path in descriptor.paths],
    }
    if len(descriptor.paths) == 1:
        written["xdm:sourceProperty"] = _slashed(descriptor.path)
    for name, value in descriptor.settings.items():
        written[_NAMES[name]] = _slashed(value) if name == "destination_path" else value
    if descriptor.kind is DescriptorKind.IDENTITY:
        written["xdm:property"] = "xdm:code"
    if descriptor.kind is DescriptorKind.REFERENCE_IDENTITY:
        written["xdm:identityNamespace"] = written.pop("xdm:namespace")
    return written


def from_xdm_form(document: Mapping[str, Any]) -> tuple[str, Descriptor]:
    """Read a descriptor and the `$id` of its schema. Raises `Refused`."""
    source = document.get("xdm:sourceProperty", ())
    paths = [source] if isinstance(source, str) else source
    schema_uri = document.get("xdm:sourceSchema")
    if not isinstance(schema_uri, str) or not isinstance(paths, list) or not paths:
        detail = "A descriptor names its xdm:sourceSchema and xdm:sourceProperty."
        raise Refused(Problem("malformed", detail))
    settings = {_SETTINGS[name]: value for name, value in document.items() if name in _SETTINGS}
    if isinstance(settings.get("destination_path"), str):
        settings["destination_path"] = _dotted(settings["destination_path"])
    kind = _KINDS[document["@type"]]
    return schema_uri, Descriptor(kind, tuple(_dotted(str(path)) for path in paths), settings)


def _slashed(path: str) -> str:
    return "/" + path.replace(".", "/")


def _dotted(path: str) -> str:
    return path.strip("/").replace("/", ".")
