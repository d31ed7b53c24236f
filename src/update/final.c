/* final.c - see copy.h. What boots by the boot records needs no note: until
 * they name it, it does not count. */
#include "update/priv.h"

#include "base/log.h"
#include "crypto/ct.h"
#include "part/rules.h"
#include "update/copy.h"

static const char tag[] = "update";

/* --- the note ------------------------------------------------------------- */

static void forget(const struct upd_store *store)
{
    esp_err_t err = store->clear(store->ctx, UPD_COPY_KEY);

    if (err)
        LOGW(tag, "the note of the copy stays (%s): it is done once more",
             err_name(err));
}

/* Without a store, or one that fails, a cut leaves a half-written partition:
 * no worse than without staging. */
static esp_err_t note(const struct upd_store *store, const struct part_dev *dev,
                      struct upd_copy *c, uint8_t *buf)
{
    char text[UPD_COPY_TEXT_LEN];
    esp_err_t err = upd_copy_digest(dev, c, buf, c->digest);

    if (err)
        return err;
    upd_copy_format(c, text);
    err = store->save(store->ctx, UPD_COPY_KEY, text);
    if (err)
        LOGW(tag,
             "it cannot be noted what is copied to %s (%s): should the "
             "power go now, install it again",
             c->to.label, err_name(err));
    return ESP_OK;
}

/* Is the copy what was noted? */
static bool holds_all(const struct part_dev *dev, const struct upd_copy *c,
                      uint8_t *buf)
{
    struct upd_copy there = *c;
    uint8_t got[SHA256_LEN];

    there.from = c->to;
    there.headless = false;
    return upd_copy_digest(dev, &there, buf, got) == ESP_OK &&
           ct_eq(got, c->digest, sizeof(got));
}

/* --- in a session --------------------------------------------------------- */

static void describe(const struct upd *u, struct upd_copy *c)
{
    *c = (struct upd_copy){ .from = u->target.staging,
                            .to = u->target.final,
                            .len = slot_taken(&u->slot),
                            .kind = (uint8_t)u->target.kind,
                            .headless = u->target.headless };
    memcpy(c->head, u->slot.head, sizeof(c->head));
}

static esp_err_t copy_all(struct upd *u, const struct upd_copy *c,
                          struct slot *to, struct img_receipt *receipt)
{
    struct slot_opts opts = { u->work->buf, upd_is_image(u), 0, NULL,
                              upd_buf_len(u->env.device->parts) };
    esp_err_t err = slot_open(to, u->env.device->parts, &c->to, &opts);

    if (!err)
        err = upd_copy_body(u->env.device->parts, c, to, NULL);
    if (!err && upd_is_image(u)) {
        receipt->bound = false; /* slot_commit() binds it to the copy */
        err = slot_commit(to, receipt);
    }
    return err;
}

esp_err_t upd_final_copy(struct upd *u, struct img_receipt *receipt)
{
    bool has_note = u->opts.store && !u->target.has_boot;
    struct slot to = SLOT_CLOSED;
    struct upd_copy c;
    esp_err_t err;

    if (!CFG_STAGING || !u->target.copy)
        return ESP_OK;
    describe(u, &c);
    err = has_note ? note(u->opts.store, u->env.device->parts, &c, u->work->buf)
                   : ESP_OK;
    if (err)
        return upd_fail_slot(u, &c.from, err);
    err = copy_all(u, &c, &to, receipt);
    u->result->erase_cnt += to.erase_cnt;
    u->result->prog_cnt += to.prog_cnt;
    slot_close(&to);
    if (err)
        return upd_fail_slot(u, &c.to, err);
    if (has_note)
        forget(u->opts.store);
    return ESP_OK;
}

/* --- made by others ------------------------------------------------------- */

