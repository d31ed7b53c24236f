"""A release that failed its trial is refused by the device that knows it:
before the first erase, and only where its options say so."""

import hashlib

import pytest

import nginx
import rawimage

pytestmark = pytest.mark.skipif(not nginx.find(),
                                reason="nginx is not installed")

BAD = rawimage.image(bytes(60000), version="2")
NEXT = rawimage.image(bytes(60000), version="3")


@pytest.fixture(scope="module")
def site(pki, tmp_path_factory):
    www = tmp_path_factory.mktemp("www")
    (www / "bad.bin").write_bytes(BAD)
    (www / "next.bin").write_bytes(NEXT)
    cert, key = pki.server()
    with nginx.Nginx(www, cert, key) as server:
        yield server


@pytest.fixture
def failed(porta, pki, site, flash):
    """A device on which version 2 failed its trial."""
    path = flash()
    porta.ok("update", path, site.url("bad.bin"), "--cacert", pki.ca)
    assert porta.ok("reset", path, "--json").json["boot"] == "ota_1"
    assert porta.ok("reset", path, "--json").json["boot"] == "ota_0"
    return path


def denied(porta, path):
    return porta.ok("deny", "list", path, "--json").json["denied"]


def update(porta, path, pki, site, name, *args):
    return porta("update", path, site.url(name), "--cacert", pki.ca, "--json",
                 *args)


def test_refused_before_the_first_erase(porta, pki, site, failed):
    before = failed.read_bytes()
    ended = update(porta, failed, pki, site, "bad.bin", "--deny-list")
    assert ended.code == 1, ended
    error = ended.json["error"]
    assert error["name"] == "ESP_ERR_NOT_ALLOWED"
    assert "version 2 failed on this device before" in error["message"]
    assert failed.read_bytes() == before


def test_without_the_option_it_is_installed_again(porta, pki, site, failed):
    ended = update(porta, failed, pki, site, "bad.bin")
    assert ended.json["result"] == "updated"


def test_it_is_remembered_when_its_slot_is_gone(porta, pki, site, failed):
    assert denied(porta, failed) == []
    ended = update(porta, failed, pki, site, "next.bin", "--deny-list")
    assert ended.json["result"] == "updated", ended
    known = denied(porta, failed)
    assert len(known) == 1
    porta.ok("reset", failed)
    porta.ok("confirm", failed)
    ended = update(porta, failed, pki, site, "bad.bin", "--deny-list")
    assert ended.code == 1 and "version 2 failed" in ended.err
    assert porta.ok("flash", "show", failed, "--json").json["denied"] == known


def test_the_flash_file_says_so(porta, pki, site, image, tmp_path):
    path = tmp_path / "device.bin"
    porta.ok("flash", "create", "-o", path, "--chip", "esp32", "--size", "4MB",
             "--table", "two_ota_large", "--deny-list",
             "--app", f"ota_0={image(version='1')}")
    shown = porta.ok("flash", "show", path, "--json").json
    assert shown["options"]["deny_list"] is True
    porta.ok("reset", path)
    update(porta, path, pki, site, "bad.bin")
    porta.ok("reset", path)
    porta.ok("reset", path)
    ended = update(porta, path, pki, site, "bad.bin")
    assert ended.code == 1 and "version 2 failed" in ended.err
    ended = update(porta, path, pki, site, "bad.bin", "--no-deny-list")
    assert ended.json["result"] == "updated"


def test_forgotten(porta, pki, site, failed):
    porta.ok("deny", "clear", failed)
    ended = update(porta, failed, pki, site, "bad.bin", "--deny-list")
    assert ended.json["result"] == "updated", ended


def test_a_damaged_image_is_no_failed_release(porta, pki, site, flash):
    """It was not even started: flash that lost bits says nothing about it."""
    path = flash()
    porta.ok("update", path, site.url("bad.bin"), "--cacert", pki.ca)
    part = next(p for p in porta.ok("flash", "show", path, "--json").json
                ["table"] if p["label"] == "ota_1")
    with open(path, "r+b") as file:
        file.seek(part["offset"] + 50000)
        file.write(b"\x01" * 16)
    said = porta.ok("reset", path, "--json").json
    assert said["boot"] == "ota_0"
    assert said["verdict"]["why"] == "its image does not verify"
    ended = update(porta, path, pki, site, "bad.bin", "--deny-list")
    assert ended.json["result"] == "updated", ended


def test_listed_by_hand(porta, pki, site, flash, tmp_path):
    path = flash()
    (tmp_path / "bad.bin").write_bytes(BAD)
    # These images do not say what ELF they are made of.
    elf = hashlib.sha256(BAD[:288]).digest()
    porta.ok("deny", "add", path, elf.hex())
    assert porta.ok("deny", "list", path).out == elf.hex() + "\n"
    ended = update(porta, path, pki, site, "bad.bin", "--deny-list")
    assert ended.code == 1 and "version 2 failed" in ended.err
    for n in range(9):
        porta.ok("deny", "add", path, f"{n:064x}"[::-1])
    assert len(denied(porta, path)) == 8
    assert elf.hex() not in denied(porta, path)
    porta.ok("deny", "clear", path)
    ended = porta.ok("deny", "list", path)
    assert ended.out == "" and "no release is denied" in ended.err
    assert porta.ok("deny", "list", path, "--quiet").err == ""


@pytest.mark.parametrize("digest", ["", "12", "z" * 64, "0" * 63, "0" * 65])
def test_no_digest(porta, flash, digest):
    ended = porta("deny", "add", flash(), digest)
    assert ended.code == 2 and "64 hexadecimal digits" in ended.err


def test_no_otadata(porta, image, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("factory, app, factory, , 1M\n")
    path = tmp_path / "device.bin"
    porta.ok("flash", "create", "-o", path, "--chip", "esp32", "--table", table,
             "--app", f"factory={image()}")
    ended = porta("deny", "clear", path)
    assert ended.code == 1 and "no otadata" in ended.err
