"""Pages with one command or two: each runs, or names what is there."""

import re
import shutil
import subprocess

import pytest

import measure
import pages
from conftest import BIN, strangers

MODELS = pages.Page("docs/models.md")
POWER = pages.Page("docs/power-loss.md")
BENCH = pages.Page("docs/benchmarks.md")
PORTING = pages.Page("docs/porting.md")
PROJECTS = pages.Page("examples/projects/README.md")
CONTRIBUTING = pages.Page("CONTRIBUTING.md")
FUZZ = pages.Page("fuzz/README.md")


@pytest.mark.parametrize("text, least", [
    (MODELS.block("Models"), 1),
    (POWER.block("How we know that the test would notice"), 23)],
    ids=["models", "mutants"])
def test_the_tests_it_names_are_there(text, least):
    """They run with the others; here they are listed."""
    build = BIN.parent
    assert text.startswith("ctest --test-dir build ")
    said = subprocess.run(
        ["sh", "-ec", text.replace("--test-dir build", f"-N --test-dir {build}")],
        capture_output=True, text=True, check=True).stdout
    assert int(re.search(r"Total Tests: (\d+)", said)[1]) >= least, said


def test_torture_of_a_device(reader):
    reader.image("app-1.bin", 1, 4000)
    reader.image("app-2.bin", 2, 4000)
    said = reader.run(
        "porta flash create -o device.bin --chip esp32 --size 4MB "
        "--table two_ota --app ota_0=app-1.bin\nporta reset device.bin\n",
        POWER.block("Ask it of your own device"))
    assert "nothing was lost" in said


def test_the_budgets_it_shows():
    """The rows are those of test/budgets.csv with their limits, and what was
    measured then was within them."""
    limits = {name.removeprefix("host: "): row
              for name, row in measure.limits().items()
              if name.startswith("host: ")}
    shown = dict(re.findall(r"(?m)^(\S.*?) {2,}(-?[\d. ]+)$",
                            BENCH.block("Budgets", "text")))
    assert set(shown) == set(limits)
    for name, figures in shown.items():
        measured, aim, most = map(float, figures.split())
        assert (aim, most) == (float(limits[name]["limit"]),
                               float(limits[name]["at_most"])), name
        assert measured <= most, name


def test_the_conformance_program(reader):
    """The page's lines compile as they stand and are linked by its command;
    unit.port_conform runs such programs."""
    reader.write("main.c", '#include "conform.h"\n'
                 "static const struct port_flash my_flash = { .page_len = 1 };\n"
                 "static const struct port_sys my_sys = { .ctx = 0 };\n"
                 "static void say(void *ctx, const char *claim, int ok)\n"
                 "{\n(void)ctx, (void)claim, (void)ok;\n}\n"
                 "int main(void)\n{\n" +
                 PORTING.block("The conformance test", "c") +
                 "return broken != 0;\n}\n")
    for name in ("test", "port", "include", "src"):
        (reader.folder / name).symlink_to(pages.ROOT / name)
    reader.run(PORTING.block("The conformance test").replace(
        "cc main.c", "cc -Wall -Wextra -Werror main.c"))
    assert (reader.folder / "a.out").exists()


BOOT_C = r"""
#include <stdio.h>
#include <string.h>

#include "boot/exec.h"
#include "image/chip.h"
#include "image/image.h"

static esp_err_t blank(void *ctx, uint32_t off, void *dst, size_t len)
{
    (void)ctx, (void)off;
    memset(dst, 0xff, len);
    return ESP_OK;
}

int main(void)
{
    static const struct port_flash flash = { .size_len = 1 << 20,
        .erase_len = 4096, .prog_len = 1, .page_len = 256, .read = blank };
    static struct boot_result r;
    static unsigned char buf[256];
    struct boot_env env = { .flash = &flash, .buf = buf, .buf_len = sizeof(buf),
        .rules.chip_id = img_chips[0].id };

    boot_run(&env, &r);
    puts(boot_reason_text(r.plan.reason));
    return 0;
}
"""


def test_the_first_boot_of_a_port(reader):
    """Its lines build a program of the machine that the test runs on, which
    has start-up code and a linker script; what it prints is on the page."""
    reader.write("boot.c", BOOT_C)
    reader.write("chip_table.c", (
        pages.ROOT / "src/image/chip_table_qemu_virt_rv32.c").read_text())
    for name in ("cmake", "port", "include", "src"):
        (reader.folder / name).symlink_to(pages.ROOT / name)
    lines = PORTING.block("The first hour")
    assert "cc -Os start.S boot.c " in lines and " -T link.ld" in lines
    reader.run(lines.replace("start.S ", "").replace(" -T link.ld", ""))
    said = reader.run("./a.out\n").splitlines()[-1]
    assert f'says "{said}"' in PORTING.text, said


@strangers
def test_the_projects(reader):
    said = reader.run(PROJECTS.block("ESP-IDF project directories").replace(
        "path/to/porta", str(pages.ROOT)))
    assert "advanced: version 1 starts" in said
    assert "advanced: version 2 starts" in said


def declared():
    """{function of cmake/: the words it takes}"""
    found = {}
    for path in (pages.ROOT / "cmake").glob("*.cmake"):
        for name, body in re.findall(r"(?ms)^function\((\w+)(.*?)^endfunction",
                                     path.read_text()):
            words = re.search(r'PARSE_ARGV \d+ arg "(.*?)" "(.*?)" "(.*?)"',
                              body, re.S)
            if words:
                found[name] = set(";".join(words.groups()).split(";"))
    return found


@pytest.mark.parametrize("text", [
    CONTRIBUTING.block("Where things go", "cmake"),
    FUZZ.block("Fuzz targets", "cmake")], ids=["contributing", "fuzz"])
def test_the_declarations_are_taken(text):
    """Each call is one of cmake/'s functions, with words that it knows."""
    calls = re.findall(r"(?m)^(\w+)\(\w+ (.*)\)$", text)
    assert len(calls) == len([x for x in text.splitlines()
                              if x and x[0] != "#"])
    known = declared()
    for name, words in calls:
        used = set(re.findall(r"\b[A-Z]{3,}\b", words))
        assert used and used <= known[name], (name, used)


def test_the_list_of_make():
    """What CONTRIBUTING lists are targets, with all of a newcomer's."""
    text = CONTRIBUTING.block("Working on porta", "text")
    named = re.findall(r"(?m)^make(?: ([a-z-]+))? {2,}\S", text)
    assert len(named) == len(text.splitlines())
    make = (pages.ROOT / "Makefile").read_text()
    for name in filter(None, named):
        assert re.search(rf"(?m)^{name}:.*## ", make), name


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_every_target_is_one():
    """`make X` in a sentence, a block or a table: what make would do is
    printed, not done."""
    named = {name for page in pages.every() for name in
             re.findall(r"(?m)(?:`|^)make ([a-z][a-z-]*)", page.text)}
    assert len(named) > 10
    for name in sorted(named):
        done = subprocess.run(
            ["make", "-n", name, "PROJECT=x", f"BUILD={BIN.parent}"],
            cwd=pages.ROOT, text=True, capture_output=True, check=False)
        assert done.returncode == 0 and done.stdout, (name, done.stderr)
