/* rig.h - a device with two slots, an image to put there, and a server. */
#ifndef TEST_RIG_H
#define TEST_RIG_H

#include "boot/exec.h"
#include "sim_flash.h"
#include "sim_heap.h"
#include "sim_sys.h"
#include "sim_work.h"
#include "unit/update/web.h"
#include "update/update.h"

#define RIG_FLASH_LEN 0x60000u
#define RIG_OTADATA 0x9000u
#define RIG_SLOT_0 0x10000u
#define RIG_SLOT_1 0x30000u
#define RIG_SLOT_LEN 0x20000u
#define RIG_BLOB 0x50000u /* data, 0x40 */
#define RIG_BLOB_LEN 0x4000u
#define RIG_FUSES 0x54000u
#define RIG_CHIP IMG_CHIP_LINUX
#define RIG_URL "http://server.test/fw.bin"

struct rig_image {     /* zero: a good one */
    uint32_t body_len; /* of its one big segment, 0: 20000 */
    uint16_t chip_id;  /* 0: RIG_CHIP */
    uint16_t min_rev;
    const char *version, *project; /* NULL: "2", "rig" */
    const struct img_cap *cap;     /* NULL: no record */
    uint32_t filler;               /* seed of the segment's bytes */
    uint32_t secure_version;
    bool bootloader;
};

/* A store in memory. */
struct rig_store {
    struct upd_store port;
    char text[UPD_STORE_TEXT_LEN];  /* "": nothing is kept */
    char copy[UPD_STORE_TEXT_LEN];  /* the same, of a copy */
    char known[UPD_STORE_TEXT_LEN]; /* ... of the running image's file */
    uint32_t save_cnt, clear_cnt;
    bool fails;                    /* to save and to clear */
    bool unreadable;               /* and to load a copy's note */
    const struct sim_flash *flash; /* without power nothing is kept */
};

struct rig {
    struct sim_flash flash;
    struct sim_heap heap;
    struct sim_sys sys;
    struct sim_work work; /* used when env.work says so */
    struct web web;
    struct part_dev parts;
    struct fuse_emul fuses;
    struct policy policy;
    struct upd_device device;
    struct upd_env env;
    struct upd_opts opts;
    struct http_opts http; /* opts.http */
    struct diag diag;
    struct rig_store store; /* used when opts.store says so */
    struct port_limit limit;
    uint8_t *image; /* what the server serves unless told otherwise */
    uint32_t image_len;
};

/* ota_0 runs version 1 and is VALID in record 0; ota_1 is erased. */
void rig_open(struct rig *r);
void rig_close(struct rig *r);
/* Makes an image, on the C library's heap. */
uint8_t *rig_make_image(const struct rig_image *how, uint32_t *len);
void rig_serve(struct rig *r, const void *file, size_t len);
/* Puts an image into a slot, as a programmer would. */
void rig_put_image(struct rig *r, uint32_t slot_off,
                   const struct rig_image *how);
/* Gives the table a partition for fuses, and the device a policy that uses
 * them. */
void rig_add_fuses(struct rig *r);
/* Puts a record, as the reference's tools would. */
void rig_record(struct rig *r, uint32_t idx, uint32_t seq, uint32_t state);
/* From now on the flash is written beside the session; lazy: as late as the
 * session lets it. */
void rig_write_behind(struct rig *r, bool lazy);
/* A whole session; the first error. */
esp_err_t rig_update(struct rig *r, struct upd_result *result);
/* What the bootloader would start: slot index, BOOT_NONE. */
uint32_t rig_boots(struct rig *r);
/* Re-reads the table: the device was reset. */
void rig_reboot(struct rig *r);
const uint8_t *rig_bytes(const struct rig *r, uint32_t off);

#endif
