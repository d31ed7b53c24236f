"""Whatever is wrong, an update ends with one sentence and changes nothing
that boots. A row is a claim, what the server sends, what must be said."""

import os
import subprocess

import pytest

import nginx
import rawimage
from conftest import boot_of
from ports import HeldPort

pytestmark = pytest.mark.skipif(not nginx.find(),
                                reason="nginx is not installed")

GOOD = rawimage.image()
BODIES = [
    ("a body cut short", GOOD[:-100], "image"),
    ("a body cut in its header", GOOD[:10], "image"),
    ("an empty body", b"", "image"),
    ("bytes after the end of the image", GOOD + b"x" * 100, "100"),
    ("a page of HTML", b"<html><body>Please log in</body></html>" * 50,
     "html"),
    ("a wrong magic byte", b"\x7f" + GOOD[1:], "7f 02"),
    ("too many segments", rawimage.image(segment_count=17), "17"),
    ("a segment longer than any", rawimage.image(
        lengths=[None, 0x01000000]), "segment"),
    ("a segment length that overflows", rawimage.image(
        lengths=[None, 0xFFFFFFFC]), "segment"),
    ("a segment length that is no multiple of 4", rawimage.image(
        lengths=[None, 20001]), "segment"),
    ("a first segment too short for a description", rawimage.image(
        lengths=[64, None]), "segment"),
    ("an image for another chip", rawimage.image(chip=5), "esp32c3"),
    ("an image for a newer chip", rawimage.image(min_rev=300), "3.0"),
    ("an image for an older chip", rawimage.image(max_rev=1), "0.1"),
    ("a wrong checksum", rawimage.image(checksum_flip=1), "checksum"),
    ("a wrong digest", GOOD[:-1] + bytes([GOOD[-1] ^ 1]), "SHA-256"),
    ("a flipped bit in the data", GOOD[:9000] + b"\x01" + GOOD[9001:],
     "checksum"),
    ("an image larger than the slot", rawimage.image(bytes(1800000)),
     "1740800: 59536 too many"),
]


def update(porta, flash, url, *extra, ca):
    return porta("update", flash, url, "--cacert", ca, "--json",
                 "--chip-rev", "100", *extra)


def refused(ended, word=None):
    """One sentence on standard error, the same in the JSON."""
    assert ended.code == 1, ended
    said = ended.json
    assert said["result"] == "failed", ended
    assert said.get("heap_left", 0) == 0, ended
    error = said["error"]
    assert error["stage"] and error["code"] != 0, ended
    assert error["name"].startswith("ESP_"), ended
    if word:
        assert word.lower() in error["message"].lower(), ended
    assert "password" not in ended.err and "Traceback" not in ended.err
    return said


@pytest.fixture(scope="module")
def site(pki, tmp_path_factory):
    www = tmp_path_factory.mktemp("www")
    (www / "good.bin").write_bytes(GOOD)
    for i, (_, body, _) in enumerate(BODIES):
        (www / f"{i}.bin").write_bytes(body)
    cert, key = pki.server()
    with nginx.Nginx(www, cert, key, extra="""
            location = /403 { default_type text/plain; return 403 "no entry"; }
            location = /500 { default_type text/plain; return 500 "out of order"; }
            location = /304 { return 304; }
            location = /204 { return 204; }
            """) as server:
        yield server


@pytest.mark.parametrize("index", range(len(BODIES)),
                         ids=[b[0].replace(" ", "-") for b in BODIES])
def test_bad_body(porta, pki, site, flash, index):
    _, _, word = BODIES[index]
    path = flash()
    before = boot_of(porta, path)
    refused(update(porta, path, site.url(f"{index}.bin"), ca=pki.ca), word)
    assert boot_of(porta, path) == before
    # ... and the next good one is taken, so nothing was left behind.
    assert update(porta, path, site.url("good.bin"), ca=pki.ca).code == 0
    assert boot_of(porta, path)[0] == "ota_1"


@pytest.mark.parametrize("status,text", [
    ("403", "no entry"), ("404", ""), ("500", "out of order")])
def test_status_is_an_error_with_its_code(porta, pki, site, flash, status,
                                          text):
    path = flash()
    before = boot_of(porta, path)
    said = refused(update(porta, path, site.url(status), ca=pki.ca), status)
    assert said["http_status"] == int(status)
    assert text in said["error"]["message"]
    assert boot_of(porta, path) == before


@pytest.mark.parametrize("status", ["304", "204"])
def test_nothing_new_is_exit_3(porta, pki, site, flash, status):
    ended = update(porta, flash(), site.url(status), ca=pki.ca)
    assert ended.code == 3, ended
    assert ended.json["result"] == "not_modified"


def test_connection_refused(porta, pki, flash):
    with HeldPort() as port:
        said = refused(update(porta, flash(),
                              f"https://127.0.0.1:{port.number}/x",
                              ca=pki.ca), "refused")
    assert said["error"]["stage"] == "connect"


def test_name_not_found(porta, pki, flash):
    said = refused(update(porta, flash(), "https://no-such-host.invalid/x",
                          ca=pki.ca), "no-such-host.invalid")
    assert said["error"]["stage"] == "resolve"


def test_wrong_ca(porta, pki, site, flash):
    path = flash()
    before = boot_of(porta, path)
    other = pki.other_ca()
    said = refused(update(porta, path, site.url("good.bin"), ca=other.ca),
                   "porta test CA")  # the issuer that is missing
    assert said["error"]["stage"] == "tls"
    assert boot_of(porta, path) == before


