/* Which partition is written, and what a power cut meanwhile could do to it. */
#include "update/priv.h"

#include "image/key_store.h"
#include "part/rules.h"

/* Of erasing and programming a sector of 4096 bytes; data sheets say 30 to 50
 * ms for the one and 10 to 20 for the other. */
#define SECTOR_MS 60u

static bool is_ota_app(const struct part_entry *e)
{
    return e->type == PART_TYPE_APP && e->subtype >= PART_APP_OTA_0 &&
           e->subtype < PART_APP_TEST;
}

static enum upd_kind kind_of(const struct part_entry *final)
{
    switch (final->type) {
    case PART_TYPE_APP:
        return UPD_KIND_APP;
    case PART_TYPE_BOOTLOADER:
        return UPD_KIND_BOOTLOADER;
    case PART_TYPE_TABLE:
        return UPD_KIND_TABLE;
    default:
        return UPD_KIND_RAW;
    }
}

static const struct part_entry *next_slot(const struct upd_device *dev)
{
    uint32_t cnt = part_ota_cnt(&dev->parts->table);

    if (cnt == 0)
        return NULL;
    return part_ota(&dev->parts->table,
                    dev->running_is_slot ? (dev->running_slot + 1) % cnt : 0);
}

static esp_err_t choose_partitions(struct upd *u)
{
    struct upd_target *t = &u->target;
    const struct part_entry *staging = u->opts.staging;

    if (!staging)
        staging = next_slot(u->env.device);
    if (!staging)
        return upd_fail(u, DIAG_STAGE_FLASH, ESP_ERR_NOT_FOUND,
                        "the partition table has no OTA slot (app, ota_0), so "
                        "there is nowhere to put an update");
    if (!CFG_STAGING && (kind_of(staging) != UPD_KIND_APP ||
                         (u->opts.final && u->opts.final->off != staging->off)))
        return upd_fail(u, DIAG_STAGE_ARGS, ESP_ERR_NOT_SUPPORTED,
                        "this program updates applications only");
    t->staging = *staging;
    t->final = u->opts.final ? *u->opts.final : *staging;
    t->kind = CFG_STAGING ? kind_of(&t->final) : UPD_KIND_APP;
    t->copy = CFG_STAGING && u->opts.finalize_with_copy &&
              t->final.off != t->staging.off;
    t->headless = t->copy && t->staging.type == PART_TYPE_APP &&
                  t->final.type != PART_TYPE_APP;
    t->cap_len = t->staging.len;
    if (t->copy && t->final.len < t->cap_len)
        t->cap_len = t->final.len;
    return ESP_OK;
}

/* The factory's and the test program are not for updates to overwrite. */
static esp_err_t refuse_unfit(struct upd *u)
{
    const struct part_entry *staging = &u->target.staging;

    if (staging->type == PART_TYPE_APP && !is_ota_app(staging))
        return upd_fail(u, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                        "%s is an application partition but no OTA slot",
                        staging->label);
    if (staging->flags & PART_FLAG_READONLY)
        return upd_fail(u, DIAG_STAGE_FLASH, ESP_ERR_NOT_ALLOWED,
                        "partition %s is read-only", staging->label);
    return ESP_OK;
}

static esp_err_t refuse_running(struct upd *u, const struct part_entry *e)
{
    uint32_t running_off = u->env.device->running_off;

    if (running_off < e->off || running_off - e->off >= e->len)
        return ESP_OK;
    return upd_fail(u, DIAG_STAGE_FLASH, ESP_ERR_OTA_PARTITION_CONFLICT,
                    "partition %s is the one that runs; an update needs "
                    "another slot",
                    e->label);
}

/* A device's table is taken as it is, and may be wrong: what is written must
 * not be where something else is. */
static esp_err_t refuse_place(struct upd *u, const struct part_entry *e)
{
    struct diag why = DIAG_NONE;
    esp_err_t err = part_check_place(u->env.device->parts, e, &why);

    return err ? upd_fail(u, why.stage, err, "%s", why.text) : ESP_OK;
}

/* By these the bootloader decides; they change by transactions of their own. */
static bool is_bootloaders(const struct part_entry *e)
{
    return e->type == PART_TYPE_DATA &&
           (e->subtype == PART_DATA_OTA || e->subtype == PART_DATA_TEE_OTA ||
            e->subtype == PART_DATA_EFUSE || e->subtype == KEY_STORE_SUBTYPE);
}

void upd_risk_of(const struct part_entry *e, uint32_t sector_len,
                 struct upd_risk *out)
{
    out->never = is_bootloaders(e);
    out->survives = !part_is_system(e);
    out->sector_cnt = (e->len + sector_len - 1) / sector_len;
    out->typical_ms = (uint32_t)((uint64_t)out->sector_cnt * SECTOR_MS);
}

