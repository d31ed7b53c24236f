#!/usr/bin/python3
"""update_size.py - what the update path costs on rv32imac.

usage: update_size.py [--log-level N] [--json]

Compiles the modules of src/ with the options of a product and links what an
application that updates itself refers to: esp_https_ota_*, esp_ota_* and
esp_partition_*. The TLS library, the C library and the bootloader's verifier
are not counted (see tools/boot_size.sh). Digest, OAuth2, the proxy, NVS,
decryption, signatures, staging with tables and the TLS glue are groups of
their own, because not everybody has them.
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

ROOT = pathlib.Path(__file__).resolve().parents[1]
CC = "riscv64-unknown-elf-gcc"
MODULES = ("base part image fuse otadata slot boot kv event tls http update "
           "api crypto enc").split()
ROOTS = """esp_https_ota esp_https_ota_begin esp_https_ota_perform
    esp_https_ota_finish esp_https_ota_abort esp_https_ota_get_img_desc
    esp_https_ota_get_image_len_read esp_https_ota_get_image_size
    esp_https_ota_is_complete_data_received esp_https_ota_get_status_code
    porta_ota_set_options porta_ota_cancel porta_ota_set_oauth2
    esp_ota_begin esp_ota_write esp_ota_write_with_offset esp_ota_end
    esp_ota_abort esp_ota_set_boot_partition esp_ota_get_boot_partition
    esp_ota_get_running_partition esp_ota_get_next_update_partition
    esp_ota_get_partition_description esp_ota_get_state_partition
    esp_ota_mark_app_valid_cancel_rollback
    esp_ota_mark_app_invalid_rollback_and_reboot
    esp_partition_find_first esp_partition_read esp_partition_write
    esp_partition_erase_range esp_restart api_device_start""".split()
# First match counts: group, what the file's path has to match.
GROUPS = [
    ("Digest", r"http/(challenge|auth)"),
    ("OAuth2", r"http/oauth2"),
    ("proxy", r"http/proxy"),
    ("NVS", r"kv/|api/nvs|api/ota_store|api/porta_settings"),
    ("decryption", r"enc/|decrypt"),
    ("signatures", r"crypto/(ec|mont|rsa)|image/(sig|key)"),
    ("staging, tables", r"update/(final|table|target)|part/part_(rules|words|"
     r"place|csv|explain|builtin)"),
    ("TLS glue", r"tls/|api/esp_tls|api/esp_crt"),
    ("events", r"event/|api/esp_event"),
    ("names of errors", r"api/esp_err|base/err"),
    ("update path", r""),
]


def compile_one(source, out, flags):
    launcher = os.environ.get("CMAKE_C_COMPILER_LAUNCHER")
    done = subprocess.run([*([launcher] if launcher else []), CC, *flags, "-c", source, "-o", out],
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return out


def config(folder, level):
    """cfg.h of a product: everything that is decided is decided here."""
    text = (ROOT / "cmake/cfg.h.in").read_text()
    fixed = {"LOG_LEVEL": level, "SIGN_SCHEMES": 8, "KEYS_MAX": 3,
             "ROLLBACK": 1, "REQUIRE_HASH": 1, "TLS_READ_AHEAD": 64, "WRITE_LEN": 1024,
             "CERT_DATES": 3, "SENTENCES": int(level > 0)}
    text = re.sub(r"@CFG_([A-Z_]+)@",
                  lambda m: str(fixed.get(m[1], 0)), text)
    (folder / "cfg.h").write_text(text)


def find_mbedtls():
    found = sorted(ROOT.glob(".deps/mbedtls-3.6.*"))
    if not found:
        sys.exit("Mbed TLS is not there: run tools/setup.sh board")
    return found[-1]


def flags_of(folder):
    shutil.copy("/usr/include/jsmn.h", folder)
    return ["--specs=picolibc.specs", "-std=c11", "-march=rv32imac",
            "-mabi=ilp32", "-misa-spec=2.2", "-Os", "-msave-restore",
            "-ffunction-sections", "-fdata-sections",
            "-fno-asynchronous-unwind-tables", "-DTLS_BUILD_TIME_S=0",
            '-DMBEDTLS_CONFIG_FILE="mbedtls_config_board.h"',
            f"-I{folder}", f"-I{ROOT}/src", f"-I{ROOT}/include",
            f"-I{ROOT}/port/include", f"-I{ROOT}/cmake", "-isystem",
            f"{find_mbedtls()}/include", "-isystem",
            f"{find_mbedtls()}/library", "-isystem",
            f"{ROOT}/port/qemu_virt_rv32/libc"]


def sources():
    for module in MODULES:
        for path in sorted((ROOT / "src" / module).glob("*.c")):
            # What a board, or a bootloader, takes the other file for.
            if path.name not in ("tls_mbedtls_server.c", "tail_slot.c",
                                 "tls_mbedtls_no_shed.c", "sha256_cpu.c",
                                 "sha256_x86.c", "sha256_arm.c") and \
                    not path.stem.endswith("_small"):
                yield path


def sizes(folder, level):
    """Bytes of text, read-only and initialised data, by group."""
    config(folder, level)
    flags = flags_of(folder)
    pairs = [(str(p), str(folder / f"{p.parent.name}_{p.stem}.o"))
             for p in sources()]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(lambda p: compile_one(*p, flags), pairs))
    script = folder / "link.ld"
    script.write_text("SECTIONS { .text : { *(.text .text.* .rodata "
                      ".rodata.* .srodata .srodata.* .data .data.* .sdata "
                      ".sdata.*) } .bss : { *(.bss .bss.* .sbss .sbss.* "
                      "COMMON) } /DISCARD/ : { *(*) } }\n")
    map_file = folder / "map"
    subprocess.run([CC, "-march=rv32imac", "-mabi=ilp32", "-nostdlib",
                    "-Wl,--gc-sections", "-Wl,--unresolved-symbols=ignore-all",
                    f"-T{script}", f"-Wl,-Map={map_file}", "-o",
                    folder / "elf", "-Wl,-e,esp_https_ota",
                    *[f"-Wl,-u,{name}" for name in ROOTS], *objects],
                   check=True, capture_output=True)
    return read_map(map_file.read_text(),
                    {o: os.path.relpath(s, ROOT / "src") for s, o in pairs})


def read_map(text, names):
    """Input sections of .text in the link map: address, size, file."""
    text = text[text.index("Linker script and memory map"):]
    text = text[text.index("\n.text"):text.index("\n.bss")]
    total = {name: 0 for name, _ in GROUPS}
    for size, file in re.findall(r"0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S+\.o)\n",
                                 text):
        path = names.get(file, file)
        group = next(g for g, pattern in GROUPS if re.search(pattern, path))
        total[group] += int(size, 16)
    return total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log-level", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if not shutil.which(CC):
        print(f"there is no {CC}")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        total = sizes(pathlib.Path(folder), args.log_level)
    if args.json:
        print(json.dumps(total))
        return 0
    for name, size in total.items():
        print(f"{size:7d}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
