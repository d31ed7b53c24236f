/* update/update.h - one OTA session: source, transforms, check, slot.
 *
 * Guarantee: unless upd_finish() returns ESP_OK the boot target is unchanged
 * and no byte sequence that was not verified can boot from the slot. Only when
 * the flash fails while the boot records are written may the next reset start
 * the new image, which is then verified; the sentence says which.
 * Order:  upd_begin, [upd_head], upd_step until not UPD_STEP_MORE, upd_finish;
 *         upd_abort at any time instead. Both end the session.
 * Memory: struct upd lives in env.heap. Threads: one user at a time; whoever
 * holds opts.limit may stop the session from anywhere.
 *
 * One pass: bytes are hashed and checked while they are received, programmed,
 * read back and compared; there is no second walk over the image. */
#ifndef UPDATE_UPDATE_H
#define UPDATE_UPDATE_H

#include "base/diag.h"
#include "base/policy.h"
#include "http/client.h"
#include "image/image.h"
#include "otadata/otadata.h"
#include "part/part.h"
#include "port/fuse.h"
#include "port/limit.h"
#include "update/preflight.h"

enum upd_step { UPD_STEP_MORE, UPD_STEP_DONE, UPD_STEP_FAILED };

enum upd_event {
    UPD_EV_START,
    UPD_EV_CONNECTED,
    UPD_EV_HEAD,
    UPD_EV_CHIP,
    UPD_EV_REV,
    UPD_EV_WRITE,
    UPD_EV_ACTIVATE,
    UPD_EV_FINISH,
    UPD_EV_ABORT
};
typedef void (*upd_event_fn)(void *ctx, enum upd_event ev, uint32_t value);

/* The device that is updated. Borrowed. */
struct upd_device {
    struct part_dev *parts;
    const struct policy *policy;
    /* Whose signatures count if the policy requires them; NULL: nobody's. Not
     * changed while a session is open. */
    const struct img_keys *keys;
    /* Asked if the policy has anti-rollback. */
    const struct port_fuse *fuse;
    uint16_t chip_id;
    uint16_t chip_rev;
    bool check_rev;
    /* Which slot runs: an index of ota_x, or factory/test/none. */
    bool running_is_slot;
    uint32_t running_slot;
    uint32_t running_off; /* of the running partition, UINT32_MAX: none */
    /* An application asks about itself. A tool that looks at a flash file
     * leaves it false: a record that is NEW then means "not yet tried"; on a
     * device it means a bootloader without rollback, which confirms nothing. */
    bool live;
};

/* A transform between source and check (decryption, decompression, ...).
 * feed() may hold bytes back; finish() hands out the rest. abort() is called
 * once for every stage that began and did not finish with ESP_OK; begin() may
 * follow it, when a session has to start over. */
#define UPD_MAX_STAGES 4u
struct upd_stage_out {
    void *ctx;
    esp_err_t (*feed)(void *ctx, const void *data, size_t len);
};
/* What is known of a stage that takes a head of its own first, and then hands
 * out one byte for each that it takes, at once. As the only stage of a session
 * it can go on in the middle of a file. */
#define UPD_MARK_LEN 16u
struct upd_even {
    uint32_t head_len;
    /* Bytes behind the head. false: it did not come yet. */
    bool (*body_len)(void *ctx, uint64_t *len);
    /* Names the head that came, and the key for it; no secret. */
    void (*mark)(void *ctx, uint8_t out[UPD_MARK_LEN]);
    /* After the head was fed: what was handed out in an earlier session, from
     * its start, as if it came out again now. */
    esp_err_t (*replay)(void *ctx, const void *data, size_t len);
};
struct upd_stage {
    void *ctx;
    esp_err_t (*begin)(void *ctx);
    esp_err_t (*feed)(void *ctx, const void *data, size_t len,
                      const struct upd_stage_out *out);
    esp_err_t (*finish)(void *ctx, const struct upd_stage_out *out);
    void (*abort)(void *ctx);
    /* A sentence about the call that failed; NULL, the function or what it
     * returns: the stage has no words of its own. */
    const char *(*why)(void *ctx);
    const struct upd_even *even; /* NULL: it is none of that kind */
};

/* What outlives a session: short texts without line ends, by keys of at most
 * 15 characters. Nothing depends on it: where it fails, nothing is known. */
#define UPD_STORE_KNOWN "known" /* validators of the running image's file */
#define UPD_STORE_TEXT_LEN 512u
struct upd_store {
    void *ctx;
    /* With its NUL. ESP_ERR_NOT_FOUND; ESP_ERR_INVALID_SIZE: longer. */
    esp_err_t (*load)(void *ctx, const char *key, char *out, size_t out_len);
    esp_err_t (*save)(void *ctx, const char *key, const char *text);
    esp_err_t (*clear)(void *ctx, const char *key);
};

