"""What news and timers write, a full evaluation finds as well; and a crash changes nothing."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from cdp.errors import Conflict
from cdp.queue import drain
from cdp.queue.models import QueueItem
from cdp.tenancy.scope import scope
from profiles.errors import IdentityUnknown
from profiles.identity.rules import Identity
from profiles.models import Profile
from profiles.selectors.people import find_profile_ids
from profiles.services.links import cut_link
from profiles.services.privacy import delete_profiles
from segments.evaluation import log, whole
from segments.models import Evaluation, Segment
from segments.services.evaluations import request_evaluation
from segments.services.lifecycle import create_segment, publish_segment
from tests.conftest import Clock
from tests.segments.shop import ACTOR, Shop, open_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

BUY, VIEW = "commerce.purchases", "commerce.productViews"
RULES = {
    "bought in a week": f'xEvent[eventType = "{BUY}" and timestamp occurs <= 7 days before now]',
    "bought a day ago": f'xEvent[eventType = "{BUY}" and timestamp occurs >= 1 day before now]',
    "seen twice": f'xEvent[eventType = "{VIEW}" and timestamp occurs <= 3 days before now].count() >= 2',
    "this month": f'xEvent[eventType = "{VIEW}" and timestamp occurs this month]',
    "seen, not bought": f'CHAIN(xEvent, timestamp, [C0: WHAT(eventType = "{VIEW}" and timestamp occurs <= 5 days before now), C1: WHAT(eventType = "{BUY}") COUNT(= 0)])',
}  # fmt: skip


def publish_rules(shop: Shop) -> None:
    with scope(shop.sandbox, ACTOR):
        for name, text in RULES.items():
            segment = create_segment(actor=ACTOR, sandbox=shop.sandbox, name=name, text=text)
            publish_segment(actor=ACTOR, segment=segment)
    drain()


def written(shop: Shop) -> dict[int, set[str]]:
    """Return who is in what, by the profiles' rows."""
    with scope(shop.sandbox, ACTOR):
        names = dict(Segment.objects.for_sandbox(shop.sandbox).values_list("pk", "name"))
        rows = Profile.objects.for_sandbox(shop.sandbox).values_list("pk", "segments")
        return {
            key: {names[seg] for seg, held in stored.items() if held["status"] == "realized"}
            for key, stored in rows
        }


def logged(shop: Shop) -> dict[str, int]:
    """Return how large each segment is by the event store's log."""
    with scope(shop.sandbox, ACTOR):
        names = dict(Segment.objects.for_sandbox(shop.sandbox).values_list("pk", "name"))
    sizes = log.sizes(shop.sandbox)
    return {name: sizes.get(key, 0) for key, name in names.items()}


def evaluate(shop: Shop) -> Evaluation:
    with scope(shop.sandbox, ACTOR):
        evaluation = request_evaluation(actor=ACTOR, sandbox=shop.sandbox)
    drain()
    with scope(shop.sandbox, ACTOR):
        evaluation.refresh_from_db()
    return evaluation


