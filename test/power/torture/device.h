/* device.h - a small device to torture: nvs, two slots, maybe a factory. */
#ifndef TORTURE_DEVICE_H
#define TORTURE_DEVICE_H

#include "torture/torture.h"

#define DEVICE_NVS 0x9000u
#define DEVICE_OTADATA 0xF000u

struct device_kind { /* zero: two slots, ota_0 runs */
    bool factory;    /* a factory program runs, no record is written */
    bool old_in_target;
    bool fuses;        /* anti-rollback; the new image's version is 2 */
    uint32_t slot_cnt; /* 0: 2 */
    /* Signs an image of the C library's heap, in place of which it returns a
     * longer one; NULL: they are not signed. */
    uint8_t *(*sign)(uint8_t *image, uint32_t *len);
    uint32_t body_len; /* of the new image, 0: as large as 64 KiB allow */
};

struct device {
    uint8_t *flash, *image;
    uint32_t flash_len, image_len;
    struct boot_env boot;  /* rollback on */
    struct tort_conf conf; /* depth 1; points into this struct */
};

void device_make(struct device *d, const struct device_kind *kind);
void device_free(struct device *d);

#endif
