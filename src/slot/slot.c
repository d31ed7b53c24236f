/* slot.c - see slot.h.
 *
 * Invariants: done_off is a multiple of the buffer until slot_flush(); what is
 * in [start_off, done_off) was erased, programmed and compared by this
 * session; erased_off >= done_off, and what lies between was erased and not
 * yet programmed. The first program unit of a held head stays 0xFF in flash
 * until slot_commit(), so no cut before that leaves an image with a magic.
 *
 * With opts.behind "was erased, programmed and compared" means: or is on its
 * way in that order, until slot_settle(). */
#include "slot/slot.h"

#include <assert.h>
#include <string.h>

#include "base/policy.h"

static esp_err_t fail(struct slot *s, esp_err_t err)
{
    if (!s->err)
        s->err = err;
    return s->err;
}

static esp_err_t fail_at(struct slot *s, uint32_t off, esp_err_t err)
{
    if (!s->err)
        s->fail_off = off;
    return fail(s, err);
}

static struct slot_behind *behind(const struct slot *s)
{
    return POL_WRITE_BEHIND ? s->opts.behind : NULL;
}

esp_err_t slot_open(struct slot *s, struct part_dev *dev,
                    const struct part_entry *entry,
                    const struct slot_opts *opts)
{
    uint32_t sector_len = dev->flash->erase_len;
    uint32_t buf_len = opts->buf_len ? opts->buf_len : sector_len;

    *s = (struct slot)SLOT_CLOSED;
    if (entry->len == 0 || entry->len % sector_len ||
        opts->start_off % sector_len || opts->start_off > entry->len ||
        sector_len % buf_len || buf_len % SLOT_HEAD_LEN)
        return ESP_ERR_INVALID_SIZE;
    if (SLOT_HEAD_LEN % dev->flash->prog_len)
        return ESP_ERR_NOT_SUPPORTED;
    s->dev = dev;
    s->entry = *entry;
    s->opts = *opts;
    s->opts.buf_len = buf_len;
    s->sector_len = sector_len;
    s->done_off = opts->start_off;
    s->erased_off = opts->start_off;
    s->buf = opts->buf;
    if (behind(s))
        slot_behind_open(behind(s), dev, entry);
    memset(s->head, 0xFF, sizeof(s->head));
    return ESP_OK;
}

uint32_t slot_taken(const struct slot *s)
{
    return s->done_off + s->fill_len;
}

void slot_set_buf(struct slot *s, uint8_t *buf)
{
    s->buf = s->opts.buf = buf;
}

void slot_set_head(struct slot *s, const uint8_t head[SLOT_HEAD_LEN])
{
    memcpy(s->head, head, SLOT_HEAD_LEN);
}

/* --- now, or behind the caller's back ------------------------------------- */

/* The failure of a job that is done is the session's. */
static esp_err_t take_behind(struct slot *s)
{
    uint32_t off;
    esp_err_t err = slot_behind_err(behind(s), &off);

    return err ? fail_at(s, off, err) : ESP_OK;
}

static esp_err_t program(struct slot *s, uint32_t off, struct span src)
{
    esp_err_t err;

    s->prog_cnt++;
    if (behind(s)) {
        slot_behind_prog(behind(s), off, src);
        return take_behind(s);
    }
    err = part_put(s->dev, &s->entry, off, src);
    return err ? fail_at(s, off, err) : ESP_OK;
}

static esp_err_t erase_next(struct slot *s)
{
    uint32_t off = s->erased_off;
    esp_err_t err;

    s->erase_cnt++;
    s->erased_off += s->sector_len;
    if (behind(s)) {
        slot_behind_erase(behind(s), off);
        return take_behind(s);
    }
    err = part_erase_sector(s->dev, &s->entry, off);
    return err ? fail_at(s, off, err) : ESP_OK;
}

/* The next buffer is filled while this one is on its way. */
static esp_err_t next_buffer(struct slot *s)
{
    struct slot_behind *b = behind(s);

    if (!b)
        return ESP_OK;
    slot_behind_wait_progs(b, SLOT_BEHIND_BUFS);
    s->buf = s->opts.buf;
    s->buf_idx = (s->buf_idx + 1) % (SLOT_BEHIND_BUFS + 1);
    if (s->buf_idx > 0)
        s->buf = b->bufs + (s->buf_idx - 1) * s->opts.buf_len;
    return take_behind(s);
}

esp_err_t slot_settle(struct slot *s)
{
    if (s->dev && behind(s)) {
        slot_behind_settle(behind(s));
        (void)!take_behind(s);
    }
    return s->err;
}

/* --- bytes ---------------------------------------------------------------- */

/* Programs len bytes of the buffer at done_off, whose sector is erased if it
 * was not erased ahead. */
