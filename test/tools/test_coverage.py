"""The list of what no test runs has to be as gcov counts it: what is missed and
not explained fails, and so does what is explained and not missed."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import coverage  # noqa: E402

BOOT, UPDATE, OTHER = "src/base/le.c", "src/http/date.c", "src/kv/page.c"
HEAD = "file,function,code,lines,branches,why\n"
WHY = "nobody can get there"


def number_of(file, text):
    lines = (ROOT / file).read_text().splitlines()
    return next(i for i, line in enumerate(lines, 1) if line.strip() == text)


def code_of(file):
    """A line of the file that is like no other."""
    lines = [line.strip() for line in (ROOT / file).read_text().splitlines()]
    return next(line for line in lines
                if line.endswith(";") and lines.count(line) == 1
                and "," not in line and '"' not in line)


def report(missed):
    """All of the boot path ran, and 100 branches of the update path; but for
    what is missed: file: (count of its line, counts of its branches)."""
    def line(number, count=1, branches=()):
        return {"line_number": number, "count": count,
                "branches": [{"count": n} for n in branches]}
    files = {name: [line(1)] for name in coverage.boot_path()}
    files["src/update/hex.c"] = [line(1, 1, [1] * 100)]
    for file, (count, branches) in missed.items():
        files.setdefault(file, []).append(
            line(number_of(file, code_of(file)), count, branches))
    return {"files": [{"file": name, "lines": lines,
                       "functions": [{"lineno": 1, "name": "f"}]}
                      for name, lines in files.items()]}


def again(tmp_path, *options):
    done = subprocess.run(
        [sys.executable, "-B", ROOT / "tools/coverage.py", tmp_path,
         "--list", tmp_path / "list.csv", *options], capture_output=True,
        text=True, check=False,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert not done.stderr
    return done


def run(tmp_path, missed, rows, *options):
    fake = tmp_path / "gcovr"
    (tmp_path / "json").write_text(json.dumps(report(missed)))
    fake.write_text(f"#!/bin/sh\ncat {tmp_path}/json\n")
    fake.chmod(0o755)
    (tmp_path / "list.csv").write_text(HEAD + "".join(
        f'{file},f,{code or code_of(file)},{lines},{branches},{why}\n'
        for file, code, lines, branches, why in rows))
    return again(tmp_path, *options)


@pytest.mark.parametrize("claim, missed, rows, says", [
    ("all ran", {}, [], None),
    ("a line of the boot path", {BOOT: (0, [])}, [], "1 lines and 0 branches"),
    ("a branch of it", {BOOT: (4, [4, 0])}, [], "0 lines and 1 branches"),
    ("explained", {BOOT: (0, [0, 0])}, [(BOOT, "", 1, 2, WHY)], None),
    ("one more than explained", {BOOT: (1, [0, 0])},
     [(BOOT, "", 0, 1, WHY)], "counted are 0 and 2"),
    ("explained, and it ran", {BOOT: (1, [])}, [(BOOT, "", 1, 0, WHY)],
     "counted are 0 and 0"),
    ("explained, and it is gone", {}, [(BOOT, "gone();", 1, 0, WHY)],
     "counted are 0 and 0"),
    ("without a reason", {BOOT: (0, [])}, [(BOOT, "", 1, 0, "")],
     "does not say why"),
    ("a line of the update path", {UPDATE: (0, [])}, [],
     "1 lines and 0 branches"),
    ("explained", {UPDATE: (0, [])}, [(UPDATE, "", 1, 0, WHY)], None),
    ("a branch of it", {UPDATE: (1, [0])}, [], None),
    ("explained, and it ran", {UPDATE: (1, [1])}, [(UPDATE, "", 0, 1, WHY)],
     "counted are 0 and 0"),
    ("a group", {UPDATE: (0, [0])}, [(UPDATE, "*", 1, 1, WHY)], None),
    ("one less than its group", {UPDATE: (1, [0])},
     [(UPDATE, "*", 1, 1, WHY)], "counted are 0 and 1"),
    ("a row and the group of the rest", {UPDATE: (0, [0])},
     [(UPDATE, "*", 1, 1, WHY), (UPDATE, "", 1, 1, WHY)],
     "counted are 0 and 0"),
    ("a group without a reason", {UPDATE: (0, [0])},
     [(UPDATE, "*", 1, 1, "")], "does not say why"),
    ("it depends on timing", {UPDATE: (1, [0])},
     [(UPDATE, "*", "0-1", "0-3", WHY)], None),
    ("but not so much", {UPDATE: (1, [0, 0])},
     [(UPDATE, "*", "0-1", "0-1", WHY)], "says 0-1 lines and 0-1 branches"),
    ("too many branches of it", {UPDATE: (1, [0] * 200)}, [],
     "update path: 33.33 % of branches"),
    ("just too many", {UPDATE: (1, [0] * 6)}, [],
     "update path: 94.34 % of branches, 95.0 % is the least"),
    ("which no row makes fewer", {UPDATE: (1, [0] * 200)},
     [(UPDATE, "", 0, 200, WHY)], "update path: 33.33 % of branches"),
    ("anything elsewhere", {OTHER: (0, [0])}, [], None),
])
def test_rows(tmp_path, claim, missed, rows, says):
    done = run(tmp_path, missed, rows)
    assert done.returncode == (says is not None), claim + done.stdout
    assert (says or " 0 failed") in done.stdout, claim
    assert "| boot path |" in (tmp_path / "coverage.md").read_text()


def test_a_file_of_the_boot_path_that_nothing_runs(tmp_path, monkeypatch):
    rest = coverage.boot_path() - {BOOT}
    monkeypatch.setattr(coverage, "boot_path", lambda: rest)
    done = run(tmp_path, {}, [])
    assert done.returncode == 1
    assert f"{BOOT} is in the boot path, and no test ran" in done.stdout


def test_write(tmp_path):
    """The list that --write leaves is right, but for the reasons of what is
    new; those that it has stay."""
    missed = {BOOT: (0, [0, 0]), UPDATE: (0, [0])}
    run(tmp_path, missed, [(BOOT, "", 3, 0, WHY), (OTHER, "gone();", 1, 0, WHY),
                           (OTHER, "*", "0-1", "0-2", WHY)], "--write")
    rows = coverage.read_list(tmp_path / "list.csv")
    assert rows == {(BOOT, "f", code_of(BOOT)): ("1", "2", WHY),
                    (OTHER, "f", "*"): ("0-1", "0-2", WHY),
                    (UPDATE, "f", code_of(UPDATE)): ("1", "1", "")}
    done = again(tmp_path)
    assert "1 failed" in done.stdout and "does not say why" in done.stdout
    path = tmp_path / "list.csv"
    path.write_text(path.read_text().replace("1,1,", f"1,1,{WHY}"))
    assert again(tmp_path).returncode == 0


def test_what_never_ran_is_written_out(tmp_path):
    run(tmp_path, {OTHER: (0, [0]), UPDATE: (1, [0])},
        [(UPDATE, "*", 0, 1, WHY)])
    assert coverage.read_list(tmp_path / "missed.csv") == {
        (UPDATE, "f", code_of(UPDATE)): ("0", "1", WHY),
        (OTHER, "f", code_of(OTHER)): ("1", "1", "")}


def test_the_list_of_the_tree_reads():
    for (file, function, code), (lines, branches, why) in coverage.read_list(
            ROOT / "test/uncovered.csv").items():
        text = (ROOT / file).read_text()
        assert code in ["*", *(line.strip() for line in text.splitlines())]
        assert function == "*" or function in text, function
        assert (lines, branches) != ("0", "0") and len(why) > 15, code
