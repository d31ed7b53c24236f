#include "path.h"

#include <string.h>

#include "appl.h"
#include "keys.h"
#include "fuses.h"
#include "parts.h"
#include "settings.h"

#define HOUSE_TURNS 64u

/* --- where a path begins -------------------------------------------------- */

static esp_err_t prepare_nothing(struct world *w, const char **why)
{
    (void)w;
    (void)why;
    return ESP_OK;
}

static esp_err_t prepare_updated(struct world *w, const char **why)
{
    *why = "the update fails";
    return world_update(w, false);
}

static esp_err_t prepare_on_trial(struct world *w, const char **why)
{
    esp_err_t err = prepare_updated(w, why);
    return err ? err : world_reset(w);
}

/* One reset may pass: the path is that reset. */
static esp_err_t prepare_trial(struct world *w, const char **why)
{
    w->trial_boots = 2;
    return prepare_on_trial(w, why);
}

static bool would_move(struct world *w, uint32_t slot)
{
    struct otadata_place at = { &w->flash, world_otadata(w)->off };
    const struct otadata_request req = { .slot = slot,
                                         .slot_cnt = world_slot_cnt(w),
                                         .running_is_slot = true,
                                         .running_slot = w->running,
                                         .state = OTA_STATE_NEW };
    struct otadata_activation plan;
    struct otadata o;
    return otadata_read(&at, world_otadata(w)->len, &o) == ESP_OK &&
           otadata_activate_plan(&o, &req, &plan) == ESP_OK && plan.move_house;
}

/* Updates that were given up fill the log of the running slot's sector. */
static esp_err_t prepare_move(struct world *w, const char **why)
{
    uint32_t slot = world_next_slot(w);
    esp_err_t err;

    *why = "no OTA slot runs, so there is no record to move";
    if (w->running >= BOOT_MAX_SLOTS)
        return ESP_ERR_NOT_SUPPORTED;
    err = prepare_updated(w, why);
    for (unsigned i = 0; !err && i < HOUSE_TURNS; i++) {
        err = world_mark(w, OTA_STATE_INVALID);
        if (!err && would_move(w, slot))
            return ESP_OK;
        if (!err)
            err = world_activate(w, slot);
    }
    *why = "the log of the boot records does not fill";
    return err ? err : ESP_FAIL;
}

static esp_err_t prepare_blank(struct world *w, const char **why)
{
    const struct part_entry *o = world_otadata(w);

    *why = "the factory program boots without a record";
    if (boot_part(&w->parts.table, BOOT_FACTORY))
        return ESP_ERR_NOT_SUPPORTED;
    memset(w->sim.bytes + o->off, 0xFF, o->len);
    w->running = BOOT_NONE;
    *why = "nothing boots without a record";
    return world_would_boot(w) == BOOT_NONE ? ESP_ERR_NOT_SUPPORTED : ESP_OK;
}

static esp_err_t prepare_settings(struct world *w, const char **why)
{
    *why = "there is no nvs partition";
    if (!world_nvs(w))
        return ESP_ERR_NOT_SUPPORTED;
    *why = "the nvs partition cannot be used, or is full";
    return settings_prepare(w) ? ESP_ERR_NOT_SUPPORTED : ESP_OK;
}

static esp_err_t prepare_migrate(struct world *w, const char **why)
{
    *why = "there is no nvs partition";
    if (!world_nvs(w))
        return ESP_ERR_NOT_SUPPORTED;
    *why = "the nvs partition cannot be used, or is full";
    return settings_migrate_prepare(w) ? ESP_ERR_NOT_SUPPORTED : ESP_OK;
}

static esp_err_t prepare_kept(struct world *w, const char **why)
{
    *why = "there is no nvs partition to keep checkpoints in";
    return world_nvs(w) ? ESP_OK : ESP_ERR_NOT_SUPPORTED;
}

/* --- what it does --------------------------------------------------------- */

