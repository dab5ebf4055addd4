"""Objects of Salesforce, by its REST API and query language."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from cdp.datasets.files.rows import Row
from cdp.datasets.sources.base import OVERLAP, Entry, SourceError
from cdp.datasets.sources.calling import Caller
from cdp.datasets.sources.rest import CREDENTIALS, MOST_PAGES, RestApi, rfc3339_seconds

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Salesforce(RestApi):
    """Contacts, leads and other objects of Salesforce."""

    kind = "salesforce"
    title = "Salesforce"
    description = "Contacts, leads, accounts and any other object of Salesforce."
    category = "CRM"
    settings_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "required": ["base_url"],
        "additionalProperties": False,
        "properties": {
            "base_url": {
                "type": "string",
                "format": "uri",
                "description": "https://yours.my.salesforce.com/services/data/v60.0",
            },
            **CREDENTIALS,
        },
    }
    selection_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "object": {"type": "string", "pattern": f"^{_NAME.pattern}$", "default": "Contact"},
            "columns": {
                "type": "array",
                "items": {"type": "string", "pattern": f"^{_NAME.pattern}$"},
                "default": [],
            },
            "delta_column": {
                "type": "string",
                "pattern": f"^({_NAME.pattern})?$",
                "default": "SystemModstamp",
            },
            "overlap_seconds": OVERLAP,
        },
    }
    known_fields: ClassVar[Mapping[str, str]] = {
        "FirstName": "person.name.firstName",
        "LastName": "person.name.lastName",
        "Name": "person.name.fullName",
        "Birthdate": "person.birthDate",
        "Email": "personalEmail.address",
        "MobilePhone": "mobilePhone.number",
        "HomePhone": "homePhone.number",
        "MailingStreet": "homeAddress.street1",
        "MailingCity": "homeAddress.city",
        "MailingPostalCode": "homeAddress.postalCode",
        "MailingState": "homeAddress.stateProvince",
        "MailingCountry": "homeAddress.country",
        "CreatedDate": "extSourceSystemAudit.createdDate",
        "LastModifiedDate": "extSourceSystemAudit.lastUpdatedDate",
        "Id": "extSourceSystemAudit.externalKey.sourceKey",
    }

    def test(self) -> str:
        return f"Connected; there are {len(self.explore(''))} kinds of object."

    def explore(self, path: str) -> list[Entry]:
        answer = self.caller(patient=False).get("sobjects")
        found = answer.get("sobjects") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise SourceError("The address is no Salesforce REST API.", permanent=True)
        names = sorted(str(each["name"]) for each in found if each.get("queryable", True))
        return [Entry("table", name, name) for name in names]

    def delta_field(self, selection: Mapping[str, Any]) -> str:
        return str(selection["delta_column"])

    def tidied(self, row: Row) -> Row:
        return {n: v for n, v in row.items() if v is not None and n != "attributes"}

    def pages(
        self, caller: Caller, selection: Mapping[str, Any], since: datetime | None
    ) -> Iterator[list[Any]]:
        name = str(selection["object"])
        columns = selection["columns"] or _all_columns(caller, name)
        delta = self.delta_field(selection)
        wanted = [*columns, *([delta] if delta and delta not in columns else [])]
        query = f"SELECT {', '.join(wanted)} FROM {name}"
        if delta and since:
            query += f" WHERE {delta} >= {rfc3339_seconds(since)}"
        if delta:
            query += f" ORDER BY {delta}"
        answer = caller.get("query", {"q": query})
        for _ in range(MOST_PAGES):
            rows = answer.get("records") if isinstance(answer, dict) else None
            if not isinstance(rows, list):
                raise SourceError("The answer is no query result.", permanent=True)
            yield rows
            if not answer.get("nextRecordsUrl"):
                return
            answer = caller.get(str(answer["nextRecordsUrl"]))


def _all_columns(caller: Caller, name: str) -> list[str]:
    described = caller.get(f"sobjects/{name}/describe")
    fields = described.get("fields", []) if isinstance(described, dict) else []
    plain = [
        str(each["name"]) for each in fields if each.get("type") not in ("address", "location")
    ]
    if not plain:
        raise SourceError(f"There is no object '{name}'.", permanent=True)
    return plain
