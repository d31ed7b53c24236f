"""Every option that the product's brief names, on and off: a row says which
fact of the probe (test/compat/probe) it decides, and both values are seen on a
device. Options that exclude each other are rows of different builds."""
import json
import subprocess

import pytest

import conftest
from conftest import HERE, SANITIZED, Project, device, porta

CLOSED = "ESP_ERR_HTTP_CONNECT"  # what follows when an option lets us go on
# Where an update goes: the first application is in factory, which the larger
# table lacks.
NEXT = "ota_1" if SANITIZED else "ota_0"
SILENT = "ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT"

# option, fact, without it, with it
ROWS = [
    ("PARTITION_TABLE_TWO_OTA", "slots", "0", "2"),
    ("ESPTOOLPY_FLASHSIZE_4MB", "flash_size", str(2 << 20), str(4 << 20)),
    ("ESPTOOLPY_FLASHSIZE_4MB", "spi_size", "1", "2"),
    ("APP_PROJECT_VER_FROM_CONFIG", "version", "file", "7.1"),
    ("APP_PROJECT_VER", "version", "file", "7.1"),
    # No date in an image, whatever APP_COMPILE_TIME_DATE says.
    ("APP_COMPILE_TIME_DATE", "made", "'' '' v6.2.0", "'' '' v6.2.0"),
    ("FIRMWARE_UPGRADE_URL", "url", "https://localhost:8070/app.bin",
     "https://a.example/b?c=\"d\""),
    ("EXAMPLE_FIRMWARE_UPGRADE_URL", "example_url",
     "https://localhost:8070/app.bin", "https://b.example/"),
    ("EXAMPLE_OTA_RECV_TIMEOUT", "recv_timeout", "5000", "1234"),
    ("ESP_HTTPS_OTA_ALLOW_HTTP", "http", "ESP_ERR_INVALID_ARG", CLOSED),
    ("ESP_HTTPS_OTA_DECRYPT_CB", "decrypt", "ESP_ERR_INVALID_ARG", CLOSED),
    ("ESP_HTTPS_OTA_DECRYPT_CB", "clear", CLOSED, "ESP_ERR_INVALID_ARG"),
    ("ESP_TLS_PSK_VERIFICATION", "psk", "ESP_ERR_MBEDTLS_SSL_SETUP_FAILED",
     SILENT),
    ("ESP_TLS_SKIP_SERVER_CERT_VERIFY", "unverified",
     "ESP_ERR_MBEDTLS_SSL_SETUP_FAILED", SILENT),
    ("ESP_TLS_INSECURE", "unverified", "ESP_ERR_MBEDTLS_SSL_SETUP_FAILED",
     SILENT),
    ("ESP_TLS_SERVER_CERT_SELECT_HOOK", "cert_select",
     "ESP_ERR_NOT_SUPPORTED", "ESP_OK"),
    ("MBEDTLS_CERTIFICATE_BUNDLE", "bundle", "ESP_OK", "ESP_ERR_NOT_FOUND"),
    ("EXAMPLE_CONNECT_ETHERNET", "event", "WIFI_EVENT 2|WIFI_EVENT 4|IP_EVENT 0",
     "ETH_EVENT 0|ETH_EVENT 2|IP_EVENT 4"),
    ("FREERTOS_HZ", "hz", "100", "1000"),
    ("FREERTOS_HZ", "a_20th", "right", "right"),
    ("COMPILER_OPTIMIZATION_ASSERTIONS_DISABLE", "asserts", "on", "off"),
    ("COMPILER_OPTIMIZATION_ASSERTIONS_DISABLE", "evaluated", "1", "1"),
    ("COMPILER_OPTIMIZATION_ASSERTIONS_DISABLE", "goes_on",
     "ESP_ERR_NOT_FOUND", "ESP_ERR_NOT_FOUND"),
    ("IDF_TARGET", "target", "esp32", "esp32c3"),
    ("PORTA_HEAP_KIB", "heap", "8", "2"),
    ("ESP_TASK_WDT_INIT", "wdt", "ESP_ERR_INVALID_STATE", "ESP_OK"),
    ("BOOTLOADER_APP_ROLLBACK_ENABLE", "chosen_state", "ffffffff", "0"),
]

