"""A download leaves the whole right file, or nothing."""

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ringfence.lab import datasets
from ringfence.lab.datasets import DATASETS, DatasetError, find, get

BODY = b"ts,close\n1610323200,100.5\n" * 5000
DIGEST = hashlib.sha256(BODY).hexdigest()
NAME = "eth-daily-2023-2025"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/absent":
            self.send_error(404)
            return
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "ftp://127.0.0.1/file")
            self.end_headers()
            return
        self.send_response(200)
        if self.path != "/unsized":
            self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        if self.path == "/cut":
            self.wfile.write(BODY[:1000])
        elif self.path == "/slow":
            self.wfile.write(BODY[:1000])
            self.wfile.flush()
            self.server.released.wait(30)
        else:
            self.wfile.write(BODY)

    def log_message(self, *args):
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.released = threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_arrives_whole_with_its_licence_told(address, tmp_path):
    lines = []
    found = get(
        NAME, tmp_path / "new", url=f"{address}/ok", sha256=DIGEST.upper(), progress=lines.append
    )
    assert found.path == tmp_path / "new" / f"{NAME}.csv"
    assert found.path.read_bytes() == BODY
    assert (found.sha256, found.size, found.licence) == (DIGEST, len(BODY), "MIT")
    assert any("licence: MIT" in line for line in lines)
    assert lines[-1] == f"sha256: {DIGEST}"
    assert [path.name for path in found.path.parent.iterdir()] == [f"{NAME}.csv"]


def test_a_file_without_a_stated_length_is_judged_by_its_digest(address, tmp_path):
    assert get(NAME, tmp_path, url=f"{address}/unsized", sha256=DIGEST).size == len(BODY)


@pytest.mark.parametrize(
    ("path", "digest", "message"),
    [
        ("/ok", "0" * 64, f"sha256 is {DIGEST}, not 0000"),
        ("/cut", DIGEST, f"1000 of {len(BODY)} bytes"),
        ("/absent", DIGEST, "404"),
        ("/away", DIGEST, "ftp"),
    ],
)
def test_what_is_wrong_leaves_nothing_behind(address, tmp_path, path, digest, message):
    with pytest.raises(DatasetError, match=message):
        get(NAME, tmp_path, url=address + path, sha256=digest)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_falls_silent_is_given_up(address, tmp_path):
    with pytest.raises(DatasetError, match="timed out"):
        get(NAME, tmp_path, url=f"{address}/slow", sha256=DIGEST, timeout_seconds=0.2)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_drips_is_given_up_too(address, tmp_path, monkeypatch):
    clock = iter([0.0, 601.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock, 601.0))
    with pytest.raises(DatasetError, match="not done within 600 s"):
        get(NAME, tmp_path, url=f"{address}/unsized", sha256=DIGEST)
    assert list(tmp_path.iterdir()) == []


def test_more_bytes_than_allowed_are_not_kept(address, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "_SIZE_MAX", 1000)
    with pytest.raises(DatasetError, match="more than 1000 bytes"):
        get(NAME, tmp_path, url=f"{address}/unsized", sha256=DIGEST)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_digest_needs_a_word_and_is_then_told(address, tmp_path, monkeypatch):
    with pytest.raises(DatasetError, match="no SHA-256 is recorded"):
        get(NAME, tmp_path)
    with pytest.raises(DatasetError, match="without a mirror"):
        get(NAME, tmp_path, url=f"{address}/ok", accept_digest=True)
    local = datasets.msgspec.structs.replace(find(NAME), url=f"{address}/ok", size=len(BODY))
    monkeypatch.setattr(datasets, "DATASETS", (local,))
    lines = []
    assert get(NAME, tmp_path, accept_digest=True, progress=lines.append).sha256 == DIGEST
    assert lines[-1] == f"sha256: {DIGEST} (accepted unseen, as you asked)"


def test_another_size_than_the_catalogues_is_refused(address, tmp_path, monkeypatch):
    local = datasets.msgspec.structs.replace(find(NAME), url=f"{address}/ok", size=len(BODY) + 1)
    monkeypatch.setattr(datasets, "DATASETS", (local,))
    with pytest.raises(DatasetError, match=f"{len(BODY)} bytes, but the catalogue says"):
        get(NAME, tmp_path, accept_digest=True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_kept_and_never_overwritten(tmp_path):
    (tmp_path / f"{NAME}.csv").write_bytes(BODY)
    assert get(NAME, tmp_path, sha256=DIGEST).size == len(BODY)
    with pytest.raises(DatasetError, match="move it away"):
        get(NAME, tmp_path, sha256="1" * 64)
    assert (tmp_path / f"{NAME}.csv").read_bytes() == BODY


@pytest.mark.parametrize("address", ["file:///etc/hostname", "http://example.org/x", "ftp://x/y"])
def test_only_https_is_fetched(address, tmp_path):
    with pytest.raises(DatasetError, match="only https"):
        get(NAME, tmp_path, url=address, sha256=DIGEST)


def test_a_redirect_never_leads_away_from_https():
    handler = datasets._CarefulRedirect()
    request = datasets.urllib.request.Request("https://example.org/x")
    with pytest.raises(DatasetError, match="from https to http://localhost/x"):
        handler.redirect_request(request, None, 302, "Found", {}, "http://localhost/x")
    followed = handler.redirect_request(request, None, 302, "Found", {}, "https://example.net/y")
    assert followed.full_url == "https://example.net/y"


def test_a_wrong_name_and_a_wrong_digest_are_told(tmp_path):
    with pytest.raises(DatasetError, match=f"no dataset 'gold'; there are: .*{NAME}"):
        find("gold")
    with pytest.raises(DatasetError, match="64 hexadecimal digits"):
        get(NAME, tmp_path, sha256="abc")


def test_every_entry_names_its_commit_its_licence_and_an_https_address():
    assert len({dataset.name for dataset in DATASETS}) == len(DATASETS) > 0
    for dataset in DATASETS:
        commit = dataset.source.rsplit(" ", 1)[1]
        assert dataset.url.startswith("https://")
        assert f"/{commit}" in dataset.url
        assert dataset.licence
        assert dataset.symbol
        assert dataset.filename.endswith(".csv")
