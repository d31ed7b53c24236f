"""Each option of `porta update` does what its line in the help says."""

import os
import re
import subprocess
import time

import pytest

import nginx
import rawimage

pytestmark = pytest.mark.skipif(not nginx.find(),
                                reason="nginx is not installed")

GOOD = rawimage.image(bytes(200000))


@pytest.fixture(scope="module")
def site(pki, tmp_path_factory):
    www = tmp_path_factory.mktemp("www")
    (www / "good.bin").write_bytes(GOOD)
    (www / "other.bin").write_bytes(rawimage.image(project="other"))
    cert, key = pki.server(hosts=("localhost", "127.0.0.1",
                                  "firmware.example"))
    with nginx.Nginx(www, cert, key, extra="""
            location = /bearer { if ($http_authorization != "Bearer t0k")
                { return 401; } rewrite ^ /good.bin last; }
            location = /header { if ($http_x_key != "k 1")
                { return 403; } rewrite ^ /good.bin last; }
            """) as server:
        yield server


def update(porta, path, url, pki, *args):
    return porta("update", path, url, "--cacert", pki.ca, "--json", *args)


def ok(*args):
    ended = update(*args)
    assert ended.code == 0, ended
    assert ended.json["result"] == "updated" and not ended.json["error"]
    return ended.json


def slot(porta, path, label, tmp_path):
    porta.ok("flash", "read", path, label, tmp_path / "slot")
    return (tmp_path / "slot").read_bytes()[:len(GOOD)]


def test_the_result_is_complete(porta, pki, site, flash, tmp_path):
    path = flash()
    said = ok(porta, path, site.url("good.bin"), pki)
    assert said["slot"] == "ota_1" and said["version"] == "2"
    assert said["image_len"] == said["bytes_received"] == len(GOOD)
    assert said["resumed_from"] == 0 and said["http_status"] == 200
    assert said["sha256"] == GOOD[-32:].hex()
    assert said["elapsed_ms"] >= 0
    assert slot(porta, path, "ota_1", tmp_path) == GOOD


def test_resolve(porta, pki, site, flash):
    port = site.url("").rstrip("/").rsplit(":", 1)[1]
    url = f"https://firmware.example:{port}/good.bin"
    ok(porta, flash(), url, pki, "--resolve",
       f"firmware.example:{port}:127.0.0.1")


def test_bearer_and_header(porta, pki, site, flash, tmp_path):
    (tmp_path / "token").write_text("t0k\n")
    assert update(porta, flash(), site.url("bearer"), pki).code == 1
    said = update(porta, flash(), site.url("bearer"), pki, "--bearer",
                  f"@{tmp_path}/token")
    assert said.code == 0 and "t0k" not in said.out + said.err, said
    ok(porta, flash(), site.url("header"), pki, "-H", "X-Key: k 1")


@pytest.mark.parametrize("args,requests", [
    (["--range-size", "50000"], 5), (["--bulk-erase"], 1),
    (["--tls-max", "1.2"], 1), (["--connect-timeout", "5"], 1),
    (["--retry", "2"], 1), (["--max-time", "20"], 1)])
def test_ways_to_the_same_slot(porta, pki, site, flash, tmp_path, args,
                               requests):
    path = flash()
    said = ok(porta, path, site.url("good.bin"), pki, *args)
    assert said["requests"] == requests and said["handshakes"] == 1
    assert slot(porta, path, "ota_1", tmp_path) == GOOD


def test_slot(porta, pki, site, flash, tmp_path):
    path = flash()
    said = ok(porta, path, site.url("good.bin"), pki, "--slot", "ota_1")
    assert said["slot"] == "ota_1"
    ended = update(porta, flash(), site.url("good.bin"), pki, "--slot",
                   "nope")
    assert ended.code == 1 and "nope" in ended.err and "ota_1" in ended.err


