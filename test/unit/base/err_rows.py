"""Every code of include/esp_err.h has its row in src/base/err.c.

A code without a row would be printed as "ERROR" where it matters most. Codes
that are defined as another code share that one's row.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]


def codes(header):
    joined = header.replace("\\\n", " ")
    for name, value in re.findall(
            r"^#define (ESP_(?:OK|FAIL|ERR_\w+))[ \t]+(\S.*)$", joined, re.M):
        if not re.fullmatch(r"ESP_ERR_\w+", value.strip()):
            yield name


def main():
    wanted = set(codes((ROOT / "include/esp_err.h").read_text()))
    rows = re.findall(r"^\s*ROW\((\w+)\),",
                      (ROOT / "src/base/err.c").read_text(), re.M)
    for name in sorted(wanted.symmetric_difference(rows)):
        print(f"{name}: in only one of esp_err.h and err.c")
    if len(rows) != len(set(rows)):
        print("a row is there twice")
    return wanted != set(rows) or len(rows) != len(set(rows)) or \
        len(wanted) < 60


if __name__ == "__main__":
    sys.exit(main())