OFF = """CONFIG_EXAMPLE_WIFI_SSID="lab"
CONFIG_EXAMPLE_WIFI_PASSWORD="secret"
# CONFIG_APP_COMPILE_TIME_DATE is not set
"""
ON = r"""CONFIG_IDF_TARGET="esp32c3"
CONFIG_PARTITION_TABLE_TWO_OTA=y
CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y
CONFIG_APP_PROJECT_VER_FROM_CONFIG=y
CONFIG_APP_PROJECT_VER="7.1"
CONFIG_FIRMWARE_UPGRADE_URL="https://a.example/b?c=\"d\""
CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL="https://b.example/"
CONFIG_EXAMPLE_OTA_RECV_TIMEOUT=1234
CONFIG_OTA_ALLOW_HTTP=y
CONFIG_ESP_HTTPS_OTA_DECRYPT_CB=y
CONFIG_ESP_TLS_PSK_VERIFICATION=y
CONFIG_ESP_TLS_INSECURE=y
CONFIG_ESP_TLS_SKIP_SERVER_CERT_VERIFY=y
CONFIG_ESP_TLS_SERVER_CERT_SELECT_HOOK=y
# CONFIG_MBEDTLS_CERTIFICATE_BUNDLE is not set
# CONFIG_EXAMPLE_CONNECT_WIFI is not set
CONFIG_EXAMPLE_CONNECT_ETHERNET=y
CONFIG_FREERTOS_HZ=1000
CONFIG_COMPILER_OPTIMIZATION_ASSERTIONS_DISABLE=y
CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y
CONFIG_LOG_DEFAULT_LEVEL_DEBUG=y
CONFIG_LOG_COLORS=y
CONFIG_APP_COMPILE_TIME_DATE=y
CONFIG_PORTA_HEAP_KIB=2048
# CONFIG_ESP_TASK_WDT_INIT is not set
"""


def facts(text):
    found = {}
    for line in text.splitlines():
        if line.startswith("fact "):
            _, name, value = line.split(" ", 2)
            found[name] = f"{found[name]}|{value}" if name in found else value
    return found


class Built:
    """The probe, built with some options and run once."""

    def __init__(self, folder, defaults, files=(), env=None, other=None,
                 slot=NEXT):
        folder.mkdir(exist_ok=True)
        self.project = Project(folder, HERE / "probe")
        for name, text in files:
            self.project.write(name, text)
        self.project.write("version.txt", "file\nnot this\n")
        self.project.write("sdkconfig.defaults", defaults)
        self.built = self.project.build(*conftest.roomy(folder, self.project))
        if other:
            porta("flash", "write", self.project.flash, slot,
                  other(self.project))
        self.device = device(self.project.flash, "--boots", "1", env=env)
        self.facts = facts(self.device.out)

    def says(self, text):
        return text in self.device.out


def own_image(project):
    return project.out / "probe.bin"


@pytest.fixture(scope="module")
def off(tmp_path_factory):
    return Built(tmp_path_factory.mktemp("off"), OFF)


@pytest.fixture(scope="module")
def on(tmp_path_factory):
    return Built(tmp_path_factory.mktemp("on"), ON, other=own_image)


@pytest.fixture(scope="module")
def two_slots(tmp_path_factory):
    """No option but the table and the size, and something in both slots."""
    return Built(tmp_path_factory.mktemp("two"), "\n".join(
        l for l in ON.splitlines() if "TWO_OTA" in l or "FLASHSIZE" in l)
        + "\n", other=own_image)


@pytest.mark.parametrize("option,fact,without,with_it", ROWS)
def test_option(off, on, two_slots, option, fact, without, with_it):
    if SANITIZED and fact in ("slots", "flash_size", "spi_size"):
        pytest.skip("a sanitized program needs a larger table")
    first = two_slots if fact in ("chosen_state", "clear") else off
    assert first.facts.get(fact, "not said") == without, first.device
    assert on.facts.get(fact, "not said") == with_it, on.device


def test_log_level_and_colours(off, on):
    assert not off.says("a detail") and on.says("a detail")
    assert "\033[0;31mE (" in on.device.out
    assert "\033" not in off.device.out


