"""rules.py - the rules of the house that a line of text can break.

Each check yields (file, line, what is wrong). Where a rule would make the
code worse, the line or one of the two above it says why:
    / * lint-ok: <rule>, <reason> * /
"""
import re

from tree import line_of

SHIPPED = ("src", "port", "apps", "compat", "include", "examples")
CORE = ("src", "port", "apps")
MODULES = ("src/", "port/", "apps/", "compat/", "include", "torture")
FILE_LINES = 600
COLUMNS = 80
DENSITY = 3  # preprocessor conditionals per 1000 lines of src/

ESP_NAME = re.compile(r"\b(?:esp_\w+|ESP_\w+)\b")
ESP_KNOWN = re.compile(r"esp_err_t$|ESP_OK$|ESP_FAIL$|ESP_ERR_\w+$|ESP_ERR_$")
DEFINE = re.compile(r"^[ \t]*#[ \t]*define\b(?:[^\n]*\\\n)*[^\n]*", re.M)
PROTOTYPE = re.compile(r"^(?P<head>[^\n#;{}=]*)\besp_err_t\s+(?P<name>\w+)\s*\(",
                       re.M)
CONDITIONAL = re.compile(r"^[ \t]*#[ \t]*(?:if|ifdef|ifndef)\b", re.M)
TODO = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
BANNED = {
    r"(?:strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets|strtok)":
        "unbounded or easily misread: use a span and snprintf",
    r"(?:atoi|atol|atof)": "hides bad input: parse into a result",
    r"alloca": "the stack is small",
}
BANNED_CORE = {
    r"(?:malloc|calloc|realloc|free|strdup)":
        "memory comes from the heap contract",
    r"(?:time|gettimeofday|clock_gettime|rand|srand|getenv|exit)":
        "the core reaches the system through the port's contracts",
    r"printf": "the core reports through base/log.h and base/diag.h",
}
# Written in pieces, so that this file passes its own check.
PLACES = re.compile("|".join((
    "/" + r"work/\w", "/" + r"farm/\w", "/" + r"root/\w", "/" + r"home/\w",
    r"debian\." + "org", r"pypi\." + "org", "python" + r"hosted\.",
    "npm" + r"js\.", r"crates\." + "io", r"maven\." + "org",
    r"proxy\." + "golang")))


def hits(tree, names, pattern, rule, message, text=None):
    read = text or tree.code
    for name in names:
        for match in re.finditer(pattern, read(name)):
            line = line_of(read(name), match.start())
            if not tree.allowed(name, line, rule):
                yield name, line, message.format(match[0].strip())


def check_esp_names(tree):
    """esp_ names live in include/, src/api/, compat/ and examples/."""
    for name in tree.c_files(*CORE):
        if name.startswith("src/api/"):
            continue
        code = tree.code(name)
        for match in ESP_NAME.finditer(code):
            line = line_of(code, match.start())
            if not ESP_KNOWN.match(match[0]) and \
                    not tree.allowed(name, line, "esp-names"):
                yield name, line, f"{match[0]}: the facade's name"


def check_public_config(tree):
    """No CONFIG_ in a public header: a struct has one layout."""
    yield from hits(tree, tree.c_files("include"), r"\bCONFIG_\w+", "config",
                    "{} in a public header")


def check_todo(tree):
    """TODO names an issue."""
    for name, text in tree.text_files():
        for number, line in enumerate(text.splitlines(), 1):
            if TODO.search(line) and not re.search(r"#\d+", line) and \
                    not name.startswith(("tools/lint/", "test/tools/")) and \
                    "no `TODO`" not in line:
                yield name, number, "TODO without an issue number (#123)"


def check_macros(tree):
    """No macro hides a return or a goto (public ESP-IDF macros do)."""
    for name in tree.c_files():
        if name.startswith(("include/", "compat/")):
            continue
        code = tree.code(name)
        for match in DEFINE.finditer(code):
            line = line_of(code, match.start())
            if re.search(r"\b(?:return|goto)\b", match[0]) and \
                    not tree.allowed(name, line, "macro"):
                yield name, line, "a macro that hides a return or a goto"


