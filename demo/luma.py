"""Luma's setting-up: what an engineer of theirs would do on the first morning, by API."""

from dataclasses import dataclass
from typing import Any

from demo.client import Client, Inlet

XDM = "https://ns.adobe.com/xdm"
PROFILE_CLASS = f"{XDM}/context/profile"
EVENT_CLASS = f"{XDM}/context/experienceevent"

CROSS_SITE_POLICY = "Restrict cross-site targeting"


@dataclass(frozen=True, slots=True)
class Luma:
    """The ids of what was made."""

    crm: Inlet
    web: Inlet
    segment: str
    email_tool: str
    newsletter: str
    display: str
    customers_schema: str


def set_up(client: Client, receiver: str) -> Luma:
    """Make schemas, datasets, inlets, the segment and the destinations."""
    client.post("namespaces/", {"code": "LumaCRM", "name": "Luma CRM", "type": "Cross_device"})
    customers = _customers_schema(client)
    events = _events_schema(client)
    return Luma(
        crm=_inlet(client, "CRM", _dataset(client, "Luma customers", customers)),
        web=_inlet(client, "Web", _dataset(client, "Luma web events", events)),
        segment=_gift_segment(client),
        email_tool=_connection(
            client, "E-mail tool", "webhook", {"url": receiver}, ["emailTargeting"]
        ),
        newsletter=_connection(
            client,
            "Newsletter",
            "csv_file",
            {"url": "file:///newsletter", "window_seconds": 2},
            ["emailTargeting"],
        ),
        display=_connection(
            client,
            "Display partner",
            "csv_file",
            {"url": "file:///display"},
            ["crossSiteTargeting"],
        ),
        customers_schema=customers,
    )


def gift_rule() -> dict[str, Any]:
    """Return the rule of "Gift-giving cart abandoners".

    In the last seven days something was put into the cart that is neither of the
    preferred category nor of the preferred size, nothing has been bought, and the
    person is in the loyalty programme.
    """
    return {
        "type": "all",
        "of": [
            {
                "type": "events",
                "where": _all(
                    _is_event("commerce.productListAdds"),
                    _recent(),
                    _differs("_luma.category", "_luma.preferredCategory"),
                    _differs("_luma.size", "_luma.preferredSize"),
                ),
            },
            {
                "type": "not",
                "of": {
                    "type": "events",
                    "where": _all(_is_event("commerce.purchases"), _recent()),
                },
            },
            {"type": "is_not_null", "operand": {"field": "loyalty.tier"}},
        ],
    }


def _all(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"type": "all", "of": list(conditions)}


def _is_event(kind: str) -> dict[str, Any]:
    return {"type": "compare", "operator": "=", "left": {"field": "eventType"}, "right": kind}


def _recent() -> dict[str, Any]:
    return {
        "type": "occurs",
        "operand": {"field": "timestamp"},
        "window": {"test": "<=", "count": 7, "unit": "day", "direction": "before"},
    }


def _differs(of_event: str, of_profile: str) -> dict[str, Any]:
    return {
        "type": "compare",
        "operator": "!=",
        "left": {"field": of_event},
        "right": {"field": of_profile, "of": "profile"},
    }


def _customers_schema(client: Client) -> str:
    own = client.post(
        "field-groups/",
        {
            "title": "Luma customer details",
            "classes": [PROFILE_CLASS],
            "definition": _tenant("crmId", "preferredCategory", "preferredSize"),
        },
    )
    schema = client.post(
        "schemas/",
        {
            "title": "Luma customers",
            "class_id": PROFILE_CLASS,
            "field_groups": [
                f"{XDM}/context/profile-person-details",
                f"{XDM}/context/profile-personal-details",
                f"{XDM}/mixins/profile/profile-loyalty-details",
                f"{XDM}/mixins/profile-consents",
                own["uri"],
            ],
        },
    )["id"]
    _identity(client, schema, "_luma.crmId", "LumaCRM", primary=True)
    _identity(client, schema, "personalEmail.address", "Email")
    client.patch(f"schemas/{schema}/", {"profile_enabled": True})
    return str(schema)


def _events_schema(client: Client) -> str:
    own = client.post(
        "field-groups/",
        {
            "title": "Luma item details",
            "classes": [EVENT_CLASS],
            "definition": _tenant("category", "size"),
        },
    )
    schema = client.post(
        "schemas/",
        {
            "title": "Luma web events",
            "class_id": EVENT_CLASS,
            "field_groups": [
                f"{XDM}/context/identitymap",
                f"{XDM}/context/experienceevent-commerce",
                f"{XDM}/context/experienceevent-web",
                own["uri"],
            ],
        },
    )["id"]
    client.patch(f"schemas/{schema}/", {"profile_enabled": True, "identity_map_primary": True})
    return str(schema)


def _tenant(*names: str) -> dict[str, Any]:
    fields = {name: {"type": "string", "title": name} for name in names}
    return {"properties": {"_luma": {"type": "object", "properties": fields}}}


def _identity(
    client: Client, schema: str, path: str, namespace: str, *, primary: bool = False
) -> None:
    client.post(
        "descriptors/",
        {
            "schema_id": schema,
            "kind": "identity",
            "paths": [path],
            "namespace": namespace,
            "primary": primary,
        },
    )


def _dataset(client: Client, name: str, schema: str) -> str:
    body = {"name": name, "schema_id": schema, "profile_enabled": True}
    return str(client.post("datasets/", body)["id"])


def _inlet(client: Client, name: str, dataset: str) -> Inlet:
    inlet = client.post("inlets/", {"name": name, "door": "xdm", "dataset_ids": [dataset]})["id"]
    key = client.post("write-keys/", {"name": name, "inlet": inlet})["write_key"]
    return Inlet(inlet, key)


def _gift_segment(client: Client) -> str:
    body = {"name": "Gift-giving cart abandoners", "rule": gift_rule()}
    segment = client.post("segments/", body)["id"]
    client.post(f"segments/{segment}/publish/", {})
    return str(segment)


def _connection(
    client: Client, name: str, kind: str, settings: dict[str, Any], actions: list[str]
) -> str:
    body = {"name": name, "kind": kind, "settings": settings, "marketing_actions": actions}
    return str(client.post("destination-connections/", body)["id"])
