"""porta update --partition and --data: what is not the application, or goes
with it."""

import http.server
import os
import shutil
import struct
import threading

import pytest

import rawimage
from badserver import BadServer

TABLE = ("nvs, data, nvs, 0x9000, 0x4000\notadata, data, ota, , 0x2000\n"
         "ota_0, app, ota_0, 0x10000, 64K\nota_1, app, ota_1, , 64K\n"
         "www_0, data, fat, , 64K\nwww_1, data, fat, , 64K\n"
         "calib, data, 0x40, , 16K\nfuses, data, efuse, , 8K\n")
TABLES = TABLE + "table, partition_table, primary, ,\n"


@pytest.fixture
def site(tmp_path_factory):
    """A folder and the URL of it."""
    www = tmp_path_factory.mktemp("www")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(www))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield www, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def device(porta, flash, tmp_path):
    def make(table=TABLE):
        (tmp_path / "t.csv").write_text(table)
        return flash(table=tmp_path / "t.csv", size="1MB")
    return make


def read(porta, path, label, tmp_path):
    porta.ok("flash", "read", path, label, tmp_path / "read")
    return (tmp_path / "read").read_bytes()


def update(porta, path, url, *args):
    return porta("update", path, url, "--allow-http", "--json", *args)


def boots(porta, path):
    return porta.ok("explain", path, "--json").json["boot"]


def test_a_partition(porta, device, site, tmp_path):
    path, (www, url) = device(), site
    data = os.urandom(9000)
    (www / "calib.bin").write_bytes(data)
    ended = update(porta, path, url + "calib.bin", "--partition", "calib")
    assert ended.code == 0 and ended.json["result"] == "updated", ended
    assert read(porta, path, "calib", tmp_path)[:9000] == data
    assert read(porta, path, "ota_1", tmp_path)[:16] == b"\xff" * 16
    assert boots(porta, path) == "ota_0"
    ended = update(porta, path, url + "calib.bin", "--partition", "calib")
    assert ended.code == 0, "the same again is no reason not to"
    ended = porta.ok("update", path, url + "calib.bin", "--allow-http",
                     "--partition", "www_0", "--in-place")
    assert "www_0 holds what was received: 9,000 bytes" in ended.out


def test_data_goes_with_the_application(porta, device, site, image, tmp_path):
    path, (www, url) = device(), site
    (www / "app.bin").write_bytes(rawimage.image(bytes(3000)))
    (www / "www.bin").write_bytes(b"new files" * 1000)
    before = read(porta, path, "www_0", tmp_path)
    ended = update(porta, path, url + "app.bin", "--data",
                   f"www={url}www.bin")
    assert ended.code == 0, ended
    assert ended.json["data"] == [{"partition": "www_1", "bytes": 9000}]
    assert ended.json["slot"] == "ota_1" and boots(porta, path) == "ota_1"
    assert read(porta, path, "www_1", tmp_path)[:9000] == b"new files" * 1000
    assert read(porta, path, "www_0", tmp_path) == before
    porta.ok("reset", path)
    porta.ok("confirm", path)
    # Nothing new: the data of the other slot is left alone.
    ended = update(porta, path, url + "app.bin", "--data",
                   f"www={url}www.bin")
    assert ended.code == 3 and ended.json["data"] == []
    assert read(porta, path, "www_0", tmp_path) == before


@pytest.mark.parametrize("args", [["--retry", "2"],
                                  ["--range-size", "4096"]])
def test_no_splice(porta, device, args, tmp_path):
    """Data has no digest: its rest comes from a file that is known to be the
    same, or not at all."""
    path = device()
    before = read(porta, path, "calib", tmp_path)
    mode = "truncate@4096" if "--retry" in args else "ok"
    with BadServer(mode, body=bytes(9000)) as server:
        ended = update(porta, path, server.url("/calib.bin"), *args,
                       "--partition", "calib")
        asked = len(server.requests)
    assert ended.code == 1 and asked == 1, ended
    assert "names no version" in ended.json["error"]["message"], ended
    assert read(porta, path, "calib", tmp_path) == before


@pytest.mark.parametrize("same", [True, False])
def test_data_from_elsewhere_gets_no_secret(porta, device, same):
    path = device()
    app = rawimage.image(bytes(3000))
    args = ["--user", "u:p", "--secret-header", "X-Mine: m", "-H", "X-All: a"]
    with BadServer("ok", body=app) as first, BadServer("ok", body=app) as cdn:
        ended = update(porta, path, first.url("/app.bin"), *args, "--data",
                       f"www={(first if same else cdn).url('/www.bin')}")
        asked = first.requests + cdn.requests
    assert ended.code == 0, ended
    assert len([r for r in asked if "X-All: a" in r]) == len(asked) == 3
    secret = [r for r in asked if "Authorization: Basic" in r]
    assert secret == [r for r in asked if "X-Mine: m" in r]
    assert len(secret) == (3 if same else 2)


