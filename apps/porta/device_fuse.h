/* device_fuse.h - anti-rollback of a device in a flash file, and its fuses.
 *
 * They are in the file's partition `data, efuse`; a table without one has them
 * in a file FLASH.efuse beside it, which stands for the fuses of the chip. It
 * is made when somebody is to burn them; until then nothing is burnt. */
#ifndef DEVICE_FUSE_H
#define DEVICE_FUSE_H

#include "device_ctx.h"

/* What the command line asks for, over what *opts has from the file or the
 * verb: fills in opts->anti_rollback, sec_ver_bits, fuse_chip. Exit status 2
 * where it is wrong. */
MUST_CHECK esp_err_t device_fuse_options(const struct device_args *args,
                                         uint16_t chip_id,
                                         struct boot_opts *opts,
                                         struct diag *d);

/* Finds dev->fuse. Fuses that cannot be used are no failure here: they are
 * said where they are asked. Fails when FLASH.efuse cannot be opened. */
MUST_CHECK esp_err_t device_fuse_find(struct device *dev, const char *path,
                                      const struct device_args *args,
                                      struct diag *d);

/* The device's secure version; false: it has no fuses that can be read. */
bool device_fuse_version(const struct device *dev, uint32_t *version);

/* "secure version 2 of 16 (fuses in partition emul_efuse)", for people. */
const char *device_fuse_text(const struct device *dev, char *text, size_t len);

#endif