static esp_err_t program_buffer(struct slot *s, uint32_t len)
{
    uint32_t skip = 0;

    if (s->erased_off <= s->done_off) {
        esp_err_t err = erase_next(s);
        if (err)
            return err;
    }
    if (s->opts.hold_head && s->done_off == 0) {
        skip = len < SLOT_HEAD_LEN ? len : SLOT_HEAD_LEN;
        memcpy(s->head, s->buf, skip);
    }
    if (len > skip) {
        esp_err_t err =
            program(s, s->done_off + skip, span_of(s->buf + skip, len - skip));
        if (err)
            return err;
    }
    s->done_off += s->fill_len;
    s->fill_len = 0;
    return next_buffer(s);
}

esp_err_t slot_reserve(struct slot *s, void **ptr, size_t *len)
{
    *ptr = NULL;
    *len = 0;
    if (s->err)
        return s->err;
    if (s->flushed)
        return fail(s, ESP_ERR_INVALID_STATE);
    /* The partition ends with a sector: a full one empties the buffer. */
    if (s->done_off < s->entry.len) {
        *ptr = s->buf + s->fill_len;
        *len = s->opts.buf_len - s->fill_len;
    }
    return ESP_OK;
}

esp_err_t slot_advance(struct slot *s, size_t len)
{
    if (s->err)
        return s->err;
    assert(len <= s->opts.buf_len - s->fill_len);
    s->fill_len += (uint32_t)len;
    if (s->fill_len < s->opts.buf_len)
        return ESP_OK;
    return program_buffer(s, s->opts.buf_len);
}

esp_err_t slot_write(struct slot *s, const void *data, size_t len)
{
    const uint8_t *src = data;

    if (s->err)
        return s->err;
    if (len > s->entry.len - slot_taken(s))
        return fail(s, ESP_ERR_INVALID_SIZE);
    while (len > 0) {
        void *dst;
        size_t step;
        esp_err_t err = slot_reserve(s, &dst, &step);
        if (err)
            return err;
        assert(dst && step > 0);
        if (step > len)
            step = len;
        memcpy(dst, src, step);
        err = slot_advance(s, step);
        if (err)
            return err;
        src += step;
        len -= step;
    }
    return ESP_OK;
}

esp_err_t slot_erase_step(struct slot *s, uint32_t limit_off, bool *more)
{
    if (limit_off > s->entry.len)
        limit_off = s->entry.len;
    *more = false;
    if (s->err)
        return s->err;
    if (s->erased_off < limit_off) {
        esp_err_t err = erase_next(s);
        if (err)
            return err;
    }
    *more = s->erased_off < limit_off;
    return ESP_OK;
}

esp_err_t slot_flush(struct slot *s)
{
    uint32_t unit, len;
    esp_err_t err;

    if (s->err)
        return s->err;
    s->flushed = true;
    if (s->fill_len == 0)
        return slot_settle(s);
    unit = s->dev->flash->prog_len;
    len = (s->fill_len + unit - 1) / unit * unit;
    memset(s->buf + s->fill_len, 0xFF, len - s->fill_len);
    err = program_buffer(s, len);
    return err ? err : slot_settle(s);
}

esp_err_t slot_commit(struct slot *s, struct img_receipt *receipt)
{
    if (s->err)
        return s->err;
    if (!s->flushed)
        return fail(s, ESP_ERR_INVALID_STATE);
    if (receipt->verdict != VERDICT_ACCEPT || receipt->bound ||
        receipt->len < SLOT_HEAD_LEN || receipt->len > s->done_off)
        return fail(s, ESP_ERR_OTA_VALIDATE_FAILED);
    if (s->opts.hold_head) {
        esp_err_t err = program(s, 0, span_of(s->head, SLOT_HEAD_LEN));
        if (!err)
            err = slot_settle(s);
        if (err)
            return err;
    }
    receipt->off = s->entry.off;
    receipt->gen = part_gen(s->dev, &s->entry);
    receipt->bound = true;
    return ESP_OK;
}

esp_err_t slot_spoil(struct part_dev *dev, const struct part_entry *entry)
{
    uint8_t unit[SLOT_HEAD_LEN];
    uint32_t len = dev->flash->prog_len;
    esp_err_t err;

    if (len > sizeof(unit))
        return ESP_ERR_NOT_SUPPORTED;
    err = part_read(dev, entry, 0, unit, len);
    if (err)
        return err;
    if (unit[0] != IMG_MAGIC)
        return ESP_OK;
    if (dev->flash->prog_once)
        return part_erase_sector(dev, entry, 0);
    unit[0] = 0;
    return part_prog(dev, entry, 0, unit, len);
}

void slot_close(struct slot *s)
{
    (void)!slot_settle(s); /* the buffers are about to go */
    *s = (struct slot)SLOT_CLOSED;
}
