/* pipe.c - source, stages, check, slot.
 *
 * Without stages the source writes straight into the slot's buffer and nothing
 * is copied. While peeking, bytes stay in that buffer unchecked; they
 * are checked before it fills, so nothing is erased that was not. */
#include "update/priv.h"

/* --- erasing -------------------------------------------------------------- */

uint32_t upd_told_end(const struct upd *u)
{
    http_len total = u->fetch.file.total;
    uint32_t skip = upd_skip_len(u);

    if (upd_is_even(u) && total >= skip && total - skip <= u->target.cap_len)
        return (uint32_t)(total - skip);
    return 0;
}

/* Where the image will end, as far as is known. */
static uint32_t known_end(const struct upd *u)
{
    uint32_t told = upd_told_end(u);

    return told > 0 ? told : u->target.cap_len;
}

esp_err_t upd_erase_step(struct upd *u, bool *more)
{
    esp_err_t err;

    *more = false;
    if (u->err)
        return u->err;
    if (!upd_may_erase(u))
        return ESP_OK;
    err = upd_check_limits(u);
    if (err)
        return err;
    upd_mark_drop_stale(u);
    err = slot_erase_step(&u->slot, known_end(u), more);
    if (err)
        return upd_fail(u, DIAG_STAGE_WRITE, err,
                        "%s cannot be erased at offset 0x%x",
                        u->target.staging.label, (unsigned)u->slot.fail_off);
    return ESP_OK;
}

static esp_err_t bulk_erase(struct upd *u)
{
    const struct port_sys *sys = u->env.http.sys;
    bool more = true;

    while (more) {
        esp_err_t err = upd_erase_step(u, &more);
        if (err)
            return err;
        sys->sleep_ms(sys->ctx, 0);
    }
    u->bulk_done = true;
    return ESP_OK;
}

/* --- the end of the pipe -------------------------------------------------- */

static esp_err_t fail_write(struct upd *u, esp_err_t err)
{
    if (err == ESP_ERR_INVALID_SIZE)
        return upd_fail(u, DIAG_STAGE_IMAGE, err,
                        "%s is full after %u bytes and more is coming",
                        u->target.staging.label,
                        (unsigned)u->target.staging.len);
    return upd_fail(u, DIAG_STAGE_WRITE, err,
                    "%s does not hold what was written at offset 0x%x",
                    u->target.staging.label, (unsigned)u->slot.fail_off);
}

esp_err_t upd_pipe_unpeek(struct upd *u)
{
    uint32_t len = u->slot.fill_len;

    if (!u->peeking)
        return ESP_OK;
    u->peeking = false;
    return len > 0 ? upd_check_bytes(u, u->work->buf, len) : ESP_OK;
}

/* Bytes that stand in the buffer already. */
static esp_err_t take_in_place(struct upd *u, const void *data, size_t len)
{
    esp_err_t err = ESP_OK;

    if (u->slot.fill_len + len == u->slot.opts.buf_len)
        err = upd_pipe_unpeek(u);
    if (!err && !u->peeking)
        err = upd_check_bytes(u, data, len);
    if (!err && !u->peeking && u->opts.bulk_erase && !u->bulk_done &&
        upd_may_erase(u))
        err = bulk_erase(u);
    if (err)
        return err;
    if (u->slot.fill_len + len == u->slot.opts.buf_len)
        upd_mark_drop_stale(u);
    err = slot_advance(&u->slot, len);
    if (err)
        return fail_write(u, err);
    if (u->slot.fill_len == 0)
        upd_mark_sector(u);
    return ESP_OK;
}

/* Bytes that a stage hands out. */
static esp_err_t sink(struct upd *u, const uint8_t *p, size_t len)
{
    esp_err_t err = upd_check_even(u);

    if (err)
        return err;
    while (len > 0) {
        void *dst;
        size_t room;

        err = slot_reserve(&u->slot, &dst, &room);
        if (!err && room == 0)
            err = ESP_ERR_INVALID_SIZE;
        if (err)
            return fail_write(u, err);
        if (room > len)
            room = len;
        memcpy(dst, p, room);
        err = take_in_place(u, dst, room);
        if (err)
            return err;
        p += room;
        len -= room;
    }
    return ESP_OK;
}

/* --- stages --------------------------------------------------------------- */

/* A stage passes on what the sink said, or has its own complaint. */
static esp_err_t fail_stage(struct upd *u, uint32_t i, esp_err_t err)
{
    const struct upd_stage *s = &u->opts.stages[i];
    const char *why = s->why ? s->why(s->ctx) : NULL;

    if (u->err)
        return err;
    if (why)
        return upd_fail(u, DIAG_STAGE_IMAGE, err, "%s", why);
    return upd_fail(u, DIAG_STAGE_IMAGE, err,
                    "the image cannot be transformed at byte %llu of what was "
                    "received",
                    (unsigned long long)u->fetch.off);
}

