"""A server that misbehaves in one way: what the caller is told, and that the
device is as it was. A row: how it misbehaves, stage, words of the sentence;
no stage: the update succeeds nevertheless."""

import subprocess
import sys
import time

import pytest

import badserver
import rawimage
from badserver import BadServer
from conftest import boot_of
from waiting import soon

GOOD = rawimage.image()
LEN = len(GOOD)

ROWS = [
    ("ok", None, []),
    ("chunked@1000", None, []),
    ("chunked@1", None, []),
    ("no-length", None, []),
    ("bare-close", None, []),
    ("http10", None, []),
    ("interim", None, []),
    ("long-headers@20000", None, []),
    ("redirect@/target", None, []),
    ("redirect@../x/./../target", None, []),
    ("redirect@https://localhost:PORT/target", None, []),
    ("redirect@//localhost:PORT/target", None, []),
    ("redirect-chain@3", None, []),

    ("truncate@1000", "download", [f"1000 of {LEN} bytes"]),
    ("truncate@0", "download", [f"0 of {LEN} bytes"]),
    ("reset@1000", "download", [f"1000 of {LEN} bytes"]),
    ("stall@1000", "download", ["1000"]),
    ("mute", "http", ["no answer for"]),
    ("close", "http", ["without an answer"]),
    ("oversize@100", None, None),
    ("wrong-length@100", None, None),
    ("short-length@100", None, None),
    ("html", "image", ["text/html", "Welcome to the hotel",
                       "captive portal"]),
    ("status@202", "http", ["202", "no such luck"]),
    ("status@511", "http", ["511", "captive portal", "no such luck"]),
    ("status@404", "http", ["404"]),
    ("status@403", "http", ["403"]),
    ("status@500", "http", ["500"]),
    ("status@206", None, None),
    ("redirect@http://localhost:PORT/target", "http",
     ["http://localhost", "never followed"]),
    ("redirect@file:///etc/passwd", "http", ["302", "without a Location"]),
    ("redirect@/fw.bin", "http", ["loop"]),
    ("redirect-nowhere", "http", ["without a Location"]),
    ("redirect-loop", "http", ["loop"]),
    ("redirect-chain@30", "http", ["redirect 11 (of 10 at most)"]),
    ("chunk-cut", "download", ["before the end of the body"]),
    ("chunk-overflow", "download", ["too large"]),
    ("bare-close@1000", None, None),
    ("endless-headers", "http", ["256 KiB"]),
    ("endless-interim", "http", ["17 interim answers"]),
    ("status@101", "http", ["another protocol (status 101)"]),
    ("busy@90", "http", ["503", "try later, in 90 s", "later"]),
    ("garbage", "http", ["does not begin as HTTP"]),
    ("two-lengths", "http", ["two different Content-Length"]),
    ("smuggle", "http", ["both Content-Length and Transfer-Encoding"]),
    ("nul", "http", ["NUL"]),
    ("bare-cr", "http", ["CR without its LF"]),
    ("folded", "http", ["folded"]),
    ("gzip", "http", ["compressed"]),
    ("trickle-head@50", "http", ["not complete"]),
    ("silent", "tls", ["stopped answering"]),
    ("slam", "tls", ["during the TLS handshake"]),
    ("hang-up", "tls", ["reset the connection during the TLS handshake"]),
    ("not-tls", "tls", ["not TLS"]),
    ("tls-1-1", "tls", ["no common version"]),
    ("alert@48", "tls", ["alert 48", "unknown CA"]),
]


def update(porta, path, url, ca, *extra):
    return porta("update", path, url, "--cacert", ca, "--chip-rev", "100",
                 "--json", *extra)


@pytest.mark.parametrize("mode,stage,words", ROWS, ids=[r[0] for r in ROWS])
def test_mode(porta, pki, flash, mode, stage, words):
    path = flash()
    before = boot_of(porta, path)
    cert, key = pki.server()
    with BadServer(mode, cert, key, GOOD) as server:
        ended = update(porta, path, server.url("/fw.bin"), pki.ca,
                       *soon(mode))
    if stage is None and words == []:
        assert ended.code == 0, ended
        assert porta.ok("explain", path, "--json").json["boot"] == "ota_1"
        return
    assert ended.code == 1, ended
    error = ended.json["error"]
    if stage:
        assert error["stage"] == stage, ended
    assert error["name"].startswith("ESP_"), ended
    for word in words or []:
        assert word.lower() in error["message"].lower(), ended
    assert boot_of(porta, path) == before


def test_trickle_ends(porta, pki, flash):
    """A byte now and then is no silence: the session's own time ends it."""
    path = flash()
    before = boot_of(porta, path)
    cert, key = pki.server()
    with BadServer("trickle@50", cert, key, GOOD) as server:
        start = time.monotonic()
        ended = update(porta, path, server.url("/fw.bin"), pki.ca,
                       "--max-time", "2")
    assert time.monotonic() - start < 20
    assert ended.code == 1, ended
    assert boot_of(porta, path) == before


