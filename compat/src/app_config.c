/* What a program without options of its own goes by. It stands alone in its
 * file: a program that brings its own leaves this one in the archive. */
#include "porta/app_config.h"

const struct porta_app_config porta_app_config = {
    .version = PORTA_APP_CONFIG_VERSION,
    .from_board = true,
    .decrypt_cb = true,
    .cert_select = true,
    .bundle = true,
    .bundle_system = true,
    .bundle_pem = "",
    .log_level = 3,
    .chip_model = 999,
    .heap_kib = 8192,
    .wdt_ms = 5000,
    .tick_hz = 100,
    .main_stack_len = 3584,
    .connect_eth = true,
    .wifi_ssid = "",
    .wifi_password = "",
};
