#!/usr/bin/python3
"""coverage.py - which lines and branches of src/ the tests ran.

usage: coverage.py BUILD [--missed REGEX] [--list FILE [--write]]

BUILD was made with -DPORTA_COVERAGE=ON and its tests have run. Prints a table
by module; BUILD/coverage.md has the same as Markdown, and BUILD/missed.csv all
that never ran, with the reason if there is one. Fails when

  the boot path (src/boot/boot_path.txt: what a bootloader is built of) is
  below 100 % of lines or branches, but for what is explained,
  the update path (UPDATE_PATH below) is below 95 % of branches, or has a line
  that never runs and is not explained,
  an explanation is not as counted.

Explained is in --list (test/uncovered.csv). A row there names a file, a
function, the text of a line, how many of its lines and branches never run, and
why. For one reason that several lines have, the text is *: all of the function
that no other row names; with * for the function, too, all of the file. The
numbers must be what was counted: a row that became wrong, because a test came
or the code went, fails. Where it depends on timing a number is two: 0-1. No row
moves the percentages.

--write puts the counted numbers into the list, leaves out the rows of which
nothing is left, and adds those that are wanted, without a reason.
--missed prints each uncovered line and branch of the files that match, as
rows of that list that lack a reason.
A branch is one way out of a condition, as gcc -O0 compiles it; the one out of
an assert() that does not hold is not counted.
"""
import argparse
import csv
import json
import pathlib
import re
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parents[1]
ASSERT = r"\s*assert\(.*"
# From the URL to the record that makes the new image boot: all that runs
# between esp_https_ota_begin() and the restart, but for what the boot path has
# and the glue to the TLS library.
UPDATE_PATH = re.compile(
    r"src/(update|http|slot|otadata|enc)/|src/api/(esp_https_ota|esp_ota)")
UPDATE_BRANCHES = 95.0
FIELDS = ("file", "function", "code", "lines", "branches", "why")


class Sum:
    """What is there, what ran of it, and what a row explains."""

    def __init__(self):
        self.lines = self.lines_run = self.branches = self.branches_run = 0
        self.lines_why = self.branches_why = 0

    def add(self, line, why):
        self.lines += 1
        self.lines_run += line["count"] > 0
        self.branches += len(line["branches"])
        self.branches_run += sum(b["count"] > 0 for b in line["branches"])
        if why:
            self.lines_why += line["count"] == 0
            self.branches_why += sum(b["count"] == 0 for b in line["branches"])

    def percent(self):
        return (100.0 * self.lines_run / (self.lines or 1),
                100.0 * self.branches_run / (self.branches or 1))


def read_gcov(build):
    """File: its lines, each with its function and its text."""
    command = ["gcovr", "--root", str(TREE), "--filter", str(TREE / "src"),
               "--exclude-branches-by-pattern", ASSERT, "-j", "2", "--json",
               "-", str(build / "src"), str(build / "test")]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True,
                          cwd=TREE)
    files = {}
    for entry in json.loads(done.stdout)["files"]:
        text = (TREE / entry["file"]).read_text().splitlines()
        starts = sorted((f["lineno"], f["name"]) for f in entry["functions"])
        for line in entry["lines"]:
            number = line["line_number"]
            above = [name for at, name in starts if at <= number]
            line["function"] = above[-1] if above else ""
            line["text"] = text[number - 1].strip()
        files[entry["file"]] = [line for line in entry["lines"]
                                if not line.get("gcovr/noncode")]
    return files


def read_list(path):
    """(file, function, text): [lines, branches, why], the first two as they
    are written there."""
    lines = [line for line in path.open() if not line.startswith("#")]
    return {(row["file"], row["function"], row["code"]):
            (row["lines"], row["branches"], row["why"])
            for row in csv.DictReader(lines)}


def row_for(key, rows):
    """The row that speaks of it, the nearest one; None."""
    file, function, _ = key
    return next((row for row in (key, (file, function, "*"), (file, "*", "*"))
                 if row in rows), None)


def counted(found, rows):
    """Each row: [lines, branches] of what it speaks of."""
    sums = {row: [0, 0] for row in rows}
    for key, (lines, branches) in found.items():
        row = row_for(key, rows)
        if row:
            sums[row][0] += lines
            sums[row][1] += branches
    return sums


def is_number(text, number):
    """Is it what a row says? "2", or "0-2"."""
    least, _, most = text.partition("-")
    return int(least) <= number <= int(most or least)


def missed(files):
    """(file, function, text): [lines that never ran, branches], in order."""
    found = {}
    for file, lines in sorted(files.items()):
        for line in lines:
            gone = sum(b["count"] == 0 for b in line["branches"])
            if line["count"] == 0 or gone:
                seen = found.setdefault(
                    (file, line["function"], line["text"]), [0, 0])
                seen[0] += line["count"] == 0
                seen[1] += gone
    return found


