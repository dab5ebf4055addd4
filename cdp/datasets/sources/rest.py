"""REST APIs that answer with lists of JSON objects, a page at a time."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, ClassVar, Final

import orjson

from cdp.datasets.enums import FileFormat
from cdp.datasets.files.rows import Row
from cdp.datasets.sources.base import (
    OVERLAP,
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
from cdp.datasets.sources.calling import Caller
from cdp.datasets.sources.marks import Mark
from cdp.outgoing.accounts import Account
from cdp.outgoing.client import UrlRefused, check_url

MOST_PAGES: Final = 100_000
_AT_ONCE: Final = 1_000
CREDENTIALS: Final[dict[str, Any]] = {
    "token": {"type": "string", "writeOnly": True, "description": "A bearer token."},
    "token_url": {"type": "string", "format": "uri", "description": "For OAuth2."},
    "client_id": {"type": "string", "maxLength": 500},
    "client_secret": {"type": "string", "writeOnly": True},
    "scope": {"type": "string", "maxLength": 1000},
}


class RestApi(SourceType):
    """Any REST API."""

    kind = "rest"
    title = "REST API"
    description = "Lists of JSON objects over HTTP, with pages, OAuth2 and changes since a time."
    category = "Generic"
    settings_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "required": ["base_url"],
        "additionalProperties": False,
        "properties": {
            "base_url": {"type": "string", "format": "uri"},
            "test_path": {
                "type": "string",
                "default": "",
                "description": "What to ask for when the connection is tried.",
            },
            "api_key": {"type": "string", "writeOnly": True},
            "api_key_header": {"type": "string", "default": "X-API-Key"},
            **CREDENTIALS,
        },
    }
    selection_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "required": ["path"],
        "additionalProperties": False,
        "properties": {
            "path": {"type": "string", "description": "customers, below the base address"},
            "params": {"type": "object", "additionalProperties": {"type": "string"}, "default": {}},
            "records": {
                "type": "string",
                "default": "",
                "description": "Where the list is in the answer: data.items",
            },
            "pages": {
                "enum": ["none", "link", "number", "offset", "cursor"],
                "default": "none",
                "description": "How the next page is asked for.",
            },
            "page_param": {"type": "string", "default": "page"},
            "next": {"type": "string", "default": "next", "description": "Path of link or cursor"},
            "first_page": {"type": "integer", "default": 1},
            "size_param": {"type": "string", "default": ""},
            "page_size": {"type": "integer", "default": 100, "minimum": 1, "maximum": 10000},
            "delta_param": {
                "type": "string",
                "default": "",
                "description": "A parameter that takes the time since when changes are wanted.",
            },
            "delta_field": {
                "type": "string",
                "default": "",
                "description": "The field that holds the time of a row's last change.",
            },
            "overlap_seconds": OVERLAP,
        },
    }
    sent_secrets: ClassVar[Mapping[str, str | tuple[str, ...]]] = {
        "token": "base_url",
        "api_key": "base_url",
        "client_secret": ("token_url", "base_url"),  # what it opens is sent to the second
    }

    @classmethod
    def checked(cls, account: Account) -> Account:
        for name in ("base_url", "token_url"):
            if account.get(name):
                try:
                    check_url(str(account.get(name)))
                except UrlRefused as error:
                    raise ValueError(f"{name}: {error}") from error
        return account

    def test(self) -> str:
        self.caller(patient=False).get(str(self.account.get("test_path", "")))
        return "The API answers."

    def explore(self, path: str) -> list[Entry]:
        return []  # a REST API has no list of what it offers

    def preview(self, selection: Mapping[str, Any]) -> Sample:
        pages = self.pages(self.caller(patient=False), self.shortened(selection), None)
        rows = list(islice(self._rows(pages), PREVIEW_ROWS))
        return Sample(columns_of(rows), rows)

    def pull(self, selection: Mapping[str, Any], window: Window) -> Pull:
        pull = Pull(iter(()), FileFormat.JSON_LINES, marker=window.marker)
        pull.parts = iter([Part("rows.jsonl", self._lines(selection, window, pull))])
        return pull

    def _lines(self, selection: Mapping[str, Any], window: Window, pull: Pull) -> Iterator[bytes]:
        mark, field = _mark_of(selection, window), self.delta_field(selection)
        since = mark.start or window.since
        rows = self._rows(self.pages(self.caller(), selection, since))
        while some := list(islice(rows, _AT_ONCE)):
            lines = []
            for row in some:
                line = orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
                changed = _time(row.get(field)) if field else None
                if _is_within(changed, window) and mark.is_new(changed, line):
                    lines.append(line)
            yield b"".join(lines)
        newest, seen, behind = mark.next()
        if newest is not None:
            pull.marker = {"value": _text(newest), "seen": seen, "behind": _text(behind)}

    def _rows(self, pages: Iterator[list[Any]]) -> Iterator[Row]:
        before: list[Any] = []
        for page in pages:
            if page and page == before:
                detail = "The API gives the same page again and again."
                raise SourceError(detail, permanent=True)
            before = page
            for row in page:
                if not isinstance(row, dict):
                    raise SourceError("The list holds something that is no object.", permanent=True)
                yield self.tidied(row)

    def caller(self, *, patient: bool = True) -> Caller:
        """Return what calls the API."""
        return Caller(self.account, patient=patient)

    def shortened(self, selection: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what to ask for if only a hundred rows are wanted."""
        return selection

    def delta_field(self, selection: Mapping[str, Any]) -> str:
        """Name the field that holds the time of a row's last change."""
        return str(selection.get("delta_field") or "")

    def tidied(self, row: Row) -> Row:
        """Return a row without what the API adds for itself."""
        return {name: value for name, value in row.items() if value is not None}

    def pages(
        self, caller: Caller, selection: Mapping[str, Any], since: datetime | None
    ) -> Iterator[list[Any]]:
        """Yield the lists of all pages, of rows changed at `since` or later."""
        address = str(selection["path"])
        position = 0 if selection["pages"] == "offset" else int(selection["first_page"])
        params = dict(selection["params"])
        if since and selection["delta_param"]:
            # Some APIs mean "later than": a second earlier is told apart by ourselves.
            params[selection["delta_param"]] = rfc3339_seconds(since - timedelta(seconds=1))
        if selection["size_param"]:
            params[selection["size_param"]] = str(selection["page_size"])
        for _ in range(MOST_PAGES):
            if selection["pages"] in ("number", "offset"):
                params[selection["page_param"]] = str(position)
            answer = caller.get(address, params)
            rows = at_path(answer, selection["records"])
            if not isinstance(rows, list):
                raise SourceError(_no_list(selection["records"]), permanent=True)
            yield rows
            following = at_path(answer, selection["next"])
            match selection["pages"]:
                case "number" | "offset" if rows:
                    position += len(rows) if selection["pages"] == "offset" else 1
                case "link" if following:
                    address, params = str(following), {}
                case "cursor" if following:
                    params[selection["page_param"]] = str(following)
                case _:
                    return


