"""What is known of a person as a member of a segment, beside her profile.

Of an uploaded segment that is what its rows say, the newest first; of a composition
that enriches, the attributes of the records that her own attributes point to.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from django.utils import timezone

from cdp.clickhouse import client
from cdp.datasets.lineage import labels_in
from cdp.datasets.models import Dataset
from cdp.schemas.selectors import compiled_schema
from cdp.tenancy.models import Sandbox
from profiles.identity.rules import Identity
from profiles.selectors.identities import members_of
from profiles.selectors.people import people_of_ids
from profiles.selectors.rules import default_policy
from profiles.sets import as_json, select
from segments.compositions.definition import Enrichment
from segments.compositions.reading import stored_definition
from segments.enums import SegmentOrigin
from segments.evaluation.uploads import COUNTING
from segments.language.scopes import Bound
from segments.language.sql.frames import Columns, json_path
from segments.language.sql.look_ups import current_entities
from segments.language.sql.parameters import Parameters
from segments.language.vocabulary import Entity
from segments.models import Segment
from segments.vocabulary import known_fields

Payload = dict[str, Any]

_UPLOADED: Final = f"""
SELECT identity.profile_id, named.attributes::text
FROM profiles_identity AS identity
JOIN segments_uploadrow AS named
  ON named.value = identity.value AND named.namespace = identity.namespace
  AND named.sandbox_id = identity.sandbox_id
JOIN segments_uploadpart AS part ON part.batch_id = named.batch_id
JOIN segments_upload AS upload ON upload.segment_id = part.upload_id
WHERE identity.sandbox_id + 0 = %(sandbox)s AND identity.id = ANY(%(identities)s)
  AND part.upload_id = %(segment)s AND {COUNTING}
ORDER BY part.stored_at, named.id
"""
_NAMING: Final = """
SELECT part.upload_id, named.namespace, named.value, named.attributes::text
FROM jsonb_to_recordset(%(named)s::jsonb) AS given(namespace text, value text)
JOIN segments_uploadrow AS named
  ON named.value = given.value AND named.namespace = given.namespace
JOIN segments_uploadpart AS part ON part.batch_id = named.batch_id
WHERE named.sandbox_id + 0 = %(sandbox)s
ORDER BY named.id
"""


@dataclass(frozen=True, slots=True)
class PayloadField:
    """An attribute that memberships carry, with its labels and the dataset that brings it."""

    labels: frozenset[str]
    dataset: Dataset | None = None


def payload_fields(segment: Segment) -> dict[str, PayloadField]:
    """Return the attributes that memberships of a segment carry, by name."""
    if segment.origin == SegmentOrigin.UPLOAD:
        attributes = segment.upload.attributes
        return {each["name"]: PayloadField(frozenset(each["labels"])) for each in attributes}
    enrichments = _enrichments(segment)
    rows = Dataset.objects.for_sandbox(segment.sandbox_id)
    datasets = rows.in_bulk({each.dataset for each in enrichments}) if enrichments else {}
    return {
        path: _field(datasets[each.dataset], path)
        for each in enrichments
        if each.dataset in datasets
        for path in each.attributes
    }


def _field(dataset: Dataset, path: str) -> PayloadField:
    known = compiled_schema(dataset.sandbox, dataset.schema_id).fields.get(path)
    labels = frozenset(dataset.labels) if known is None else labels_in(dataset, known)
    return PayloadField(labels, dataset)


def payload_of(segment: Segment, profiles: Collection[int]) -> dict[int, Payload]:
    """Return what is known of these people as members of a segment; in few queries for all."""
    if segment.origin == SegmentOrigin.UPLOAD:
        return _uploaded(segment, profiles)
    enrichments = _enrichments(segment)
    return _enriched(segment.sandbox, enrichments, profiles) if enrichments else {}


def rows_on(
    sandbox: Sandbox, profiles: list[int], identities: list[Identity]
) -> Iterable[tuple[str, Iterable[dict[str, Any]]]]:
    """Return the uploaded rows that name a person, for the file that she may ask for."""
    named = as_json({"namespace": one.namespace, "value": one.value} for one in identities)
    found = select(_NAMING, sandbox, named=named)
    yield "uploads", _shown(found)


def _shown(rows: Iterable[Sequence[Any]]) -> Iterator[dict[str, Any]]:
    for segment, namespace, value, attributes in rows:
        yield {
            "segment": segment,
            "namespace": namespace,
            "value": value,
            "attributes": orjson.loads(attributes),
        }


def _uploaded(segment: Segment, profiles: Collection[int]) -> dict[int, Payload]:
    known: dict[int, Payload] = defaultdict(dict)
    identities = list(members_of(segment.sandbox, profiles))
    values = {"segment": segment.pk, "identities": identities, "at": timezone.now()}
    for profile, attributes in select(_UPLOADED, segment.sandbox, **values):
        known[profile] |= orjson.loads(attributes)  # what came later wins
    return known


def _enrichments(segment: Segment) -> tuple[Enrichment, ...]:
    if segment.composition is None:
        return ()
    return stored_definition(segment.composition.definition).enrich


def _enriched(
    sandbox: Sandbox, enrichments: Iterable[Enrichment], profiles: Collection[int]
) -> dict[int, Payload]:
    policy = default_policy(sandbox)
    wanted = sorted(profiles)
    people = {
        asked: found.seen_by(policy).attributes(policy)
        for asked, found in zip(wanted, people_of_ids(sandbox, wanted), strict=True)
        if found is not None and found.id == asked
    }
    known: dict[int, Payload] = defaultdict(dict)
    for each in enrichments:
        keys = {
            profile: str(key)
            for profile, document in people.items()
            if (key := _at(document, each.key)) is not None
        }
        records = _records(sandbox, each, set(keys.values()))
        for profile, key in keys.items():
            record = records.get(key, {})
            known[profile] |= {path: record.get(path) for path in each.attributes}
    return known


def _records(sandbox: Sandbox, enrichment: Enrichment, keys: Collection[str]) -> dict[str, Payload]:
    """Return what is current of the records with these keys."""
    dataset = Dataset.objects.for_sandbox(sandbox).filter(pk=enrichment.dataset).first()
    if not keys or dataset is None:
        return {}
    fields = known_fields(compiled_schema(sandbox, dataset.schema_id).fields)
    entity = Entity("", dataset.name, enrichment.match, (dataset.pk,), fields, frozenset())
    columns, parameters = Columns("known"), Parameters()
    names = {}
    for path in enrichment.attributes:
        if path in fields:
            names[path] = columns.name(json_path(Bound("entity", path, fields[path], 0)))
    current = current_entities(entity, columns, parameters.texts(entity.datasets))
    text = f"""SELECT entity_key{"".join(f", {name}" for name in names.values())}
FROM ({current}) WHERE entity_key IN {parameters.texts(sorted(keys))}"""
    rows = client.fetch_text(text, sandbox=sandbox, params=parameters.values, budget=client.FULL)
    return {key: dict(zip(names, values, strict=True)) for key, *values in rows}


def _at(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value
