# noqa: INP001 - a script, not a package
"""Takes the picture of the dashboard in the worst minute of the served demo.

    python docs/pictures/make_dashboard.py [HOURS]

serves the demo, keeps its overview open, and takes a screenshot whenever more notional was
liquidated in the last minute than in any minute before; the last one stays. HOURS of the demo
are watched, its one day unless given.
"""

import json
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent / "dashboard.png"
RUN = "import sys; from ringfence.cli import main; sys.exit(main())"
SPEED = 240
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
CLOSING = (
    "position_liquidated",
    "collateral_liquidated",
    "claim_liquidated",
    "slice_sold",
    "position_deleveraged",
)
LOOK_MS = 200  # of this machine's time: less than a minute of the demo's


def ask(url: str) -> Any:
    """Return the answer of our own service."""
    with urllib.request.urlopen(url) as answer:  # noqa: S310
        return json.load(answer)


def liquidated(url: str, now_ms: int) -> float:
    """Return the notional closed by force in the last minute, or by a slice sold its price."""
    found, cursor = 0.0, ""
    while True:
        page = ask(f"{url}/v1/liquidations?limit=500{cursor}")
        new = [step for step in page["items"] if step["time_ms"] > now_ms - MINUTE_MS]
        found += sum(float(step["value"]) for step in new if step["event"] in CLOSING)
        if len(new) < len(page["items"]) or page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


def watch(url: str, page: Any, end_ms: int) -> None:
    """Take a screenshot of each minute that is worse than all before it."""
    most, now_ms = 0.0, 0
    while now_ms < end_ms:
        page.wait_for_timeout(LOOK_MS)
        now_ms = ask(f"{url}/v1/venue")["time_ms"]
        value = liquidated(url, now_ms)
        if value > most:
            most = value
            page.screenshot(path=PICTURE)
            sys.stderr.write(f"{now_ms}: {most:,.0f}\n")


def take(url: str, hours: float) -> None:
    """Open the overview in a browser, and watch it."""
    start_ms = ask(f"{url}/v1/venue")["source"]["start_ms"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(
            viewport={"width": 1440, "height": 900}, device_scale_factor=1.5, color_scheme="dark"
        )
        page.goto(url)
        watch(url, page, start_ms + int(hours * HOUR_MS))
        browser.close()


def main() -> None:
    """Serve the demo and take the picture."""
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 24.0
    command = [sys.executable, "-c", RUN, "serve", "--replay", "demo", "--port", "0", "--json"]
    with subprocess.Popen(  # noqa: S603 - our own program
        [*command, "--speed", str(SPEED)], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        try:
            take(json.loads(running.stdout.readline())["url"], hours)
        finally:
            running.terminate()


if __name__ == "__main__":
    main()
