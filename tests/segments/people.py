"""Putting people into the event store, as ingestion would."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from cdp.clickhouse import client
from segments.language.facts import Document, Facts
from segments.language.tree_windows import write_timestamp


@dataclass(frozen=True)
class Place:
    """A sandbox as far as the event store knows one."""

    pk: int


def store(people: Mapping[int, Facts], sandbox: Place) -> dict[int, list[int]]:
    """Write people by profile id; return the identities of each.

    A person has two identities. The second was somebody else's when its events
    came in, so it has an override.
    """
    identities = {profile: [profile * 10, profile * 10 + 1] for profile in people}
    client.insert(
        "profiles",
        [
            {"profile_id": profile, "version": 1, "deleted": 0, "body": facts.profile}
            for profile, facts in people.items()
        ],
        sandbox=sandbox,
        token=str(uuid4()),
    )
    client.insert(
        "profile_overrides",
        [
            {"identity_id": profile * 10 + 1, "profile_id": profile, "version": 1}
            for profile in people
        ],
        sandbox=sandbox,
        token=str(uuid4()),
    )
    events = [
        {
            "identity_id": profile * 10 + number % 2,
            "profile_id": profile + (number % 2) * 1_000_000,
            "ts": write_timestamp(event.at),
            "event_id": event.id,
            "event_type": event.type,
            "dataset_id": "ds_web",
            "body": event.body,
            "ingested_at": "2026-01-01T00:00:00Z",
            "batch_id": "b",
        }
        for profile, facts in people.items()
        for number, event in enumerate(facts.events)
    ]
    if events:
        client.insert("events", events, sandbox=sandbox, token=str(uuid4()))
    for entities in next(iter(people.values())).entities.values():
        _store_entities(entities, sandbox)
    return identities


def _store_entities(entities: Mapping[str, Document], sandbox: Place) -> None:
    """Write products as a catalogue that has seen changes would hold them.

    Each was another one before; then come parts of it, and for the one after the next
    a deletion in between. One product is gone.
    """
    rows = [_row("gone", 1, {"category": "a"}), _row("gone", 2, {}, "delete")] if entities else []
    for number, (key, document) in enumerate(entities.items()):
        first, *others = document.items()
        rows.append(_row(key, 1, {"category": "old", "weight": 1e9, "sizes": ["old"]}))
        if number % 2:
            rows.append(_row(key, 2, {}, "delete"))
            rows += [
                _row(key, 3 + at, dict([part]), "merge") for at, part in enumerate(document.items())
            ]
        else:
            rows.append(_row(key, 2, dict([first])))
            rows += [_row(key, 3 + at, dict([part]), "merge") for at, part in enumerate(others)]
    if rows:
        client.insert("records", rows, sandbox=sandbox, token=str(uuid4()))


def _row(sku: str, day: int, body: Document, operation: str = "create") -> dict[str, object]:
    stamp = f"2026-01-{day:02}T00:00:00Z"
    return {
        "dataset_id": ("ds_products", "ds_more")[day % 2],
        "batch_id": "b",
        "key": f"row of {sku}",
        "operation": operation,
        "ts": stamp,
        "body": {**body, "code": {"sku": sku}},
        "ingested_at": stamp,
    }
