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

static esp_err_t judge(struct upd *u, struct img_receipt *receipt)
{
    if (!u->done)
        return refuse_incomplete(u);
    if (upd_is_image(u) && img_check_finish(&u->work->check, receipt))
        return upd_check_failed(u);
    return upd_version_check(u, &u->work->check.info.desc);
}

esp_err_t upd_fail_slot(struct upd *u, const struct part_entry *part,
                        esp_err_t err)
{
    return upd_fail(u, DIAG_STAGE_WRITE, err,
                    "%s does not hold what was written to it", part->label);
}

static esp_err_t commit(struct upd *u, struct img_receipt *receipt)
{
    esp_err_t err = slot_flush(&u->slot);

    if (!err && upd_is_image(u) && !u->target.headless)
        err = slot_commit(&u->slot, receipt);
    u->result->erase_cnt = u->slot.erase_cnt;
    u->result->prog_cnt = u->slot.prog_cnt;
    if (err)
        return upd_fail_slot(u, &u->target.staging, err);
    if (CFG_STAGING && u->target.kind == UPD_KIND_TABLE)
        return upd_table_check(u);
    return ESP_OK;
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
    err = upd_check_listed(u);
    if (err)
        return err;
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
        err = upd_preflight(u, true);
    if (!err)
        err = commit(u, &receipt);
    if (!err)
        err = upd_final_copy(u, &receipt);
    if (err)
        return err;
    u->result->written_len = slot_taken(&u->slot);
    u->result->image = u->work->check.info;
    memcpy(u->result->sha256, receipt.digest, sizeof(receipt.digest));
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
