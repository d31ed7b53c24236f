"""The lint: each rule finds what it is there for, and passes what is right.

A row is a file that is planted into an otherwise clean tree, and the words
that the finding must hold; no words: the file is right."""
import pathlib
import shutil
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/lint"))

import circles  # noqa: E402
import compiled  # noqa: E402
import functions  # noqa: E402
import layers  # noqa: E402
import rules  # noqa: E402
from tree import Tree  # noqa: E402

CLEAN = {
    "docs/layers.md": (ROOT / "docs/layers.md").read_text(),
    "cmake/cfg.h.in": (ROOT / "cmake/cfg.h.in").read_text(),
    ".clang-format": (ROOT / ".clang-format").read_text(),
    "include/esp_err.h": "typedef int esp_err_t;\n",
    "include/esp_ota_ops.h": "#include \"esp_err.h\"\n",
    "src/base/err.h": "#include \"esp_err.h\"\n#include \"cfg.h\"\n",
    "src/part/part.h": "#include \"base/err.h\"\n#include \"port/flash.h\"\n",
    "src/image/image.h": "\n",
    "src/tls/tls.h": "\n",
    "src/slot/slot.h": "\n",
    "port/include/port/flash.h": "#include \"esp_err.h\"\n",
    "port/include/port/net.h": "\n",
    "port/linux/linux.h": "\n",
    # For circles: who includes whom, one step short of one.
    "src/part/one.h": "\n",
    "src/part/one.c": '#include "part/one.h"\n',
    "src/part/two.h": "\n",
    "src/part/two.c": '#include "part/two.h"\n#include "part/one.h"\n',
    "src/part/three.h": "\n",
    "src/part/words.h": '#include "part/four.h"\n',
    "src/part/four.h": "\n",
    "src/part/four.c": '#include "part/four.h"\n#include "part/three.h"\n',
    "src/part/five.h": "\n",
    "src/part/five_priv.h": '#include "part/five.h"\n',
    "src/part/CMakeLists.txt":
        "porta_module(part SOURCES a.c DEPS base LIBS porta_mbedtls)\n",
}
CLEAN = {name: f"/* {pathlib.Path(name).name} - of a test. */\n{text.lstrip()}"
         if name.endswith(".h") else text for name, text in CLEAN.items()}
NEEDS = {functions.check_functions: "ctags", compiled.check_format:
         "clang-format", compiled.check_headers: "clang"}
LONG = "void f(void)\n{\n" + "    g();\n" * 60 + "}\n"
DEEP = ("void f(int a)\n{\n    if (a) {\n        for (;;) {\n"
        "            if (a) {\n                while (a) {\n"
        "                    g();\n                }\n            }\n"
        "        }\n    }\n}\n")

