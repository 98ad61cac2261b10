"""A served demo, a real browser, and pages that note what must not happen."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright
from tests.browser.chromium import found

RUN = "import sys; from ringfence.cli import main; sys.exit(main())"
PLAYED = ("--replay", "demo", "--speed", "120", "--pools", "12", "--accounts", "600")
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
WAIT_MS = 40_000  # for what takes a moment on a busy machine
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}


@pytest.fixture(scope="session")
def url():
    """Address of a demo that is served by a process of its own, or that RINGFENCE_URL names."""
    if "RINGFENCE_URL" in os.environ:
        yield os.environ["RINGFENCE_URL"]
        return
    command = [sys.executable, "-c", RUN, "serve", *PLAYED]
    with subprocess.Popen(
        [*command, "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        try:
            line = running.stdout.readline()
            assert line, "the service ended before it served"
            yield json.loads(line)["url"]
        finally:
            running.terminate()
            running.wait(timeout=60)


@pytest.fixture(scope="session")
def browser():
    path = found()
    if path is None:
        message = "there is no Chromium; as root on Debian, `make test` installs it"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield made
        made.close()


class Watch:
    """What a page said and asked for."""

    def __init__(self, page, url: str) -> None:
        self.page, self.url = page, url
        self.host = urlsplit(url).netloc
        self.faults: list[str] = []
        self.allowed: str | None = None  # part of a message that is no fault
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))

    def _said(self, message) -> None:
        is_allowed = self.allowed is not None and self.allowed in message.text
        if message.type in {"error", "warning"} and not is_allowed:
            self.faults.append(f"console: {message.text}")

    def _asked(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in {"data", "blob"} and parts.netloc != self.host:
            self.faults.append(f"another host: {address}")

    def go(self, place: str) -> None:
        self.page.goto(f"{self.url}/{place}")

    def keep(self, name: str) -> None:
        """Keep a screenshot as an artefact of the build."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")


@pytest.fixture
def opened(browser, url):
    """A way to open a watched page; at the end nothing must have gone wrong in it."""

    @contextmanager
    def open_page(device: str = "desktop", theme: str = "dark"):
        width, height = SIZES[device]
        is_phone = device == "phone"
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            device_scale_factor=2 if is_phone else 1,
            is_mobile=is_phone,
            has_touch=is_phone,
        )
        context.set_default_timeout(WAIT_MS)
        watch = Watch(context.new_page(), url)
        yield watch
        context.close()
        assert watch.faults == []

    return open_page
