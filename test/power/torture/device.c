#include "device.h"

#include <stdlib.h>
#include <string.h>

#include "image/build.h"
#include "image/key_store.h"
#include "otadata/otadata.h"
#include "part/part.h"

#define SLOT_LEN 0x10000u
#define SLOTS 0x20000u
#define FUSES 0x74000u
#define DATA 0x78000u
#define FLASH_LEN 0x80000u
#define CHIP 0xFFFFu

static void row(struct part_table *t, const struct part_entry *e)
{
    t->entries[t->cnt++] = *e;
}

static void write_table(struct device *d, const struct device_kind *kind)
{
    uint32_t slot_cnt = kind->slot_cnt ? kind->slot_cnt : 2;
    struct part_table *t = calloc(1, sizeof(*t));

    row(t, &(struct part_entry){ PART_TYPE_DATA, PART_DATA_NVS, DEVICE_NVS,
                                 0x4000, 0, "nvs" });
    row(t, &(struct part_entry){ PART_TYPE_DATA, PART_DATA_OTA, DEVICE_OTADATA,
                                 OTADATA_LEN, 0, "otadata" });
    if (kind->factory)
        row(t, &(struct part_entry){ PART_TYPE_APP, PART_APP_FACTORY,
                                     SLOTS + 2 * SLOT_LEN, SLOT_LEN, 0,
                                     "factory" });
    for (uint32_t i = 0; i < slot_cnt; i++) {
        struct part_entry e = { PART_TYPE_APP,
                                (uint8_t)(PART_APP_OTA_0 + i),
                                SLOTS + i * SLOT_LEN,
                                SLOT_LEN,
                                0,
                                "ota_0" };
        e.label[4] = (char)('0' + i);
        row(t, &e);
    }
    row(t, &(struct part_entry){ PART_TYPE_DATA, PART_DATA_FAT, DATA, 0x2000, 0,
                                 "www_0" });
    row(t, &(struct part_entry){ PART_TYPE_DATA, PART_DATA_FAT, DATA + 0x2000,
                                 0x2000, 0, "www_1" });
    row(t, &(struct part_entry){ PART_TYPE_DATA, KEY_STORE_SUBTYPE,
                                 DATA + 0x4000, KEY_STORE_LEN, 0, "keys" });
    if (kind->fuses)
        row(t, &(struct part_entry){ PART_TYPE_DATA, PART_DATA_EFUSE, FUSES,
                                     FUSE_EMUL_LEN, 0, "emul_efuse" });
    part_table_pack(t, d->flash + PART_TABLE_OFF);
    free(t);
}

static uint8_t *make_image(uint32_t body_len, const char *version,
                           uint32_t *len)
{
    uint32_t x = (uint8_t)version[0];
    uint8_t *body = malloc(body_len), *out;
    struct img_build_seg seg = { 0, span_of(body, body_len) };
    struct img_build in = { .kind = IMG_KIND_APP, .segs = &seg, .seg_cnt = 1 };

    for (uint32_t i = 0; i < body_len; i++) {
        x = x * 1664525u + 1013904223u;
        body[i] = (uint8_t)(x >> 24);
    }
    in.header.chip_id = CHIP;
    in.header.hash_appended = 1;
    in.header.max_rev = UINT16_MAX;
    strcpy(in.desc.project, "torture");
    strcpy(in.desc.version, version);
    in.desc.secure_version = (uint32_t)(version[0] - '0');
    (void)!img_build(&in, NULL, 0, len, NULL);
    out = malloc(*len);
    if (!out || img_build(&in, out, *len, len, NULL) != ESP_OK)
        abort();
    free(body);
    return out;
}

static uint8_t *image_of(const struct device_kind *kind, uint32_t body_len,
                         const char *version, uint32_t *len)
{
    uint8_t *image = make_image(body_len, version, len);

    return kind->sign ? kind->sign(image, len) : image;
}

static void put_image(struct device *d, const struct device_kind *kind,
                      uint32_t off, const char *version)
{
    uint32_t len;
    uint8_t *image = image_of(kind, 9000, version, &len);

    memcpy(d->flash + off, image, len);
    free(image);
}

void device_make(struct device *d, const struct device_kind *kind)
{
    *d = (struct device){ .flash_len = FLASH_LEN };
    d->flash = malloc(FLASH_LEN);
    memset(d->flash, 0xFF, FLASH_LEN);
    write_table(d, kind);
    put_image(d, kind, kind->factory ? SLOTS + 2 * SLOT_LEN : SLOTS, "1");
    if (kind->old_in_target)
        put_image(d, kind, SLOTS + SLOT_LEN, "0");
    d->image = image_of(kind, kind->body_len ? kind->body_len : SLOT_LEN - 512,
                        "2", &d->image_len);
    d->boot = (struct boot_env){ .policy = { .rollback = true,
                                             .anti_rollback = kind->fuses },
                                 .rules = { .chip_id = CHIP } };
    d->conf = (struct tort_conf){
        .flash = span_of(d->flash, d->flash_len),
        .image = span_of(d->image, d->image_len),
        .table_off = PART_TABLE_OFF,
        .boot = &d->boot,
        .fuse_field = fuse_field_find(CHIP),
        .depth = 1,
    };
}

void device_free(struct device *d)
{
    free(d->flash);
    free(d->image);
}
