"""Real ESP32 firmware into a real ESP32 layout, from a real nginx."""

import os
import random
import shutil

import pytest

import nginx
from conftest import real_firmware

IMAGES = [
    ("advanced_https_ota-esp32-v5.5.bin", 0, 6),
    ("advanced_https_ota-esp32-2020.bin", 0, 6),
    ("simple_ota-esp32-a.bin", 0, 6),
    ("simple_ota-esp32-b.bin", 0, 6),
    ("simple_ota-esp32c6.bin", 13, 5),
    ("user_app-esp32c3.bin", 5, 5),
]

BRIEF_TABLE = """\
# Name,   Type, SubType, Offset,   Size, Flags
nvs,      data, nvs,     ,        0x4000,
otadata,  data, ota,     ,        0x2000,
phy_init, data, phy,     ,        0x1000,
emul_efuse, data, 5,     ,        0x2000,
ota_0,    app,  ota_0,   ,        1M,
ota_1,    app,  ota_1,   ,        1M,
"""


@pytest.fixture
def brief_table(tmp_path):
    path = tmp_path / "partitions.csv"
    path.write_text(BRIEF_TABLE)
    return path


@pytest.mark.skipif(not nginx.find(), reason="nginx is not installed")
@pytest.mark.parametrize("protocol", ["TLSv1.2", "TLSv1.3"])
def test_update_from_nginx_puts_the_file_into_the_slot(
        porta, pki, brief_table, tmp_path, protocol):
    firmware = real_firmware("advanced_https_ota-esp32-v5.5.bin")
    www = tmp_path / "www"
    www.mkdir()
    shutil.copy(firmware, www / "fw.bin")
    flash = tmp_path / "flash.bin"
    porta.ok("flash", "create", "-o", flash, "--chip", "esp32", "--size",
             "4MB", "--table", brief_table)
    cert, key = pki.server()
    with nginx.Nginx(www, cert, key, protocols=protocol) as server:
        said = porta.ok("update", flash, server.url("fw.bin"), "--cacert",
                        pki.ca, "--json").json
    assert len(server.requests) == 1
    want = open(firmware, "rb").read()
    assert said["result"] == "updated"
    assert said["slot"] == "ota_0"  # nothing booted: the first slot
    assert said["image_len"] == len(want) == 893536
    assert said["bytes_received"] == len(want)
    assert said["handshakes"] == 1 and said["requests"] == 1
    porta.ok("flash", "read", flash, "ota_0", tmp_path / "slot")
    got = open(tmp_path / "slot", "rb").read()
    assert len(got) == 0x100000
    assert got[:len(want)] == want
    assert set(got[len(want):]) <= {0xff}
    boots = porta.ok("explain", flash, "--json").json
    assert boots["boot"] == "ota_0" and boots["action"] == "boot"


@pytest.mark.skipif(not nginx.find(), reason="nginx is not installed")
def test_a_second_update_goes_to_the_other_slot(porta, pki, brief_table,
                                                tmp_path):
    first = real_firmware("advanced_https_ota-esp32-2020.bin")
    second = real_firmware("advanced_https_ota-esp32-v5.5.bin")
    www = tmp_path / "www"
    www.mkdir()
    shutil.copy(second, www / "fw.bin")
    flash = tmp_path / "flash.bin"
    porta.ok("flash", "create", "-o", flash, "--chip", "esp32", "--size",
             "4MB", "--table", brief_table, "--app", f"ota_0={first}")
    porta.ok("reset", flash)
    cert, key = pki.server()
    with nginx.Nginx(www, cert, key) as server:
        said = porta.ok("update", flash, server.url("fw.bin"), "--cacert",
                        pki.ca, "--json").json
    assert said["slot"] == "ota_1"
    assert porta.ok("explain", flash, "--json").json["boot"] == "ota_1"
    assert porta.ok("reset", flash, "--json").json["boot"] == "ota_1"
    porta.ok("confirm", flash)
    shown = porta.ok("explain", flash, "--json").json
    assert shown["boot"] == "ota_1" and shown["writes"] == []
    porta.ok("flash", "read", flash, "ota_0", tmp_path / "slot")
    kept = open(tmp_path / "slot", "rb").read()
    want = open(first, "rb").read()
    assert kept[:len(want)] == want


@pytest.mark.parametrize("name,chip,segments", IMAGES)
def test_info_and_verify(porta, name, chip, segments):
    path = real_firmware(name)
    porta.ok("image", "verify", path)
    info = porta.ok("image", "info", path, "--json").json
    assert info["chip"] == chip
    assert len(info["segments"]) == segments
    assert info["checksum_ok"] is True and info["hash_ok"] is True
    assert info["image_len"] == os.path.getsize(path)


@pytest.mark.parametrize("name,chip,segments", IMAGES)
def test_one_flipped_bit_is_refused(porta, tmp_path, name, chip, segments):
    path = real_firmware(name)
    data = open(path, "rb").read()
    info = porta.ok("image", "info", path, "--json").json
    dice = random.Random(name)
    places = [dice.randrange(24), len(data) - 1 - dice.randrange(32),
              len(data) - 33]
    for segment in info["segments"]:
        start, length = segment["file_off"], segment["len"]
        places += [start, start + length - 1,
                   start + dice.randrange(length), start - 5]
    bad = tmp_path / "bad.bin"
    for place in places:
        flipped = bytearray(data)
        flipped[place] ^= 1 << dice.randrange(8)
        bad.write_bytes(flipped)
        ended = porta("image", "verify", bad)
        assert ended.code == 1, (place, ended)
        assert ended.err.strip().count("\n") == 0, (place, ended)


def test_clearing_hash_appended_leaves_unexplained_bytes(porta, tmp_path):
    data = bytearray(open(real_firmware(IMAGES[0][0]), "rb").read())
    data[23] = 0
    bad = tmp_path / "bad.bin"
    bad.write_bytes(data)
    ended = porta("image", "verify", bad)
    assert ended.code == 1 and "32" in ended.err, ended
