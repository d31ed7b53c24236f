/* finish.c - the verdict, the held head, and the boot records, in this order:
 * nothing names the slot before its image is whole and its receipt is bound. */
#include "update/priv.h"

static esp_err_t refuse_incomplete(struct upd *u)
{
    if (u->fetch.file.total != HTTP_LEN_UNKNOWN)
        return upd_fail(u, DIAG_STAGE_DOWNLOAD, ESP_ERR_OTA_VALIDATE_FAILED,
                        "only %llu of %llu bytes were received",
                        (unsigned long long)u->fetch.off,
                        (unsigned long long)u->fetch.file.total);
    return upd_fail(u, DIAG_STAGE_DOWNLOAD, ESP_ERR_OTA_VALIDATE_FAILED,
                    "the download was ended after %llu bytes",
                    (unsigned long long)u->fetch.off);
}

/* A table that would not be readable is not left behind as done. */
static esp_err_t check_table(struct upd *u)
{
    const struct port_heap *heap = u->env.http.heap;
    const struct port_flash *flash = u->env.device->parts->flash;
    struct part_table *table = heap->alloc(heap->ctx, sizeof(*table));
    esp_err_t err;

    if (!table)
        return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_NO_MEM,
                        "there is no memory to check the partition table");
    err = part_read(u->env.device->parts, &u->target.staging, 0, u->sector,
                    PART_TABLE_MAX_LEN);
    if (!err)
        err = part_table_parse(span_of(u->sector, PART_TABLE_MAX_LEN),
                               flash->size_len, table);
    heap->free(heap->ctx, table);
    return err ? upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_OTA_VALIDATE_FAILED,
                          "the partition table that was received is damaged")
               : ESP_OK;
}

static esp_err_t judge(struct upd *u, struct img_receipt *receipt)
{
    if (!u->done)
        return refuse_incomplete(u);
    if (upd_is_image(u) && img_check_finish(&u->check, receipt))
        return upd_check_failed(u);
    return ESP_OK;
}

static esp_err_t fail_slot(struct upd *u, const struct part_entry *part,
                           esp_err_t err)
{
    return upd_fail(u, DIAG_STAGE_WRITE, err,
                    "%s does not hold what was written to it", part->label);
}

static esp_err_t commit(struct upd *u, struct img_receipt *receipt)
{
    esp_err_t err = slot_flush(&u->slot);

    if (!err && upd_is_image(u))
        err = slot_commit(&u->slot, receipt);
    u->result.erase_cnt = u->slot.erase_cnt;
    u->result.prog_cnt = u->slot.prog_cnt;
    if (err)
        return fail_slot(u, &u->target.staging, err);
    if (u->target.kind == UPD_KIND_TABLE)
        return check_table(u);
    return ESP_OK;
}

/* What was written, byte for byte; the head last, as in any other slot. */
static esp_err_t copy_body(struct upd *u, struct slot *to, uint32_t len)
{
    for (uint32_t at = 0; at < len;) {
        void *dst;
        size_t room;
        esp_err_t err = slot_reserve(to, &dst, &room);
        if (err)
            return err;
        if (room == 0)
            return ESP_ERR_INVALID_SIZE;
        err = upd_check_limits(u);
        if (err)
            return err;
        if (room > len - at)
            room = len - at;
        err =
            part_read(u->env.device->parts, &u->target.staging, at, dst, room);
        if (!err)
            err = slot_advance(to, room);
        if (err)
            return err;
        at += (uint32_t)room;
    }
    return slot_flush(to);
}

static esp_err_t copy_to_final(struct upd *u, struct img_receipt *receipt)
{
    struct slot to = SLOT_CLOSED;
    struct slot_opts opts = { u->sector, upd_is_image(u), 0 };
    uint32_t len = slot_taken(&u->slot);
    esp_err_t err;

    if (!u->target.copy)
        return ESP_OK;
    err = slot_open(&to, u->env.device->parts, &u->target.final, &opts);
    if (!err)
        err = copy_body(u, &to, len);
    if (!err && upd_is_image(u)) {
        receipt->bound = false; /* slot_commit() binds it to the copy */
        err = slot_commit(&to, receipt);
    }
    u->result.erase_cnt += to.erase_cnt;
    u->result.prog_cnt += to.prog_cnt;
    slot_close(&to);
    return err ? fail_slot(u, &u->target.final, err) : ESP_OK;
}

