/* esp_crt_bundle.h - trust in the authorities that everybody trusts.
 *
 * On Linux these are the machine's own (the package ca-certificates, or the
 * file that SSL_CERT_FILE names); on a target, and wherever
 * esp_crt_bundle_set() is called, a compact bundle that `porta bundle build`
 * or ESP-IDF's gen_crt_bundle.py made. */
#ifndef ESP_CRT_BUNDLE_H
#define ESP_CRT_BUNDLE_H

#include <mbedtls/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For .crt_bundle_attach; conf is an mbedtls_ssl_config, NULL: only loads.
 * ESP_ERR_NOT_FOUND: the machine has no such store. */
esp_err_t esp_crt_bundle_attach(void *conf);
/* conf trusts nobody any more. */
void esp_crt_bundle_detach(mbedtls_ssl_config *conf);
/* Only these are trusted from now on; borrowed for good.
 * ESP_ERR_INVALID_ARG: this is no bundle. What was trusted before still is. */
esp_err_t esp_crt_bundle_set(const uint8_t *x509_bundle, size_t bundle_size);
/* Does this list, of a configuration, stand for the bundle? */
bool esp_crt_bundle_in_use(const mbedtls_x509_crt *ca_chain);

#ifdef __cplusplus
}
#endif

#endif
