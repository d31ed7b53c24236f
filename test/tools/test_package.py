"""The Debian package: made by the project's own rules, unpacked, installed
into a root of its own, used, and removed without a trace."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(os.environ.get("PORTA_SOURCE",
                                   pathlib.Path(__file__).parents[2]))
BUILD = pathlib.Path(os.environ.get("PORTA_BIN", "build/bin")).parent


def run(*command, code=0, **kwargs):
    done = subprocess.run([str(c) for c in command], text=True,
                          capture_output=True, check=False, **kwargs)
    assert done.returncode == code, (command, done.stdout + done.stderr)
    return done.stdout


def version():
    text = (ROOT / "CMakeLists.txt").read_text()
    return re.search(r"^project\(porta VERSION (\d+\.\d+\.\d+) ", text,
                     re.M)[1]


@pytest.fixture(name="deb", scope="module")
def package(tmp_path_factory):
    if not (BUILD / "CPackConfig.cmake").exists():
        pytest.skip("a sanitizer build makes no package")
    if not shutil.which("dpkg-shlibdeps"):
        pytest.skip("dpkg-dev is not installed")
    folder = tmp_path_factory.mktemp("deb")
    run("cpack", "--config", BUILD / "CPackConfig.cmake", "-G", "DEB", "-B",
        folder)
    made, = folder.glob("*.deb")
    return made


@pytest.fixture(name="tree", scope="module")
def unpacked(deb, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    run("dpkg-deb", "-x", deb, folder)
    return folder / "usr"


def test_one_version_everywhere(deb, tree):
    assert run("dpkg-deb", "-f", deb, "Version").strip() == version()
    assert deb.name.startswith(f"porta_{version()}_")
    assert run(tree / "bin/porta", "--version") == f"porta {version()}\n"
    pc = next(tree.rglob("porta.pc")).read_text()
    assert f"\nVersion: {version()}\n" in pc
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(r"^## (\S+)", changes, re.M)[1] == version()


def test_what_it_depends_on(deb):
    depends = run("dpkg-deb", "-f", deb, "Depends")
    for library in ("libc6", "libmicrohttpd", "libgnutls", "libcjson"):
        assert library in depends
    assert "-dev" not in depends
    assert "cmake" in run("dpkg-deb", "-f", deb, "Recommends")


def test_what_is_in_it(tree):
    for name in ("bin/porta", "share/man/man1/porta.1",
                 "share/man/man1/porta-flash-create.1",
                 "share/bash-completion/completions/porta",
                 "share/zsh/site-functions/_porta",
                 "share/doc/porta/copyright", "share/doc/porta/CHANGELOG.md",
                 "share/porta/idf/Kconfig", "include/esp_https_ota.h"):
        assert (tree / name).exists(), name
    for path in tree.rglob("*"):
        if path.is_symlink():
            target = os.readlink(path)
            assert not target.startswith(("/home", str(BUILD))), path
    listed = run("file", tree / "bin/porta") if shutil.which("file") else ""
    assert "with debug_info" not in listed


def test_library_and_headers_are_in_it(deb, tree, tmp_path):
    """For programs that are compiled, and for those that only run."""
    if not (BUILD / "lib/libporta.so").exists():
        pytest.skip("no libporta.so here: PORTA_SHARED is off")
    for name in ("libporta.a", "libporta.so", f"libporta.so.{version()}",
                 "porta.pc", "porta-shared.pc", "porta-config.cmake"):
        assert len(list(tree.rglob(name))) == 1, name
    run("dpkg-deb", "-e", deb, tmp_path)
    major, minor, _ = version().split(".")
    assert (tmp_path / "shlibs").read_text().split() == [
        "libporta", f"{major}.{minor}", "porta", "(>=", f"{version()})"]
    assert "ldconfig" in (tmp_path / "postinst").read_text()


def test_nothing_of_this_machine_is_in_its_text(tree):
    places = (str(BUILD).encode(), str(ROOT).encode())
    for path in tree.rglob("*"):
        if path.is_file() and path.suffix in (".cmake", ".pc", ".1", ".txt",
                                              ".h", ".md", ""):
            if path.parent.name == "bin" or ".so" in path.suffixes:
                continue  # machine code: its debug information names sources
            text = path.read_bytes()
            assert not any(place in text for place in places), path


def test_smoke(tree, tmp_path):
    """A device is updated over HTTPS by what was unpacked."""
    porta = tree / "bin/porta"
    body = tmp_path / "body"
    body.write_bytes(os.urandom(4000))
    www = tmp_path / "www"
    www.mkdir()
    for number, place in ((1, tmp_path), (2, www)):
        run(porta, "image", "create", "--chip", "esp32", "--project", "x",
            "--version", number, "--segment", f"0x20000000:{body}", "-o",
            place / "app.bin")
    flash = tmp_path / "device.bin"
    run(porta, "flash", "create", "-o", flash, "--app",
        f"ota_0={tmp_path / 'app.bin'}")
    with subprocess.Popen([porta, "serve", www, "--port", "0", "--cert-dir",
                           tmp_path / "certs", "--quiet"], text=True,
                          stdout=subprocess.PIPE) as server:
        url = server.stdout.readline().strip()
        try:
            run(porta, "update", flash, url + "app.bin", "--cacert",
                tmp_path / "certs/ca.pem")
        finally:
            server.terminate()
    assert '"boot":"ota_1"' in run(porta, "explain", flash, "--json")
    assert "usage: porta update" in run(porta, "help", "update")


def test_dpkg_installs_and_removes_it(deb, tmp_path):
    root = tmp_path / "root"
    (root / "var/lib/dpkg/updates").mkdir(parents=True)
    (root / "var/lib/dpkg/info").mkdir()
    (root / "var/lib/dpkg/status").touch()
    (root / "var/log").mkdir()
    dpkg = ["dpkg", f"--root={root}", "--force-depends", "--force-not-root",
            "--force-script-chrootless"]
    env = {**os.environ,
           "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    run(*dpkg, "-i", deb, env=env)
    said = run("dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f",
               "${Status} ${Version}", "porta")
    assert said == f"install ok installed {version()}"
    assert run(root / "usr/bin/porta", "--version").startswith("porta ")
    listed = run("dpkg-query", f"--admindir={root}/var/lib/dpkg", "-L",
                 "porta").split()
    assert "/usr/bin/porta" in listed
    run(*dpkg, "-P", "porta", env=env)
    assert not (root / "usr/bin/porta").exists()
    assert not list(root.rglob("*porta*.1"))


STRANGER = """
#include <string.h>
#include "esp_err.h"
#include "esp_https_ota.h"