@pytest.mark.parametrize("missing", ["www3.bin", "app3.bin"])
def test_all_or_nothing(porta, device, site, missing, tmp_path):
    path, (www, url) = device(), site
    for version in (2, 3):
        (www / f"app{version}.bin").write_bytes(rawimage.image(
            bytes(3000), version=str(version)))
        (www / f"www{version}.bin").write_bytes(b"files %d" % version)

    def install(version):
        return update(porta, path, f"{url}app{version}.bin", "--data",
                      f"www={url}www{version}.bin")

    assert install(2).code == 0
    porta.ok("reset", path)
    porta.ok("confirm", path)
    good = (www / missing).read_bytes()
    (www / missing).write_bytes(good[:-1] + b"x" if missing == "app3.bin"
                                else b"x" * 70000)
    ended = install(3)
    assert ended.code == 1, ended
    assert boots(porta, path) == "ota_1"
    assert read(porta, path, "www_1", tmp_path)[:7] == b"files 2"
    # What ran before goes with data that is gone: it does not boot.
    shutil.copy(path, tmp_path / "copy")
    porta.ok("flash", "erase", tmp_path / "copy", "ota_1")
    assert boots(porta, tmp_path / "copy") is None
    (www / missing).write_bytes(good)
    ended = install(3)
    assert ended.code == 0 and boots(porta, path) == "ota_0", ended
    assert read(porta, path, "www_0", tmp_path)[:7] == b"files 3"


def test_a_partition_table(porta, device, site, tmp_path):
    path, (www, url) = device(TABLES), site
    new = TABLES.replace("calib, data, 0x40, , 16K",
                         "calib, data, 0x40, , 8K\nmore, data, 0x41, , 8K")
    (tmp_path / "new.csv").write_text(new)
    porta.ok("table", "build", tmp_path / "new.csv", "-o", www / "new.bin")
    args = (porta, path, url + "new.bin", "--partition", "table")
    ended = update(*args)
    assert ended.code == 2 and "some 0.0 s" in ended.err, ended
    ended = update(*args, "--accept-unsafe")
    assert ended.code == 0, ended
    labels = [row["label"] for row in porta.ok(
        "flash", "show", path, "--json").json["table"]]
    assert "more" in labels and boots(porta, path) == "ota_0"
    (www / "new.bin").write_bytes((www / "new.bin").read_bytes()[:3000])
    moved = bytearray((www / "new.bin").read_bytes())
    row = moved.index(b"ota_0") - 12
    moved[row + 4:row + 8] = struct.pack("<I", 0x20000)
    (www / "new.bin").write_bytes(moved)
    ended = update(*args, "--accept-unsafe")
    assert ended.code == 1 and "partition table" in ended.err, ended
    assert boots(porta, path) == "ota_0"


@pytest.mark.parametrize("args,code,says", [
    (["--partition", "nope"], 1, "no partition 'nope'"),
    (["--partition", "ota_1"], 2, "--slot"),
    (["--partition", "fuses"], 2, "bootloader decides by"),
    (["--partition", "otadata", "--accept-unsafe"], 2, "decides by"),
    (["--in-place"], 2, "--partition"),
    (["--partition", "calib", "--final", "ota_1"], 2, "excludes"),
    (["--data", "www"], 2, "NAME=URL"),
    (["--data", "=http://x/"], 2, "NAME=URL"),
    (["--data", "nope=http://x/"], 1, "no partition 'nope_1'"),
    (["--data", "ota=http://127.0.0.1:1/"], 2, "no data"),
    (["--data", "www=ftp://x/"], 2, "URL"),
])
def test_refusals(porta, device, site, args, code, says, tmp_path):
    path, (www, url) = device(), site
    (www / "x.bin").write_bytes(rawimage.image(bytes(100)))
    before = path.read_bytes()
    ended = update(porta, path, url + "x.bin", *args)
    assert ended.code == code and says in ended.err, ended
    assert path.read_bytes() == before


def test_what_was_asked_before_the_data_is_told(porta, device, site):
    """The application's client is gone when its data cannot be had."""
    path, (www, url) = device(), site
    (www / "x.bin").write_bytes(rawimage.image(bytes(100)))
    ended = update(porta, path, url + "x.bin", "--data", f"nope={url}x.bin",
                   "--json")
    assert ended.code == 1, ended
    said = ended.json
    assert (said["requests"], said["connections"]) == (1, 1), said
    assert said["host"] and said["port"] > 0, said
