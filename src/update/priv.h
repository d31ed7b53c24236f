/* update/priv.h - the inside of a session; only src/update includes it. */
#ifndef UPDATE_PRIV_H
#define UPDATE_PRIV_H

#include "fuse/fuse.h"
#include "slot/slot.h"
#include "update/checkpoint.h"
#include "update/copy.h"
#include "update/decide.h"
#include "update/update.h"

#define UPD_READ_LEN 4096u
/* What upd_look() waits for, if there is so much; it stays in the buffer. */
#define UPD_HEAD_LEN 768u

/* What the bytes are, from the final partition's type. */
enum upd_kind {
    UPD_KIND_APP,
    UPD_KIND_BOOTLOADER,
    UPD_KIND_TABLE,
    UPD_KIND_RAW
};

struct upd_target {
    enum upd_kind kind;
    bool copy; /* staging to final at the end */
    /* What is staged must not boot from there, however it looks: its head
     * reaches the flash in the final partition only. */
    bool headless;
    bool has_boot; /* there is something to make bootable */
    uint32_t boot_slot;
    uint32_t cap_len; /* largest image that fits */
    struct part_entry staging, final;
    struct part_entry boot;    /* made bootable, when has_boot */
    struct part_entry otadata; /* when has_boot */
};

/* The source of bytes. */
struct upd_fetch {
    struct http_client *client;
    bool own_client;
    http_len off; /* of the next byte, in the file on the server */
    struct upd_range asked;
    bool ended; /* the server said so; what it sent along is not the file's */
    bool may_anew;        /* what came may be given up for another file... */
    bool changed;         /* ...and is: nothing is asked for yet */
    uint32_t silent_ms;   /* waited since the last byte */
    uint32_t window_ms;   /* waited since the window began... */
    uint32_t window_len;  /* ...and what came meanwhile */
    struct upd_file file; /* which one this is; total is its length */
};

struct upd_link { /* where stage i hands its bytes */
    struct upd *u;
    uint32_t next;
};

/* Where the download could go on, should it break now; only with a store. */
struct upd_mark {
    uint32_t off;                /* all below is programmed and compared */
    uint32_t kept_off;           /* of what the store holds */
    struct upd_checkpoint point; /* what names this download */
    bool stale;        /* the store holds what this session will overwrite */
    bool off_duty;     /* the store failed */
    struct sha256 sha; /* of the bytes below off */
};

/* What the image's bytes need. A handshake needs much memory for a while, so
 * this comes after it: with the first answer, or to read what is in flash. */
struct upd_work {
    uint32_t head_len;
    uint8_t head[IMG_CAP_END]; /* of the image, as far as it came */
    struct img_check check;    /* of what is no image its hash alone */
    uint8_t buf[];             /* the slot's, upd_buf_len() bytes */
};

/* For callers who want no sentence, or no result. */
struct upd_spare {
    struct diag diag;
    struct upd_result result;
};

struct upd {
    esp_err_t err;
    /* The caller's, or spare's. Before the session has failed: of the try that
     * is being made. */
    struct diag *diag;
    struct upd_result *result; /* the same */
    struct upd_spare *spare;
    struct upd_work *work;     /* NULL: no byte came yet, or it is parked */
    struct upd_parked *parked; /* what it holds; NULL: it is not */
    struct upd_behind *behind; /* NULL: nothing is done beside the caller */
    struct upd_mark *mark;     /* NULL: nothing outlives the session */
    uint8_t *rx;               /* wire bytes on their way to the first stage */
    uint32_t rx_len;
    uint32_t stages_open; /* the first so many stages began */
    bool judged;  /* by upd_preflight(); before that nothing is erased */
    bool peeking; /* bytes in the sector buffer are not checked yet */
    bool header_told, head_told, bulk_done;
    bool even_checked; /* the stage's head and the file agree */
    bool asked_known;  /* the first request carries validators */
    bool moved;        /* bytes were checked: a step was made */
    bool done;         /* all came, all stages finished */
    bool held;         /* this file or none, see upd_hold() */
    uint64_t start_ms;
    struct port_limit own_limit;
    struct slot slot;
    struct upd_target target;
    struct upd_fetch fetch;
    struct upd_env env;
    struct upd_opts opts;
    struct upd_link links[UPD_MAX_STAGES];
};

/* Keeps the first error and its sentence. Returns it. */
esp_err_t upd_fail(struct upd *u, enum diag_stage stage, esp_err_t err,
                   const char *fmt, ...) PRINTF_LIKE(4, 5);
esp_err_t upd_plain_fail(struct upd *u, enum diag_stage stage, esp_err_t err);
#define upd_fail(u, stage, err, ...)                      \
    (CFG_SENTENCES ? upd_fail(u, stage, err, __VA_ARGS__) \
                   : upd_plain_fail(u, stage, err))
