"""Uploading the files of a batch: at once, or in pieces that may be sent again."""

from typing import Any, Final

from django.conf import settings

from cdp.datasets.enums import BatchState
from cdp.datasets.errors import BatchStateWrong, FileIncomplete
from cdp.datasets.files.storage import Folder
from cdp.datasets.models import Batch, BatchFile
from cdp.datasets.services.batch_states import lock_batch
from cdp.errors import Invalid, Malformed, TooLarge
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox

_BLOCK: Final = 1024 * 1024
_FORBIDDEN: Final = frozenset("\\\0")


def folder_of(batch: Batch) -> Folder:
    """Return where the batch's files lie."""
    return folder_named(batch.sandbox, batch.pk)


def folder_named(sandbox: Sandbox, batch_id: str) -> Folder:
    """Return where the files of a batch lie, or lay."""
    return Folder(sandbox, "batches", batch_id)


def put_file(*, actor: Actor, batch: Batch, name: str, body: Any) -> BatchFile:
    """Store a file in one go; the same name again replaces it.

    The batch is locked only when the bytes are there, so files come in side by side.
    Raises `Invalid` for a name that is none, `TooLarge` or `BatchStateWrong`.
    """
    _refuse_unless_loading(batch)
    file = BatchFile(sandbox=batch.sandbox, batch=batch, name=check_name(name), complete=True)
    file.size = _store(batch, piece_name(file, 0), body)
    if not file.size:
        folder_of(batch).remove(file.pk)
        raise Malformed("The file is empty.", code="empty_file")
    file.pieces = [[0, file.size]]
    return _add(batch, file)


def start_file(*, actor: Actor, batch: Batch, name: str) -> BatchFile:
    """Open a file for pieces; if there is one of that name already, it begins anew."""
    return _add(batch, BatchFile(sandbox=batch.sandbox, batch=batch, name=check_name(name)))


def put_piece(
    *, actor: Actor, batch: Batch, file: BatchFile, start: int, end: int, body: Any
) -> BatchFile:
    """Store the bytes [start, end) of a file; the same piece again replaces the first.

    Raises `Malformed` if fewer or more bytes come than the range says.
    """
    _refuse_unless_loading(batch)
    _refuse_if_complete(file)
    _store(batch, piece_name(file, start), body, exactly=end - start)
    locked = BatchFile.objects.for_sandbox(batch.sandbox_id).select_for_update().get(pk=file.pk)
    _refuse_if_complete(locked)
    others = [piece for piece in locked.pieces if piece[0] != start]
    locked.pieces = [*others, [start, end]]
    locked.save(update_fields=["pieces"])
    return locked


def complete_file(*, actor: Actor, batch: Batch, file: BatchFile) -> BatchFile:
    """Close a file that came in pieces. Raises `FileIncomplete` for a hole or an overlap."""
    batch = lock_batch(batch, BatchState.LOADING)
    position = 0
    for start, end in sorted(file.pieces):
        if start != position:
            problem = "overlap" if start < position else "are missing"
            raise FileIncomplete(f"Bytes from {min(start, position):,} on {problem}.")
        position = end
    if not position:
        raise FileIncomplete("No piece of the file has come.")
    file.size, file.complete = position, True
    file.save(update_fields=["size", "complete"])
    _check_batch_size(batch)
    return file


def remove_file(*, actor: Actor, batch: Batch, file: BatchFile) -> None:
    """Take a file out of a batch that is still being loaded."""
    _forget(lock_batch(batch, BatchState.LOADING), file)


def piece_name(file: BatchFile, start: int) -> str:
    """Return the name under which a piece is stored."""
    return f"{file.pk}/{start:015d}"


def check_name(name: str) -> str:
    """Return a file's name as it will be shown. Raises `Invalid` for tricks."""
    parts = name.split("/")
    if (
        not 1 <= len(name) <= 255
        or any(part in ("", ".", "..") for part in parts)
        or any(char in _FORBIDDEN or not char.isprintable() for char in name)
    ):
        raise Invalid(
            "A file's name has 1 to 255 printable characters, no '..' and no '\\\\'.",
            errors=[{"path": "name", "code": "invalid", "detail": "Choose a plain name."}],
        )
    return name


def _store(batch: Batch, name: str, body: Any, *, exactly: int | None = None) -> int:
    """Store a body; one that is refused leaves what is stored under its name as it is."""
    limit = settings.FILE_PIECE_LIMIT if exactly is None else exactly
    size = 0
    with folder_of(batch).writing(name) as file:
        while block := body.read(_BLOCK):
            size += len(block)
            if size > limit:
                raise _too_long(limit, is_piece=exactly is not None)
            file.write(block)
        if exactly is not None and size < exactly:
            raise Malformed(f"The range has {exactly:,} bytes, the body {size:,}.")
    return size


def _too_long(limit: int, *, is_piece: bool) -> Malformed | TooLarge:
    if is_piece:
        return Malformed("The body has more bytes than its range.")
    return TooLarge(
        f"One upload takes {limit:,} bytes at most. Send the file in pieces.", limit=limit
    )


def _add(batch: Batch, file: BatchFile) -> BatchFile:
    locked = lock_batch(batch, BatchState.LOADING)
    existing = BatchFile.objects.for_sandbox(batch.sandbox_id).filter(batch=batch, name=file.name)
    for old in existing:
        _forget(locked, old)
    if locked.files.count() >= settings.BATCH_FILES_LIMIT:
        raise TooLarge(f"A batch holds {settings.BATCH_FILES_LIMIT:,} files at most.")
    file.save(force_insert=True)
    _check_batch_size(locked)
    return file


def _forget(batch: Batch, file: BatchFile) -> None:
    folder_of(batch).remove(file.pk)
    file.delete()


def _refuse_unless_loading(batch: Batch) -> None:
    if batch.state != BatchState.LOADING:
        raise BatchStateWrong(f"The batch is '{batch.state}' and takes no more files.")


def _refuse_if_complete(file: BatchFile) -> None:
    if file.complete:
        raise BatchStateWrong("The file is complete. Start it anew to change it.")


def _check_batch_size(batch: Batch) -> None:
    total = sum(batch.files.values_list("size", flat=True))
    if total > settings.BATCH_BYTES_LIMIT:
        raise TooLarge(f"A batch holds {settings.BATCH_BYTES_LIMIT:,} bytes at most.")
