"""Rows of the event store that name a person although they are not of her profile.

Rows of datasets that do not feed profiles, and rows of record datasets, know their
identities only by what stands in them: in `identityMap`, and in the fields that schemas
mark as identities.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from orjson import dumps

from cdp.clickhouse import client
from cdp.schemas.selectors import compiled_schemas, list_schemas
from cdp.tenancy.models import Sandbox
from profiles.identity.rules import Identity
from profiles.selectors.rules import namespace_catalogue

_COUNT: Final = "SELECT count() FROM {table} WHERE sandbox_id = {{sandbox:UInt32}} AND ({named})"
_DELETE: Final = "ALTER TABLE {table} DELETE WHERE sandbox_id = {{sandbox:UInt32}} AND ({named})"
_READ: Final = (
    "SELECT toJSONString(body), dataset_id FROM {table}"
    " WHERE sandbox_id = {{sandbox:UInt32}} AND ({named})"
)
_BATCHES: Final = (
    "SELECT DISTINCT batch_id FROM {table} WHERE sandbox_id = {{sandbox:UInt32}} AND ({named})"
)
TABLES: Final = ("events", "records")


class Naming:
    """The test whether a row names one of these identities."""

    def __init__(self, sandbox: Sandbox, identities: Iterable[Identity]) -> None:
        self._sandbox = sandbox
        self._identities = sorted(identities)
        self._params: dict[str, Any] = {}
        self._text = self._test()

    def delete(self) -> dict[str, int]:
        """Delete the rows that name them; return how many there were, by table."""
        counts: dict[str, int] = {}
        if not self._identities:
            return counts
        for table in TABLES:
            [(count,)] = client.fetch_text(
                _COUNT.format(table=table, named=self._text),
                sandbox=self._sandbox,
                params=self._params,
                budget=client.MAINTENANCE,
            )
            counts[table] = int(count)
            if count:
                client.execute(
                    _DELETE.format(table=table, named=self._text),
                    sandbox=self._sandbox,
                    params=self._params,
                    budget=client.MAINTENANCE,
                )
        return counts

    def batches(self, numbers: Iterable[int]) -> set[str]:
        """Return the batches that brought rows which name them, or that these identities sent."""
        found: set[str] = set()
        if not self._identities:
            return found
        params = {**self._params, "numbers": list(numbers)}
        for table in TABLES:
            sent = "identity_id IN {numbers:Array(UInt64)} OR " if table == "events" else ""
            rows = client.fetch_text(
                _BATCHES.format(table=table, named=sent + self._text),
                sandbox=self._sandbox,
                params=params,
                budget=client.MAINTENANCE,
            )
            found.update(batch for (batch,) in rows)
        return found

    def rows(self, table: str) -> Iterable[tuple[str, str]]:
        """Yield the rows that name them, each as JSON text with its dataset."""
        if self._identities:
            for block in client.stream(
                _READ.format(table=table, named=self._text),
                sandbox=self._sandbox,
                params=self._params,
            ):
                yield from ((body, dataset) for body, dataset in block)

    def _test(self) -> str:
        self._params["patterns"] = [
            pattern for identity in self._identities for pattern in _patterns(identity.value)
        ]
        tests = [
            "multiSearchAny(toJSONString(body.^identityMap), {patterns:Array(String)})",
        ]
        by_namespace = self._by_namespace()
        for path, namespace in sorted(self._identity_fields()):
            if values := by_namespace.get(namespace):
                name = f"n{len(self._params)}"
                self._params[name] = values
                tests.append(f"has({{{name}:Array(String)}}, ifNull({_read(path)}, ''))")
        return " OR ".join(tests)

    def _by_namespace(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for identity in self._identities:
            found.setdefault(identity.namespace, []).append(identity.value)
        return found

    def _identity_fields(self) -> set[tuple[str, str]]:
        catalogue = namespace_catalogue(self._sandbox)
        keys = list_schemas(self._sandbox).values_list("pk", flat=True)
        return {
            (identity.path, namespace.code)
            for schema in compiled_schemas(self._sandbox, keys).values()
            for identity in schema.identities
            if (namespace := catalogue.find(identity.namespace))
        }


def _patterns(value: str) -> set[str]:
    """Return how an id may stand in the store's JSON, which may write a slash in two ways."""
    text = dumps(value).decode()
    return {f'"id":{text}', f'"id":{text.replace("/", chr(92) + "/")}'}


def _read(path: str) -> str:
    quoted = ".".join("`" + name.replace("`", "\\`") + "`" for name in path.split("."))
    return f"body.{quoted}.:String"
