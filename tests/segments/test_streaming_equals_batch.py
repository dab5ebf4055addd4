"""What news and timers write, a full evaluation finds as well; and a crash changes nothing."""

from datetime import timedelta
from random import Random

import pytest

from cdp.queue import drain
from cdp.queue.models import QueueItem
from cdp.tenancy.scope import scope
from profiles.models import Profile
from segments.evaluation import log, whole
from segments.models import Evaluation, Segment
from segments.services.evaluations import request_evaluation
from segments.services.lifecycle import create_segment, publish_segment
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


@pytest.mark.acceptance("A-59")
@pytest.mark.parametrize("seed", range(3))
def test_news_merges_and_time_leave_what_a_full_evaluation_finds(sandbox, clock, seed):
    random = Random(seed)
    shop = open_shop(sandbox)
    clock.move(seconds=1)
    publish_rules(shop)
    people = [f"p{number}@luma.example" for number in range(5)]
    for _ in range(12):
        match random.choice(["event", "event", "event", "merge", "time"]):
            case "event":
                ago = timedelta(hours=random.choice([0, 1, 23, 24, 71, 72, 119, 167, 168]))
                shop.event(random.choice(people), random.choice([BUY, VIEW]), at=clock.now - ago)
            case "merge":
                one, other = random.sample(people, 2)
                both = {"Email": [{"id": one, "primary": True}], "CRMID": [{"id": f"of {other}"}]}
                shop.event(one, VIEW, at=clock.now, identityMap=both)
            case "time":
                clock.move(hours=random.choice([1, 12, 24, 25]))
                drain()

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
