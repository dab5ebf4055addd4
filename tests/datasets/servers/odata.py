"""An OData v4 service as Dynamics 365 is one: server-driven pages, filters by time, annotations."""

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from tests.datasets.servers.http import Api, Asked

ROOT = "/api/data/v9.2"
_FILTER = re.compile(r"^modifiedon (gt|ge) (\S+)$")
_MOST = 5_000  # rows a page, whatever a client prefers


@dataclass
class ODataApi(Api):
    """Serves the entity set `contacts`, ordered as asked, in pages as preferred."""

    contacts: list[dict[str, Any]] = field(default_factory=list)
    page_sizes: list[int] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings of a connection, without its secret."""
        token_url = f"{self.url}/tenant/oauth2/v2.0/token"
        return {"base_url": f"{self.url}{ROOT}", "token_url": token_url, "client_id": "reader"}

    def data(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers.get("odata-version") != "4.0":
            return 400, {"error": {"code": "", "message": "Say OData-Version: 4.0."}}
        if asked.path.rstrip("/") == ROOT:
            names = {"contacts": "EntitySet", "accounts": "EntitySet", "WhoAmI": "FunctionImport"}
            sets = [{"name": name, "kind": kind, "url": name} for name, kind in names.items()]
            return 200, {"@odata.context": f"{self.url}{ROOT}/$metadata", "value": sets}
        if asked.path != f"{ROOT}/contacts":
            message = f"Resource not found for the segment '{asked.path.rpartition('/')[2]}'."
            return 404, {"error": {"code": "0x8006088a", "message": message}}
        return self._page(asked)

    def _page(self, asked: Asked) -> tuple[int, Any]:
        preferred = re.search(r"odata\.maxpagesize=(\d+)", asked.headers.get("prefer", ""))
        size = min(int(preferred[1]) if preferred else _MOST, _MOST)
        self.page_sizes.append(size)
        query, at = dict(asked.params), 0
        if cookie := query.pop("$skiptoken", ""):
            at = json.loads(base64.urlsafe_b64decode(cookie))["at"]
        try:
            rows = self._chosen(query)
        except ValueError as error:
            return 400, {"error": {"code": "0x0", "message": str(error)}}
        wanted = query["$select"].split(",") if "$select" in query else None
        page = [_row(row, wanted, self.url) for row in rows[at : at + size]]
        answer: dict[str, Any] = {"@odata.context": "...", "value": page}
        if at + size < len(rows):
            # As long as the paging cookies of the real one.
            cookie = json.dumps({"at": at + size, "pad": "x" * 1_800}).encode()
            query["$skiptoken"] = base64.urlsafe_b64encode(cookie).decode()
            answer["@odata.nextLink"] = f"{self.url}{ROOT}/contacts?{urlencode(query)}"
        return 200, answer

    def _chosen(self, query: dict[str, str]) -> list[dict[str, Any]]:
        rows = self.contacts
        if "$filter" in query:
            found = _FILTER.match(query["$filter"])
            if not found:
                raise ValueError(f"Syntax error in $filter: {query['$filter']}")
            start = datetime.fromisoformat(found[2])
            rows = [row for row in rows if _is_behind(row, start, or_at=found[1] == "ge")]
        if query.get("$orderby") == "modifiedon asc":
            rows = sorted(rows, key=lambda row: str(row["modifiedon"]))
        return rows


def _is_behind(row: dict[str, Any], start: datetime, *, or_at: bool) -> bool:
    changed = datetime.fromisoformat(row["modifiedon"])
    return changed > start or (or_at and changed == start)


def _row(row: dict[str, Any], wanted: list[str] | None, url: str) -> dict[str, Any]:
    chosen = {name: row.get(name) for name in wanted} if wanted else row
    formatted = f"{row['modifiedon']}@OData.Community.Display.V1.FormattedValue"
    return {"@odata.etag": 'W/"1"', **chosen, "modifiedon@odata.note": formatted}