esp_err_t upd_copy_noted(const struct upd_env *env,
                         const struct upd_store *store,
                         const struct upd_copy_job *job)
{
    const struct port_heap *heap = env->http.heap;
    struct part_dev *parts = env->device->parts;
    /* Verified by its digest only: whoever staged it has judged it. */
    struct upd_copy c = { .from = *job->from,
                          .to = *job->to,
                          .len = job->to->len,
                          .kind = UPD_KIND_RAW };
    uint8_t *buf = heap->alloc(heap->ctx, upd_buf_len(parts));
    esp_err_t err = buf ? note(store, parts, &c, buf) : ESP_ERR_NO_MEM;

    if (!err)
        err = job->run(job->ctx);
    if (!err && !holds_all(parts, &c, buf))
        err = ESP_ERR_FLASH_OP_FAIL;
    if (!err)
        forget(store);
    heap->free(heap->ctx, buf);
    return err;
}

/* --- later ---------------------------------------------------------------- */

struct redo {
    const struct upd_device *dev;
    struct upd_copy c;
    uint8_t *buf; /* upd_buf_len() bytes */
    bool unread;  /* the store has failed: the note may be there */
    struct diag *d;
};

/* The entry that still has this place; NULL: the table is another one now. */
static const struct part_entry *entry_at(const struct part_dev *dev,
                                         const struct part_entry *place)
{
    for (uint32_t i = 0; i < dev->table.cnt; i++) {
        const struct part_entry *e = &dev->table.entries[i];
        if (e->off == place->off && e->len == place->len)
            return e;
    }
    for (uint32_t i = 0; i < dev->extra_cnt; i++) {
        const struct part_entry *e = &dev->extra[i];
        if (e->off == place->off && e->len == place->len)
            return e;
    }
    return NULL;
}

static bool find_places(struct redo *r)
{
    const struct part_entry *from = entry_at(r->dev->parts, &r->c.from);
    const struct part_entry *to = entry_at(r->dev->parts, &r->c.to);

    if (!from || !to || part_check_place(r->dev->parts, to, NULL))
        return false;
    r->c.from = *from;
    r->c.to = *to;
    return true;
}

static esp_err_t still_staged(struct redo *r)
{
    uint8_t got[SHA256_LEN];
    esp_err_t err = upd_copy_digest(r->dev->parts, &r->c, r->buf, got);

    if (err)
        return err;
    return ct_eq(got, r->c.digest, sizeof(got)) ? ESP_OK
                                                : ESP_ERR_OTA_VALIDATE_FAILED;
}

/* It was finished, and only the note could not be dropped? Asked when what was
 * staged is gone: bytes do not prove that no erase of them was begun since, so
 * else it is copied once more. */
static bool was_finished(struct redo *r)
{
    return holds_all(r->dev->parts, &r->c, r->buf);
}

/* Errors of flash and memory may not come the next time; these do: a key was
 * revoked meanwhile, say. */
static bool is_refused(const struct img_check *check)
{
    return check->fault.kind != IMG_FAULT_NONE &&
           check->fault.kind != IMG_FAULT_FLASH;
}

/* An image is verified once more on its way. ESP_ERR_OTA_VALIDATE_FAILED: it
 * is not accepted any more. */
static esp_err_t copy_again(struct redo *r)
{
    bool is_image =
        r->c.kind == UPD_KIND_APP || r->c.kind == UPD_KIND_BOOTLOADER;
    struct slot_opts opts = { r->buf, is_image, 0, NULL,
                              upd_buf_len(r->dev->parts) };
    struct img_rules rules =
        upd_rules(r->dev, (enum upd_kind)r->c.kind, r->c.to.len);
    struct img_receipt receipt = IMG_RECEIPT_NONE;
    struct slot to = SLOT_CLOSED;
    struct img_check check;
    esp_err_t err = slot_open(&to, r->dev->parts, &r->c.to, &opts);

    img_check_open(&check, &rules);
    if (!err)
        err =
            upd_copy_body(r->dev->parts, &r->c, &to, is_image ? &check : NULL);
    if (!err && is_image)
        err = img_check_finish(&check, &receipt);
    if (!err && is_image)
        err = slot_commit(&to, &receipt);
    slot_close(&to);
    return is_image && is_refused(&check) ? ESP_ERR_OTA_VALIDATE_FAILED : err;
}

