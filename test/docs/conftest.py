"""Somebody who follows a page: in a folder of their own, with `porta` in the
PATH, on a port of their own."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
for folder in ("e2e", "budget"):
    sys.path.append(str(HERE.parent / folder))

import certs  # noqa: E402 (found by the lines above)
import nginx  # noqa: E402
from pages import ROOT  # noqa: E402
from ports import HeldPort  # noqa: E402

BIN = pathlib.Path(os.environ.get("PORTA_BIN", ROOT / "build/bin"))
SANITIZED = os.environ.get("PORTA_SANITIZE") == "1"
DEEP = os.environ.get("PORTA_DEEP") == "1"
strangers = pytest.mark.skipif(
    SANITIZED, reason="a sanitizer build is not for strangers: its programs "
    "do not fit the slots of the pages")
needs_nginx = pytest.mark.skipif(not nginx.find(),
                                 reason="nginx is not installed")

# The pages start servers on the port that is their default and give them a
# second; here the port is the reader's own, and a script waits for the address,
# and before that until the server that the page ended has let go of the port.
PORTS = re.compile(r"\b(8070|8443)\b")
SERVE = re.compile(r"(porta serve [^&#\n]*?) *&")
GONE = ("while (: </dev/tcp/127.0.0.1/{}) 2>/dev/null; do sleep 0.05; done; "
        "rm -f url.txt; ")
WAIT = "until [ -s url.txt ]; do kill -0 $! || exit 9; sleep 0.05; done"


class Reader:
    def __init__(self, home, prefix=None):
        self.folder, self.held = home, HeldPort()
        self.port = self.held.number
        self.path = [prefix / "bin"] if prefix else []
        self.env = {"PKG_CONFIG_PATH": f"{prefix}/lib/pkgconfig"} \
            if prefix else {}

    def mine(self, text):
        def serve(found):
            port = "" if "--port" in found[1] else f" --port {self.port}"
            return f"{GONE.format(self.port)}{found[1]}{port} > url.txt &"

        text = PORTS.sub(str(self.port), text)
        return SERVE.sub(serve, text).replace("sleep 1\n", WAIT + "\n")

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PORTS.sub(str(self.port), text))
        return path

    def ends(self, script, timeout=300, **env):
        """How it ended, with all that was said in stdout."""
        head = ("set -m\n"
                "trap 'kill $(jobs -p) 2>/dev/null || :; wait' EXIT\n")
        path = os.pathsep.join(map(str, [*self.path, BIN,
                                         os.environ["PATH"]]))
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c",
             head + self.mine(script)], cwd=self.folder, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=timeout, check=False,
            env={**os.environ, "HOME": str(self.folder), "PATH": path,
                 **self.env, **env})

    def run(self, *scripts, **more):
        """What they said, one after the other in one shell."""
        script = "".join(scripts)
        done = self.ends(script, **more)
        assert done.returncode == 0, script + done.stdout
        return done.stdout

    def image(self, name, version, size=20000, chip="esp32"):
        """An image of a program that nobody runs."""
        body = self.folder / "body"
        body.write_bytes(os.urandom(size))
        self.run(f"porta image create --chip {chip} --project app "
                 f"--version {version} --segment 0x3ffb0000:body -o {name}\n"
                 "rm body\n")
        return self.folder / name


@pytest.fixture
def reader(tmp_path):
    one = Reader(tmp_path)
    yield one
    end_nginx(tmp_path)


def end_nginx(folder):
    """One that a page starts, and that a failure did not let it end."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int((folder / "nginx.pid").read_text()), signal.SIGTERM)


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """What `cmake --install` makes of the build, as the README has it."""
    if SANITIZED:
        pytest.skip("a sanitizer build is not for strangers")
    folder = tmp_path_factory.mktemp("home") / ".local"
    subprocess.run(["cmake", "--install", BIN.parent, "--prefix", folder],
                   check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture
def stranger(tmp_path, prefix):
    """A reader who has installed porta."""
    return Reader(tmp_path, prefix)


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return certs.Pki(tmp_path_factory.mktemp("pki"))