def check_must_check(tree):
    """An internal function that can fail is MUST_CHECK.

    One that only records or translates a failure (..._fail, ..._failed,
    ..._err) returns it for its caller's convenience and cannot fail itself."""
    for name in tree.c_files("src", "port"):
        if not name.endswith(".h"):
            continue
        code = tree.code(name)
        for match in PROTOTYPE.finditer(code):
            line = line_of(code, match.end())
            before = code[:match.start()].rstrip().rsplit("\n", 1)[-1]
            head = match["head"] + (before if before.endswith("MUST_CHECK")
                                    else "")
            if re.search(r"_(?:fail|failed|err)$", match["name"]):
                continue
            if "MUST_CHECK" in head or "(" in match["head"] or \
                    "typedef" in head:
                continue
            if not tree.allowed(name, line, "must-check"):
                yield name, line, "returns esp_err_t and is not MUST_CHECK"


def check_density(tree):
    """#if in src/ is for guards: at most 3 others per 1000 lines."""
    found, lines = [], 0
    for name in tree.c_files("src"):
        code = tree.code(name)
        lines += code.count("\n")
        for match in CONDITIONAL.finditer(code):
            rest = code[match.start():].split("\n", 2)
            guard = re.match(r"\s*#\s*ifndef\s+(\w+_H)\b", rest[0])
            if guard and len(rest) > 1 and f"define {guard[1]}" in rest[1]:
                continue
            found.append((name, line_of(code, match.end())))
    if len(found) * 1000 > DENSITY * max(lines, 1000):
        for name, line in found:
            yield name, line, (f"#if: {len(found)} in {lines} lines of src/, "
                               f"{DENSITY} per 1000 are the limit")


def check_banned(tree):
    """Functions that this code base does without."""
    for call, why in BANNED.items():
        yield from hits(tree, tree.c_files(*SHIPPED), rf"(?<![\w.>])\b{call}\s*\(",
                        "banned", "{}...): " + why)
    for call, why in BANNED_CORE.items():
        yield from hits(tree, tree.c_files("src"), rf"(?<![\w.>*])\b{call}\s*\(",
                        "banned", "{}...): " + why)


def check_width(tree):
    """80 columns, comments too (clang-format leaves those alone)."""
    for name in tree.names:
        if not name.endswith((".c", ".h", ".cc")):
            continue
        for number, line in enumerate(tree.read(name).splitlines(), 1):
            if len(line) > COLUMNS and not tree.allowed(name, number, "width"):
                yield name, number, (f"{len(line)} columns, {COLUMNS} are the "
                                     "limit")


def check_file_length(tree):
    """A file is one idea under 600 lines."""
    for name in tree.names:
        if name.endswith((".c", ".h", ".py", ".sh", ".cmake")):
            lines = tree.read(name).count("\n")
            if lines > FILE_LINES and not tree.allowed(name, 3, "length"):
                yield name, 1, f"{lines} lines, {FILE_LINES} are the limit"


def check_openings(tree):
    """A file says what it is for in its first line, or its header does."""
    for name in tree.c_files():
        folder, base = name.rsplit("/", 1)
        first = tree.read(name).split("\n", 1)[0]
        if base.endswith(".h") and folder.startswith(MODULES):
            if not re.match(rf"/\* (?:\S+/)?{re.escape(base)} - ", first):
                yield name, 1, f"does not begin with /* {base} - its promise"
        elif not first.startswith("/*") and not re.fullmatch(
                rf'#include "(?:\S+/)?{re.escape(base[:-2])}\.h"', first):
            yield name, 1, "begins neither with a comment nor with its header"


def check_places(tree):
    """No registry host and no path of one machine in any file."""
    for name, text in tree.text_files():
        if name == "LICENSE":
            continue
        for number, line in enumerate(text.splitlines(), 1):
            match = PLACES.search(line)
            if match and not tree.allowed(name, number, "places"):
                yield name, number, f"'{match[0]}': a host or a machine's path"
