"""Bodies as people send them, for the API's own document."""

from typing import Final

from drf_spectacular.utils import OpenApiExample

_LUMA: Final = {"type": "object", "properties": {"loyaltyTier": {"type": "string"}}}
_OWN: Final = {"properties": {"_luma": _LUMA}}


def _example(name: str, value: object) -> list[OpenApiExample]:
    return [OpenApiExample(name, value=value, request_only=True)]


CLASS: Final = _example(
    "A class of things",
    {
        "title": "Store",
        "extends": "record",
        "definition": {"properties": {"_luma": {"properties": {"storeID": {"type": "string"}}}}},
    },
)
FIELD_GROUP: Final = _example(
    "A field group for people",
    {
        "title": "Luma loyalty",
        "classes": ["_xdm.context.profile"],
        "definition": _OWN,
    },
)
DATA_TYPE: Final = _example(
    "Buckets by period",
    {
        "title": "Deciles",
        "definition": {
            "properties": {
                f"decileMonth{month}": {
                    "type": "object",
                    "additionalProperties": {"type": "integer"},
                }
                for month in (1, 3, 6)
            }
        },
    },
)
COMPONENT_PATCH: Final = _example(
    "One more field",
    {
        "definition": {
            "properties": {"_luma": {"properties": {"points": {"type": "integer"}}}},
        }
    },
)
SCHEMA: Final = _example(
    "Customer attributes",
    {
        "title": "Customer attributes",
        "class_id": "_xdm.context.profile",
        "field_groups": [
            "_xdm.context.profile-person-details",
            "_xdm.context.profile-personal-details",
            "_xdm.mixins.profile-consents",
        ],
        "definition": _OWN,
    },
)
SCHEMA_PATCH: Final = _example("Enable for Profile", {"profile_enabled": True})
RECORD: Final = _example(
    "A person", {"record": {"personalEmail": {"address": "sarah@example.com"}}}
)
IMPORT: Final = _example(
    "An export of another organization",
    {
        "documents": [
            {
                "$id": "https://ns.adobe.com/<XDM_TENANTID_PLACEHOLDER>/datatypes/deciles",
                "title": "Deciles",
                "type": "object",
                "meta:resourceType": "data-type",
                "properties": {"decileMonth1": {"type": "object"}},
            }
        ]
    },
)
DESCRIPTOR: Final = [
    *_example(
        "The primary identity",
        {
            "schema_id": "sch_01hzx3d9k2f8q4w7m5n6p0r1st",
            "kind": "identity",
            "paths": ["personalEmail.address"],
            "namespace": "Email",
            "primary": True,
        },
    ),
    *_example(
        "A label",
        {
            "schema_id": "sch_01hzx3d9k2f8q4w7m5n6p0r1st",
            "kind": "label",
            "paths": ["personalEmail.address"],
            "labels": ["I1"],
        },
    ),
]
DESCRIPTOR_PATCH: Final = _example("Other labels", {"labels": ["I1", "C4"]})
