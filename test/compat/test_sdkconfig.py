"""From sdkconfig.defaults to sdkconfig.h: what a line means, what is ignored
with a note, and what is an error. No program is built here."""
import json
import os
import pty
import re
import select
import shutil
import subprocess

import pytest

from conftest import BIN, SOURCE

TOOL = ["/usr/bin/python3", "-B", str(SOURCE / "tools/project")]
IDF = BIN.parent / "share/porta/idf"

BRIEF = """# Default sdkconfig parameters to use the OTA, 4MB flash size
CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y
CONFIG_PARTITION_TABLE_TWO_OTA=y

# Use a tabela de partição personalizada sem partição de fábrica
CONFIG_PARTITION_TABLE_CUSTOM=y
CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="partitions_example.csv"

# Habilitar versão de firmware a partir da opção de configuração
CONFIG_APP_PROJECT_VER_FROM_CONFIG=y
CONFIG_APP_PROJECT_VER="1"

# Habilitar recursos de reversão e anti-reversão de firmware 
CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y
CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y

# Defina a versão de segurança inicial como 0 
CONFIG_BOOTLOADER_APP_SECURE_VERSION=0

# Definir tamanho do campo eFuse da versão de segurança 
CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD=32

# Emular versão segura por meio de partição flash para teste 
CONFIG_BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE=y

# Use a imagem de firmware hospedada no github
 CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL="https://raw.githubusercontent.com/x/y.bin"
"""


class Made:
    """What the tool said and wrote."""

    def __init__(self, done, out):
        self.code, self.notes, self.wrong = (done.returncode, done.stdout,
                                             done.stderr)
        self.out = out

    def read(self, name):
        return (self.out / name).read_text()

    @property
    def values(self):
        return json.loads(self.read("config/sdkconfig.json"))


@pytest.fixture(name="make")
def maker(tmp_path):
    """make(defaults, ...) runs the tool over files with these texts."""
    def make(*defaults, target="esp32", sdkconfig=None, projbuild=None,
             kconfig=None, rename=None, connection=False):
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        words = ["--idf", IDF, "--project", tmp_path, "--out", out,
                 "--target", target]
        if connection:
            words.append("--connection")
        for option, text in (("--sdkconfig", sdkconfig),
                             ("--projbuild", projbuild),
                             ("--kconfig", kconfig), ("--rename", rename)):
            if text is not None:
                path = tmp_path / option[2:]
                path.write_text(text)
                words += [option, path]
        names = []
        for number, text in enumerate(defaults):
            path = tmp_path / f"defaults{number}"
            path.write_text(text)
            names.append(path)
        words += ["--defaults", *names]
        done = subprocess.run([*TOOL, "options", *map(str, words)], text=True,
                              capture_output=True, check=False)
        return Made(done, out)
    return make


def test_the_brief(make):
    """The brief's own file, whose last line begins with a blank."""
    made = make(BRIEF)
    assert made.code == 0, made.wrong
    assert re.search(r"defaults0:\d+: ignored, because it begins with a blank",
                     made.notes), made.notes
    assert "CONFIG_PARTITION_TABLE_CUSTOM is chosen instead" in made.notes
    assert made.notes.count("\n") == 2
    values = made.values
    assert values["PARTITION_TABLE_CUSTOM"] is True
    assert values["PARTITION_TABLE_TWO_OTA"] is False
    assert values["BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD"] == 32
    assert values["EFUSE_VIRTUAL_KEEP_IN_FLASH"] is True
    assert values["EXAMPLE_FIRMWARE_UPGRADE_URL"] != \
        "https://raw.githubusercontent.com/x/y.bin"


