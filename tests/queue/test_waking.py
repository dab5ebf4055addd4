import os
import threading
import time

import pytest
import redis

from cdp.queue import broker, waking
from cdp.queue.waking import Waker


class Line:
    """Takes what a waker sends, and may be cut."""

    def __init__(self):
        self.sent, self.times, self.cut = [], [], False
        self.changed = threading.Condition()

    def __call__(self, task, topic, lane):
        with self.changed:
            self.times.append(time.monotonic())
            if self.cut:
                raise redis.ConnectionError("cut")
            self.sent.append((task, topic, lane))
            self.changed.notify_all()

    def wait_for(self, number):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.sent) >= number, timeout=5), self.sent


def test_a_topic_is_sent_with_its_lane(subscribed):
    line = Line()
    topic = subscribed(lane="jobs").topic

    Waker(line).wake(topic)
    Waker(line).wake("nobody.knows.it")
    line.wait_for(2)

    assert set(line.sent) == {
        (broker.WORK, topic, "jobs"),
        (broker.WORK, "nobody.knows.it", "work"),
    }


def test_what_rests_is_woken_when_its_rest_is_over_and_not_before():
    line = Line()
    waker = Waker(line)

    began = time.monotonic()
    waker.wake_later("late", 0.3)
    waker.wake_later("soon", 0.1)
    waker.wake("now")
    line.wait_for(3)

    assert [topic for _, topic, _ in line.sent] == ["now", "soon", "late"]
    waits = [at - began for at in line.times]
    assert waits[0] < 0.1 <= waits[1] < 0.3 <= waits[2] < 0.6


def test_more_than_can_be_kept_for_later_is_left_to_the_tick(monkeypatch):
    monkeypatch.setattr(waking, "MOST_LATER", 2)
    line = Line()
    waker = Waker(line)

    for topic in ("a", "b", "c"):
        waker.wake_later(topic, 0.05)
    line.wait_for(2)
    time.sleep(0.1)

    assert {topic for _, topic, _ in line.sent} == {"a", "b"}


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_rests_for_long_takes_no_place_and_is_left_to_the_tick(monkeypatch):
    monkeypatch.setattr(waking, "MOST_LATER", 1)
    line = Line()
    waker = Waker(line)

    waker.wake_later("in the year 9999", 8_000 * 365 * 86_400.0)
    time.sleep(0.05)
    waker.wake_later("soon", 0.05)
    line.wait_for(1)

    assert [topic for _, topic, _ in line.sent] == ["soon"]


def test_a_topic_is_sent_at_most_once_in_50_ms_and_the_last_wake_is_never_lost():
    line = Line()
    waker = Waker(line)

    began = time.monotonic()
    while time.monotonic() < began + 0.22:
        waker.wake("a")
    last = time.monotonic()
    time.sleep(0.12)

    gaps = [later - earlier for earlier, later in zip(line.times, line.times[1:], strict=False)]
    assert 3 <= len(line.sent) <= 6
    assert min(gaps) >= 0.049
    assert line.times[-1] > last - 0.05


def test_topics_do_not_wait_for_each_other():
    line = Line()
    waker = Waker(line)

    began = time.monotonic()
    for number in range(20):
        waker.wake(str(number))
    line.wait_for(20)

    assert time.monotonic() - began < 0.5


def test_a_broker_that_is_away_is_left_alone_for_a_while_and_then_told_everything(monkeypatch):
    monkeypatch.setattr(waking, "BREAK", 0.2)
    line = Line()
    line.cut = True
    waker = Waker(line)

    waker.wake("a")
    time.sleep(0.05)
    waker.wake("b")
    time.sleep(0.05)
    tried_while_broken = len(line.times)
    line.cut = False
    line.wait_for(2)

    assert tried_while_broken == 1
    assert {topic for _, topic, _ in line.sent} == {"a", "b"}


def test_wake_never_waits_and_never_raises():
    held = threading.Event()
    waker = Waker(lambda *_: held.wait(10) or None)

    began = time.monotonic()
    for number in range(1000):
        waker.wake(f"topic {number}")
    took = time.monotonic() - began
    held.set()

    assert took < 0.2


def test_a_forked_child_wakes_with_a_thread_of_its_own(monkeypatch):
    reader, writer = os.pipe()
    monkeypatch.setattr(broker, "send", lambda *sent: os.write(writer, sent[1].encode()))
    monkeypatch.setattr(waking, "_waker", Waker(broker.send))
    waking.wake("parent ")
    assert os.read(reader, 100) == b"parent "

    pid = os.fork()
    if pid == 0:
        waking.wake("child")
        time.sleep(0.5)
        os._exit(0)
    os.waitpid(pid, 0)

    assert os.read(reader, 100) == b"child"


@pytest.fixture
def messages():
    """The session's Redis, emptied before and after."""
    from django.conf import settings

    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushall()
    yield client
    client.flushall()


def test_a_message_that_waits_holds_back_its_like_until_it_has_arrived(messages):
    for _ in range(3):
        broker.send(broker.WORK, "a", "work")
    broker.send(broker.WORK, "b", "work")
    broker.send(broker.PERIODIC, "a", "jobs")
    before = messages.llen("work"), messages.llen("jobs")
    broker.arrived(broker.WORK, "a")
    broker.send(broker.WORK, "a", "work")

    assert before == (2, 1)
    assert messages.llen("work") == 3


def test_a_message_lost_with_its_mark_does_not_hold_back_for_ever(messages):
    broker.send(broker.WORK, "a", "work")

    left = messages.pttl(f"{broker.WORK}:a")

    assert 0 < left <= 1000


def test_send_reaches_a_redis_that_was_emptied(messages):
    broker.send(broker.WORK, "a", "work")
    messages.flushall()
    broker.send(broker.WORK, "a", "work")

    assert messages.llen("work") == 1
