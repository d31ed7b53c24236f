"""porta table: what scripts see of partition tables."""

import hashlib
import os

import pytest

BRIEF = """# Name,   Type, SubType, Offset,   Size, Flags
nvs,      data, nvs,     ,        0x4000,
otadata,  data, ota,     ,        0x2000,
phy_init, data, phy,     ,        0x1000,
emul_efuse, data, 5,     ,        0x2000,
ota_0,    app,  ota_0,   ,        1M,
ota_1,    app,  ota_1,   ,        1M,
"""

TWO_OTA = "d1c0e9d02fa9d26cd2e1984e7b5dd20157204f501ddc83ce82229e5f3175ee8b"


@pytest.fixture
def csv(tmp_path):
    def make(text):
        path = tmp_path / "t.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path
    return make


def test_build_is_byte_exact(porta, tmp_path):
    out = tmp_path / "t.bin"
    porta.ok("table", "build", "two_ota", "-o", out, "--flash-size", "4MB")
    assert hashlib.sha256(out.read_bytes()).hexdigest() == TWO_OTA


def test_show_prints_what_can_be_built_again(porta, csv, tmp_path):
    one, two = tmp_path / "1.bin", tmp_path / "2.bin"
    porta.ok("table", "build", csv(BRIEF), "-o", one)
    porta.ok("table", "build", csv(porta.ok("table", "show", one).out),
             "-o", two)
    assert one.read_bytes() == two.read_bytes()
    assert "emul_efuse,data,efuse,0x10000,8K," in porta.ok(
        "table", "show", one).out


def test_json(porta, csv, tmp_path):
    out = tmp_path / "t.bin"
    text = BRIEF + "own,0x40,7,,0x18,encrypted:readonly\napp,data,fat,,4K\n"
    ended = porta.ok("table", "build", csv(text), "-o", out, "--json")
    built, shown = ended.json, porta.ok("table", "show", out, "--json").json
    assert built["partitions"] == shown["partitions"]
    assert built["output"] == str(out) and "output" not in shown
    assert shown["table_offset"] == 0x8000 and shown["md5"] is True
    assert shown["partitions"][4] == {
        "label": "ota_0", "type": "app", "subtype": "ota_0",
        "offset": 0x20000, "size": 0x100000, "flags": []}
    assert shown["partitions"][6]["type"] == 0x40
    assert shown["partitions"][6]["subtype"] == 7
    assert shown["partitions"][6]["flags"] == ["encrypted", "readonly"]
    assert len(built["warnings"]) == 1 and "line 9 (app)" in built["warnings"][0]
    assert "warning: line 9 (app)" in ended.err


def test_the_environment_is_expanded(porta, csv):
    path = csv("f,app,factory,,$APP_SIZE\n")
    shown = porta.ok("table", "show", path, env={"APP_SIZE": "64K"})
    assert "f,app,factory,0x10000,64K," in shown.out
    ended = porta("table", "show", path)
    assert ended.code == 1 and "line 1: the variable 'APP_SIZE'" in ended.err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks(porta, csv, encoding):
    shown = porta.ok("table", "show", csv("é,data,fat,,4K\r\n".encode(encoding)))
    assert "é,data,fat,0x9000,4K," in shown.out


@pytest.mark.parametrize("args,code,says", [
    (["table"], 2, "a verb is missing"),
    (["table", "paint"], 2, "paint"),
    (["table", "show"], 2, "arguments are missing"),
    (["table", "build", "two_ota"], 2, "-o is missing"),
    (["table", "show", "two_ota", "--offset", "0x8001"], 2, "0x1000"),
    (["table", "show", "two_ota", "--primary-bootloader-offset", "7"], 2,
     "0x1000"),
    (["table", "show", "two_ota", "--secure", "v3"], 2, "v1 or v2"),
    (["table", "show", "two_ota", "--flash-size", "4Q"], 2, "not a size"),
    (["table", "show", "three_ota"], 1, "no built-in table (singleapp,"),
    (["table", "show", "/no/such.csv"], 1, "No such file"),
    (["table", "show", "two_ota", "--flash-size", "2M"], 1,
     "(ota_0): it ends at 0x210000, past the flash of 0x200000"),
])
def test_refusals(porta, args, code, says):
    ended = porta(*args)
    assert ended.code == code and says in ended.err, ended
    assert ended.out == ""


