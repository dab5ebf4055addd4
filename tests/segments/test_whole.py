"""Evaluations of everybody: what they cost at most, and that nobody waits for them."""

from threading import Thread

import pytest
from django.db import connection

from cdp.queue import drain
from cdp.tenancy.scope import scope
from segments import selectors
from segments.evaluation import log, whole
from segments.evaluation.few import evaluate_few
from segments.evaluation.whole import evaluate_whole
from segments.models import Evaluation, Meanwhile, Segment
from segments.services.evaluations import request_evaluation
from segments.services.lifecycle import change_segment, create_segment, publish_segment
from tests.segments.shop import ACTOR, open_shop
from tests.segments.test_streaming_equals_batch import BUY, VIEW, written

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]
BUYERS = f'xEvent[eventType = "{BUY}"]'
FREQUENT = f'xEvent[eventType = "{VIEW}"].count() >= 2 and {BUYERS}'


@pytest.fixture
def shop(sandbox):
    shop = open_shop(sandbox)
    for number in range(4):
        shop.event(f"p{number}@luma.example", BUY)
    return shop


def publish(shop, name, text):
    with scope(shop.sandbox, ACTOR):
        made = create_segment(actor=ACTOR, sandbox=shop.sandbox, name=name, text=text)
        return publish_segment(actor=ACTOR, segment=made)


def test_one_that_costs_too_much_fails_and_names_its_segments(api, shop, settings):
    publish(shop, "Buyers", BUYERS)
    drain()
    before = written(shop)
    with scope(shop.sandbox, ACTOR):
        Segment.objects.for_sandbox(shop.sandbox).update(rule={"type": "constant", "value": False})
        publish(shop, "Frequent", FREQUENT)
        Evaluation.objects.for_sandbox(shop.sandbox).filter(state="waiting").update(wanted=[])
    budgets = settings.CLICKHOUSE_BUDGETS
    settings.CLICKHOUSE_BUDGETS = budgets | {"full": (600, 10_000)}

    drain()

    (job,) = api.get("/api/v1/segment-jobs/?state=failed").json()["results"]
    assert "(full)" in job["reason"]
    assert job["reason"].endswith("It was about 'Frequent', 'Buyers'.")  # the costliest first
    assert written(shop) == before
    with scope(shop.sandbox, ACTOR):
        assert selectors.find_running(shop.sandbox) is None
        assert not Meanwhile.objects.for_sandbox(shop.sandbox).exists()

    settings.CLICKHOUSE_BUDGETS = budgets
    assert api.post("/api/v1/segment-jobs/", {}).status_code == 202
    drain()
    assert set().union(*written(shop).values()) == set()


def test_news_finds_its_way_in_between_the_steps_of_a_long_one(shop, monkeypatch):
    """At every step of the long one somebody else is looked at, and told of at once."""
    monkeypatch.setattr("segments.evaluation.whole.PROFILES_A_SLICE", 1)
    publish(shop, "Buyers", BUYERS)
    people = sorted(written(shop))
    heard: list[tuple[str, int]] = []

    def report(evaluation):
        profile = people[len(heard) % len(people)]
        evaluate_few(shop.sandbox, [profile], kind="touched")
        assert written(shop)[profile] == {"Buyers"}
        heard.append((evaluation.state, profile))

    with scope(shop.sandbox, ACTOR):
        waiting = Evaluation.objects.for_sandbox(shop.sandbox).get(state="waiting")
    evaluate_whole(shop.sandbox, waiting, report)

    assert [state for state, _ in heard[:3]] == ["scanning", "comparing", "telling"]
    assert heard[-1][0] == "done"
    with scope(shop.sandbox, ACTOR):
        rows = Evaluation.objects.for_sandbox(shop.sandbox)
        assert sum(rows.values_list("entered", flat=True)) == len(people)
    assert all(held == {"Buyers"} for held in written(shop).values())


