/* resume.c - continue over what an earlier session left in flash.
 *
 * Those bytes are read once and go through the check before the wire's bytes
 * do: the receipt covers every byte from 0. With a checkpoint they must have
 * the digest that it names, and the server is asked for the rest of the very
 * file that it names. If that file is transformed, the stage is given its head
 * again, and what is in flash in place of what came. An offset that only the
 * application knows has neither: the head that the earlier session held back
 * is lost and asked of the server again, and the image's own digest has to
 * find what does not fit. */
#include "update/priv.h"

#include "base/bytes.h"
#include "base/log.h"
#include "crypto/ct.h"

/* Where in the file the image's byte is. */
static http_len file_off(const struct upd *u, uint32_t image_off)
{
    return (http_len)upd_skip_len(u) + image_off;
}

static bool feed_stage(struct upd *u, uint32_t len)
{
    const struct upd_even *even = upd_even(u);

    return !even ||
           even->replay(u->opts.stages[0].ctx, u->work->buf, len) == ESP_OK;
}

/* false: the prefix is not the start of an image that could go on. */
static bool feed_prefix(struct upd *u, const uint8_t *head, uint32_t off)
{
    uint32_t step = u->slot.opts.buf_len;

    for (uint32_t at = 0; at < off; at += step) {
        if (part_read(u->env.device->parts, &u->target.staging, at,
                      u->work->buf, step))
            return false;
        if (upd_holds_head(u) && at == 0)
            memcpy(u->work->buf, head, SLOT_HEAD_LEN);
        if (upd_is_image(u) && at == 0)
            upd_keep_head(u, u->work->buf, step);
        if (!upd_is_image(u))
            upd_mark_bytes(u, u->work->buf, step);
        else if (img_check_feed(&u->work->check, u->work->buf, step))
            return false;
        if (!feed_stage(u, step))
            return false;
    }
    return true;
}

esp_err_t upd_start_over(struct upd *u)
{
    struct img_rules rules = u->work->check.rules;
    esp_err_t err;

    u->fetch.off = 0;
    u->result->resumed_from = 0;
    u->header_told = u->head_told = u->judged = false;
    u->work->head_len = 0;
    upd_mark_restart(u);
    img_check_open(&u->work->check, &rules);
    u->peeking = true;
    err = upd_pipe_restart(u);
    return err ? err : upd_open_slot(u, 0);
}

static void take_head(struct upd *u, const uint8_t *head)
{
    u->head_told = true;
    if (upd_holds_head(u))
        slot_set_head(&u->slot, head);
    if (!upd_is_image(u))
        return;
    u->header_told = true;
    u->result->image = u->work->check.info;
}

static esp_err_t resume_image(struct upd *u, uint32_t off, bool *whole)
{
    uint8_t head[SLOT_HEAD_LEN];
    esp_err_t err = part_read(u->env.device->parts, &u->target.staging, 0, head,
                              sizeof(head));

    if (err)
        return upd_fail(u, DIAG_STAGE_FLASH, err, "%s cannot be read",
                        u->target.staging.label);
    if (bytes_are(head, sizeof(head), 0xFF))
        err = upd_fetch_head(u, head, sizeof(head), whole);
    if (err || *whole)
        return err;
    if (!feed_prefix(u, head, off))
        return upd_start_over(u);
    take_head(u, head);
    return ESP_OK;
}

/* --- with a checkpoint ---------------------------------------------------- */

/* What stands in flash where the head belongs: nothing, or, after a cut right
 * at the end of a session, that very head or a part of its bits, which can be
 * programmed once more. */
static bool is_head_place(struct upd *u, const uint8_t *head)
{
    uint8_t have[SLOT_HEAD_LEN];

    if (part_read(u->env.device->parts, &u->target.staging, 0, have,
                  sizeof(have)))
        return false;
    if (u->env.device->parts->flash->prog_once)
        return bytes_are(have, sizeof(have), 0xFF);
    for (size_t i = 0; i < sizeof(have); i++) {
        if ((have[i] & head[i]) != head[i])
            return false;
    }
    return true;
}

static bool is_digest(struct upd *u, const uint8_t want[SHA256_LEN])
{
    uint8_t got[SHA256_LEN];
    struct sha256 sha;

    if (upd_is_image(u) && u->work->check.step > IMG_STEP_PAD)
        return false;
    sha256_clone(&sha, &u->work->check.sha);
    sha256_final(&sha, got);
    return ct_eq(got, want, sizeof(got));
}