static esp_err_t act_update(struct world *w)
{
    return world_update(w, false);
}

static esp_err_t act_bulk(struct world *w)
{
    return world_update(w, true);
}

static esp_err_t act_kept(struct world *w)
{
    const struct world_get get = { .keep = true };

    return world_get(w, &get);
}

static esp_err_t act_move(struct world *w)
{
    return world_activate(w, world_next_slot(w));
}

static esp_err_t act_confirm(struct world *w)
{
    return world_mark(w, OTA_STATE_VALID);
}

/* Without another record there is none to follow once it is given up. What
 * leads then is not this program's to give up, as the library knows. */
static esp_err_t act_give_up(struct world *w)
{
    struct ota_rec rec[2];
    uint32_t active;
    esp_err_t err = world_records(w, rec);

    if (err)
        return err;
    active = ota_active_idx(rec);
    if (active != OTA_REC_NONE &&
        ota_seq_slot(rec[active].seq, world_slot_cnt(w)) != w->running)
        return ESP_OK;
    err = world_mark(w, OTA_STATE_INVALID);
    return err == ESP_ERR_NOT_FOUND ? ESP_OK : err;
}

const struct path paths[TORT_PATH_CNT] = {
    [TORT_UPDATE] = {
        .name = "update",
        .invariant = "the image's first 16 bytes are programmed last, and "
                     "the records name the slot only after that",
        .end = PATH_END_NEW,
        .prepare = prepare_nothing,
        .act = act_update,
    },
    [TORT_BULK] = {
        .name = "update-bulk",
        .invariant = "the same, and a slot that is being erased was neither "
                     "running nor named by the newest record",
        .end = PATH_END_NEW,
        .prepare = prepare_nothing,
        .act = act_bulk,
        .update = act_bulk,
    },
    [TORT_MOVE] = {
        .name = "house-move",
        .invariant = "the running slot's record is copied to the other "
                     "sector before its own is erased, each change under an "
                     "intent",
        .metadata = true,
        .end = PATH_END_NEW,
        .prepare = prepare_move,
        .act = act_move,
    },
    [TORT_FIRST_BOOT] = {
        .name = "first-boot",
        .invariant = "an image is started only when PENDING_VERIFY was read "
                     "back, so its trial ends whatever happens",
        .metadata = true,
        .boots = true,
        .needs_rollback = true,
        .end = PATH_END_OLD,
        .prepare = prepare_updated,
        .act = world_reset,
    },
    [TORT_CONFIRM] = {
        .name = "confirm",
        .invariant = "the intent in the sibling's log holds the whole new "
                     "record before the old one is erased",
        .metadata = true,
        .needs_rollback = true,
        .end = PATH_END_NEW,
        .prepare = prepare_on_trial,
        .act = act_confirm,
    },
    [TORT_GIVE_UP] = {
        .name = "give-up",
        .invariant = "the same; until the intent stands the image is on "
                     "trial, which ends in the same slot",
        .metadata = true,
        .needs_rollback = true,
        .end = PATH_END_OLD,
        .prepare = prepare_on_trial,
        .act = act_give_up,
    },
    [TORT_TRIAL] = {
        .name = "trial-again",
        .invariant = "a start is counted, and the count read back, before "
                     "the image runs, so a trial is finite",
        .metadata = true,
        .boots = true,
        .needs_rollback = true,
        .end = PATH_END_OLD,
        .prepare = prepare_trial,
        .act = world_reset,
    },
    [TORT_ROLLBACK] = {
        .name = "rollback",
        .invariant = "a record that is still PENDING_VERIFY at a reset reads "
                     "as given up, whether or not that was written",
        .metadata = true,
        .boots = true,
        .needs_rollback = true,
        .end = PATH_END_OLD,
        .prepare = prepare_on_trial,
        .act = world_reset,
    },
    [TORT_FIRST_RECORD] = {
        .name = "first-record",
        .invariant = "without a record the same slot is chosen as with the "
                     "one that is being written",
        .metadata = true,
        .boots = true,
        .end = PATH_END_SAME,
        .prepare = prepare_blank,
        .act = world_reset,
    },
    [TORT_SETTINGS] = {
        .name = "settings",
        .invariant = "a value is written whole and marked as written before "
                     "the one it replaces is given up",
        .metadata = true,
        .end = PATH_END_SAME,
        .prepare = prepare_settings,
        .act = settings_change,
        .start = settings_mount,
        .check = settings_check,
    },
    [TORT_MIGRATE] = {
        .name = "migrate",
        .invariant = "a new image's settings are a copy, which counts when "
                     "one number says so; the old ones are not written to",
        .metadata = true,
        .end = PATH_END_SAME,
        .prepare = prepare_migrate,
        .act = settings_migrate,
        .start = settings_mount,
        .check = settings_migrate_check,
    },
    [TORT_KEPT] = {
        .name = "update-kept",
        .invariant = "a checkpoint speaks of bytes that were read back, and "
                     "is believed when their digest is the same",
        .end = PATH_END_NEW,
        .prepare = prepare_kept,
        .act = act_kept,
        .start = settings_mount,
        .update = act_kept,
    },
    [TORT_PARTITION] = {
        .name = "partition",
        .invariant = "what is copied stays in the slot, and a note of it in "
                     "nvs, until the copy is complete",
        .end = PATH_END_SAME,
        .prepare = parts_staged_prepare,
        .act = parts_staged_write,
        .start = parts_staged_start,
        .check = parts_staged_check,
    },
    [TORT_WITH_DATA] = {
        .name = "update-data",
        .invariant = "a slot's image has no magic byte while its data is "
                     "written, and the records name the slot after both",
        .end = PATH_END_NEW,
        .prepare = parts_pair_prepare,
        .act = parts_pair_write,
        .check = parts_pair_check,
        .update = parts_pair_write,
    },
    [TORT_OTA_WRITE] = {
        .name = "ota-write",
        .invariant = "the bootloader verifies what it starts, and the "
                     "records name the slot after esp_ota_end() did",
        .end = PATH_END_NEW,
        .prepare = prepare_nothing,
        .act = appl_update,
        .update = appl_update,
    },
    [TORT_OTA_COPY] = {
        .name = "ota-copy",
        .invariant = "esp_ota_end() notes the copy before it touches the "
                     "partition, and what was staged stays until it is done",
        .end = PATH_END_SAME,
        .prepare = parts_staged_prepare,
        .act = parts_staged_appl,
        .start = parts_staged_appl_start,
        .check = parts_staged_appl_check,
    },
    [TORT_KEYS] = {
        .name = "keys",
        .invariant = "a set counts when its commit is programmed, which is "
                     "last, into the sector that does not hold the old one",
        .metadata = true,
        .end = PATH_END_SAME,
        .prepare = keys_prepare,
        .act = keys_install,
        .check = keys_check,
    },
    [TORT_FUSES] = {
        .name = "anti-rollback",
        .invariant = "the fuses rise after the record says VALID, and one of "
                     "their two copies is whole whatever is cut",
        .metadata = true,
        .needs_rollback = true,
        .end = PATH_END_NEW,
        .prepare = fuses_prepare,
        .act = fuses_confirm,
        .check = fuses_check,
    },
};

const char *tort_path_name(enum tort_path_id path)
{
    return paths[path].name;
}

bool tort_path_find(const char *name, size_t len, enum tort_path_id *out)
{
    for (unsigned i = 0; i < TORT_PATH_CNT; i++) {
        if (strlen(paths[i].name) != len ||
            strncmp(paths[i].name, name, len) != 0)
            continue;
        *out = (enum tort_path_id)i;
        return true;
    }
    return false;
}

const char *tort_path_invariant(enum tort_path_id path)
{
    return paths[path].invariant;
}
