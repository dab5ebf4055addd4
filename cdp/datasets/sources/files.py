"""Files of a folder or an object store: each version of a file is read once."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import fsspec
from django.conf import settings
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
from cdp.datasets.sources.reach import address_of
from cdp.outgoing.accounts import Account

LOCAL: Final = "file"
MOST_FILES: Final = 10_000
_BLOCK: Final = 1024 * 1024
_PORTS: Final = {"sftp": 22, "https": 443, "http": 80}


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
                "description": "s3://bucket/folder, sftp://user@host:22/folder, file:///folder",
            },
            "key": {"type": "string", "description": "Access key, or account name."},
            "secret": {"type": "string", "writeOnly": True, "description": "Secret key."},
            "token": {"type": "string", "writeOnly": True},
            "password": {"type": "string", "writeOnly": True, "description": "For SFTP."},
            "endpoint_url": {
                "type": "string",
                "format": "uri",
                "description": "Of an object store that is not the provider's own.",
            },
            "region": {"type": "string", "maxLength": 60},
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
    sent_secrets: ClassVar[Mapping[str, str]] = {
        "secret": "endpoint_url",
        "token": "endpoint_url",
        "password": "url",
    }

    @classmethod
    def checked(cls, account: Account) -> Account:
        _split(str(account.get("url")))
        return account

    def test(self) -> str:
        with self._opened() as (files, root):
            return f"Connected; there are {len(files.ls(root, detail=False))} entries."

    def explore(self, path: str) -> list[Entry]:
        with self._opened() as (files, root):
            base = _below(root, path)
            return [
                Entry(
                    "folder" if each.is_folder else "file",
                    each.name,
                    each.path.removeprefix(root).lstrip("/"),
                    None if each.is_folder else each.size,
                    each.modified,
                )
                for each in listed(files, base)
            ]

    def preview(self, selection: Mapping[str, Any]) -> Sample:
        self._check_options(selection)
        with self._opened() as (files, root):
            found = next(self._matching(files, root, selection), None)
            if found is None:
                raise SourceError("No file fits the path and the pattern.", permanent=True)
            with files.open(found.path, "rb") as file:
                try:
                    given = read_rows(file, selection["format"], selection["format_options"])
                    head = islice(
                        (row for row in given if not isinstance(row, BadRow)), PREVIEW_ROWS
                    )
                    rows = [{k: v for k, v in row.items() if v is not None} for row in head]
                except FileUnreadable as error:
                    raise SourceError(error.detail, permanent=True) from error
        return Sample(columns_of(rows), rows)

    def pull(self, selection: Mapping[str, Any], window: Window) -> Pull:
        self._check_options(selection)
        pull = Pull(
            iter(()), selection["format"], dict(selection["format_options"]), marker=window.marker
        )
        pull.parts = self._parts(selection, window, pull)
        return pull

    def _parts(self, selection: Mapping[str, Any], window: Window, pull: Pull) -> Iterator[Part]:
        with self._opened() as (files, root):
            found = list(self._matching(files, root, selection))
            seen = window.is_seen({(each.path, each.version) for each in found})
            new = [
                each
                for each in found
                if (each.path, each.version) not in seen and _is_within(each, window)
            ]
            for each in islice(new, MOST_FILES):
                pull.files.append((each.path, each.version))
                yield Part(each.path.removeprefix(root).lstrip("/")[-255:], _chunks(files, each))

    def _matching(
        self, files: AbstractFileSystem, root: str, selection: Mapping[str, Any]
    ) -> Iterator[Listed]:
        base, pattern = _below(root, selection["path"]), selection["pattern"]
        if files.isfile(base):
            yield Listed.of(files, files.info(base))
            return
        for each in listed(files, base, recursive=selection["recursive"]):
            if not each.is_folder and fnmatchcase(each.name, pattern):
                yield each

    def _check_options(self, selection: Mapping[str, Any]) -> None:
        errors = check_options(selection["format"], selection["format_options"])
        if errors:
            raise SourceError(errors[0]["detail"], permanent=True)

    @contextmanager
    def _opened(self) -> Iterator[tuple[AbstractFileSystem, str]]:
        protocol, host, folder = _split(str(self.account.get("url")))
        try:
            if protocol == LOCAL:
                root = settings.SOURCE_DIR.resolve() / self.account.folder / folder
                yield fsspec.filesystem(LOCAL), str(root)
                return
            options = self._options(protocol)
            # A file system is otherwise kept for ever, with the secrets it was made with.
            files = fsspec.filesystem(protocol, skip_instance_cache=True, **options)
            yield files, f"/{folder}" if protocol == "sftp" else f"{host}/{folder}".rstrip("/")
        except SourceError:
            raise
        except ImportError as error:
            detail = f"This installation has no driver for {protocol}://."
            raise SourceError(detail, permanent=True) from error
        except Exception as error:  # each store's library raises its own
            detail = str(error).partition("\n")[0][:300] or type(error).__name__
            raise SourceError(detail) from error

    def _options(self, protocol: str) -> dict[str, Any]:
        account = self.account
        if protocol == "sftp":
            parts = urlsplit(str(account.get("url")))
            port = parts.port or _PORTS["sftp"]
            return {
                "host": address_of(str(parts.hostname), port),
                "port": port,
                "username": parts.username,
                "password": account.get("password"),
                "look_for_keys": False,
                "allow_agent": False,
            }
        options = {name: account.get(name) for name in ("key", "secret", "token")}
        endpoint = account.get("endpoint_url")
        if endpoint:
            parts = urlsplit(str(endpoint))
            address_of(str(parts.hostname), parts.port or _PORTS.get(parts.scheme, 443))
        if protocol == "s3":
            region = account.get("region")
            options |= {"endpoint_url": endpoint}
            options |= {"client_kwargs": {"region_name": region}} if region else {}
        return {name: value for name, value in options.items() if value is not None}


def _split(url: str) -> tuple[str, str, str]:
    """Return protocol, host and folder. Raises `ValueError` with what to write instead."""
    parts = urlsplit(url)
    if "::" in url or not parts.scheme:
        raise ValueError("Give a URL such as s3://bucket/folder or sftp://user@host/folder.")
    if parts.scheme not in settings.SOURCE_PROTOCOLS:
        allowed = ", ".join(settings.SOURCE_PROTOCOLS)
        raise ValueError(f"This installation reads files by {allowed}, not by {parts.scheme}.")
    if parts.password:
        raise ValueError("Put the password into 'password', where it is kept encrypted.")
    folder = "/".join(part for part in parts.path.split("/") if part)
    if any(part in (".", "..") for part in folder.split("/")):
        raise ValueError("Leave '.' and '..' out of the folder.")
    if parts.scheme != LOCAL and not parts.netloc:
        raise ValueError(f"Name a host or bucket: {parts.scheme}://name/folder.")
    return parts.scheme, parts.netloc, folder


def _below(root: str, path: str) -> str:
    names = [part for part in path.split("/") if part]
    if any(name in (".", "..") for name in names):
        raise SourceError("A path stays inside the connection's folder.", permanent=True)
    return "/".join([root, *names])


def _is_within(found: Listed, window: Window) -> bool:
    if found.modified is None:
        return True
    after_start = window.since is None or found.modified > window.since
    return after_start and (window.until is None or found.modified <= window.until)


def _chunks(files: AbstractFileSystem, found: Listed) -> Iterator[bytes]:
    with files.open(found.path, "rb") as file:
        while block := file.read(_BLOCK):
            yield block
