/* device_fuse.h - the fuses of a device in a flash file.
 *
 * They are in the file's partition `data, efuse`; a table without one has them
 * in a file FLASH.efuse beside it, which stands for the fuses of the chip. It
 * is made when somebody is to burn them; until then nothing is burnt. */
#ifndef DEVICE_FUSE_H
#define DEVICE_FUSE_H

#include "boot/exec.h"
#include "linux_flash.h"
#include "part/part.h"

struct device_fuse {
    struct fuse_emul emul;
    struct linux_flash file; /* FLASH.efuse, if it is used */
    uint16_t chip;           /* whose layout they have */
    esp_err_t err;           /* of finding them in the table */
    const char *from;        /* where they are, for people */
};

/* Where to look. */
struct device_fuse_place {
    const char *path; /* the flash file's */
    const struct port_flash *flash;
    const struct part_table *table; /* NULL: there is none that can be used */
    const struct policy *policy;
    uint16_t chip;
    bool burns; /* the verb may burn them */
};

/* Fuses that cannot be used are no failure here: they are said where they are
 * asked. Fails when FLASH.efuse cannot be opened. *f must not move while it is
 * open. */
MUST_CHECK esp_err_t device_fuse_open(struct device_fuse *f,
                                      const struct device_fuse_place *place,
                                      struct diag *d);
void device_fuse_close(struct device_fuse *f); /* idempotent */

/* The device's secure version; false: it has no fuses that can be read. */
bool device_fuse_version(const struct device_fuse *f, uint32_t *version);

/* "secure version 2 of 16 (fuses in partition emul_efuse)", for people. */
const char *device_fuse_text(const struct device_fuse *f, char *text,
                             size_t len);

#endif
