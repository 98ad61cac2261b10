"""The two clients are one text but for what makes one of them wait without blocking."""

import re

from tests.architecture.test_tidy import ROOT

CLIENT = ROOT / "src" / "ringfence" / "client"
# In the asynchronous client, and what stands for it in the other one.
SYNCHRONOUS = {
    r"\bThe asynchronous client": "The synchronous client",
    r"\basyncio\b": "time",
    r"\basync def __aenter__": "def __enter__",
    r"\basync def __aexit__": "def __exit__",
    r"\basync def ": "def ",
    r"\bawait ": "",
    r"\bclass AsyncClient\b": "class Client",
    r"\bhttpx\.Async": "httpx.",
    r"\.aclose\(": ".close(",
}


def test_what_one_client_does_the_other_does():
    text = (CLIENT / "asynchronous.py").read_text()
    for pattern, other in SYNCHRONOUS.items():
        text = re.sub(pattern, other, text)
    assert text == (CLIENT / "synchronous.py").read_text()
