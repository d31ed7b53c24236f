/* Confirm the running application, or give it up. */
#include "api/ota.h"

#include <string.h>

#include "base/log.h"
#include "fuse/fuse.h"

#include "esp_system.h"

bool api_partition_boots(const esp_partition_t *partition)
{
    struct img_check check;
    struct img_receipt receipt;

    return partition && api_image_check(partition, &check, &receipt) == ESP_OK;
}

/* Reads the records for somebody who wants to change the active one. Under
 * the lock. */
static esp_err_t read_active(struct api_records *r)
{
    esp_err_t err = api_records_read(r);

    if (err)
        return err;
    return r->active == OTA_REC_NONE || r->slot_cnt == 0 ? ESP_FAIL : ESP_OK;
}

static esp_err_t set_state(struct api_records *r, uint32_t idx, uint32_t state)
{
    struct ota_rec rec = r->o.rec[idx];

    rec.state = state;
    return otadata_change(&r->at, &r->o, idx, &rec);
}

static bool is_own(const struct api_records *r, uint32_t idx)
{
    const struct upd_device *upd = &api_device()->upd;
    const struct ota_rec *rec = &r->o.rec[idx];

    return upd->running_is_slot && ota_rec_valid(rec) &&
           ota_seq_slot(rec->seq, r->slot_cnt) == upd->running_slot;
}

/* --- what happened, for the log ------------------------------------------- */

uint32_t api_uptime_ms(void)
{
    const struct api_device *dev = api_device();
    const struct port_sys *sys = dev->boot.sys;
    uint64_t ms = sys->mono_ms(sys->ctx) - dev->start_ms;

    return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX - 1;
}

/* A verdict that finds no place in the log keeps nobody from what was decided.
 * Under the lock. */
static void note(struct api_records *r, uint32_t idx, enum ota_event_kind kind,
                 struct ota_event *event)
{
    const struct port_sys *sys = api_device()->boot.sys;
    const struct ota_event *last = &r->o.event;
    esp_err_t err;

    if (!pol_trials())
        return;
    event->kind = (uint8_t)kind;
    event->seq = r->o.rec[idx].seq;
    event->rec_idx = (uint8_t)idx;
    event->reset_reason = (uint8_t)sys->reset_reason(sys->ctx);
    event->up_ms = api_uptime_ms();
    if (last->kind == OTA_EVENT_STARTED && last->seq == event->seq) {
        event->charged = last->charged;
        event->power = last->power;
    }
    err = otadata_note(&r->at, &r->o, event);
    if (err)
        LOGW(OTA_TAG, "the verdict is not recorded: %s", err_name(err));
}

/* The record of the running program, or OTA_REC_NONE. */
static uint32_t own_record(const struct api_records *r)
{
    for (uint32_t n = 0; n < 2; n++) {
        uint32_t idx = n == 0 ? r->active : 1 - r->active;
        if (is_own(r, idx))
            return idx;
    }
    return OTA_REC_NONE;
}

bool api_ota_trial(uint32_t *resets)
{
    struct api_records r;
    uint32_t own = OTA_REC_NONE, state;

    *resets = 0;
    api_lock();
    if (read_active(&r) == ESP_OK)
        own = own_record(&r);
    api_unlock();
    if (own == OTA_REC_NONE)
        return false;
    if (r.o.event.kind == OTA_EVENT_STARTED &&
        r.o.event.seq == r.o.rec[own].seq)
        *resets = (uint32_t)r.o.event.charged + r.o.event.power;
    state = r.o.rec[own].state;
    /* NEW while it runs: a bootloader that knows no trials. */
    return state == OTA_STATE_PENDING || state == OTA_STATE_NEW;
}

/* --- mark ----------------------------------------------------------------- */

/* Under the lock. Once an update is in place the active record is that of a
 * program which was never started: its trial is not this one's to end. */
