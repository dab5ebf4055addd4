"""OData services: what they offer is listed by themselves, changes by a field."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from cdp.datasets.files.rows import Row
from cdp.datasets.sources.base import OVERLAP, PREVIEW_ROWS, Entry, SourceError
from cdp.datasets.sources.calling import Caller
from cdp.datasets.sources.rest import CREDENTIALS, MOST_PAGES, RestApi, rfc3339_seconds


class OData(RestApi):
    """Any OData service, version 4."""

    kind = "odata"
    title = "OData"
    description = "Entity sets of an OData service, with pages, OAuth2 and changes by a field."
    category = "Generic"
    settings_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "required": ["base_url"],
        "additionalProperties": False,
        "properties": {
            "base_url": {
                "type": "string",
                "format": "uri",
                "description": "https://example.com/odata/v4",
            },
            **CREDENTIALS,
        },
    }
    selection_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "required": ["entity"],
        "additionalProperties": False,
        "properties": {
            "entity": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_.]*$"},
            "columns": {"type": "array", "items": {"type": "string"}, "default": []},
            "filter": {"type": "string", "default": "", "description": "An OData filter."},
            "delta_column": {"type": "string", "default": ""},
            "overlap_seconds": OVERLAP,
            "page_size": {"type": "integer", "default": 1000, "minimum": 1, "maximum": 5000},
        },
    }

    def test(self) -> str:
        return f"Connected; the service offers {len(self.explore(''))} entity sets."

    def explore(self, path: str) -> list[Entry]:
        if path:
            return []
        answer = self.caller(patient=False).get("")
        offered = answer.get("value") if isinstance(answer, dict) else None
        if not isinstance(offered, list):
            raise SourceError("The address is no OData service.", permanent=True)
        sets = [each for each in offered if each.get("kind", "EntitySet") == "EntitySet"]
        names = sorted(str(each.get("url") or each.get("name")) for each in sets)
        return [Entry("table", name, name) for name in names]

    def delta_field(self, selection: Mapping[str, Any]) -> str:
        return str(selection["delta_column"])

    def tidied(self, row: Row) -> Row:
        return {
            name: value
            for name, value in row.items()
            if value is not None and not name.startswith("@") and "@" not in name
        }

    def caller(self, *, patient: bool = True) -> Caller:
        versions = {"OData-Version": "4.0", "OData-MaxVersion": "4.0"}
        return Caller(self.account, headers=versions, patient=patient)

    def shortened(self, selection: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**selection, "page_size": min(selection["page_size"], PREVIEW_ROWS)}

    def pages(
        self, caller: Caller, selection: Mapping[str, Any], since: datetime | None
    ) -> Iterator[list[Any]]:
        caller.headers["Prefer"] = f"odata.maxpagesize={selection['page_size']}"
        address, params = str(selection["entity"]), self._query(selection, since)
        for _ in range(MOST_PAGES):
            answer = caller.get(address, params)
            rows = answer.get("value") if isinstance(answer, dict) else None
            if not isinstance(rows, list):
                raise SourceError("The answer is not an OData list.", permanent=True)
            yield rows
            following = answer.get("@odata.nextLink")
            if not following:
                return
            address, params = str(following), {}

    def _query(self, selection: Mapping[str, Any], since: datetime | None) -> dict[str, str]:
        delta, columns = self.delta_field(selection), list(selection["columns"])
        conditions = [f"({selection['filter']})"] if selection["filter"] else []
        if since and delta:
            conditions.append(f"{delta} ge {rfc3339_seconds(since)}")
        if columns and delta and delta not in columns:
            columns.append(delta)  # without it there is no telling what is new
        params = {
            "$select": ",".join(columns),
            "$filter": " and ".join(conditions),
            "$orderby": f"{delta} asc" if delta else "",
        }
        return {name: value for name, value in params.items() if value}


class DynamicsContacts(OData):
    """Contacts of Microsoft Dynamics 365."""

    kind = "dynamics-365"
    title = "Microsoft Dynamics 365"
    description = "Contacts, accounts and leads of Microsoft Dynamics 365, by its Web API."
    category = "CRM"
    settings_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "required": ["base_url"],
        "additionalProperties": False,
        "properties": {
            "base_url": {
                "type": "string",
                "format": "uri",
                "description": "https://yours.crm4.dynamics.com/api/data/v9.2",
            },
            **CREDENTIALS,
        },
    }
    selection_schema: ClassVar[Mapping[str, Any]] = {
        **OData.selection_schema,
        "required": [],
        "properties": {
            **OData.selection_schema["properties"],
            "entity": {
                "type": "string",
                "pattern": "^[A-Za-z_][A-Za-z0-9_.]*$",
                "default": "contacts",
            },
            "delta_column": {"type": "string", "default": "modifiedon"},
        },
    }
    known_fields: ClassVar[Mapping[str, str]] = {
        "firstname": "person.name.firstName",
        "middlename": "person.name.middleName",
        "lastname": "person.name.lastName",
        "fullname": "person.name.fullName",
        "birthdate": "person.birthDate",
        "emailaddress1": "personalEmail.address",
        "mobilephone": "mobilePhone.number",
        "telephone1": "homePhone.number",
        "address1_line1": "homeAddress.street1",
        "address1_line2": "homeAddress.street2",
        "address1_city": "homeAddress.city",
        "address1_postalcode": "homeAddress.postalCode",
        "address1_stateorprovince": "homeAddress.stateProvince",
        "address1_country": "homeAddress.country",
        "createdon": "extSourceSystemAudit.createdDate",
        "modifiedon": "extSourceSystemAudit.lastUpdatedDate",
        "contactid": "extSourceSystemAudit.externalKey.sourceKey",
    }
