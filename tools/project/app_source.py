"""app_source.py - app_config.c: the project's options as the program carries
them, in the layout of compat/include/porta/app_config.h."""
import glob
import json
import os
import re

from failure import Failure

SCHEME_NUMBER = {"v1": 1, "rsa3072": 2, "ecdsa256": 3, "ecdsa384": 4}
# esp_chip_model_t
CHIP_MODELS = {"esp32": 1, "esp32s2": 2, "esp32s3": 9, "esp32c3": 5,
               "esp32c2": 12, "esp32c6": 13, "esp32h2": 16, "esp32p4": 18,
               "esp32c61": 20, "esp32c5": 23}
CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)


def c_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') \
        .replace("\n", '\\n"\n    "') + '"'


def custom_bundle(project, config):
    """The PEM texts of MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH."""
    if not config.get("MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE"):
        return ""
    path = os.path.join(project,
                        config["MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH"])
    files = sorted(glob.glob(os.path.join(path, "*"))) \
        if os.path.isdir(path) else [path]
    texts = []
    for name in files:
        try:
            with open(name, encoding="ascii") as file:
                texts += CERTIFICATE.findall(file.read())
        except OSError as wrong:
            raise Failure(f"{name} cannot be read: "
                          "CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH "
                          f"names it ({wrong.strerror})") from wrong
        except UnicodeDecodeError as wrong:
            raise Failure(f"{name} is not PEM: authorities of the project "
                          "are wanted as text") from wrong
    if not texts:
        raise Failure(f"{path} holds no certificate in PEM: "
                      "CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH names it")
    return "\n".join(texts) + "\n"


def packed_keys(tools, config):
    """The key that updates must be signed with, as src/image/keys.h packs a
    set; empty: none."""
    public = tools.public_key(config)
    if not public:
        return b""
    scheme = tools.scheme(config)
    head = bytes([SCHEME_NUMBER[scheme], 1, 1, 0, 1])
    if scheme == "v1":
        raw = tools.raw_key(public)
        return head + raw[31::-1] + raw[:31:-1]
    shown = json.loads(tools.porta("key", "digest", public, "--json"))
    return head + bytes.fromhex(shown["key_id"])


def flag(config, *names):
    return "true" if any(config.get(n) for n in names) else "false"


def source(tools, config):
    keys = packed_keys(tools, config)
    pem = custom_bundle(tools.project, config)
    level = config["LOG_DEFAULT_LEVEL"]
    return f"""/* Made from the project's options. */
#include "porta/app_config.h"

static const char pem[] =
    {c_text(pem)};
static const unsigned char keys[] = {{ {", ".join(str(b) for b in keys)
                                        or "0"} }};

const struct porta_app_config porta_app_config = {{
    .version = PORTA_APP_CONFIG_VERSION,
    .from_board = false,
    .rollback = {flag(config, "BOOTLOADER_APP_ROLLBACK_ENABLE")},
    .anti_rollback = {flag(config, "BOOTLOADER_APP_ANTI_ROLLBACK")},
    .emulate_fuses = {flag(config, "BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE")},
    .sec_ver_bits = {config.get("BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD", 0)},
    .allow_http = {flag(config, "ESP_HTTPS_OTA_ALLOW_HTTP")},
    .decrypt_cb = {flag(config, "ESP_HTTPS_OTA_DECRYPT_CB")},
    .skip_cert_verify = {flag(config, "ESP_TLS_SKIP_SERVER_CERT_VERIFY")},
    .psk = {flag(config, "ESP_TLS_PSK_VERIFICATION")},
    .cert_select = {flag(config, "ESP_TLS_SERVER_CERT_SELECT_HOOK")},
    .dates_strict = {flag(config, "MBEDTLS_HAVE_TIME_DATE")},
    .require_signed = {flag(config, "SECURE_SIGNED_ON_UPDATE")},
    .keys = keys,
    .keys_len = {len(keys)},
    .bundle = {flag(config, "MBEDTLS_CERTIFICATE_BUNDLE")},
    .bundle_system = {flag(config, "MBEDTLS_CERTIFICATE_BUNDLE_DEFAULT_FULL",
                           "MBEDTLS_CERTIFICATE_BUNDLE_DEFAULT_CMN")},
    .bundle_pem = pem,
    .log_level = {level},
    .log_colors = {flag(config, "LOG_COLORS")},
    .chip_model = {CHIP_MODELS.get(config["IDF_TARGET"], 999)},
    .record_len = {config["MBEDTLS_SSL_IN_CONTENT_LEN"]},
    .heap_kib = {config["PORTA_HEAP_KIB"]},
    .wdt = {flag(config, "ESP_TASK_WDT_INIT")},
    .wdt_panic = {flag(config, "ESP_TASK_WDT_PANIC")},
    .wdt_ms = {config.get("ESP_TASK_WDT_TIMEOUT_S", 5)} * 1000,
    .tick_hz = {config["FREERTOS_HZ"]},
    .main_stack_len = {config["ESP_MAIN_TASK_STACK_SIZE"]},
    .connect_wifi = {flag(config, "EXAMPLE_CONNECT_WIFI")},
    .connect_eth = {flag(config, "EXAMPLE_CONNECT_ETHERNET")},
    .wifi_from_stdin = {flag(config, "EXAMPLE_WIFI_SSID_PWD_FROM_STDIN")},
    .wifi_ssid = {c_text(config.get("EXAMPLE_WIFI_SSID", ""))},
    .wifi_password = {c_text(config.get("EXAMPLE_WIFI_PASSWORD", ""))},
    .wifi_retries = {config.get("EXAMPLE_WIFI_CONN_MAX_RETRY", 0)},
}};
"""