def test_wifi_asks_for_the_right_password(off):
    flash = off.project.flash
    right = facts(device(flash, "--boots", "1",
                         env={"PORTA_WIFI": "lab:secret"}).out)
    wrong = facts(device(flash, "--boots", "1",
                         env={"PORTA_WIFI": "lab:other"}).out)
    elsewhere = facts(device(flash, "--boots", "1",
                             env={"PORTA_WIFI": "cafe:secret"}).out)
    assert right["connect"] == "ESP_OK" and "reason" not in right
    assert wrong["connect"] == "ESP_FAIL"
    assert set(wrong["reason"].split("|")) == {"15"}
    assert set(elsewhere["reason"].split("|")) == {"201"}


# What is typed, and how the connection ends.
TYPED = [("lab secret\n", "ESP_OK"), ("lab other\n", "ESP_FAIL"),
         ("cafe secret\n", "ESP_FAIL"),
         ("\n", "ERROR")]  # ESP_ERR_WIFI_SSID: esp_err_to_name() has no Wi-Fi


def test_wifi_from_the_console(tmp_path, off):
    """EXAMPLE_WIFI_SSID_PWD_FROM_STDIN: name and password are what is typed,
    not what the options say; without it nobody is asked."""
    built = Built(tmp_path, "CONFIG_EXAMPLE_WIFI_SSID_PWD_FROM_STDIN=y\n")
    for typed, want in TYPED:
        said = device(built.project.flash, "--boots", "1", feed=typed,
                      env={"PORTA_WIFI": "lab:secret"}).out
        assert "Please input ssid password:" in said
        assert facts(said)["connect"] == want, said
        if want == "ESP_OK":
            assert "Connecting to lab..." in said
    said = device(off.project.flash, "--boots", "1", feed="cafe other\n",
                  env={"PORTA_WIFI": "lab:secret"}).out
    assert "Please input" not in said and facts(said)["connect"] == "ESP_OK"


def test_a_brief_of_old_names_is_understood(on):
    """CONFIG_OTA_ALLOW_HTTP is CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP, both ways."""
    assert on.project.config("ESP_HTTPS_OTA_ALLOW_HTTP") == "1"
    assert on.project.config("OTA_ALLOW_HTTP") == \
        "CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP"


# --- the bundle --------------------------------------------------------------

def test_bundle_of_the_project(tmp_path, pki):
    """With DEFAULT_NONE only the project's own authority is in it; one that is
    missing is a sentence."""
    text = ("CONFIG_MBEDTLS_CERTIFICATE_BUNDLE_DEFAULT_NONE=y\n"
            "CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE=y\n"
            'CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH="own.pem"\n')
    with open(pki.ca, encoding="ascii") as file:
        own = file.read()
    built = Built(tmp_path, text, [("own.pem", own)],
                  env={"SSL_CERT_FILE": "/nonexistent"})
    assert built.facts["bundle"] == "ESP_OK"
    (built.project.dir / "own.pem").unlink()
    built.project.before = built.project.snapshot()
    ended = built.project.build(ok=False)
    assert ended.code == 1 and "own.pem cannot be read" in ended.err


# --- signed applications -----------------------------------------------------

SIGNED = """CONFIG_IDF_TARGET="esp32c6"
CONFIG_PARTITION_TABLE_TWO_OTA=y
CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y
CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT=y
CONFIG_SECURE_SIGNED_APPS_ECDSA_V2_SCHEME=y
CONFIG_SECURE_BOOT_SIGNING_KEY="key.pem"
"""


def key(tmp_path, scheme):
    path = tmp_path / "key.pem"
    porta("key", "new", "--scheme", scheme, "-o", path)
    return [("key.pem", path.read_text())]


def unsigned(project):
    return project.out / "probe.bin.unsigned"


@pytest.mark.parametrize("on_update,verdict", [
    ("y", "ESP_ERR_OTA_VALIDATE_FAILED"), ("n", "ESP_OK")])
