"""The wire misbehaves: what the caller gets (code and stage), how many bytes
the slot holds afterwards, and that every byte of heap came back.

A row: how the server misbehaves, name of the error, stage, bytes that the slot
may hold ("none": not a sector was written; "some": whole sectors, and nothing
that boots; "all": the image). test_bad_server.py has the words of each
sentence; this table has the numbers."""

import json
import resource
import subprocess

import pytest

import rawimage
from badserver import BadServer
from conftest import boot_of
from waiting import soon

GOOD = rawimage.image()
LEN = len(GOOD)

ROWS = [
    ("ok", None, None, "all"),
    ("truncate@1000", "ESP_ERR_HTTP_INCOMPLETE_DATA", "download", "none"),
    ("truncate@20000", "ESP_ERR_HTTP_INCOMPLETE_DATA", "download", "some"),
    ("stall@20000", "ESP_ERR_TIMEOUT", "download", "some"),
    ("trickle@200", "ESP_ERR_TIMEOUT", "download", "none"),
    ("reset@20000", "ESP_ERR_HTTP_INCOMPLETE_DATA", "download", "some"),
    ("oversize@100", "ESP_ERR_OTA_VALIDATE_FAILED", "image", "some"),
    ("wrong-length@100", "ESP_ERR_HTTP_INCOMPLETE_DATA", "download", "some"),
    ("short-length@100", "ESP_ERR_OTA_VALIDATE_FAILED", "image", "none"),
    ("status@206", None, "http", "none"),
    ("chunk-overflow", None, "download", "none"),
    ("chunk-cut", "ESP_ERR_HTTP_INCOMPLETE_DATA", "download", "some"),
    ("endless-headers", "ESP_ERR_HTTP_FETCH_HEADER", "http", "none"),
    ("endless-interim", "ESP_ERR_HTTP_FETCH_HEADER", "http", "none"),
    ("nul", "ESP_ERR_HTTP_FETCH_HEADER", "http", "none"),
    ("bare-cr", "ESP_ERR_HTTP_FETCH_HEADER", "http", "none"),
    ("garbage", "ESP_ERR_HTTP_FETCH_HEADER", "http", "none"),
    ("smuggle", "ESP_ERR_HTTP_FETCH_HEADER", "http", "none"),
    ("redirect-nowhere", "ESP_ERR_INVALID_ARG", "http", "none"),
    ("redirect@/fw.bin", None, "http", "none"),
    ("redirect@file:///etc/passwd", "ESP_ERR_INVALID_ARG", "http", "none"),
    ("redirect@https://localhost:PORT/target", None, None, "all"),
    ("silent", "ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT", "tls", "none"),
    ("not-tls", None, "tls", "none"),
    ("alert@48", None, "tls", "none"),
]


def slot_bytes(porta, flash, tmp_path):
    """The slot without the erased bytes at its end."""
    porta.ok("flash", "read", flash, "ota_1", tmp_path / "slot")
    return (tmp_path / "slot").read_bytes().rstrip(b"\xff")


def check_slot(slot, held):
    if held == "none":
        assert slot == b""
    elif held == "all":
        assert slot == GOOD.rstrip(b"\xff")
    else:
        # The first bytes, which make an image of it, are held back.
        assert slot[:16] == b"\xff" * 16
        assert slot[16:] == GOOD[16:len(slot)]


def update(porta, flash, url, ca, *extra):
    return porta("update", flash, url, "--cacert", ca, "--chip-rev", "100",
                 "--json", *extra)


def check_end(ended, name, stage):
    told = ended.json
    assert told["heap_left"] == 0, told
    if stage is None:
        assert ended.code == 0 and told["error"] is None, ended
        return
    assert ended.code == 1, ended
    assert told["error"]["stage"] == stage, ended
    assert name is None or told["error"]["name"] == name, ended
    assert told["result"] == "failed" and told["sha256"] is None
    assert told["host"] == "localhost"


@pytest.mark.parametrize("mode,name,stage,held", ROWS,
                         ids=[row[0] for row in ROWS])
def test_row(porta, pki, flash, tmp_path, mode, name, stage, held):
    path = flash()
    before = boot_of(porta, path)
    cert, key = pki.server()
    with BadServer(mode, cert, key, GOOD) as server:
        ended = update(porta, path, server.url("/fw.bin"), pki.ca,
                       *soon(mode))
    check_end(ended, name, stage)
    check_slot(slot_bytes(porta, path, tmp_path), held)
    if stage:
        assert boot_of(porta, path) == before


# The kinds that the development server has, too, and how it calls them.
# wrong-length is short-length there: it announces too few.
SERVED = [
    (None, None, None, "all"),
    ("truncate@1000", "ESP_ERR_HTTP_INCOMPLETE_DATA", "download", "none"),
    ("truncate@20000", "ESP_ERR_HTTP_INCOMPLETE_DATA", "download", "some"),
    ("stall@20000", "ESP_ERR_TIMEOUT", "download", "some"),
    ("trickle@20000", "ESP_ERR_TIMEOUT", "download", "some"),
    ("reset@20000", "ESP_ERR_HTTP_INCOMPLETE_DATA", "download", "some"),
    ("oversize@100", "ESP_ERR_OTA_VALIDATE_FAILED", "image", "some"),
    ("wrong-length@100", "ESP_ERR_OTA_VALIDATE_FAILED", "image", "none"),
    ("status=500", "ESP_FAIL", "http", "none"),
    ("range-ignored", None, None, "all"),
]


