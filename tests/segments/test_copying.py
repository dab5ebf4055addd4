"""Segments in the copy of a sandbox."""

import pytest

from cdp.tenancy.scope import scope
from segments.enums import SegmentState
from segments.errors import WrongState
from segments.models import Segment
from segments.services.copying import copy_segments
from segments.services.lifecycle import create_segment, publish_segment
from segments.services.uploads import create_upload
from tests.segments.shop import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)
EMAILS = [{"column": "email", "namespace": "Email"}]


@pytest.fixture
def never(sandbox):
    """An upload of those who want no mail, and a rule for all others."""
    with scope(sandbox, ACTOR):
        upload = create_upload(actor=ACTOR, sandbox=sandbox, name="Never", identities=EMAILS)
        rule = {"type": "not", "of": {"type": "segment", "id": upload.segment_id}}
        create_segment(actor=ACTOR, sandbox=sandbox, name="Wants mail", rule=rule)
    return upload.segment_id


def copied(sandbox) -> Segment:
    return Segment.objects.for_sandbox(sandbox).get(name="Wants mail")


def test_a_rule_without_the_upload_that_it_excludes_is_not_published(sandbox, other_sandbox, never):
    copy_segments(sandbox, other_sandbox)

    with scope(other_sandbox, ACTOR):
        with pytest.raises(WrongState, match=never):
            publish_segment(actor=ACTOR, segment=copied(other_sandbox))
        assert copied(other_sandbox).state == SegmentState.DRAFT


def test_a_rule_excludes_the_upload_of_that_name_in_its_own_sandbox(sandbox, other_sandbox, never):
    with scope(other_sandbox, ACTOR):
        own = create_upload(actor=ACTOR, sandbox=other_sandbox, name="Never", identities=EMAILS)

    copy_segments(sandbox, other_sandbox)

    with scope(other_sandbox, ACTOR):
        assert copied(other_sandbox).rule["of"]["id"] == own.segment_id
        assert copied(other_sandbox).references == [own.segment_id]
        publish_segment(actor=ACTOR, segment=copied(other_sandbox))
