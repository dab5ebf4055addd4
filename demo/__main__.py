"""`make demo`: start everything, be Luma for a morning, then stay up to be looked at."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cdp.engines.errors import EngineError
from cdp.engines.manager import Manager
from cdp.engines.place import CHECKOUT, Place
from cdp.engines.port import free_port, is_free
from cdp.engines.up import bring_up
from demo.client import Client, Refused
from demo.luma import Luma, set_up
from demo.receiver import Receiver, receiving
from demo.shop import events, profile_records, shoppers
from demo.story import Story
from demo.telling import StepMissed, Teller

PEOPLE, EVENTS, AT_ONCE = 5_000, 100_000, 500
EMAIL = "operator@luma.example"
PORT = 8000

Item = TypeVar("Item")


def main() -> int:
    """Return 0 if every step of the story happened."""
    said = _parser().parse_args()
    console = Console(highlight=False, soft_wrap=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with _folder(said.once) as folder, receiving() as receiver:
            _settle_environment(folder)
            _run(console, Place(folder), receiver, said)
    except KeyboardInterrupt:
        return 0
    except (EngineError, StepMissed, Refused) as error:
        console.print(f"\n[red]✗[/red] {error}")
        return 1
    return 0


def _run(console: Console, place: Place, receiver: Receiver, said: argparse.Namespace) -> None:
    console.print("[bold]Starting the platform[/bold]")
    manager = bring_up(place, lambda line: console.print(f"  {line} ...", style="dim"))
    try:
        with _operator() as operator:
            client, luma, secrets = _become_luma(operator, receiver)
        with client:
            teller = Teller(console)
            receipts = _send_data(console, client, luma, said)
            teller.wait(
                "All of it has been worked on",
                lambda: all(_is_done(client, receipt) for receipt in receipts),
            )
            Story(client, luma, receiver, place.root / "exports", teller).tell()
            console.print(f"\n[bold green]All {teller.steps} steps happened.[/bold green]")
        if not said.once:
            _stay(console, secrets)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        console.print("  Stopping ...", style="dim")
        manager.stop()


def _become_luma(operator: Client, receiver: Receiver) -> tuple[Client, Luma, dict[str, str]]:
    made = operator.post("organizations/", {"name": "Luma", "tenant_namespace": "luma"})
    key = made["administrator"]
    client = Client(operator.url, key["client_id"], key["client_secret"])
    secrets = {"client id": key["client_id"], "client secret": key["client_secret"]}
    return client, set_up(client, receiver.url), secrets


def _send_data(console: Console, client: Client, luma: Luma, said: argparse.Namespace) -> list[str]:
    """Send everything; return the last receipt of each inlet, which is worked on last."""
    console.print("\n[bold]Luma's customers and what they did in the last 120 days[/bold]")
    people = shoppers(said.people)
    columns = (
        TextColumn("  {task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        told = progress.add_task("customers", total=said.people)
        for part in _parts(profile_records(people), AT_ONCE):
            told_last = client.collect(luma.crm, part)
            progress.advance(told, len(part))
        happened = progress.add_task("events", total=said.events)
        for part in _parts(events(people, said.events, datetime.now(UTC)), AT_ONCE):
            happened_last = client.collect(luma.web, part)
            progress.advance(happened, len(part))
    return [told_last, happened_last]


def _is_done(client: Client, receipt: str) -> bool:
    return bool(client.get(f"receipts/{receipt}/")["state"] == "done")


def _stay(console: Console, secrets: dict[str, str]) -> None:
    url = os.environ["CDP_PUBLIC_URL"]
    lines = {
        "API": f"{url}/api/v1/",
        "Documentation": f"{url}/api/v1/docs/",
        "Console": f"{url}/admin/",
        "Operator": f"{EMAIL} / {os.environ['CDP_DEMO_PASSWORD']}",
        **{f"Luma's {name}": value for name, value in secrets.items()},
        "Stop": "Ctrl-C",
    }
    console.print()
    for name, value in lines.items():
        console.print(f"  {name:<22} {value}", markup=False)
    threading.Event().wait()


@contextmanager
def _operator() -> Iterator[Client]:
    """Make the installation's first operator, and act as one."""
    command = [sys.executable, "manage.py", "create_operator", EMAIL]
    password = os.environ["CDP_DEMO_PASSWORD"]
    done = subprocess.run(
        [*command, "--password", password],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise EngineError(f"The operator could not be made. {done.stderr}")
    words = dict(line.rsplit(maxsplit=1) for line in done.stdout.splitlines() if "  " in line)
    with Client(os.environ["CDP_PUBLIC_URL"], words["Client id"], words["Client secret"]) as client:
        yield client


@contextmanager
def _folder(once: bool) -> Iterator[Path]:
    """Yield the demo's data folder: a fresh one each time, kept for a look unless `once`."""
    if once:
        with tempfile.TemporaryDirectory(prefix="luma-") as temporary:
            yield Path(temporary) / "data"
        return
    folder = Path(os.environ.get("CDP_DATA") or CHECKOUT / ".data") / "demo"
    if (manager := Manager(Place(folder))).is_running():
        manager.stop()
    shutil.rmtree(folder, ignore_errors=True)
    yield folder


def _settle_environment(folder: Path) -> None:
    port = os.environ.get("CDP_PORT") or str(PORT if is_free(PORT) else free_port())
    os.environ.update(
        CDP_DATA=str(folder),
        CDP_PORT=port,
        CDP_PUBLIC_URL=f"http://127.0.0.1:{port}",
        # The receiver of the story's webhooks is on this machine.
        CDP_ALLOWED_PRIVATE_HOSTS="127.0.0.1",
        CDP_DEMO_PASSWORD=os.environ.get("CDP_DEMO_PASSWORD") or "luma-has-running-shoes",
    )


def _parts(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    waiting = iter(items)
    while part := list(islice(waiting, size)):
        yield part


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after the story (ONCE=1)")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--events", type=int, default=EVENTS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
