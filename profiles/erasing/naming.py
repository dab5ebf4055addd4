"""Rows of the event store that name a person although they are not of her profile.

Rows of datasets that do not feed profiles, and rows of record datasets, know their
identities only by what stands in them: in `identityMap`, and in the fields that schemas
mark as identities. It stands there as it was sent, which need not be the normal form.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from orjson import dumps

from cdp.clickhouse import client
from cdp.schemas.selectors import compiled_schemas, list_schemas
from cdp.tenancy.models import Sandbox
from profiles.identity.namespaces import Namespace
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
_SPELLINGS: Final = (
    "SELECT DISTINCT arrayJoin(arrayConcat({found})) FROM {table}"
    " WHERE sandbox_id = {{sandbox:UInt32}} AND ({named})"
)
TABLES: Final = ("events", "records")
# Every id in the map, whatever it is an id of.
_IDS: Final = (
    "arrayMap(id -> JSONExtractString(concat('[', id, ']'), 1),"
    r""" extractAll(toJSONString(body.^identityMap), '"id":("(?:[^"\\\\]|\\\\.)*")'))"""
)
_LOWER: Final = r"lowerUTF8(replaceRegexpAll({x}, '^[\\s\\pZ]+|[\\s\\pZ]+$', ''))"
_E164: Final = r"replaceRegexpOne(replaceRegexpAll({x}, '[\\s\\pZ().\\-/]+', ''), '^00', '+')"
_SHA256: Final = (
    "if(length({raw}) = 64 AND match({raw}, '^[0-9a-fA-F]+$'),"
    " lower({raw}), lower(hex(SHA256({x}))))"
)
# As `identity/values.py` has it; what a namespace takes as it is sent is found as it is.
_NORMAL_FORMS: Final[Mapping[str, str]] = {
    "lowercase": _LOWER,
    "e164": _E164,
    "sha256": _SHA256.format(raw="{x}", x="{x}"),
    "email_sha256": _SHA256.format(raw=_LOWER, x=_LOWER),
    "e164_sha256": _SHA256.format(raw=_LOWER, x=_E164),
}


class Naming:
    """The test whether a row names one of these identities, of one dataset or of any."""

    def __init__(
        self, sandbox: Sandbox, identities: Iterable[Identity], *, dataset: str = ""
    ) -> None:
        self._sandbox = sandbox
        self._identities = sorted(identities)
        self._namespaces = namespace_catalogue(sandbox)
        self._params: dict[str, Any] = {"dataset": dataset}
        self._written: list[str] = []
        self._text = self._test()

    def delete(self, *, of_nobody: bool = False) -> dict[str, int]:
        """Delete the rows that name them; return how many there were, by table.

        With `of_nobody` events stay that are of somebody's profile.
        """
        counts: dict[str, int] = {}
        if not self._identities:
            return counts
        for table in TABLES:
            named = (
                f"identity_id = 0 AND {self._text}"
                if of_nobody and table == "events"
                else self._text
            )
            [(count,)] = client.fetch_text(
                _COUNT.format(table=table, named=named),
                sandbox=self._sandbox,
                params=self._params,
                budget=client.MAINTENANCE,
            )
            counts[table] = int(count)
            if count:
                client.execute(
                    _DELETE.format(table=table, named=named),
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

    def spellings(self) -> set[str]:
        """Return how they are written in those rows, where that is not their normal form."""
        found: set[str] = set()
        for table in TABLES if self._written else ():
            rows = client.fetch_text(
                _SPELLINGS.format(table=table, found=", ".join(self._written), named=self._text),
                sandbox=self._sandbox,
                params=self._params,
                budget=client.MAINTENANCE,
            )
            found.update(text for (text,) in rows)
        return found

    def _test(self) -> str:
        self._params["patterns"] = [
            pattern for identity in self._identities for pattern in _patterns(identity.value)
        ]
        tests = [
            "multiSearchAny(toJSONString(body.^identityMap), {patterns:Array(String)})",
        ]
        fields = self._identity_fields()
        for namespace, values in self._by_namespace().items():
            name = f"n{len(self._params)}"
            self._params[name] = values
            normal = _NORMAL_FORMS.get(namespace.normaliser, "{x}").format(x="x")
            texts = [f"ifNull({_read(path)}, '')" for path in sorted(fields[namespace.code])]
            named = f"x -> has({{{name}:Array(String)}}, {normal})"
            if namespace.normaliser in _NORMAL_FORMS:
                tests.append(f"arrayExists({named}, {_IDS})")
                self._written.append(f"arrayFilter({named}, {_IDS})")
                self._written += [f"arrayFilter({named}, [{text}])" for text in texts]
            tests += [f"arrayExists({named}, [{text}])" for text in texts]
        anywhere = "{dataset:String} = '' OR dataset_id = {dataset:String}"
        return f"({' OR '.join(tests)}) AND ({anywhere})"

    def _by_namespace(self) -> Mapping[Namespace, list[str]]:
        found: dict[Namespace, list[str]] = {}
        for identity in self._identities:
            if namespace := self._namespaces.find(identity.namespace):
                found.setdefault(namespace, []).append(identity.value)
        return found

    def _identity_fields(self) -> Mapping[str, set[str]]:
        """Return by namespace the fields that schemas mark as its identities."""
        found: dict[str, set[str]] = defaultdict(set)
        keys = list_schemas(self._sandbox).values_list("pk", flat=True)
        for schema in compiled_schemas(self._sandbox, keys).values():
            for identity in schema.identities:
                if namespace := self._namespaces.find(identity.namespace):
                    found[namespace.code].add(identity.path)
        return found


def _patterns(value: str) -> set[str]:
    """Return how an id may stand in the store's JSON, which may write a slash in two ways."""
    text = dumps(value).decode()
    return {f'"id":{text}', f'"id":{text.replace("/", chr(92) + "/")}'}


def _read(path: str) -> str:
    quoted = ".".join("`" + name.replace("`", "\\`") + "`" for name in path.split("."))
    return f"body.{quoted}.:String"
