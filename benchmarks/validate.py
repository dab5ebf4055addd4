"""How many records a second can be checked, beside the libraries called by hand.

Ours does more than they do: it also refuses what no store can hold, and is ready to
name every fault. `jsonschema` is the plain Python library; `jsonschema-rs` is the one
we build on, compiled from the same schema with formats on.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import jsonschema_rs
import orjson

from benchmarks.report import Line, parser, progress, report
from cdp.schemas.registry.catalogue import EVENT_CLASS, standard_resources
from cdp.schemas.registry.composing import compose
from cdp.schemas.registry.sampling import sample_record
from cdp.schemas.registry.validation import CompiledSchema, compile_schema

_NS = "https://ns.adobe.com/"
_GROUPS = (
    f"{_NS}experience/aep-web-sdk-experienceevent",
    f"{_NS}xdm/context/experienceevent-consumer",
    f"{_NS}xdm/context/experienceevent-enduserids",
)
_PURCHASE: dict[str, Any] = {
    "eventType": "commerce.purchases",
    "identityMap": {"ECID": [{"id": "48931205740923174", "primary": True}]},
    "web": {"webPageDetails": {"name": "thanks", "URL": "https://shop.example.com/thanks"}},
    "commerce": {
        "purchases": {"value": 1},
        "order": {"purchaseID": "p-1", "priceTotal": 250.5, "currencyCode": "EUR"},
    },
    "productListItems": [{"SKU": "sku-1", "name": "Coat", "quantity": 1, "priceTotal": 250.5}],
}
Check = Callable[[Any], object]


def main() -> None:
    """Measure a purchase, an event with every field, and an event with faults."""
    options = parser(__doc__ or "").parse_args()
    report(lines(small=options.small), as_json=options.json)


def lines(*, small: bool) -> Iterator[Line]:
    """Yield the measurements."""
    schema = _events()
    count = 2_000 if small else 50_000
    simple = [_event(number, **_PURCHASE) for number in range(count)]
    whole = [{**sample_record(schema), "_id": f"e-{n}"} for n in range(max(count // 100, 20))]
    faulty = [_event(number, **{**_PURCHASE, "commerce": _FAULTS}) for number in range(count // 20)]
    progress(f"a schema of {len(schema.fields):,} fields")
    for name, records in (("simple", simple), ("whole", whole), ("faulty", faulty)):
        yield from _compared(f"validate.{name}", schema, records)
    yield Line(
        "validate.normalise",
        _rate(schema.normalise, simple),
        "records/s",
        "reading them as JSON",
        _rate(orjson.loads, [orjson.dumps(record) for record in simple]),
        f"{len(simple):,} purchases",
    )


_FAULTS = {"productListRemoval": {"value": 1}, "order": {"priceTotal": "250", "payments": {}}}


def _compared(bench: str, schema: CompiledSchema, records: list[Any]) -> Iterator[Line]:
    by_hand = jsonschema_rs.Draft202012Validator(schema.resolved, validate_formats=True)
    plain = jsonschema.Draft202012Validator(
        schema.resolved, format_checker=jsonschema.FormatChecker()
    )
    few = records[: max(len(records) // 100, 20)]
    ours = _rate(schema.validate, records)
    size = f"{len(records):,} records"
    for name, rate in (
        ("jsonschema-rs by hand", _rate(lambda record: list(by_hand.iter_errors(record)), records)),
        ("jsonschema", _rate(lambda record: list(plain.iter_errors(record)), few)),
    ):
        yield Line(bench, ours, "records/s", name, rate, size)


def _rate(check: Check, records: list[Any]) -> float:
    """Return the best of three runs, in records a second."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        for record in records:
            check(record)
        best = min(best, time.perf_counter() - start)
    return len(records) / best


def _events() -> CompiledSchema:
    document = {"title": "Events", "allOf": [{"$ref": uri} for uri in (EVENT_CLASS, *_GROUPS)]}
    return compile_schema(compose(document, standard_resources().get).resolved)


def _event(number: int, **fields: Any) -> dict[str, Any]:
    moment = f"2026-03-{number % 28 + 1:02}T10:{number % 60:02}:00.000Z"
    return {"_id": f"e-{number}", "timestamp": moment, **fields}


if __name__ == "__main__":
    main()