static esp_err_t confirm(struct api_records *r, struct ota_event *event)
{
    uint32_t own = own_record(r);
    esp_err_t err;

    if (r->o.rec[r->active].state == OTA_STATE_VALID)
        return ESP_OK;
    if (own == OTA_REC_NONE)
        return ESP_FAIL;
    if (r->o.rec[own].state == OTA_STATE_VALID)
        return ESP_OK;
    err = set_state(r, own, OTA_STATE_VALID);
    if (!err)
        note(r, own, OTA_EVENT_CONFIRMED, event);
    return err;
}

/* Under the lock, once the record says VALID. Again at each call, should the
 * power have gone in between; the bootloader does the same. */
static esp_err_t raise_fuses(const struct api_records *r)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    bool own = false;
    esp_app_desc_t desc;
    esp_err_t err;

    for (uint32_t i = 0; i < 2; i++)
        own |= is_own(r, i) && r->o.rec[i].state == OTA_STATE_VALID;
    if (!pol_anti_rollback(api_device()->boot.policy) || !own)
        return ESP_OK;
    /* It is in the table; without memory there is no list of partitions. */
    err = running ? esp_ota_get_partition_description(running, &desc)
                  : ESP_ERR_NO_MEM;
    if (!err)
        err = fuse_raise(api_device()->boot.fuse, desc.secure_version);
    if (err)
        LOGE(OTA_TAG,
             "confirmed, but the device's secure version is not raised: %s",
             err_name(err));
    return err;
}

esp_err_t api_ota_confirm(struct ota_event *event)
{
    struct api_records r;
    esp_err_t err;

    api_lock();
    err = read_active(&r);
    if (!err)
        err = confirm(&r, event);
    if (!err && api_device()->settings.on_confirmed)
        api_device()->settings.on_confirmed();
    if (!err)
        err = raise_fuses(&r);
    api_unlock();
    return err;
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
    struct ota_event event = { .who = OTA_BY_APP, .why = OTA_WHY_CALL };

    return api_ota_confirm(&event);
}

static bool would_boot(const esp_partition_t *partition)
{
    return api_partition_boots(partition) &&
           api_version_check(partition) == ESP_OK;
}

/* Under the lock. */
static bool can_roll_back(const struct api_records *r)
{
    const struct upd_device *upd = &api_device()->upd;
    uint32_t running = upd->running_is_slot ? upd->running_slot : BOOT_FACTORY;
    const struct ota_rec *other = &r->o.rec[1 - r->active];
    uint32_t choice;

    /* Given up already: what leads now is the way back. Whoever asks again,
     * because the first call failed half way or another task had called, must
     * not give that up, too. */
    if (other->state == OTA_STATE_INVALID && !is_own(r, r->active))
        return false;
    if (!boot_way_back(other, running, r->slot_cnt, &choice))
        return false;
    if (choice < BOOT_MAX_SLOTS)
        return would_boot(api_slot_partition(choice));
    return would_boot(esp_partition_find_first(
        ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY, NULL));
}

esp_err_t api_ota_give_up(struct ota_event *event)
{
    struct api_records r;
    esp_err_t err;

    api_lock();
    err = read_active(&r);
    if (!err && !can_roll_back(&r))
        err = ESP_ERR_OTA_ROLLBACK_FAILED;
    if (!err) {
        note(&r, r.active, OTA_EVENT_GIVEN_UP, event);
        err = set_state(&r, r.active, OTA_STATE_INVALID);
    }
    api_unlock();
    return err;
}

esp_err_t esp_ota_mark_app_invalid_rollback(void)
{
    struct ota_event event = { .who = OTA_BY_APP, .why = OTA_WHY_CALL };

    return api_ota_give_up(&event);
}

esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void)
{
    esp_err_t err = esp_ota_mark_app_invalid_rollback();

    if (!err)
        esp_restart();
    return err;
}

bool esp_ota_check_rollback_is_possible(void)
{
    struct api_records r;
    bool possible;

    api_lock();
    possible = read_active(&r) == ESP_OK && can_roll_back(&r);
    api_unlock();
    return possible;
}

/* --- ask ------------------------------------------------------------------ */

