/* device_ctx.h - a device that lies in a flash file: what every verb on FLASH
 * needs to know of it.
 *
 * Chip: --chip, else that of the first valid bootloader or application image
 * in the file, else linux. Options of the bootloader: those stored in its
 * region, else --rollback; the command line overrides. */
#ifndef DEVICE_CTX_H
#define DEVICE_CTX_H

#include "base/diag.h"
#include "boot/exec.h"
#include "device_fuse.h"
#include "device_opts.h"
#include "linux_flash.h"
#include "part/part.h"

struct device {
    struct linux_flash flash;
    struct part_dev parts;  /* table.cnt is 0 when it cannot be used */
    struct diag table_diag; /* why; err ESP_OK: the table is good */
    uint16_t chip_id;
    bool chip_known; /* given, or found in the file */
    uint16_t chip_rev;
    bool check_rev;
    bool has_opts; /* the file has the bootloader's options */
    struct policy policy;
    struct img_keys own_keys; /* of the options, or of the command line */
    struct img_keys keys;     /* in force; the key store may say others */
    bool keys_given;          /* on the command line: no store is asked */
    const char *keys_from;    /* where they come from, for people */
    struct device_fuse fuse;
    struct boot_env boot; /* for boot_decide() and boot_run() */
    uint8_t buf[4096];
};
#define DEVICE_CLOSED                                          \
    {                                                          \
        .flash = { .fd = -1 }, .fuse = {.file = { .fd = -1 } } \
    }

/* Opens the file. A table that is absent or damaged is no failure, see
 * device_need_table(). The struct must not move while it is open. */
MUST_CHECK esp_err_t device_open(struct device *dev, const char *path,
                                 enum linux_flash_mode mode,
                                 const struct device_args *args,
                                 struct diag *d);
void device_close(struct device *dev); /* idempotent */

MUST_CHECK esp_err_t device_need_table(const struct device *dev,
                                       struct diag *d);

/* The partition of that label, NULL after a sentence that lists them. */
const struct part_entry *device_part(const struct device *dev,
                                     const char *label, struct diag *d);

/* What runs on a device that no board is running. */
struct device_running {
    uint32_t choice;               /* BOOT_NONE: nothing */
    const struct part_entry *part; /* NULL: nothing */
    uint32_t rec_idx;              /* OTA_REC_NONE: no record names it */
    uint32_t state;                /* of that record */
};

/* The slot that boots at the next reset; but a slot whose record is
 * PENDING_VERIFY was started by the last one and runs now, although the next
 * reset would give it up. Never writes. */
void device_running(struct device *dev, struct boot_result *next,
                    struct device_running *out);

/* Reads header and description of the image at the start of a partition.
 * False: there is none. */
bool device_image_head(const struct device *dev, const struct part_entry *part,
                       struct img_header *header, struct img_desc *desc);

#endif
