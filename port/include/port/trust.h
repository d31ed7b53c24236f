/* port/trust.h - contract: the certificate authorities that the machine itself
 * trusts. */
#ifndef PORT_TRUST_H
#define PORT_TRUST_H

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "port/heap.h"

struct port_trust {
    void *ctx;
    /* Their certificates as PEM, *len bytes and one NUL behind them, in heap;
     * the caller's to free. ESP_ERR_NOT_FOUND: there is no store.
     * ESP_FAIL: there may be one, and it cannot be opened; where there is an
     * errno, that says why. ESP_ERR_INVALID_SIZE: larger than makes sense.
     * ESP_ERR_NO_MEM. */
    esp_err_t (*load)(void *ctx, const struct port_heap *heap, uint8_t **out,
                      size_t *len);
    /* Where it is, for messages. */
    const char *(*place)(void *ctx);
};

#endif
