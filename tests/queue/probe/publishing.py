"""Publish as a door does: `python -m tests.queue.probe.publishing SECONDS [WAITS]`."""

import json
import os
import random
import sys
import time

PAUSE = 0.02


def main(seconds: float, waits: int = 0) -> None:
    """Publish a row each 20 ms, one at least; tell how many there have been and the slowest.

    Then publish so many rows more, one at a time, and tell how long each waited for a worker.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.queue.probe.settings")
    import django

    django.setup()
    sandbox = find_sandbox()
    slowest, end = 0.0, time.monotonic() + seconds
    while True:
        began = time.monotonic()
        publish_one(sandbox)
        slowest = max(slowest, time.monotonic() - began)
        if time.monotonic() > end:
            break
        time.sleep(PAUSE)
    from tests.queue.probe.counting import counted

    waited = [wait_for_one(sandbox) for _ in range(waits)]
    print(json.dumps({"total": counted("probe.published"), "slowest": slowest, "waits": waited}))


def wait_for_one(sandbox: object) -> float:
    """Publish a row and wait until it is done."""
    from tests.queue.probe.counting import counted

    while counted("probe.done") < counted("probe.published"):
        time.sleep(PAUSE)
    time.sleep(random.uniform(0.1, 0.6))  # anywhere between two ticks
    publish_one(sandbox)
    began = time.monotonic()
    while counted("probe.done") < counted("probe.published"):
        time.sleep(0.005)
    return time.monotonic() - began


def find_sandbox() -> object:
    """Return the one sandbox, made at the first call."""
    from cdp.tenancy.models import Sandbox
    from cdp.tenancy.services.organizations import create_organization
    from tests.queue.probe.counting import ACTOR

    sandboxes = Sandbox.objects.select_related("organization")
    if not sandboxes.exists():
        create_organization(actor=ACTOR, name="Probe", tenant_namespace="probe")
    return sandboxes.get()


def publish_one(sandbox: object) -> None:
    """Publish a row and count it."""
    from cdp.queue import publish
    from cdp.tenancy import usage
    from cdp.tenancy.scope import scope
    from tests.queue.probe.apps import COUNTED
    from tests.queue.probe.counting import ACTOR

    with scope(sandbox, ACTOR):
        publish(COUNTED, {}, sandbox=sandbox)
        usage.count(sandbox, {("probe.published", ""): 1})


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
