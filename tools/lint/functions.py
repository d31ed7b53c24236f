"""functions.py - length, parameters and nesting of functions, from ctags."""
import json
import re
import subprocess

LINES = 60
PARAMETERS = 4
NESTING = 3
GOVERNED = ("src", "port", "apps", "compat", "test", "fuzz", "bench")
# Signatures that others fixed: ESP-IDF's, pytest's, a library's call-backs.
FREE_SIGNATURE = ("src/api/", "compat/", "test/", "examples/")


def functions(tree, names):
    if not names:
        return
    run = subprocess.run(
        ["ctags", "--output-format=json", "--languages=C", "--kinds-C=f",
         "--langmap=C:.c.h", "--fields=+neS", "-I",
         "MUST_CHECK,PRINTF_LIKE+", "-f", "-", *names],
        cwd=tree.root, capture_output=True, text=True, check=True)
    for line in run.stdout.splitlines():
        tag = json.loads(line)
        if tag.get("_type") == "tag" and "end" in tag:
            yield tag


def parameters(signature):
    """How many things a caller has to think of: a buffer and its length are
    one, the place for a diagnosis and a call-back's own list are none."""
    flat = re.sub(r"\s+", " ", signature).strip()[1:-1]
    while re.search(r"\([^()]*\)", flat):
        flat = re.sub(r"\([^()]*\)", "", flat)
    words = [w.strip() for w in flat.split(",")]
    count = 0
    for before, word in zip([""] + words, words):
        length = re.search(r"\b\w*(len|cnt|size|cap)$", word) and \
            ("*" in before or "[" in before)
        if word not in ("", "void", "...") and not length and \
                not re.match(r"struct diag \*", word):
            count += 1
    return count


def nesting(code):
    """The depth of braces that control flow opened, the body being 0."""
    depth, deepest, stack = 0, 0, []
    for match in re.finditer(r"[{}]", code):
        if match[0] == "{":
            before = code[:match.start()].rstrip()
            control = bool(re.search(r"(\)|\belse|\bdo)$", before))
            stack.append(control)
            depth += control
            deepest = max(deepest, depth)
        elif stack:
            depth -= stack.pop()
    return deepest - 1


def check_functions(tree):
    """60 lines, 4 parameters, nesting 3."""
    for tag in functions(tree, tree.c_files(*GOVERNED)):
        name, line, end = tag["path"], tag["line"], tag["end"]
        if tree.allowed(name, line, "function"):
            continue
        if end - line + 1 > LINES:
            yield name, line, (f"{tag['name']}() has {end - line + 1} lines, "
                               f"{LINES} are the limit")
        count = parameters(tag.get("signature", "()"))
        if count > PARAMETERS and not name.startswith(FREE_SIGNATURE):
            yield name, line, (f"{tag['name']}() has {count} parameters, "
                               f"{PARAMETERS} are the limit")
        code = "\n".join(tree.code(name).split("\n")[line - 1:end])
        if nesting(code) > NESTING:
            yield name, line, (f"{tag['name']}() is nested {nesting(code)} "
                               f"deep, {NESTING} are the limit")
