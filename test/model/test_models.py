"""The models hold, notice a fault, and decide as the code does.

What a model says of itself is checked by Spin in every state; whether it is a
model of this code is checked row by row: both print all that they decide."""
import os
import pathlib
import shutil
import subprocess

import pytest

MODELS = pathlib.Path(__file__).resolve().parents[2] / "models"
PROGRAMS = pathlib.Path(os.environ["PORTA_TEST_PROGRAMS"])
DEEP = os.environ.get("PORTA_DEEP") == "1"

pytestmark = pytest.mark.skipif(
    not shutil.which("spin") or not shutil.which("gcc"),
    reason="Spin is not installed: make setup")

# What stands in the model, and what stands there in its place; each must be
# noticed. Only the first of a model is tried when time is short.
FAULTS = [
    ("boot", "flash_intent(1 - (i), r);", "skip;"),
    ("boot", "       flash_erase(i);\n",
     "       flash_done(1 - (i));\n       flash_erase(i);\n"),
    ("boot", "       flash_erase(redone);\n", ""),
    ("boot", "open[newest] -> v[1 - newest] = ent[newest]",
     "false -> skip"),
    ("boot", "    abort_pending(0);\n", ""),
    ("boot", "-> p[lead] = REC(SEQ(p[lead]), PENDING)", "-> skip"),
    ("boot", "want = 1 - cur;", "want = cur;"),
    ("session", "state == NONE && writer == NOBODY", "state == NONE"),
    ("session", "s == OPEN && call == LAST_BAD -> to = BROKEN",
     "s == OPEN && call == LAST_BAD -> to = WHOLE"),
    ("session", "s == BROKEN && call == FINISH -> to = ENDED",
     "s == BROKEN && call == FINISH -> to = ENDED; boots = 1"),
    ("session", "s == OPEN && call == FINISH -> to = ENDED",
     "s == OPEN && call == FINISH -> to = ENDED; told = GOES_ON"),
]
NAMES = ["boot", "session"]


def run(*args, cwd):
    done = subprocess.run([str(arg) for arg in args], cwd=cwd, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, f"{args}: {done.stdout}{done.stderr}"
    return done.stdout


def verify(folder, name):
    """(errors, states) of the model in this folder."""
    run("spin", "-a", f"{name}.pml", cwd=folder)
    run("gcc", "-O0", "-w", "-DSAFETY", "-o", "pan", "pan.c", cwd=folder)
    said = subprocess.run(["./pan", "-m1000000", "-n"], cwd=folder, text=True,
                          capture_output=True, check=False).stdout
    assert "Search not completed" not in said or "errors: 1" in said, said
    assert "max search depth too small" not in said, said
    words = said.split("errors: ")[1].split()
    return int(words[0]), int(words[1])


@pytest.fixture
def folder(tmp_path):
    for path in MODELS.glob("*.pml"):
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_holds(folder, name):
    errors, states = verify(folder, name)
    assert errors == 0 and states > 100
    print(f"{name}: {states} states")


@pytest.mark.parametrize("name, sound, faulty", [
    fault for i, fault in enumerate(FAULTS)
    if DEEP or fault[0] not in [other[0] for other in FAULTS[:i]]])
def test_notices(folder, name, sound, faulty):
    path = folder / f"{name}.pml"
    text = path.read_text()
    assert text.count(sound) == 1, "bring the fault up to date"
    path.write_text(text.replace(sound, faulty))
    assert verify(folder, name)[0] > 0


@pytest.mark.parametrize("name", NAMES)
def test_is_the_code(folder, name):
    said = run("spin", "-T", "-DTABLE", f"{name}.pml", cwd=folder)
    model = [line for line in said.splitlines() if "process" not in line]
    code = run(PROGRAMS / f"model_{name}_rows", cwd=folder).splitlines()
    assert len(model) > 10
    for row, (ours, theirs) in enumerate(zip(model, code)):
        assert ours == theirs, f"row {row}: the model, then the code"
    assert len(model) == len(code)
