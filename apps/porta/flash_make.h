/* flash_make.h - the contents of a new device's flash, in memory. */
#ifndef FLASH_MAKE_H
#define FLASH_MAKE_H

#include "base/diag.h"
#include "boot/opts.h"
#include "cli.h"
#include "part/part.h"

/* A flash as an array; erased where nothing was put. */
struct flash_draft {
    uint8_t *bytes;
    uint32_t len;
    uint32_t table_off;
    uint16_t chip_id;
    bool check_rev;
    uint16_t chip_rev;
    const struct img_keys *keys; /* NULL: images need no signature */
    struct part_table table;
};

/* Allocates an erased flash and puts the table into it. Free with
 * flash_draft_free(). */
MUST_CHECK esp_err_t flash_draft_begin(struct flash_draft *f, struct diag *d);

/* A bootloader image that holds the options, where the chip looks for it. */
MUST_CHECK esp_err_t flash_draft_bootloader(struct flash_draft *f,
                                            const struct boot_opts *opts,
                                            struct diag *d);

/* Sets the chip to that of the first image named, linux when there is none. */
MUST_CHECK esp_err_t flash_draft_guess_chip(struct flash_draft *f,
                                            const struct cli_list *apps,
                                            struct diag *d);

/* LABEL=FILE: an image that the device would boot. One that does not verify,
 * does not fit or is for another chip is refused. */
MUST_CHECK esp_err_t flash_draft_app(struct flash_draft *f, const char *arg,
                                     struct diag *d);
void flash_draft_free(struct flash_draft *f); /* idempotent */

#endif
