#!/usr/bin/python3
"""update_size.py - what the update path costs on rv32imac.

usage: update_size.py [--log-level N] [--json] [--only-path]
       update_size.py --path [--json]
       update_size.py --modules | --files | --functions [--compare REV]

Compiles src/ for a product, with everything decided that can be, and links
what a program that updates itself calls: esp_https_ota_*, esp_ota_* and
esp_partition_*. Bytes are those of the linked program: text, read-only and
initialised data, after unused sections went. Neither the TLS library nor the
C library is in it. `update path` is the product that leaves out all that can
be left out (CFG_... in cmake/options.cmake), without the TLS glue, which is a
row of its own; every other row is what the program grows by when that one
thing is put in.

--path says what `update path` is made of, as the table of docs/board.md, logs
off and on: bytes of code by the source that it came from, whatever it was made
part of. --modules prints the whole library by modules instead, without the link-time
optimiser, --files and --functions in more detail; with --compare the difference to the sources of a commit, which
is the last one (the one before it, where nothing was changed since) unless
REV says another.
Exit 77: there is no riscv64-unknown-elf-gcc.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TREE = pathlib.Path(__file__).resolve().parents[1]
CC = "riscv64-unknown-elf-gcc"
MODULES = ("base part image fuse otadata slot boot kv event tls http update "
           "api crypto enc").split()
FLAGS = ["-std=c11", "-march=rv32imac", "-mabi=ilp32", "-misa-spec=2.2",
         "-Os", "-msave-restore", "-ffunction-sections", "-fdata-sections",
         "-fno-asynchronous-unwind-tables", "-malign-data=natural",
         "-DNDEBUG"]
# What the board compiles src/ with besides: the whole of it at once.
FLAGS += re.search(r"set\(PORTA_SRC_FLAGS ([^)]*)\)",
                   (TREE / "cmake/board.cmake").read_text())[1].split()
# What the board takes another file for, or only a bootloader takes.
OTHERS = {"tls_mbedtls_server.c", "tail_slot.c", "tls_mbedtls_no_shed.c",
          "sha256_cpu.c", "sha256_x86.c", "sha256_arm.c", "chip_table.c"}
# What is linked only because something else calls it.
TLS = r"tls/|api/esp_tls|api/esp_crt"
ROOTS = """esp_https_ota esp_https_ota_begin esp_https_ota_perform
    esp_https_ota_finish esp_https_ota_abort esp_https_ota_get_img_desc
    esp_https_ota_get_image_len_read esp_https_ota_get_image_size
    esp_https_ota_is_complete_data_received esp_https_ota_get_status_code
    esp_ota_begin esp_ota_write esp_ota_write_with_offset esp_ota_end
    esp_ota_abort esp_ota_set_boot_partition esp_ota_get_boot_partition
    esp_ota_get_running_partition esp_ota_get_next_update_partition
    esp_ota_get_partition_description esp_ota_get_state_partition
    esp_ota_mark_app_valid_cancel_rollback
    esp_ota_mark_app_invalid_rollback_and_reboot
    esp_partition_find_first esp_partition_read esp_partition_write
    esp_partition_erase_range esp_restart api_device_start"""
NVS = """nvs_flash_init nvs_open nvs_close nvs_commit nvs_get_str nvs_set_str
    nvs_get_u32 nvs_set_u32 nvs_get_blob nvs_set_blob nvs_erase_key"""
# What the compiler calls by itself, which objects of -flto do not tell.
COMPILERS = """memcpy memset memcmp memmove memchr strlen strcmp strncmp
    strchr snprintf vsnprintf __udivdi3 __umoddi3
    __divdi3 __moddi3 __lshrdi3 __ashldi3 __ashrdi3 __muldi3 """ + " ".join(
    f"__riscv_save_{i} __riscv_restore_{i}" for i in range(13))
# As on the board, where addresses take a whole instruction, too.
LINK = """SECTIONS { . = 0x42000000;
    .text : { *(.text .text.* .rodata .rodata.* .srodata .srodata.* .data
        .data.* .sdata .sdata.*) }
    .bss : { *(.bss .bss.* .sbss .sbss.* COMMON) }
    .tbss : { *(.tbss .tbss.*) }
    .debug_info 0 : { *(.debug_info) }
    .debug_abbrev 0 : { *(.debug_abbrev) }
    .debug_line 0 : { *(.debug_line) }
    .debug_str 0 : { *(.debug_str) }
    .debug_line_str 0 : { *(.debug_line_str) }
    .debug_ranges 0 : { *(.debug_rnglists) }
    .others 0x42080000 : { KEEP(*(.others)) }
    /DISCARD/ : { *(*) } }
