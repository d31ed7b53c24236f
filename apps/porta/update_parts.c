#include "update_parts.h"

#include <string.h>

#include "slot/slot.h"

esp_err_t update_parts_confirmed(struct device *dev, struct device_running *run,
                                 struct diag *d)
{
    static struct boot_result next;

    device_running(dev, &next, run);
    if (run->state != OTA_STATE_NEW && run->state != OTA_STATE_PENDING)
        return ESP_OK;
    return diag_fail(
        d, DIAG_STAGE_FLASH, ESP_ERR_OTA_ROLLBACK_INVALID_STATE,
        run->state == OTA_STATE_NEW
            ? "the last update in %s was not started yet, another one would "
              "destroy what it falls back to; start it with porta reset, then "
              "confirm it with porta confirm"
            : "%s runs and is not confirmed, another update would destroy "
              "what it falls back to; confirm it with porta confirm, or give "
              "it up with porta reset",
        boot_choice_name(run->choice));
}

/* --- which partitions ----------------------------------------------------- */

/* A program's partition of the command line; NULL when none is given. */
static esp_err_t find_program(const struct device *dev, const char *label,
                              const struct part_entry **out, struct diag *d)
{
    *out = NULL;
    if (!label)
        return ESP_OK;
    *out = device_part(dev, label, d);
    if (!*out)
        return d->err;
    if ((*out)->type == PART_TYPE_APP || (*out)->type == PART_TYPE_BOOTLOADER)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_NOT_SUPPORTED,
                     "partition %s holds no program; --slot and --final name "
                     "an OTA slot, such as ota_1; --partition writes others",
                     (*out)->label);
}

static esp_err_t find_other(const struct device *dev,
                            const struct update_opts *o, struct upd_opts *opts,
                            struct diag *d)
{
    const struct part_entry *part = device_part(dev, o->partition, d);

    if (!part)
        return d->err;
    if (part->type == PART_TYPE_APP)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_NOT_SUPPORTED,
                         "partition %s holds an application: name it with "
                         "--slot",
                         part->label);
    if (!o->in_place && !opts->staging && part_ota_cnt(&dev->parts.table) == 0)
        return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_NOT_FOUND,
                         "there is no OTA slot to put it in first; --in-place "
                         "writes %s directly, and a power cut then leaves a "
                         "part of it",
                         part->label);
    opts->final = part;
    opts->finalize_with_copy = !o->in_place;
    if (o->in_place)
        opts->staging = part;
    return ESP_OK;
}

esp_err_t update_parts_choose(const struct device *dev,
                              const struct update_opts *o,
                              struct upd_opts *opts, struct diag *d)
{
    esp_err_t err = find_program(dev, o->slot, &opts->staging, d);

    if (!err && o->partition)
        return find_other(dev, o, opts, d);
    if (!err)
        err = find_program(dev, o->final, &opts->final, d);
    opts->finalize_with_copy = opts->final != NULL;
    return err;
}

/* --- data ----------------------------------------------------------------- */

/* "www=https://..." and ota_1: the partition www_1. */
static const struct part_entry *data_part(const struct update_data *u,
                                          const char *arg,
                                          const struct part_entry *slot,
                                          struct diag *d)
{
    char label[64];
    const struct part_entry *part;

    snprintf(label, sizeof(label), "%.*s_%u", (int)strcspn(arg, "=") % 40, arg,
             (unsigned)(slot->subtype - PART_APP_OTA_0));
    part = device_part(u->dev, label, d);
    if (!part || part->type != PART_TYPE_APP)
        return part;
    (void)diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_NOT_SUPPORTED,
                    "partition %s holds an application, no data", label);
    return NULL;
}

static esp_err_t fetch(struct update_data *u, const char *url,
                       struct http_client *client, struct update_datum *datum,
                       struct diag *d)
{
    struct upd_opts opts = u->opts;
    struct upd_result result;
    enum upd_step step = UPD_STEP_MORE;
    struct upd *upd;
    esp_err_t err;

    opts.url = url;
    opts.client = client;
    opts.staging = opts.final = datum->part;
    opts.unconditional = true; /* nothing is known of these */
    err = upd_begin(&upd, u->env, &opts, d);
    if (err)
        return err;
    while (step == UPD_STEP_MORE)
        step = upd_step(upd, &err);
    if (step == UPD_STEP_FAILED) {
        upd_abort(upd, &result);
        return err ? err : ESP_FAIL;
    }
    err = upd_finish(upd, false, &result);
    datum->len = result.written_len;
    return err;
}

static esp_err_t get_one(struct update_data *u, const char *arg,
                         struct update_datum *datum, struct diag *d)
{
    const char *url = strchr(arg, '=') + 1;
    struct http_client *client = NULL;
    esp_err_t err = u->open(u->ctx, url, &client, d);

    if (!err)
        err = fetch(u, url, client, datum, d);
    http_close(client);
    return err;
}

static esp_err_t find_all(struct update_data *u, const struct part_entry *slot,
                          struct diag *d)
{
    for (int i = 0; i < u->o->data.cnt; i++) {
        u->done[i].part = data_part(u, u->o->data.val[i], slot, d);
        if (!u->done[i].part)
            return d->err;
    }
    return ESP_OK;
}

esp_err_t update_data_get(struct update_data *u, const struct part_entry *slot,
                          struct diag *d)
{
    esp_err_t err = find_all(u, slot, d);

    if (err)
        return err;
    err = slot_spoil(&u->dev->parts, slot);
    if (err)
        return diag_fail(d, DIAG_STAGE_WRITE, err,
                         "the image in %s cannot be made unbootable: %s",
                         slot->label, linux_flash_fault(&u->dev->flash));
    for (int i = 0; i < u->o->data.cnt && !err; i++) {
        err = get_one(u, u->o->data.val[i], &u->done[i], d);
        u->done_cnt += !err;
    }
    return err;
}

cJSON *update_data_json(const struct update_data *u)
{
    cJSON *list = cJSON_CreateArray();

    for (int i = 0; list && i < u->done_cnt; i++) {
        cJSON *row = cJSON_CreateObject();
        bool ok = row && cJSON_AddItemToArray(list, row);

        if (!ok)
            cJSON_Delete(row);
        if (!ok ||
            !cJSON_AddStringToObject(row, "partition",
                                     u->done[i].part->label) ||
            !cJSON_AddNumberToObject(row, "bytes", u->done[i].len)) {
            cJSON_Delete(list);
            list = NULL;
        }
    }
    return list;
}
