"""docs/board.md: its commands, run as they stand on the board that was
built."""
import os
import pathlib
import shutil
import subprocess
import sys

from conftest import APPS, BIN

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "docs"))
import pages  # noqa: E402 (found by the line above)

PAGE = pages.Page("docs/board.md")


def test_the_first_lines(tmp_path):
    build, enter, create, run = PAGE.block(
        "The board: the same code without an operating system").splitlines()
    assert build == "make board"
    assert enter == f"cd build/boards/{APPS.name}"
    shutil.copy(APPS / "simple-1.bin", tmp_path)
    done = subprocess.run(
        ["sh", "-c", f"{create} && {run}"], cwd=tmp_path, text=True,
        capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=60,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"})
    assert "version 1" in done.stdout, done