static bool was_refused(const struct ota_rec *rec)
{
    return rec->seq != OTADATA_SEQ_NONE && ota_rec_crc_ok(rec) &&
           (rec->state == OTA_STATE_INVALID || rec->state == OTA_STATE_ABORTED);
}

const esp_partition_t *esp_ota_get_last_invalid_partition(void)
{
    const esp_partition_t *p = NULL;
    const struct ota_rec *hit = NULL;
    struct api_records r;

    api_lock();
    if (api_records_read(&r) == ESP_OK && r.slot_cnt > 0) {
        for (uint32_t i = 0; i < 2; i++) {
            const struct ota_rec *rec = &r.o.rec[i];
            if (was_refused(rec) && (!hit || rec->seq < hit->seq))
                hit = rec;
        }
        if (hit)
            p = api_slot_partition(ota_seq_slot(hit->seq, r.slot_cnt));
    }
    api_unlock();
    return api_partition_boots(p) ? p : NULL;
}

/* Reference 3.5: record 0 is looked at first, even if it is the older one. A
 * slot that two records name is what the newer one says it is. */
static const struct ota_rec *rec_of_slot(const struct api_records *r,
                                         uint32_t slot)
{
    const struct ota_rec *hit = NULL;

    for (uint32_t i = 0; i < 2; i++) {
        const struct ota_rec *rec = &r->o.rec[i];
        if (rec->seq == OTADATA_SEQ_NONE || !ota_rec_crc_ok(rec) ||
            ota_seq_slot(rec->seq, r->slot_cnt) != slot)
            continue;
        if (!hit || rec->seq > hit->seq)
            hit = rec;
    }
    return hit;
}

esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition,
                                      esp_ota_img_states_t *ota_state)
{
    struct api_records r;
    const struct ota_rec *rec = NULL;
    esp_err_t err;

    if (!partition || !ota_state)
        return ESP_ERR_INVALID_ARG;
    if (!api_is_ota_app(partition))
        return ESP_ERR_NOT_SUPPORTED;
    api_lock();
    err = api_records_read(&r);
    api_unlock();
    if (!err && r.slot_cnt > 0)
        rec = rec_of_slot(&r, partition->subtype -
                                  ESP_PARTITION_SUBTYPE_APP_OTA_MIN);
    if (!rec)
        return ESP_ERR_NOT_FOUND;
    *ota_state = (esp_ota_img_states_t)rec->state;
    return ESP_OK;
}

/* --- forget --------------------------------------------------------------- */

/* The slot of the record that does not count; ESP_FAIL when there is none
 * that may be given up. Under the lock. */
static esp_err_t read_inactive(struct api_records *r,
                               const esp_partition_t **slot)
{
    const struct ota_rec *rec;

    if (read_active(r))
        return ESP_FAIL;
    rec = &r->o.rec[1 - r->active];
    if (rec->seq == OTADATA_SEQ_NONE || !ota_rec_crc_ok(rec))
        return ESP_FAIL;
    *slot = api_slot_partition(ota_seq_slot(rec->seq, r->slot_cnt));
    return !*slot || *slot == esp_ota_get_running_partition() ? ESP_FAIL
                                                              : ESP_OK;
}

static esp_err_t blank_inactive(struct api_records *r)
{
    struct ota_rec blank;

    memset(&blank, 0xFF, sizeof(blank));
    return otadata_change(&r->at, &r->o, 1 - r->active, &blank);
}

esp_err_t esp_ota_erase_last_boot_app_partition(void)
{
    struct api_records r;
    const esp_partition_t *slot;
    esp_err_t err;

    api_lock();
    err = read_inactive(&r, &slot);
    if (!err)
        err = esp_partition_erase_range(slot, 0, slot->size);
    if (!err)
        err = blank_inactive(&r);
    api_unlock();
    return err;
}

esp_err_t esp_ota_invalidate_inactive_ota_data_slot(void)
{
    struct api_records r;
    const esp_partition_t *slot;
    esp_err_t err;

    api_lock();
    err = read_inactive(&r, &slot);
    if (!err)
        err = blank_inactive(&r);
    api_unlock();
    return err;
}
