/* porta/app_config.h - what a program carries of its project's options.
 *
 * The build makes one constant of this type from sdkconfig and links it into
 * the application, so that one library serves every project. A program without
 * one gets that of compat/src/app_config.c: the board decides. */
#ifndef PORTA_APP_CONFIG_H
#define PORTA_APP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PORTA_APP_CONFIG_VERSION 1u

struct porta_app_config {
    uint32_t version;
    /* The options of the bootloader, as the flash file has them, hold for the
     * application too, and what is allowed is what the board allows. */
    bool from_board;

    bool rollback;
    bool anti_rollback;
    bool emulate_fuses;
    uint32_t sec_ver_bits;
    bool allow_http;
    bool decrypt_cb;
    bool skip_cert_verify;
    bool psk;
    bool cert_select;
    bool dates_strict;
    bool require_signed;
    const unsigned char *keys; /* a set as src/image/keys.h packs it */
    size_t keys_len;

    bool bundle;            /* esp_crt_bundle_attach() works */
    bool bundle_system;     /* the machine's authorities are in it */
    const char *bundle_pem; /* the project's own; "": none */

    int log_level; /* esp_log_level_t */
    bool log_colors;
    uint32_t chip_model; /* esp_chip_model_t */
    uint32_t heap_kib;   /* what the device has to give out */
    uint32_t record_len; /* TLS records that servers may send; 0: any */
    bool wdt;            /* the watchdog of tasks runs from the start */
    bool wdt_panic;
    uint32_t wdt_ms;
    uint32_t tick_hz;
    uint32_t main_stack_len;

    bool connect_wifi;
    bool connect_eth;
    bool wifi_from_stdin;
    const char *wifi_ssid;
    const char *wifi_password;
    int wifi_retries;
};

extern const struct porta_app_config porta_app_config;

#ifdef __cplusplus
}
#endif

#endif
