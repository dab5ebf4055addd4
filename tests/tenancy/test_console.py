"""The console: every tenant's rows for operators, and nothing for anybody else."""

import pytest
from django.contrib import admin
from django.test import Client

from cdp.tenancy.console.base import COUNTED, BoundedPaginator
from cdp.tenancy.models import UsageCounter, WriteKey
from cdp.tenancy.scope import scope
from cdp.tenancy.services.access import create_write_key
from cdp.tenancy.services.operators import create_operator
from tests.factories import ACTOR, api_client, sandbox_of

PASSWORD = "x7-long-enough-99"


@pytest.fixture
def console(db):
    """A browser in which an operator has signed in."""
    operator, _, _ = create_operator(email="ops@example.com", password=PASSWORD)
    browser = Client()
    browser.force_login(operator)
    return browser


@pytest.fixture
def keys(organization, other_organization):
    """A write key in each of two organizations."""
    rows = []
    for owner in (organization, other_organization):
        with scope(sandbox_of(owner), ACTOR):
            row, _ = create_write_key(
                actor=ACTOR, sandbox=sandbox_of(owner), inlet_id="inl_1", name=f"Key of {owner}"
            )
        rows.append(row)
    return rows


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label)
def test_every_list_opens_can_be_searched_and_filtered(console, keys, organization, model):
    url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"

    assert console.get(url).status_code == 200
    assert console.get(url, {"q": "a"}).status_code == 200
    assert console.get(url, {"organization": organization.pk}).status_code in {200, 302}


def test_the_index_lists_what_there_is(console):
    page = console.get("/admin/").content.decode()

    assert "Customer Data Platform" in page
    assert '<a href="/admin/tenancy/auditevent/"' in page


def test_rows_of_every_tenant_are_shown_and_filtered(console, keys, organization):
    url = "/admin/tenancy/auditevent/"

    everything = console.get(url, {"q": "write_key.created"}).content.decode()
    filtered = console.get(
        url, {"q": "write_key.created", "organization": organization.pk}
    ).content.decode()

    assert all(row.name in everything for row in keys)
    assert keys[0].name in filtered
    assert keys[1].name not in filtered


def test_a_row_is_shown_but_not_changed(console, keys):
    url = f"/admin/tenancy/writekey/{keys[0].pk}/change/"

    assert keys[0].name in console.get(url).content.decode()
    assert console.post(url, {"name": "Another"}).status_code == 403
    assert WriteKey.objects.get(pk=keys[0].pk).name == keys[0].name
    assert console.post(f"/admin/tenancy/writekey/{keys[0].pk}/delete/").status_code == 403


def test_an_action_calls_the_service(console, keys):
    answer = console.post(
        "/admin/tenancy/writekey/", {"action": "revoke", "_selected_action": [keys[0].pk]}
    )

    assert answer.status_code == 302
    assert [WriteKey.objects.get(pk=key.pk).revoked_at is None for key in keys] == [False, True]


def test_nobody_but_an_operator_gets_in(db, organization):
    tenant = api_client(organization)

    answers = [Client().get("/admin/tenancy/role/"), tenant.get("/admin/tenancy/role/")]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert all(answer["Location"].startswith("/admin/login/") for answer in answers)


def test_an_operator_is_made_in_the_console(console):
    answer = console.post(
        "/admin/tenancy/operator/add/",
        {
            "email": "second@example.com",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )

    assert answer.status_code == 302
    assert Client().login(email="second@example.com", password=PASSWORD)


def test_a_page_counts_no_further_than_it_must(sandbox, django_assert_num_queries):
    with scope(sandbox, ACTOR), django_assert_num_queries(1) as queries:
        assert BoundedPaginator(UsageCounter.unscoped.order_by("pk"), 50).count == 0

    assert f"LIMIT {COUNTED}" in queries[0]["sql"]
