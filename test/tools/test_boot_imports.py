"""The check of the bootloader's symbols finds what it is there for."""
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECK = ROOT / "tools/check_boot_imports.sh"

ROWS = [
    ("a program that only returns", "int main(void) { return 0; }", 0),
    ("an allocation", "#include <stdlib.h>\n"
     "int main(void) { return malloc(1) == 0; }", 1),
    ("a socket", "#include <sys/socket.h>\n"
     "int main(void) { return socket(1, 1, 1); }", 1),
    ("the slot writer", "int slot_open(void) { return 0; }\n"
     "int main(void) { return slot_open(); }", 1),
    ("a name that only resembles one",
     "int bootslot_open(void) { return 0; }\n"
     "int main(void) { return bootslot_open(); }", 0),
]


@pytest.mark.parametrize("claim, text, want", ROWS)
def test_symbols(tmp_path, claim, text, want):
    (tmp_path / "a.c").write_text(text)
    subprocess.run(["gcc", "-o", tmp_path / "a", tmp_path / "a.c"], check=True)
    run = subprocess.run([CHECK, tmp_path / "a"], capture_output=True,
                         text=True, check=False)
    assert run.returncode == want, claim + run.stdout


def test_a_stripped_program_is_not_taken_for_a_clean_one(tmp_path):
    (tmp_path / "a.c").write_text(ROWS[0][1])
    subprocess.run(["gcc", "-s", "-o", tmp_path / "a", tmp_path / "a.c"],
                   check=True)
    run = subprocess.run([CHECK, tmp_path / "a"], capture_output=True,
                         check=False)
    assert run.returncode == 1


def test_no_bootloader_is_skipped(tmp_path):
    run = subprocess.run([CHECK, tmp_path / "a"], capture_output=True,
                         check=False)
    assert run.returncode == 77