def at_path(value: Any, path: str) -> Any:
    """Return what lies at a dotted path, or None.

    >>> at_path({"data": {"items": [1]}}, "data.items")
    [1]
    """
    for name in path.split(".") if path else ():
        value = value.get(name) if isinstance(value, dict) else None
    return value


def rfc3339_seconds(moment: datetime) -> str:
    """Write a time as APIs want it.

    >>> rfc3339_seconds(datetime(2026, 1, 2, tzinfo=UTC))
    '2026-01-02T00:00:00Z'
    """
    text = moment.astimezone(UTC).isoformat(
        timespec="milliseconds" if moment.microsecond else "auto"
    )
    return text.removesuffix("+00:00") + "Z"


def _no_list(path: str) -> str:
    if path:
        return f"There is no list at '{path}'."
    return "The answer is no list. Say in 'records' where in it the list is."


def _mark_of(selection: Mapping[str, Any], window: Window) -> Mark:
    overlap = timedelta(seconds=selection.get("overlap_seconds", 0))
    marker = window.marker or {}
    return Mark(
        _time(marker.get("value")),
        marker.get("seen", ""),
        _time(marker.get("behind", marker.get("value"))),
        overlap=overlap,
    )


def _is_within(changed: datetime | None, window: Window) -> bool:
    if changed is None:
        return True
    after_start = window.marker or window.since is None or changed > window.since
    return bool(after_start) and (window.until is None or changed <= window.until)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
