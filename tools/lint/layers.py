"""layers.py - who may include whom: the tables of docs/layers.md, enforced."""
import pathlib
import re

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.M)
DEPS = re.compile(r"porta_module\(\s*(\w+)([^)]*)\)", re.S)
STANDARD = {"assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h",
            "limits.h", "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h",
            "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "stdnoreturn.h",
            "string.h", "time.h"}
BOOT_CONTRACTS = {"flash.h", "fuse.h", "sys.h", "work.h"}


def read_tables(text):
    """Two dicts, folder to allowed names: our own headers, foreign ones."""
    tables = []
    for line in text.splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if line.startswith("| folder"):
            tables.append({})
        elif line.startswith("|") and tables and len(cells) == 2 \
                and not cells[0].startswith("-"):
            tables[-1][cells[0]] = set(cells[1].split())
    if len(tables) != 2:
        raise SystemExit("docs/layers.md: two tables 'folder | may include' "
                         f"are expected, {len(tables)} found")
    return tables


def folder_of(name):
    """The row of the table that a file belongs to; None: not governed."""
    parts = pathlib.PurePosixPath(name).parts
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    if parts[:2] == ("port", "include"):
        return "contracts" if parts[-1] in BOOT_CONTRACTS else "contracts-net"
    if parts[0] == "apps":
        return "/".join(parts[:2])
    if parts[0] in ("port", "compat", "include", "examples", "bench", "test",
                    "fuzz"):
        return parts[0]
    return None


class Headers:
    """Finds the file that an #include "..." means."""

    def __init__(self, tree):
        self.names = set(tree.names)
        self.others = [n for n in tree.names
                       if n.startswith(("compat/", "port/", "apps/"))]

    def target(self, name, path):
        local = str(pathlib.PurePosixPath(name).parent / path)
        for place in (local, "src/" + path, "port/include/" + path,
                      "include/" + path):
            if place in self.names:
                return place
        for place in self.others:
            if place.endswith("/" + path):
                return place
        return None

    def kind(self, name, path):
        """The table's word for the header; None: it is not in the tree."""
        if path == "cfg.h":
            return "cfg"
        place = self.target(name, path)
        if place is None:
            return None
        if place == "include/esp_err.h":
            return "esp_err"
        folder = folder_of(place)
        return "public" if folder == "include" else folder


def is_allowed(kind, folder, allowed):
    if "*" in allowed or kind == folder or kind in allowed:
        return True
    return (kind == "esp_err" and "public" in allowed) or \
        (kind == "cfg" and folder not in ("include", "examples", "compat"))


def check_includes(tree):
    """Includes, and the DEPS of modules, follow docs/layers.md."""
    ours, foreign = read_tables(tree.read("docs/layers.md"))
    headers = Headers(tree)
    for name in tree.c_files():
        folder = folder_of(name)
        if folder is None:
            continue
        if folder not in ours:
            yield name, 1, f"docs/layers.md has no row for '{folder}'"
            continue
        text = tree.uncommented(name)
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            wrong = wrong_include(headers, name, folder, match, ours, foreign)
            if wrong and not tree.allowed(name, line, "layers"):
                yield name, line, wrong
    yield from check_deps(tree, ours)


def wrong_include(headers, name, folder, match, ours, foreign):
    path = match[1] or match[2]
    kind = headers.kind(name, path)
    if match[1] and kind:
        if is_allowed(kind, folder, ours[folder]):
            return None
        return f'{folder} may not include {kind} ("{path}")'
    if match[2] and kind and path.split("/")[0] in ours:
        return f"<{path}> is ours: use quotes"
    if match[1] and not is_foreign(path, folder, foreign):
        return f'"{path}" is no header of this tree'
    if path in STANDARD or is_foreign(path, folder, foreign):
        return None
    return f"{folder} may not include <{path}>"


def is_foreign(path, folder, foreign):
    """Is it a library's header that the folder may include?"""
    allowed = foreign.get(folder) or foreign.get(folder.split("/")[0], set())
    return "*" in allowed or any(
        path == a or a.endswith("/") and path.startswith(a) for a in allowed)


def check_deps(tree, ours):
    for name in tree.names:
        if not re.fullmatch(r"src/\w+/CMakeLists\.txt", name):
            continue
        for module, body in DEPS.findall(tree.read(name)):
            match = re.search(r"\bDEPS\b([\w\s-]*)", body)
            words = (match[1].split() if match else [])
            for dep in words[:next((i for i, w in enumerate(words)
                                    if w.isupper()), None)]:
                if dep not in ours.get(module, ()):
                    yield name, 1, f"{module} may not depend on {dep}"
