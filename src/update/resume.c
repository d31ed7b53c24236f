/* resume.c - continue over what an earlier session left in flash.
 *
 * Without a checkpoint nobody vouches for those bytes, so they are read once
 * and go through the check before the wire's bytes do: the receipt covers
 * every byte from 0. The head that the earlier session held back is lost and
 * asked of the server again. */
#include "update/priv.h"

static bool is_blank(const uint8_t *p, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        if (p[i] != 0xFF)
            return false;
    }
    return true;
}

/* false: the prefix is not the start of an image that could go on. */
static bool feed_prefix(struct upd *u, const uint8_t *head, uint32_t off)
{
    uint32_t step = u->slot.sector_len;

    for (uint32_t at = 0; at < off; at += step) {
        if (part_read(u->env.device->parts, &u->target.staging, at, u->sector,
                      step))
            return false;
        if (at == 0) {
            memcpy(u->sector, head, SLOT_HEAD_LEN);
            memcpy(u->head, u->sector, sizeof(u->head));
        }
        if (img_check_feed(&u->check, u->sector, step))
            return false;
    }
    return true;
}

static esp_err_t start_over(struct upd *u)
{
    struct img_rules rules = u->check.rules;

    u->fetch.off = 0;
    u->result.resumed_from = 0;
    img_check_open(&u->check, &rules);
    u->peeking = true;
    return upd_open_slot(u, 0);
}

static esp_err_t resume_image(struct upd *u, uint32_t off, bool *whole)
{
    uint8_t head[SLOT_HEAD_LEN];
    esp_err_t err = part_read(u->env.device->parts, &u->target.staging, 0, head,
                              sizeof(head));

    if (err)
        return upd_fail(u, DIAG_STAGE_FLASH, err, "%s cannot be read",
                        u->target.staging.label);
    if (is_blank(head, sizeof(head)))
        err = upd_fetch_head(u, head, sizeof(head), whole);
    if (err || *whole)
        return err;
    if (!feed_prefix(u, head, off))
        return start_over(u);
    slot_set_head(&u->slot, head);
    u->header_told = true;
    u->head_told = true;
    u->result.image = u->check.info;
    return ESP_OK;
}

esp_err_t upd_resume(struct upd *u)
{
    uint32_t off = upd_resume_off(u->opts.start_off, u->slot.sector_len,
                                  u->target.cap_len, u->opts.stage_cnt > 0);
    bool whole = false;
    esp_err_t err;

    if (off == 0)
        return upd_fetch_start(u, false);
    err = upd_open_slot(u, off);
    if (err)
        return err;
    u->peeking = false;
    u->fetch.off = off;
    u->result.resumed_from = off;
    if (upd_is_image(u))
        err = resume_image(u, off, &whole);
    if (err || whole)
        return err ? err : start_over(u);
    err = upd_fetch_start(u, u->fetch.off > 0);
    if (!err && u->fetch.off != slot_taken(&u->slot))
        err = start_over(u);
    return err;
}
