"""Putting people into the event store, as ingestion would."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from cdp.clickhouse import client
from segments.language.facts import Facts
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
    _store_entities(people.values(), sandbox)
    return identities


def _store_entities(people: Sequence[Facts] | object, sandbox: Place) -> None:
    entities = next(iter(people)).entities.get("product", {})  # type: ignore[call-overload]
    rows = [
        {
            "dataset_id": "ds_products",
            "batch_id": "b",
            "key": key,
            "ts": stamp,
            "body": body,
            "ingested_at": stamp,
        }
        for key, document in entities.items()
        for stamp, body in (
            ("2026-01-02T00:00:00Z", document),
            ("2026-01-01T00:00:00Z", {"category": "old", "weight": 1e9}),
        )
    ]
    if rows:
        client.insert("records", rows, sandbox=sandbox, token=str(uuid4()))
