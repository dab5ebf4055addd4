"""Files of a folder or an object store: each version of a file is read once."""

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from hashlib import sha256
from itertools import islice
from typing import Any, ClassVar, Final

from fsspec import AbstractFileSystem

from cdp.datasets.enums import FileFormat
from cdp.datasets.files.formats import check_options, read_rows
from cdp.datasets.files.rows import BadRow, FileUnreadable
from cdp.datasets.sources.base import (
    PREVIEW_ROWS,
    Entry,
    Part,
    Pull,
    Sample,
    SourceError,
    SourceType,
    Window,
    columns_of,
)
from cdp.datasets.sources.listing import Listed, listed
from cdp.datasets.sources.places import check_account
from cdp.datasets.sources.stores import Store, opened, translated
from cdp.outgoing.accounts import Account

MOST_FILES: Final = 10_000
MOST_SHOWN: Final = 5_000
_BLOCK: Final = 1024 * 1024
_LONGEST_NAME: Final = 255


class Files(SourceType):
    """Files that fsspec can read: local, S3, Google Cloud Storage, Azure, SFTP."""

    kind = "files"
    title = "Files"
    description = "CSV, JSON and Parquet files on S3, Google Cloud Storage, Azure, SFTP or a disk."
    category = "Cloud storage"
    settings_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "required": ["url"],
        "additionalProperties": False,
        "properties": {
            "url": {
                "type": "string",
                "maxLength": 1000,
                "description": "s3://bucket/folder, gs://bucket/folder, abfs://container/folder, "
                "sftp://user@host:22/folder, file:///folder",
            },
            "key": {
                "type": "string",
                "maxLength": 200,
                "description": "Access key of S3, or the name of Azure's storage account.",
            },
            "secret": {
                "type": "string",
                "writeOnly": True,
                "description": "Secret key of S3, or the account key of Azure.",
            },
            "token": {
                "type": "string",
                "writeOnly": True,
                "description": "Session token of S3, SAS token of Azure, "
                "or the JSON key of Google's service account.",
            },
            "password": {
                "type": "string",
                "writeOnly": True,
                "description": "For SFTP: of the user, or of the private key.",
            },
            "private_key": {"type": "string", "writeOnly": True, "description": "For SFTP."},
            "host_key": {
                "type": "string",
                "maxLength": 2000,
                "description": "The public key by which an SFTP server is known.",
            },
            "endpoint_url": {
                "type": "string",
                "format": "uri",
                "description": "Of an S3 store that is not Amazon's own.",
            },
            "region": {"type": "string", "pattern": "^[a-z0-9-]{1,60}$"},
        },
    }
    selection_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "required": ["format"],
        "additionalProperties": False,
        "properties": {
            "path": {"type": "string", "default": "", "description": "A folder, or one file."},
            "pattern": {"type": "string", "default": "*", "description": "Names such as *.csv"},
            "recursive": {"type": "boolean", "default": False},
            "format": {"enum": [str(each) for each in FileFormat.values]},
            "format_options": {"type": "object", "default": {}},
        },
    }
    sent_secrets: ClassVar[Mapping[str, str | tuple[str, ...]]] = {
        "secret": ("endpoint_url", "key"),
        "token": ("endpoint_url", "key"),
        "password": "url",
        "private_key": "url",
    }

    @classmethod
    def checked(cls, account: Account) -> Account:
        check_account(account)
        return account

    def test(self) -> str:
        with opened(self.account) as store:
            entries = store.files.ls(store.below(""), detail=False)
        return f"Connected; there are {len(entries)} entries."

    def explore(self, path: str) -> list[Entry]:
        with opened(self.account) as store:
            return [
                Entry(
                    "folder" if each.is_folder else "file",
                    shown(each.name),
                    _inner(store, each),
                    None if each.is_folder else each.size,
                    each.modified,
                )
                for each in islice(_ours(store, store.below(path)), MOST_SHOWN)
            ]

    def preview(self, selection: Mapping[str, Any]) -> Sample:
        self._check_options(selection)
        with opened(self.account) as store:
            found = next(_matching(store, selection), None)
            if found is None:
                raise SourceError("No file fits the path and the pattern.", permanent=True)
            with store.files.open(found.path, "rb") as file:
                try:
                    given = read_rows(file, selection["format"], self.format_options(selection))
                    head = islice(
                        (row for row in given if not isinstance(row, BadRow)), PREVIEW_ROWS
                    )
                    rows = [{k: v for k, v in row.items() if v is not None} for row in head]
                except FileUnreadable as error:
                    raise SourceError(error.detail, permanent=True) from error
        return Sample(columns_of(rows), rows)

    def pull(self, selection: Mapping[str, Any], window: Window) -> Pull:
        self._check_options(selection)
        options = self.format_options(selection)
        pull = Pull(iter(()), selection["format"], options, marker=window.marker)
        pull.parts = self._parts(selection, window, pull)
        return pull

    def _parts(self, selection: Mapping[str, Any], window: Window, pull: Pull) -> Iterator[Part]:
        with opened(self.account) as store:
            found = list(_matching(store, selection))
            seen = window.is_seen({_version(each) for each in found})
            new = [
                each for each in found if _version(each) not in seen and _is_within(each, window)
            ]
            for each in islice(new, MOST_FILES):
                is_same = _comparison(store.files, each)
                yield Part(_part_name(store, each), _chunks(store.files, each), is_same)
                if is_same():
                    pull.files.append(_version(each))

    def _check_options(self, selection: Mapping[str, Any]) -> None:
        errors = check_options(selection["format"], self.format_options(selection))
        if errors:
            raise SourceError(errors[0]["detail"], permanent=True)

    def format_options(self, selection: Mapping[str, Any]) -> dict[str, Any]:
        """Return how the files are written."""
        return dict(selection["format_options"])