int main(void)
{
    esp_https_ota_config_t config = { 0 };

    return esp_https_ota(&config) == ESP_ERR_INVALID_ARG &&
           strcmp(esp_err_to_name(ESP_OK), "ESP_OK") == 0 ? 0 : 1;
}
"""
STRANGER_CMAKE = """
cmake_minimum_required(VERSION 3.25)
project(stranger C)
find_package(porta REQUIRED)
add_executable(stranger main.c)
target_link_libraries(stranger porta::shared)
"""


@pytest.fixture(name="shared", scope="module")
def shared_prefix(tmp_path_factory):
    if not (BUILD / "lib/libporta.so").exists():
        pytest.skip("no libporta.so here: PORTA_SHARED is off")
    prefix = tmp_path_factory.mktemp("shared")
    run("cmake", "--install", BUILD, "--prefix", prefix)
    return prefix


def test_the_shared_library_says_its_version(shared):
    major, minor, _ = version().split(".")
    soname = f"libporta.so.{major}.{minor}" if major == "0" else \
        f"libporta.so.{major}"
    so = next(shared.rglob("libporta.so"))
    assert os.readlink(so) == soname
    assert os.readlink(so.parent / soname) == f"libporta.so.{version()}"
    assert f"[{soname}]" in run("readelf", "-d", so)
    names = {line.split()[-1] for line in run(
        "nm", "-D", "--defined-only", so).splitlines()}
    assert "esp_https_ota" in names and "xTaskCreate" in names
    strange = [n for n in names if re.match(
        r"(img|slot|http|tls|upd|boot|part|otadata|mbedtls|psa|port|linux)_",
        n)]
    assert strange == []


def test_a_stranger_links_the_shared_library(shared, tmp_path):
    (tmp_path / "main.c").write_text(STRANGER)
    (tmp_path / "CMakeLists.txt").write_text(STRANGER_CMAKE)
    pc = next(shared.rglob("porta-shared.pc")).parent
    env = {**os.environ, "PKG_CONFIG_PATH": str(pc),
           "LD_LIBRARY_PATH": str(pc.parent)}
    flags = run("pkg-config", "--cflags", "--libs", "porta-shared",
                env=env).split()
    run("gcc", tmp_path / "main.c", "-o", tmp_path / "a", *flags)
    run(tmp_path / "a", env=env)
    assert "libporta.so" in run("readelf", "-d", tmp_path / "a")
    run("cmake", "-S", tmp_path, "-B", tmp_path / "b",
        f"-DCMAKE_PREFIX_PATH={shared}")
    run("cmake", "--build", tmp_path / "b")
    run(tmp_path / "b/stranger")
