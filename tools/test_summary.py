#!/usr/bin/python3
"""test_summary.py - runs the tests of a build and counts the cases in them.

usage: test_summary.py BUILD [--jobs N] [--label REGEX]

CTest counts programs; a person wants to know how many claims were checked.
So the cases are counted where they are reported: cmocka's lines in the output
of a unit test, the JUnit file of a pytest run; anything else is one case. A
program that fails without a failing case (a crash, a leak found at exit, a
time-out) is one failed case. The last line is "N passed, N failed"; the exit
status is 0 only if something passed and nothing failed.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

CMOCKA_LINE = re.compile(
    r"\[ RUN      \] (?P<run>.+)$|"
    r"\[(?P<verdict>       OK |  FAILED  |  SKIPPED |  ERROR   )\] (?P<name>.+)$")


class Count:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def count_cmocka(test, output):
    """The closing lists of cmocka repeat names; only the verdict that follows
    a case's RUN line counts, and a RUN line without one is a crash."""
    count, running = Count(), None
    for line in output.splitlines():
        match = CMOCKA_LINE.search(line)
        if not match:
            continue
        if match["run"]:
            if running:
                count.failed.append(f"{test}: {running} (did not end)")
            running = match["run"]
        elif running == match["name"]:
            verdict, running = match["verdict"].strip(), None
            if verdict == "OK":
                count.passed += 1
            elif verdict == "SKIPPED":
                count.skipped.append((f"{test}: {match['name']}", ""))
            else:
                count.failed.append(f"{test}: {match['name']}")
    if running:
        count.failed.append(f"{test}: {running} (did not end)")
    return count


def count_pytest(test, report):
    count = Count()
    for case in xml.parse(report).iter("testcase"):
        name = f"{test}: {case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            count.failed.append(name)
        elif skipped is not None:
            count.skipped.append((name, skipped.get("message") or ""))
        else:
            count.passed += 1
    return count


def count_test(case, build):
    """One CTest test, as its JUnit element tells it."""
    test = case.get("name")
    output = case.findtext("system-out") or ""
    report = build / "pytest" / f"{test}.xml"
    if report.exists():
        count = count_pytest(test, report)
    elif "[ RUN      ]" in output:
        count = count_cmocka(test, output)
    else:
        count = Count()
    if case.get("status") == "run":
        if not count.passed and not count.failed and not count.skipped:
            count.passed = 1
    elif "SKIP_RETURN_CODE" in (case.find("skipped").get("message")
                                if case.find("skipped") is not None else ""):
        count.skipped.append((test, output.strip().split("\n")[-1]))
    elif not count.failed:
        count.failed.append(f"{test} ({case.get('status')})")
    return count


def run_ctest(build, jobs, label):
    shutil.rmtree(build / "pytest", ignore_errors=True)
    report = build / "ctest.xml"
    report.unlink(missing_ok=True)
    command = ["ctest", "--test-dir", str(build), "-j", str(jobs),
               "--output-on-failure", "--output-junit", str(report),
               "--test-output-size-passed", "100000000",
               "--test-output-size-failed", "100000000"]
    if label:
        command += ["-L", label]
    sys.stdout.flush()
    status = subprocess.run(command, stdin=subprocess.DEVNULL).returncode
    return status, report


def print_summary(total):
    reasons = {}
    for name, reason in total.skipped:
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        print(f"skipped {len(names)}, {names[0]}"
              f"{' ...' if len(names) > 1 else ''} {reason}")
    for name in total.failed:
        print(f"FAILED {name}")
    print(f"{total.passed} passed, {len(total.failed)} failed", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--label", default="")
    args = parser.parse_args()
    build = args.build.resolve()
    status, report = run_ctest(build, args.jobs, args.label)
    total = Count()
    if report.exists():
        for case in xml.parse(report).iter("testcase"):
            total.add(count_test(case, build))
    if status and not total.failed:
        total.failed.append(f"ctest itself (exit status {status})")
    print_summary(total)
    return 0 if total.passed and not total.failed else 1


if __name__ == "__main__":
    sys.exit(main())