@pytest.mark.parametrize("text,says", [
    (b"", "lists no partition"),
    (b"\xaa\x50", "2 bytes are no number of rows"),
    (b"\xaa\x50" + b"\0" * 30, "cut off"),
    (b"\xaa\x50" + b"\0" * 30 + b"PK" + b"\0" * 30, "row 2 starts with 0x4b50"),
    (b"\xaa\x50\1\6\0\0\0\0\0\x10\0\0" + b"low" + b"\0" * 17 + b"\xff" * 32,
     "row 1 (low): the offset 0x0 is below 0x9000"),
    (b"<html>", "line 1: the type is missing"),
    (b"\x7fELF\2\1\1\0", "line 1: byte 1 of the name"),
    (b"x" * (1 << 20) + b"y", "1048576"),
], ids=range(8))
def test_bad_files(porta, csv, text, says):
    path = csv(text)
    ended = porta("table", "show", path, "--json")
    assert ended.code == 1 and says in ended.err, ended
    error = ended.json["error"]
    assert set(error) == {"stage", "code", "name", "message"}
    assert says in error["message"] and str(path) in error["message"]


def test_labels_cannot_steer_the_terminal(porta, csv):
    row = b"\xaa\x50\1\6\0\x90\0\0\0\x10\0\0" + b"\x1b[2J\xff".ljust(20, b"\0")
    path = csv(row + b"\xff" * 32)
    assert "?[2J?,data,undefined,0x9000,4K," in porta.ok(
        "table", "show", path).out
    shown = porta.ok("table", "show", path, "--json")
    assert shown.json["partitions"][0]["label"] == "?[2J?"


def test_a_table_at_the_start_of_the_flash(porta):
    shown = porta.ok("table", "show", "two_ota", "--offset", "0", "--json").json
    assert shown["table_offset"] == 0
    assert shown["partitions"][0]["offset"] == 0x1000


def test_extra_subtypes(porta, csv):
    path = csv("c,data,calib,,4K\nt,app,trial,,64K\n")
    args = ["--extra-partition-subtypes", "data, calib, 0x40",
            "--extra-partition-subtypes", "app,trial,0x50"]
    rows = porta.ok("table", "show", path, *args, "--json").json["partitions"]
    assert [row["subtype"] for row in rows] == [0x40, 0x50]
    ended = porta("table", "show", path)
    assert ended.code == 1 and "'calib' is no subtype" in ended.err
    for text in ("", "data", "data,x", "data,,1", "data,x,y", "data,x,255",
                 "text,x,1", "data," + "x" * 99 + ",1"):
        ended = porta("table", "show", path, "--extra-partition-subtypes", text)
        assert ended.code == 2 and "subtypes" in ended.err, ended


def test_no_verify(porta, csv):
    path = csv("n,data,nvs,0x9000,4K\no,data,ota,,4K\n")
    assert porta("table", "show", path).code == 1
    assert "o,data,ota,0xa000,4K," in porta.ok("table", "show", path,
                                               "--no-verify").out


def test_without_md5(porta, tmp_path):
    out = tmp_path / "t.bin"
    said = porta.ok("table", "build", "two_ota", "-o", out, "--disable-md5sum",
                    "--json").json
    assert said["md5"] is False and b"\xeb\xeb" not in out.read_bytes()
    shown = porta.ok("table", "show", out, "--json").json
    assert shown["partitions"] == said["partitions"] and not shown["md5"]


def test_a_refused_table_leaves_no_file(porta, csv, tmp_path):
    out = tmp_path / "out.bin"
    assert porta("table", "build", csv("a,app,ota_0,0x9000,1M\n"), "-o",
                 out).code == 1
    assert os.listdir(tmp_path) == ["t.csv"]


def test_tables_that_list_the_bootloader(porta, csv, tmp_path):
    path = csv("b,bootloader,primary,N/A,N/A\nt,partition_table,primary,,\n"
               "f,app,factory,,1M\n")
    ended = porta("table", "show", path)
    assert ended.code == 1 and "primary bootloader" in ended.err
    shown = porta.ok("table", "show", path, "--primary-bootloader-offset", "0")
    assert "b,bootloader,primary,0x0,32K," in shown.out
    assert "t,partition_table,primary,0x8000,4K," in shown.out


def test_a_full_disk_is_reported(porta):
    ended = porta("table", "build", "two_ota", "-o", "/dev/full")
    assert ended.code == 1 and "/dev/full" in ended.err, ended
