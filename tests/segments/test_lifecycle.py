"""What segments ask of each other, when two are changed at the same moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from django.db import connection

from cdp.errors import DomainError
from cdp.tenancy.scope import scope
from segments import selectors
from segments.models import Segment
from segments.services.lifecycle import change_segment, create_segment, delete_segment
from tests.segments.shop import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def beside(sandbox, act: Callable[[], object]) -> Iterator[list[str]]:
    """Have somebody else act before the block's transaction ends; yield how that was refused."""
    refused: list[str] = []

    def run() -> None:
        try:
            with scope(sandbox, ACTOR):
                act()
        except DomainError as error:
            refused.append(error.code)
        connection.close()

    other = Thread(target=run)
    with scope(sandbox, ACTOR):
        yield refused
        other.start()
        other.join(timeout=1)  # it may have to wait for us
    other.join()


def make(sandbox, name: str, asked: Segment | None = None) -> Segment:
    rule = {"type": "segment", "id": asked.pk} if asked else {"type": "constant", "value": True}
    with scope(sandbox, ACTOR):
        return create_segment(actor=ACTOR, sandbox=sandbox, name=name, rule=rule)


def ask_for(sandbox, segment: Segment, asked: Segment) -> None:
    row = selectors.get_segment(sandbox, segment.pk)
    change_segment(actor=ACTOR, segment=row, rule={"type": "segment", "id": asked.pk})


def references(sandbox) -> dict[str, list[str]]:
    with scope(sandbox, ACTOR):
        return dict(Segment.objects.for_sandbox(sandbox).values_list("name", "references"))


def test_two_rules_that_begin_to_ask_for_each_other_at_once_make_no_cycle(sandbox):
    one, two = make(sandbox, "One"), make(sandbox, "Two")

    with beside(sandbox, lambda: ask_for(sandbox, two, one)) as refused:
        ask_for(sandbox, one, two)

    assert refused == ["cycle"]
    assert references(sandbox) == {"One": [two.pk], "Two": []}


def test_a_segment_that_a_rule_begins_to_ask_for_is_not_deleted(sandbox):
    parent = make(sandbox, "Parent")

    def delete() -> None:
        delete_segment(actor=ACTOR, segment=selectors.get_segment(sandbox, parent.pk))

    with beside(sandbox, delete) as refused:
        make(sandbox, "Child", parent)

    assert refused == ["segment_in_use"]
    assert references(sandbox) == {"Parent": [], "Child": [parent.pk]}
