"""The pages about who may decide what runs: signed images, encrypted ones,
images that may not come back. Their commands run in the order of the page."""

import contextlib
import pathlib
import struct
import subprocess

import pytest

import nginx
import pages
from conftest import needs_nginx, strangers

SIGNING = pages.Page("docs/signing.md")
ENCRYPTED = pages.Page("docs/encrypted-images.md")
TUTORIAL = pages.Page("docs/tutorial.md")
OLDER = pages.Page("docs/anti-rollback.md")


@pytest.fixture(name="fleet")
def with_a_server(reader, pki):
    """fleet(text): the page's server is one that runs here."""
    (reader.folder / "www").mkdir()
    (reader.folder / "ca.pem").write_text(pathlib.Path(pki.ca).read_text())
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(
            nginx.Nginx(reader.folder / "www", *pki.server()))

        def run(text):
            for name in ("https://updates.example/", "https://localhost:8070/"):
                text = text.replace(name, server.url(""))
            assert ".example" not in text
            return reader.run(text)

        run.folder, run.reader = reader.folder, reader
        yield run


@needs_nginx
def test_signing(fleet):
    for number in (1, 2, 3):  # nginx tells them apart by length and second
        fleet.reader.image(f"app-{number}.bin", number, 4096 * number)
    said = fleet(SIGNING.block("Two keys"))
    digest = said.split()[0]
    assert len(digest) == 64
    fleet.reader.write("partitions.csv", SIGNING.block(
        "A device that asks for signatures", "csv"))
    said = fleet(SIGNING.block("A device that asks for signatures"))
    assert f"{digest} trusted" in said and "booted ota_0, app 1" in said
    said = fleet(SIGNING.block("A release", "sh", 0))
    assert "booted ota_1, app 2" in said
    said = fleet(SIGNING.block("A release", "sh", 1))
    assert "not signed" in said
    fleet(SIGNING.block("A key leaves", "sh", 0))
    early = fleet.reader.ends("porta key install device.bin keys.bin\n")
    assert early.returncode == 1
    assert "nothing on the device would start" in early.stdout
    said = fleet(SIGNING.block("A key leaves", "sh", 1))
    assert f"{digest} revoked" in said and said.count(" trusted") == 2
    fleet(SIGNING.block("A key leaves", "sh", 2))


# The project's line for the scheme, what kind of key, what the device asks.
SCHEMES = [("ECDSA_V2", "ecdsa256", "esp32c6"), ("RSA", "rsa3072", "esp32")]


@strangers
@pytest.mark.parametrize("line, scheme, target", SCHEMES)
def test_signing_in_a_project(reader, line, scheme, target):
    """With the program of the tutorial: an update that nobody signed, then
    one that the project signed."""
    for block in TUTORIAL.all("cmake", "ini", "c"):
        reader.write(block.file, block.text)
    options = SIGNING.block("In an ESP-IDF project", "ini")
    with (reader.folder / "lamp/sdkconfig.defaults").open("a") as file:
        file.write(options.replace("ECDSA_V2", line)
                   .replace("esp32c6", target))
    reader.run(TUTORIAL.block("A project"))
    said = reader.run(
        f"porta key new --scheme {scheme} -o lamp/first.pem\n"
        "for v in 1 2; do porta build lamp -o v$v -D PROJECT_VER=$v; done\n"
        "cp v1/flash.bin device.bin; porta key show device.bin\n")
    assert f"{scheme}, 1 of 1 needed" in said and "not at boot" in said
    update = ("porta serve www --port 8443 --quiet &\nsleep 1\n"
              "porta device device.bin --boots 2\nkill %1\n")
    said = reader.run("cp v2/lamp.bin.unsigned www/lamp.bin\n" + update)
    assert "not signed" in said and "lamp 2" not in said
    said = reader.run("cp v2/lamp.bin www/lamp.bin\n" + update)
    assert "lamp 2, from ota_0" in said
    once = "porta device device.bin --boots 1 --signed-on-boot\n"
    assert "lamp 2, from ota_0" in reader.run(once)
    reader.run("porta flash write device.bin ota_0 v2/lamp.bin.unsigned\n")
    said = reader.run(once)
    assert "lamp 1, from factory" in said and "lamp 2" not in said


