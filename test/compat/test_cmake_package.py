"""porta_add_app() in somebody's own CMake project, and `porta build` of a
porta that was installed: both from a folder that knows nothing of this tree."""
import os
import subprocess

import pytest

from conftest import BIN, SANITIZED, ROOMY_TABLE, device, run

MAIN = """#include <stdio.h>
#include "esp_app_desc.h"
#include "esp_log.h"
extern const char note[] asm("_binary_note_txt_start");
void app_main(void)
{
    printf("fact %s %s %d\\n", esp_app_get_description()->version, note,
           CONFIG_FREERTOS_HZ);
}
"""
LISTS = """cmake_minimum_required(VERSION 3.25)
project(own VERSION 3.1 LANGUAGES C)
find_package(porta REQUIRED)
porta_add_app(NAME gateway SRCS main.c EMBED note.txt
    SDKCONFIG_DEFAULTS my.defaults PARTITIONS my.csv %s)
"""
SMALL_TABLE = "otadata, data, ota, , 0x2000\nota_0, app, ota_0, , 1M\n"


def project(folder, words=""):
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(LISTS % words)
    (folder / "main.c").write_text(MAIN)
    (folder / "note.txt").write_text("embedded")
    (folder / "my.defaults").write_text(
        "CONFIG_FREERTOS_HZ=500\n"
        f"CONFIG_ESPTOOLPY_FLASHSIZE_{'32' if SANITIZED else '2'}MB=y\n")
    (folder / "my.csv").write_text(ROOMY_TABLE if SANITIZED else SMALL_TABLE)
    return folder


def configure(source, prefix):
    return run("cmake", "-G", "Ninja", "-S", source, "-B", source / "b",
               f"-DCMAKE_PREFIX_PATH={prefix}")


def build_and_run(source, prefix):
    made = configure(source, prefix)
    assert made.code == 0, made
    made = run("ninja", "-C", source / "b")
    assert made.code == 0, made
    return device(source / "b/gateway/flash.bin", "--boots", "1").out


@pytest.mark.parametrize("words,version", [("", "3.1"), ("VERSION 7", "7")])
def test_from_the_build_folder(tmp_path, words, version):
    source = project(tmp_path / "p", words)
    assert f"fact {version} embedded 500" in build_and_run(source, BIN.parent)


@pytest.fixture(name="prefix", scope="module")
def installed(tmp_path_factory):
    if SANITIZED:
        pytest.skip("a sanitizer build is not for strangers")
    prefix = tmp_path_factory.mktemp("prefix")
    subprocess.run(["cmake", "--install", BIN.parent, "--prefix", prefix],
                   check=True, capture_output=True)
    return prefix


def test_installed(tmp_path, prefix):
    source = project(tmp_path / "p")
    assert "fact 3.1 embedded 500" in build_and_run(source, prefix)


def test_porta_build_installed(tmp_path, prefix):
    source = tmp_path / "idf"
    (source / "main").mkdir(parents=True)
    (source / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\n"
        "include($ENV{IDF_PATH}/tools/cmake/project.cmake)\nproject(idf)\n")
    (source / "main/CMakeLists.txt").write_text(
        "idf_component_register(SRCS main.c EMBED_TXTFILES note.txt)\n")
    (source / "main/main.c").write_text(MAIN)
    (source / "main/note.txt").write_text("there")
    (source / "version.txt").write_text("5\n")
    made = run(prefix / "bin/porta", "build", source, "-o", tmp_path / "out")
    assert made.code == 0, made
    assert "fact 5 there 100" in device(tmp_path / "out/flash.bin", "--boots",
                                        "1").out


@pytest.mark.parametrize("words,sentence", [
    ("NOT_A_WORD", "porta_add_app(NAME name SRCS"),
    ("EMBED none.pem", "none.pem is not there")])
def test_wrong(tmp_path, words, sentence):
    source = project(tmp_path / "p", words)
    made = configure(source, BIN.parent)
    assert made.code == 1
    assert sentence in " ".join(made.err.split()), made


def test_a_copied_porta_says_what_it_lacks(tmp_path):
    copy = tmp_path / "bin/porta"
    copy.parent.mkdir()
    os.link(BIN / "porta", copy) if os.stat(BIN).st_dev == \
        os.stat(tmp_path).st_dev else copy.write_bytes(
            (BIN / "porta").read_bytes())
    copy.chmod(0o755)
    made = run(copy, "build", tmp_path)
    assert made.code == 1 and "copied without its share/ folder" in made.err
