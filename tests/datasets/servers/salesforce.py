"""Salesforce's REST API: describe, SOQL, and `nextRecordsUrl` for the rest of a result."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.datasets.servers.http import Api, Asked

ROOT = "/services/data/v60.0"
PAGE = 2_000
_QUERY = re.compile(
    r"^SELECT (?P<columns>[\w, ]+) FROM (?P<object>\w+)"
    r"(?: WHERE (?P<field>\w+) >= (?P<start>\S+))?(?: ORDER BY (?P<order>\w+))?$"
)
_FIELDS = {"Id": "id", "FirstName": "string", "Email": "email", "SystemModstamp": "datetime"}


@dataclass
class SalesforceApi(Api):
    """Serves the object `Contact`. Its real fields are many, so are those described here."""

    contacts: list[dict[str, Any]] = field(default_factory=list)
    _results: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings of a connection, without its secret."""
        token_url = f"{self.url}/services/oauth2/token"
        return {"base_url": f"{self.url}{ROOT}", "token_url": token_url, "client_id": "reader"}

    def refusal(self) -> Any:
        return [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]

    def data(self, asked: Asked) -> tuple[int, Any]:
        path = asked.path.removeprefix(ROOT).strip("/")
        if path == "sobjects":
            named = [("Contact", True), ("Lead", True), ("ContactChangeEvent", False)]
            return 200, {"sobjects": [{"name": n, "queryable": q} for n, q in named]}
        if path == "sobjects/Contact/describe":
            many = {f"Custom_Field_Number_{n}__c": "string" for n in range(200)}
            fields = {**_FIELDS, **many, "MailingAddress": "address"}
            return 200, {"fields": [{"name": n, "type": t} for n, t in fields.items()]}
        if path == "query":
            return self._begin(asked.params.get("q", ""))
        locator, _, at = path.removeprefix("query/").rpartition("-")
        if locator in self._results:
            return 200, self._page(locator, int(at))
        return 404, [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]

    def _begin(self, soql: str) -> tuple[int, Any]:
        query = _QUERY.match(soql)
        if not query:
            return 400, [{"message": f"unexpected token: {soql}", "errorCode": "MALFORMED_QUERY"}]
        rows = self.contacts
        if query["start"]:
            start = datetime.fromisoformat(query["start"])
            rows = [row for row in rows if datetime.fromisoformat(row[query["field"]]) >= start]
        if query["order"]:
            rows = sorted(rows, key=lambda row: str(row[query["order"]]))
        columns = [name.strip() for name in query["columns"].split(",")]
        locator = f"01g{len(self._results):012d}AAA"
        self._results[locator] = [{name: row.get(name) for name in columns} for row in rows]
        return 200, self._page(locator, 0)

    def _page(self, locator: str, at: int) -> dict[str, Any]:
        rows = self._results[locator]
        end = at + PAGE
        more = {"nextRecordsUrl": f"{ROOT}/query/{locator}-{end}"} if end < len(rows) else {}
        records = [
            {"attributes": {"type": "Contact", "url": f"{ROOT}/sobjects/Contact/1"}, **row}
            for row in rows[at:end]
        ]
        return {"totalSize": len(rows), "done": not more, **more, "records": records}