def test_final_receives_a_copy(porta, pki, site, flash, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("otadata, data, ota, , 0x2000\n" + "".join(
        f"ota_{i}, app, ota_{i}, , 0x80000\n" for i in range(3)))
    path = flash(table=table)
    ok(porta, path, site.url("good.bin"), pki, "--slot", "ota_1", "--final",
       "ota_2")
    assert slot(porta, path, "ota_2", tmp_path) == GOOD
    assert porta.ok("explain", path, "--json").json["boot"] == "ota_2"


@pytest.mark.parametrize("args", [["--slot", "nvs"], ["--slot", "otadata"],
                                  ["--final", "phy_init"]])
def test_what_holds_no_program_is_no_slot(porta, flash, args):
    path = flash()
    before = path.read_bytes()
    # Before anybody is asked: nothing listens there.
    ended = porta("update", path, "https://localhost:1/x", "--cacert",
                  os.devnull, *args)
    assert ended.code == 2 and "holds no program" in ended.err, ended
    assert path.read_bytes() == before


def test_same_version_is_the_same_project_too(porta, pki, site, flash,
                                              image):
    path = flash(app=image(version="2"))
    ended = update(porta, path, site.url("good.bin"), pki)
    assert ended.code == 3 and ended.json["result"] == "not_modified"
    ok(porta, path, site.url("other.bin"), pki)


def test_max_time_ends_a_slow_download(porta, pki, flash, tmp_path):
    (tmp_path / "www").mkdir()
    (tmp_path / "www/good.bin").write_bytes(GOOD)
    server = porta.start("serve", tmp_path / "www", "--port", "0",
                         "--cert-dir", tmp_path / "certs", "--throttle",
                         "20K", "--quiet", stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    try:
        url = server.stdout.readline().strip()
        before = time.monotonic()
        ended = porta("update", flash(), url + "good.bin", "--cacert",
                      tmp_path / "certs/ca.pem", "--max-time", "0.5")
        assert ended.code == 1 and "0.5 s" in ended.err, ended
        assert time.monotonic() - before < 8
    finally:
        server.terminate()
        server.communicate()


def test_interrupted_in_order(porta, pki, flash, tmp_path):
    (tmp_path / "www").mkdir()
    (tmp_path / "www/good.bin").write_bytes(GOOD)
    path = flash()
    server = porta.start("serve", tmp_path / "www", "--port", "0",
                         "--cert-dir", tmp_path / "certs", "--throttle",
                         "20K", stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    try:
        url = server.stdout.readline().strip()
        client = porta.start("update", path, url + "good.bin", "--cacert",
                             tmp_path / "certs/ca.pem",
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert any("GET" in line for line in server.stderr)
        client.terminate()
        _, err = client.communicate(timeout=20)
        assert client.returncode == 1 and "interrupted" in err, err
    finally:
        server.terminate()
        server.communicate()
    assert porta.ok("explain", path, "--json").json["boot"] == "ota_0"


@pytest.mark.parametrize("args", [
    ["--tls-max", "1.1"], ["--cert", "x"], ["-H", "nocolon"],
    ["--user", "a:b", "--bearer", "t"], ["--connect-timeout", "soon"],
    ["--range-size", "x"], ["--psk", "a:0"], ["--decrypt"],
    ["--chip", "esp99"], ["--chip-rev", "99999999"]])
def test_wrong_command_lines(porta, flash, args):
    ended = porta("update", flash(), "https://localhost:1/x", *args)
    assert ended.code == 2, ended


def test_a_url_that_is_none(porta, flash):
    ended = porta("update", flash(), "localhost/x")
    assert ended.code == 2 and "https://" in ended.err, ended


def test_a_flash_and_a_link_that_take_their_time(porta, pki, site, flash,
                                                 tmp_path):
    """The slot is written by a thread of its own, with the same operations,
    and 16 KB more memory at the most."""
    path = flash()
    quick = ok(porta, path, site.url("good.bin"), pki)
    path = flash()
    slow = ok(porta, path, site.url("good.bin"), pki, "--erase-us", "2000",
              "--page-us", "100", "--link-rate", "4M")
    assert slot(porta, path, "ota_1", tmp_path) == GOOD
    assert (slow["erases"], slow["programs"]) == (quick["erases"],
                                                  quick["programs"])
    more = slow["heap_peak"] - quick["heap_peak"]
    assert 3 * 4096 <= more <= 16384
    # 49 sectors of 2 ms and 782 pages of 0.1 ms: less cannot be.
    assert slow["elapsed_ms"] >= 49 * 2 + 78
    assert slow["heap_left"] == 0


def test_progress_is_lines_elsewhere(porta, pki, flash, tmp_path):
    """A line every few seconds, on standard error only."""
    (tmp_path / "www").mkdir()
    (tmp_path / "www/good.bin").write_bytes(GOOD)
    server = porta.start("serve", tmp_path / "www", "--port", "0",
                         "--cert-dir", tmp_path / "certs", "--throttle",
                         "50K", stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    try:
        url = server.stdout.readline().strip()
        ended = porta("update", flash(), url + "good.bin", "--cacert",
                      tmp_path / "certs/ca.pem", "--json")
    finally:
        server.terminate()
        server.communicate()
    assert ended.code == 0 and ended.json["result"] == "updated"
    assert re.search(r"download +\d+% [\d,]+ of 200,3\d\d bytes, \d+ KB/s, "
                     r"\d+ s left\n", ended.err), ended
    assert "\r" not in ended.err
