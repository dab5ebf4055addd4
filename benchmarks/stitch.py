"""How long it takes to store a million links and to keep up with who is one person.

Then the same rows are copied into the same tables, indexes and constraints included, by a
role that row-level security does not hold, and the same links are joined in memory by
`rustworkx`. Where nothing limits a graph, both must find the same people, or there is no
figure.

`stitch.random` are people of a few identities whose records come in any order, so that
half-known people are merged all the time. `stitch.hostile` is one cookie shared by all.
"""

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from io import StringIO
from itertools import chain, combinations
from pathlib import Path
from random import Random
from typing import Any

import django
import psycopg2
import rustworkx
from django.core.management import call_command
from django.db import connection

from benchmarks.report import Line, parser, progress, report
from cdp.engines.ephemeral import ephemeral
from cdp.engines.postgres import ADMIN
from cdp.engines.urls import Urls, postgres_url
from profiles.identity.namespaces import STANDARD
from profiles.identity.rules import LIMIT, Identity, make_rules
from profiles.stitching.sightings import Sighting, Sightings

A_BATCH = 10_000  # records: as many as the ingest worker takes at once
SINCE = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
TABLES = ("profiles_profile", "profiles_identity", "profiles_identitylink")
LINKS_OF_A_VISIT = 10  # five identities, each with each

Record = tuple[Identity, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What has been stored: who belongs together, by number, and the rows as text."""

    owners: dict[Identity, int]
    rows: dict[str, str]


def main() -> None:
    """Print three lines for people as they are, and three for a cookie that all share."""
    made = parser(__doc__ or "")
    made.add_argument("--links", type=int, default=1_000_000)
    options = made.parse_args()
    if options.small:
        options.links = 50_000
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        report(lines(Path(folder), options), as_json=options.json)


def lines(folder: Path, options: argparse.Namespace) -> Iterator[Line]:
    """Yield the measurements."""
    with ephemeral(folder, durable=True, engines=("postgres",)) as urls:
        os.environ |= urls.as_environment() | {"DJANGO_SETTINGS_MODULE": "cdp.settings"}
        django.setup()
        call_command("migrate", verbosity=0)
        yield from measured("stitch.random", people(options.links), urls)
        yield from measured("stitch.hostile", visitors(options.links // LINKS_OF_A_VISIT), urls)


def people(links: int) -> list[Record]:
    """Return records of two identities, as many as links, in any order.

    A person has one identity of her own, mostly an address, and a cookie for each browser:
    five identities on average, some have thirty. Each is seen with any of those before it.
    """
    chance = Random(4)
    records: list[Record] = []
    while len(records) < links:
        own = [Identity("UserId", f"user-{len(records)}")]
        if chance.random() < 0.7:
            own.append(Identity("Email", f"{len(records)}@luma.example"))
        cookies = min(1 + int(chance.expovariate(1 / 3)), 28)
        own += [Identity("ECID", f"{len(records) + n:038}") for n in range(cookies)]
        records += [(chance.choice(own[:n]), own[n]) for n in range(1, len(own))]
    del records[links:]
    chance.shuffle(records)
    return records


def visitors(count: int) -> list[Record]:
    """Return the records of people who all have used one browser, each once."""
    kiosk = Identity("ECID", f"{1:038}")
    return [
        (
            kiosk,
            Identity("UserId", f"user-{number}"),
            Identity("Email", f"{number}@luma.example"),
            Identity("Phone", f"+49{number:09}"),
            Identity("IDFA", f"device-{number}"),
        )
        for number in range(count)
    ]


def measured(bench: str, records: Sequence[Record], urls: Urls) -> Iterator[Line]:
    """Yield how long stitching took against copying its rows, and against joining in memory."""
    pairs = list(chain.from_iterable(combinations(record, 2) for record in records))
    size = f"{len(pairs):,} links in {len(records):,} records"
    took, found = stitched(bench, records)
    copied = copy_again(found.rows, urls)
    joined, components = in_memory(pairs)
    check(found.owners, components)
    size = f"{size}, {len(pairs) / took:,.0f} links/s"
    yield Line(bench, took, "s", "COPY of the same rows", copied, size)
    yield Line(bench, took, "s", "rustworkx in memory", joined, size)


def stitched(bench: str, records: Sequence[Record]) -> tuple[float, Found]:
    """Stitch records batch by batch; return how long that took, and what is stored."""
    # Rows of models can be named only once Django knows its stores.
    scopes, actors = import_module("cdp.tenancy.scope"), import_module("cdp.tenancy.actors")
    stitching = import_module("profiles.stitching.stitch")
    locks = import_module("profiles.stitching.locks")
    actor, sandbox = actors.Actor.system("benchmarks"), make_sandbox(bench)
    rules, now = make_rules(STANDARD), datetime(2026, 6, 1, tzinfo=UTC)

    def run() -> None:
        for start in range(0, len(records), A_BATCH):
            sightings = Sightings()
            for place, record in enumerate(records[start : start + A_BATCH], start):
                sightings.see(record, Sighting(SINCE + place, "ds_web", f"event-{place}"))
            with scopes.scope(sandbox, actor):
                locks.take_graphs(sandbox)
                stitching.stitch(sandbox, sightings, rules, now)
            if start // A_BATCH % 10 == 9:
                progress(f"{bench}: {start + A_BATCH:,} of {len(records):,} records")

    gc.disable()  # as the worker does for a batch
    took, _ = timed(run)
    gc.enable()
    with scopes.scope(sandbox, actor):
        return took, read_back()


def make_sandbox(bench: str) -> Any:
    """Make an organization of the bench's name and return its sandbox."""
    organizations = import_module("cdp.tenancy.services.organizations")
    actors = import_module("cdp.tenancy.actors")
    models = import_module("cdp.tenancy.models")
    name = bench.rpartition(".")[2]
    organization = organizations.create_organization(
        actor=actors.Actor.system("benchmarks"), name=name, tenant_namespace=name
    )
    return models.Sandbox.objects.get(organization=organization)


def read_back() -> Found:
    """Read what the open sandbox holds."""
    rows = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            text = StringIO()
            cursor.copy_expert(f"COPY (SELECT * FROM {table}) TO STDOUT", text)
            rows[table] = text.getvalue()
        cursor.execute("SELECT namespace, value, profile_id FROM profiles_identity")
        return Found({Identity(*name): owner for *name, owner in cursor.fetchall()}, rows)


def copy_again(rows: dict[str, str], urls: Urls) -> float:
    """Return how long the rows take to be copied into the emptied tables, in one transaction."""
    with psycopg2.connect(postgres_url(urls.place, role=ADMIN)) as admin, admin.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)}")
        admin.commit()

        def run() -> None:
            for table, text in rows.items():
                cursor.copy_expert(f"COPY {table} FROM STDIN", StringIO(text))
            admin.commit()

        progress("copying the rows again")
        took, _ = timed(run)
    return took