# claim, defaults, what the sentence says
WRONG = [
    ("a line that is nothing", "CONFIG_X y\n", "neither CONFIG_NAME=value"),
    ("a word", "nonsense\n", "neither CONFIG_NAME=value"),
    ("a switch that is no switch",
     "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=yes\n", "wants y or n"),
    ("a number that is none", "CONFIG_FREERTOS_HZ=fast\n",
     "wants a whole number"),
    ("an address that is none", "CONFIG_PARTITION_TABLE_OFFSET=here\n",
     "wants a number such as 0x8000"),
    ("a text without quotes", "CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL=https://x\n",
     "wants it in quotes"),
    ("a text that does not end",
     'CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL="https://x\n', "wants it in quotes"),
    ("a number out of its range", "CONFIG_FREERTOS_HZ=100000\n",
     "must be from 1 to 1000"),
    ("a fuse field that the chip does not have",
     "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n"
     "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y\n"
     "CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD=33\n",
     "must be from 1 to 32"),
    ("anti-rollback without rollback",
     "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y\n",
     "it needs BOOTLOADER_APP_ROLLBACK_ENABLE"),
    ("emulated fuses without anti-rollback",
     "CONFIG_BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE=y\n",
     "it needs BOOTLOADER_APP_ANTI_ROLLBACK"),
    ("a secure version that the field cannot hold",
     "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n"
     "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y\n"
     "CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD=4\n"
     "CONFIG_BOOTLOADER_APP_SECURE_VERSION=5\n", "the fuse field counts to 4"),
    ("signatures that the chip does not know",
     "CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y\n"
     "CONFIG_SECURE_SIGNED_APPS_ECDSA_V2_SCHEME=y\n", "that cannot be"),
    ("signatures at boot with a scheme for updates",
     "CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y\n"
     "CONFIG_SECURE_SIGNED_APPS_RSA_SCHEME=y\n"
     "CONFIG_SECURE_SIGNED_ON_BOOT_NO_SECURE_BOOT=y\n", "it needs"),
    ("a protection that only hardware has", "CONFIG_SECURE_BOOT=y\n",
     "not offered on Linux"),
    ("a version that no image has room for",
     "CONFIG_APP_PROJECT_VER_FROM_CONFIG=y\n"
     f'CONFIG_APP_PROJECT_VER="{"1" * 32}"\n', "has 32 bytes"),
]


@pytest.mark.parametrize("claim,text,sentence", WRONG,
                         ids=[row[0] for row in WRONG])
def test_wrong(make, claim, text, sentence):
    made = make(text)
    assert made.code == 1 and sentence in made.wrong, made.wrong
    assert made.wrong.count("\n") == 1, "one sentence"
    assert made.read("porta-error.txt") == made.wrong


# claim, defaults, what the note says
NOTED = [
    ("an option that nobody knows", "CONFIG_NO_SUCH_THING=y\n",
     "there is no such option here, ignored"),
    ("what has no effect on Linux", "CONFIG_ESPTOOLPY_FLASHMODE_QIO=y\n",
     "has no effect on Linux: the flash is a file"),
    ("skipping the verification without allowing what is insecure",
     "CONFIG_ESP_TLS_SKIP_SERVER_CERT_VERIFY=y\n",
     "has no effect: it needs ESP_TLS_INSECURE"),
]


@pytest.mark.parametrize("claim,text,note", NOTED, ids=[r[0] for r in NOTED])
def test_noted(make, claim, text, note):
    made = make(text)
    assert made.code == 0 and note in made.notes, made.notes + made.wrong


@pytest.mark.parametrize("insecure,skip,want", [
    ("n", "y", False), ("y", "n", False), ("y", "y", True)])
def test_skipping_needs_both(make, insecure, skip, want):
    made = make(f"CONFIG_ESP_TLS_INSECURE={insecure}\n"
                f"CONFIG_ESP_TLS_SKIP_SERVER_CERT_VERIFY={skip}\n")
    assert made.values.get("ESP_TLS_SKIP_SERVER_CERT_VERIFY", False) == want


def test_later_files_and_the_projects_own_win(make):
    one, two = "CONFIG_FREERTOS_HZ=200\n", "CONFIG_FREERTOS_HZ=250\n"
    assert make(one, two).values["FREERTOS_HZ"] == 250
    assert make(one, two, sdkconfig="CONFIG_FREERTOS_HZ=500\n") \
        .values["FREERTOS_HZ"] == 500


def test_not_set(make):
    text = "CONFIG_MBEDTLS_CERTIFICATE_BUNDLE=y\n" \
        "# CONFIG_MBEDTLS_CERTIFICATE_BUNDLE is not set\n"
    assert make(text).values["MBEDTLS_CERTIFICATE_BUNDLE"] is False
    assert "CONFIG_MBEDTLS_CERTIFICATE_BUNDLE " not in \
        make(text).read("config/sdkconfig.h"), "off is undefined, not 0"


@pytest.mark.parametrize("chip,bits", [("esp32", 32), ("esp32c2", 4),
                                       ("esp32c5", 9), ("esp32c3", 16)])