@pytest.mark.parametrize("claim,server,word", [
    ("wrong host name", {"hosts": ("other.example",)}, "other.example"),
    ("expired", {"days": -1}, "expired"),
])
def test_bad_certificate(porta, pki, site, flash, claim, server, word):
    path = flash()
    cert, key = pki.server(**server)
    with nginx.Nginx(site.root, cert, key) as bad:
        said = refused(update(porta, path, bad.url("good.bin"), ca=pki.ca),
                       word)
    assert said["error"]["stage"] == "tls"


def test_http_needs_to_be_asked_for(porta, pki, flash, tmp_path):
    (tmp_path / "good.bin").write_bytes(GOOD)
    with nginx.Nginx(tmp_path) as plain:
        path = flash()
        refused(porta("update", path, plain.url("good.bin"), "--json"),
                "--allow-http")
        porta.ok("update", path, plain.url("good.bin"), "--allow-http")


def test_silent_server_meets_the_deadline(porta, pki, flash):
    """Accepts and never answers, in the handshake and after it."""
    import socket
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(4)
        port = listener.getsockname()[1]
        said = refused(update(porta, flash(), f"https://127.0.0.1:{port}/x",
                              "--stall-timeout", "0.5", ca=pki.ca))
        assert said["error"]["name"].endswith(("TIMEOUT", "TIMEDOUT")), said
        assert 400 < said["elapsed_ms"] < 20000


def test_table_without_otadata(porta, pki, site, flash, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("factory, app, factory, 0x10000, 1M\n"
                     "ota_0, app, ota_0, , 1M\n")
    path = flash(table=table, slot="factory")
    refused(update(porta, path, site.url("good.bin"), ca=pki.ca), "otadata")


def test_table_without_ota_slots(porta, pki, site, flash):
    path = flash(table="singleapp", slot="factory")
    refused(update(porta, path, site.url("good.bin"), ca=pki.ca), "ota")


def test_updating_the_running_slot(porta, pki, site, flash):
    path = flash()
    before = boot_of(porta, path)
    said = refused(update(porta, path, site.url("good.bin"), "--slot",
                          "ota_0", ca=pki.ca), "ota_0")
    assert said["error"]["name"] == "ESP_ERR_OTA_PARTITION_CONFLICT"
    assert boot_of(porta, path) == before


def test_update_while_the_last_is_unconfirmed(porta, pki, site, flash):
    path = flash()
    assert update(porta, path, site.url("good.bin"), ca=pki.ca).code == 0
    before = boot_of(porta, path)
    said = refused(update(porta, path, site.url("good.bin"), ca=pki.ca),
                   "porta confirm")
    assert said["error"]["code"] == 0x1506
    assert "porta reset" in said["error"]["message"]
    porta.ok("reset", path)
    refused(update(porta, path, site.url("good.bin"), ca=pki.ca),
            "porta confirm")
    porta.ok("confirm", path)
    assert before[0] == "ota_1"
    again = update(porta, path, site.url("good.bin"), ca=pki.ca)
    assert again.code == 3, again  # the same version is installed
    assert update(porta, path, site.url("good.bin"), "--allow-same-version",
                  ca=pki.ca).code == 0
    assert boot_of(porta, path)[0] == "ota_0"


@pytest.mark.parametrize("claim,size,word", [
    ("missing", None, "there is no flash file"), ("too small", 4096, "small"),
    ("not a multiple of a sector", 4 * 1024 * 1024 + 1, "4096")])
def test_flash_file(porta, pki, site, tmp_path, claim, size, word):
    path = tmp_path / "flash.bin"
    if size is not None:
        path.write_bytes(b"\xff" * size)
    ended = porta("update", path, site.url("good.bin"), "--cacert", pki.ca)
    assert ended.code == 1 and word in ended.err.lower(), ended
    assert not path.exists() or path.stat().st_size == size


def test_flash_file_in_use(porta, pki, site, flash):
    path = flash()
    import fcntl
    with open(path, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        ended = porta("update", path, site.url("good.bin"), "--cacert",
                      pki.ca)
    assert ended.code == 1 and "in use" in ended.err, ended


def test_a_flash_file_in_use_is_not_replaced(porta, flash):
    path = flash()
    before = path.read_bytes()
    import fcntl
    with open(path, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        ended = porta("flash", "create", "-o", path, "--table", "two_ota")
    assert ended.code == 1 and "in use" in ended.err, ended
    assert path.read_bytes() == before


def test_a_pipe_is_no_flash_file(porta, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for verb in ["explain", "reset"]:
        ended = porta(verb, tmp_path / "pipe", timeout=20)
        assert ended.code == 1 and "not a regular file" in ended.err, ended


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_an_update_whose_result_nobody_got(porta, pki, site, flash, more):
    """1, as for every result that is lost, but the update is no failed one."""
    path = flash()
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [porta.path, "update", path, site.url("good.bin"), "--cacert",
             pki.ca, *more], stdout=full, stderr=subprocess.PIPE, text=True,
            timeout=60, check=False)
    assert done.returncode == 1 and "standard output" in done.stderr, done
    assert "the update itself is done" in done.stderr, done
    assert boot_of(porta, path)[0] == "ota_1"
