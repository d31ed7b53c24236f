"""docs/board.md: its commands, run as they stand on the board that was
built."""
import os
import pathlib
import shutil
import subprocess
import sys

from conftest import APPS, BIN, app
from test_network import needs_own

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "docs"))
import pages  # noqa: E402 (found by the line above)

PAGE = pages.Page("docs/board.md")


def run(script, folder):
    done = subprocess.run(
        ["sh", "-ec", script], cwd=folder, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False,
        timeout=90, errors="replace",
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"})
    return done.stdout


def test_the_first_lines(tmp_path):
    build, enter, create, start = PAGE.block(
        "The board: the same code without an operating system").splitlines()
    assert build == "make board"
    assert enter == f"cd build/boards/{APPS.name}"
    shutil.copy(APPS / "simple-1.bin", tmp_path)
    assert "version 1" in run(f"{create}\n{start}\n", tmp_path)


@needs_own
def test_a_server_beside_it(board, pki, tmp_path):
    cert, key = pki.server(hosts=("ota.test",))
    shutil.copy(cert, tmp_path / "server.pem")
    shutil.copy(key, tmp_path / "server.key")
    (tmp_path / "www").mkdir()
    shutil.copy(app("ota-2"), tmp_path / "www/fw.bin")
    board.make(ota_0="ota-1")
    board.settings(pki.ca, url="https://ota.test/fw.bin")
    shutil.copy(board.flash, tmp_path / "dev.bin")
    said = run(PAGE.block("One emulator per boot"), tmp_path)
    assert "RUNS version=2 slot=ota_1" in said, said
    assert "GET /fw.bin 200" in (tmp_path / "dev.bin.run/server.log") \
        .read_text()
