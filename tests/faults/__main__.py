"""`make faults`: the whole run, or a short one with smaller numbers."""

import argparse
import sys
import time
from collections.abc import Callable

from demo.client import Client
from demo.luma import Luma, set_up
from tests.faults.accidents import kill_each, pause_redis
from tests.faults.counting import count, wait_until_worked
from tests.faults.platform import Platform, operator, running, wait_for
from tests.faults.sending import Answer, Sender

CALM = 2.0  # seconds without accidents before and after Redis is paused
DOOR_SECONDS = 1.0
DONE_SECONDS = 600.0


def main() -> None:
    """Exit with an error unless every event was counted once and the doors kept their promise."""
    said = _arguments()
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {line}", file=sys.stderr, flush=True)

    with running(say) as platform:
        with operator(platform.url) as installer:
            client, luma = _become_luma(installer)
        sender = Sender(platform.url, luma.web, said.events, said.seconds + said.pause + 2 * CALM)
        sender.start()
        say(f"Sending {said.events} events; half of the accidents come first")
        half = said.kills // 2
        kill_each(platform, said.kills - half, said.seconds * (1 - half / said.kills), say)
        paused = _pause(platform, sender, said.pause, say)
        kill_each(platform, half, said.seconds * half / said.kills, say)
        wait_for("all events to be accepted", sender.is_done, DONE_SECONDS)
        say(f"All accepted; answers by status: {sender.statuses()}")
        platform.wait_until_well()
        wait_until_worked(client, DONE_SECONDS)
        counted = count(platform, client, said.events)
        say(f"Stored according to the receipts: {counted.stored_by_receipts}")
        faults = [*sender.faults(), *_broken_promises(paused)]
        for fault in faults[:20]:
            say(f"A door broke its promise: {fault}")
        print(counted, flush=True)
        if not counted.is_exact or faults:
            sys.exit(f"Something was wrong; the logs are in {platform.place.logs}")


def _pause(
    platform: Platform, sender: Sender, seconds: float, say: Callable[[str], None]
) -> list[Answer]:
    """Pause Redis with nothing else amiss; return what the doors answered meanwhile."""
    platform.wait_until_well()
    time.sleep(CALM)
    say(f"Redis is paused for {seconds:g} s")
    answers = sender.between(*pause_redis(platform, seconds))
    slowest = max((answer.seconds for answer in answers), default=0)
    say(f"{len(answers)} answers meanwhile, the slowest after {slowest:.3f} s")
    if not answers:
        raise AssertionError("Nothing was sent while Redis was paused; send more, or slower.")
    time.sleep(CALM)
    return answers


def _broken_promises(paused: list[Answer]) -> list[Answer]:
    """Return the answers, while Redis was paused, that were errors or came late."""
    return [one for one in paused if one.status != 200 or one.seconds > DOOR_SECONDS]


def _become_luma(installer: Client) -> tuple[Client, Luma]:
    made = installer.post("organizations/", {"name": "Luma", "tenant_namespace": "luma"})
    key = made["administrator"]
    client = Client(installer.url, key["client_id"], key["client_secret"])
    return client, set_up(client, "http://127.0.0.1:9/")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=10, help="of each program")
    parser.add_argument("--seconds", type=float, default=180, help="over which the kills spread")
    parser.add_argument("--pause", type=float, default=20, help="seconds that Redis is paused")
    return parser.parse_args()


if __name__ == "__main__":
    main()