def wrong_rows(rows, found):
    """What is not as a row says."""
    for row, there in counted(found, rows).items():
        lines, branches, why = rows[row]
        name = f"{row[0]}: {row[1]}(): {row[2]}"
        if not (is_number(lines, there[0]) and is_number(branches, there[1])):
            yield (f"{name}\n  the list says {lines} lines and {branches} "
                   f"branches never run, counted are {there[0]} and {there[1]}")
        if len(why) < 15:
            yield f"{name}\n  the list does not say why"


def boot_path():
    """The list's files, and all headers that they include."""
    names = (TREE / "src/boot/boot_path.txt").read_text().splitlines()
    todo = [f"src/{name}" for name in names if name and name[0] != "#"]
    found = set()
    while todo:
        file = todo.pop()
        if file not in found and (TREE / file).exists():
            found.add(file)
            text = (TREE / file).read_text()
            todo += [f"src/{name}" for name in
                     re.findall(r'^#include "(.+)"', text, re.M)]
    return found


def has_code(name):
    return re.search(r"^\{$", (TREE / name).read_text(), re.M)


def wanted(found, rows):
    """What never ran and needs a row that it does not have."""
    boot = boot_path()
    return {key: counts for key, counts in found.items()
            if not row_for(key, rows) and
            (key[0] in boot or (counts[0] and UPDATE_PATH.match(key[0])))}


def unexplained(found, rows):
    for key, (lines, branches) in wanted(found, rows).items():
        yield (f"{key[0]}: {key[1]}(): {key[2]}\n  {lines} lines and "
               f"{branches} branches never run, and no row says why")


def put_rows(path, rows):
    """Writes a list, below the comment that the file has."""
    head = []
    if path.exists():
        head = [line for line in path.open() if line.startswith("#")]
    with path.open("w") as out:
        out.writelines(head)
        table = csv.writer(out, lineterminator="\n")
        table.writerow(FIELDS)
        table.writerows(rows)


def write_list(path, rows, found):
    """The list as counted; a row of which nothing is left goes."""
    now = []
    for row, there in counted(found, rows).items():
        *said, why = rows[row]
        # What depends on timing may happen to be nothing this time.
        kept = [old if is_number(old, new) else new
                for old, new in zip(said, there)]
        if any(str(one) != "0" for one in kept):
            now.append([*row, *kept, why])
    now += [[*key, *counts, ""] for key, counts in wanted(found, rows).items()]
    put_rows(path, now)


def sums_of(files, rows):
    """Rows of the table: (name, Sum)."""
    boot, table = boot_path(), {}
    paths = {"boot path": Sum(), "update path": Sum(), "all": Sum()}
    for file, lines in files.items():
        into = [table.setdefault(file.rsplit("/", 1)[0], Sum()), paths["all"]]
        into += [paths["boot path"]] if file in boot else []
        into += [paths["update path"]] if UPDATE_PATH.match(file) else []
        for line in lines:
            for one in into:
                one.add(line, row_for((file, line["function"], line["text"]),
                                      rows))
    return sorted(table.items()) + list(paths.items())


def table_of(sums):
    text = ["| module | lines | run | branches | run | explained |",
            "|---|--:|--:|--:|--:|--:|"]
    for name, one in sums:
        lines, branches = one.percent()
        why = f"{one.lines_why} + {one.branches_why}"
        text.append(f"| {name} | {one.lines} | {lines:.1f} % | {one.branches} "
                    f"| {branches:.1f} % | {why if why != '0 + 0' else ''} |")
    return "\n".join(text) + "\n"


def problems(files, rows, sums):
    found, boot = missed(files), boot_path()
    yield from wrong_rows(rows, found)
    yield from (f"{name} is in the boot path, and no test ran any of it"
                for name in sorted(boot - set(files))
                if name[-2:] == ".c" and has_code(name))
    yield from unexplained(found, rows)
    got = dict(sums)["update path"].percent()[1]
    if got < UPDATE_BRANCHES:
        yield (f"update path: {got:.2f} % of branches, {UPDATE_BRANCHES} % is "
               "the least")


def why_of(key, rows):
    row = row_for(key, rows)
    return rows[row][2] if row else ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--missed")
    parser.add_argument("--list", type=pathlib.Path,
                        default=TREE / "test/uncovered.csv")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    files = read_gcov(args.build.resolve())
    found, rows = missed(files), read_list(args.list)
    if args.write:
        write_list(args.list, rows, found)
        rows = read_list(args.list)
    if args.missed:
        csv.writer(sys.stdout, lineterminator="\n").writerows(
            [*key, *counts, ""] for key, counts in found.items()
            if re.search(args.missed, key[0]))
    put_rows(args.build / "missed.csv",
             [[*key, *counts, why_of(key, rows)]
              for key, counts in found.items()])
    sums = sums_of(files, rows)
    (args.build / "coverage.md").write_text(table_of(sums))
    print(table_of(sums))
    wrong = list(problems(files, rows, sums))
    print(*wrong, sep="\n")
    print(f"{len(files)} passed, {len(wrong)} failed")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main())
