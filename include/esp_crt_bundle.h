/* esp_crt_bundle.h - trust in the authorities that everybody trusts.
 *
 * On Linux these are the system's own (the package ca-certificates). */
#ifndef ESP_CRT_BUNDLE_H
#define ESP_CRT_BUNDLE_H

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For .crt_bundle_attach; conf is the TLS library's configuration.
 * ESP_ERR_NOT_FOUND: the system has no such store. */
esp_err_t esp_crt_bundle_attach(void *conf);

#ifdef __cplusplus
}
#endif

#endif
