"""Whose an event is: look-ups, plain SQL and segments say the same, whatever has happened.

Sequences of events, cut and restored links, deletions and new linking rules, with graphs of
at most four identities, so that they are soon full and somebody is evicted.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from cdp.clickhouse import client
from cdp.queue import drain
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.ids import profile_key
from profiles.models import Identity, IdentityLink, Profile
from profiles.selectors import rules as linking
from segments.evaluation import log
from segments.services.evaluations import request_evaluation
from segments.services.lifecycle import create_segment, publish_segment
from tests.factories import OrganizationFactory, api_client, sandbox_of
from tests.profiles.world import ME, Dataset, event, make_dataset, make_namespace, send

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]
LEVELS = (1, 2, 3, 5)
OWNERS = """
SELECT e.event_id, if(o.profile_id != 0, o.profile_id, e.profile_id) AS owner
FROM events AS e
LEFT JOIN (
    SELECT identity_id, profile_id FROM profile_overrides FINAL
    WHERE sandbox_id = {sandbox:UInt32}
) AS o ON o.identity_id = e.identity_id
WHERE e.sandbox_id = {sandbox:UInt32}
"""

named = st.fixed_dictionaries(
    {"ECID": st.sampled_from([str(n).zfill(38) for n in range(1, 6)])},
    optional={
        "CRM": st.sampled_from(["c-1", "c-2", "c-3"]),
        "Email": st.sampled_from(["a@luma.com", "b@luma.com"]),
    },
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.lists(named, min_size=1, max_size=4)),
        st.tuples(st.sampled_from(["cut", "restore", "forget"]), st.integers(0, 20)),
        st.tuples(st.just("judge"), st.booleans()),
    ),
    min_size=4,
    max_size=9,
)


@dataclass
class Story:
    """One organization's sandbox, and what is done in it."""

    api: APIClient
    sandbox: Sandbox
    web: Dataset
    segments: dict[str, int] = field(default_factory=dict)
    sent: int = 0

    def send(self, people):
        records = [
            event(f"{self.sent + n}", at=f"2026-11-01T00:{self.sent + n:02}:00Z", **identities)
            for n, identities in enumerate(people)
        ]
        self.sent += len(records)
        send(self.sandbox, self.web, records)

    def cut(self, place):
        self._change("cut-link", place, cut_at=None)

    def restore(self, place):
        self._change("restore-link", place, cut_at__isnull=False)

    def forget(self, place):
        rows = self._read(Identity.objects.for_sandbox(self.sandbox).order_by("id"))
        if rows:
            chosen = rows[place % len(rows)]
            body = {"identities": [{"namespace": chosen.namespace, "value": chosen.value}]}
            assert self.api.post("/api/v1/profile-deletes/", body).status_code == 202

    def judge(self, unique):
        rules = [{"namespace": "CRM", "priority": 1, "unique": unique}]
        answer = self.api.put("/api/v1/identity-settings/", {"rules": rules})
        assert answer.status_code == 200, answer.json()

    def _change(self, what, place, **state):
        links = IdentityLink.objects.for_sandbox(self.sandbox).filter(**state).order_by("a", "b")
        rows = self._read(links)
        if rows:
            link = rows[place % len(rows)]
            ends = self._read(
                Identity.objects.for_sandbox(self.sandbox).filter(id__in=[link.a, link.b])
            )
            named = [{"namespace": end.namespace, "value": end.value} for end in ends]
            path = f"/api/v1/profiles/{profile_key(ends[0].profile_id)}/{what}/"
            answer = self.api.post(path, {"first": named[0], "second": named[1]})
            assert answer.status_code == 200, answer.json()

    def _read(self, rows):
        with scope(self.sandbox, ME):
            return list(rows)

    def by_look_up(self):
        """Return the profile of every event, as its person's page shows them."""
        profiles = self._read(Profile.objects.for_sandbox(self.sandbox).filter(vanished=False))
        owners = {}
        for profile in profiles:
            key = profile_key(profile.pk)
            answer = self.api.get(f"/api/v1/profiles/{key}/events/").json()
            owners |= {(one["event_id"], profile.pk): profile.pk for one in answer["results"]}
        return sorted(owners)

    def by_sql(self):
        return sorted(client.fetch_text(OWNERS, sandbox=self.sandbox, budget=client.LOOKUP))

    def by_news(self):
        """Return who is in which segment, as news of changes have made it."""
        return {
            (self.segments[key], profile.pk)
            for profile in self._read(Profile.objects.for_sandbox(self.sandbox))
            for key, held in profile.segments.items()
            if held["status"] == "realized"
        }


def open_story():
    organization = OrganizationFactory()
    sandbox = sandbox_of(organization)
    make_namespace(sandbox)
    story = Story(api_client(organization), sandbox, make_dataset(sandbox, "Web", events=True))
    with scope(sandbox, ME):
        for level in LEVELS:
            text = f'xEvent[eventType = "web.pageViews"].count() >= {level}'
            segment = create_segment(actor=ME, sandbox=sandbox, name=f"{level}", text=text)
            publish_segment(actor=ME, segment=segment)
            story.segments[segment.pk] = level
    drain()
    return story


def assert_agreement(story):
    owners = story.by_sql()
    assert story.by_look_up() == owners
    events = Counter(owner for _, owner in owners)
    expected = {(level, p) for p, number in events.items() for level in LEVELS if number >= level}
    assert story.by_news() == expected
    with scope(story.sandbox, ME):
        evaluation = request_evaluation(actor=ME, sandbox=story.sandbox)
    drain()
    with scope(story.sandbox, ME):
        evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.entered, evaluation.exited) == ("done", 0, 0)
    counted = Counter(level for level, _ in expected)
    sizes = {story.segments[key]: size for key, size in log.sizes(story.sandbox).items() if size}
    assert sizes == counted


@given(steps=steps)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=max(3, settings().max_examples // 30),
)
def test_look_ups_sql_and_segments_agree_on_who_owns_an_event(monkeypatch, steps):
    monkeypatch.setattr(linking, "make_rules", partial(linking.make_rules, limit=4))
    story = open_story()
    for name, argument in steps:
        getattr(story, name)(argument)
        drain()

    assert_agreement(story)
