"""porta image: what is packed, what is shown, what is refused and how."""

import hashlib
import os
import struct
import subprocess
import sys

import pytest

import rawimage
from conftest import real_firmware

GOOD = rawimage.image()


def create(porta, out, *sources, chip="esp32", more=()):
    return porta("image", "create", "--chip", chip, "--project", "demo",
                 "--version", "1.0", *sources, *more, "-o", out)


def elf32(machine, rows):
    """A 32-bit ELF file that loads rows of (address, bytes)."""
    out = struct.pack("<4sBBB9xHHIIIIIHHHHHH", b"\x7fELF", 1, 1, 1, 2,
                      machine, 1, 0x40080400, 52, 0, 0, 52, 32, len(rows), 0,
                      0, 0)
    data = b""
    for addr, body in rows:
        off = 52 + 32 * len(rows) + len(data)
        out += struct.pack("<8I", 1, off, addr, addr, len(body), len(body),
                           5, 4)
        data += body + bytes(64)
    return out + data


def test_linux_carries_the_whole_program(porta, tmp_path):
    out = tmp_path / "i.bin"
    assert create(porta, out, "--elf", sys.executable,
                  chip="linux").code == 0
    with open(sys.executable, "rb") as f:
        program = f.read()
    info = porta.ok("image", "info", out, "--json").json
    assert info["chip"] == 0xFFFF and info["entry"] == 0
    assert [s["len"] for s in info["segments"]][0] == 256
    off = info["segments"][1]["file_off"]
    assert out.read_bytes()[off:off + len(program)] == program
    assert info["elf_sha256"] == hashlib.sha256(program).hexdigest()
    porta.ok("image", "verify", out, "--chip", "linux")


def test_a_chip_carries_what_its_program_loads(porta, tmp_path):
    elf = elf32(94, [(0x3F400020, b"\x32\x54\xcd\xab" + bytes(396)),
                     (0x400D0020, b"code" * 500), (0x3FFB0000, b"d" * 1000)])
    (tmp_path / "a.elf").write_bytes(elf)
    out = tmp_path / "i.bin"
    assert create(porta, out, "--elf", tmp_path / "a.elf",
                  more=["--secure-version", "5", "--min-rev", "100",
                        "--idf-ver", "v6.2"]).code == 0
    info = porta.ok("image", "verify", out, "--json").json
    assert info["ok"] is True
    assert info["entry"] == 0x40080400 and info["secure_version"] == 5
    assert info["min_rev"] == 100 and info["idf_ver"] == "v6.2"
    placed = {s["load_addr"]: s for s in info["segments"]}
    assert info["segments"][0]["load_addr"] == 0x3F400020
    assert placed[0x400D0020]["file_off"] % 0x10000 == 0x20
    assert placed[0x3FFB0000]["len"] == 1000
    assert info["elf_sha256"] == hashlib.sha256(elf).hexdigest()


def test_the_same_input_gives_the_same_bytes(porta, tmp_path):
    (tmp_path / "s").write_bytes(b"x" * 5000)
    for name in ("a", "b"):
        assert create(porta, tmp_path / name, "--segment",
                      f"0x3ffb0000:{tmp_path / 's'}").code == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("claim,sources,code,word", [
    ("no program", [], 2, "--elf or --segment"),
    ("both kinds", ["--elf", "x", "--segment", "0:x"], 2, "exclude"),
    ("no address", ["--segment", "{s}"], 2, "ADDR:FILE"),
    ("a bad address", ["--segment", "0x:{s}"], 2, "ADDR:FILE"),
    ("an odd address", ["--segment", "0x3ffb0001:{s}"], 1, "multiple of 4"),
    ("no file", ["--segment", "0:{s}.no"], 1, "No such file"),
    ("no ELF file", ["--elf", "{s}"], 1, "ELF"),
    ("too many segments", ["--segment", "0:{s}"] * 17, 2, "at most 16"),
    ("a long name", ["--segment", "0:{s}", "--idf-ver", "v" * 32], 2, "32"),
    ("a revision out of range", ["--segment", "0:{s}", "--min-rev",
                                 "65536"], 2, "65535"),
    ("another machine", ["--elf", "{riscv}"], 1, "machine 243"),
    ("mapped segments in one page", ["--segment", "0x3f400020:{s}",
                                     "--segment", "0x3f400400:{s}"], 1,
     "flash page"),
])
def test_create_refuses(porta, tmp_path, claim, sources, code, word):
    (tmp_path / "s").write_bytes(b"x" * 400)
    (tmp_path / "r").write_bytes(elf32(243, [(0x40380000, b"code")]))
    out = tmp_path / "i.bin"
    out.write_bytes(b"older")
    ended = create(porta, out, *[a.format(s=tmp_path / "s",
                                          riscv=tmp_path / "r")
                                 for a in sources])
    assert ended.code == code and word in ended.err, ended
    assert ended.err.count("\n") == 1
    assert out.read_bytes() == b"older"
    assert sorted(os.listdir(tmp_path)) == ["i.bin", "r", "s"]