/* A change that failed after it was announced in the log is finished by the
 * next reset: what boots is asked of the records as they now stand. */
static esp_err_t fail_records(struct upd *u, const struct otadata_place *at,
                              esp_err_t err)
{
    const struct upd_target *t = &u->target;
    uint32_t slot_cnt = part_ota_cnt(&u->env.device->parts->table);
    struct otadata o;
    uint32_t active = OTA_REC_NONE;

    if (otadata_read(at, t->otadata.len, &o) == ESP_OK)
        active = ota_active_idx(o.rec);
    if (active != OTA_REC_NONE &&
        ota_seq_slot(o.rec[active].seq, slot_cnt) == t->boot_slot)
        return upd_fail(u, DIAG_STAGE_ACTIVATE, err,
                        "the boot records could not be changed to the end; "
                        "the next reset starts %s all the same",
                        t->boot.label);
    return upd_fail(u, DIAG_STAGE_ACTIVATE, err,
                    "the boot records cannot be changed; %s holds the new "
                    "image and does not boot",
                    t->boot.label);
}

static esp_err_t activate(struct upd *u, const struct img_receipt *receipt)
{
    const struct upd_device *dev = u->env.device;
    const struct upd_target *t = &u->target;
    struct otadata_place at = { dev->parts->flash, t->otadata.off };
    struct otadata_request req = {
        .slot = t->boot_slot,
        .slot_cnt = part_ota_cnt(&dev->parts->table),
        .running_is_slot = dev->running_is_slot,
        .running_slot = dev->running_slot,
        .state = pol_rollback(dev->policy) ? (uint32_t)OTA_STATE_NEW
                                           : OTA_STATE_UNDEFINED,
    };
    struct otadata o;
    esp_err_t err;

    if (receipt->verdict != VERDICT_ACCEPT || !receipt->bound ||
        receipt->off != t->boot.off ||
        receipt->gen != part_gen(dev->parts, &t->boot))
        return upd_fail(u, DIAG_STAGE_ACTIVATE, ESP_ERR_OTA_VALIDATE_FAILED,
                        "%s changed after it was verified", t->boot.label);
    err = otadata_read(&at, t->otadata.len, &o);
    if (!err)
        err = otadata_activate(&at, &o, &req);
    return err ? fail_records(u, &at, err) : ESP_OK;
}

static esp_err_t finish(struct upd *u, bool want_boot)
{
    struct img_receipt receipt = IMG_RECEIPT_NONE;
    esp_err_t err = u->err;

    if (!err)
        err = upd_pipe_unpeek(u);
    if (!err)
        err = judge(u, &receipt);
    if (!err)
        err = commit(u, &receipt);
    if (!err)
        err = copy_to_final(u, &receipt);
    if (err)
        return err;
    u->result.written_len = slot_taken(&u->slot);
    u->result.image = u->check.info;
    memcpy(u->result.sha256, receipt.digest, sizeof(receipt.digest));
    if (want_boot && u->target.has_boot)
        err = activate(u, &receipt);
    if (!err && want_boot && u->target.has_boot)
        upd_known_keep(u);
    if (!err && want_boot && u->target.kind == UPD_KIND_APP)
        upd_emit(u, UPD_EV_ACTIVATE, u->target.final.subtype);
    return err;
}

static void end(struct upd *u, enum upd_event ev, struct upd_result *result)
{
    upd_mark_end(u, ev == UPD_EV_FINISH && !u->err);
    upd_tell(u, result);
    upd_emit(u, ev, 0);
    upd_close(u);
}

esp_err_t upd_finish(struct upd *u, bool want_boot, struct upd_result *result)
{
    esp_err_t err = finish(u, want_boot);

    end(u, UPD_EV_FINISH, result);
    return err;
}

void upd_abort(struct upd *u, struct upd_result *result)
{
    end(u, UPD_EV_ABORT, result);
}
