"""Whether a record may come in, and if not, every reason with its place.

The valid path costs one look by the screen and one by the compiled schema; only a
record that fails is gone through again to collect the reasons.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs

from cdp.schemas.registry import normalising
from cdp.schemas.registry.explaining import explain_all
from cdp.schemas.registry.fields import Field, fields_of
from cdp.schemas.registry.formats import OWN_CHECKS
from cdp.schemas.registry.merge import Node
from cdp.schemas.registry.problems import Problem, Refused
from cdp.schemas.registry.screening import LIMITS, UNREADABLE, Limits, RecordError, screen
from cdp.schemas.registry.suggest import Hints


@dataclass(frozen=True, slots=True)
class IdentityDescriptor:
    """A field whose value is an identity in this namespace."""

    path: str
    namespace: str
    primary: bool = False


@dataclass(frozen=True)
class CompiledSchema:
    """One version of a schema, ready for records.

    Safe to share between threads. `fields` are by dotted path without brackets.
    """

    id: str
    title: str
    version: str
    class_uri: str
    behavior: str
    resolved: Node
    fields: Mapping[str, Field]
    identities: tuple[IdentityDescriptor, ...] = ()
    limits: Limits = LIMITS
    _validator: Any = field(init=False, repr=False, compare=False)
    _numbers: normalising.Rewrite | None = field(init=False, repr=False, compare=False)
    _hints: Hints = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_validator", validator_of(self.resolved))
        object.__setattr__(self, "_numbers", normalising.numbers_of(self.resolved))
        object.__setattr__(self, "_hints", Hints(self.fields.keys()))

    @property
    def has_identity_map(self) -> bool:
        """Whether records may bring their identities in `identityMap`."""
        return "identityMap" in self.fields

    def is_valid(self, record: Any) -> bool:
        """Tell whether the record may come in."""
        return not screen(record, self.limits) and self._validator.is_valid(record)

    def validate(self, record: Any) -> list[RecordError]:
        """Give every reason why the record may not come in; none means it may."""
        errors = screen(record, self.limits)
        if not errors and self._validator.is_valid(record):
            return []
        if not UNREADABLE.intersection(error.code for error in errors):
            named = {error.path for error in errors}
            errors += [reason for reason in self._reasons(record) if reason.path not in named]
        return sorted(errors, key=lambda error: error.path)

    def normalise(self, record: dict[str, Any]) -> dict[str, Any]:
        """Write the numbers of a valid record as the schema's type.

        The record itself is left alone; it is returned as it is where nothing differs.
        """
        return record if self._numbers is None else self._numbers(record)

    def _reasons(self, record: Any) -> Iterator[RecordError]:
        yield from explain_all(self._validator.iter_errors(record), self._hints)


def compile_schema(
    resolved: Node,
    *,
    id: str = "",
    version: str = "1.0",
    class_uri: str = "",
    behavior: str = "record",
    fields: Mapping[str, Field] | None = None,
    identities: tuple[IdentityDescriptor, ...] = (),
) -> CompiledSchema:
    """Get a resolved schema ready for records; `fields` when they carry labels."""
    return CompiledSchema(
        id=id,
        title=str(resolved.get("title", "")),
        version=version,
        class_uri=class_uri,
        behavior=behavior,
        resolved=resolved,
        fields=fields_of(resolved) if fields is None else fields,
        identities=identities,
    )


def validator_of(resolved: Node) -> Any:
    """Compile a resolved schema; raises `Refused` where it is no JSON Schema."""
    try:
        return jsonschema_rs.Draft202012Validator(
            resolved,
            validate_formats=True,
            formats=OWN_CHECKS,
            pattern_options=jsonschema_rs.RegexOptions(),  # linear time, whatever the text
        )
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        detail = f"This is no JSON Schema that can be compiled: {error}."
        raise Refused(Problem("malformed", detail)) from error
