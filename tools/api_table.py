"""docs/api.md: which public functions of the reference's headers are offered.

usage: api_table.py LIBRARY_FOLDER [-o docs/api.md]

A function is offered when a header of include/ or compat/include/ declares it
and a library of the build defines it; one without the other is an error. The
reference's names are in tools/project/reference_functions.txt.
"""
import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIBRARIES = ("libporta.a", "compat/libporta_compat.a")
HEAD = """# Functions of ESP-IDF that are offered

Made by `tools/api_table.py` (`make options`); a test holds it against headers and libraries. Compared are the headers of which
the reference's functions are known completely; below, what else is declared.

| header | offered | of | not offered |
|---|---|---|---|
"""


# Why a function of the reference is not offered; each of them needs a reason.
REASONS = [
    (r"esp_ota_revoke_secure_boot", "burns fuses of hardware secure boot, which "
     "no board of porta has; keys change by a signed update "
     "(docs/security.md)"),
    (r"get_blockdev|_bdl$", "a handle of the block device layer, through which "
     "nothing here goes: the functions that take a partition do the same"),
    (r"nvs_flash_.*(keys|security)", "encrypted stores are not supported; "
     "nvs_flash_secure_init() says so instead of writing in the clear"),
    (r"rtc_retain_mem", "memory that a bootloader of the reference keeps for "
     "itself; porta's keeps its records in otadata (docs/boot.md), and "
     "esp_reset_reason() tells what led here"),
    (r"hold_gpio", "porta's bootloader asks no pin, and an application asks "
     "one with gpio_get_level()"),
    (r"erase_part_type_data", "part of a factory reset by a pin; an "
     "application has esp_partition_erase_range()"),
    (r"chip_revision|chip_ver_pkg|efuse_blk|vddsdio", "registers of a chip; "
     "esp_chip_info() has what a program can know, and images for another "
     "chip or revision are refused"),
]


def why_not(name):
    for pattern, reason in REASONS:
        if re.search(pattern, name):
            return reason
    sys.exit(f"tools/api_table.py: {name}() is not offered and has no reason")


def reference():
    """{header: [function]}"""
    found, name = {}, None
    path = ROOT / "tools/project/reference_functions.txt"
    for line in path.read_text().splitlines():
        if not line:
            name = None
        elif not line.startswith("#"):
            if name is None:
                name = line
                found[name] = []
            else:
                found[name].append(line)
    return found


def headers():
    for folder in ("include", "compat/include"):
        base = ROOT / folder
        for path in sorted(base.rglob("*.h")):
            yield str(path.relative_to(base)), path.read_text()


def declared(text):
    """Names of functions, and macros that stand for one."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    plain = re.sub(r"^[ \t]*#.*(?:\\\n.*)*$", "", text, flags=re.M)
    plain = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", plain)
    names = set()
    for match in re.finditer(r"\b([a-z]\w+)\s*\(", plain):
        before = plain[:match.start()].rstrip()
        kind = re.search(r"[\w*]$", before)
        # What is defined right there is in no library.
        if kind and not re.search(
                r"\b(typedef|return|sizeof|inline)\b[^;{}]*$", before):
            names.add(match[1])
    return names


def defined(folder):
    names = set()
    for library in LIBRARIES:
        run = subprocess.run(["nm", "--defined-only", "-g",
                              str(folder / library)], capture_output=True,
                             text=True, check=True)
        names.update(re.findall(r" [TWRDB] (\w+)$", run.stdout, re.M))
    return names


def table(folder):
    """The page, and what is declared but not there."""
    there, all_declared, per_header = defined(folder), set(), {}
    for name, text in headers():
        per_header[name] = declared(text)
        all_declared |= per_header[name]
    lines, total, have, reasons = [], 0, 0, {}
    for header, names in reference().items():
        missing = [n for n in names if n not in all_declared or n not in there]
        for name in missing:
            reasons.setdefault(why_not(name), []).append(name)
        total += len(names)
        have += len(names) - len(missing)
        lines.append(f"| `{header}` | {len(names) - len(missing)} | "
                     f"{len(names)} | "
                     f"{', '.join(f'`{n}`' for n in missing)} |")
    lines.append(f"| **all** | **{have}** | **{total}** | |")
    lines += ["", "## Why the others are not", "", "| functions | why |",
              "|---|---|"]
    lines += [f"| {', '.join(f'`{n}`' for n in names)} | {reason} |"
              for reason, names in reasons.items()]
    lines += ["", "## Other headers", "", "| header | functions |", "|---|---|"]
    known = {n for names in reference().values() for n in names}
    for header, names in sorted(per_header.items()):
        own = sorted(n for n in names if n in there and n not in known)
        if own:
            lines.append(f"| `{header}` | {', '.join(f'`{n}`' for n in own)} |")
    ghosts = sorted(n for n in all_declared
                    if n.startswith(("esp_", "nvs_", "x", "v", "gpio_", "porta_"))
                    and n not in there and re.search(r"_|^[xv][A-Z]", n))
    return HEAD + "\n".join(lines) + "\n", ghosts


def main():
    parser = argparse.ArgumentParser(prog="tools/api_table.py")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("-o", type=pathlib.Path, default=ROOT / "docs/api.md")
    args = parser.parse_args()
    page, ghosts = table(args.folder)
    for name in ghosts:
        print(f"{name}() is declared and in no library", file=sys.stderr)
    args.o.write_text(page)
    return 1 if ghosts else 0


if __name__ == "__main__":
    sys.exit(main())
