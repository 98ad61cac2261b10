"""Finds a Chromium for the browser tests; run as a program, it installs one where it may.

    python -m tests.browser.chromium

Debian's package is used: Playwright's own download is not. Where there is none and none can be
installed, the tests are skipped, except in CI.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def found() -> str | None:
    """Path of a Chromium, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def install() -> None:
    """Install Debian's Chromium, where there is none and this is root on Debian."""
    apt = shutil.which("apt-get")
    if found() or apt is None or os.geteuid() != 0:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update", "-qq"], ["install", "-qq", "-y", "chromium"]):
        if subprocess.run([apt, *step], env=environment, check=False).returncode != 0:
            sys.stderr.write("Chromium could not be installed; the browser tests are skipped\n")
            return


if __name__ == "__main__":
    install()
