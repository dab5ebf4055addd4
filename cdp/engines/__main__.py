"""The command line: `python -m cdp.engines up | down | status | env`."""

import argparse
import shlex
import signal
import sys
import time
from typing import NoReturn

from cdp.engines.errors import EngineError
from cdp.engines.manager import Manager
from cdp.engines.place import Place, data_directory
from cdp.engines.program import PROGRAMS, run
from cdp.engines.screen import where_everything_is
from cdp.engines.up import bring_up
from cdp.engines.urls import current_urls


def main() -> None:
    """Read the command line and do the one thing it asks for."""
    said = _parser().parse_args()
    place = Place(data_directory())
    try:
        if said.command == "run":
            run(said.name, place, careless=said.careless, log_queries=said.log_queries)
        elif said.command == "up":
            up(place, stay=not said.detach)
        elif said.command == "down":
            down(place)
        elif said.command == "status":
            status(place)
        else:
            env(place)
    except EngineError as error:
        sys.exit(f"\n{error}")


def up(place: Place, *, stay: bool) -> None:
    """Start the platform, say where it is, and stay until Ctrl-C stops it.

    Where it runs already, only say where.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    stay = stay and not Manager(place).is_running()
    try:
        manager = bring_up(place, say=lambda line: print(f"  {line} ...", flush=True))
        print(where_everything_is(place), flush=True)
        while stay and manager.is_running():
            time.sleep(0.5)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("\n  Stopping ...", flush=True)
        down(place)


def down(place: Place) -> None:
    """Stop the platform, wherever it was started from."""
    manager = Manager(place)
    if manager.is_running():
        manager.stop()
        print("  Stopped.")
    else:
        print("  Nothing is running.")


def status(place: Place) -> None:
    """Print what runs; exit 1 if the platform is down or a part of it is missing."""
    manager = Manager(place)
    if not manager.is_running():
        sys.exit("Nothing is running.")
    programs = manager.programs()
    for program in programs:
        print(f"{program['name']:<10} {program['statename'].lower():<10} {program['description']}")
    sys.exit(any(program["statename"] != "RUNNING" for program in programs))


def env(place: Place) -> None:
    """Print the variables that make another program use the same stores, for a shell."""
    for name, value in current_urls(place.root).as_environment().items():
        print(f"export {name}={shlex.quote(value)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cdp.engines", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("up", help="start everything; Ctrl-C stops it")
    start.add_argument("--detach", action="store_true", help="return when it runs")
    commands.add_parser("down", help="stop everything")
    commands.add_parser("status", help="say what runs")
    commands.add_parser("env", help="print the stores' addresses for a shell")
    one = commands.add_parser("run", help="become one program; the manager uses this")
    one.add_argument("name", choices=list(PROGRAMS))
    one.add_argument("--careless", action="store_true", help="for tests: speed, not durability")
    one.add_argument("--log-queries", action="store_true", help="for tests: note every query")
    return parser


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
