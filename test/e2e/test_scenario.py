"""porta test: a team's scenario file, its results, and what is wrong in it."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import xml.etree.ElementTree as ET

import pytest

HEAD = 'flash = "device.bin"\nimage = "new.bin"\n'


@pytest.fixture(name="place")
def folder(flash, image, tmp_path):
    """A folder with device.bin, which runs version 1, and new.bin, version 2;
    place(text) writes a scenario into it."""
    home = tmp_path / "team"
    home.mkdir()
    shutil.copy(flash(app=image(version="1", size=60000)),
                home / "device.bin")
    shutil.copy(image(version="2", size=60000), home / "new.bin")

    def write(text, head=HEAD, name="scenario.toml"):
        (home / name).write_text(head + text)
        return home / name

    write.home = home
    return write


def one(server="normal", expect="", more=""):
    return (f'[[test]]\nname = "a test"\nserver = "{server}"\n{more}\n' +
            (f"expect = {{ {expect} }}\n" if expect else ""))


FAILS = 'update = "failed", stage = "{}", boot = "ota_0", again = "updated"'
SLOW = 'options = ["--stall-timeout", "2"]'

ROWS = [
    one("normal", 'update = "updated", boot = "ota_1", version = "2", '
        'state = "NEW"'),
    one("truncate@5000", FAILS.format("download")),
    one("stall@5000", FAILS.format("download"), SLOW),
    one("reset@5000", FAILS.format("download")),
    one("status=503", FAILS.format("http")),
    one("status=404", FAILS.format("http")),
    one("wrong-cert", FAILS.format("tls")),
    one("wrong-host", FAILS.format("tls")),
    one("absent", FAILS.format("connect")),
    one("redirect@2", 'update = "updated", boot = "ota_1"'),
    one("redirect@50", FAILS.format("http")),
    one("status=304", 'update = "not_modified", boot = "ota_0"'),
    one("normal", 'update = "updated", boot = "ota_0", version = "1"',
        'then = ["reset", "reset"]'),
    one("normal", 'update = "updated", boot = "ota_1", state = "VALID"',
        'then = ["reset", "confirm", "reset"]'),
    one("normal", 'boot = "ota_0", version = "1", again = "updated"',
        "power_cut = [1, 7, 30]"),
    one("normal", 'boot = "ota_0", again = "updated"', "power_cut = 3"),
    one("normal", 'update = "updated"', 'rate = "1M"'),
]


@pytest.mark.parametrize("text", ROWS)
def test_what_is_as_expected_passes(porta, place, text):
    before = (place.home / "device.bin").read_bytes()
    ended = porta("test", place(text), "--json")
    assert ended.code == 0, ended
    assert ended.json["result"] == "ok"
    test, = ended.json["tests"]
    assert test["ok"] and test["why"] is None and test["name"] == "a test"
    assert (place.home / "device.bin").read_bytes() == before
    assert sorted(os.listdir(place.home)) == ["device.bin", "new.bin",
                                              "scenario.toml"]


WRONG = [
    (one("normal", 'update = "failed"'), "ended with updated, failed was"),
    (one("truncate@5", 'update = "updated"'), "ended with failed, updated"),
    (one("wrong-cert", 'update = "failed", stage = "download"'),
     "failed in stage tls, download was expected"),
    (one("normal", 'boot = "ota_0"'), "ota_1 boots, ota_0 was expected"),
    (one("normal", 'version = "3"'), "version 2 boots, 3 was expected"),
    (one("normal", 'state = "VALID"'), "ota_1 is NEW, VALID was expected"),
    (one("normal", 'boot = "nothing"'), "ota_1 boots, nothing was"),
    (one("status=500", 'again = "not_modified"'),
     "tried again: the update ended with updated"),
    (one("normal", "", "power_cut = 5000"),
     "power_cut 5000: the cut did not happen"),
    (one("normal", 'boot = "ota_0"', 'power_cut = 1\noptions = ["--help"]'),
     "power_cut 1: the update did not begin"),
    (one("status=404", "", 'then = ["rollback"]'), "then rollback: "),
    (one("stall@100", "", "time_limit = 1"), "did not end within 1 s"),
    (one("normal", 'update = "updated"', 'options = ["--nonsense"]'),
     "unknown option --nonsense"),
    (one("truncate@5000", 'boot = "ota_0", version = "1"',
         'options = ["--stal-timeout", "1"]'),
     "did not begin (exit status 2): unknown option --stal-timeout"),
    (one("truncate@5000", 'boot = "ota_0", version = "1"',
         'options = ["--help"]'),
     "did not begin (exit status 0), look at its options"),
    (one("truncate@5000", 'update = "failed"', 'options = ["--user", "x"]'),
     "did not begin (exit status 2)"),
    ('[[test]]\nname = "a test"\ntorture = true\noptions = ["--help"]\n',
     "the torture failed"),
    (one("normal", "", 'image = "/dev/zero"'), "/dev/zero is not a regular"),
    (one("normal", "", 'flash = "."'), "is not a regular file"),
    (one("normal", "", 'image = "absent.bin"'), "absent.bin"),
    (one("normal", "", 'flash = "new.bin"'), "a copy of new.bin, which is"),
]


@pytest.mark.parametrize("text,why", WRONG)
def test_what_is_not_as_expected_fails(porta, place, text, why):
    ended = porta("test", place(text), "--json")
    assert ended.code == 1, ended
    test, = ended.json["tests"]
    assert not test["ok"] and why in test["why"], test
    ended = porta("test", place.home / "scenario.toml")
    assert ended.code == 1 and "FAILED a test" in ended.out
    assert ended.out.endswith("0 passed, 1 failed\n") and why in ended.out


@pytest.mark.parametrize("key", ["flash", "image"])
@pytest.mark.parametrize("more", ["", "torture = true"])
def test_a_pipe_is_not_waited_for(porta, place, key, more):
    os.mkfifo(place.home / "pipe")
    ended = porta("test", place(one("normal", "", f'{key} = "pipe"\n{more}')),
                  timeout=20)
    assert ended.code == 1 and "pipe is not a regular file" in ended.out


def child_of(process):
    """The update that porta test runs, once it does."""
    path = f"/proc/{process.pid}/task/{process.pid}/children"
    while process.poll() is None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for child in pathlib.Path(path).read_text().split():
                words = pathlib.Path(f"/proc/{child}/cmdline").read_bytes()
                if b"update" in words:
                    return int(child)
        time.sleep(0.005)
    pytest.fail("it ended before there was an update")
    return 0


def test_long_work_says_that_it_goes_on(porta, place):
    """Every three seconds, off a terminal; --quiet says nothing."""
    path = place(one("stall@100", "", "time_limit = 5"))
    ended = porta("test", path)
    assert re.fullmatch("porta test: 1 of 1, a test: [345] s\n", ended.err)
    assert "did not end within 5 s" in ended.out
    assert porta("test", path, "--quiet").err == ""


@pytest.mark.parametrize("sig", [signal.SIGUSR1, signal.SIGKILL])
@pytest.mark.parametrize("more", ["", "power_cut = 3000"])
def test_another_death_is_no_power_cut(porta, place, more, sig):
    path = place(one("stall@100", 'boot = "ota_0"', more))
    with porta.start("test", path, stdout=subprocess.PIPE) as process:
        os.kill(child_of(process), sig)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert f"the update died of signal {sig.value}\n" in out


@pytest.mark.parametrize("spared", ["scenario.toml", "device.bin", "new.bin",
                                    "link"])
def test_results_do_not_replace_what_is_tested(porta, place, spared):
    path = place(one())
    (place.home / "link").symlink_to("device.bin")
    before = (place.home / spared).read_bytes()
    ended = porta("test", path, "--junit", place.home / spared)
    assert ended.code == 1 and "is not overwritten" in ended.err, ended
    assert (place.home / spared).read_bytes() == before and not ended.out


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM,
                                 signal.SIGHUP])
def test_a_signal_leaves_nothing_behind(porta, place, tmp_path, sig):
    (tmp_path / "tmp").mkdir()
    path = place(one("stall@100"))
    with porta.start("test", path, "--junit", tmp_path / "tmp/r.xml",
                     stderr=subprocess.PIPE,
                     env={"TMPDIR": str(tmp_path / "tmp")}) as process:
        update = child_of(process)
        assert len(os.listdir(tmp_path / "tmp")) == 1
        process.send_signal(sig)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 1 and "interrupted in test 'a test'" in err
    assert not os.listdir(tmp_path / "tmp")
    with pytest.raises(ProcessLookupError):
        os.kill(update, 0)


def test_a_long_name_of_the_temporary_folder(porta, place, tmp_path):
    tmp = tmp_path / ("a" * 120) / ("b" * 200)
    path = place(one("status=404", 'update = "failed", again = "updated"'))
    ended = porta("test", path, env={"TMPDIR": str(tmp)})
    assert ended.code == 1 and "bbb (TMPDIR): No such" in ended.err
    tmp.mkdir(parents=True)
    porta.ok("test", path, env={"TMPDIR": str(tmp)})
    assert not os.listdir(tmp)
    ended = porta("test", path, env={"TMPDIR": "/" * 5000})
    assert ended.code == 1 and "(TMPDIR): File name too long" in ended.err


@pytest.mark.parametrize("name", ["", "."])
def test_a_bad_name_for_results_is_refused_first(porta, place, name):
    ended = porta("test", place(one()), "--junit", name)
    assert ended.code == 1 and "is not the name of a file" in ended.err
    assert not ended.out


REFUSED = [
    ("", "there is no test"),
    ("[[test]]\n", "test 1 has no name"),
    ("[[test]]\nname = 3\n", "name is to be a text"),
    (one("sideways"), "there are normal, wrong-cert"),
    (one("normal", 'boots = "x"'), "no key 'boots', did you mean boot?"),
    (one("normal", 'update = "maybe"'), "none of its words"),
    (one("normal", "", 'powercut = 3'), "did you mean power_cut?"),
    (one("normal", "", 'power_cut = 0'), "whole number"),
    (one("normal", "", 'power_cut = [1, "2"]'), "whole number"),
    (one("normal", "", 'power_cut = 1.5'), "whole number"),
    (one("normal", "", "power_cut = [" + "1," * 65 + "]"), "more than 64"),
    (one("normal", "", "power_cut = []"), "power_cut has no number"),
    (one("normal", "", 'then = ["explode"]'), "reset, confirm or rollback"),
    (one("normal", "", 'options = "-x"'), "list of texts"),
    (one("normal", "", 'rate = "fast"'), "no size"),
    (one("normal", "", 'time_limit = 100000'), "at most 3600"),
    (one("normal", "", 'torture = 1'), "true or false"),
    (one("truncate", "", 'torture = true'), "a test by itself"),
    (one("normal", 'stage = "tls"'), "a stage is of update"),
    (one("normal", 'update = "updated"', "power_cut = 1"), "no result"),
    ("[[test]\n", "line 3"),
    ('flash = "again"\n', "line 3"),
    ("x = \"\x01\"\n", "line 3"),
    ("a = " + "[" * 400, "line 3"),
]


@pytest.mark.parametrize("text,why", REFUSED)
def test_what_is_not_understood_is_refused(porta, place, text, why):
    ended = porta("test", place(text), "--json")
    assert ended.code == 2, ended
    assert why in ended.json["error"]["message"], ended
    assert "scenario.toml" in ended.err


def test_a_scenario_needs_its_files(porta, place, tmp_path):
    ended = porta("test", place(one(), head='flash = "f"\n'))
    assert ended.code == 2 and "there is no image" in ended.err
    ended = porta("test", tmp_path / "none.toml")
    assert ended.code == 1 and "none.toml" in ended.err
    (tmp_path / "big.toml").write_bytes(b"#" * 300000)
    assert porta("test", tmp_path / "big.toml").code == 1


def cases(path):
    suite = ET.parse(path).getroot().find("testsuite")
    found = list(suite)
    assert int(suite.get("tests")) == len(found)
    for kind in ("failure", "skipped"):
        attr = "failures" if kind == "failure" else kind
        assert int(suite.get(attr)) == sum(
            c.find(kind) is not None for c in found)
    return found


def test_junit(porta, place, tmp_path):
    out = tmp_path / "r.xml"
    text = (one("normal", 'update = "updated"') +
            '[[test]]\nname = "<&\\">\\u0007"\nserver = "status=404"\n'
            'expect = { update = "updated" }\n')
    ended = porta("test", place(text), "--junit", out)
    assert ended.code == 1, ended
    good, bad = cases(out)
    assert good.get("name") == "a test" and good.find("failure") is None
    assert bad.get("name") == '<&">?'
    assert "ended with failed" in bad.find("failure").get("message")
    assert float(good.get("time")) > 0
    ended = porta("test", place(text), "--junit", tmp_path / "no/r.xml")
    assert ended.code == 1 and "no/r.xml" in ended.err


def test_one_of_many(porta, place):
    text = one("normal", 'update = "failed"') + one().replace("a test", "b")
    ended = porta("test", place(text), "--only", "b", "--json")
    assert ended.code == 0 and len(ended.json["tests"]) == 1
    ended = porta("test", place(text), "--only", "c")
    assert ended.code == 2 and "no such test" in ended.err


def test_quiet_shows_failures_only(porta, place):
    text = one("normal", 'update = "failed"') + one().replace("a test", "b")
    ended = porta("test", place(text), "--quiet")
    assert "FAILED a test" in ended.out and "ok" not in ended.out


def small(place, porta, image):
    """A device whose torture takes seconds."""
    porta.ok("flash", "create", "-o", place.home / "device.bin", "--chip",
             "esp32", "--size", "4MB", "--app", f"ota_0={image()}")
    porta.ok("reset", place.home / "device.bin")


def test_torture_in_a_scenario(porta, place, image):
    small(place, porta, image)
    shutil.copy(image(version="2", size=4000), place.home / "new.bin")
    ended = porta("test", place('[[test]]\nname = "all cuts"\n'
                                "torture = true\n"), "--json", timeout=300)
    assert ended.code == 0, ended
    (place.home / "new.bin").write_bytes(b"no image")
    ended = porta("test", place.home / "scenario.toml", "--json", timeout=300)
    assert ended.code == 1 and ended.json["tests"][0]["why"], ended


def test_torture_junit(porta, flash, image, tmp_path):
    out = tmp_path / "t.xml"
    new = image(version="2", size=4000)
    ended = porta("torture", flash(), "--image", new, "--json", "--junit", out,
                  timeout=300)
    assert ended.code == 0, ended
    found = cases(out)
    assert not [c for c in found if c.find("failure") is not None]
    runs = sum(cell["runs"] for p in ended.json["paths"]
               for cell in p["cells"])
    told = sum(int(c.get("name").split(": ")[1].split()[0]) for c in found
               if ": " in c.get("name"))
    assert told == runs > 100
    assert found[-1].get("name") == "all runs"
    left_out = [p["path"] for p in ended.json["paths"] if p["not_here"]]
    assert [c.get("classname") for c in found
            if c.find("skipped") is not None] == [
                f"porta.torture.{p}" for p in left_out]