@pytest.mark.parametrize("claim,off,key", [
    ("checksum", len(GOOD) - 33, "checksum_ok"),
    ("hash", len(GOOD) - 1, "hash_ok")])
def test_info_shows_damage(porta, tmp_path, claim, off, key):
    bad = bytearray(GOOD)
    bad[off] ^= 4
    path = tmp_path / "i.bin"
    path.write_bytes(bad)
    ended = porta.ok("image", "info", path, "--json")
    assert ended.json[key] is False and ended.json["project"] == "demo"
    assert ended.json["image_len"] == len(GOOD)
    assert ended.json["error"]["code"] == 0x2002
    assert "WRONG" in porta.ok("image", "info", path).out
    refused = porta("image", "verify", path, "--json")
    assert refused.code == 1
    assert refused.json["error"]["name"] == "ESP_ERR_IMAGE_INVALID"
    assert refused.json["error"]["stage"] == "image"
    assert path.read_bytes() == bytes(bad)


def test_info_of_a_cut_image(porta, tmp_path):
    path = tmp_path / "i.bin"
    path.write_bytes(GOOD[:1000])
    ended = porta("image", "info", path, "--json")
    assert ended.code == 1 and ended.json["checksum_ok"] is None
    assert ended.json["version"] == "2"
    assert ended.json["image_len"] == len(GOOD)
    assert "1000" in ended.json["error"]["message"]


def test_info_of_something_else(porta, tmp_path):
    path = tmp_path / "i.bin"
    path.write_bytes(b"<html></html>" * 100)
    ended = porta("image", "info", path, "--json")
    assert ended.code == 1 and set(ended.json) == {"error"}
    assert "web page" in ended.err


@pytest.mark.parametrize("args,code,word", [
    (["--chip", "esp32"], 0, "good"),
    (["--chip", "esp32s3"], 1, "esp32s3"),
    (["--chip", "esp99"], 2, "no chip"),
    (["--chip-rev", "x"], 2, "--chip-rev"),
    (["--require-hash"], 0, "SHA-256 right"),
    (["--key", "k.pem"], 1, "k.pem"),
    (["--scheme", "v3", "--key", "k.pem"], 2, "--scheme"),
    (["--need-keys", "2"], 2, "--key")])
def test_verify_against_a_device(porta, tmp_path, args, code, word):
    path = tmp_path / "i.bin"
    path.write_bytes(GOOD)
    ended = porta("image", "verify", path, *args)
    assert ended.code == code and word in ended.out + ended.err, ended


def test_verify_without_a_hash(porta, tmp_path):
    path = tmp_path / "i.bin"
    path.write_bytes(rawimage.image(hashed=0))
    assert "no SHA-256" in porta.ok("image", "verify", path).out
    assert porta("image", "verify", path, "--require-hash").code == 1


def test_what_is_shown_steers_no_terminal(porta, tmp_path):
    bad = b"v\x1b[31m\x07\xc2\x9b\xff\n"
    path = tmp_path / "i.bin"
    path.write_bytes(rawimage.image(version=bad, project=bad))
    for args in [["info"], ["info", "--json"], ["verify"], ["verify",
                                                            "--json"]]:
        done = subprocess.run([porta.path, "image", *args, path],
                              capture_output=True, check=True)
        text = done.stdout.decode()  # strictly UTF-8
        assert not [c for c in text if c < " " and c != "\n"], done
        assert "v?[31m????" in text, done


def test_more_segments_than_there_can_be(porta, tmp_path):
    path = tmp_path / "i.bin"
    for cnt in [17, 255]:
        path.write_bytes(GOOD[:1] + bytes([cnt]) + GOOD[2:])
        ended = porta("image", "info", path, "--json")
        assert ended.code == 1 and ended.json["segments"] == [], ended
        assert f"{cnt} segments" in ended.json["error"]["message"]
        ended = porta("image", "info", path)
        assert ended.code == 1 and "segment " not in ended.out, ended


@pytest.mark.parametrize("name,scheme,off", [
    ("bootloader_signed.bin", "v1-ecdsa256", 21696),
    ("bootloader_signed_v2_rsa.bin", "v2-rsa3072", 32768),
    ("bootloader_signed_v2_ecdsa256.bin", "v2-ecdsa256", 32768),
    ("bootloader_signed_v2_ecdsa384.bin", "v2-ecdsa384", 32768),
    ("bootloader_unsigned_v2.bin", None, None)])
def test_signatures_are_listed(porta, name, scheme, off):
    path = real_firmware(os.path.join("..", "signed", name))
    info = porta.ok("image", "info", path, "--json").json
    assert info["kind"] == "bootloader"
    found = info["signatures"]
    assert [(s["scheme"], s["offset"]) for s in found] == (
        [(scheme, off)] if scheme else [])
    for s in found:  # a V1 block names no key
        assert s["right"] is (None if scheme.startswith("v1") else True)
    porta.ok("image", "verify", path)