esp_err_t upd_risk_judge(const struct part_entry *e,
                         const struct upd_risk *risk, bool accept,
                         struct diag *d)
{
    if (risk->never)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_NOT_ALLOWED,
                         "%s holds what the bootloader decides by; no update "
                         "writes it as a whole",
                         e->label);
    if (risk->survives || accept)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_NOT_ALLOWED,
                     "%s is there once: a power cut while up to %u sectors of "
                     "it are erased and programmed, some %u.%u s, leaves a "
                     "device that does not start; accept that as unsafe, or "
                     "leave it alone",
                     e->label, (unsigned)risk->sector_cnt,
                     (unsigned)(risk->typical_ms / 1000),
                     (unsigned)(risk->typical_ms % 1000 / 100));
}

static esp_err_t refuse_risk(struct upd *u, const struct part_entry *e)
{
    struct upd_risk risk;
    struct diag why = DIAG_NONE;
    esp_err_t err;

    if (!CFG_STAGING) /* a slot of an application is no risk */
        return ESP_OK;
    upd_risk_of(e, u->env.device->parts->flash->erase_len, &risk);
    err = upd_risk_judge(e, &risk, u->opts.accept_unsafe, &why);
    return err ? upd_fail(u, why.stage, err, "%s", why.text) : ESP_OK;
}

/* Everything that must hold of a partition that is written. */
static esp_err_t refuse_entry(struct upd *u, const struct part_entry *e)
{
    esp_err_t err = refuse_running(u, e);

    if (!err)
        err = refuse_place(u, e);
    return err ? err : refuse_risk(u, e);
}

static esp_err_t refuse_places(struct upd *u)
{
    const struct upd_target *t = &u->target;
    esp_err_t err = refuse_entry(u, &t->staging);

    return err || !CFG_STAGING || !t->copy ? err : refuse_entry(u, &t->final);
}

/* State in the running slot's record, OTA_STATE_UNDEFINED without one. */
static uint32_t running_state(const struct upd_device *dev,
                              const struct otadata *o)
{
    uint32_t cnt = part_ota_cnt(&dev->parts->table);
    uint32_t state = OTA_STATE_UNDEFINED, best = 0;

    for (uint32_t i = 0; cnt > 0 && i < 2; i++) {
        const struct ota_rec *r = &o->rec[i];
        if (ota_rec_valid(r) && r->seq > best &&
            ota_seq_slot(r->seq, cnt) == dev->running_slot) {
            best = r->seq;
            state = r->state;
        }
    }
    return state;
}

static esp_err_t refuse_unconfirmed(struct upd *u)
{
    const struct upd_device *dev = u->env.device;
    struct otadata_place at = { dev->parts->flash, u->target.otadata.off };
    struct otadata o;
    uint32_t state;
    esp_err_t err;

    if (!dev->running_is_slot)
        return ESP_OK;
    err = otadata_read(&at, u->target.otadata.len, &o);
    if (err)
        return upd_fail(u, DIAG_STAGE_FLASH, err,
                        "the boot records (otadata) cannot be read");
    state = running_state(dev, &o);
    if (!upd_unconfirmed(state, pol_rollback(dev->policy), dev->live))
        return ESP_OK;
    return upd_fail(u, DIAG_STAGE_FLASH, ESP_ERR_OTA_ROLLBACK_INVALID_STATE,
                    "the running image in ota_%u is %s: confirm it, or reset "
                    "to go back, before the next update",
                    (unsigned)dev->running_slot, ota_state_name(state));
}

/* What will be booted, and the records that say so. */
static esp_err_t choose_boot(struct upd *u)
{
    struct upd_target *t = &u->target;
    const struct part_table *table = &u->env.device->parts->table;
    const struct part_entry *o;

    if (CFG_STAGING && !is_ota_app(&t->final))
        return ESP_OK;
    t->boot = CFG_STAGING && t->copy ? t->final : t->staging;
    if (CFG_STAGING && !is_ota_app(&t->boot))
        return upd_fail(u, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                        "%s is no OTA slot and cannot boot: copy the image to "
                        "%s at the end",
                        t->boot.label, t->final.label);
    o = part_find(table, PART_TYPE_DATA, PART_DATA_OTA, NULL);
    if (!o)
        return upd_fail(u, DIAG_STAGE_FLASH, ESP_ERR_NOT_FOUND,
                        "the partition table has no otadata (data, ota), so no "
                        "other slot can be made to boot");
    if (o->len < OTADATA_LEN)
        return upd_fail(u, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                        "otadata has %u bytes and needs %u", (unsigned)o->len,
                        (unsigned)OTADATA_LEN);
    if (refuse_place(u, o))
        return u->err;
    t->otadata = *o;
    t->boot_slot = t->boot.subtype - PART_APP_OTA_0;
    if (t->boot_slot >= part_ota_cnt(table))
        return upd_fail(u, DIAG_STAGE_FLASH, ESP_ERR_NOT_FOUND,
                        "no boot record can name %s: slots are counted from "
                        "ota_0, and the table has no ota_%u",
                        t->boot.label, (unsigned)part_ota_cnt(table));
    t->has_boot = true;
    return refuse_unconfirmed(u);
}

esp_err_t upd_target_choose(struct upd *u)
{
    esp_err_t err = choose_partitions(u);

    if (!err)
        err = refuse_unfit(u);
    if (!err)
        err = refuse_places(u);
    if (!err)
        err = choose_boot(u);
    if (!err)
        err = upd_version_begin(u);
    return err;
}
