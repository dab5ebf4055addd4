"""Whom each record of a batch names."""

from collections.abc import Iterable
from dataclasses import dataclass

from cdp.datasets.records import Accepted, DatasetFacts, Rejection
from cdp.errors import FieldError
from profiles.identity.extract import IdentityField, Named, Reader, Refusal
from profiles.identity.namespaces import NamespaceCatalogue
from profiles.identity.rules import Identity, Rules
from profiles.stitching.sightings import Sighting, Sightings

NOBODY = Refusal(
    "identityMap",
    "identity_missing",
    "The dataset feeds profiles, so a record must name somebody: in a field that the schema "
    "marks as an identity, or in identityMap.",
)


@dataclass(frozen=True, slots=True)
class Attributed:
    """A record, the identities it names, and the one it belongs to; None where it is nobody's."""

    record: Accepted
    identities: tuple[Identity, ...] = ()
    primary: Identity | None = None


class Readers:
    """Reads whom records name, each as its dataset has it."""

    def __init__(self, namespaces: NamespaceCatalogue, rules: Rules) -> None:
        self._namespaces, self._rules = namespaces, rules
        self._by_dataset: dict[str, Reader] = {}

    def read(self, record: Accepted) -> Named:
        """Return what a record says of whom it is about."""
        dataset = record.dataset
        reader = self._by_dataset.get(dataset.id)
        if reader is None:
            reader = _reader(dataset, self._namespaces, self._rules)
            self._by_dataset[dataset.id] = reader
        return reader.read(record.record)


def attribute(
    records: Iterable[Accepted], readers: Readers
) -> tuple[list[Attributed], list[Rejection]]:
    """Find whom each record names; refuse those that name nobody although they should."""
    attributed: list[Attributed] = []
    refused: list[Rejection] = []
    for record in records:
        if not (record.profile or record.dataset.identity_enabled):
            attributed.append(Attributed(record))
            continue
        named = readers.read(record)
        problem = _problem(record, named)
        if problem is None:
            attributed.append(Attributed(record, named.identities, named.primary))
        else:
            refused.append(Rejection.of(record, [_error(problem)]))
    return attributed, refused


def sightings_of(attributed: Iterable[Attributed]) -> Sightings:
    """Collect who was seen together, and when: an event's own time, else when the row came."""
    sightings = Sightings()
    for one in attributed:
        if one.identities:
            record = one.record
            batch = record.batch_id
            seen = Sighting(milliseconds(record), record.dataset.id, reference(record), batch)
            sightings.see(one.identities, seen)
    return sightings


def milliseconds(record: Accepted) -> int:
    """Return a record's time as the graph counts it."""
    return round(record.timestamp.timestamp() * 1000)


def reference(record: Accepted) -> str:
    """Return what a record can be found by: an event's id, else its place in a receipt."""
    return record.event_id or f"{record.receipt_id}-{record.position}"


def _reader(dataset: DatasetFacts, namespaces: NamespaceCatalogue, rules: Rules) -> Reader:
    fields = [
        IdentityField(tuple(d.path.split(".")), d.namespace, d.primary)
        for d in dataset.schema.identities
    ]
    return Reader(fields, namespaces, rules, events=dataset.is_events)


def _error(refusal: Refusal) -> FieldError:
    return {"path": refusal.path, "code": refusal.code, "detail": refusal.detail}


def _problem(record: Accepted, named: Named) -> Refusal | None:
    if named.fatal:
        return named.fatal
    if named.primary is None and record.profile:
        return named.left_out[0] if named.left_out else NOBODY
    return None
