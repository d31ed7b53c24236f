"""docs/porting-from-esp-idf.md: its commands, run as they stand on the
advanced example, which looks at the server of the page."""
import shutil
import subprocess

import pytest

import pages
from conftest import BIN, strangers

PAGE = pages.Page("docs/porting-from-esp-idf.md")
LISTS = ("cmake_minimum_required(VERSION 3.25)\n"
         "project(own VERSION 1.0 LANGUAGES C)\n")
pytestmark = strangers


@pytest.fixture(name="owner")
def has_a_project(reader):
    """~/my_project trusts what `porta serve --cert-dir certs` makes: that is
    made before the build, for the project embeds it."""
    project = reader.folder / "my_project"
    shutil.copytree(pages.ROOT / "examples/projects/advanced", project)
    lists = project / "CMakeLists.txt"
    lists.write_text(lists.read_text().replace("project(advanced)",
                                               "project(my_project)"))
    lines = (project / "sdkconfig.defaults").read_text().splitlines()
    reader.write("my_project/sdkconfig.defaults", "\n".join(
        line for line in lines if "PROJECT_VER" not in line) +
        "\nCONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL="
        '"https://localhost:8070/my_project.bin"\n')
    reader.write("my_project/version.txt", "1\n")
    reader.run("mkdir -p www my_project/server_certs\n"
               "porta serve www --cert-dir certs &\nsleep 1\nkill %1\n"
               "cp certs/ca.pem my_project/server_certs/ca_cert.pem\n")
    return reader


def test_a_project_becomes_a_device(owner):
    """All but the first line, which builds porta."""
    lines = PAGE.block("Ten minutes", "sh", 0).splitlines(keepends=True)
    assert [line.split()[0] for line in lines if line.strip()] == [
        "git", "export", "porta", "porta"]
    said = owner.run("".join(lines[2:]).replace("flash.bin",
                                                "flash.bin --boots 1"))
    assert "version 1 starts" in said
    for name in ("my_project.bin", "my_project.elf", "flash.bin",
                 "partition_table/partition-table.bin"):
        assert f"`{name}`" in PAGE.text and (owner.folder / "v1" /
                                             name).exists(), name


def test_versions_and_an_update(owner):
    said = owner.run(PAGE.block("Ten minutes", "sh", 1))
    assert "advanced: version 1 starts" in said
    assert "advanced: version 2 starts" in said
    assert "rollback cancelled" in said
    assert "boots ota_1" in said


def test_a_bad_server(owner):
    owner.run(PAGE.block("Ten minutes", "sh", 1).split("porta serve")[0])
    said = owner.run(PAGE.block("Ten minutes", "sh", 2))
    log = (owner.folder / "log").read_text()
    assert "upgrade failed" in log and "version 2" not in log
    assert "nothing was lost" in said


def test_a_cmake_project(stranger):
    """The page's lines in a project of somebody's own."""
    write = stranger.write
    write("CMakeLists.txt", LISTS + PAGE.block(
        "In a CMake project of your own", "cmake"))
    write("main.c", '#include <stdio.h>\n#include "esp_app_desc.h"\n'
          'extern const char ca[] asm("_binary_ca_cert_pem_start");\n'
          "void app_main(void)\n{\n    printf(\"gateway %s trusts %.5s\\n\", "
          "esp_app_get_description()->version, ca);\n}\n")
    write("ca_cert.pem", "-----BEGIN")
    write("sdkconfig.defaults", "CONFIG_ESPTOOLPY_FLASHSIZE_2MB=y\n")
    write("partitions.csv", "otadata, data, ota, , 0x2000\n"
          "ota_0, app, ota_0, , 1M\n")
    said = stranger.run(
        'cmake -G Ninja -S . -B b -DCMAKE_PREFIX_PATH="$HOME/.local"\n'
        .replace("$HOME/.local", str(stranger.path[0].parent)),
        "ninja -C b\nporta device b/gateway/flash.bin --boots 1\n")
    assert "gateway 1.4 trusts -----" in said
    assert (stranger.folder / "b/gateway/gateway.bin").exists()


def test_without_porta_build(owner):
    """The line with IDF_PATH, in the folder of this build."""
    line = PAGE.text.split("Without `porta build`: `")[1].split("`")[0]
    line = line.replace("…/build", str(BIN.parent)).replace(
        "DIR", "my_project").replace("OUT", "out")
    owner.run(line)
    assert (owner.folder / "out/my_project.bin").exists()
