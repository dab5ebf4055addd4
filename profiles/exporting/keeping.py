"""For how long the files of exports are kept, and what is in them of people who are erased."""

import gzip
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db.models import F
from django.utils import timezone
from orjson import dumps

from cdp.jobs.selectors import list_jobs
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.sandboxes import ErasedPerson
from cdp.tenancy.scope import scope
from profiles.enums import Compression, ExportFormat, ExportState
from profiles.exporting.run import CONTENT, folder_of
from profiles.ids import profile_key
from profiles.models import ProfileExport

ACTOR: Final = Actor.system("profiles.exports")
_BLOCK: Final = 1024 * 1024
_UNDER_WAY: Final = (ExportState.SUBMITTED, ExportState.PROCESSING)


def expire_exports() -> None:
    """Remove the files whose time is over, and what jobs left that could not end, everywhere."""
    for sandbox in Sandbox.objects.select_related("organization").order_by("pk"):
        with scope(sandbox, ACTOR):
            rows = ProfileExport.objects.for_sandbox(sandbox)
            complete = rows.filter(state=ExportState.COMPLETE)
            for export in complete.filter(expires_at__lte=timezone.now()):
                _remove(sandbox, export, ExportState.EXPIRED)
            ended = list_jobs(sandbox).filter(finished_at__isnull=False).values("pk")
            for export in rows.filter(state__in=_UNDER_WAY, job_id__in=ended):
                _remove(sandbox, export, ExportState.ERROR)


def erase_person(sandbox: Sandbox, person: ErasedPerson) -> Mapping[str, int]:
    """Remove the files that a person is in, and have those being written begun anew."""
    rows = ProfileExport.objects.for_sandbox(sandbox)
    rows.filter(state__in=_UNDER_WAY).update(outdated=F("outdated") + 1)
    words = _words(person)
    kept = rows.filter(state=ExportState.COMPLETE, expires_at__isnull=False)
    count = 0
    for export in kept.iterator(chunk_size=100):
        if folder_of(sandbox, export.pk).exists(CONTENT) and _names(sandbox, export, words):
            _remove(sandbox, export, ExportState.ERASED)
            count += 1
    return {"files": count}


def _remove(sandbox: Sandbox, export: ProfileExport, state: ExportState) -> None:
    folder_of(sandbox, export.pk).remove()
    export.state, export.expires_at = state, None
    export.save(update_fields=["state", "expires_at"])


def _words(person: ErasedPerson) -> list[bytes]:
    """Return what a person is found by in a file: what she was known by, and her profiles' ids."""
    values = {dumps(value)[1:-1] for value in person.values}
    values |= {value.encode() for value in person.values}
    # As they begin a line of CSV or stand in JSON: prf_1 is not prf_12.
    keys = [profile_key(number).encode() for number in person.profiles]
    return sorted(values | {b'"%b"' % key for key in keys} | {b"\n%b," % key for key in keys})


def _names(sandbox: Sandbox, export: ProfileExport, words: Collection[bytes]) -> bool:
    """Tell whether a file names somebody, without holding more of it than a block."""
    with folder_of(sandbox, export.pk).reading(CONTENT) as source:
        blocks = (
            _tables(source) if export.format == ExportFormat.PARQUET else _texts(source, export)
        )
        return any(word in block for block in blocks for word in words)


def _texts(source: Any, export: ProfileExport) -> Iterator[bytes]:
    """Yield a text, each block with the end of the one before: words may lie across."""
    if export.compression == Compression.GZIP:
        source = gzip.GzipFile(fileobj=source)
    before = b""
    while block := source.read(_BLOCK):
        yield before + block
        before = block[-2_048:]


def _tables(source: Any) -> Iterator[bytes]:
    """Yield the texts of a Parquet file, ids as JSON has them."""
    for batch in pq.ParquetFile(source).iter_batches(batch_size=2_000):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if pa.types.is_string(column.type):
                texts = pc.drop_null(column).to_pylist()
                yield "\n".join(f'"{text}"' if name == "id" else text for text in texts).encode()
