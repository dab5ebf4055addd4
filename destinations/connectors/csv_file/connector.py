"""Writing changes into CSV files."""

import csv
import io
from collections.abc import Collection, Mapping
from datetime import UTC, timedelta
from typing import Any, ClassVar, Final

from fsspec import AbstractFileSystem

from cdp.datasets.files.cells import cell
from cdp.outgoing.accounts import Account
from cdp.tenancy.ids import new_id
from destinations.connectors.base import (
    Batch,
    Change,
    Connector,
    DeliveryError,
    Mode,
    Receipt,
)
from destinations.connectors.csv_file.place import OPTIONS, Place, open_place, split_url

FIXED: Final = ("profile_id", "change", "at")


class CsvFileConnector(Connector):
    """Writes the changes of a window into one file."""

    kind = "csv_file"
    title = "CSV file"
    description = (
        "Collects who entered and left a segment and writes it into a CSV file at the end of "
        "each window. A file appears under its name only when it is whole."
    )
    category = "cloud_storage"
    mode = Mode.FILE
    sent_secrets: ClassVar[Mapping[str, str]] = {"options": "url"}
    settings_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["url"],
        "properties": {
            "url": {
                "type": "string",
                "title": "Folder",
                "description": "`file:///newsletter` is a folder of this sandbox on the "
                "installation's disk; other protocols as the installation allows.",
                "maxLength": 500,
            },
            "window_seconds": {
                "type": "integer",
                "title": "Window",
                "description": "How long changes collect before a file is written.",
                "minimum": 1,
                "maximum": 86_400,
                "default": 300,
            },
            "delimiter": {
                "type": "string",
                "title": "Delimiter",
                "enum": [",", ";", "\t", "|"],
                "default": ",",
            },
            "guard_formulas": {
                "type": "boolean",
                "title": "Guard against formulas",
                "description": "Puts an apostrophe before text that a spreadsheet would run. "
                "Switch it off only for readers that are programs.",
                "default": True,
            },
            "options": {
                "type": "object",
                "title": "Credentials",
                "description": "For an object store: `key` and `secret`, or `token`.",
                "propertyNames": {"enum": sorted(OPTIONS)},
                "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 10_000},
                "writeOnly": True,
            },
        },
    }

    @classmethod
    def checked(cls, account: Account) -> Account:
        split_url(account["url"])
        return account

    @property
    def window(self) -> timedelta:
        return timedelta(seconds=self.account["window_seconds"])

    def test(self) -> str:
        place = self._place()
        path = place.path(f".{new_id('tst')}")
        try:
            place.files.pipe_file(path, b"")
            place.files.rm_file(path)
        except OSError as error:
            raise _failed(error) from error
        return f"A file was written to {self.account['url']} and removed."

    def deliver(self, batch: Batch) -> Receipt:
        place = self._place()
        name = f"{batch.segment_id}_{batch.started_at.astimezone(UTC):%Y%m%d%H%M%S}_{batch.id}.csv"
        path, unfinished = place.path(name), place.path(f".{name}.part")
        try:
            place.files.makedirs(place.folder, exist_ok=True)
            count = self._write(place.files, unfinished, batch)
            place.files.mv(unfinished, path)
        except OSError as error:
            raise _failed(error) from error
        return Receipt(delivered=count, reference=name)

    def forget(self, reference: str, profiles: Collection[str]) -> int:
        place = self._place()
        path, unfinished = place.path(reference), place.path(f".{reference}.part")
        try:
            if not place.files.exists(path):
                return 0
            count = self._rewrite(place.files, path, unfinished, set(profiles))
            if count:
                place.files.mv(unfinished, path)
            else:
                place.files.rm_file(unfinished)
        except OSError as error:
            raise _failed(error) from error
        return count

    def _rewrite(
        self, files: AbstractFileSystem, path: str, unfinished: str, without: Collection[str]
    ) -> int:
        """Write a file anew without the lines of some profiles, a line at a time."""
        delimiter, count = self.account["delimiter"], 0
        with (
            files.open(path, "rb") as old,
            files.open(unfinished, "wb") as new,
            io.TextIOWrapper(old, "utf-8", newline="") as source,
            io.TextIOWrapper(new, "utf-8", newline="") as target,
        ):
            rows = csv.writer(target, delimiter=delimiter)
            for row in csv.reader(source, delimiter=delimiter):
                if row and row[0] in without:
                    count += 1
                else:
                    rows.writerow(row)
        return count

    def _place(self) -> Place:
        options = self.account.get("options") or {}
        return open_place(self.account["url"], options, self.account.folder)

    def _write(self, files: AbstractFileSystem, path: str, batch: Batch) -> int:
        count = 0
        guarded = self.account["guard_formulas"]
        with files.open(path, "wb") as raw, io.TextIOWrapper(raw, "utf-8", newline="") as text:
            rows = csv.writer(text, delimiter=self.account["delimiter"])
            rows.writerow([*FIXED, *(cell(target, guarded=guarded) for target in batch.targets)])
            for change in batch.changes:
                rows.writerow([cell(each, guarded=guarded) for each in _row(change, batch.targets)])
                count += 1
        return count


def _row(change: Change, targets: tuple[str, ...]) -> list[Any]:
    sent = {**change.attributes, **change.identities}
    moment = change.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    status = "entered" if change.entered else "exited"
    return [change.profile_id, status, moment, *(sent.get(target) for target in targets)]


def _failed(error: OSError) -> DeliveryError:
    # The message may name our own folders, which are nobody's business outside.
    return DeliveryError(f"The file could not be written: {error.strerror or type(error).__name__}")
