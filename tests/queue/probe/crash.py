"""Kill workers, and PostgreSQL, at random moments while rows are published.

`python -m tests.queue.probe.crash SECONDS` prints what came of it as JSON. The
workers are forked, so that hundreds of them can die in a few seconds.
"""

import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from cdp.engines import ephemeral
from cdp.engines.ephemeral import EphemeralUrls

WORKERS = 3
SANDBOXES = 3
ROWS_AT_ONCE = 40
PATIENCE = 60


def main(seconds: float) -> None:
    """Start a PostgreSQL of our own, have the accidents happen, and tell the numbers."""
    with ephemeral(
        Path(tempfile.gettempdir()), durable=True, engines=("postgres", "redis")
    ) as urls:
        os.environ |= urls.as_environment() | {"CDP_LOG_LEVEL": "CRITICAL"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.queue.probe.settings"
        import django

        django.setup()
        print(json.dumps(have_accidents(urls, make_sandboxes(), seconds)))


def have_accidents(urls: EphemeralUrls, sandboxes: list, seconds: float) -> dict[str, int]:
    """Publish and kill for some seconds, then let the survivors finish, and count."""
    from cdp.queue.backlogs import topic_states
    from tests.queue.probe.counting import counted

    workers = [fork_worker() for _ in range(WORKERS)]
    try:
        kills = cause_accidents(urls, sandboxes, workers, seconds)
        wait_until_empty()
    finally:
        for worker in workers:
            kill(worker)
    counts = {name: counted(f"probe.{name}") for name in ("published", "done", "seen")}
    left = sum(state.rows + state.buried for state in topic_states())
    return counts | kills | {"left": left}


def cause_accidents(
    urls: EphemeralUrls, sandboxes: list, workers: list[int], seconds: float
) -> dict[str, int]:
    """Publish for some seconds and kill; tell how many workers and databases died."""
    began, kills, database_kills = time.monotonic(), 0, 0
    while time.monotonic() < began + seconds:
        publish_some(random.choice(sandboxes))
        if random.random() < 0.5:
            victim = random.randrange(WORKERS)
            kill(workers[victim])
            workers[victim] = fork_worker()
            kills += 1
        if time.monotonic() > began + seconds * (database_kills + 1) / 4:
            pid = urls.pid("postgres")
            if pid and is_killed(pid):
                database_kills += 1
        time.sleep(random.uniform(0, 0.03))
    return {"kills": kills, "database_kills": database_kills}


def make_sandboxes() -> list:
    """Make the tables, and the sandboxes that share the queue."""
    from django.core.management import call_command
    from django.db import connection

    from cdp.tenancy.models import Sandbox
    from cdp.tenancy.services.organizations import create_organization
    from tests.queue.probe.counting import ACTOR

    call_command("migrate", verbosity=0)
    for number in range(SANDBOXES):
        create_organization(actor=ACTOR, name=f"O{number}", tenant_namespace=f"o{number}")
    sandboxes = list(Sandbox.objects.select_related("organization"))
    connection.close()
    return sandboxes


def publish_some(sandbox: object) -> None:
    """Publish rows and count them in one transaction, which holds or does not."""
    from django.db import InterfaceError, OperationalError, connection

    from cdp.queue import Message, publish_many
    from cdp.tenancy import usage
    from cdp.tenancy.scope import scope
    from tests.queue.probe.apps import COUNTED
    from tests.queue.probe.counting import ACTOR

    try:
        with scope(sandbox, ACTOR):
            publish_many(COUNTED, [Message({})] * ROWS_AT_ONCE, sandbox=sandbox)
            usage.count(sandbox, {("probe.published", ""): ROWS_AT_ONCE})
    except (OperationalError, InterfaceError):
        connection.close()


def fork_worker() -> int:
    """Fork a process that works for ever, and return its number."""
    from django.db import InterfaceError, OperationalError, connection

    from cdp.queue.working import work
    from tests.queue.probe.apps import COUNTED

    connection.close()
    pid = os.fork()
    if pid:
        return pid
    parent = os.getppid()
    while os.getppid() == parent:
        try:
            if not work(COUNTED):
                time.sleep(0.01)
        except (OperationalError, InterfaceError):
            connection.close()
            time.sleep(0.05)
    os._exit(0)


def is_killed(pid: int) -> bool:
    """Kill a process; tell whether it was there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def kill(pid: int) -> None:
    """Kill a process in the middle of whatever it does."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def wait_until_empty() -> None:
    """Wait until no row of the queue is left to work on."""
    from django.db import InterfaceError, OperationalError, connection

    from cdp.queue.backlogs import topic_states

    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if not any(state.rows for state in topic_states()):
                return
        except (OperationalError, InterfaceError):
            connection.close()
        time.sleep(0.1)


if __name__ == "__main__":
    main(float(sys.argv[1]))
