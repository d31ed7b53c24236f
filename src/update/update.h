/* update/update.h - one OTA session: source, transforms, check, slot.
 *
 * Guarantee: unless upd_finish() returns ESP_OK the boot target is unchanged
 * and no byte sequence that was not verified can boot from the slot.
 * Order:  upd_begin, [upd_head], upd_step until not UPD_STEP_MORE, upd_finish;
 *         upd_abort at any time instead. Both end the session.
 * Memory: struct upd lives in env.heap. Threads: one user at a time.
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

enum upd_step { UPD_STEP_MORE, UPD_STEP_DONE, UPD_STEP_FAILED };

enum upd_event {
    UPD_EV_START, UPD_EV_CONNECTED, UPD_EV_HEAD, UPD_EV_CHIP, UPD_EV_REV,
    UPD_EV_WRITE, UPD_EV_ACTIVATE, UPD_EV_FINISH, UPD_EV_ABORT
};
typedef void (*upd_event_fn)(void *ctx, enum upd_event ev, uint32_t value);

/* The device that is updated. Borrowed. */
struct upd_device {
    struct part_dev *parts;
    const struct policy *policy;
    uint16_t chip_id;
    uint16_t chip_rev;
    bool check_rev;
    /* Which slot runs: an index of ota_x, or factory/test/none. */
    bool running_is_slot;
    uint32_t running_slot;
    uint32_t running_off; /* of the running partition, UINT32_MAX: none */
};

/* A transform between source and check (decryption, decompression, ...).
 * feed() may hold bytes back; finish() hands out the rest. */
struct upd_stage_out {
    void *ctx;
    esp_err_t (*feed)(void *ctx, const void *data, size_t len);
};
struct upd_stage {
    void *ctx;
    esp_err_t (*begin)(void *ctx);
    esp_err_t (*feed)(void *ctx, const void *data, size_t len,
                      const struct upd_stage_out *out);
    esp_err_t (*finish)(void *ctx, const struct upd_stage_out *out);
    void (*abort)(void *ctx);
};

struct upd_opts {
    struct http_opts http;
    const char *url;
    const struct part_entry *staging; /* NULL: the next slot */
    const struct part_entry *final;   /* NULL: staging */
    bool finalize_with_copy;
    bool bulk_erase;
    uint32_t range_len;      /* > 0: fetch in ranges of this many bytes */
    uint32_t start_off;      /* resume: bytes already in flash, 0: none */
    uint32_t read_len;       /* bytes per step, 0: 4096 */
    const struct upd_stage *stages; /* in order; borrowed */
    uint32_t stage_cnt;
    upd_event_fn on_event;
    void *event_ctx;
};

struct upd_env {
    struct http_env http;
    struct upd_device *device; /* borrowed until the session ends */
};

struct upd_result {
    int http_status;
    int64_t image_len;      /* what the server said, -1 unknown */
    uint32_t received_len;  /* body bytes of this session */
    uint32_t written_len;   /* image bytes in the slot, resumed ones too */
    uint32_t resumed_from;
    bool not_modified;
    struct http_stats http;
    struct img_info image;
    uint8_t sha256[SHA256_LEN];
    char slot[PART_LABEL_LEN + 1];
    uint32_t erase_cnt, prog_cnt;
};

struct upd;

/* Connects, sends the request, judges the status. *out is NULL unless ESP_OK.
 * Nothing is erased yet. ESP_ERR_HTTP_NOT_MODIFIED: 304 or 204.
 * ESP_ERR_OTA_ROLLBACK_INVALID_STATE: the running image is unconfirmed.
 * ESP_ERR_OTA_PARTITION_CONFLICT: staging runs. */
MUST_CHECK esp_err_t upd_begin(struct upd **out, const struct upd_env *env,
                               const struct upd_opts *opts, struct diag *d);

/* Reads until the head of the image was checked (description included), but
 * erases and writes nothing. May be called again; *info stays valid until the
 * session ends. */
MUST_CHECK esp_err_t upd_head(struct upd *u, const struct img_info **info);

/* Reads, checks and writes one piece. UPD_STEP_FAILED: *err says why. */
enum upd_step upd_step(struct upd *u, esp_err_t *err);

/* All bytes came and the image ended where the body did. */
bool upd_complete(const struct upd *u);
const struct upd_result *upd_result(struct upd *u);

/* Verifies, commits the slot and makes it bootable (activate: false leaves
 * the boot target alone). Frees u whatever happens; *result may be NULL. */
MUST_CHECK esp_err_t upd_finish(struct upd *u, bool activate,
                                struct upd_result *result);
void upd_abort(struct upd *u, struct upd_result *result);

#endif