def in_memory(pairs: Sequence[tuple[Identity, Identity]]) -> tuple[float, list[set[Identity]]]:
    """Return how long it takes to number identities and to join them, and the components."""

    def run() -> tuple[dict[Identity, int], list[set[int]]]:
        numbers: dict[Identity, int] = {}
        edges = [
            (numbers.setdefault(a, len(numbers)), numbers.setdefault(b, len(numbers)))
            for a, b in pairs
        ]
        graph: Any = rustworkx.PyGraph()
        graph.extend_from_edge_list(edges)
        return numbers, list(rustworkx.connected_components(graph))

    progress("joining in memory")
    took, (numbers, components) = timed(run)
    names = list(numbers)
    return took, [{names[number] for number in component} for component in components]


def check(owners: dict[Identity, int], components: list[set[Identity]]) -> None:
    """Stop if a stored graph is another one than the links make, or larger than it may be."""
    sizes: dict[int, int] = {}
    for owner in owners.values():
        sizes[owner] = sizes.get(owner, 0) + 1
    if max(sizes.values()) > LIMIT:
        raise SystemExit("A graph is larger than its limit: there is no figure.")
    for component in components:
        profiles = {owners[identity] for identity in component}
        if len(component) <= LIMIT and (
            len(profiles) != 1 or sizes[profiles.pop()] != len(component)
        ):
            raise SystemExit("The stored graphs are not those of the links: there is no figure.")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long work took, and what it returned."""
    started = time.perf_counter()
    answer = work()
    return time.perf_counter() - started, answer


if __name__ == "__main__":
    main()