@needs_nginx
def test_encrypted(fleet):
    """`device.bin` and `app.bin` are the reader's."""
    fleet.reader.image("old.bin", 1, 4000)
    fleet.reader.image("app.bin", 2, 4000)
    fleet.reader.run("porta flash create -o device.bin --chip esp32 --size 4MB "
                     "--table two_ota --app factory=old.bin\n")
    text = ENCRYPTED.block("On the command line")
    before, update = text.split("porta update ")
    said = fleet(before)
    assert "encrypted" in said
    (fleet.folder / "www/app.enc").write_bytes(
        (fleet.folder / "app.enc").read_bytes())
    fleet("porta update " + update)
    assert "boots ota_0, app 2" in fleet("porta explain device.bin\n")
    # A plain image in its place is refused.
    fleet("porta reset device.bin\nporta confirm device.bin\n"
          "cp old.bin www/app.enc\n")
    said = fleet("! porta update " + update)
    assert "not encrypted" in said or "no encrypted" in said, said


def test_encrypted_in_a_program(tmp_path):
    source = tmp_path / "x.c"
    source.write_text(
        '#include "porta/ota_decrypt.h"\n'
        "esp_err_t go(const esp_decrypt_cfg_t cfg,\n"
        "             const esp_http_client_config_t http);\n"
        "esp_err_t go(const esp_decrypt_cfg_t cfg,\n"
        "             const esp_http_client_config_t http)\n{\n" +
        ENCRYPTED.block("In an application", "c") +
        "return esp_https_ota(&config);\n}\n")
    subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror",
                    "-fsyntax-only", "-I", pages.ROOT / "include", source],
                   check=True)


@strangers
def test_anti_rollback_in_a_project(reader):
    """With the program of the tutorial: what is newer raises the fuses when
    it has confirmed itself, what is older is then refused."""
    for block in TUTORIAL.all("cmake", "ini", "c"):
        reader.write(block.file, block.text)
    options = reader.folder / "lamp/sdkconfig.defaults"
    old = options.read_text().replace("CONFIG_PARTITION_TABLE_TWO_OTA=y\n", "")
    new = OLDER.block("How to use it", "ini")
    reader.write("lamp/partitions.csv", OLDER.block("How to use it", "csv"))
    reader.run(TUTORIAL.block("A project"))
    for version, secure in ((1, 1), (2, 2), (3, 1)):
        options.write_text(old + new.replace("SECURE_VERSION=1",
                                             f"SECURE_VERSION={secure}"))
        reader.run(f"porta build lamp -o v{version} -D PROJECT_VER={version}")
    reader.run("cp v1/flash.bin device.bin")
    update = ("porta serve www --port 8443 --quiet &\nsleep 1\n"
              "porta device device.bin --boots 2\nkill %1\n"
              "porta flash show device.bin\n")
    said = reader.run("cp v2/lamp.bin www/\n" + update)
    assert "lamp 2, from ota_1" in said and "secure version 2," in said
    said = reader.run("cp v3/lamp.bin www/\n" + update)
    assert "it would be a downgrade" in said and "lamp 3, from" not in said


def riscv_program():
    """An ELF file with one segment, as a linker for a chip leaves it."""
    body = bytes(256)
    head = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\1\1\1", 2, 243, 1,
                       0x40380000, 52, 0, 0, 52, 32, 1, 40, 0, 0)
    row = struct.pack("<IIIIIIII", 1, 84, 0x40380000, 0x40380000, len(body),
                      len(body), 5, 4)
    return head + row + body


def test_anti_rollback(reader):
    """A transcript: after each `$` line what it says."""
    (reader.folder / "app.elf").write_bytes(riscv_program())
    reader.write("partitions.csv", "otadata, data, ota, 0x9000, 0x2000\n"
                 "emul_efuse, data, efuse, , 0x2000\n"
                 "ota_0, app, ota_0, 0x10000, 1M\nota_1, app, ota_1, , 1M\n")
    command, wanted, count = None, [], 0
    for line in OLDER.block("How to use it", "console").splitlines() + ["$ "]:
        if not line.startswith("$ "):
            wanted.append(line)
            continue
        if command:
            said = reader.run(command + "\n").splitlines()
            for text in wanted:
                assert text in said, (command, text, said)
            count += 1
        command, wanted = line[2:], []
    assert count == 3
