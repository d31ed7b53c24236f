"""What scripts depend on: exit statuses, JSON shapes, whole files."""

import json
import os
import shutil
import subprocess

import pytest

import rawimage

GOOD = rawimage.image()


def test_help_lists_every_verb(porta):
    text = porta.ok("help").out
    for verb in ("image", "table", "flash", "explain", "update", "confirm",
                 "rollback", "reset", "device", "serve", "demo"):
        assert verb in text


@pytest.mark.parametrize("verb", [
    "image create", "image info", "image verify", "table build",
    "table show", "flash create", "flash show", "flash read", "flash write",
    "flash erase", "explain", "update", "confirm", "rollback", "reset",
    "device", "serve", "demo"])
def test_help_page_with_an_example(porta, verb):
    text = porta.ok("help", *verb.split()).out
    assert f"porta {verb}" in text and "xample" in text


@pytest.mark.parametrize("args", [
    [], ["nonsense"], ["flash"], ["flash", "nonsense"], ["update"],
    ["update", "x"], ["explain"], ["explain", "a", "b"],
    ["explain", "--nonsense", "a"], ["flash", "create", "--size", "4Q"],
    ["image", "create", "--chip", "esp99", "-o", "x"]])
def test_wrong_command_lines_are_exit_2(porta, args):
    ended = porta(*args)
    assert ended.code == 2, ended
    assert ended.err and not ended.out.strip().startswith("{")


@pytest.mark.parametrize("args,name", [
    (["image", "sign", "--scheme", "v1", "x"], "sign"),
    (["torture", "f"], "torture")])
def test_what_is_missing_is_named(porta, args, name):
    ended = porta(*args)
    assert ended.code == 2 and name in ended.err, ended


def test_flash_show_and_explain_shapes(porta, flash):
    path = flash()
    shown = porta.ok("flash", "show", path, "--json").json
    assert isinstance(shown, dict)
    boots = porta.ok("explain", path, "--json").json
    assert set(boots) >= {"boot", "action", "reason", "writes", "fallbacks",
                          "otadata"}
    assert boots["boot"] == "ota_0" and boots["action"] == "boot"
    assert boots["otadata"][0] == {"seq": 1, "state": "VALID",
                                   "crc_ok": True}
    assert len(boots["otadata"]) == 2


def test_image_info_shape(porta, tmp_path):
    path = tmp_path / "i.bin"
    path.write_bytes(GOOD)
    info = porta.ok("image", "info", path, "--json").json
    assert info["chip"] == 0 and info["chip_name"] == "esp32"
    assert info["project"] == "demo" and info["version"] == "2"
    assert info["image_len"] == len(GOOD)
    assert info["checksum_ok"] is True and info["hash_ok"] is True
    assert info["signatures"] == []
    assert info["segments"][0] == {"load_addr": 0x20000000, "len": 256,
                                   "file_off": 32}


def test_image_without_hash_has_null(porta, tmp_path):
    path = tmp_path / "i.bin"
    path.write_bytes(rawimage.image(hashed=0))
    info = porta.ok("image", "info", path, "--json").json
    assert info["hash_ok"] is None
    porta.ok("image", "verify", path)


def test_create_equals_the_format(porta, tmp_path):
    """What porta packs, the other writer of the format packs alike."""
    body = bytes(range(256)) * 40
    (tmp_path / "body").write_bytes(body)
    out = tmp_path / "i.bin"
    porta.ok("image", "create", "--chip", "esp32", "--project", "demo",
             "--version", "2", "--segment", f"0x20100000:{tmp_path/'body'}",
             "-o", out)
    data = out.read_bytes()
    info = porta.ok("image", "info", out, "--json").json
    assert info["segments"][-1]["load_addr"] == 0x20100000
    off = info["segments"][-1]["file_off"]
    assert data[off:off + len(body)] == body
    porta.ok("image", "verify", out)


def test_table_round_trip(porta, tmp_path):
    for name in ("singleapp", "two_ota", "two_ota_large"):
        built = tmp_path / "t.bin"
        porta.ok("table", "build", name, "-o", built)
        text = porta.ok("table", "show", built).out
        (tmp_path / "t.csv").write_text(text)
        again = tmp_path / "t2.bin"
        porta.ok("table", "build", tmp_path / "t.csv", "-o", again)
        assert built.read_bytes() == again.read_bytes()


