"""A few files in the form of the public XDM repository, written for the tests."""

from typing import Any

NS = "https://ns.adobe.com/"
CONTEXT = {"$ref": f"{NS}xdm/common/extensible#/definitions/@context"}

HOUSE: dict[str, Any] = {
    "$id": f"{NS}xdm/datatypes/house",
    "$schema": "http://json-schema.org/draft-06/schema#",
    "meta:license": ["A licence"],
    "title": "House",
    "type": "object",
    "meta:extensible": True,
    "meta:status": "stable",
    "definitions": {
        "house": {
            "properties": {
                "@id": {"type": "string", "format": "uri-reference"},
                "xdm:rooms": {"type": "integer", "minimum": 0},
                "schema:latitude": {"type": "number"},
                "schema:longitude": {"type": "number"},
                "https://ns.adobe.com/experience/house/code": {"type": "string"},
                "xdm:colour": {
                    "type": "string",
                    "enum": ["red", "blue"],
                    "meta:enum": {"red": "Red", "blue": "Blue"},
                    "examples": ["red"],
                },
            },
            "required": ["@id", "schema:latitude"],
        },
        "door": {"properties": {"xdm:width": {"type": "number"}}},
    },
    "allOf": [CONTEXT, {"$ref": "#/definitions/house"}],
}
STREET: dict[str, Any] = {
    "$id": f"{NS}xdm/mixins/profile-street",
    "title": "Street Details",
    "type": "object",
    "meta:intendedToExtend": [f"{NS}xdm/context/profile"],
    "definitions": {
        "street": {
            "properties": {
                "xdm:houses": {"type": "array", "items": {"$ref": f"{NS}xdm/datatypes/house"}},
                "xdm:door": {"$ref": f"{NS}xdm/datatypes/house#/definitions/door"},
                "xdm:width": {
                    "$ref": f"{NS}xdm/datatypes/house#/definitions/door/properties/xdm:width"
                },
                "xdm:home": {"$ref": f"{NS}xdm/common/address"},
            }
        }
    },
    "allOf": [CONTEXT, {"$ref": "#/definitions/street"}],
}
TOWN: dict[str, Any] = {
    "$id": f"{NS}xdm/classes/town",
    "title": "Town",
    "type": "object",
    "definitions": {"town": {"properties": {"xdm:name": {"type": "string"}}}},
    "allOf": [{"$ref": f"{NS}xdm/data/record"}, {"$ref": "#/definitions/town"}],
}
BROKEN: dict[str, Any] = {
    "$id": f"{NS}xdm/datatypes/broken",
    "title": "Broken",
    "type": "object",
    "properties": {"xdm:a": {"$ref": f"{NS}xdm/datatypes/nowhere"}},
}
ON_BROKEN: dict[str, Any] = {
    "$id": f"{NS}xdm/datatypes/on-broken",
    "title": "On broken",
    "type": "object",
    "properties": {"xdm:b": {"$ref": f"{NS}xdm/datatypes/broken"}},
}
# The catalogue has it; here it brings a definition that another file refers to.
ADDRESS: dict[str, Any] = {
    "$id": f"{NS}xdm/common/address",
    "title": "Postal address, as published",
    "definitions": {
        "line": {"properties": {"xdm:line": {"$ref": "#/definitions/text"}}},
        "text": {"type": "string", "maxLength": 40},
    },
    "allOf": [{"$ref": "#/definitions/line"}],
}
LETTER: dict[str, Any] = {
    "$id": f"{NS}xdm/datatypes/letter",
    "title": "Letter",
    "type": "object",
    "properties": {"xdm:to": {"$ref": f"{NS}xdm/common/address#/definitions/line"}},
}

SOUND = [STREET, HOUSE, TOWN, ADDRESS, LETTER]


def named(*documents: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Give documents the names of files."""
    return [(f"{document['$id'].rpartition('/')[2]}.json", document) for document in documents]