/* With the stage and the sentence that u->diag has already. */
MUST_CHECK esp_err_t upd_fail_said(struct upd *u, esp_err_t err);
/* limits.c */
void upd_limits_begin(struct upd *u);
/* ESP_ERR_NOT_FINISHED: stopped; ESP_ERR_TIMEOUT: out of time. And the words
 * for it. */
esp_err_t upd_limits_err(const struct upd *u);
void upd_limits_text(const struct upd *u, char *text, size_t len);
/* The session's own limits: stopped, or out of time? */
MUST_CHECK esp_err_t upd_check_limits(struct upd *u);
/* Waits, unless the session is stopped or its time is over meanwhile. */
void upd_wait(struct upd *u, uint32_t ms);
uint64_t upd_now_ms(const struct upd *u);
uint64_t upd_left_ms(const struct upd *u); /* UINT64_MAX: no end */
/* Starts writing the staging partition, at a sector boundary. */
MUST_CHECK esp_err_t upd_open_slot(struct upd *u, uint32_t start_off);
/* behind.c: where the port can work beside the caller. Once; where it cannot,
 * or there is no memory, nothing changes. */
void upd_behind_open(struct upd *u);
struct slot_behind *upd_behind_slot(struct upd *u); /* NULL: none */
MUST_CHECK esp_err_t upd_erase_ahead(struct upd *u);
/* Where the image will end, 0: not told. */
uint32_t upd_told_end(const struct upd *u);
/* work.c: what u->work needs is there; with ESP_OK the slot has its buffer. */
MUST_CHECK esp_err_t upd_work_open(struct upd *u);
/* From here to upd_work_unpark() the work takes up no more than it holds. */
void upd_work_park(struct upd *u);
MUST_CHECK esp_err_t upd_work_unpark(struct upd *u);
void upd_work_close(struct upd *u);
/* Frees the session and all it holds. */
void upd_close(struct upd *u);
/* Where the caller wants the numbers; out may be NULL. */
void upd_tell(struct upd *u, struct upd_result *out);
void upd_emit(const struct upd *u, enum upd_event ev, uint32_t value);

/* What an image of this kind must be on this device. */
struct img_rules upd_rules(const struct upd_device *dev, enum upd_kind kind,
                           uint32_t cap_len);

/* finish.c: the flash does not hold what it was told to. */
MUST_CHECK esp_err_t upd_fail_slot(struct upd *u, const struct part_entry *part,
                                   esp_err_t err);
/* final.c: from the staging partition to the final one. */
MUST_CHECK esp_err_t upd_final_copy(struct upd *u, struct img_receipt *receipt);
/* Ends a copy that an earlier session left unfinished. */
MUST_CHECK esp_err_t upd_final_redo(struct upd *u);
/* table.c: a partition table that this device can live with? */
MUST_CHECK esp_err_t upd_table_check(struct upd *u);

/* deny.c: with the policy, an image that failed here is refused: right after
 * its head is known and before anything is erased, which is when what failed
 * last goes on the list; and again before it is made bootable. */
bool upd_is_denied(struct upd *u);
MUST_CHECK esp_err_t upd_check_denied(struct upd *u);
MUST_CHECK esp_err_t upd_check_listed(struct upd *u);
/* target.c: which partitions, and may they be written? */
MUST_CHECK esp_err_t upd_target_choose(struct upd *u);
static inline bool upd_is_image(const struct upd *u)
{
    return !CFG_STAGING || u->target.kind == UPD_KIND_APP ||
           u->target.kind == UPD_KIND_BOOTLOADER;
}

/* Are the first SLOT_HEAD_LEN bytes programmed at the end, or not here? */
static inline bool upd_holds_head(const struct upd *u)
{
    return upd_is_image(u) || u->target.headless;
}

/* NULL: nothing outlives the session. */
static inline const struct upd_store *upd_store(const struct upd *u)
{
    return CFG_STORE ? u->opts.store : NULL;
}

static inline uint32_t upd_stage_cnt(const struct upd *u)
{
    return CFG_DECRYPT_CB ? u->opts.stage_cnt : 0;
}

/* The session's stage, if there is one alone and it is even; else NULL. */
static inline const struct upd_even *upd_even(const struct upd *u)
{
    return upd_stage_cnt(u) == 1 ? u->opts.stages[0].even : NULL;
}
/* Bytes of the file that are before those of the image. */
static inline uint32_t upd_skip_len(const struct upd *u)
{
    return upd_even(u) ? upd_even(u)->head_len : 0;
}
/* Can it be foretold where in the file a byte of the image is? */
static inline bool upd_is_even(const struct upd *u)
{
    return upd_stage_cnt(u) == 0 || upd_even(u) != NULL;
}