def test_the_projects_chip_has_its_ranges(make, chip, bits):
    text = "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n" \
        "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y\n"
    made = make(text, target=chip)
    assert made.values["BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD"] == bits
    assert made.values[f"IDF_TARGET_{chip.upper()}"] is True
    assert made.values["IDF_FIRMWARE_CHIP_ID"] == 0xffff
    more = text + f"CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD={bits + 1}\n"
    assert make(more, target=chip).code == 1


def test_a_chip_that_nobody_knows(make):
    made = make("", target="esp99")
    assert made.code == 1 and "there are esp32, esp32s2" in made.wrong


def test_projects_own_options(make):
    """Kconfig.projbuild and Kconfig; a project's own definition of a name
    that porta has as well decides."""
    made = make('CONFIG_MINE="a"\n', projbuild="""menu "Mine"
config MINE
    string "Mine"
config EXAMPLE_OTA_RECV_TIMEOUT
    int "Mine, too"
    default 77
endmenu
""", kconfig="config DEEP\n    hex \"Deep\"\n    default 0x10\n")
    assert made.code == 0, made.wrong
    assert made.values["MINE"] == "a" and made.values["DEEP"] == 16
    assert made.values["EXAMPLE_OTA_RECV_TIMEOUT"] == 77
    header = made.read("config/sdkconfig.h")
    assert '#define CONFIG_MINE "a"' in header
    assert "#define CONFIG_DEEP 0x10" in header
    assert 'set(CONFIG_MINE "a")' in made.read("config/sdkconfig.cmake")


CIRCLES = [
    ("two", """config A
    bool "A"
    depends on B
config B
    bool "B"
    depends on A
""", "in a circle: CONFIG_A (projbuild:1) -> CONFIG_B (projbuild:4) -> "
     "CONFIG_A (projbuild:1); take one"),
    ("a choice", """choice CH
    prompt "C"
    depends on C
config A
    bool "A"
config B
    bool "B"
endchoice
config C
    bool "C"
    depends on A
""", "CONFIG_A (projbuild:4) -> <choice CH> (projbuild:1) -> CONFIG_C "),
    ("a default", """config D
    int
    default 2 if E
config E
    bool "E"
    depends on D = 2
""", "in a circle: CONFIG_D (projbuild:1) -> CONFIG_E (projbuild:4) -> "),
    ("a file that reads itself", 'source "$PROJECT_DIR/projbuild"\n',
     "projbuild is read by itself: "),
]


@pytest.mark.parametrize("claim,text,want", CIRCLES,
                         ids=[row[0] for row in CIRCLES])
def test_a_circle_in_kconfig(make, claim, text, want):
    """The sentence names the options of the circle and where they are."""
    made = make("", projbuild=text)
    assert made.code == 1 and want in made.wrong, made.wrong
    assert made.wrong.count("\n") == 1, "one sentence"


def test_a_kconfig_that_is_none(make):
    made = make("", projbuild="config\n")
    assert made.code == 1 and "Kconfig files cannot be used" in made.wrong


def test_old_names_of_a_component(make):
    made = make("CONFIG_OLD=n\n", projbuild='config NEW\n    bool "N"\n',
                rename="CONFIG_OLD !CONFIG_NEW\n")
    assert made.values["NEW"] is True
    made = make("", rename="CONFIG_OLD\n")
    assert made.code == 1 and "is not 'CONFIG_OLD CONFIG_NEW'" in made.wrong


def test_connection_menu_only_where_it_is_used(make):
    assert "EXAMPLE_CONNECT_WIFI" not in make("").values
    assert make("", connection=True).values["EXAMPLE_WIFI_SSID"] == "myssid"


def test_an_unchanged_header_keeps_its_time(make):
    """Otherwise every build would compile everything again."""
    path = make("").out / "config/sdkconfig.h"
    os.utime(path, (1, 1))
    make("")
    assert path.stat().st_mtime == 1