def test_outputs_appear_whole_or_not_at_all(porta, tmp_path):
    (tmp_path / "t.csv").write_text("a, app, ota_0, 0x10000, 1M\n"
                                    "b, app, ota_1, 0x20000, 1M\n")
    out = tmp_path / "t.bin"
    out.write_text("precious")
    ended = porta("table", "build", tmp_path / "t.csv", "-o", out)
    assert ended.code == 1, ended
    assert out.read_text() == "precious"
    assert sorted(os.listdir(tmp_path)) == ["t.bin", "t.csv"]
    ended = porta("flash", "create", "-o", tmp_path / "f.bin", "--chip",
                  "esp32", "--size", "1MB", "--table", "two_ota")
    assert ended.code == 1 and not (tmp_path / "f.bin").exists(), ended


def test_flash_read_write_erase(porta, flash, tmp_path):
    path = flash()
    data = tmp_path / "d"
    data.write_bytes(os.urandom(5000))
    porta.ok("flash", "write", path, "nvs", data)
    porta.ok("flash", "read", path, "nvs", tmp_path / "r")
    got = (tmp_path / "r").read_bytes()
    assert got[:5000] == data.read_bytes()
    porta.ok("flash", "erase", path, "nvs")
    porta.ok("flash", "read", path, "nvs", tmp_path / "r")
    assert set((tmp_path / "r").read_bytes()) == {0xff}
    assert porta("flash", "read", path, "nope", tmp_path / "r").code == 1


def test_flash_read_write_erase_in_json(porta, flash, tmp_path):
    path, data = flash(), tmp_path / "d"
    data.write_bytes(b"x" * 100)
    place = {"label": "nvs", "offset": 0x9000, "size": 0x6000}
    said = porta.ok("flash", "write", path, "nvs", data, "--json").json
    assert said == {**place, "file": str(data)}
    said = porta.ok("flash", "read", path, "nvs", tmp_path / "r", "--json").json
    assert said == {**place, "file": str(tmp_path / "r")}
    assert porta.ok("flash", "erase", path, "nvs", "--json").json == place
    ended = porta("flash", "erase", path, "nope", "--json")
    assert ended.code == 1 and ended.json["error"]["code"] == 0x105
    ended = porta("flash", "read", path, "nvs", "--json")
    assert ended.code == 2 and "standard output" in ended.err


def test_a_long_path_leaves_room_for_the_cause(porta, tmp_path):
    path = "/".join([str(tmp_path)] + ["d" * 200] * 15 + ["end.bin"])
    for args in (("flash", "show", path), ("image", "info", path)):
        ended = porta(*args)
        assert ended.code == 1 and "end.bin" in ended.err, ended
    assert "No such file" in ended.err


@pytest.mark.parametrize("args", [
    ["help"], ["help", "update"], ["--help"], ["--version"], ["flash", "-h"]])
