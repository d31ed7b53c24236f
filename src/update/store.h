/* update/store.h - where a session keeps what outlives it: the checkpoint of
 * a download, the validators of the installed image.
 *
 * Small blobs under short names. Whoever starts the session supplies it: an
 * application's key/value storage, a file beside a tool's flash file. What it
 * hands back is believed only as far as it can be checked. */
#ifndef UPDATE_STORE_H
#define UPDATE_STORE_H

#include <stddef.h>

#include "base/err.h"

#define UPD_STORE_KEY_LEN 15u /* longest key */
#define UPD_STORE_BLOB_LEN 512u

struct upd_store {
    void *ctx;
    /* *len is what was kept, at most cap. ESP_ERR_NOT_FOUND: nothing;
     * ESP_ERR_INVALID_SIZE: it is longer than cap. */
    esp_err_t (*load)(void *ctx, const char *key, void *buf, size_t cap,
                      size_t *len);
    /* Old or new after a power cut, never half of each. */
    esp_err_t (*save)(void *ctx, const char *key, const void *buf, size_t len);
    /* ESP_OK when there was nothing, too. */
    esp_err_t (*clear)(void *ctx, const char *key);
};

#endif
