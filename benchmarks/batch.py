"""How many rows of a file come in a second, and how much memory that takes.

The clock runs from the upload's end until the batch is stored and its dataset counts
every row: judged, counted once, stitched, in the event store. A published segment is
evaluated meanwhile. Memory is the highest that any one process of a kind has held,
beside what the same process held at most when the files had a tenth of the rows.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.platform import Platform, administrator, running
from benchmarks.report import Line, parser, progress, report
from demo.client import Client
from demo.luma import set_up
from demo.shop import Record, events, shoppers

FLOOR = 10_000.0
PIECE = 16 * 1024 * 1024
ROWS_A_PERSON = 20
AT_ONCE = 20_000
WORKING = ("worker", "jobs")


@dataclass(frozen=True, slots=True)
class Bench:
    """A running platform with a dataset, and its administrator."""

    platform: Platform
    client: Client
    dataset: str


def main() -> None:
    """Print a line for each format, and one for each kind of process."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--rows", type=int, default=1_000_000)
    said = arguments.parse_args()
    report(measure(100_000 if said.small else said.rows), as_json=said.json)


def measure(rows: int) -> Iterator[Line]:
    """Load files of a tenth of the rows first, then the large ones."""
    with (
        running(CDP_BACKLOG_LIMIT="100000000", CDP_ALLOWED_PRIVATE_HOSTS="127.0.0.1") as platform,
        tempfile.TemporaryDirectory(prefix="bench-files-") as folder,
        administrator(platform.url) as client,
    ):
        set_up(client, "http://127.0.0.1:9/nobody-listens")
        datasets = {one["name"]: one["id"] for one in client.get("datasets/")["results"]}
        bench = Bench(platform, client, datasets["Luma web events"])
        for name in FORMATS:
            _load(bench, Path(folder), name, rows // 10, seed=1)
        before = _peaks(platform)
        for name in FORMATS:
            seconds = _load(bench, Path(folder), name, rows, seed=2)
            yield Line(f"batch.{name}", rows / seconds, "rows/s", "the floor", FLOOR, _size(rows))
        after = _peaks(platform)
        for kind, peak in after.items():
            against = f"{rows // 10:,} rows"
            yield Line(f"batch.memory.{kind}", peak, "MB", against, before[kind], _size(rows))


def _size(rows: int) -> str:
    return f"{rows:,} events of {rows // ROWS_A_PERSON:,} people, 1 segment"


def _load(bench: Bench, folder: Path, name: str, rows: int, *, seed: int) -> float:
    """Send one file and wait until all of it can be counted; return the seconds."""
    progress(f"writing {rows:,} rows as {name}")
    path = folder / name
    people = shoppers(rows // ROWS_A_PERSON)
    ids = f"{name}-{rows}"
    made = events(people, rows, datetime.now(UTC), seed=seed)
    FORMATS[name](path, ({**row, "_id": f"{ids}-{row['_id']}"} for row in made))
    stored = _count(bench)
    client = bench.client
    body = {"dataset_id": bench.dataset, "input_format": _INPUT_FORMATS[name]}
    batch = client.post("batches/", body)["id"]
    progress(f"sending {path.stat().st_size / 1e6:,.0f} MB")
    _send(client, batch, path)
    began = time.perf_counter()
    client.post(f"batches/{batch}/complete/", None)
    state = _wait(client, batch)
    took = time.perf_counter() - began
    if state["state"] != "success" or _count(bench) - stored != rows:
        raise SystemExit(f"Not every row has come: {state}")
    progress(f"{rows:,} rows in {took:,.1f} s")
    return took


def _send(client: Client, batch: str, path: Path) -> None:
    address = f"/api/v1/batches/{batch}/files/rows"
    client.http.post(address, params={"action": "initialize"}).raise_for_status()
    at = 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            said = {"Content-Range": f"bytes {at}-{at + len(piece) - 1}/*"}
            client.http.patch(address, content=piece, headers=said).raise_for_status()
            at += len(piece)
    client.http.post(address, params={"action": "complete"}).raise_for_status()


def _wait(client: Client, batch: str) -> Record:
    told = time.monotonic()
    while True:
        state: Record = client.get(f"batches/{batch}/")
        if state["state"] in ("success", "failed", "stalled"):
            return state
        if time.monotonic() - told > 5:
            told = time.monotonic()
            progress(f"{state['state']}: {state['stored_records']:,} rows are stored")
        time.sleep(0.5)


def _count(bench: Bench) -> int:
    return int(bench.client.get(f"datasets/{bench.dataset}/stats/")["rows"])


def _peaks(platform: Platform) -> dict[str, float]:
    """Return the most megabytes that one process of the web server, or of the workers, held."""
    groups = {"web": [platform.manager.pid("web")]}
    groups["worker"] = [platform.manager.pid(name) for name in WORKING]
    return {
        kind: max(_highest(process) for process in _processes() if _group(process) in leaders)
        for kind, leaders in groups.items()
    }


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _group(process: int) -> int:
    with suppress(ProcessLookupError):
        return os.getpgid(process)
    return 0


def _highest(process: int) -> float:
    """Return the highest resident size that the kernel has seen of a process."""
    text = Path(f"/proc/{process}/status").read_text()
    kilobytes = next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) / 1024


def _write_jsonl(path: Path, rows: Iterator[Record]) -> None:
    with path.open("wb") as file:
        for row in rows:
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def _write_parquet(path: Path, rows: Iterator[Record]) -> None:
    first = list(islice(rows, AT_ONCE))
    schema = pa.schema(list(pa.array(first).type))  # with the fields of every row
    with pq.ParquetWriter(path, schema) as writer:
        for part in chain([first], iter(lambda: list(islice(rows, AT_ONCE)), [])):
            writer.write_table(pa.Table.from_pylist(part, schema=schema))


FORMATS: dict[str, Callable[[Path, Iterator[Record]], None]] = {
    "parquet": _write_parquet,
    "jsonl": _write_jsonl,
}
_INPUT_FORMATS = {"parquet": "parquet", "jsonl": "json"}


if __name__ == "__main__":
    main()