struct upd_opts {
    const char *url;
    /* A client that is open already, borrowed until the session ends; http
     * and url are then not looked at. NULL: the session opens its own. */
    struct http_client *client;
    const struct part_entry *staging; /* NULL: the next slot */
    const struct part_entry *final;   /* NULL: staging */
    bool finalize_with_copy;
    bool accept_unsafe; /* also what upd_risk_of() says does not survive */
    bool bulk_erase;
    uint32_t range_len; /* > 0: fetch in ranges of this many bytes */
    /* Resume: bytes already in flash. Taken only at a sector boundary, if the
     * server gives ranges and no stage is in between; else all comes anew. */
    uint32_t start_off;
    /* Ask for a range even when nothing can be resumed, to learn whether the
     * server gives ranges. */
    bool probe_range;
    bool restart;            /* do not go on with a checkpoint, drop it */
    uint32_t checkpoint_len; /* bytes between two; 0: 64 KiB. More when the
                                file is so large that they would be too many */
    uint32_t read_len;       /* bytes per step, 0: 4096 */
    /* Silence, or a trickle, that is too long: so many milliseconds of waiting
     * in which fewer than upd_least_len() bytes came. 0: one receive timeout,
     * and no matter how slow. */
    uint32_t stall_ms;
    uint32_t retry_cnt;   /* failures of a session that may be mended, by
                             asking again or for the rest; for all of it, once
                             more, when the server has another file by then */
    uint32_t max_time_ms; /* for the whole session, 0: no limit */
    /* Stops the session from another thread and carries its deadline into
     * every wait. One's own client must have been opened with it, as
     * http_opts.net.limit; outlives the session. NULL: cannot be stopped. */
    struct port_limit *limit;
    /* Keeps ETag and Last-Modified with the image and asks with them while
     * that image runs: ESP_ERR_HTTP_NOT_MODIFIED then costs one request. Keeps
     * a checkpoint of the download, so that a later session goes on with it;
     * with stages only if there is one, and it is even. NULL: nothing is kept.
     * Borrowed. */
    const struct upd_store *store;
    /* What is asked of an image before the first erase; zero: nothing. */
    struct pre_policy pre;
    uint32_t heap_free; /* when the session begins, for it; 0: not known */
    bool unconditional; /* ask for all of it, whatever is known */
    /* Emptied by upd_begin(), filled when the session ends, which upd_begin()
     * does when it fails; lives until then. NULL: not wanted */
    struct upd_result *result;
    const struct upd_stage *stages; /* in order; borrowed */
    uint32_t stage_cnt;
    upd_event_fn on_event;
    void *event_ctx;
    /* Of a client of its own; `follow` is always on. Read by upd_begin() alone;
     * NULL: as zero. */
    const struct http_opts *http;
};

struct upd_env {
    struct http_env http;
    struct upd_device *device; /* borrowed until the session ends */
    /* Writes the flash beside the session, so that an update takes the time of
     * the network or that of the flash, not of both; with 13 KiB more memory.
     * Borrowed. NULL: the session does it all. */
    const struct port_work *work;
};

/* What a session did, whatever its end. The sentence is in the diag. */
struct upd_result {
    enum diag_stage stage; /* of the failure, DIAG_STAGE_NONE: none */
    esp_err_t err;
    int http_status;
    int64_t image_len;     /* what the server said, -1 unknown */
    uint32_t received_len; /* body bytes of this session */
    uint32_t written_len;  /* image bytes in the slot, resumed ones too */
    uint32_t resumed_from;
    uint32_t retries;        /* failures that were mended, or tried to be */
    uint32_t checkpoint_cnt; /* written */
    uint32_t erase_cnt, prog_cnt;
    uint64_t elapsed_ms;
    bool not_modified;
    const struct http_stats *http; /* of opts.client; NULL: there was none */
    struct img_info image;
    struct pre_answer pre; /* once the image's first bytes were judged */
    uint8_t sha256[SHA256_LEN];
    char slot[PART_LABEL_LEN + 1];
};

struct upd;

/* Connects, sends the request, judges the status. *out is NULL unless ESP_OK.
 * Nothing is erased yet. d may be NULL; it holds the sentence of the first
 * failure of the session and is borrowed until its end.
 * ESP_ERR_HTTP_NOT_MODIFIED: 304 or 204.
 * ESP_ERR_NOT_FINISHED: stopped through opts.limit (any call may say so).
 * ESP_ERR_OTA_ROLLBACK_INVALID_STATE: the running image is unconfirmed.
 * ESP_ERR_OTA_PARTITION_CONFLICT: staging runs, or final does.
 * ESP_ERR_NOT_ALLOWED: a partition that no update writes, or that is there
 * once, see upd_risk_of().
 * ESP_ERR_NOT_SUPPORTED, ESP_ERR_INVALID_CRC, ...: anti-rollback, and the
 * fuses cannot be read; ESP_ERR_NOT_SUPPORTED: the policy, or opts.pre, asks
 * for what is not in the build.
 * ESP_ERR_NOT_FOUND: the table has no OTA slot, or no otadata.
 * ESP_ERR_INVALID_SIZE: the server announces more than the slot holds. */
