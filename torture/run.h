/* run.h - one path, played with cuts. */
#ifndef TORTURE_RUN_H
#define TORTURE_RUN_H

#include "path.h"
#include "seq.h"

/* What a reader of the device sees. */
struct view {
    struct ota_rec rec[2];
    uint32_t choice; /* what a reset would start */
};

/* An attempt that nothing disturbs: what it does, and from where to where. */
struct attempt {
    struct world_op *ops;
    uint32_t op_cnt, erase_cnt;
    struct view before, after;
};

struct tort {
    struct tort_conf conf;
    struct world w;
    struct sim_flash base;  /* the device as given, booted and confirmed */
    struct sim_flash start; /* where the path begins */
    struct sim_flash snap;  /* where the recovery begins */
    struct sim_flash probe; /* while it is looked at */
    uint32_t good_len[BOOT_CHOICES]; /* of the images in base */
    uint32_t base_running;
    uint32_t target; /* the slot that an update goes to */
    /* of the path that was begun */
    enum tort_path_id id;
    const struct path *path;
    uint32_t start_running;
    bool moves; /* more than one record changes */
    struct attempt act, recovery;
    /* of all paths */
    uint64_t run_total;
    uint32_t extra_erases;
    struct tort_path_result info[TORT_PATH_CNT];
};

/* How a run ended. */
struct outcome {
    const char *bad; /* NULL: all held */
    bool was_new;    /* after the first cut */
    bool reached;    /* the last attempt's end, cut or not */
    bool ref_ok, again_ok;
    uint32_t armed, fired;
    bool unfired; /* the attempt has no such operation */
};

/* Was it not asked for? */
bool run_left_out(const struct tort_conf *conf, enum tort_path_id id);
/* Prepares the path and plays it undisturbed. *why is set when it cannot be
 * here. */
MUST_CHECK esp_err_t run_begin(struct tort *t, enum tort_path_id id,
                               const char **why);

/* The path with these cuts, each later one in the recovery. again: the update
 * is tried again at the end. */
void run_seq(struct tort *t, const struct tort_seq *seq, bool again,
             struct outcome *out);

/* Lists what the recovery after these cuts does: t->recovery. */
MUST_CHECK esp_err_t run_recovery(struct tort *t, const struct tort_seq *seq);

/* One more cut, in the recovery that run_recovery() listed: the same as
 * run_seq() with that cut appended, without what came before it. */
void run_next(struct tort *t, const struct tort_cut *cut, bool again,
              struct outcome *out);

/* Is the choice's image whole, byte for byte? */
bool run_image_good(struct tort *t, uint32_t choice);

#endif