static bool is_in_flash(struct upd *u, const struct upd_checkpoint *c)
{
    if (upd_holds_head(u) && !is_head_place(u, c->head))
        return false;
    return feed_prefix(u, c->head, c->off) && is_digest(u, c->digest);
}

static esp_err_t ask_url(struct upd *u)
{
    esp_err_t err = http_resume(u->fetch.client, u->diag);

    return err ? upd_fail_said(u, err) : ESP_OK;
}

enum fit { FIT_YES, FIT_NO, FIT_WHOLE };

/* The head of the stage is not kept: the server is asked for it again, of the
 * file that the checkpoint names. FIT_NO: it is not the head that was taken
 * then; FIT_WHOLE: all of the file is coming instead. */
static esp_err_t take_stage_head(struct upd *u, const struct upd_checkpoint *c,
                                 enum fit *fit)
{
    const struct upd_even *even = upd_even(u);
    uint8_t mark[UPD_MARK_LEN];
    bool whole = false;
    esp_err_t err = ask_url(u);

    if (err)
        return err;
    u->fetch.file = c->file;
    err = upd_fetch_head(u, u->work->buf, even->head_len, &whole);
    *fit = whole ? FIT_WHOLE : FIT_NO;
    if (err || whole ||
        upd_pipe_feed_head(u, u->work->buf, even->head_len) != ESP_OK)
        return err;
    even->mark(u->opts.stages[0].ctx, mark);
    if (ct_eq(mark, c->mark, sizeof(mark)))
        *fit = FIT_YES;
    return ESP_OK;
}

static esp_err_t fail_fit(struct upd *u)
{
    esp_err_t err;

    LOGW("update",
         "the checkpoint and what %s holds cannot be used: all comes anew",
         u->target.staging.label);
    u->fetch.file = (struct upd_file){ .total = HTTP_LEN_UNKNOWN };
    err = upd_start_over(u);
    return err ? err : upd_fetch_start(u, false);
}

static void take_checkpoint(struct upd *u, const struct upd_checkpoint *c)
{
    u->peeking = false;
    u->fetch.off = file_off(u, c->off);
    u->fetch.file = c->file;
    u->result->resumed_from = c->off;
    take_head(u, c->head);
    upd_mark_resumed(u);
}

static esp_err_t go_on_at(struct upd *u, const struct upd_checkpoint *c)
{
    enum fit fit = FIT_YES;
    esp_err_t err = upd_work_open(u);

    if (!err)
        err = upd_open_slot(u, c->off);
    if (!err && upd_even(u))
        err = take_stage_head(u, c, &fit);
    if (err || fit == FIT_WHOLE)
        return err ? err : upd_start_over(u);
    /* By now the server may have another release than a denied one. */
    if (fit == FIT_NO || !is_in_flash(u, c) || upd_is_denied(u))
        return fail_fit(u);
    take_checkpoint(u, c);
    if (!upd_even(u))
        err = ask_url(u);
    if (!err)
        err = upd_fetch_start(u, true);
    if (!err && u->fetch.off != file_off(u, slot_taken(&u->slot)))
        err = upd_start_over(u);
    return err;
}

/* *none: there is no checkpoint to go on with. */
APART static esp_err_t resume_checkpoint(struct upd *u, bool wanted, bool *none)
{
    struct upd_checkpoint checkpoint;

    *none = !CFG_STORE || !upd_mark_load(u, &checkpoint) || !wanted;
    return *none ? ESP_OK : go_on_at(u, &checkpoint);
}

esp_err_t upd_resume(struct upd *u)
{
    uint32_t off = upd_resume_off(u->opts.start_off, u->slot.sector_len,
                                  u->target.cap_len, upd_stage_cnt(u) > 0);
    bool whole = false, none;
    esp_err_t err = resume_checkpoint(u, off == 0, &none);

    if (!none)
        return err;
    if (off == 0 || (upd_holds_head(u) && !upd_is_image(u)))
        return upd_fetch_start(u, false);
    err = upd_work_open(u);
    if (!err)
        err = upd_open_slot(u, off);
    if (err)
        return err;
    u->peeking = false;
    u->fetch.off = off;
    u->result->resumed_from = off;
    if (upd_store(u) && u->mark) /* nobody hashed what is there */
        u->mark->off_duty = !upd_is_image(u);
    err = ask_url(u);
    if (!err && upd_is_image(u))
        err = resume_image(u, off, &whole);
    if (err || whole)
        return err ? err : upd_start_over(u);
    err = upd_fetch_start(u, u->fetch.off > 0);
    if (!err && u->fetch.off != slot_taken(&u->slot))
        err = upd_start_over(u);
    return err;
}
