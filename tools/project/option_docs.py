"""option_docs.py - docs/options.md from the Kconfig files."""
import os

import options

HEAD = """# Options of a project

Made from the Kconfig files by `make options`; do not edit. An option is set in `sdkconfig.defaults` as `CONFIG_NAME=y`,
`=n`, a number, or a text in quotes; [porting-from-esp-idf.md](porting-from-esp-idf.md) says which files are read. Defaults are
those of an ESP32. Of a choice one member is `y`. Hidden options, which follow from others, are not listed.
"""


def kind(lib, symbol):
    return {lib.BOOL: "y/n", lib.INT: "number", lib.HEX: "hex",
            lib.STRING: "text"}[symbol.type]


def default(lib, symbol):
    text = symbol.str_value
    if symbol.type == lib.STRING:
        return f'"{text}"' if text else ""
    return text


def cell(text):
    return " ".join(text.split()).replace("|", "\\|")


def needs(lib, node):
    text = lib.expr_str(node.dep)
    for surroundings in (" && y = y", "y = y", "n != y"):
        text = text.replace(surroundings, "")
    return "" if text in ("y", "") else text


def said(lib, node):
    words = [node.prompt[0] + "."]
    if node.item.choice is None and node.help:
        words.append(node.help)
    want = needs(lib, node)
    if want and len(want) < 90 and '"' not in want:
        words.append(f"Needs {want}.")
    return cell(" ".join(words))


def rows(lib, first):
    """The table of one menu's own options, then its menus."""
    node, lines, menus = first, [], []
    while node:
        item = node.item
        if item is lib.MENU:
            menus.append(node)
        elif isinstance(item, lib.Choice):
            lines.append(f"| *{cell(node.prompt[0])}* | choice | | "
                         f"{cell(node.help or '')} |")
            lines += rows(lib, node.list)[0]
        elif isinstance(item, lib.Symbol) and node.prompt:
            lines.append(f"| `{item.name}` | {kind(lib, item)} | "
                         f"{cell(default(lib, item))} | {said(lib, node)} |")
        if node.list and item is not lib.MENU and \
                not isinstance(item, lib.Choice):
            below, more = rows(lib, node.list)
            lines += below
            menus += more
        node = node.next
    return lines, menus


def page(lib, node, depth=2):
    lines, menus = rows(lib, node.list)
    text = ""
    if lines:
        text += "\n| option | kind | default | what it does |\n" \
            "|---|---|---|---|\n" + "\n".join(lines) + "\n"
    for menu in menus:
        below = page(lib, menu, depth + 1)
        if below:
            text += f"\n{'#' * depth} {menu.prompt[0]}\n{below}"
    return text


def two_sides():
    """(option, without it, with it, file of a test, text in it)"""
    path = os.path.join(os.path.dirname(__file__), "two_sides.txt")
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                yield [part.strip() for part in line.split(" | ")]


def sides_page():
    lines = ["", "## What an update depends on", "",
             "Each row is a test that sets the option, leaves it, and sees "
             "both on a device.", "", "| option | without it | with it | test |",
             "|---|---|---|---|"]
    lines += [f"| `{name}` | {cell(off)} | {cell(on)} | `{test}` |"
              for name, off, on, test, _ in two_sides()]
    return "\n".join(lines) + "\n"


def run(args):
    lib = options.load_library()
    os.environ.update({
        "srctree": args.idf, "IDF_TARGET": "esp32", "IDF_PATH": args.idf,
        "PORTA_CONNECTION": "y", "PORTA_COMPONENTS": "/dev/null",
        "PORTA_PROJBUILD": "/dev/null",
        **{"PORTA_OWN_" + name: "n" for name in options.OWN}})
    kconf = lib.Kconfig(os.path.join(args.idf, "Kconfig"),
                        warn_to_stderr=False)
    with open(args.o, "w", encoding="utf-8") as file:
        file.write(HEAD + sides_page() + page(lib, kconf.top_node))