/* ESP_ERR_OTA_VALIDATE_FAILED: it cannot be done any more. */
static esp_err_t redo(struct redo *r, const char *text)
{
    esp_err_t err = upd_copy_parse(span_str(text), &r->c);

    if (err || !find_places(r))
        return diag_fail(r->d, DIAG_STAGE_FLASH, ESP_ERR_OTA_VALIDATE_FAILED,
                         "a copy was interrupted, and where it went is not "
                         "known any more: install it again");
    err = still_staged(r);
    if (err == ESP_ERR_OTA_VALIDATE_FAILED && was_finished(r))
        return ESP_OK;
    if (err == ESP_ERR_OTA_VALIDATE_FAILED)
        return diag_fail(r->d, DIAG_STAGE_FLASH, err,
                         "a copy to %s was interrupted, and %s does not hold "
                         "it any more: install it again",
                         r->c.to.label, r->c.from.label);
    if (!err)
        err = copy_again(r);
    if (err == ESP_ERR_OTA_VALIDATE_FAILED)
        return diag_fail(r->d, DIAG_STAGE_IMAGE, err,
                         "a copy to %s was interrupted, and the image in %s is "
                         "not accepted any more: install another one",
                         r->c.to.label, r->c.from.label);
    if (err)
        return diag_fail(r->d, DIAG_STAGE_WRITE, err,
                         "the copy to %s that was interrupted cannot be "
                         "finished: it does not hold what is written to it",
                         r->c.to.label);
    LOGI(tag, "the copy to %s that was interrupted is finished", r->c.to.label);
    return ESP_OK;
}

/* Keeps in *r what was found out on the way to an error. */
static esp_err_t redo_noted(struct redo *r, const struct upd_env *env,
                            const struct upd_store *store)
{
    const struct port_heap *heap = env->http.heap;
    char text[UPD_STORE_TEXT_LEN] = "";
    esp_err_t err = store->load(store->ctx, UPD_COPY_KEY, text, sizeof(text));

    if (err == ESP_ERR_NOT_FOUND)
        return err;
    r->unread = err && err != ESP_ERR_INVALID_SIZE;
    if (r->unread)
        return diag_fail(r->d, DIAG_STAGE_FLASH, err,
                         "whether a copy was interrupted cannot be read: %s",
                         err_name(err));
    r->buf = heap->alloc(heap->ctx, upd_buf_len(r->dev->parts));
    if (!r->buf)
        return diag_fail(r->d, DIAG_STAGE_WRITE, ESP_ERR_NO_MEM,
                         "there is no memory to finish a copy");
    err = redo(r, text);
    heap->free(heap->ctx, r->buf);
    if (!err || err == ESP_ERR_OTA_VALIDATE_FAILED)
        forget(store);
    return err;
}

esp_err_t upd_redo_copy(const struct upd_env *env,
                        const struct upd_store *store, struct diag *d)
{
    struct redo r = { .dev = env->device, .d = d };

    return redo_noted(&r, env, store);
}

/* Is the device better off with another update than with this copy? Where what
 * was staged was refused or lost, where a partition that no boot needs has worn
 * out, and where the store does not say: the note of these stays, in case it
 * was the power. */
static bool may_go_on(const struct redo *r, esp_err_t err)
{
    return r->unread || err == ESP_ERR_OTA_VALIDATE_FAILED ||
           (err == ESP_ERR_FLASH_OP_FAIL &&
            (r->c.kind == UPD_KIND_APP || r->c.kind == UPD_KIND_RAW));
}

esp_err_t upd_final_redo(struct upd *u)
{
    struct diag why = DIAG_NONE;
    struct redo r = { .dev = u->env.device, .d = &why };
    esp_err_t err;

    if (!CFG_STAGING || !upd_store(u))
        return ESP_OK;
    err = redo_noted(&r, &u->env, u->opts.store);
    if (!err || err == ESP_ERR_NOT_FOUND)
        return ESP_OK;
    if (!may_go_on(&r, err))
        return upd_fail(u, why.stage, err, "%s", why.text);
    LOGW(tag, "%s", why.text);
    return ESP_OK;
}
