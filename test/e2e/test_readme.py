"""The README does what it says: its first program and its commands, run as
they stand, on a free port."""

import os
import pathlib
import re
import subprocess

import pytest

import nginx
import rawimage
from conftest import BIN, SANITIZED

README = pathlib.Path(__file__).parents[2] / "README.md"
PORTUGUESE = README.with_suffix(".pt-BR.md")


WAIT = "until [ -s url.txt ]; do sleep 0.05; done\n"


def fences(page=README):
    return re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(), re.S | re.M)


def blocks(kind):
    return [text for name, text in fences() if name == kind]


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    if SANITIZED:
        pytest.skip("a sanitizer build is not for strangers")
    folder = tmp_path_factory.mktemp("home") / ".local"
    subprocess.run(["cmake", "--install", os.path.dirname(BIN), "--prefix",
                    folder], check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture
def shell(prefix, tmp_path):
    port = str(nginx.free_port())

    def run(script):
        done = subprocess.run(
            ["bash", "-e", "-m", "-c", script.replace("8070", port)],
            text=True, capture_output=True, cwd=tmp_path, timeout=120,
            env={**os.environ, "HOME": str(prefix.parent),
                 "PATH": f"{prefix}/bin:{os.environ['PATH']}",
                 "PKG_CONFIG_PATH": f"{prefix}/lib/pkgconfig"})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    (program,) = blocks("c")
    (tmp_path / "hello.c").write_text(program.replace("8070", port))
    run.serve = (f"porta serve www --quiet --port {port} > url.txt &\n" +
                 WAIT)
    return run


def test_the_first_program_updates_itself(shell):
    script = "".join(blocks("sh")[2:5])
    serve = "porta serve www --quiet &\nsleep 1\n"
    assert serve in script
    out = shell("trap 'kill %1 2>/dev/null || true' EXIT\n" +
                script.replace(serve, shell.serve))
    assert "version 1 runs from factory" in out
    assert "version 2 runs from ota_0" in out
    assert "boots ota_0" in out and "hello 2" in out


def test_the_commands_for_real_chips(shell, tmp_path):
    (tmp_path / "firmware.bin").write_bytes(rawimage.image(version="1"))
    (tmp_path / "www").mkdir()
    (tmp_path / "www/new.bin").write_bytes(rawimage.image(version="2"))
    out = shell("trap 'kill %1' EXIT\n" + shell.serve +
                blocks("sh")[5])
    assert "esp32" in out and "boots ota_0" in out
    assert "ota_0 is confirmed" in out


def test_every_folder_it_names_exists():
    (tree,) = [b for b in blocks("") if b.startswith("include/")]
    root = README.parent
    for line in tree.splitlines():
        for name in line[:20].split():
            assert (root / name).is_dir(), name
    for name in re.findall(r"`(src/[\w/]+\.c)`", README.read_text()):
        assert (root / name).is_file(), name


def test_it_says_the_same_in_portuguese():
    said = [f for f in fences() if not f[1].startswith("include/")]
    assert len(said) > 5 and fences(PORTUGUESE) == said
    for page in README, PORTUGUESE:
        for name in re.findall(r"\]\(([^)]+)\)", page.read_text()):
            assert (page.parent / name).is_file(), name
    tables = [re.findall(r"^\|", page.read_text(), re.M)
              for page in (README, PORTUGUESE)]
    assert len(tables[0]) == len(tables[1])


def test_the_demo_it_shows(porta):
    (shown,) = blocks("text")
    said = porta("demo").out.splitlines()[:-1]
    assert len(said) == len(shown.splitlines())
    for ours, line in zip(shown.splitlines(), said):
        assert line.startswith(ours), (ours, line)