def test_signed_on_update(tmp_path, on_update, verdict):
    """An image that the project's key has not signed is refused, or not."""
    text = SIGNED + f"CONFIG_SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT={on_update}\n"
    built = Built(tmp_path / "p", text, key(tmp_path, "ecdsa256"),
                  other=unsigned if on_update == "y" else own_image)
    assert built.facts["choose"] == verdict, built.device
    if on_update == "y":
        shown = porta("image", "info", own_image(built.project), "--json").out
        assert 'ecdsa256' in shown
        # The same device takes what the key has signed.
        porta("flash", "write", built.project.flash, NEXT,
              own_image(built.project))
        again = facts(device(built.project.flash, "--boots", "1").out)
        assert again["choose"] == "ESP_OK"


def test_the_boards_signatures_hold(tmp_path, two_slots):
    """A project without signatures on a board that wants them: its
    application refuses what its bootloader would refuse."""
    (name, _), = key(tmp_path, "ecdsa256")
    flash = tmp_path / "device.bin"
    flash.write_bytes(two_slots.project.flash.read_bytes())
    porta("key", "public", tmp_path / name, "-o", tmp_path / "pub.pem")
    porta("image", "sign", "--scheme", "ecdsa256", "--key", tmp_path / name,
          own_image(two_slots.project), "-o", tmp_path / "signed.bin")
    first = "ota_0" if SANITIZED else "factory"
    porta("flash", "write", flash, first, tmp_path / "signed.bin")
    porta("flash", "write", flash, NEXT, own_image(two_slots.project))
    porta("flash", "erase", flash, "otadata")
    ended = device(flash, "--boots", "1", "--require-signed", "ecdsa256",
                   "--verify-key", tmp_path / "pub.pem")
    assert facts(ended.out)["choose"] == "ESP_ERR_OTA_VALIDATE_FAILED", ended


@pytest.mark.parametrize("on_boot", ["y", "n"])
def test_signed_on_boot(tmp_path, on_boot):
    """The bootloader starts an image that nobody signed, or does not."""
    text = SIGNED.replace("esp32c6", "esp32").replace("_ECDSA_V2_", "_ECDSA_") \
        + f"CONFIG_SECURE_SIGNED_ON_BOOT_NO_SECURE_BOOT={on_boot}\n"
    built = Built(tmp_path / "p", text, key(tmp_path, "v1"))
    flash = built.project.flash
    assert built.facts["end"] == "reached"
    label = "ota_0" if SANITIZED else "factory"
    porta("flash", "write", flash, label, unsigned(built.project))
    ended = device(flash, "--boots", "1")
    assert ("fact end reached" in ended.out) == (on_boot == "n"), ended
    # The flash says it to every other verb, too: updates are always asked.
    shown = json.loads(porta("flash", "show", flash, "--json").out)["options"]
    assert shown["require_signed"]
    assert shown["signed_on_boot"] == (on_boot == "y")


@pytest.mark.parametrize("on_boot,on_update", ["yn", "nn"])
def test_not_signed_on_update(tmp_path, on_boot, on_update):
    """A bootloader that asks makes updates need it; else nobody asks."""
    text = SIGNED.replace("esp32c6", "esp32").replace("_ECDSA_V2_", "_ECDSA_") \
        + f"CONFIG_SECURE_SIGNED_ON_BOOT_NO_SECURE_BOOT={on_boot}\n" \
        + f"CONFIG_SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT={on_update}\n"
    built = Built(tmp_path / "p", text,
                  key(tmp_path, "v1") if on_boot == "y" else [])
    shown = json.loads(porta("flash", "show", built.project.flash,
                             "--json").out)["options"]
    assert shown["require_signed"] == shown["signed_on_boot"] \
        == (on_boot == "y")


def test_a_missing_signing_key_is_a_sentence(tmp_path):
    copy = Project(tmp_path, HERE / "probe")
    copy.write("sdkconfig.defaults", SIGNED)
    ended = copy.build(ok=False)
    assert ended.code == 1
    assert "CONFIG_SECURE_BOOT_SIGNING_KEY names it" in ended.err
    assert ended.err.count("\n") == 1, "one sentence"


# --- anti-rollback -----------------------------------------------------------

