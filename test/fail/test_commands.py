"""Each allocation and each system call of whole commands fails in turn: what
they leave behind is whole, or nothing; docs/failures.md.

make test takes some of them, PORTA_DEEP all."""

import collections
import functools
import http.client
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading

import pytest

import failing
from failing import BIN, Bench, Ended, run, snapshot

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
import rawimage  # noqa: E402 (found by the line above)
from ports import HeldPort  # noqa: E402

OLD = rawimage.image(bytes(9000), version="1")
NEW = rawimage.image(bytes(range(256)) * 180, version="2")
CUT = 30000
TABLE = ("otadata, data, ota, 0x9000, 0x2000\n"
         "ota_0, app, ota_0, 0x10000, 64K\n"
         "ota_1, app, ota_1, 0x20000, 64K\n")

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="LD_PRELOAD is Linux's")


def ok(*words):
    ended = run(words)
    assert ended.code == 0, ended
    return ended


class Serve:
    """`porta serve` on a port of its own, without faults in it."""

    def __init__(self, www, certs, *more, port=0, env=None):
        self.process = subprocess.Popen(
            [os.path.join(BIN, "porta"), "serve", www, "--cert-dir",
             certs, "--port", str(port), *more],
            text=True, errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, **(env or {})})
        self.ca = os.path.join(certs, "ca.pem")
        self.watch = threading.Timer(failing.TIME, self.process.kill)
        self.watch.start()
        self.url = self.process.stdout.readline().strip()
        self.port = self.url.rstrip("/").rsplit(":", 1)[-1]

    def __enter__(self):
        self.watch.cancel()
        assert self.url, self.end()
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.process.terminate()
        out, err = self.process.communicate()
        self.watch.cancel()
        return Ended(self.process.returncode, out, err)


