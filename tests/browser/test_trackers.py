"""Trackers of web pages in a real browser, against the running server."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from cdp import queue
from tests.clients.packages import installed
from tests.datasets.making import make_dataset, make_inlet, make_key, make_schema
from tests.datasets.stumbling import proxy_before

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clickhouse]

EDGE = "https://edge.luma.test"
SHOP = "https://shop.luma.test/"
EMAIL = "sarah@luma.example"
# What a page of Adobe's documentation begins with: calls wait until the library is there.
QUEUE = """
!function(n,o){o.forEach(function(o){n[o]||((n.__alloyNS=n.__alloyNS||[]).push(o),n[o]=function(){
var u=arguments;return new Promise(function(i,l){n[o].q.push([i,l,u])})},n[o].q=[])})}(window,["alloy"]);
"""
SECONDS = 20


@pytest.fixture(scope="module")
def packages() -> Path:
    return installed() / "node_modules"


@pytest.fixture
def inlet(sandbox):
    """An inlet of the Web SDK that writes events and what is said of people."""
    groups = ("Personal Contact Details", "IdentityMap", "Consents and Preferences")
    people = make_schema(sandbox, title="People", events=False, groups=groups)
    events = make_schema(
        sandbox, groups=("Web SDK ExperienceEvent", "Web Details", "Commerce Details")
    )
    return make_inlet(
        sandbox,
        make_dataset(sandbox, schema=events),
        make_dataset(sandbox, name="People", schema=people),
        door="edge",
    )


@pytest.fixture
def shop(page: Page, packages: Path) -> Page:
    """A page of a shop, which is nothing but a page. Its cookies want https, as in production."""
    page.set_default_timeout(SECONDS * 1_000)
    page.route(SHOP, lambda route: route.fulfill(body="<h1>Luma</h1>", content_type="text/html"))
    return page


def run(page: Page, script: str, given: object = None) -> object:
    """Run an asynchronous function on the page; fail if it does not end in time."""
    bounded = f"""(given) => Promise.race([({script})(given), new Promise((_, fail) =>
        setTimeout(() => fail(new Error("not done in time")), {SECONDS * 1_000}))])"""
    return page.evaluate(bounded, given)


def open_shop(page: Page, packages: Path, inlet, server: str, **configuration: object) -> None:
    """Load the page anew with the Web SDK, whose requests go to the running server."""
    page.unroute(f"{EDGE}/**")
    page.route(
        f"{EDGE}/**",
        lambda route: route.fulfill(
            response=route.fetch(
                url=route.request.url.replace(EDGE, server), timeout=SECONDS * 1_000
            )
        ),
    )
    page.goto(SHOP)
    page.evaluate(QUEUE)
    page.add_script_tag(path=packages / "@adobe/alloy/dist/alloy.min.js")
    given = {
        "datastreamId": inlet.pk,
        "orgId": inlet.settings["org_id"],
        "edgeDomain": "edge.luma.test",
        "thirdPartyCookiesEnabled": False,
        "clickCollectionEnabled": False,
        **configuration,
    }
    run(page, """(given) => alloy("configure", given)""", given)


def send_event(page: Page, **xdm: object) -> None:
    run(page, """(xdm) => alloy("sendEvent", {xdm})""", xdm)


def profile(api, identity: str) -> dict:
    queue.drain()
    return api.get("/api/v1/profiles/", {"identity": identity, "events": 10}).json()


def kinds(found: dict) -> list[str]:
    return sorted(event["event_type"] for event in found["events"])


@pytest.mark.acceptance("D-01")
@pytest.mark.acceptance("D-06")
def test_a_visitor_keeps_the_ecid_and_becomes_known_by_a_login(
    shop, packages, live_server, api, inlet
):
    with proxy_before(live_server.url) as proxy:
        open_shop(shop, packages, inlet, proxy.url)
        send_event(shop, eventType="commerce.productViews")
    assert proxy.has_stumbled, proxy.answered
    first = run(shop, """() => alloy("getIdentity")""")

    open_shop(shop, packages, inlet, live_server.url)
    known = {"Email": [{"id": EMAIL, "authenticatedState": "authenticated", "primary": True}]}
    send_event(shop, eventType="userAccount.login", identityMap=known)
    again = run(shop, """() => alloy("getIdentity")""")

    ecid = first["identity"]["ECID"]
    assert again["identity"]["ECID"] == ecid
    sarah = profile(api, f"Email:{EMAIL}")
    assert kinds(sarah) == ["commerce.productViews", "userAccount.login"]
    assert {(each["namespace"], each["value"]) for each in sarah["identities"]} == {
        ("ECID", ecid),
        ("Email", EMAIL),
    }
    assert profile(api, f"ECID:{ecid}")["id"] == sarah["id"]


def test_a_choice_releases_what_waits_and_reaches_the_profile(
    shop, packages, live_server, api, inlet
):
    open_shop(shop, packages, inlet, live_server.url, defaultConsent="pending")
    shop.evaluate(
        """() => { window.sent = alloy("sendEvent", {xdm: {eventType: "web.visit"}}); }"""
    )
    choice = {"collect": {"val": "y"}, "marketing": {"email": {"val": "n"}}}
    run(
        shop,
        """([value, email]) => alloy("setConsent", {
             identityMap: {Email: [{id: email, primary: true}]},
             consent: [{standard: "Adobe", version: "2.0", value}]})""",
        [choice, EMAIL],
    )
    run(shop, "() => window.sent")

    sarah = profile(api, f"Email:{EMAIL}")
    assert sarah["attributes"]["consents"]["marketing"]["email"]["val"] == "n"
    assert kinds(sarah) == ["web.visit"]


def test_who_opts_out_is_not_collected_after_another_page_load(
    shop, packages, live_server, api, inlet
):
    open_shop(shop, packages, inlet, live_server.url)
    send_event(shop, eventType="web.visit")
    ecid = run(shop, """() => alloy("getIdentity")""")["identity"]["ECID"]
    out = [{"standard": "Adobe", "version": "1.0", "value": {"general": "out"}}]
    run(shop, """(consent) => alloy("setConsent", {consent})""", out)

    open_shop(shop, packages, inlet, live_server.url)
    send_event(shop, eventType="web.visit")

    found = profile(api, f"ECID:{ecid}")
    assert found["attributes"]["consents"]["collect"]["val"] == "n"
    assert kinds(found) == ["web.visit"]


def test_segment_for_browsers(page, packages, live_server, api, sandbox, httpserver):
    people = make_schema(sandbox, title="People", events=False)
    inlet = make_inlet(
        sandbox, make_dataset(sandbox), make_dataset(sandbox, name="People", schema=people),
        door="segment", requires_key=True,
    )  # fmt: skip
    page.set_default_timeout(SECONDS * 1_000)
    httpserver.expect_request("/").respond_with_data("<h1>Luma</h1>", content_type="text/html")
    page.goto(httpserver.url_for("/"))  # of another origin than the server
    page.add_script_tag(path=packages / "@segment/analytics-next/dist/umd/index.js")

    with proxy_before(live_server.url) as proxy:
        run(
            page,
            """async ([key, url]) => {
              const [analytics] = await AnalyticsNext.AnalyticsBrowser.load(
                {writeKey: key, cdnURL: url},
                {integrations: {"Segment.io": {apiHost: url.slice(7) + "/v1", protocol: "http"}}});
              await analytics.identify("u1", {email: "sarah@luma.example", firstName: "Sarah"});
              await analytics.track("Order Completed", {order_id: "o1", revenue: 25.5});
            }""",
            [make_key(inlet), proxy.url],
        )
        page.wait_for_timeout(500)
        for _ in range(40):
            if proxy.has_stumbled and proxy.answered.count(200) >= 2:
                break
            page.wait_for_timeout(500)

    assert proxy.has_stumbled, proxy.answered
    sarah = profile(api, "UserId:u1")
    assert kinds(sarah) == ["commerce.purchases"]
    assert sarah["attributes"]["person"]["name"]["firstName"] == "Sarah"
    assert {"UserId", "Email", "AnonymousId"} == {each["namespace"] for each in sarah["identities"]}
