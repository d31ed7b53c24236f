"""options.py - from sdkconfig.defaults to sdkconfig.h.

Values come from three places, the later the stronger: the defaults of the
Kconfig files, sdkconfig.defaults and its variants, and a file sdkconfig that
the project has. Nothing of the project is written; the outcome is in the build
folder: sdkconfig, sdkconfig.h, sdkconfig.cmake, sdkconfig.json.

kconfiglib passes over what it cannot use. Here a line that means something
else than it seems to is an error or, where ESP-IDF ignores it and the project
is none the worse, a note.
"""
import json
import os
import re
import shutil

from failure import Failure

LINE = re.compile(r"CONFIG_(\w+)=(.*)$")
UNSET = re.compile(r"# CONFIG_(\w+) is not set$")
NO_EFFECT = re.compile(r"Has no effect on Linux: (.*?)\.?\s*$", re.S)
TARGETS = ("esp32 esp32s2 esp32s3 esp32c2 esp32c3 esp32c5 esp32c6 esp32c61 "
           "esp32h2 esp32p4 linux").split()
OWN = ("FIRMWARE_UPGRADE_URL", "EXAMPLE_FIRMWARE_UPGRADE_URL",
       "EXAMPLE_OTA_RECV_TIMEOUT")
# A device without them is less safe than its project says: never dropped.
MUST_HOLD = {
    "BOOTLOADER_APP_ROLLBACK_ENABLE", "BOOTLOADER_APP_ANTI_ROLLBACK",
    "BOOTLOADER_APP_SECURE_VERSION", "BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD",
    "BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE",
    "SECURE_SIGNED_APPS_NO_SECURE_BOOT",
    "SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT",
    "SECURE_SIGNED_ON_BOOT_NO_SECURE_BOOT", "SECURE_BOOT", "SECURE_BOOT_V2_ENABLED",
    "SECURE_SIGNED_APPS_ECDSA_SCHEME", "SECURE_SIGNED_APPS_RSA_SCHEME",
    "SECURE_SIGNED_APPS_ECDSA_V2_SCHEME",
}
VERSION_MAX = 31
SHOWN_UNKNOWN = 5


class Value:
    """One assignment: what a file wants an option to be."""

    def __init__(self, name, text, place):
        self.name, self.text, self.place = name, text, place

    def __str__(self):
        return f"{self.place}: CONFIG_{self.name}={self.text}"


def note(text):
    print(f"note: {text}")


# --- reading -----------------------------------------------------------------