FUSE_TABLE = """otadata, data, ota, , 0x2000
emul_efuse, data, 5, , 0x2000
ota_0, app, ota_0, 0x20000, 1M
ota_1, app, ota_1, , 1M
"""
ANTI = """CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y
CONFIG_PARTITION_TABLE_CUSTOM=y
CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y
"""
ANTI_ON = "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y\n" \
    "CONFIG_BOOTLOADER_APP_SECURE_VERSION=2\n"


def of_secure_version(number):
    """The probe as it would be with another secure version."""
    def image(project):
        made = json.loads((project.out / "project.json").read_text())
        out = project.out / "other.bin"
        subprocess.run(["strip", "-o", project.out / "s", made["program"]],
                       check=True)
        porta("image", "create", "--chip", "linux", "--project", "probe",
              "--version", "9", "--secure-version", str(number), "--elf",
              project.out / "s", "-o", out)
        return out
    return image


@pytest.mark.parametrize("more,version,fuses,verdict", [
    ("", "0", "0", "ESP_OK"),
    (ANTI_ON, "2", "2", "ESP_ERR_OTA_SMALL_SEC_VER"),
    (ANTI_ON + "CONFIG_BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE=y\n", "2", "2",
     "ESP_ERR_OTA_SMALL_SEC_VER")], ids=["off", "on", "emulated"])
def test_anti_rollback(tmp_path, more, version, fuses, verdict):
    """An image of secure version 1 after one of 2; the counter is in the
    partition for fuses, or, where there is none, beside the flash file."""
    table = FUSE_TABLE if "EMULATE" in more else FUSE_TABLE.replace(
        "emul_efuse, data, 5", "emul_efuse, data, undefined")
    built = Built(tmp_path / "p", ANTI + more, [("partitions.csv", table)],
                  other=of_secure_version(1), slot="ota_1")
    assert built.facts["secure_version"] == version, built.device
    assert built.facts["fuses"] == fuses, built.device
    assert built.facts["choose"] == verdict, built.device
    if SANITIZED:
        return  # the larger table has the partition always
    flash = built.project.flash
    beside = flash.with_name(flash.name + ".efuse").exists()
    porta("flash", "read", flash, "emul_efuse", tmp_path / "fuses")
    inside = set((tmp_path / "fuses").read_bytes()) != {0xff}
    assert (inside, beside) == {"": (False, False), ANTI_ON: (False, True)} \
        .get(more, (True, False))


def test_bits_of_the_fuse_field(tmp_path):
    """Of a field of 2 bits, version 2 is the last one."""
    for bits, raised in ((2, "ESP_ERR_INVALID_ARG"), (32, "ESP_OK")):
        built = Built(tmp_path / str(bits), ANTI + ANTI_ON +
                      f"CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD={bits}\n",
                      [("partitions.csv", FUSE_TABLE)])
        assert built.facts["fuses"] == "2"
        assert built.facts["raise"] == raised, built.device


def test_a_trial_of_several_boots(tmp_path):
    """PORTA_TRIAL_BOOTS reaches the flash file's bootloader options."""
    built = Built(tmp_path, ANTI + "CONFIG_PORTA_TRIAL_BOOTS=3\n"
                  "CONFIG_PORTA_DENY_LIST=y\n",
                  [("partitions.csv", FUSE_TABLE)])
    options = json.loads(porta("flash", "show", built.project.flash,
                               "--json").out)["options"]
    assert options["stored"] and options["rollback"]
    assert options["trial_boots"] == 3 and options["deny_list"] is True


# --- the menu ----------------------------------------------------------------

def test_custom_table(tmp_path):
    if SANITIZED:
        pytest.skip("a sanitized program needs a larger table")
    built = Built(tmp_path, 'CONFIG_PARTITION_TABLE_CUSTOM=y\n'
                  'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="mine.csv"\n'
                  'CONFIG_PARTITION_TABLE_OFFSET=0x9000\n',
                  [("mine.csv", "mine, app, factory, , 1M\n")])
    assert "--table-offset 0x9000" in built.built.out
    ended = device(built.project.flash, "--boots", "1", "--table-offset",
                   "0x9000")
    assert facts(ended.out)["running"] == "mine@10000"
    assert facts(ended.out)["table_offset"] == "9000"
