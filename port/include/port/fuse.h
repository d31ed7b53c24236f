/* port/fuse.h - contract: one-time bits that the boot path reads and burns.
 *
 * The field is the chip's SECURE_VERSION: a row of bits that only ever go from
 * 0 to 1. Whoever has no fuses passes NULL, or a field of no bits. */
#ifndef PORT_FUSE_H
#define PORT_FUSE_H

#include <stdint.h>

#include "esp_err.h"

struct port_fuse {
    void *ctx;
    uint32_t bit_cnt; /* width of the field, 0: this device has none */
    /* Fills *bits with the field, bit 0 first. What cannot be believed is an
     * error, and whoever asked is to refuse. */
    esp_err_t (*read)(void *ctx, uint32_t *bits);
    /* Burns the bits set in mask; bits already burnt stay burnt. A mask of 0
     * finishes what a power cut left half done, and is called at each boot.
     * ESP_ERR_NOT_SUPPORTED: this device has no field. */
    esp_err_t (*burn)(void *ctx, uint32_t mask);
};

#endif
