"""The API in short: what clients rely on, one operation a paragraph.

`python -m tests.api.contract` writes it anew after a change that is meant.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django

FILE = Path(__file__).with_name("contract.txt")
METHODS = ("get", "post", "put", "patch", "delete")


def contract_lines() -> list[str]:
    """Return the contract: each operation with its permission, parameters, fields and answers."""
    from cdp.api.document import document

    made = document()
    return [
        line
        for path, item in sorted(made["paths"].items())
        for method in METHODS
        if method in item
        for line in _operation_lines(made, f"{method.upper()} {path}", item[method])
    ]


def _operation_lines(made: dict[str, Any], title: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"{title}  {operation.get('x-permission', '-')}"
    query = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
    if query:
        yield f"    ?    {' '.join(sorted(query))}"
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield f"    in   {' '.join(_fields(made, content.get('schema', {})))}".rstrip()
    refusals = []
    for code, answer in sorted(operation["responses"].items()):
        if code[0] in "45":
            refusals.append(code)
            continue
        for kind, content in answer.get("content", {"": {}}).items():
            fields = " ".join(_fields(made, content.get("schema", {})))
            yield f"    {code}  {fields or kind}".rstrip()
    yield f"    not  {' '.join(refusals)}".rstrip()


def _fields(made: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Name the fields of an object, or of the objects in a list; `*` marks the required ones."""
    resolved = _resolved(made, schema)
    properties = resolved.get("properties", {})
    if set(properties) == {"results", "next", "previous"}:
        inner = _resolved(made, properties["results"]).get("items", {})
        return ["[", *_fields(made, inner), "]"]
    if resolved.get("type") == "array":
        return ["[", *_fields(made, resolved.get("items", {})), "]"]
    required = set(resolved.get("required", ()))
    return [f"{name}*" if name in required else name for name in sorted(properties)]


def _resolved(made: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = made["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cdp.settings")
    django.setup()
    FILE.write_text("\n".join(contract_lines()) + "\n")
    print(f"Wrote {FILE}.")