def shown(name: str) -> str:
    """Return a name as a text that can be kept; names of files can be any bytes."""
    return name.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _matching(store: Store, selection: Mapping[str, Any]) -> Iterator[Listed]:
    base, pattern = store.below(selection["path"]), selection["pattern"]
    if store.files.isfile(base):
        yield Listed.of(store.files.info(base))
        return
    for each in _ours(store, base, recursive=selection["recursive"]):
        if not each.is_folder and fnmatchcase(each.name, pattern):
            yield each


def _ours(store: Store, base: str, *, recursive: bool = False) -> Iterator[Listed]:
    for each in listed(store.files, base, recursive=recursive):
        if store.is_ours(each.path):
            yield each


def _inner(store: Store, found: Listed) -> str:
    return shown(found.path.removeprefix(store.root).lstrip("/"))


def _part_name(store: Store, found: Listed) -> str:
    name = _inner(store, found)
    if len(name) <= _LONGEST_NAME:
        return name
    digest = sha256(name.encode()).hexdigest()[:16]
    return f"{digest}...{name[-_LONGEST_NAME + 19 :]}"


def _version(found: Listed) -> tuple[str, str]:
    return shown(found.path), found.version


def _is_within(found: Listed, window: Window) -> bool:
    if found.modified is None:
        return True
    after_start = window.since is None or found.modified > window.since
    return after_start and (window.until is None or found.modified <= window.until)


def _comparison(files: AbstractFileSystem, found: Listed) -> Callable[[], bool]:
    """Return what tells whether a file is still the version that was listed.

    An object store gives one version whole, or refuses to go on: only files can grow
    while they are read.
    """

    def is_same() -> bool:
        with translated():
            return files.exists(found.path) and (
                Listed.of(files.info(found.path)).version == found.version
            )

    return (lambda: True) if found.has_tag else cache(is_same)


def _chunks(files: AbstractFileSystem, found: Listed) -> Iterator[bytes]:
    # Read while they are written, which is no longer inside `opened`.
    with translated(), files.open(found.path, "rb") as file:
        if hasattr(file, "readv"):
            # SFTP: many requests on the way at once, instead of one that waits for another.
            for at in range(0, found.size, _BLOCK):
                yield from file.readv([(at, min(_BLOCK, found.size - at))])
            return
        while block := file.read(_BLOCK):
            yield block