/* version.c: anti-rollback */
MUST_CHECK esp_err_t upd_version_begin(struct upd *u);
MUST_CHECK esp_err_t upd_version_check(struct upd *u,
                                       const struct img_desc *desc);

/* ask.c: one question to the server, repeated as far as that is allowed. */
MUST_CHECK esp_err_t upd_ask(struct upd *u, const struct upd_range *r,
                             bool may_restart, struct upd_answer *out);
/* After a failure at this place: waits and says true, or false: give up. status
 * is that of a refused answer, else 0. */
bool upd_again(struct upd *u, int status);
/* What the server said, for a sentence, unless it repeats a secret. */
void upd_quote(const struct upd *u, struct span raw, char *out, size_t out_len);

/* fetch.c */
MUST_CHECK esp_err_t upd_fetch_open(struct upd *u);
/* First len bytes of the file (a request of its own), which must be the one in
 * fetch.file; *whole: it is another one by now, or the server gives no ranges,
 * and its body is being read from 0. */
MUST_CHECK esp_err_t upd_fetch_head(struct upd *u, uint8_t *dst, uint32_t len,
                                    bool *whole);
/* Asks for the bytes from fetch.off on. may_restart: fetch.off may become 0.
 * With fetch.may_anew fetch.changed says whether they cannot be had. */
MUST_CHECK esp_err_t upd_fetch_start(struct upd *u, bool may_restart);
/* At most len bytes; *got 0: nothing came this time, or *done. */
MUST_CHECK esp_err_t upd_fetch_read(struct upd *u, void *dst, size_t len,
                                    size_t *got, bool *done);
void upd_fetch_close(struct upd *u);

/* known.c: the validators of the running image go with the first request. */
MUST_CHECK esp_err_t upd_known_ask(struct upd *u);
void upd_known_asked(struct upd *u);
/* After the new image was made bootable. */
void upd_known_keep(struct upd *u);

/* mark.c: the checkpoint that a later session finds. */
/* The address and the slot are known. */
void upd_mark_place(struct upd *u);
/* The slot is written from its start, whatever was resumed. */
void upd_mark_restart(struct upd *u);
/* A sector is complete: remembers it, and keeps it when it is time. */
void upd_mark_sector(struct upd *u);
/* Bytes of what is no image. */
void upd_mark_bytes(struct upd *u, const void *data, size_t len);
/* false: there is none that this session may go on with. */
bool upd_mark_load(struct upd *u, struct upd_checkpoint *out);
/* Before the first erase: what the store holds is not true any more. */
void upd_mark_drop_stale(struct upd *u);
/* The session goes on from a checkpoint, whose bytes were hashed. */
void upd_mark_resumed(struct upd *u);
/* The session ends: keeps what may be gone on with, drops what may not. */
void upd_mark_end(struct upd *u, bool finished);

/* resume.c: reads what is in flash already into the check. May set fetch.off
 * to 0, when it is not worth keeping. */
MUST_CHECK esp_err_t upd_resume(struct upd *u);
/* The slot is written from its start, by bytes from the start of a file; what
 * was checked, or is on its way, is forgotten. */
MUST_CHECK esp_err_t upd_start_over(struct upd *u);

/* pipe.c */
MUST_CHECK esp_err_t upd_pipe_begin(struct upd *u);
/* One piece from the source. */
MUST_CHECK esp_err_t upd_pipe_pull(struct upd *u);
/* Bytes that were only peeked at go to the check. */
MUST_CHECK esp_err_t upd_pipe_unpeek(struct upd *u);
void upd_pipe_abort(struct upd *u);
/* As after upd_pipe_begin(). */
MUST_CHECK esp_err_t upd_pipe_restart(struct upd *u);
/* The head of the only stage, which comes before its first byte. */
MUST_CHECK esp_err_t upd_pipe_feed_head(struct upd *u, const void *data,
                                        size_t len);

/* judge.c: asks pre_judge() once, when the first bytes are there or, `whole`,
 * no more will come. */
MUST_CHECK esp_err_t upd_preflight(struct upd *u, bool whole);
/* Bytes that are next in the image, whose length so far is check.fed_len. */
void upd_keep_head(struct upd *u, const void *data, size_t len);
bool upd_may_erase(const struct upd *u);

/* check.c */
/* Judges bytes that are next in the image. */
MUST_CHECK esp_err_t upd_check_bytes(struct upd *u, const void *data,
                                     size_t len);
/* The fault of the check as the session's failure. */
esp_err_t upd_check_failed(struct upd *u);
/* Is there room for a file of this length? */
MUST_CHECK esp_err_t upd_check_size(struct upd *u, http_len len);
/* Does the head that the stage took agree with the file? */
MUST_CHECK esp_err_t upd_check_even(struct upd *u);

#endif
