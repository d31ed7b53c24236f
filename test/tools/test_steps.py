"""What runs many things runs all of them, whatever one of them does, and says
how many failed."""
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAKE = """#!/bin/sh
echo "$*" >> "$FAKE_LOG"
case "$*" in
*"$FAKE_FAILS"*) echo "4 passed, 2 failed"; exit 2 ;;
*) echo "5 passed, 0 failed" ;;
esac
"""


def bash(command, **more):
    return subprocess.run(["bash", "-c", command], capture_output=True,
                          text=True, cwd=ROOT, check=False, **more)


@pytest.mark.parametrize("steps, last, code", [
    ("step a true; step b true", "2 passed, 0 failed", 0),
    ("step a false; step b true", "1 passed, 1 failed", 1),
    ("step a echo 7 passed, 0 failed; step b true", "8 passed, 0 failed", 0),
    ("step a sh -c 'echo 7 passed, 0 failed; exit 1'", "7 passed, 1 failed", 1),
    ("step a sh -c 'echo 7 passed, 3 failed; exit 1'", "7 passed, 3 failed", 1),
    ("step a nobody-has-this-command; step b true", "1 passed, 1 failed", 1),
    ("step a echo 0 passed, 0 failed", "0 passed, 0 failed", 1),
])
def test_sum(tmp_path, steps, last, code):
    done = bash(f"set -u -o pipefail; logs={tmp_path}; . tools/steps.sh; "
                f"{steps}; steps_end")
    assert done.returncode == code, done.stderr
    assert done.stdout.splitlines()[-1] == last


@pytest.mark.parametrize("claim, output, kept", [
    ("a summary's lines", "ok 1\nFAILED unit.x: y\nmore", "FAILED unit.x: y"),
    ("why a pytest failed", "x\nE   assert 1 == 2\nx", "E   assert 1 == 2"),
    ("why a cmocka case failed", "x\n[  ERROR   ] --- 1 != 2\nx",
     "[  ERROR   ] --- 1 != 2"),
    ("the compiler's error", "x\na.c:1:2: error: no\nx", "a.c:1:2: error: no"),
    ("else the end", "one\ntwo", "one\ntwo"),
])
def test_the_end_says_why(tmp_path, claim, output, kept):
    (tmp_path / "out").write_text(output + "\n")
    done = bash(f"set -u -o pipefail; logs={tmp_path}; . tools/steps.sh; "
                f"step good true; "
                f"step bad sh -c 'cat {tmp_path}/out; exit 1'; steps_end")
    end = done.stdout.split("--- why bad failed:\n")[1]
    assert end.split("\n\n")[0] == kept, claim
    assert "why good failed" not in done.stdout, claim


@pytest.mark.parametrize("fails, code", [
    ("PORTA_DEEP=ON", 1), ("test-san BUILD", 1), ("test-tsan", 1),
    ("test-msan", 1), ("analyse", 1), ("coverage BUILD", 1), ("SECONDS=5", 1),
    ("nothing", 0)])
def test_check_deep_goes_on(tmp_path, fails, code):
    fake = tmp_path / "make"
    fake.write_text(MAKE)
    fake.chmod(0o755)
    done = bash(f"tools/check_deep.sh {tmp_path}/b 5 -DX=1",
                env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}",
                     "FAKE_LOG": f"{tmp_path}/log", "FAKE_FAILS": fails})
    assert done.returncode == code, done.stdout
    ran = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[0] for line in ran] == [
        "test", "test-san", "test-tsan", "test-msan", "analyse", "coverage",
        "fuzz"]
    assert "-DPORTA_DEEP=ON" in ran[0] and "-DX=1" in ran[0]
    # Set-up was tried once; what it could not install would stop each step.
    assert all(line.endswith(" GROUP=build") for line in ran)
    assert "FUZZ_SECONDS=5" in ran[-1]
    last = done.stdout.splitlines()[-1]
    assert last == ("34 passed, 2 failed" if code else "35 passed, 0 failed")


def test_check_deep_of_one_kind(tmp_path):
    """Its long form, and no other step."""
    fake = tmp_path / "make"
    fake.write_text(MAKE)
    fake.chmod(0o755)
    done = bash(f"tools/check_deep.sh {tmp_path}/b 5 -DX=1 power",
                env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}",
                     "FAKE_LOG": f"{tmp_path}/log", "FAKE_FAILS": "nothing"})
    assert done.returncode == 0, done.stderr
    ran, = (tmp_path / "log").read_text().splitlines()
    assert ran.startswith("test ") and " LABEL=power " in ran
    assert "-DPORTA_DEEP=ON" in ran
    assert done.stdout.splitlines()[-1] == "5 passed, 0 failed"


CLANG = "#!/bin/sh\ncase \"$*\" in *=%s*) exit 1 ;; esac\n"


@pytest.mark.parametrize("lacks, skipped", [
    ("memory", ["test-msan"]), ("fuzzer", ["fuzz"]),
    ("gcovr", ["coverage"]), ("clang", ["test-msan", "fuzz"])])
def test_check_deep_says_what_is_missing(tmp_path, lacks, skipped):
    for name, text in (("make", MAKE), ("clang", CLANG % lacks),
                       ("gcovr", "#!/bin/sh\n")):
        if name != lacks:
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
    for name in "bash sh dirname mkdir tee grep tail head".split():
        (tmp_path / name).symlink_to(shutil.which(name))
    done = bash(f"tools/check_deep.sh {tmp_path}/b 5",
                env={"PATH": str(tmp_path), "FAKE_LOG": f"{tmp_path}/log",
                     "FAKE_FAILS": "nothing"})
    ran = (tmp_path / "log").read_text()
    end = done.stdout.splitlines()
    for name in skipped:
        assert f"{name} " not in ran
        line = next(x for x in end if x.startswith(f"{name} "))
        assert "skipped, " in line and "`make setup` installs it" in line
    assert done.returncode == 0, done.stdout
    assert end[-1] == f"{35 - 5 * len(skipped)} passed, 0 failed"
