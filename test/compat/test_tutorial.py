"""docs/tutorial.md, from its first line to its last, as a reader would: its
files are written, its blocks run one after the other in one folder. Only the
port is another."""
import os
import re
import shutil
import socket
import subprocess

import pytest

from conftest import BIN, SANITIZED, SOURCE

PAGE = (SOURCE / "docs/tutorial.md").read_text()
PART = re.compile(r"^## ([^\n]*)|^`([\w./]+)`:\n\n```\w+\n(.*?)^```|"
                  r"^```sh\n(.*?)^```", re.S | re.M)
# What the page says that one sees: in which part, which block of it.
SEEN = {
    ("A device", 0): ["lamp 1, from factory", "Connection refused"],
    ("An update from nginx", 0): ["lamp 1, from factory", "lamp 2, from ota_0",
                                  "boots ota_0, lamp 2"],
    ("A release that crashes", 0): ["lamp 3, from ota_1", "signal 6",
                                    "given up", "ota_1     "],
    ("A release that crashes", 1): ["lamp 2, from factory",
                                    "lamp 3, from ota_0"],
    ("A release that crashes", 2): [],
    ("A bad server", 0): ["after 100000 of", "boots factory, lamp 1"],
    ("Power cuts", 0): ["power cut before flash operation 3\n",
                        "boots factory, lamp 1", "lamp 2, from ota_0"],
    ("Power cuts", 1): ["nothing was lost"],
    ("A project", 0): [],
    ("In CI", 0): ["4 passed, 0 failed"],
}


def parts():
    """[(heading, file, text)], file None: commands."""
    found, heading = [], ""
    for part in PART.finditer(PAGE):
        if part[1]:
            heading = part[1]
        elif part[2]:
            found.append((heading, part[2], part[3]))
        else:
            found.append((heading, None, part[4]))
    return found


@pytest.fixture(name="shell")
def made_shell(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(text):
        text = re.sub(r"(porta serve .*) &", r"\1 > url.txt &",
                      text.replace("8443", str(port))).replace(
            "sleep 1", "until [ -s url.txt ]; do sleep 0.05; done")
        script = ("set -e; set -m; rm -f url.txt\n"
                  "trap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n" + text)
        return subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=200,
            stdin=subprocess.DEVNULL, check=False,
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"})
    run.folder, run.port = tmp_path, port
    yield run
    pid = tmp_path / "nginx.pid"
    if pid.exists():  # a block before its end failed
        os.kill(int(pid.read_text()), 15)


def mine(text, port):
    """Another port; and nginx of root gives its workers away to a user who
    may not look into the folders of pytest."""
    if os.geteuid() == 0:
        text = text.replace("events {}", "user root;\nevents {}")
    return text.replace("8443", str(port))


@pytest.mark.skipif(SANITIZED, reason="a sanitized program does not fit the "
                    "slots of the page")
@pytest.mark.skipif(not shutil.which("/usr/sbin/nginx"),
                    reason="nginx is not installed")
def test_the_page_from_first_to_last(shell):
    cnt = {}
    for heading, name, text in parts():
        if name:
            path = shell.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(mine(text, shell.port))
            continue
        idx = cnt[heading] = cnt.get(heading, -1) + 1
        done = shell(text)
        assert done.returncode == 0, text + done.stdout
        for words in SEEN[heading, idx]:
            assert words in done.stdout, (words, text, done.stdout)
    assert sum(n + 1 for n in cnt.values()) == len(SEEN)