def test_progress_is_told_and_what_is_told_cannot_be_cancelled(api, shop, monkeypatch):
    monkeypatch.setattr("segments.evaluation.whole.PROFILES_A_SLICE", 1)
    publish(shop, "Buyers", BUYERS)
    with scope(shop.sandbox, ACTOR):
        waiting = Evaluation.objects.for_sandbox(shop.sandbox).get(state="waiting")
    seen = []

    def report(evaluation):
        job = api.get(f"/api/v1/segment-jobs/{waiting.pk}/").json()
        seen.append((job["state"], job["progress"]["done"], job["progress"]["total"]))
        if job["state"] == "telling":
            refused = api.post(f"/api/v1/segment-jobs/{waiting.pk}/cancel/")
            assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")

    evaluate_whole(shop.sandbox, waiting, report)

    assert seen == [
        ("scanning", 0, None),
        ("comparing", 0, None),
        *(("telling", done, 4) for done in range(5)),
        ("done", 4, 4),
    ]


def test_a_cancelled_one_changes_nothing_and_leaves_nothing_behind(shop, monkeypatch):
    publish(shop, "Buyers", BUYERS)
    with scope(shop.sandbox, ACTOR):
        waiting = Evaluation.objects.for_sandbox(shop.sandbox).get(state="waiting")
    scanned = log.write_found

    def cancelled_meanwhile(*args, **kwargs):
        scanned(*args, **kwargs)
        with scope(shop.sandbox, ACTOR):
            Evaluation.objects.for_sandbox(shop.sandbox).update(cancel_wanted=True)
            Meanwhile.objects.create(sandbox=shop.sandbox, evaluation=waiting, profiles=[1])

    monkeypatch.setattr(log, "write_found", cancelled_meanwhile)
    evaluate_whole(shop.sandbox, waiting, lambda _: None)

    assert (waiting.state, waiting.ended_at is not None) == ("cancelled", True)
    assert set().union(*written(shop).values()) == set()
    with scope(shop.sandbox, ACTOR):
        assert not Meanwhile.objects.for_sandbox(shop.sandbox).exists()


def test_a_request_that_a_waiting_one_answers_is_that_one(shop):
    first = publish(shop, "Buyers", BUYERS)
    second = publish(shop, "Frequent", FREQUENT)
    with scope(shop.sandbox, ACTOR):
        ask = {"actor": ACTOR, "sandbox": shop.sandbox}
        one = request_evaluation(**ask, segments=[first.pk])
        everything = request_evaluation(**ask)
        assert request_evaluation(**ask, segments=[first.pk]).pk == one.pk
        assert request_evaluation(**ask, segments=[second.pk, first.pk]).pk == everything.pk
        assert request_evaluation(**ask).pk == everything.pk
        assert one.pk != everything.pk


def test_one_of_drafts_alone_asks_nobody(api, shop, monkeypatch):
    publish(shop, "Buyers", BUYERS)
    drain()
    draft = api.post("/api/v1/segments/", {"name": "Draft", "text": FREQUENT}).json()["id"]
    scans = []
    monkeypatch.setattr(log, "write_found", lambda *_: scans.append(1))

    job = api.post("/api/v1/segment-jobs/", {"segments": [draft]}).json()
    drain()

    job = api.get(f"/api/v1/segment-jobs/{job['id']}/").json()
    assert (job["state"], job["asked"], scans) == ("done", {}, [])


def test_a_rule_that_changes_while_an_evaluation_reads_the_rules_is_evaluated(shop, monkeypatch):
    segment = publish(shop, "Buyers", BUYERS)
    read = whole.rule_book

    def change():
        with scope(shop.sandbox, ACTOR):
            row = selectors.get_segment(shop.sandbox, segment.pk)
            change_segment(actor=ACTOR, segment=row, text=f"not {BUYERS}")
        connection.close()

    changing = Thread(target=change)

    def change_after_reading(*args, **kwargs):
        book = read(*args, **kwargs)
        if changing.ident is None:
            changing.start()
            changing.join(timeout=1)  # it may have to wait for us
        return book

    monkeypatch.setattr(whole, "rule_book", change_after_reading)
    drain()
    changing.join()
    drain()

    assert set().union(*written(shop).values()) == set()
    with scope(shop.sandbox, ACTOR):
        asked = Evaluation.objects.for_sandbox(shop.sandbox).filter(kind="full", state="done")
        assert {segment.pk: 2} in asked.values_list("asked", flat=True)