@dataclass
class Life:
    """What happens to the people of a shop, one thing after the other."""

    shop: Shop
    clock: Clock
    random: Random
    people: list[str] = field(default_factory=lambda: [f"p{n}@luma.example" for n in range(5)])
    joined: list[tuple[str, str]] = field(default_factory=list)

    def event(self) -> None:
        """Something happens now, long ago, or is said to happen later today."""
        hours = self.random.choice([-20, -1, 0, 1, 23, 24, 71, 72, 119, 167, 168, 700])
        self._happen(self.random.choice(self.people), self.clock.now - timedelta(hours=hours))

    def time(self) -> None:
        """Time passes, and whoever is due is looked at."""
        self.clock.move(hours=self.random.choice([1, 12, 24, 25]))
        drain()

    def merge(self) -> None:
        """Two turn out to be one."""
        one, other = self.random.sample(self.people, 2)
        both = {"Email": [{"id": one, "primary": True}], "CRMID": [{"id": f"of {other}"}]}
        self._happen(one, self.clock.now, identityMap=both)
        self.joined.append((one, f"of {other}"))

    def split(self) -> None:
        """They were two after all."""
        if not self.joined:
            return
        one, other = self.joined.pop(self.random.randrange(len(self.joined)))
        with (
            scope(self.shop.sandbox, ACTOR),
            suppress(Conflict, IdentityUnknown),
        ):  # cut already, or deleted
            cut_link(
                actor=ACTOR,
                sandbox=self.shop.sandbox,
                first=Identity("Email", one),
                second=Identity("CRMID", other),
            )
        drain()

    def delete(self) -> None:
        """Somebody is deleted with everything that is known of them."""
        gone = Identity("Email", self.random.choice(self.people))
        sandbox = self.shop.sandbox
        with scope(sandbox, ACTOR):
            if found := list(find_profile_ids(sandbox, [gone]).values()):
                delete_profiles(actor=ACTOR, sandbox=sandbox, profiles=found)
        drain()

    def _happen(self, who: str, at: datetime, **fields: Any) -> None:
        self.shop.event(who, self.random.choice([BUY, VIEW]), at=at, **fields)


STEPS = ["event"] * 5 + ["merge", "split", "delete", "time", "time"]


@pytest.mark.acceptance("A-59")
@pytest.mark.parametrize(
    "seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 40))]
)
def test_news_and_time_leave_what_a_full_evaluation_finds(sandbox, clock, seed):
    shop = open_shop(sandbox)
    clock.move(seconds=1)
    publish_rules(shop)
    life = Life(shop, clock, Random(seed))
    for step in life.random.choices(STEPS, k=16):
        getattr(life, step)()

    by_news = written(shop)
    evaluation = evaluate(shop)

    assert (evaluation.state, evaluation.entered, evaluation.exited) == ("done", 0, 0)
    assert written(shop) == by_news
    counted = {name: sum(name in held for held in by_news.values()) for name in RULES}
    assert logged(shop) == counted


@pytest.mark.parametrize("step", ["scan", "compare", "log", "tell", "end"])
def test_an_evaluation_that_is_killed_goes_on_and_tells_each_change_once(
    sandbox, monkeypatch, step
):
    shop = open_shop(sandbox)
    for number in range(3):
        shop.event(f"p{number}@luma.example", BUY)
    with scope(sandbox, ACTOR):
        segment = create_segment(
            actor=ACTOR, sandbox=sandbox, name="Buyers", text=RULES["bought in a week"]
        )
        publish_segment(actor=ACTOR, segment=segment)
    told: list[int] = []
    publish = whole.publish_changes
    monkeypatch.setattr(
        whole,
        "publish_changes",
        lambda box, key, changes: (
            told.extend(c.profile for c in changes),
            publish(box, key, changes),
        ),
    )
    kill_once(monkeypatch, step)

    with pytest.raises(Killed):
        drain(["segments.evaluation-wanted"])
    told.clear()  # whatever the killed one told was rolled back with it
    with scope(sandbox, ACTOR):
        done = QueueItem.objects.for_sandbox(sandbox).filter(topic="segments.evaluation-wanted")
        done.update(claim=None, available_at=segment.created_at)
        already = [key for key, held in written(shop).items() if held]
    drain()

    assert sorted([*already, *told]) == sorted(written(shop))
    assert all(held == {"Buyers"} for held in written(shop).values())
    assert logged(shop) == {"Buyers": 3}


class Killed(BaseException):
    """What no handler catches."""


def kill_once(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Have the process die at a step, the first time it comes there."""
    target, name, after = {
        "scan": (log, "write_found", True),
        "compare": (log, "write_differences", False),
        "log": (log, "write_differences", True),
        "tell": (whole, "write_changes", True),
        "end": (log, "keep_members", True),
    }[step]
    original = getattr(target, name)
    dead: list[bool] = []

    def deadly(*args, **kwargs):
        if dead:
            return original(*args, **kwargs)
        dead.append(True)
        if after:
            original(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(target, name, deadly)