def read_lines(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()
    except (OSError, UnicodeDecodeError) as wrong:
        raise Failure(f"{path} cannot be read: {wrong}") from wrong


def read_renames(paths):
    """Old name to (new name, inverted)."""
    names = {}
    for path in paths:
        for number, line in enumerate(read_lines(path), 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if len(words) != 2 or not all(w.lstrip("!").startswith("CONFIG_")
                                          for w in words):
                raise Failure(f"{path}:{number}: '{line.strip()}' is not "
                              "'CONFIG_OLD CONFIG_NEW'")
            old, new = words
            names[old[7:]] = (new.lstrip("!")[7:], new.startswith("!"))
    return names


def parse_line(line, place):
    """(name, text) or None; raises Failure for what is neither an option nor
    a comment."""
    match = LINE.match(line)
    if match:
        return match[1], match[2].rstrip()
    match = UNSET.match(line.rstrip())
    if match:
        return match[1], "n"
    if not line.strip() or line.startswith("#"):
        return None
    if line[0] in " \t":
        note(f"{place}: ignored, because it begins with a blank: an option "
             f"must begin in the first column: '{line.strip()}'")
        return None
    raise Failure(f"{place}: '{line.strip()}' is neither CONFIG_NAME=value "
                  "nor a comment")


def read_values(path, renames):
    """The assignments of a file, in its order."""
    for number, line in enumerate(read_lines(path), 1):
        place = f"{os.path.basename(path)}:{number}"
        parsed = parse_line(line, place)
        if not parsed:
            continue
        name, text = parsed
        if name in renames:
            name, inverted = renames[name]
            if inverted:
                text = {"y": "n", "n": "y"}.get(text, text)
        yield Value(name, text, place)


# --- values ------------------------------------------------------------------

def unquote(value):
    match = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', value.text)
    if not match:
        raise Failure(f"{value}: the option is a text and wants it in quotes: "
                      f'CONFIG_{value.name}="..."')
    return re.sub(r"\\(.)", r"\1", match[1])


def wanted(lib, symbol, value):
    """The text that kconfiglib wants; raises Failure when it cannot be one."""
    if symbol.type == lib.STRING:
        return unquote(value)
    checks = {lib.BOOL: (r"[yn]", "y or n"),
              lib.TRISTATE: (r"[yn]", "y or n"),
              lib.INT: (r"-?\d+", "a whole number"),
              lib.HEX: (r"(0[xX])?[0-9a-fA-F]+", "a number such as 0x8000")}
    pattern, what = checks[symbol.type]
    if not re.fullmatch(pattern, value.text):
        raise Failure(f"{value}: the option wants {what}")
    return value.text


def apply(lib, kconf, values, from_defaults):
    """Sets what can be set. Returns {symbol: value} of the last assignments."""
    last, unknown = {}, []
    for value in values:
        symbol = kconf.syms.get(value.name)
        if symbol is None or not symbol.nodes:
            unknown.append(value)
            continue
        symbol.set_value(wanted(lib, symbol, value))
        last[symbol] = value
    if unknown and from_defaults:
        for value in unknown[:SHOWN_UNKNOWN]:
            note(f"{value}: there is no such option here, ignored")
    if len(unknown) > SHOWN_UNKNOWN or (unknown and not from_defaults):
        note(f"{len(unknown)} options are not known here and are ignored")
    dangerous = [v for v in unknown if v.name in MUST_HOLD and v.text == "y"]
    if dangerous:
        raise Failure(f"{dangerous[0]}: this protection is not offered on "
                      "Linux; take the option out, or see docs/options.md")
    return last


def same(lib, symbol, value):
    got, want = symbol.str_value, wanted(lib, symbol, value)
    if symbol.type == lib.HEX and got:
        return int(got, 16) == int(want, 16)
    return got == want


def why_not(lib, symbol, value):
    """Why a value did not hold, and whether that is an error."""
    if symbol.choice and symbol.choice.selection not in (None, symbol) and \
            symbol.visibility:
        other = symbol.choice.selection.name
        return f"CONFIG_{other} is chosen instead", value.text == "y" and \
            symbol.name in MUST_HOLD
    if symbol.visibility == 0:
        needs = lib.expr_str(symbol.direct_dep)
        return f"it needs {needs}", symbol.name in MUST_HOLD and \
            value.text not in ("n", "0")
    if symbol.type in (lib.INT, lib.HEX):
        low, high = next(((l.str_value, h.str_value) for l, h, cond
                          in symbol.ranges if lib.expr_value(cond)), (0, 0))
        return f"it must be from {low} to {high}", True
    return "another option selects it", False


def note_open_ranges(kconf):
    """A range up to an option that nobody defines is one up to 0."""
    for symbol in kconf.unique_defined_syms:
        for bound in (b for low, high, _ in symbol.ranges
                      for b in (low, high)):
            if not bound.nodes and re.match(r"[A-Za-z_]", bound.name):
                note(f"the range of CONFIG_{symbol.name} names "
                     f"{bound.name}, which no Kconfig defines: it counts as 0")


def check(lib, last, from_defaults):
    """Every assignment holds, or its reader is told why not."""
    for symbol, value in last.items():
        hidden = not any(node.prompt for node in symbol.nodes)
        if hidden or same(lib, symbol, value):
            continue
        reason, wrong = why_not(lib, symbol, value)
        if wrong:
            raise Failure(f"{value}: that cannot be: {reason}")
        if from_defaults:
            note(f"{value}: has no effect: {reason}")


def help_of(symbol):
    nodes = list(symbol.nodes)
    if symbol.choice:
        nodes += symbol.choice.nodes
    return " ".join(" ".join(n.help.split()) for n in nodes if n.help)


def tell_no_effect(lib, last):
    for symbol, value in last.items():
        match = NO_EFFECT.search(help_of(symbol))
        if match and value.text != "n" and same(lib, symbol, value):
            note(f"{value}: has no effect on Linux: {match[1]}")


def check_rules(kconf):
    """What Kconfig cannot say."""
    version = kconf.syms["APP_PROJECT_VER"]
    if version.config_string and \
            len(version.str_value.encode()) > VERSION_MAX:
        raise Failure(f"CONFIG_APP_PROJECT_VER has "
                      f"{len(version.str_value.encode())} bytes, and an "
                      f"image's description has room for {VERSION_MAX}")
    if kconf.syms["BOOTLOADER_APP_ANTI_ROLLBACK"].str_value == "y":
        bits = int(kconf.syms["BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD"]
                   .str_value)
        mine = int(kconf.syms["BOOTLOADER_APP_SECURE_VERSION"].str_value)
        if mine > bits:
            raise Failure(f"CONFIG_BOOTLOADER_APP_SECURE_VERSION is {mine} "
                          f"and the fuse field counts to {bits} "
                          "(CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD)")


# --- writing -----------------------------------------------------------------

def c_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def symbols(kconf):
    """Every option that has a value, in the order of the files."""
    return [s for s in kconf.unique_defined_syms if s.config_string]


def value_in_c(lib, symbol):
    text = symbol.str_value
    if symbol.type in (lib.BOOL, lib.TRISTATE):
        return "1" if text == "y" else None
    if symbol.type == lib.STRING:
        return c_text(text)
    if symbol.type == lib.HEX:
        return text if text.lower().startswith("0x") else "0x" + text
    return text


def header(lib, kconf, renames):
    lines = ["/* sdkconfig.h - made from the project's options. */",
             "#ifndef SDKCONFIG_H", "#define SDKCONFIG_H", ""]
    there = set()
    for symbol in symbols(kconf):
        text = value_in_c(lib, symbol)
        if text is not None:
            lines.append(f"#define CONFIG_{symbol.name} {text}")
            there.add(symbol.name)
    lines += ["", "/* Names of former releases. */"]
    for old, (new, inverted) in sorted(renames.items()):
        if new in there and not inverted:
            lines.append(f"#define CONFIG_{old} CONFIG_{new}")
        elif inverted and new in kconf.syms and new not in there:
            lines.append(f"#define CONFIG_{old} 1")
    lines += ["", "/* For esp_log.h, which has one text for every project. */",
              "#define PORTA_LOG_LEVEL_MAX CONFIG_LOG_MAXIMUM_LEVEL"]
    if "LOG_COLORS" in there:
        lines.append("#define PORTA_LOG_COLORS 1")
    return "\n".join(lines + ["", "#endif", ""])


def cmake_text(text):
    return '"' + re.sub(r'([\\"$])', r"\\\1", text) + '"'


def for_cmake(lib, kconf):
    lines = []
    for symbol in symbols(kconf):
        text = symbol.str_value
        if symbol.type in (lib.BOOL, lib.TRISTATE) and text == "n":
            text = ""
        lines.append(f"set(CONFIG_{symbol.name} {cmake_text(text)})")
    return "\n".join(lines) + "\n"


def as_json(lib, kconf):
    def python(symbol):
        if symbol.type in (lib.BOOL, lib.TRISTATE):
            return symbol.str_value == "y"
        if symbol.type == lib.INT:
            return int(symbol.str_value)
        if symbol.type == lib.HEX:
            return int(symbol.str_value, 16)
        return symbol.str_value
    return json.dumps({s.name: python(s) for s in symbols(kconf)
                       if s.str_value != "" or s.type == lib.STRING},
                      indent=1) + "\n"


def write_if_changed(path, text):
    """An unchanged file keeps its time, so that nothing is built again."""
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return
    except OSError:
        pass
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


# --- all of it ---------------------------------------------------------------

def write_list(path, files):
    text = "".join(f'source "{os.path.abspath(f)}"\n' for f in files)
    write_if_changed(path, text)
    return path


def owns(path, name):
    return any(re.match(rf"\s*(menu)?config\s+{name}\s*$", line)
               for line in read_lines(path))


def environment(args):
    """What the Kconfig files ask their surroundings."""
    if args.target not in TARGETS:
        raise Failure(f"CONFIG_IDF_TARGET is '{args.target}': there are "
                      f"{', '.join(TARGETS)}")
    os.makedirs(os.path.join(args.out, "config"), exist_ok=True)
    env = {"srctree": args.idf, "CONFIG_": "CONFIG_",
           "IDF_TARGET": args.target, "IDF_PATH": args.idf,
           "PROJECT_DIR": args.project,
           "PORTA_CONNECTION": "y" if args.connection else "n",
           "PORTA_COMPONENTS": write_list(
               os.path.join(args.out, "config", "components.in"),
               args.kconfig),
           "PORTA_PROJBUILD": write_list(
               os.path.join(args.out, "config", "projbuild.in"),
               args.projbuild)}
    for name in OWN:
        own = any(owns(f, name) for f in [*args.kconfig, *args.projbuild])
        env["PORTA_OWN_" + name] = "y" if own else "n"
    os.environ.update(env)


def load_library():
    try:
        import kconfiglib
    except ImportError as wrong:
        raise Failure("Debian's package python3-kconfiglib is missing; "
                      "`make setup` installs it") from wrong
    return kconfiglib


def explain_kconfig(text, project):
    """What kconfiglib says on many lines, in one sentence."""
    text = text.replace(project + os.sep, "")
    if text.strip().startswith("Dependency loop"):
        circle = re.findall(r"^(?:\.\.\..*? )?(\w+|<choice[^>]*>) "
                            r"\(defined at ([^)]*)\)", text, re.M)
        return "these options depend on each other in a circle: " + \
            " -> ".join(f"{'' if n[0] == '<' else 'CONFIG_'}{n} ({place})"
                        for n, place in circle) + \
            "; take one of the conditions out"
    itself = re.search(r"recursive 'source' of '(.*?)'", text)
    if itself:
        chain = text.partition("Include path:")[2].split()
        return f"{itself[1]} is read by itself: " + " -> ".join(
            [*chain, itself[1]]) + "; take one of the 'source' lines out"
    return "the Kconfig files cannot be used: " + " ".join(text.split())


def load(args):
    """(kconfiglib, the options with their values, old names)."""
    lib = load_library()
    environment(args)
    renames = read_renames([os.path.join(args.idf, "sdkconfig.rename"),
                            *args.rename])
    try:
        kconf = lib.Kconfig(os.path.join(args.idf, "Kconfig"),
                            warn_to_stderr=False)
    except lib.KconfigError as wrong:
        raise Failure(explain_kconfig(str(wrong), os.path.abspath(
            args.project))) from wrong
    note_open_ranges(kconf)
    values = [v for f in args.defaults for v in read_values(f, renames)]
    last = apply(lib, kconf, values, True)
    check(lib, last, not args.sdkconfig)
    tell_no_effect(lib, last)
    if args.sdkconfig:
        own = apply(lib, kconf, read_values(args.sdkconfig, renames), False)
        check(lib, own, False)
    check_rules(kconf)
    return lib, kconf, renames


def run(args):
    lib, kconf, renames = load(args)
    config = os.path.join(args.out, "config")
    kconf.write_config(os.path.join(args.out, "sdkconfig"), save_old=False)
    write_if_changed(os.path.join(config, "sdkconfig.h"),
                     header(lib, kconf, renames))
    write_if_changed(os.path.join(config, "sdkconfig.cmake"),
                     for_cmake(lib, kconf))
    write_if_changed(os.path.join(config, "sdkconfig.json"),
                     as_json(lib, kconf))


def menu(args):
    """Edits the options and saves them as the project's sdkconfig."""
    _, kconf, _ = load(args)
    if not shutil.which("tput") and not os.environ.get("TERM"):
        raise Failure("menuconfig needs a terminal")
    from menuconfig import menuconfig
    path = args.sdkconfig or os.path.join(args.project, "sdkconfig")
    os.environ["KCONFIG_CONFIG"] = path
    if not os.path.exists(path):
        kconf.write_config(path, save_old=False)
    menuconfig(kconf)