def test_a_page_that_nobody_got_is_a_failure(porta, args):
    with open("/dev/full", "w") as full:
        done = subprocess.run([porta.path, *args], stdout=full, text=True,
                              stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1 and "standard output" in done.stderr, done


def test_confirm_and_rollback(porta, flash, image, tmp_path):
    path = flash()
    new = image(version="2")
    porta.ok("flash", "write", path, "ota_1", new)
    # Nothing to roll back to: ota_1 has no record.
    before = path.read_bytes()
    assert porta("rollback", path).code == 1
    assert path.read_bytes() == before
    porta.ok("confirm", path)  # already valid
    assert path.read_bytes() == before


def test_readonly_verbs_change_nothing(porta, flash, tmp_path):
    path = flash()
    before = path.read_bytes()
    for args in (["explain", path], ["flash", "show", path],
                 ["flash", "read", path, "ota_0", tmp_path / "r"]):
        porta.ok(*args)
    assert path.read_bytes() == before


def test_no_file_beside_the_flash_file_is_needed(porta, flash, tmp_path):
    path = flash()
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(path, alone / "f.bin")
    porta.ok("explain", alone / "f.bin")
    assert os.listdir(alone) == ["f.bin"]


def test_json_is_one_object(porta, flash):
    out = porta.ok("explain", flash(), "--json").out
    assert json.loads(out) and out.count("\n") == 1


@pytest.mark.parametrize("args", [
    ["update", "f.bin"], ["explain", "--no-such"], ["flash", "read", "f.bin"],
    ["update", "f.bin", "https://h/", "--tls-max", "9"],
    ["flash", "create", "--size", "x"]])
def test_a_wrong_command_line_is_told_in_json_too(porta, args):
    ended = porta(*args, "--json")
    assert ended.code == 2 and ended.out.count("\n") == 1, ended
    assert ended.json["error"]["stage"] == "args", ended
    assert ended.json["error"]["message"] in ended.err
    assert porta(*args).out == ""


@pytest.mark.parametrize("name", [b"\xff\xfe", b"\xc3", b"a\xed\xa0\x80"])
def test_names_that_are_no_text(porta, tmp_path, name):
    """RFC 8259, section 8.1: an object is UTF-8, whatever a file is called."""
    (tmp_path / "body").write_bytes(bytes(64))
    name = os.fsdecode(name)
    out = tmp_path / name
    made = porta("image", "create", "--chip", "linux", "--project", name,
                 "--version", "1", "--segment", f"0:{tmp_path / 'body'}",
                 "-o", out, "--json")
    assert made.code == 0 and os.path.exists(out), made
    assert set(made.json["project"]) <= set("a?"), made
    assert porta.ok("image", "info", out, "--json").json["project"]
    assert porta("explain", name, "--json").json["error"]["name"]


def test_a_terminal_is_not_steered(porta, tmp_path):
    (tmp_path / "body").write_bytes(bytes(64))
    said = porta.ok("image", "create", "--chip", "linux", "--project",
                    "\x1b[31mp", "--version", "1\n2", "--segment",
                    f"0:{tmp_path / 'body'}", "-o", tmp_path / "o").out
    assert ": ?[31mp 1?2 for linux" in said and said.count("\n") == 1


def test_no_folder_is_not_the_root(porta):
    """man1, bash and zsh were made there."""
    ended = porta("help", "--write", "")
    assert ended.code == 2 and "names no folder" in ended.err, ended


def test_what_is_too_much_is_not_repeated(porta):
    ended = porta("update", "f.bin", "stray", "https://u:s3cret@h/?t0ken")
    assert ended.code == 2 and "3 arguments" in ended.err, ended
    assert "s3cret" not in ended.err and "t0ken" not in ended.err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("verb", ["reset", "confirm", "rollback"])
def test_closed_streams_are_not_mistaken_for_the_flash(porta, flash, verb,
                                                       closed):
    path, twin = flash(), flash()
    shutil.copy(path, twin)
    porta(verb, twin)
    done = subprocess.run(f"{porta.path} {verb} {path} {closed}", shell=True,
                          capture_output=True)
    assert done.returncode in (0, 1)
    assert path.read_bytes() == twin.read_bytes()


def test_an_image_is_no_flash_file(porta, image):
    path = image()
    for verb in ("explain", "confirm", "update"):
        more = ["https://localhost:1/x"] if verb == "update" else []
        ended = porta(verb, path, *more)
        assert ended.code == 1, ended
        assert "is a firmware image" in ended.err
        assert "porta flash create" in ended.err


@pytest.mark.parametrize("url,words,hint", [
    ("https://localhost:1/x", [], "does the server run"),
    ("https://no-such-name.invalid/x", [], "--resolve HOST:PORT:ADDR"),
    ("SERVER", [], "give the server's CA with --cacert"),
    ("SERVER", ["--cacert", "OTHER"], "is --cacert the CA of this server?"),
    ("SERVER", ["--cacert", "CA"], "log in with --user"),
    ("SERVER", ["--cacert", "CA", "--user", "a:b"], "is the login right?")])
def test_a_failed_update_says_what_to_do(porta, pki, flash, tmp_path, url,
                                         words, hint):
    path, certs = flash(), tmp_path / "certs"
    (tmp_path / "www").mkdir()
    (tmp_path / "www/x").write_bytes(GOOD)
    with subprocess.Popen([porta.path, "serve", tmp_path / "www", "--port",
                           "0", "--cert-dir", certs, "--user", "dev:secret",
                           "--quiet"], stdout=subprocess.PIPE,
                          text=True) as server:
        place = server.stdout.readline().strip()
        try:
            known = {"CA": certs / "ca.pem", "OTHER": pki.ca}
            ended = porta("update", path, url.replace("SERVER", place + "x"),
                          *[known.get(w, w) for w in words], "--json")
        finally:
            server.terminate()
    assert ended.code == 1, ended
    assert hint in ended.json["error"]["message"], ended
    assert ended.json["error"]["message"] in ended.err
