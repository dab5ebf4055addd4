"""What every test may ask for: an organization with sandboxes, an actor, a clock, an API client."""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone
from hypothesis import settings
from rest_framework.test import APIClient

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Organization, Sandbox
from cdp.tenancy.scope import organization_scope, scope
from cdp.tenancy.services.organizations import create_sandbox
from tests.factories import OrganizationFactory, api_client, sandbox_of
from tests.fence import blocked_event_store, unfenced_queries
from tests.stores import has_stores, session_urls

UNFENCED = pytest.StashKey[list[str]]()

settings.register_profile("default", deadline=None)  # a busy machine is no fault of the code
settings.register_profile("long", deadline=None, max_examples=3_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what Hypothesis runs, so that `make fuzz` can choose it, and leave long runs to it."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("property")
    long = [item for item in items if item.get_closest_marker("long")]
    if long and "long" not in config.option.markexpr:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Hash passwords in one round: what takes a guesser long takes a suite long, too."""
    ours = "cdp.tenancy.hashers.RandomSecretHasher"
    with override_settings(PASSWORD_HASHERS=[ours, *django_settings.PASSWORD_HASHERS]):
        yield


@pytest.fixture
def actor() -> Actor:
    """Somebody who may do everything."""
    return Actor.system("tests")


@pytest.fixture
def organization(db: None) -> Organization:
    """An organization with its `prod` sandbox and nothing else."""
    return OrganizationFactory()


@pytest.fixture
def sandbox(organization: Organization) -> Sandbox:
    """The organization's `prod` sandbox."""
    return sandbox_of(organization)


@pytest.fixture
def other_sandbox(organization: Organization, actor: Actor) -> Sandbox:
    """A second sandbox of the same organization: as walled off as a stranger's."""
    with organization_scope(organization, actor):
        return create_sandbox(actor=actor, organization=organization, name="dev", title="Dev")


@pytest.fixture
def other_organization(db: None) -> Organization:
    """A stranger, with its own `prod` sandbox."""
    return OrganizationFactory()


@pytest.fixture
def in_scope(sandbox: Sandbox, actor: Actor) -> Iterator[Sandbox]:
    """Run the whole test inside the sandbox's scope."""
    with scope(sandbox, actor):
        yield sandbox


@pytest.fixture
def api(organization: Organization) -> APIClient:
    """A client with a credential of the organization that holds every permission."""
    return api_client(organization)


class Clock:
    """The time as the code under test sees it: it stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def move(self, *, to: datetime | None = None, **by: float) -> datetime:
        """Set the clock, or move it by `seconds=`, `hours=`, `days=`..."""
        self.now = to or self.now + timedelta(**by)
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that the test moves. It begins at the true time, so that tokens stay valid."""
    fake = Clock(timezone.now().replace(microsecond=0))
    monkeypatch.setattr(timezone, "now", fake)
    return fake


@pytest.fixture(scope="session")
def event_tables() -> None:
    """Make the event store's tables, once a session."""
    call_command("migrate_events", verbosity=0)


@pytest.fixture(autouse=True)
def _event_store(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give marked tests the event store, and let others fail by name if they touch it."""
    if request.node.get_closest_marker("clickhouse"):
        request.getfixturevalue("event_tables")
        yield
    else:
        with blocked_event_store(request.node.nodeid):
            yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were skipped and why, also if none was."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    terminalreporter.write_line(f"{len(skipped)} tests skipped")
    for reason, count in reasons.items():
        terminalreporter.write_line(f"  {count}: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session if the event store was asked anything without the fence of one sandbox."""
    if not has_stores():
        unfenced: list[str] = session.config.stash.get(UNFENCED, [])
    else:
        unfenced = unfenced_queries(session_urls().query_log)
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["unfenced"] = unfenced  # for whoever handed out the tests
    elif unfenced:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print(f"\n{len(unfenced)} queries of the event store carried no fence:")
        for query in sorted(set(unfenced))[:20]:
            print(f"  {query}")


def pytest_testnodedown(node: Any, error: object | None) -> None:
    """Take over what one of several processes found."""
    found = getattr(node, "workeroutput", {}).get("unfenced", [])
    node.config.stash.setdefault(UNFENCED, []).extend(found)