MUST_CHECK esp_err_t upd_begin(struct upd **out, const struct upd_env *env,
                               const struct upd_opts *opts, struct diag *d);

/* Reads until header and description are there, but erases and writes
 * nothing: info->header and info->desc (or boot_desc) may be read, the image
 * is judged by upd_step(). May be called again; *info stays valid until the
 * session ends. ESP_ERR_OTA_VALIDATE_FAILED: no image.
 * ESP_ERR_NOT_SUPPORTED: what is written is neither application nor
 * bootloader. */
MUST_CHECK esp_err_t upd_head(struct upd *u, const struct img_info **info);

/* The same, and judges what came: fails with all that upd_step() would fail
 * with before the first erase. */
MUST_CHECK esp_err_t upd_look(struct upd *u, const struct img_info **info);

/* From now on no other file comes in the place of this one, with retries
 * either: the caller acts on what upd_head() told him. */
void upd_hold(struct upd *u);

/* Reads, checks and writes one piece. UPD_STEP_FAILED: *err says why;
 * ESP_ERR_OTA_SMALL_SEC_VER: anti-rollback, nothing was erased. */
enum upd_step upd_step(struct upd *u, esp_err_t *err);

/* The whole body came, through all stages. Whether it is a whole image is
 * said by upd_finish(). */
bool upd_complete(const struct upd *u);
/* The image's first IMG_HEAD_LEN bytes, once upd_head() returned ESP_OK. */
const uint8_t *upd_head_bytes(const struct upd *u);
const struct upd_result *upd_result(struct upd *u);

/* Sector by sector instead of all at once: *more is false when nothing is left
 * that the image will need. Called by upd_step() when opts.bulk_erase; may be
 * called by whoever has time before or between steps. Does nothing before the
 * head of the image was checked. */
MUST_CHECK esp_err_t upd_erase_step(struct upd *u, bool *more);

/* Verifies, commits the slot and makes it bootable (activate: false leaves
 * the boot target alone). Frees u whatever happens; result may be NULL.
 * ESP_ERR_OTA_VALIDATE_FAILED: the image is bad or incomplete. */
MUST_CHECK esp_err_t upd_finish(struct upd *u, bool activate,
                                struct upd_result *result);
void upd_abort(struct upd *u, struct upd_result *result);

/* What a power cut does while a partition is written as a whole. */
struct upd_risk {
    bool never;          /* the bootloader decides by it: not at all */
    bool survives;       /* the device starts again, and tries again */
    uint32_t sector_cnt; /* between the first erase and the last program */
    uint32_t typical_ms; /* for these, at the rates of common flash chips */
};
void upd_risk_of(const struct part_entry *e, uint32_t sector_len,
                 struct upd_risk *out);
/* ESP_ERR_NOT_ALLOWED with a sentence: it is not to be written; accept: also
 * what does not survive. */
MUST_CHECK esp_err_t upd_risk_judge(const struct part_entry *e,
                                    const struct upd_risk *risk, bool accept,
                                    struct diag *d);

/* A copy that somebody else makes, of what he has verified: run() does it, from
 * the start of one to the start of the other, as much as `to` has room for. */
struct upd_copy_job {
    const struct part_entry *from, *to;
    esp_err_t (*run)(void *ctx);
    void *ctx;
};
/* Notes it, runs it, compares, drops the note; a failed copy's note stays.
 * ESP_ERR_FLASH_OP_FAIL: `to` does not hold it; else errors of run(), of
 * reading, ESP_ERR_NO_MEM. */
MUST_CHECK esp_err_t upd_copy_noted(const struct upd_env *env,
                                    const struct upd_store *store,
                                    const struct upd_copy_job *job);

/* Ends a copy to a final partition that was interrupted, which a note in the
 * store tells of; upd_begin() does so by itself. Until then the partition may
 * be half-written: call it before it is used. ESP_ERR_NOT_FOUND: there is no
 * such copy; ESP_ERR_OTA_VALIDATE_FAILED: there is, and what was staged is
 * gone: the partition has to be installed again (the note is dropped); else
 * the copy could not be made, or the store not be read. */
MUST_CHECK esp_err_t upd_redo_copy(const struct upd_env *env,
                                   const struct upd_store *store,
                                   struct diag *d);

#endif