ROWS = [
    (layers.check_includes, [
        ("src/part/a.c", '#include "base/err.h"\n', ""),
        ("src/part/a.c", '#include "part.h"\n', ""),
        ("src/part/a.c", '#include "image/image.h"\n', "may not include image"),
        ("src/part/a.c", '#include "port/net.h"\n', "contracts-net"),
        ("src/part/a.c", "#include <unistd.h>\n", "<unistd.h>"),
        ("src/part/a.c", "#include <mbedtls/md5.h>\n", "<mbedtls/md5.h>"),
        ("src/part/a.c", '#include "esp_ota_ops.h"\n', "public"),
        ("src/part/a.c", '#include "nothing.h"\n', "no header of this tree"),
        ("src/part/a.c", "#include <part/part.h>\n", "use quotes"),
        ("src/part/a.c", "/* lint-ok: layers, a test */\n"
         '#include "image/image.h"\n', ""),
        ("src/part/a.c", '/*\n#include "image/image.h"\n*/\n', ""),
        ("src/tls/a.c", "#include <mbedtls/ssl.h>\n", ""),
        ("src/slot/a.c", '#include "image/image.h"\n', ""),
        ("src/image/a.c", '#include "slot/slot.h"\n', "may not include slot"),
        ("src/boot/a.c", '#include "slot/slot.h"\n', "may not include slot"),
        ("src/api/a.c", '#include "esp_ota_ops.h"\n', ""),
        ("src/new/a.c", "\n", "no row for 'new'"),
        ("port/sim/a.c", '#include "part/part.h"\n', "may not include part"),
        ("port/sim/a.c", "#include <unistd.h>\n", ""),
        ("apps/bootloader/a.c", '#include "tls/tls.h"\n', "tls"),
        ("apps/bootloader/a.c", '#include "linux.h"\n', ""),
        ("src/base/a.c", '#include "linux.h"\n', "may not include port"),
        ("src/tls/a.c", '#include "mbedtls/ssl.h"\n', ""),
        ("include/esp_x.h", '#include "cfg.h"\n', "may not include cfg"),
        ("examples/x/a.c", '#include "part/part.h"\n', "part"),
        ("src/image/CMakeLists.txt",
         "porta_module(image SOURCES a.c DEPS slot LIBS x)\n",
         "may not depend on slot"),
    ]),
    (rules.check_esp_names, [
        ("src/part/a.c", "esp_err_t f(void);\nint e = ESP_ERR_NO_MEM;\n", ""),
        ("src/part/a.c", "void esp_partition_find(void);\n", "esp_partition"),
        ("src/part/a.c", "/* as esp_partition_find */\n", ""),
        ("src/part/a.c", 'char *s = "esp_ota";\n', ""),
        ("src/api/a.c", "void esp_partition_find(void);\n", ""),
    ]),
    (rules.check_public_config, [
        ("include/esp_x.h", "#ifdef CONFIG_X\n#endif\n", "CONFIG_X"),
        ("include/esp_x.h", "/* CONFIG_X of the reference */\n", ""),
    ]),
    (rules.check_must_check, [
        ("src/part/x.h", "esp_err_t part_open(void);\n", "not MUST_CHECK"),
        ("src/part/x.h", "MUST_CHECK esp_err_t part_open(void);\n", ""),
        ("src/part/x.h", "MUST_CHECK\nesp_err_t part_open(void);\n", ""),
        ("src/part/x.h", "struct x {\n    esp_err_t (*f)(void);\n};\n", ""),
        ("src/part/x.h", "struct x {\n    esp_err_t err;\n};\n", ""),
        ("src/part/x.h", "esp_err_t part_fail(esp_err_t err);\n", ""),
        ("src/part/x.h", "static inline esp_err_t f(void)\n{\n}\n", "not MUST"),
    ]),
    (rules.check_macros, [
        ("src/part/a.c", "#define TRY(x) \\\n    if (x) \\\n        goto out\n",
         "hides a return or a goto"),
        ("src/part/a.c", "#define RETURNED 1\n", ""),
        ("include/esp_check.h", "#define X(a) if (a) return\n", ""),
    ]),
    (rules.check_density, [
        ("src/part/a.c", "#if A\n#endif\n" * 4, "3 per 1000"),
        ("src/part/x.h", "#ifndef X_H\n#define X_H\n#endif\n" * 9, ""),
    ]),
    (rules.check_banned, [
        ("src/part/a.c", "void f(void)\n{\n    free(p);\n}\n", "heap contract"),
        ("src/part/a.c", "void f(void)\n{\n    heap->free(p);\n}\n", ""),
        ("port/linux/a.c", "void f(void)\n{\n    free(p);\n}\n", ""),
        ("port/linux/a.c", "void f(void)\n{\n    strcpy(a, b);\n}\n", "strcpy"),
        ("src/part/a.c", "int x = timeout(1);\n", ""),
        ("test/unit/a.c", "void f(void)\n{\n    strcpy(a, b);\n}\n", ""),
    ]),
    (rules.check_todo, [
        ("src/part/a.c", "/* TO" "DO: later */\n", "issue number"),
        ("src/part/a.c", "/* TO" "DO(#12): later */\n", ""),
        ("src/part/a.c", 'char t[] = "x.XXXXXX";\n', ""),
    ]),
    (circles.check_circles, [
        ("src/part/part.c", '#include "part/part.h"\n', ""),
        ("src/part/one.c", '#include "part/two.h"\n', "circle: one -> two"),
        ("src/part/three.c", '#include "part/words.h"\n',
         "circle: four -> three"),
        ("src/part/five.c", '#include "part/five_priv.h"\n', ""),
        ("src/part/one.c", '/* #include "part/two.h" */\n', ""),
    ]),
    (rules.check_width, [
        ("src/part/a.c", "/* " + "x" * 74 + " */\n", ""),
        ("src/part/a.c", "/* " + "x" * 75 + " */\n", "81 columns"),
        ("src/part/a.c", "/* lint-ok: width, a test */\n" + "x" * 90 + "\n",
         ""),
        ("src/part/a.py", "x" * 90 + "\n", ""),
    ]),
    (rules.check_file_length, [
        ("src/part/a.c", "\n" * 601, "601 lines"),
        ("src/part/a.c", "\n" * 600, ""),
    ]),
    (rules.check_openings, [
        ("src/part/a.c", "/* Ways of parts. */\n", ""),
        ("src/part/a.c", '#include "part/a.h"\n', ""),
        ("src/part/a.c", '#include "a.h"\n', ""),
        ("src/part/a.c", '#include "part/part.h"\n', "neither"),
        ("src/part/a.c", "#include <a.h>\n", "neither"),
        ("src/part/x.h", "/* x.h - a promise. */\n", ""),
        ("src/part/x.h", "/* part/x.h - a promise. */\n", ""),
        ("src/part/x.h", "/* part.h - another's. */\n", "/* x.h - its"),
        ("src/part/x.h", "/* A promise. */\n", "/* x.h - its"),
        ("test/unit/x.h", "/* A promise. */\n", ""),
        ("test/unit/x.h", "#ifndef X_H\n", "neither"),
    ]),
    (rules.check_places, [
        ("README.md", "see /home" "/me/porta\n", "machine's path"),
        ("tools/x.sh", "curl http://deb.debian" ".org\n", "a host"),
        ("README.md", "https://example.com/a.bin\n", ""),
    ]),
    (functions.check_functions, [
        ("src/part/a.c", LONG, "f() has 63 lines"),
        ("src/part/a.c", LONG.replace("g();\n", "", 3), ""),
        ("src/part/a.c", "/* lint-ok: function, a test */\n" + LONG, ""),
        ("src/part/a.c", DEEP, "nested 4 deep"),
        ("src/part/a.c", DEEP.replace("while (a) {", "while (a)")
         .replace("                }\n", "", 1), ""),
        ("src/part/a.c", "void f(int a, int b, int c, int d, int e)\n{\n}\n",
         "5 parameters"),
        ("src/part/a.c",
         "void f(int a, int (*b)(int, int), int c, int d, ...)\n{\n}\n", ""),
        ("src/part/a.c", "void f(int a, int b, const void *c, size_t c_len,\n"
         "       int d, struct diag *diag)\n{\n}\n", ""),
        ("src/part/a.c", "void f(int a, int b, int c, int d, int len)\n"
         "{\n}\n", "5 parameters"),
        ("src/api/a.c", "void f(int a, int b, int c, int d, int e)\n{\n}\n",
         ""),
    ]),
    (compiled.check_format, [
        ("src/part/a.c", "void f(void)\n{\n    g();\n}\n", ""),
        ("src/part/a.c", "void f(void) {\n  g();\n}\n", "clang-format"),
    ]),
    (compiled.check_headers, [
        ("src/part/x.h", "#include <stdint.h>\nextern uint8_t x;\n", ""),
        ("src/part/x.h", "extern uint8_t x;\n", "does not compile alone"),
        ("src/part/x.h", "struct x {\n    int y;\n};\n", "does not compile"),
        ("include/esp_x.h", "extern int class;\n", "as c++"),
    ]),
]


@pytest.mark.parametrize(
    "check, name, text, want",
    [(check, *row) for check, rows in ROWS for row in rows],
    ids=[f"{check.__name__}-{number}" for check, rows in ROWS
         for number, row in enumerate(rows)])
def test_rule(tmp_path, check, name, text, want):
    if not shutil.which(NEEDS.get(check, "sh")):
        pytest.skip(f"{NEEDS[check]} is not installed (make setup)")
    for path, content in {**CLEAN, name: text}.items():
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    found = [message for _, _, message in check(Tree(tmp_path))]
    if want:
        assert len(found) == 1 or check is rules.check_density, found
        assert want in found[0]
    else:
        assert found == []
