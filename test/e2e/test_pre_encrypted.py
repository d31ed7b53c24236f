"""The example pre_encrypted on the board: the key in the program, and the key
derived of one in the fuses."""

import os

import pytest

from conftest import BIN
from test_examples import app, watch, world  # noqa: F401

pytestmark = pytest.mark.skipif(
    not os.path.exists(app("pre_encrypted-2.bin")),
    reason="the example applications are not built")

KEY = os.path.join(BIN, "..", "examples", "private.pem")


@pytest.fixture
def hmac(porta, tmp_path):
    path = tmp_path / "hmac"
    porta.ok("key", "new", "--scheme", "hmac", "-o", path)
    return path


@pytest.fixture
def offer(porta, world, tmp_path):  # noqa: F811
    """offer(image, key, change) puts the image there, encrypted for the key"""
    def make(image, key, change=lambda data: data):
        out = tmp_path / "www/app.bin"
        porta.ok("key", "public", key, "-o", tmp_path / "device.pub")
        porta.ok("image", "encrypt", "--key", tmp_path / "device.pub",
                 app(image), "-o", out)
        out.write_bytes(change(out.read_bytes()))
        return world

    return make


def flip(off):
    return lambda data: data[:off] + bytes([data[off] ^ 1]) + data[off + 1:]


def test_key_in_the_program(porta, offer):
    path = offer("pre_encrypted-2.bin", KEY)("pre_encrypted-1.bin")
    said = watch(porta, path, "this version runs already")
    assert "running version: 1, offered: 2" in said
    assert "upgrade successful" in said
    assert "version 2 runs from ota_1" in said and "is confirmed" in said
    boots = porta.ok("explain", path, "--json").json
    assert boots["boot"] == "ota_1" and boots["writes"] == []


def test_key_of_the_fuses(porta, offer, hmac, monkeypatch):
    monkeypatch.setenv("PORTA_HMAC_KEY_2", str(hmac))
    path = offer("pre_encrypted-2.bin", hmac)("pre_encrypted_ecies-1.bin")
    said = watch(porta, path, "version 2 runs from ota_1")
    assert "upgrade successful" in said


def test_no_key_in_the_fuses(porta, offer, hmac):
    path = offer("pre_encrypted-2.bin", hmac)("pre_encrypted_ecies-1.bin")
    said = watch(porta, path, "upgrade failed")
    assert "this device has no HMAC key 2" in said


@pytest.mark.parametrize("change,says", [
    (flip(408), "not whole, or was changed"), (flip(100), "another key"),
    (lambda data: data[:-1], "not whole"), (flip(0), "no encrypted image")],
    ids=["tag", "key", "cut", "magic"])
def test_refused(porta, offer, change, says):
    path = offer("pre_encrypted-2.bin", KEY, change)("pre_encrypted-1.bin")
    said = watch(porta, path, "upgrade failed")
    assert says in said, said
    assert porta.ok("explain", path, "--json").json["boot"] == "ota_0"
    assert "PRIVATE KEY" not in said