def quit_menu(words, env):
    """Runs words on a terminal and leaves the menu that appears."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(env, TERM="xterm")
        os.execvp(words[0], [str(w) for w in words])
    seen, sent = b"", False
    while select.select([fd], [], [], 30)[0]:
        try:
            part = os.read(fd, 65536)
        except OSError:
            break  # the terminal is gone: it ended
        seen += part
        if b"porta: options of an application" in seen and not sent:
            os.write(fd, b"q")
            sent = True
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    assert sent and status == 0, seen


def test_menuconfig_saves_the_projects_sdkconfig(tmp_path):
    (tmp_path / "out").mkdir()
    quit_menu([*TOOL, "menu", "--idf", IDF, "--project", tmp_path, "--out",
               tmp_path / "out", "--target", "esp32"], {})
    text = (tmp_path / "sdkconfig").read_text()
    assert "CONFIG_FREERTOS_HZ=100\n" in text


def test_menuconfig_of_a_project(tmp_path):
    """What `make menuconfig PROJECT=DIR` does: the project's own options are
    in the menu, and saved. That a certificate is missing is no hindrance."""
    shutil.copytree(SOURCE / "examples/projects/advanced", tmp_path / "p")
    subprocess.run(["cmake", "-G", "Ninja", "-S", tmp_path / "p", "-B",
                    tmp_path / "b"], check=False, capture_output=True,
                   env={**os.environ, "IDF_PATH": str(IDF)})
    quit_menu([*TOOL, "menu", f"@{tmp_path / 'b/config/options.words'}"], {})
    text = (tmp_path / "p/sdkconfig").read_text()
    assert "CONFIG_EXAMPLE_OTA_BUF_SIZE=1024\n" in text
    assert "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n" in text


# What the product's brief names, and the issue that it became.
OF_THE_BRIEF = """PARTITION_TABLE_TWO_OTA PARTITION_TABLE_CUSTOM
PARTITION_TABLE_CUSTOM_FILENAME EXAMPLE_CONNECT_WIFI EXAMPLE_CONNECT_ETHERNET
EXAMPLE_WIFI_SSID EXAMPLE_WIFI_PASSWORD FIRMWARE_UPGRADE_URL
EXAMPLE_FIRMWARE_UPGRADE_URL EXAMPLE_OTA_RECV_TIMEOUT ESP_TLS_PSK_VERIFICATION
ESP_TLS_INSECURE ESP_TLS_SKIP_SERVER_CERT_VERIFY ESP_TLS_SERVER_CERT_SELECT_HOOK
SECURE_SIGNED_APPS_NO_SECURE_BOOT SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT
BOOTLOADER_APP_ROLLBACK_ENABLE BOOTLOADER_APP_ANTI_ROLLBACK
BOOTLOADER_APP_SECURE_VERSION BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD
BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE ESP_HTTPS_OTA_ALLOW_HTTP
ESP_HTTPS_OTA_DECRYPT_CB ESPTOOLPY_FLASHSIZE_4MB APP_PROJECT_VER_FROM_CONFIG
APP_PROJECT_VER""".split()


def sides():
    text = (SOURCE / "tools/project/two_sides.txt").read_text()
    return [[part.strip() for part in line.split(" | ")]
            for line in text.splitlines() if not line.startswith("#")]


def test_every_option_of_the_brief_has_two_sides():
    assert set(OF_THE_BRIEF) <= {row[0] for row in sides()}


@pytest.mark.parametrize("row", sides(), ids=lambda row: row[0])
def test_both_sides_are_seen(row):
    """The option exists, its sides differ, and the test that is named is
    there."""
    name, off, on, test, text = row
    found = subprocess.run(["grep", "-rqE", rf"config {name}$",
                            SOURCE / "Kconfig", SOURCE / "compat",
                            SOURCE / "src"], check=False)
    assert found.returncode == 0, f"no Kconfig has {name}"
    assert off != on and text in (SOURCE / "test" / test).read_text(), text


def test_the_page_of_options_is_current(tmp_path):
    page = tmp_path / "options.md"
    subprocess.run([*TOOL, "docs", "--idf", str(IDF), "-o", str(page)],
                   check=True)
    assert page.read_text() == (SOURCE / "docs/options.md").read_text(), \
        "make options"


def test_the_table_of_functions_is_current(tmp_path):
    """docs/api.md, as far as ESP-IDF's functions are compared; and what a
    header declares is in a library."""
    page = tmp_path / "api.md"
    done = subprocess.run(["/usr/bin/python3", "-B",
                           str(SOURCE / "tools/api_table.py"),
                           str(BIN.parent), "-o", str(page)], text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr

    def compared(path):
        return path.read_text().partition("## Other headers")[0]
    assert compared(page) == compared(SOURCE / "docs/api.md"), "make options"
