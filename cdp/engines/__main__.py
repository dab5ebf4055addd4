"""`python -m cdp.engines run NAME`: the command line of the engines."""

import argparse
import sys

from cdp.engines.engine import ENGINES, run
from cdp.engines.errors import EngineError
from cdp.engines.place import Place, data_directory


def main() -> None:
    """Read the command line and do the one thing it asks for."""
    parser = argparse.ArgumentParser(prog="python -m cdp.engines")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("run", help="become one engine, in the foreground")
    one.add_argument("name", choices=list(ENGINES))
    one.add_argument("--careless", action="store_true", help="for tests: speed, not durability")
    one.add_argument("--log-queries", action="store_true", help="for tests: note every query")
    said = parser.parse_args()
    place = Place(data_directory())
    try:
        run(said.name, place, careless=said.careless, log_queries=said.log_queries)
    except EngineError as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
