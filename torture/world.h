/* world.h - the device that is tortured: its flash, and what it can do. */
#ifndef TORTURE_WORLD_H
#define TORTURE_WORLD_H

#include "boot/exec.h"
#include "conf.h"
#include "sim_flash.h"
#include "sim_heap.h"
#include "sim_sys.h"

struct world_op {
    enum tort_op_kind kind;
    bool erase;
    bool first, first_erase; /* of this attempt in its sector */
    uint32_t off, len;
};

#define WORLD_OPS_MAX 20000u

/* A download: of the image, unless it is of a file. */
struct world_get {
    struct span file;
    const struct part_entry *staging; /* NULL: the next slot */
    const struct part_entry *final;   /* staged is copied there; NULL: not */
    bool bulk;
    bool keep; /* checkpoints and notes, in nvs */
};

struct world {
    const struct tort_conf *conf; /* borrowed */
    struct sim_flash sim;
    struct port_flash flash; /* the sim's, watched */
    struct part_dev parts;
    struct fuse_emul fuses;
    struct sim_heap heap;
    struct sim_sys sys;
    struct diag diag;
    uint32_t running;     /* what was started: a boot choice */
    struct world_op *ops; /* of this attempt, when `listen` */
    uint32_t op_cnt;
    bool listen;
    uint8_t trial_boots; /* of the bootloader; 0: as conf says */
    struct boot_result boot;
    uint8_t buf[4096];
    /* What a path remembers of how things were. */
    uint32_t memo, memo_new, memo_slot;
    const struct part_entry *staged, *pair_old, *pair_new;
};

MUST_CHECK esp_err_t world_open(struct world *w, const struct tort_conf *conf);
void world_close(struct world *w);

/* NULL: there is no such partition. */
const struct part_entry *world_nvs(const struct world *w);
const struct part_entry *world_otadata(const struct world *w);
MUST_CHECK esp_err_t world_records(struct world *w, struct ota_rec rec[2]);
uint32_t world_slot_cnt(const struct world *w);

/* A reset: one pass of the bootloader. ESP_FAIL: nothing boots. */
MUST_CHECK esp_err_t world_reset(struct world *w);
/* What a reset would start; writes nothing. */
uint32_t world_would_boot(struct world *w);
/* One session, whole. */
MUST_CHECK esp_err_t world_get(struct world *w, const struct world_get *get);
/* One OTA session, whole, into the next slot, made bootable. */
MUST_CHECK esp_err_t world_update(struct world *w, bool bulk);
/* What an application does at its start; see upd_redo_copy(). */
MUST_CHECK esp_err_t world_finish_copy(struct world *w);
/* Only the boot records: a slot that holds an image becomes the next. */
MUST_CHECK esp_err_t world_activate(struct world *w, uint32_t slot);
/* What the running application says of itself: VALID or INVALID.
 * ESP_ERR_NOT_FOUND: no record counts. */
MUST_CHECK esp_err_t world_mark(struct world *w, uint32_t state);
/* The slot that an update would write; BOOT_NONE: there is none. */
uint32_t world_next_slot(const struct world *w);

#endif
