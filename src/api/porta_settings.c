/* Settings that follow the image; see porta/settings.h and kv/gen.h. */
#include "api/nvs_handle.h"

#include <string.h>

#include "api/ota.h"
#include "base/crc32.h"
#include "base/log.h"
#include "kv/gen.h"

#include "porta/settings.h"

#define TAG "porta_settings"

/* --- which image runs ----------------------------------------------------- */

/* The newest record that names the running slot; NULL: none does. */
static const struct ota_rec *own_record(const struct api_records *r)
{
    const struct upd_device *upd = &api_device()->upd;
    const struct ota_rec *own = NULL;

    for (uint32_t i = 0; i < 2 && upd->running_is_slot && r->slot_cnt; i++) {
        const struct ota_rec *rec = &r->o.rec[i];
        if (rec->seq != OTADATA_SEQ_NONE && ota_rec_crc_ok(rec) &&
            ota_seq_slot(rec->seq, r->slot_cnt) == upd->running_slot &&
            (!own || rec->seq > own->seq))
            own = rec;
    }
    return own;
}

/* The image and its installation: the same sequence number may come again
 * with another image, the same image again with another number. It is the
 * description in the slot that counts: an application's own may lack what was
 * filled in when the image was made. rec NULL: what runs without a record. */
static uint32_t image_id(const struct api_records *r, const struct ota_rec *rec)
{
    uint32_t seq = rec ? rec->seq : 0;
    esp_app_desc_t desc;

    if (!rec || esp_ota_get_partition_description(
                    api_slot_partition(ota_seq_slot(seq, r->slot_cnt)), &desc))
        desc = *esp_app_get_description();
    return crc32_le(crc32_le(0, &seq, sizeof(seq)), &desc, sizeof(desc));
}

/* 0: the record says no such thing. */
static uint32_t confirmed_id(const struct api_records *r,
                             const struct ota_rec *rec)
{
    bool confirmed =
        r->slot_cnt > 0 && ota_rec_valid(rec) && rec->state == OTA_STATE_VALID;

    return confirmed ? image_id(r, rec) : 0;
}

static void describe_image(struct kv_gen_image *out)
{
    struct api_records r;
    const struct ota_rec *own = NULL;

    if (api_records_read(&r) == ESP_OK) {
        own = own_record(&r);
        for (uint32_t i = 0; i < 2; i++)
            out->confirmed[i] = confirmed_id(&r, &r.o.rec[i]);
    }
    out->id = image_id(&r, own);
    out->on_trial = own && own->state == OTA_STATE_PENDING;
}

/* --- begin ---------------------------------------------------------------- */

static esp_err_t run_hook(void *ctx, uint8_t side, uint32_t from, uint32_t to)
{
    const porta_settings_t *s = ctx;
    struct api_settings *mine = &api_device()->settings;
    esp_err_t err;

    LOGI(TAG, "settings go from schema %u to %u", (unsigned)from, (unsigned)to);
    mine->side = side;
    mine->open = true;
    err = s->migrate ? s->migrate(s->ctx, from, to) : ESP_OK;
    mine->open = false;
    return err;
}

/* Under the lock. */
static void on_confirmed(void)
{
    struct api_nvs_mount *mount = api_nvs_mount(NULL);
    esp_err_t err =
        mount ? kv_gen_confirm(mount->kv, api_device()->settings.image)
              : ESP_ERR_NVS_NOT_INITIALIZED;

    /* The next start does it. */
    if (err)
        LOGW(TAG, "the settings are not noted as confirmed: %s", err_name(err));
}

/* Under the lock. */
static esp_err_t begin(const porta_settings_t *settings)
{
    struct api_device *dev = api_device();
    struct api_nvs_mount *mount = api_nvs_mount(NULL);
    porta_settings_t copy = *settings;
    struct kv_gen_job job = { .heap = dev->boot.heap,
                              .names = settings->namespaces,
                              .name_cnt = settings->namespace_cnt,
                              .image.schema = settings->schema,
                              .migrate = run_hook,
                              .ctx = &copy };
    esp_err_t err;

    memset(&dev->settings, 0, sizeof(dev->settings));
    if (!mount)
        return ESP_ERR_NVS_NOT_INITIALIZED;
    describe_image(&job.image);
    err = kv_gen_begin(mount->kv, &job, &dev->settings.side);
    if (err) {
        LOGE(TAG, "the settings stay as they were: %s", err_name(err));
        return err;
    }
    dev->settings.open = true;
    dev->settings.image = job.image.id;
    dev->settings.on_confirmed = on_confirmed;
    return ESP_OK;
}

esp_err_t porta_settings_begin(const porta_settings_t *settings)
{
    esp_err_t err;

    if (!settings || (settings->namespace_cnt && !settings->namespaces))
        return ESP_ERR_INVALID_ARG;
    api_lock();
    err = begin(settings);
    api_unlock();
    return err;
}

esp_err_t porta_settings_open(const char *name, nvs_open_mode_t mode,
                              nvs_handle_t *out)
{
    const struct api_settings *s = &api_device()->settings;
    char full[KV_KEY_LEN];
    esp_err_t err;

    if (!name || !out)
        return ESP_ERR_INVALID_ARG;
    if (!s->open)
        return ESP_ERR_INVALID_STATE;
    err = kv_gen_name(name, s->side, full);
    return err ? err : nvs_open(full, mode, out);
}
