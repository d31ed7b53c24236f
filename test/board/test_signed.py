"""porta device with signed images: the bootloader on the board and the
application in it trust the same keys."""
import os
import subprocess
from pathlib import Path

import pytest

PORTA = str(Path(os.environ["PORTA_BIN"]) / "porta")
APP = Path(os.environ["PORTA_BIN"]).parent / "apps" / "test-choose.bin"
TABLE = """\
otadata, data, ota,   0x10000, 0x2000
ota_0,   app,  ota_0, 0x20000, 7M
ota_1,   app,  ota_1, 0x720000, 7M
porta_keys, data, 0x70, , 8K
"""


def porta(*args, code=0):
    done = subprocess.run([PORTA, *map(str, args)], text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == code, done
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for n in range(2):
        porta("key", "new", "-o", folder / f"{n}.pem")
        porta("key", "public", folder / f"{n}.pem", "-o", folder / f"{n}.pub")
    return folder


@pytest.fixture
def signed(keys, tmp_path):
    def make(*numbers):
        path = APP
        for n in numbers:
            out = tmp_path / f"by{n}-{len(list(tmp_path.iterdir()))}.bin"
            porta("image", "sign", "--scheme", "ecdsa256", "--key",
                  keys / f"{n}.pem", path, "-o", out)
            path = out
        return path
    return make


@pytest.fixture
def flash(keys, signed, tmp_path):
    path, table = tmp_path / "flash.bin", tmp_path / "table.csv"
    table.write_text(TABLE)
    porta("flash", "create", "-o", path, "--size", "16MB", "--table", table,
          "--require-signed", "ecdsa256", "--verify-key", keys / "0.pub",
          "--app", f"ota_0={signed(0)}")
    return path


@pytest.mark.parametrize("by,code,word", [
    ((), 3, "chose ota_1: ESP_ERR_OTA_VALIDATE_FAILED"),
    ((1,), 3, "chose ota_1: ESP_ERR_OTA_VALIDATE_FAILED"),
    ((0,), 0, "chose ota_1: ESP_OK")])
def test_application_verifies(flash, signed, by, code, word):
    porta("flash", "write", flash, "ota_1", signed(*by))
    assert word in porta("device", flash, "--boots", 1, code=code)


def test_bootloader_verifies(flash, signed):
    porta("flash", "write", flash, "ota_0", signed(1))
    said = porta("device", flash, "--boots", 1, code=1)
    assert "nothing boots" in said and "chose" not in said


def test_keys_of_the_command_line(flash, keys, signed):
    porta("flash", "write", flash, "ota_0", signed(1))
    porta("flash", "write", flash, "ota_1", signed(0))
    said = porta("device", flash, "--boots", 1, "--verify-key",
                 keys / "1.pub", code=3)
    assert "chose ota_1: ESP_ERR_OTA_VALIDATE_FAILED" in said


def test_keys_of_the_store(flash, keys, signed, tmp_path):
    porta("key", "set", keys / "0.pub", keys / "1.pub", "--set-version", 1,
          "-o", tmp_path / "plain")
    porta("image", "sign", "--data", "--scheme", "ecdsa256", "--key",
          keys / "0.pem", tmp_path / "plain", "-o", tmp_path / "set")
    porta("key", "install", flash, tmp_path / "set")
    porta("key", "revoke", flash, keys / "0.pub", "--force")
    porta("flash", "write", flash, "ota_1", signed(0))
    # ota_0 is signed by the revoked key, too: nothing is left to boot.
    assert "nothing boots" in porta("device", flash, "--boots", 1, code=1)
    porta("flash", "write", flash, "ota_0", signed(1))
    said = porta("device", flash, "--boots", 1, code=3)
    assert "chose ota_1: ESP_ERR_OTA_VALIDATE_FAILED" in said
