/* conf.h - what is tortured, what comes of it, and the words for both. */
#ifndef TORTURE_CONF_H
#define TORTURE_CONF_H

#include "base/diag.h"
#include "base/span.h"
#include "boot/exec.h"
#include "enc/key.h"

enum tort_path_id {
    TORT_UPDATE,
    TORT_BULK,
    TORT_MOVE,
    TORT_FIRST_BOOT,
    TORT_CONFIRM,
    TORT_GIVE_UP,
    TORT_TRIAL,
    TORT_ROLLBACK,
    TORT_FIRST_RECORD,
    TORT_SETTINGS,
    TORT_MIGRATE,
    TORT_KEPT,
    TORT_PARTITION,
    TORT_WITH_DATA,
    TORT_OTA_WRITE,
    TORT_OTA_COPY,
    TORT_KEYS,
    TORT_FUSES,
    TORT_PATH_CNT
};

enum tort_op_kind {
    TORT_OP_SLOT_ERASE,
    TORT_OP_SLOT_PROG,
    TORT_OP_SLOT_HEAD,
    TORT_OP_INTENT,
    TORT_OP_REC_ERASE,
    TORT_OP_RECORD,
    TORT_OP_REC_CRC,
    TORT_OP_DONE,
    TORT_OP_NOTE,
    TORT_OP_KV_ERASE,
    TORT_OP_KV_PROG,
    TORT_OP_DATA_ERASE,
    TORT_OP_DATA_PROG,
    TORT_OP_KEY_ERASE,
    TORT_OP_KEY_PROG,
    TORT_OP_FUSE_ERASE,
    TORT_OP_FUSE_PROG,
    TORT_OP_OTHER,
    TORT_OP_CNT
};

enum tort_fault {
    TORT_BEFORE,
    TORT_TORN,
    TORT_HALF,
    TORT_UNSTABLE,
    TORT_AFTER,
    TORT_FAILS,
    TORT_STUCK, /* from then on the sector does not change, and says nothing */
    TORT_WORN,  /* from then on its erases stop half way, and say so */
    TORT_FAULT_CNT
};

/* Where the power goes: in operation op (1: the first) of an attempt. */
struct tort_cut {
    uint32_t op;
    enum tort_fault fault;
    uint32_t part; /* which part of a program, or which way of an erase */
};

/* Attempt 0 is the path, each later one a recovery. */
#define TORT_CUTS_MAX 4u
struct tort_seq {
    enum tort_path_id path;
    uint32_t cut_cnt;
    struct tort_cut cuts[TORT_CUTS_MAX];
};

struct tort_conf {
    struct span flash, image; /* borrowed until tort_close() */
    /* Updates fetch this, which is the image encrypted for the key; empty:
     * the image itself. */
    struct span sealed;
    const struct enc_key *key;
    struct span keys; /* a signed key set for the key store; empty: none */
    uint32_t table_off;
    /* The device's bootloader: policy and rules; borrowed. Flash, table and
     * buffer are filled in. */
    const struct boot_env *boot;
    /* With anti-rollback: how the partition for fuses is laid out. */
    const struct fuse_field *fuse_field;
    uint32_t paths;             /* 1 << id of each that is played; 0: all */
    uint32_t depth;             /* 1 or 2 */
    bool deep;                  /* all second cuts are tried again, too */
    uint32_t worker, workers;   /* this one does each workers-th run; 0: 1 */
    bool stop_early;            /* at the first failure */
    volatile uint64_t *run_cnt; /* counts the runs, for a progress bar */
};

struct tort_cell {
    uint32_t runs, old_cnt, new_cnt, bad_cnt;
    uint32_t ref_cnt;   /* the reference's bootloader boots a whole image */
    uint32_t again_cnt; /* the update succeeded afterwards */
};

struct tort_path_result {
    uint32_t op_cnt, erase_cnt;
    char why_not[96]; /* "": it was run; else why it cannot be here */
    bool wrong;       /* ... because it fails undisturbed */
    bool left_out;    /* ... because conf.paths leaves it out */
    uint64_t second_cnt, second_bad;
    struct tort_cell cell[TORT_OP_CNT][TORT_FAULT_CNT];
};

/* No pointers: it may cross a process boundary. */
struct tort_result {
    struct tort_path_result path[TORT_PATH_CNT];
    uint64_t run_cnt, armed_cnt, fired_cnt, bad_cnt;
    uint32_t extra_erases;   /* of an update: above image sectors + 1 */
    struct tort_seq bad_seq; /* the shortest that failed; it may have no cut */
    char bad_why[96];
};

#define TORT_SEQ_TEXT_LEN 160u
/* "update/12:torn.3/2:before". Returns text. */
const char *tort_seq_text(const struct tort_seq *seq, char *text, size_t len);
/* ESP_ERR_INVALID_ARG with a sentence. */
MUST_CHECK esp_err_t tort_seq_parse(const char *text, struct tort_seq *out,
                                    struct diag *d);

const char *tort_path_name(enum tort_path_id path);
/* False: no path has this name, of len bytes. */
bool tort_path_find(const char *name, size_t len, enum tort_path_id *out);
/* The invariant that carries the path, in a sentence. */
const char *tort_path_invariant(enum tort_path_id path);
const char *tort_op_name(enum tort_op_kind kind);
const char *tort_fault_name(enum tort_fault fault);

#endif
