"""What people see: the operators' console and the documentation."""

import pytest
from playwright.sync_api import Page, expect

from cdp.tenancy.models import Operator
from tests.segments.shop import open_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

EMAIL, PASSWORD = "operator@luma.example", "luma-has-running-shoes"


@pytest.fixture
def console(page: Page, live_server) -> Page:
    """The console, signed in."""
    Operator.objects.create_superuser(email=EMAIL, password=PASSWORD)
    page.goto(f"{live_server.url}/admin/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    return page


def test_the_console_lists_every_part_of_the_platform(console):
    for title in (
        "Organizations",
        "Schemas",
        "Datasets",
        "Profiles",
        "Segments",
        "Activations",
        "Policies",
    ):
        expect(console.get_by_role("link", name=title, exact=True).first).to_be_visible()


def test_the_console_shows_a_profile(page, sandbox, live_server):
    shop = open_shop(sandbox)
    shop.person("sarah.rose@luma.example", person={"name": {"firstName": "Sarah"}})
    Operator.objects.create_superuser(email=EMAIL, password=PASSWORD)
    page.goto(f"{live_server.url}/admin/profiles/profile/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    page.locator("#result_list tbody a").first.click()

    expect(page.locator("#content")).to_contain_text("sarah.rose@luma.example")
    expect(page.locator("#content")).to_contain_text("Sarah")


def test_swagger_ui_shows_the_operations(page, live_server):
    page.goto(f"{live_server.url}/api/v1/docs/")

    expect(page.locator(".info .title")).to_contain_text("Customer Data Platform")
    expect(page.locator(".opblock").first).to_be_visible(timeout=20_000)
