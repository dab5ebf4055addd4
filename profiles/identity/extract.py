"""Which identities a record names, and which of them it belongs to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from profiles.identity.namespaces import NamespaceCatalogue
from profiles.identity.rules import Identity, Rules
from profiles.identity.values import IdentityRefused, normalise

MOST: Final = 20
"""Identities that one record may name."""

Record = Mapping[str, Any]


class IdentityField(NamedTuple):
    """A field of the schema whose value is an identity."""

    path: tuple[str, ...]
    namespace: str
    primary: bool = False


class Refusal(NamedTuple):
    """Why an identity, or the record as a whole, is refused; `path` says where."""

    path: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Named:
    """The identities of a record, the one it belongs to, and those that were left out.

    `primary` is None when nobody is named; `fatal` tells why the record cannot be taken.
    """

    identities: tuple[Identity, ...]
    primary: Identity | None
    left_out: tuple[Refusal, ...] = ()
    fatal: Refusal | None = None


class _Claim(NamedTuple):
    path: str
    namespace: str
    value: object
    primary: bool


class Reader:
    """Reads the identities of records of one schema.

    Events belong to the identity whose namespace ranks highest in the linking
    rules. Without rules, and for profile rows always, a record belongs to the
    identity that calls itself primary, in its schema or in its `identityMap`.
    """

    def __init__(
        self,
        fields: Sequence[IdentityField],
        namespaces: NamespaceCatalogue,
        rules: Rules,
        *,
        events: bool,
    ) -> None:
        self._fields = tuple(fields)
        self._namespaces = namespaces
        self._rules = rules
        self._by_rank = events and rules.configured
        self._schema_first = not events

    def read(self, record: Record) -> Named:
        """Return what the record says of whom it is about."""
        found: dict[Identity, bool] = {}
        left_out: list[Refusal] = []
        for claim in self._claims(record):
            namespace = self._namespaces.find(claim.namespace)
            if namespace is None:
                return _refused(claim.path, "namespace_unknown", _no_namespace(claim.namespace))
            try:
                value = normalise(namespace, claim.value)
            except IdentityRefused as refused:
                if refused.fatal:
                    return _refused(claim.path, refused.code, refused.detail)
                left_out.append(Refusal(claim.path, refused.code, refused.detail))
                continue
            if namespace.stitches:
                identity = Identity(namespace.code, value)
                found[identity] = found.get(identity, False) or claim.primary
        if len(found) > MOST:
            detail = f"A record names at most {MOST} identities; this one names {len(found)}."
            return _refused("identityMap", "too_many_identities", detail)
        return Named(tuple(found), self._primary(found), tuple(left_out))

    def _claims(self, record: Record) -> Iterator[_Claim]:
        for path, namespace, primary in self._fields:
            value: Any = record
            for key in path:
                value = value.get(key) if isinstance(value, Mapping) else None
                if value is None:
                    break
            else:
                yield _Claim(".".join(path), namespace, value, primary)
        identity_map = record.get("identityMap")
        if isinstance(identity_map, Mapping):
            yield from self._in_map(identity_map)

    def _in_map(self, identity_map: Mapping[str, Any]) -> Iterator[_Claim]:
        schema_says = self._schema_first and any(field.primary for field in self._fields)
        for code, items in identity_map.items():
            for item in items if isinstance(items, list) else ():
                if isinstance(item, Mapping) and item.get("id") is not None:
                    primary = item.get("primary") is True and not schema_says
                    yield _Claim(f"identityMap.{code}", code, item["id"], primary)

    def _primary(self, found: Mapping[Identity, bool]) -> Identity | None:
        if len(found) < 2:
            return next(iter(found), None)
        rank = self._rules.rank_of
        if self._by_rank:
            return min(found, key=lambda i: (rank(i.namespace), not found[i]))
        return min(found, key=lambda i: (not found[i], rank(i.namespace)))


def _refused(path: str, code: str, detail: str) -> Named:
    return Named((), None, fatal=Refusal(path, code, detail))


def _no_namespace(code: str) -> str:
    return f"There is no namespace {code!r} in this sandbox. Create it under /api/v1/namespaces/."
