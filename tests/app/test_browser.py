"""The explorer in a real browser: it renders, a changed field changes the picture, nothing breaks in the console."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import sim

pytestmark = pytest.mark.browser

ROOT = Path(sim.__file__).parent.parent
CHROMIUM = "/usr/bin/chromium"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server of our own on loopback, ended by its process."""
    port = "8651"
    words = [
        "--server.address",
        "127.0.0.1",
        "--server.port",
        port,
        "--server.headless",
        "true",
        "--browser.gatherUsageStats",
        "false",
    ]
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), *words], stdout=subprocess.DEVNULL
    )
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait(url: str) -> None:
    for _ in range(120):
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"{url} does not answer")


def test_a_person_changes_a_number(address: str, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            page = browser.new_page(viewport={"width": 1400, "height": 1600})
            broken: list[str] = []
            page.on("pageerror", lambda error: broken.append(str(error)))
            page.goto(address)
            page.get_by_text("The same on the command line").wait_for(timeout=60_000)
            before = page.screenshot(path=str(tmp_path / "before.png"))
            field = page.get_by_label("Most bad requests, %")
            field.fill("30")
            field.press("Enter")
            page.get_by_text("100%", exact=True).first.wait_for(timeout=60_000)
            after = page.screenshot(path=str(tmp_path / "after.png"))
            assert before != after and len(after) > 20_000
            assert broken == []
        finally:
            browser.close()
