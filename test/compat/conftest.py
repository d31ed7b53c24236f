"""ESP-IDF projects under test: copies that are built, and devices that run
what was built."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import certs  # noqa: E402 (found by the line above)

SOURCE = HERE.parent.parent
BIN = pathlib.Path(os.environ.get("PORTA_BIN", SOURCE / "build/bin"))
PROJECTS = SOURCE / "examples/projects"
SANITIZED = os.environ.get("PORTA_SANITIZE") == "1"
# Programs with sanitizers in them outgrow the slots of a real project.
ROOMY = """CONFIG_ESPTOOLPY_FLASHSIZE_32MB=y
CONFIG_PARTITION_TABLE_CUSTOM=y
CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="{}"
"""
ROOMY_TABLE = """nvs, data, nvs, , 0x6000
otadata, data, ota, , 0x2000
phy_init, data, phy, , 0x1000
emul_efuse, data, 5, , 0x2000
storage, data, undefined, , 0x8000
ota_0, app, ota_0, , 12M
ota_1, app, ota_1, , 12M
"""


class Ended:
    """How a command ended, or what a device said until it was stopped."""

    def __init__(self, code, out, err=""):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit {self.code}\nout: {self.out}\nerr: {self.err}"


def run(*words, env=None, **more):
    done = subprocess.run([str(w) for w in words], text=True, errors="replace",
                          capture_output=True, check=False,
                          env={**os.environ, **(env or {})}, **more)
    return Ended(done.returncode, done.stdout, done.stderr)


def porta(*words, ok=True, **more):
    ended = run(BIN / "porta", *words, **more)
    assert not ok or ended.code == 0, ended
    return ended


class Project:
    """A copy of a project directory, and its build folder beside it."""

    def __init__(self, folder, source):
        self.dir, self.out = folder / source.name, folder / "out"
        shutil.copytree(source, self.dir)
        self.before = self.snapshot()

    def snapshot(self):
        return {p: (p.read_bytes() if p.is_file() else None)
                for p in sorted(self.dir.rglob("*"))}

    def write(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.before = self.snapshot()
        return path

    def build(self, *words, ok=True, out=None, env=None):
        """Ends as `porta build` ended, and the project is as it was."""
        ended = porta("build", self.dir, "-o", out or self.out, *words, ok=ok,
                      env=env, stdin=subprocess.DEVNULL)
        assert self.snapshot() == self.before, "the project was changed"
        return ended

    def config(self, name, out=None):
        """What sdkconfig.h says of an option; None: nothing."""
        text = ((out or self.out) / "config/sdkconfig.h").read_text()
        for line in text.splitlines():
            words = line.split(None, 2)
            if words[:2] == ["#define", "CONFIG_" + name]:
                return words[2]
        return None

    @property
    def flash(self):
        return self.out / "flash.bin"


def roomy(folder, project, defaults=()):
    """The words that give a sanitized program room; for others none."""
    files = [str(project.dir / f) for f in defaults] or \
        [str(f) for f in [project.dir / "sdkconfig.defaults"] if f.exists()]
    if SANITIZED:
        table = folder / "roomy.csv"
        table.write_text(ROOMY_TABLE)
        extra = folder / "roomy.defaults"
        extra.write_text(ROOMY.format(table))
        files.append(str(extra))
    elif not defaults:
        return []
    return ["-D", "SDKCONFIG_DEFAULTS=" + ";".join(files)]


def device(flash, *words, env=None, feed=None, timeout=300):
    """The board until it ends by itself."""
    return porta("device", flash, *words, ok=False, env=env,
                 input=feed or "", timeout=timeout)


class Watched:
    """A board that runs until a text is read."""

    def __init__(self, flash, *words, env=None, feed=None):
        self.process = subprocess.Popen(
            [BIN / "porta", "device", flash, "--max-time", "120",
             *map(str, words)], text=True, errors="replace",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
        if feed:
            self.process.stdin.write(feed)
        self.process.stdin.close()
        self.said = ""

    def until(self, text):
        for line in self.process.stdout:
            self.said += line
            if text in line:
                return self.said
        raise AssertionError(f"the device never said {text!r}:\n{self.said}")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.stdout.close()
        self.process.wait(timeout=20)


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return certs.Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def project(tmp_path):
    """project(source) -> a copy"""
    def make(source):
        return Project(tmp_path, pathlib.Path(source))
    return make
