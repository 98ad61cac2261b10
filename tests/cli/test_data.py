"""`ringfence data`: the catalogue, and downloads that arrive whole or not at all."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ringfence.lab.datasets import DATASETS

CONTENT = b"time,price\n1,2\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = DATASETS[0].name


@pytest.fixture
def mirror():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, *_arguments):
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/file.csv"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_catalogue_is_listed_with_licences(run):
    listed = run("data", "list", "--json").json
    assert [entry["name"] for entry in listed] == [dataset.name for dataset in DATASETS]
    assert all(entry["licence"] for entry in listed)
    text = run("data", "list").out
    assert all(dataset.name in text for dataset in DATASETS)


def test_a_file_comes_from_a_mirror_by_its_digest(run, mirror, tmp_path):
    options = ("--folder", tmp_path, "--url", mirror, "--sha256", DIGEST)
    answer = run("data", "get", NAME, *options, "--json")
    assert answer.code == 0
    assert (answer.json["sha256"], answer.json["size"]) == (DIGEST, len(CONTENT))
    assert DATASETS[0].licence in answer.err
    (file,) = tmp_path.iterdir()
    assert (str(file), file.read_bytes()) == (answer.json["path"], CONTENT)


def test_another_digest_leaves_nothing(run, mirror, tmp_path):
    options = ("--folder", tmp_path, "--url", mirror, "--sha256", "00" * 32)
    answer = run("data", "get", NAME, *options)
    assert (answer.code, answer.out) == (2, "")
    assert DIGEST in answer.err
    assert list(tmp_path.iterdir()) == []


def test_a_name_or_a_digest_that_is_missing_is_wrong_usage(run, tmp_path):
    assert NAME in run("data", "get", "gold", "--folder", tmp_path).err
    answer = run("data", "get", NAME, "--folder", tmp_path)
    assert answer.code == 2
    assert "--accept-digest" in answer.err
