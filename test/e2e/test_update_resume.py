"""Downloads that break and go on, and sessions that are told to stop."""

import signal
import subprocess
import time

import pytest

import rawimage
import waiting
from conftest import boot_of

GOOD = rawimage.image(bytes(300000))
LEN = len(GOOD)
SOON = 0.2  # seconds from the wish to stop to the end of the session


class Serve:
    """`porta serve` with a fault, or without."""

    def __init__(self, porta, www, certs, *extra):
        self.process = porta.start(
            "serve", www, "--port", "0", "--cert-dir", certs, "--quiet",
            *extra, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.port = self.process.stdout.readline().strip().rsplit(":", 1)[1]
        self.port = self.port.rstrip("/")
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
    """The address stays the same although the server's port does not."""
    return porta("update", flash, f"https://localhost:{port}/fw.bin",
                 "--cacert", ca, "--chip-rev", "100", "--json", *extra)


def test_goes_on(porta, flash, www, tmp_path):
    path = flash()
    certs = tmp_path / "certs"
    with Serve(porta, www, certs, "--fault", "truncate@200000") as server:
        first = update(porta, path, server.port, server.ca)
        port = server.port
    assert first.code == 1 and first.json["bytes_received"] == 200000, first
    assert first.json["checkpoints"] > 0
    with Serve(porta, www, certs, "--port", port) as server:
        second = update(porta, path, port, server.ca).json
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
        port = server.port
    if changed == "file":
        (www / "fw.bin").write_bytes(rawimage.image(bytes(250000)))
    elif changed == "flag":
        more = ["--no-resume"]
    else:
        (tmp_path / "junk").write_bytes(b"junk" * 100)
        porta.ok("flash", "write", path, "ota_1", tmp_path / "junk")
    with Serve(porta, www, certs, "--port", port) as server:
        second = update(porta, path, port, server.ca, *more).json
    assert second["result"] == "updated", second
    assert second["resumed_from"] == 0
    assert second["bytes_received"] == second["image_len"]


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
        end = time.monotonic() + 20
        while not kept.exists() and time.monotonic() < end:
            time.sleep(0.01)
        client.kill()
        client.wait()
        port = server.port
    assert kept.exists()
    with Serve(porta, www, certs, "--port", port) as server:
        second = update(porta, path, port, server.ca).json
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
    assert took < SOON + 1.0, took  # a loaded machine schedules late
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
