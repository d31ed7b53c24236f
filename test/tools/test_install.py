"""What is installed is enough: a stranger's program builds against it, found
by pkg-config and by CMake, in a folder that knows nothing of this tree."""
import os
import pathlib
import subprocess

import pytest

BUILD = pathlib.Path(os.environ.get("PORTA_BIN", "build/bin")).parent
PROGRAM = """
#include <stdio.h>
#include <string.h>
#include "esp_err.h"
#include "esp_https_ota.h"
#include "esp_ota_ops.h"
#include <mbedtls/ssl.h>

int main(void)
{
    esp_https_ota_config_t config = { 0 };

    /* No handle and no URL: an argument error, by way of the whole library. */
    return esp_https_ota(&config) == ESP_ERR_INVALID_ARG &&
           strcmp(esp_err_to_name(ESP_OK), "ESP_OK") == 0 ? 0 : 1;
}
"""
CMAKE = """
cmake_minimum_required(VERSION 3.25)
project(stranger C)
find_package(porta 0.1 REQUIRED)
add_executable(stranger main.c)
target_link_libraries(stranger porta::porta)
"""


APPLICATION = """
#include <stdio.h>
#include "esp_ota_ops.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

void app_main(void)
{
    vTaskDelay(1);
    puts(esp_app_get_description()->version);
}
"""


def run(*command, **kwargs):
    done = subprocess.run([str(c) for c in command], text=True,
                          capture_output=True, check=False, **kwargs)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(name="prefix", scope="module")
def installed(tmp_path_factory):
    if os.environ.get("PORTA_SANITIZE") == "1":
        pytest.skip("a sanitizer build is not for strangers")
    prefix = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--prefix", prefix)
    return prefix


@pytest.fixture(name="source")
def program(tmp_path):
    (tmp_path / "main.c").write_text(PROGRAM)
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    return tmp_path


def test_pkg_config(prefix, source):
    folder = next(prefix.rglob("porta.pc")).parent
    flags = run("pkg-config", "--cflags", "--libs", "porta",
                env={**os.environ, "PKG_CONFIG_PATH": str(folder)}).split()
    run("gcc", "-Wall", "-Wextra", "-Werror", source / "main.c", "-o",
        source / "stranger", *flags)
    run(source / "stranger")


def test_cmake_package(prefix, source):
    run("cmake", "-S", source, "-B", source / "b",
        f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", source / "b")
    run(source / "b/stranger")


def test_an_application_with_cmake(prefix, source):
    """FreeRTOS's headers and start-up code come with porta::porta, too."""
    (source / "main.c").write_text(APPLICATION)
    run("cmake", "-S", source, "-B", source / "b",
        f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", source / "b")
    assert (source / "b/stranger").exists()


def test_no_internal_header_is_installed(prefix):
    names = {p.relative_to(prefix / "include").parts[0]
             for p in (prefix / "include").rglob("*.h")}
    assert "base" not in names and "port" not in names
    assert (prefix / "include/esp_https_ota.h").exists()


def test_make_builds_what_is_installed_and_no_tests(prefix):
    """The target `product` is what `make` builds."""
    inputs = subprocess.run(
        ["ninja", "-C", BUILD, "-t", "inputs", "product"], check=True,
        capture_output=True, text=True).stdout.splitlines()
    names = {pathlib.Path(i).name for i in inputs}
    installed_names = {p.name.replace(".bin", ".elf") for p in
                       prefix.rglob("*") if p.is_file() and not
                       p.is_symlink() and
                       (p.suffix in (".a", ".bin") or p.parent.name == "bin"
                        or ".so." in p.name)}
    assert {"porta", "libporta.a"} <= installed_names
    boards = {p.name.replace(".bin", ".elf")
              for p in (prefix / "share/porta/boards").rglob("*")}
    assert installed_names - boards <= names, installed_names - names
    source = os.environ.get("PORTA_SOURCE", ".")
    for folder in ("test", "fuzz", "bench"):
        mine = (f"{folder}/", f"{source}/{folder}/", f"{folder}-bin/")
        assert not [i for i in inputs if i.startswith(mine)], folder
