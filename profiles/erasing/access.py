"""Everything held on a person, as one file."""

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from orjson import OPT_INDENT_2, dumps

from cdp.datasets.files.storage import Folder
from cdp.tenancy.models import Sandbox
from profiles.erasing.naming import TABLES, Naming
from profiles.identity.rules import Identity
from profiles.ids import profile_key
from profiles.registries import personal_data
from profiles.selectors.graphs import list_links
from profiles.selectors.people import Person, people_of_identities
from profiles.selectors.shown import choose_policy, show
from profiles.selectors.sight import EVERYTHING
from profiles.selectors.timeline import Asked, Place, list_events

_PAGE: Final = 1_000
_READ_ME: Final = """\
What is held on you, as one file each:

profiles.json   who you are to us: merged attributes, identities, segments, and where each value
                comes from
fragments.json  what each source has told us of you
links.json      why we take your identities for one person
events.jsonl    what you did, one event a line
events-other.jsonl, records-other.jsonl
                rows that name you and are not part of your profile
"""


def write_access_file(
    sandbox: Sandbox,
    folder: Folder,
    name: str,
    numbers: Mapping[Identity, int],
    identities: Iterable[Identity],
) -> dict[str, dict[str, int]]:
    """Write the file and return how many of each kind it holds, by store."""
    named = sorted(identities)
    found = people_of_identities(sandbox, named)
    people = list({person.id: person for person in found if person is not None}.values())
    with (
        folder.writing(name) as target,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as zipped,
    ):
        zipped.writestr("README.txt", _READ_ME)
        receipts = {
            "profiles": _write_profiles(zipped, sandbox, people, numbers),
            "event store": _write_rows(zipped, sandbox, people, named),
        }
        for source, give in personal_data.entries().items():
            counts: dict[str, int] = {}
            for file, rows in give(sandbox, [person.id for person in people], named):
                counts[file] = _write_lines(zipped, f"{source}-{file}.jsonl", rows)
            receipts[source] = counts
    return receipts


def _write_profiles(
    zipped: zipfile.ZipFile,
    sandbox: Sandbox,
    people: list[Person],
    numbers: Mapping[Identity, int],
) -> dict[str, int]:
    policy = choose_policy(sandbox, None)
    shown = show(sandbox, people, policy, sight=EVERYTHING, sources=True)
    links = list_links(sandbox, list(numbers.values()))
    fragments = [
        {"dataset_id": one.dataset, "taken_at": one.at, "document": one.document}
        for person in people
        for one in person.fragments
    ]
    profiles = [
        {
            "id": profile_key(one.person.id),
            "created_at": one.person.created_at,
            "attributes": one.attributes,
            "sources": {path: source.dataset_id for path, source in (one.sources or {}).items()},
            "identities": [_plain(known.identity) for known in one.person.identities],
            "segments": one.person.segments,
            **one.extras,
        }
        for one in shown
    ]
    zipped.writestr("profiles.json", _json(profiles))
    zipped.writestr("fragments.json", _json(fragments))
    zipped.writestr(
        "links.json",
        _json(
            [
                {
                    "first": _plain(link.first),
                    "second": _plain(link.second),
                    "first_seen": link.first_seen,
                    "last_seen": link.last_seen,
                    "dataset_ids": link.dataset_ids,
                }
                for link in links
            ]
        ),
    )
    return {"profiles": len(profiles), "fragments": len(fragments), "links": len(links)}


def _write_rows(
    zipped: zipfile.ZipFile, sandbox: Sandbox, people: list[Person], named: list[Identity]
) -> dict[str, int]:
    events = (event for person in people for event in _events(sandbox, person))
    counts = {"events": _write_lines(zipped, "events.jsonl", events)}
    naming = Naming(sandbox, named)
    for table in TABLES:
        rows = (body.encode() for body, _ in naming.rows(table))
        counts[f"{table}-other"] = _write_lines(zipped, f"{table}-other.jsonl", rows)
    return counts


def _events(sandbox: Sandbox, person: Person) -> Iterator[dict[str, Any]]:
    after: Place | None = None
    while True:
        page = list_events(sandbox, person, Asked(newest_first=False, limit=_PAGE, after=after))
        yield from (event.body for event in page)
        if len(page) < _PAGE:
            return
        after = page[-1].place


def _write_lines(
    zipped: zipfile.ZipFile, name: str, rows: Iterable[Mapping[str, Any] | bytes]
) -> int:
    count = 0
    with _entry(zipped, name) as write:
        for row in rows:
            write(row if isinstance(row, bytes) else dumps(row))
            count += 1
    return count


@contextmanager
def _entry(zipped: zipfile.ZipFile, name: str) -> Iterator[Any]:
    with zipped.open(name, "w") as file:
        yield lambda line: file.write(line + b"\n")


def _json(value: Any) -> bytes:
    return dumps(value, option=OPT_INDENT_2)


def _plain(identity: Identity) -> dict[str, str]:
    return {"namespace": identity.namespace, "value": identity.value}
