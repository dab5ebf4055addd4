"""A worker in a process of its own, to be killed: does the work of destinations until none is left."""

import os

import django


def main() -> None:
    """Work until nothing is due."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cdp.settings")
    django.setup()
    from cdp.queue import drain
    from tests.destinations.world import TOPICS

    print("ready", flush=True)
    drain(TOPICS, forgiving=True)


if __name__ == "__main__":
    main()