@pytest.mark.parametrize("mode,works", [
    ("ok", True), ("range-ignored", True), ("range-wrong@16", False)])
def test_ranges(porta, pki, flash, mode, works):
    path = flash()
    before = boot_of(porta, path)
    cert, key = pki.server()
    with BadServer(mode, cert, key, GOOD) as server:
        ended = update(porta, path, server.url("/fw.bin"), pki.ca,
                       "--range-size", "8192")
        handshakes = server.handshakes
    assert ended.code == (0 if works else 1), ended
    if works:
        assert handshakes == 1
        assert ended.json["handshakes"] == 1
    else:
        assert boot_of(porta, path) == before


@pytest.mark.parametrize("mode,words", [
    ("part-empty", "ended after 0 of the 8192 bytes"),
    ("part-closed", "ended after 0 of the 8192 bytes"),
    ("part-excess@1", "more bytes than the Content-Range"),
    ("part-drip@600", "too slow"),
])
def test_bad_parts(porta, pki, flash, mode, words):
    """No server keeps a device asking: each answer brings what it announces,
    and the waits for them count."""
    path = flash()
    before = boot_of(porta, path)
    cert, key = pki.server()
    with BadServer(mode, cert, key, GOOD) as server:
        ended = update(porta, path, server.url("/fw.bin"), pki.ca,
                       "--range-size", "8192", "--stall-timeout", "3")
        asked = len(server.requests)
    assert ended.code == 1, ended
    assert ended.json["error"]["stage"] == "download", ended
    assert words in ended.json["error"]["message"], ended
    assert ended.json["heap_left"] == 0
    assert asked < 10
    assert boot_of(porta, path) == before


@pytest.mark.parametrize("secret,query,args", [
    ("t0psecret", "", ["--bearer", "t0psecret"]),
    ("dTp0MHBzZWNyZXQ=", "", ["--user", "u:t0psecret"]),
    ("t0psecret", "", ["--secret-header", "X-Plain: t0psecret"]),
    ("s1d0s1d0", "", ["-H", "Cookie: id=s1d0s1d0; lang=en"]),
    ("t0psecret", "?v=1&token=t0psecret", []),
])
@pytest.mark.parametrize("mode", ["echo@404", "echo@200"])
def test_echo(porta, pki, flash, mode, secret, query, args):
    """A page that repeats the request does not bring its secrets into the
    messages; one that repeats nothing secret is still quoted."""
    path = flash()
    cert, key = pki.server()
    with BadServer(mode, cert, key) as server:
        plain = update(porta, path, server.url("/fw.bin"), pki.ca)
        ended = update(porta, path, server.url("/fw.bin" + query), pki.ca,
                       *args)
        assert secret in server.requests[-1]
    assert ended.code == plain.code == 1, ended
    assert secret[:6] not in ended.err + ended.out, ended
    assert "porta" in plain.json["error"]["message"], plain


def test_no_secret_goes_elsewhere(porta, pki, flash):
    """Neither the bearer token nor the credentials of the URL, over a
    redirect to another port, nor into the messages."""
    path = flash()
    cert, key = pki.server()
    with BadServer("ok", cert, key, GOOD) as target, \
            BadServer(f"redirect@https://localhost:{target.port}/target",
                      cert, key) as first:
        ended = update(porta, path, first.url("/fw.bin"), pki.ca,
                       "--bearer", "t0psecret", "-H", "PRIVATE-TOKEN: s3cret")
        assert "Authorization: Bearer t0psecret" in first.requests[0]
        assert "PRIVATE-TOKEN: s3cret" in first.requests[0]
        assert target.requests, ended
        for request in target.requests:
            assert "s3cret" not in request and "t0psecret" not in request
    assert ended.code == 0, ended
    assert "s3cret" not in ended.err + ended.out
    assert "t0psecret" not in ended.err + ended.out


def test_trust_is_checked_again(porta, pki, flash):
    """The host that a redirect leads to is verified like the first."""
    path = flash()
    cert, key = pki.server()
    strange, strange_key = pki.other_ca().server()
    with BadServer("ok", strange, strange_key, GOOD) as target, \
            BadServer(f"redirect@https://localhost:{target.port}/target",
                      cert, key) as first:
        ended = update(porta, path, first.url("/fw.bin"), pki.ca)
        assert target.requests == []
    assert ended.code == 1, ended
    assert ended.json["error"]["stage"] == "tls"
    assert "unknown issuer" in ended.json["error"]["message"]
    assert str(target.port) in ended.json["error"]["message"]


def test_command_line(pki, tmp_path):
    """The server by itself: its port is its first line."""
    body = tmp_path / "body"
    body.write_bytes(b"body")
    with subprocess.Popen([sys.executable, badserver.__file__, "status@418",
                           "--body", body], stdout=subprocess.PIPE,
                          text=True) as process:
        port = int(process.stdout.readline())
        import http.client
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        asked.request("GET", "/")
        assert asked.getresponse().status == 418
        asked.close()
        process.kill()