"""
# What every product decides, and the least that it can have.
CORE = {"ROLLBACK": 1, "REQUIRE_HASH": 1, "TLS_READ_AHEAD": 64,
        "WRITE_LEN": 1024, "CERT_DATES": 3, "KEYS_MAX": 3, "LEN_64": 0}
# Row: options, calls, and the row that it needs.
EXTRAS = {
    "Digest": ({"DIGEST": 1}, "", None),
    "OAuth2": ({"OAUTH2": 1}, "porta_ota_set_oauth2", None),
    "proxy": ({"PROXY": 1}, "", None),
    "NVS": ({}, NVS, None),
    "kept downloads": ({"STORE": 1}, "porta_ota_set_options", "NVS"),
    "decryption": ({"DECRYPT_CB": 2}, "porta_ota_decrypt "
                   "esp_encrypted_img_decrypt_start "
                   "esp_encrypted_img_decrypt_end", None),
    "signatures": ({"SIGN_SCHEMES": 8, "REQUIRE_SIGNED": 1}, "", None),
    "anti-rollback": ({"ANTI_ROLLBACK": 1}, "", None),
    "staging, tables": ({"STAGING": 1}, "esp_ota_set_final_partition", None),
    "pre-flight": ({"PREFLIGHT": 1}, "porta_ota_set_options", None),
    "trials": ({"TRIALS": 1}, "", None),
    "deny list": ({"DENY": 1}, "", None),
    "retries": ({"RETRY": 1}, "porta_ota_set_options", None),
    "results": ({"RESULT": 1}, "porta_ota_set_options porta_ota_cancel "
                "porta_ota_get_result", None),
    "HTTP of one's own": ({"HTTP_APP": 1}, "esp_http_client_perform "
                          "esp_http_client_open esp_http_client_read "
                          "esp_http_client_fetch_headers", None),
    "TLS tickets": ({"TICKETS": 1}, "", None),
    "events": ({"EVENTS": 1}, "esp_event_loop_create_default", None),
}

# What the update path is made of; the first pattern that matches counts.
PARTS = (
    ("URLs and redirects", r"http/(url|place|follow|redirect)\.",
     "parsing, resolving against a base, who may hear the secrets, loops"),
    ("answer heads", r"http/(head|fields|range|date|text|buf|len)\.",
     "status, fields, Content-Range, lengths: strict, byte by byte"),
    ("bodies", r"http/(body|chunk)\.", "by length, chunked, to the close"),
    ("requests and connections", r"http/",
     "request lines, Basic, 401, connections used again, deadlines"),
    ("esp_http_client", r"api/(esp_http_client|http_handle)",
     "its configuration as esp_https_ota reads it, the handle"),
    ("esp_https_ota", r"api/(esp_https_ota|https_ota)",
     "begin, perform, finish, abort, what is asked of a session"),
    ("esp_ota", r"api/(esp_ota|esp_image|ota_)",
     "handles, begin to end, boot partition, state, rollback, confirming"),
    ("esp_partition", r"api/esp_partition",
     "find, read, write, erase; who may write what"),
    ("device", r"api/", "start and end, table and records of the device"),
    ("session", r"update/(session|work|pipe|finish|limits|behind|check)\.",
     "from the first request to the records: one pass over the bytes"),
    ("source", r"update/(fetch|ask|decide|resume|copy)\.",
     "ranges, going on where it broke, is it the same file, silence"),
    ("target", r"update/", "which slot, may it be written, version and head"),
    ("slot", r"slot/", "sectors: erase, program, read back, the head last"),
    ("image", r"image/",
     "header, segments, checksum, digest, description, chip, what follows"),
    ("boot records", r"otadata/",
     "read, judge, change in steps that survive a cut; verdicts of trials"),
    ("partition table", r"part/", "read, check, place; each flash access"),
    ("base and crypto", r"base/|crypto/|boot/|fuse/",
     "MD5 of the table, CRC of the records, errors, the glue of SHA-256"),
    ("what the compiler adds", r"", "entries of functions that were split"),
)
CONSTANTS = "tables and texts"


def run(*args):
    done = subprocess.run([str(a) for a in args], capture_output=True,
                          text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


class Tree:
    """The sources of one commit, compiled with this option or that."""

    def __init__(self, tree, folder, flags=()):
        self.tree, self.folder, self.flags = tree, folder, list(flags)
        self.template = (tree / "cmake/cfg.h.in").read_text()
        self.named = {}  # source: the options that it looks at
        shutil.copy("/usr/include/jsmn.h", folder)

    def sources(self):
        for module in MODULES:
            for path in sorted((self.tree / "src" / module).glob("*.c")):
                if path.name not in OTHERS and \
                        not path.stem.endswith("_small"):
                    yield path

    def command(self, cfg):
        mbedtls = sorted((TREE / ".deps").glob("mbedtls-3.6.*"))[-1]
        return [*os.environ.get("CMAKE_C_COMPILER_LAUNCHER", "").split(), CC,
                "--specs=picolibc.specs", *FLAGS, *self.flags,
                "-DTLS_BUILD_TIME_S=0",
                '-DMBEDTLS_CONFIG_FILE="mbedtls_config_board.h"', f"-I{cfg}",
                f"-I{self.folder}", f"-I{self.tree}/src",
                f"-I{self.tree}/include", f"-I{self.tree}/port/include",
                f"-I{self.tree}/cmake", "-isystem",
                f"{mbedtls}/include", "-isystem", f"{mbedtls}/library",
                "-isystem", f"{self.tree}/port/qemu_virt_rv32/libc"]

    def config(self, options):
        text = re.sub(r"@CFG_([A-Z0-9_]+)@",
                      lambda m: str(options.get(m[1], 0)), self.template)
        folder = self.folder / f"cfg-{abs(hash(text)):x}"
        folder.mkdir(exist_ok=True)
        (folder / "cfg.h").write_text(text)
        return folder

    def looks_at(self, source, cfg):
        if source not in self.named:
            said = run(*self.command(cfg), "-MM", source)
            files = set(re.findall(r"\S+\.[ch]\b", said.split(":", 1)[1]))
            text = "".join(pathlib.Path(f).read_text() for f in files
                           if not f.endswith("/cfg.h"))
            self.named[source] = sorted(set(re.findall(r"\bCFG_(\w+)", text)))
        return self.named[source]

    def compile_one(self, source, options, cfg):
        seen = "-".join(f"{n}{options.get(n, 0)}"
                        for n in self.looks_at(source, cfg))
        out = self.folder / (f"{source.parent.name}_{source.stem}_"
                             f"{abs(hash(seen)):x}.o")
        if not out.exists():
            run(*self.command(cfg), "-c", source, "-o", out)
        return out

    def objects(self, options, without=None):
        """{object: module/name}"""
        cfg = self.config(options)
        paths = [p for p in self.sources() if not without or not
                 re.search(without, f"{p.parent.name}/{p.name}")]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            objects = pool.map(
                lambda p: self.compile_one(p, options, cfg), paths)
            return {str(o): f"{p.parent.name}/{p.stem}"
                    for o, p in zip(objects, paths)}

    def link(self, objects, roots):
        """(bytes, rows of the link map)"""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        script, elf = folder / "link.ld", folder / "elf"
        script.write_text(LINK)
        run(CC, "-march=rv32imac", "-mabi=ilp32", "-nostdlib", *FLAGS,
            *self.flags,
            "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments",
            "-Wl,--unresolved-symbols=ignore-all",
            f"-T{script}", f"-Wl,-Map={elf}.map", "-o", elf,
            "-Wl,-e,esp_https_ota", *[f"-Wl,-u,{r}" for r in roots.split()],
            *objects, self.others(objects, folder))
        size = run("riscv64-unknown-elf-size", "-A", elf)
        total = int(re.search(r"^\.text\s+(\d+)", size, re.M)[1])
        return total, self.rows(f"{elf}.map", objects)

    def sizes(self, programs):
        """Bytes of each (options, roots, sources to leave out)."""
        objects = [self.objects(options, without)
                   for options, _, without in programs]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(lambda o, p: self.link(o, p[1])[0], objects,
                                 programs))

    @staticmethod
    def others(objects, folder):
        """An object that stands for the libraries: calls into them are as
        long as they are in a program."""
        given, wanted = {"errno"}, set(COMPILERS.split())
        for line in run("riscv64-unknown-elf-nm", "-g", *objects).split("\n"):
            fields = line.split()
            if len(fields) > 1 and len(fields[-2]) == 1:
                (wanted if fields[-2] == "U" else given).add(fields[-1])
        source = folder / "others.s"
        source.write_text(".section .others, \"ax\"\n" + "".join(
            f".global {name}\n{name}:\n" for name in sorted(wanted - given)) +
            ".section .tbss, \"awT\", @nobits\n.global errno\nerrno: .zero 4\n")
        out = folder / "others.o"
        run(CC, "-march=rv32imac", "-mabi=ilp32", "-c", source, "-o", out)
        return out

    @staticmethod
    def rows(path, names):
        """[(file, section, bytes)]; literals that are shared have no file."""
        text = pathlib.Path(path).read_text()
        text = text[text.index("Linker script and memory map"):]
        text = text[text.index("\n.text"):text.index("\n.bss")]
        found = re.findall(
            r"^ (\.\S+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S+\.o)\n", text, re.M)
        return [("literals" if ".str1." in section else names.get(file, "lto"), section,
                 int(size, 16)) for section, size, file in found]


def budget_rows(tree, level, only_path):
    core = CORE | {"LOG_LEVEL": level, "SENTENCES": int(level > 0)}
    programs = {"update path": (core, ROOTS, TLS), "TLS glue": (core, ROOTS,
                                                                None)}

    def add(*rows):
        options, roots = dict(core), ROOTS
        for row in rows:
            options |= EXTRAS[row][0]
            roots += " " + EXTRAS[row][1]
        programs[rows[-1]] = (options, roots, None)

    if only_path:
        del programs["TLS glue"]
    else:
        for row, (_, _, needs) in EXTRAS.items():
            add(*([needs] if needs else []), row)
    found = dict(zip(programs, tree.sizes(programs.values())))
    below = {"update path": "", "TLS glue": "update path"}
    below |= {row: needs or "TLS glue" for row, (_, _, needs) in EXTRAS.items()}
    return {row: size - found.get(below[row], 0)
            for row, size in found.items()}


def whole(tree, level, part):
    """Bytes of everything that a program can call, by `part`."""
    options = CORE | {"LOG_LEVEL": level, "SENTENCES": int(level > 0)}
    roots = ROOTS
    for more, calls, _ in EXTRAS.values():
        options |= more
        roots += " " + calls
    total = {}
    for file, section, size in tree.link(tree.objects(options), roots)[1]:
        name = {"modules": file.split("/")[0], "files": file,
                "functions": f"{file} {section}"}[part]
        total[name] = total.get(name, 0) + size
    return total


def code_by_file(elf):
    """{source: bytes of code}, by the line table of the program."""
    text = run("riscv64-unknown-elf-objdump", "-WL", elf)
    file, last, total = None, None, {}
    for line in text.splitlines():
        if found := re.match(r"(\S+):(?:\[\+\+\])?$", line):
            file = found[1]
        elif found := re.match(r"\S+ +(\d+|-) +0x([0-9a-f]+)", line):
            addr = int(found[2], 16)
            if last and addr > last[0]:
                total[last[1]] = total.get(last[1], 0) + addr - last[0]
            last = None if found[1] == "-" else (addr, file)
    return total


def path_parts(tree, level):
    """{part: bytes} of the update path; they add up to it."""
    core = CORE | {"LOG_LEVEL": level, "SENTENCES": int(level > 0)}
    objects = tree.objects(core, TLS)
    before = set(tree.folder.glob("*/elf"))
    total = tree.link(objects, ROOTS)[0]
    elf, = set(tree.folder.glob("*/elf")) - before
    found = {name: 0 for name, _, _ in PARTS}
    for file, size in code_by_file(elf).items():
        name = re.split("(?:^|/)src/", file)[-1]
        found[next(n for n, p, _ in PARTS if re.match(p, name))] += size
    return found | {CONSTANTS: total - sum(found.values()), "all": total}


def path_table(off, on):
    what = {name: text for name, _, text in PARTS}
    what[CONSTANTS] = "names of fields and methods, constants, sentences"
    lines = ["| part | logs off | logs on | what it does |",
             "|---|---|---|---|"]
    names = sorted(off, key=lambda n: (n == "all", -off[n]))
    return lines + [f"| {name} | {off[name]:,} | {on[name]:,} | "
                    f"{what.get(name, '')} |" for name in names]


def git(*args):
    return run("git", "-C", TREE, *args)


def last_commit():
    changed = git("status", "--porcelain", "--", "src", "include", "port")
    return "HEAD" if changed else "HEAD~1"


def checkout(rev, folder):
    """The sources of a commit, in a folder of their own."""
    (folder / "old").mkdir()
    tree = folder / "tree"
    tree.mkdir()
    archive = subprocess.run(["git", "-C", TREE, "archive", rev, "src",
                              "include", "port", "cmake"], check=True,
                             capture_output=True)
    subprocess.run(["tar", "-x", "-C", tree], input=archive.stdout, check=True)
    print(f"compared with {git('log', '-1', '--format=%h %s', rev).strip()}")
    return tree


def show(total, before=None):
    names = sorted(set(total) | set(before or {}),
                   key=lambda n: -total.get(n, 0))
    for name in [*names, "all"]:
        now = total.get(name, 0) if name != "all" else sum(total.values())
        line = f"{now:7d}"
        if before is not None:
            old = (before.get(name, 0) if name != "all" else
                   sum(before.values()))
            line += f" {now - old:+6d}" if now != old else "       "
        print(f"{line}  {name}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--log-level", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only-path", action="store_true")
    for part in ("modules", "files", "functions"):
        parser.add_argument(f"--{part}", dest="part", action="store_const",
                            const=part)
    parser.add_argument("--path", action="store_true")
    parser.add_argument("--compare", metavar="REV", nargs="?", const="")
    parser.add_argument("--flag", action="append", default=[],
                        help="one more for the compiler, such as --flag=-flto")
    args = parser.parse_args()
    if not shutil.which(CC):
        print(f"there is no {CC}")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "now").mkdir()
        # What is optimised as a whole has no files any more.
        args.flag += ["-fno-lto"] if args.part else []
        args.flag += ["-g"] if args.path else []
        tree = Tree(TREE, folder / "now", args.flag)
        before = None
        if args.path:
            off, on = path_parts(tree, 0), path_parts(tree, 5)
            print(json.dumps([off, on]) if args.json else
                  "\n".join(path_table(off, on)))
            return 0
        if args.part:
            total = whole(tree, args.log_level, args.part)
            if args.compare is not None:
                old = checkout(args.compare or last_commit(), folder)
                before = whole(Tree(old, folder / "old", args.flag),
                               args.log_level, args.part)
        else:
            total = budget_rows(tree, args.log_level, args.only_path)
        if args.json:
            print(json.dumps(total))
        else:
            show(total, before)
    return 0


if __name__ == "__main__":
    sys.exit(main())