static esp_err_t feed_next(void *ctx, const void *data, size_t len)
{
    struct upd_link *link = ctx;
    struct upd *u = link->u;
    uint32_t i = link->next;
    esp_err_t err;

    if (i == upd_stage_cnt(u))
        return sink(u, data, len);
    err = u->opts.stages[i].feed(
        u->opts.stages[i].ctx, data, len,
        &(struct upd_stage_out){ &u->links[i], feed_next });
    return err ? fail_stage(u, i, err) : ESP_OK;
}

esp_err_t upd_pipe_begin(struct upd *u)
{
    if (upd_stage_cnt(u) > UPD_MAX_STAGES)
        return upd_fail(u, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                        "%u transforms were asked for, %u are possible",
                        (unsigned)upd_stage_cnt(u), UPD_MAX_STAGES);
    for (uint32_t i = 0; i < upd_stage_cnt(u); i++) {
        const struct upd_stage *s = &u->opts.stages[i];
        esp_err_t err = s->begin(s->ctx);
        if (err)
            return fail_stage(u, i, err);
        u->links[i] = (struct upd_link){ u, i + 1 };
        u->stages_open = i + 1;
    }
    return ESP_OK;
}

void upd_pipe_abort(struct upd *u)
{
    while (u->stages_open > 0) {
        const struct upd_stage *s = &u->opts.stages[--u->stages_open];
        s->abort(s->ctx);
    }
}

esp_err_t upd_pipe_restart(struct upd *u)
{
    u->even_checked = false;
    if (upd_stage_cnt(u) == 0)
        return ESP_OK;
    upd_pipe_abort(u);
    return upd_pipe_begin(u);
}

static esp_err_t feed_stages(struct upd *u, const void *data, size_t len)
{
    struct upd_link first = { u, 0 };

    return feed_next(&first, data, len);
}

/* It is not to be followed by anything yet. */
static esp_err_t refuse_bytes(void *ctx, const void *data, size_t len)
{
    (void)ctx;
    (void)data;
    return len > 0 ? ESP_ERR_INVALID_STATE : ESP_OK;
}

esp_err_t upd_pipe_feed_head(struct upd *u, const void *data, size_t len)
{
    const struct upd_stage *s = &u->opts.stages[0];

    return s->feed(s->ctx, data, len,
                   &(struct upd_stage_out){ NULL, refuse_bytes });
}

static esp_err_t finish_stages(struct upd *u)
{
    for (uint32_t i = 0; i < upd_stage_cnt(u); i++) {
        const struct upd_stage *s = &u->opts.stages[i];
        struct upd_stage_out out = { &u->links[i], feed_next };
        esp_err_t err = s->finish(s->ctx, &out);
        if (err)
            return fail_stage(u, i, err);
    }
    u->stages_open = 0;
    return ESP_OK;
}

/* --- one piece ------------------------------------------------------------ */

/* The slot is full: only the end of the file may follow. */
static esp_err_t pull_nothing(struct upd *u, bool *done)
{
    uint8_t byte;
    size_t got;
    esp_err_t err = upd_fetch_read(u, &byte, 1, &got, done);

    if (!err && got > 0)
        err = fail_write(u, ESP_ERR_INVALID_SIZE);
    return err;
}

static esp_err_t pull_direct(struct upd *u, bool *done)
{
    uint32_t limit = u->peeking ? UPD_HEAD_LEN - u->slot.fill_len : u->rx_len;
    void *dst;
    size_t room, got;
    esp_err_t err = slot_reserve(&u->slot, &dst, &room);

    if (err)
        return fail_write(u, err);
    if (room == 0)
        return pull_nothing(u, done);
    err = upd_fetch_read(u, dst, room < limit ? room : limit, &got, done);
    if (err || got == 0)
        return err;
    return take_in_place(u, dst, got);
}

/* An even stage is not fed past the end of a sector, nor of the buffer: what is
 * kept of a download ends there, and what comes behind it would come twice. */
static size_t staged_limit(const struct upd *u)
{
    size_t limit =
        u->peeking && u->rx_len > UPD_HEAD_LEN ? UPD_HEAD_LEN : u->rx_len;
    http_len room = u->slot.opts.buf_len - u->slot.fill_len;

    if (!upd_even(u))
        return limit;
    if (u->fetch.off < upd_skip_len(u))
        room += upd_skip_len(u) - u->fetch.off;
    return room < limit ? (size_t)room : limit;
}

static esp_err_t pull_staged(struct upd *u, bool *done)
{
    size_t got;
    esp_err_t err = upd_fetch_read(u, u->rx, staged_limit(u), &got, done);

    if (err || got == 0)
        return err;
    return feed_stages(u, u->rx, got);
}

esp_err_t upd_pipe_pull(struct upd *u)
{
    bool done = false;
    esp_err_t err =
        upd_stage_cnt(u) > 0 ? pull_staged(u, &done) : pull_direct(u, &done);

    if (!err && done)
        err = finish_stages(u);
    if (!err && done)
        u->done = true;
    return err;
}