World = collections.namedtuple("World", "top server")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A server that is not failed, and what the commands work on."""
    top = tmp_path_factory.mktemp("world")
    for name, data in ("old", OLD), ("new", NEW):
        (top / name).write_bytes(data)
    (top / "table").write_text(TABLE)
    (top / "www").mkdir()
    (top / "www/fw.bin").write_bytes(NEW)
    ok("flash", "create", "-o", top / "flash", "--chip", "esp32", "--size",
       "256K", "--table", top / "table", "--app", f"ota_0={top / 'old'}")
    ok("reset", top / "flash", "--json")
    shutil.copy(top / "flash", top / "half")
    # The same URL for both, or nothing would be gone on with.
    with HeldPort() as held:
        with Serve(top / "www", top / "certs", "--quiet", "--fault",
                   f"truncate@{CUT}", port=held.number) as server:
            assert run(words_of_update(server, top / "half")).code == 1
        with Serve(top / "www", top / "certs", "--quiet",
                   port=held.number) as server:
            yield World(top, server)


def words_of_update(server, flash):
    return ["update", flash, f"https://localhost:{server.port}/fw.bin",
            "--cacert", server.ca, "--chip-rev", "100", "--json"]


@functools.lru_cache(maxsize=None)
def boots(flash):
    """What the bootloader says to these bytes."""
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"),
                        f"porta-fail-{os.getpid()}")
    with open(path, "wb") as f:
        f.write(flash)
    try:
        ended = ok("explain", path, "--json")
    finally:
        os.unlink(path)
    return "ota_0" if '"boot":"ota_0"' in ended.out else \
        "ota_1" if '"boot":"ota_1"' in ended.out else ended.out


def finish(capsys, name, bench, count):
    with capsys.disabled():
        print(f"\n# {name}: {count}")
    assert not bench.found, "\n".join(
        [f"{len(bench.found)} faults were not borne:", *bench.found[:40]])
    assert count.fired == count.armed > 0, count


# --- update -------------------------------------------------------------------

class Update:
    """The old application boots, or the whole new one, and what is kept for
    the next session is whole; that one then succeeds."""

    def __init__(self, world, start):
        self.world, self.start = world, start

    def scene(self, folder):
        for name, data in self.start.items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(data)
        return self.words(folder)

    def words(self, folder):
        return words_of_update(self.world.server, os.path.join(folder, "flash"))

    def check(self, folder, ended, harmless):
        left = snapshot(folder)
        assert set(left) <= {"flash", "flash.porta"}, sorted(left)
        boot = boots(left["flash"])
        assert boot == "ota_1" or boot == "ota_0" and ended.code, (boot, ended)
        if boot == "ota_1":
            assert left["flash"][0x20000:].startswith(NEW), "not whole"
        elif failing.again():
            again = run(self.words(folder))
            assert again.code == 0, again
            after = snapshot(folder)["flash"]
            assert boots(after) == "ota_1", again


def test_update(world, capsys):
    update = Update(world, {"flash": (world.top / "flash").read_bytes()})
    bench = Bench(update.scene, update.check)
    finish(capsys, "porta update", bench, bench.all())


def test_resumed_update(world, tmp_path, capsys):
    """Half of the file is there from an earlier session."""
    start = {"flash": (world.top / "half").read_bytes(),
             "flash.porta": (world.top / "half.porta").read_bytes()}
    update = Update(world, start)
    whole = run(update.scene(tmp_path))
    assert f'"resumed_from":{CUT // 4096 * 4096}' in whole.out, whole
    # Its allocations are those of an update that begins anew.
    bench = Bench(update.scene, update.check, step=29)
    finish(capsys, "porta update, resumed", bench, bench.all())


# --- commands that make a file --------------------------------------------------

class Maker:
    """The file is there and as it should be, or not at all; what it was made
    of is untouched; nothing else is there."""

    def __init__(self, start, words, out="out"):
        self.start, self.words, self.out = start, words, out

    def scene(self, folder):
        for name, data in self.start.items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(data)
        return self.words_in(folder)

    def words_in(self, folder):
        """A word NAME or X=NAME or X:NAME names a file of the scene."""
        names = "|".join(map(re.escape, {*self.start, self.out}))
        return [re.sub(f"^(|.*[:=])({names})$",
                       lambda m: m[1] + os.path.join(folder, m[2]), word)
                for word in self.words]

    def check(self, folder, ended, harmless):
        left = snapshot(folder)
        made = left.pop(self.out, None)
        before = {n: d for n, d in self.start.items() if n != self.out}
        assert left == before, sorted(left)
        if made == self.start.get(self.out):
            assert ended.code == 1, "nothing was made"
            if not failing.again():
                return
            again = run(self.words_in(folder))
            assert again.code == 0, again
        # Whoever could not say that he made it made it all the same.
        self.judge(folder, snapshot(folder)[self.out])

    def judge(self, folder, made):
        assert made == self.expected(), len(made)

    @functools.lru_cache(maxsize=1)
    def expected(self):
        """What a run without faults makes: always the same."""
        with tempfile.TemporaryDirectory() as folder:
            ok(*self.scene(folder))
            return snapshot(folder)[self.out]


class Signer(Maker):
    """No two signatures are alike, but all of them are good."""

    def judge(self, folder, made):
        assert len(made) == len(self.expected())
        ok("image", "verify", os.path.join(folder, self.out), "--key",
           os.path.join(folder, "public"))


@pytest.fixture(scope="module")
def keys(world):
    ok("key", "new", "--scheme", "ecdsa256", "-o", world.top / "key")
    ok("key", "public", world.top / "key", "-o", world.top / "public")
    return {name: (world.top / name).read_bytes()
            for name in ("key", "public")}


def put_through(capsys, maker, name, **more):
    bench = Bench(maker.scene, maker.check, **more)
    finish(capsys, name, bench, bench.all())


def test_sign(keys, capsys):
    put_through(capsys, Signer({**keys, "app": OLD},
                               ["image", "sign", "--scheme", "ecdsa256",
                                "--key", "key", "app", "-o", "out"]),
                "porta image sign")


def test_sign_in_place_of_an_older_file(keys, capsys):
    """What was there before is still there, or it is the new one."""
    put_through(capsys, Signer({**keys, "app": OLD, "out": b"older"},
                               ["image", "sign", "--scheme", "ecdsa256",
                                "--key", "key", "app", "-o", "out"]),
                "porta image sign, over a file", most=1)


class Refused(Maker):
    """Nothing is made, and least of all out of this file."""

    def check(self, folder, ended, harmless):
        assert ended.code == 1 and snapshot(folder) == self.start, ended


def test_a_key_is_not_overwritten(keys, capsys):
    put_through(capsys, Refused({**keys, "app": OLD},
                                ["image", "sign", "--scheme", "ecdsa256",
                                 "--key", "key", "app", "-o", "key"], "key"),
                "porta image sign -o KEY", code=1)


def test_what_is_read_is_not_overwritten(world, capsys):
    flash = (world.top / "flash").read_bytes()
    put_through(capsys, Refused({"dev": flash},
                                ["flash", "map", "dev", "-o", "dev"], "dev"),
                "porta flash map -o FLASH", code=1)


def test_image_create(world, capsys):
    put_through(capsys, Maker({"body": bytes(4000)},
                              ["image", "create", "--chip", "esp32",
                               "--project", "p", "--version", "1",
                               "--segment", "0x20000000:body", "-o", "out"]),
                "porta image create")


def test_flash_create(world, capsys):
    put_through(capsys, Maker({"table": TABLE.encode(), "old": OLD},
                              ["flash", "create", "-o", "out", "--chip",
                               "esp32", "--size", "256K", "--table", "table",
                               "--app", "ota_0=old"]),
                "porta flash create")


# --- serve ----------------------------------------------------------------------

class Serving:
    """It does not start, with a sentence; or it serves until it is told to
    stop, and a single fault costs a single answer at most."""

    def __init__(self):
        self.answers = []

    def scene(self, folder):
        os.mkdir(os.path.join(folder, "www"))
        with open(os.path.join(folder, "www", "fw.bin"), "wb") as f:
            f.write(NEW)
        return folder

    def ask(self, server):
        context = ssl.create_default_context(cafile=server.ca)
        to = http.client.HTTPSConnection("localhost", server.port,
                                         timeout=failing.TIME, context=context)
        try:
            to.request("GET", "/fw.bin")
            return to.getresponse().read() == NEW
        except (OSError, http.client.HTTPException):
            return False
        finally:
            to.close()

    def go(self, folder, env):
        self.answers = []
        server = Serve(os.path.join(folder, "www"),
                       os.path.join(folder, "certs"), env=env)
        if server.url:
            self.answers = [self.ask(server) for _ in range(3)]
        return server.end()

    def check(self, folder, ended, harmless):
        right = self.answers.count(True)
        least = 0 if ended.code else 3 if harmless else 2
        assert right >= least and (right == 0) == (ended.code == 1), ended
        left = snapshot(folder)
        assert left.pop("www/fw.bin") == NEW
        assert set(left) <= {"certs/ca.pem", "certs/ca.key",
                             "certs/server.pem", "certs/server.key"}, sorted(left)
        if failing.again():
            server = Serve(os.path.join(folder, "www"),
                           os.path.join(folder, "certs"), "--quiet")
            with server:
                assert self.ask(server), "a second server does not serve"


def test_serve(capsys):
    serving = Serving()
    bench = Bench(serving.scene, serving.check, serving.go)
    finish(capsys, "porta serve", bench, bench.all())


# --- build ----------------------------------------------------------------------

# What porta build runs; its work is CMake's, and fails by itself elsewhere.
CMAKE = """#!/bin/sh
echo "-- $*"
test "$1" != --build ||
    echo '{"project":"p","version":"1","image":"i","flash":"f"}' \
        >"$2/project.json"
"""


class Build:
    """It says what it built, or why it did not; and the next one does."""

    def scene(self, folder):
        for name in "project", "bin":
            os.mkdir(os.path.join(folder, name))
        with open(os.path.join(folder, "project/CMakeLists.txt"), "w") as f:
            f.write("project(p)\n")
        with open(os.path.join(folder, "bin/cmake"), "w") as f:
            f.write(CMAKE)
        os.chmod(os.path.join(folder, "bin/cmake"), 0o755)
        return folder

    def go(self, folder, env):
        return run(["build", os.path.join(folder, "project"), "-o",
                    os.path.join(folder, "out")],
                   {**env, "PATH": os.path.join(folder, "bin") + os.pathsep +
                    os.environ["PATH"]})

    def check(self, folder, ended, harmless):
        assert set(snapshot(folder)) <= {"project/CMakeLists.txt", "bin/cmake",
                                         "out/project.json"}
        assert ("p 1: i" in ended.out) == (ended.code == 0) or \
            "standard output" in ended.err, ended
        if failing.again():
            assert self.go(folder, {}).out.startswith("p 1: i\n")


def test_build(capsys):
    build = Build()
    bench = Bench(build.scene, build.check, build.go)
    finish(capsys, "porta build", bench, bench.all())