@pytest.mark.parametrize("fault,name,stage,held", SERVED,
                         ids=[str(row[0]) for row in SERVED])
def test_row_of_the_development_server(porta, flash, tmp_path, fault, name,
                                       stage, held):
    path = flash()
    before = boot_of(porta, path)
    (tmp_path / "www").mkdir()
    (tmp_path / "www/fw.bin").write_bytes(GOOD)
    server = porta.start("serve", tmp_path / "www", "--port", "0", "--quiet",
                         "--cert-dir", tmp_path / "certs",
                         *(["--fault", fault] if fault else []),
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        url = server.stdout.readline().strip() + "fw.bin"
        ended = update(porta, path, url, tmp_path / "certs/ca.pem",
                       *soon(fault or ""))
    finally:
        server.terminate()
        server.communicate()
    check_end(ended, name, stage)
    check_slot(slot_bytes(porta, path, tmp_path), held)
    if stage:
        assert boot_of(porta, path) == before


@pytest.mark.parametrize("mode,name", [
    ("range-ignored", None), ("range-wrong@16", "ESP_ERR_INVALID_RESPONSE")])
def test_ranges(porta, pki, flash, tmp_path, mode, name):
    path = flash()
    cert, key = pki.server()
    with BadServer(mode, cert, key, GOOD) as server:
        ended = update(porta, path, server.url("/fw.bin"), pki.ca,
                       "--range-size", "8192")
    assert ended.json["heap_left"] == 0
    if name is None:
        assert ended.code == 0, ended
    else:
        assert ended.code == 1 and slot_bytes(porta, path, tmp_path)[:1] in (
            b"", b"\xff"), ended


def test_alert_in_words(porta, pki, flash):
    cert, key = pki.server()
    with BadServer("alert@48", cert, key, GOOD) as server:
        ended = update(porta, flash(), server.url("/fw.bin"), pki.ca)
    assert ended.json["tls"]["alert"] == 48
    assert ended.json["tls"]["alert_name"] == "unknown CA"


@pytest.mark.parametrize("mode,stage", [
    ("slam", "tls"), ("close", "http"), ("silent", "tls"), ("mute", "http"),
    ("busy@0", "http")])
def test_what_may_pass_is_tried_again(porta, pki, flash, mode, stage):
    """As often as allowed, and then said as ever."""
    cert, key = pki.server()
    with BadServer(mode, cert, key, GOOD) as server:
        ended = update(porta, flash(), server.url("/fw.bin"), pki.ca,
                       "--retry", "1", *soon(mode))
        assert max(server.connections, len(server.requests)) >= 2
    assert ended.json["retries"] == 1
    check_end(ended, None, stage)


@pytest.mark.parametrize("mode", ["alert@48", "not-tls", "tls-1-1", "gzip",
                                  "status@404", "redirect-loop", "smuggle",
                                  "nul", "endless-interim"])
def test_what_will_not_pass_is_not(porta, pki, flash, mode):
    cert, key = pki.server()
    with BadServer(mode, cert, key, GOOD) as server:
        ended = update(porta, flash(), server.url("/a"), pki.ca, "--retry",
                       "5")
    assert ended.code == 1 and ended.json["retries"] == 0, ended


def test_retry_mends(porta, pki, flash):
    """What breaks is asked for again, the rest of it only."""
    cert, key = pki.server()
    with BadServer("truncate@20000", cert, key, GOOD) as server:
        ended = update(porta, flash(), server.url("/fw.bin"), pki.ca,
                       "--retry", "2")
        assert len(server.requests) >= 2
        assert "Range: bytes=20000-" in server.requests[1]
    assert ended.json["retries"] >= 1


@pytest.mark.parametrize("url,args,stage,words", [
    ("http://no-such-host.invalid/a", ["--allow-http"], "connect",
     ["Too many open files", "ulimit -n"]),
    ("http://127.0.0.1:1/a", ["--allow-http"], "connect",
     ["Too many open files", "ulimit -n"]),
    ("https://no-such-host.invalid/a", [], "file",
     ["cannot open", "Too many open files"])])
def test_no_descriptor_is_left(porta, pki, flash, url, args, stage, words):
    """The flash file takes the last one: neither the name nor the machine's
    certificates are to blame."""
    client = porta.start("update", flash(), url, "--json", *args,
                         env={"SSL_CERT_FILE": str(pki.ca)},
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         preexec_fn=lambda: resource.setrlimit(
                             resource.RLIMIT_NOFILE, (4, 4)))
    out, said = client.communicate(timeout=60)
    assert client.returncode == 1, said
    error = json.loads(out)["error"]
    assert error["stage"] == stage, error
    for word in words:
        assert word in error["message"], error
