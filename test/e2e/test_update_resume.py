"""Downloads that break and go on, and sessions that are told to stop."""

import re
import signal
import subprocess
import time

import pytest

import badserver
import rawimage
import waiting
from badserver import BadServer
from conftest import boot_of
from ports import HeldPort

GOOD = rawimage.image(bytes(300000))
LEN = len(GOOD)
# From the wish to stop to the end of the session are 0.2 s, as `make bench`
# measures; on a machine that does something else as well, still less than the
# 10 s and more after which the states end by themselves.
SOON = 5


class Serve:
    """`porta serve` with a fault, or without; on the port of another one, too,
    which nobody else can have got since."""

    def __init__(self, porta, www, certs, *extra, like=None):
        self.held = like.held if like else HeldPort()
        self.port = self.held.number
        self.process = porta.start(
            "serve", www, "--port", str(self.port), "--cert-dir", certs,
            "--quiet", *extra, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self.process.stdout.readline()  # it listens
        self.ca = certs / "ca.pem"

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.process.terminate()
        self.process.communicate()


@pytest.fixture
def www(tmp_path):
    (tmp_path / "www").mkdir()
    (tmp_path / "www/fw.bin").write_bytes(GOOD)
    return tmp_path / "www"


def update(porta, flash, port, ca, *extra):
    return porta("update", flash, f"https://localhost:{port}/fw.bin",
                 "--cacert", ca, "--chip-rev", "100", "--json", *extra)


def test_goes_on(porta, flash, www, tmp_path):
    path = flash()
    certs = tmp_path / "certs"
    with Serve(porta, www, certs, "--fault", "truncate@200000") as server:
        first = update(porta, path, server.port, server.ca)
    assert first.code == 1 and first.json["bytes_received"] == 200000, first
    assert first.json["checkpoints"] > 0
    with Serve(porta, www, certs, like=server) as again:
        second = update(porta, path, again.port, again.ca).json
    assert second["result"] == "updated"
    assert second["resumed_from"] == 200000 // 4096 * 4096
    assert second["bytes_received"] == LEN - second["resumed_from"]
    assert porta.ok("explain", path, "--json").json["boot"] == "ota_1"


@pytest.mark.parametrize("changed", ["file", "flag", "slot"])
def test_starts_anew(porta, flash, www, tmp_path, changed):
    path = flash()
    certs = tmp_path / "certs"
    more = []
    with Serve(porta, www, certs, "--fault", "truncate@200000") as server:
        assert update(porta, path, server.port, server.ca).code == 1
    if changed == "file":
        (www / "fw.bin").write_bytes(rawimage.image(bytes(250000)))
    elif changed == "flag":
        more = ["--no-resume"]
    else:
        (tmp_path / "junk").write_bytes(b"junk" * 100)
        porta.ok("flash", "write", path, "ota_1", tmp_path / "junk")
    with Serve(porta, www, certs, like=server) as again:
        second = update(porta, path, again.port, again.ca, *more).json
    assert second["result"] == "updated", second
    assert second["resumed_from"] == 0
    assert second["bytes_received"] == second["image_len"]


def changed(x):
    """the connection ends after N bytes of the body, or of a file that is
    asked for in ranges; from then on there is server.next under another ETag"""
    tag, if_range = f'"{int(x.server.turned)}"', x.field("If-Range")
    asked = re.match(r"bytes=(\d+)-(\d*)", x.field("Range") or "")
    extra, turns = f"ETag: {tag}\r\n", not x.server.turned
    if asked and if_range in (None, tag):
        first, end = int(asked[1]), int(asked[2] or len(x.body)) + 1
        data = x.body[first:end]
        x.answer(data, "206 Partial Content", extra + "Content-Range: bytes "
                 f"{first}-{first + len(data) - 1}/{len(x.body)}\r\n")
        turns = turns and end >= x.number(1000)
    else:
        x.start(length=len(x.body), extra=extra)
        x.send(x.body[:x.number(1000)] if turns else x.body)
    if turns:
        x.server.turned, x.server.body = True, x.server.next
        x.close()


@pytest.mark.parametrize("ranges", [[], ["--range-size", "64K"]],
                         ids=["whole", "ranges"])
@pytest.mark.parametrize("version,retry,says", [
    ("3", "1", "updated"), ("1", "1", "not_modified"), ("3", "0", "failed")])
def test_another_file_midway(porta, pki, flash, tmp_path, monkeypatch, ranges,
                             version, retry, says):
    """A retry takes the file that the server has by then: all of it, judged
    like any. Without one the update ends."""
    path = flash()
    new = rawimage.image(bytes(150000), version=version)
    monkeypatch.setitem(badserver.MODES, "changed", changed)
    with BadServer("changed@200000", *pki.server(), GOOD) as server:
        server.next, server.turned = new, False
        ended = porta("update", path, server.url("/fw.bin"), "--cacert",
                      pki.ca, "--chip-rev", "100", "--json", "--retry", retry,
                      *ranges)
        assert server.turned
    result = ended.json
    assert result["result"] == says, ended
    assert result["retries"] == int(retry)
    assert ended.code == {"updated": 0, "not_modified": 3, "failed": 1}[says]
    boots = porta.ok("explain", path, "--json").json["boot"]
    assert boots == ("ota_1" if says == "updated" else "ota_0")
    if says == "updated":
        assert result["version"] == "3"
        assert result["image_len"] == len(new), ended
        porta.ok("flash", "read", path, "ota_1", tmp_path / "slot")
        assert (tmp_path / "slot").read_bytes()[:len(new)] == new


def is_kept(path):
    """There is something to go on with."""
    return path.exists() and "resume" in path.read_text()


def test_killed(porta, flash, www, tmp_path):
    """SIGKILL: what was kept until then is gone on with."""
    path = flash()
    certs = tmp_path / "certs"
    with Serve(porta, www, certs, "--fault", "stall@200000") as server:
        client = porta.start("update", path,
                             f"https://localhost:{server.port}/fw.bin",
                             "--cacert", server.ca, "--chip-rev", "100",
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        kept = path.with_name(path.name + ".porta")
        end = time.monotonic() + 60
        while not is_kept(kept) and time.monotonic() < end:
            time.sleep(0.01)
        client.kill()
        client.wait()
    assert is_kept(kept)
    with Serve(porta, www, certs, like=server) as again:
        second = update(porta, path, again.port, again.ca).json
    assert second["result"] == "updated", second
    assert second["resumed_from"] >= 65536


@pytest.mark.parametrize("state", waiting.STATES)
def test_interrupted(porta, pki, flash, state):
    """SIGINT ends the session at once, wherever it waits."""
    path = flash()
    before = boot_of(porta, path)
    with waiting.STATES[state](*pki.server(), GOOD) as (url, args, env,
                                                        reached):
        client = porta.start("update", path, url, "--cacert", pki.ca,
                             "--chip-rev", "100", *args, env=env,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        waiting.until(reached, client)
        start = time.monotonic()
        client.send_signal(signal.SIGINT)
        _, err = client.communicate(timeout=20)
        took = time.monotonic() - start
    assert client.returncode == 1 and "interrupted" in err, err
    assert took < SOON, took
    assert boot_of(porta, path) == before


def test_a_name_that_nobody_answers_for(porta, pki, flash):
    """Names are looked up within the time for a connection."""
    with waiting.resolve(None, None, None) as (url, args, env, reached):
        ended = porta("update", flash(), url, "--cacert", pki.ca, "--json",
                      "--connect-timeout", "0.5", *args, env=env)
        assert reached()
    assert ended.code == 1, ended
    error = ended.json["error"]
    assert error["stage"] == "resolve" and "0.5 s" in error["message"], ended
    assert 400 < ended.json["elapsed_ms"] < 15000
    assert ended.json["heap_left"] == 0
