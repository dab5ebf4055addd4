"""A real browser: Debian's Chromium, driven over its own protocol."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHOTS = os.environ.get("CDP_SCREENSHOTS")  # a folder, for whoever wants to look at the pages


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty page; a script that fails on a page fails the test."""
    if CHROMIUM is None:
        pytest.skip("Debian's chromium is not installed")
    # The driver keeps an event loop in this thread, which Django would take for ours.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    complaints: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{request.node.name}.png")
        browser.close()
    assert complaints == []
