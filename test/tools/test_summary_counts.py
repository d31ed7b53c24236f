"""The summary counts cases, and no way of failing is counted as passing."""
import pathlib
import sys
import xml.etree.ElementTree as xml

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import test_summary  # noqa: E402

TWO = "[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\nx[       OK ] b\n"
ROWS = [
    ("two cases that pass", "run", TWO, (2, 0, 0)),
    ("a case that fails, named again at the end", "fail",
     "[ RUN      ] a\n[  FAILED  ] a\n[  FAILED  ] 1 test(s):\n[  FAILED  ] a\n",
     (0, 1, 0)),
    ("a case that is skipped", "run",
     TWO + "[ RUN      ] c\n[  SKIPPED ] c\n[  SKIPPED ] c\n", (2, 0, 1)),
    ("a case that never ends", "fail", TWO + "[ RUN      ] c\n", (2, 1, 0)),
    ("all pass, then a leak at exit", "fail", TWO, (2, 1, 0)),
    ("a script that passes", "run", "fine\n", (1, 0, 0)),
    ("a script that fails", "fail", "not fine\n", (0, 1, 0)),
    ("a program that is not there", "notrun", "", (0, 1, 0)),
    ("a disabled test", "disabled", "", (0, 1, 0)),
]


def counted(status, output, build, skipped=""):
    case = xml.fromstring(f'<testcase name="unit.x" status="{status}">'
                          f"{skipped}<system-out/></testcase>")
    case.find("system-out").text = output
    count = test_summary.count_test(case, build)
    return count.passed, len(count.failed), len(count.skipped)


@pytest.mark.parametrize("claim, status, output, want", ROWS)
def test_output(tmp_path, claim, status, output, want):
    assert counted(status, output, tmp_path) == want, claim


def test_exit_77_is_skipped(tmp_path):
    skipped = '<skipped message="SKIP_RETURN_CODE=77"/>'
    assert counted("notrun", "no data\n", tmp_path, skipped) == (0, 0, 1)


@pytest.mark.parametrize("status, want", [("run", (2, 1, 1)),
                                          ("fail", (2, 1, 1))])
def test_pytest_report(tmp_path, status, want):
    (tmp_path / "pytest").mkdir()
    (tmp_path / "pytest/unit.x.xml").write_text(
        '<testsuites><testsuite><testcase name="a"/><testcase name="b"/>'
        '<testcase name="c"><failure/></testcase>'
        '<testcase name="d"><skipped message="no data"/></testcase>'
        "</testsuite></testsuites>")
    assert counted(status, "", tmp_path) == want
