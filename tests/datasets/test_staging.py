"""What staging puts together, and how much it holds at once."""

from dataclasses import dataclass, field

import pytest

from cdp.datasets.files.storage import Folder
from cdp.datasets.staging import chunks
from cdp.datasets.staging.chunks import ChunkWriter, read_chunk
from cdp.datasets.staging.senders import sender_of
from cdp.schemas.registry.validation import IdentityDescriptor


@dataclass
class FakeSandbox:
    pk: int = 1


@dataclass
class FakeSchema:
    identities: tuple[IdentityDescriptor, ...] = ()


@dataclass
class FakeFacts:
    is_events: bool = True
    schema: FakeSchema = field(default_factory=FakeSchema)


@pytest.fixture
def folder(settings, tmp_path):
    settings.FILES_URL = tmp_path.as_uri()
    return Folder(FakeSandbox(), "batches", "bat_1")


def write(folder, keyed):
    writer = ChunkWriter(folder)
    for key, number in keyed:
        writer.add({"n": number, "who": key}, key)
    writer.close()
    return [list(read_chunk(folder, number)) for number in range(len(writer.sizes))]


def test_events_of_one_person_share_a_chunk_and_keep_their_order(folder, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 100)
    keyed = [(f"person {number % 200}", number) for number in range(2_000)]

    written = write(folder, keyed)

    assert sorted(row["n"] for rows in written for row in rows) == list(range(2_000))
    for person in {key for key, _ in keyed}:
        holding = [rows for rows in written if any(row["who"] == person for row in rows)]
        [numbers] = [[row["n"] for row in rows if row["who"] == person] for rows in holding]
        assert numbers == sorted(numbers)
        assert len(numbers) == 10


def test_rows_without_a_key_come_out_as_they_went_in(folder, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 30)

    written = write(folder, [("", number) for number in range(100)])

    assert [len(rows) for rows in written] == [30, 30, 30, 10]
    assert [row["n"] for rows in written for row in rows] == list(range(100))


def test_a_chunk_ends_with_its_bytes_too(folder, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 1_000)

    written = write(folder, [("x" * 600, number) for number in range(6)])

    assert [len(rows) for rows in written] == [2, 2, 2]


def test_a_chunk_of_large_rows_counts_for_more_than_them(folder, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 10)
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 1_000)

    write(folder, [*(("x" * 600, number) for number in range(2)), ("a", 3), ("b", 4)])

    assert chunks.weights_of(folder, 2) == [12, 2]
    folder.remove()
    assert chunks.weights_of(folder, 2) == [10, 10]


def test_what_is_held_at_once_is_bounded(folder, monkeypatch):
    monkeypatch.setattr(chunks, "MOST_HELD", 20_000)
    monkeypatch.setattr(chunks, "_BLOCK", 1_000)
    writer = ChunkWriter(folder)
    most = 0
    for number in range(5_000):
        writer.add({"n": number, "text": str(hash((number, "salt"))) * 5}, f"key {number}")
        most = max(most, sum(shelf.packed_size for shelf in writer._shelves))
    writer.close()

    assert most < 25_000
    assert sum(writer.sizes) == 5_000


@pytest.mark.parametrize(
    ("record", "sender"),
    [
        ({"identityMap": {"A": [{"id": "1"}], "B": [{"id": "2", "primary": True}]}}, "2"),
        ({"identityMap": {"A": [{"id": "1"}], "B": [{"id": "2"}]}}, "1"),
        ({"identityMap": {}, "_t": {"second": "s", "first": "f"}}, "f"),
        ({"_t": {"second": "s"}}, "s"),
        ({"identityMap": {"A": "broken"}, "_t": 5}, ""),
        ({}, ""),
    ],
)
def test_the_sender_of_an_event_is_its_primary_identity(record, sender):
    schema = FakeSchema(
        (
            IdentityDescriptor("_t.second", "S"),
            IdentityDescriptor("_t.first", "F", primary=True),
        )
    )

    assert sender_of(FakeFacts(schema=schema))(record) == sender
    assert sender_of(FakeFacts(is_events=False, schema=schema))(record) == ""
