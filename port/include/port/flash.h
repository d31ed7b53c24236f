/* port/flash.h - contract: raw NOR flash.
 *
 * A program may only clear bits: where a caller asks for a 0 to become a 1 the
 * port changes nothing and returns ESP_ERR_FLASH_OP_FAIL. erase() erases
 * exactly one sector to 0xFF. Contents never prove that an erase finished: a
 * sector whose erase was not seen to return ESP_OK is erased again.
 * Offsets are bytes from the start of the flash; sizes are bytes.
 * Threads: the caller serialises; the port keeps no state between calls. */
#ifndef PORT_FLASH_H
#define PORT_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

struct port_flash {
    void *ctx;
    uint32_t size_len;  /* whole flash, a multiple of erase_len */
    uint32_t erase_len; /* one sector; 4096 on every port so far */
    uint32_t prog_len;  /* unit of the finest program, 1 where bytes work */
    uint32_t page_len;  /* a longer program tears at multiples of this */
    bool prog_once;     /* a unit may not be programmed twice (ECC) */

    /* ESP_ERR_INVALID_SIZE: the range leaves the flash. */
    esp_err_t (*read)(void *ctx, uint32_t off, void *dst, size_t len);
    /* off and len are multiples of prog_len. ESP_ERR_INVALID_SIZE: the range
     * leaves the flash. ESP_ERR_FLASH_OP_FAIL: a bit would have to rise, or
     * the flash reported failure; the range is then undefined. */
    esp_err_t (*prog)(void *ctx, uint32_t off, const void *src, size_t len);
    /* off is a multiple of erase_len, else ESP_ERR_INVALID_ARG. */
    esp_err_t (*erase)(void *ctx, uint32_t off);
};

#endif
