/* The engine of src/update with the reference's names, states and events.
 *
 * Differences that are meant: partitions are chosen and refused before the
 * connection is made, not after it; ranges need no HEAD request first; a
 * server that stays silent for a minute ends the download. */
#include "api/https_ota.h"

#include "base/log.h"

#include "esp_ota_ops.h"
#include "porta/ota_decrypt.h"

#define TAG "esp_https_ota"
#define POST_WAIT_MS 2000u
#define DEFAULT_TICK_MS 10u
#define MIN_RESUME_LEN 1024u
#define DEFAULT_RANGE 65536u
#define SILENCE_MS 60000u

ESP_EVENT_DEFINE_BASE(ESP_HTTPS_OTA_EVENT);

/* --- events --------------------------------------------------------------- */

void api_post(esp_event_base_t base, int32_t id, const void *data, size_t len)
{
    const struct api_device *dev = api_device();
    uint32_t tick_ms = dev->boot.tick_ms ? dev->boot.tick_ms : DEFAULT_TICK_MS;
    esp_err_t err;

    if (!CFG_EVENTS || !dev->event_loop)
        return;
    err = esp_event_post(base, id, data, len, POST_WAIT_MS / tick_ms);
    if (err)
        LOGW(TAG, "event %d was not posted: %s", (int)id, err_name(err));
}

void api_https_ota_post(esp_https_ota_event_t event, const void *data,
                        size_t len)
{
    api_post(ESP_HTTPS_OTA_EVENT, (int32_t)event, data, len);
}

/* The payloads have the types that the header names. */
static void post_value(enum upd_event ev, uint32_t value)
{
    esp_chip_id_t chip = (esp_chip_id_t)value;
    uint16_t rev = (uint16_t)value;
    int written = (int)value;
    esp_partition_subtype_t subtype = (esp_partition_subtype_t)value;

    if (ev == UPD_EV_CHIP)
        api_https_ota_post(ESP_HTTPS_OTA_VERIFY_CHIP_ID, &chip, sizeof(chip));
    else if (ev == UPD_EV_REV)
        api_https_ota_post(ESP_HTTPS_OTA_VERIFY_CHIP_REVISION, &rev,
                           sizeof(rev));
    else if (ev == UPD_EV_WRITE)
        api_https_ota_post(ESP_HTTPS_OTA_WRITE_FLASH, &written,
                           sizeof(written));
    else if (ev == UPD_EV_ACTIVATE)
        api_https_ota_post(ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION, &subtype,
                           sizeof(subtype));
}

/* START, FINISH and ABORT are said by the functions below, who say them for
 * calls that never reach the engine, too. */
static void on_event(void *ctx, enum upd_event ev, uint32_t value)
{
    const struct api_https_ota *ota = ctx;

    if (!CFG_EVENTS || ota->mute)
        return;
    if (ev == UPD_EV_CONNECTED)
        api_https_ota_post(ESP_HTTPS_OTA_CONNECTED, NULL, 0);
    else
        post_value(ev, value);
}

/* --- begin ---------------------------------------------------------------- */

static esp_err_t refuse_unverified(void)
{
    LOGE(TAG, "there is nothing to verify the server by: set cert_pem, "
              "crt_bundle_attach or use_global_ca_store");
    return ESP_ERR_INVALID_ARG;
}

static bool names_trust(const esp_http_client_config_t *http)
{
    return http->cert_pem || http->use_global_ca_store ||
           http->crt_bundle_attach;
}

static esp_err_t check_verification(const esp_https_ota_config_t *config)
{
    const struct policy *policy = api_device()->boot.policy;

    if (names_trust(config->http_config))
        return ESP_OK;
    if (pol_allow_http(policy)) {
        LOGW(TAG, "the server will not be verified: anybody on the way can "
                  "send another image");
        return ESP_OK;
    }
    /* It may bring a key that both sides know: looked at when it has run. */
    if (config->http_client_init_cb)
        return ESP_OK;
    return refuse_unverified();
}

static esp_err_t check_decrypt(const esp_https_ota_config_t *config)
{
    enum pol_decrypt allowed = pol_decrypt_cb(api_device()->boot.policy);

    if (config->decrypt_cb && allowed == POL_DECRYPT_NEVER) {
        LOGE(TAG, "decrypt_cb is set, but ESP_HTTPS_OTA_DECRYPT_CB is off");
        return ESP_ERR_INVALID_ARG;
    }
    if (!config->decrypt_cb && allowed == POL_DECRYPT_MUST) {
        LOGE(TAG, "ESP_HTTPS_OTA_DECRYPT_CB is on and there is no decrypt_cb: "
                  "an image in the clear is not taken");
        return ESP_ERR_INVALID_ARG;
    }
    if (CFG_DECRYPT_CB && config->decrypt_cb &&
        config->decrypt_cb != porta_ota_decrypt && config->ota_resumption)
        return ESP_ERR_NOT_SUPPORTED;
    return ESP_OK;
}

static esp_err_t choose(struct api_https_ota *ota,
                        const esp_https_ota_config_t *config)
{
    const esp_partition_t *staging = config->partition.staging;
    const esp_partition_t *final = config->partition.final;

    staging = staging ? esp_partition_verify(staging)
                      : esp_ota_get_next_update_partition(NULL);
    final = final ? esp_partition_verify(final) : staging;
    if (!staging || !final) {
        LOGE(TAG, "there is no partition to put the update in");
        return ESP_FAIL;
    }
    ota->staging = staging;
    ota->final = final;
    return api_ota_claim(staging, final, &ota->claim);
}

static esp_err_t open_client(struct api_https_ota *ota,
                             const esp_https_ota_config_t *config)
{
    ota->client = esp_http_client_init(config->http_config);
    if (!ota->client)
        return ESP_FAIL;
    http_set_limit(api_http_client(ota->client), &ota->limit);
    if (!config->http_client_init_cb)
        return ESP_OK;
    esp_err_t err = config->http_client_init_cb(ota->client);
    if (err || names_trust(config->http_config) ||
        pol_allow_http(api_device()->boot.policy) ||
        http_opts_of(api_http_client(ota->client))->tls.psk.len > 0)
        return err;
    return refuse_unverified();
}

/* Bytes that an application counted may still have waited in the sector
 * buffer when it stopped: whole sectors are sure to be in flash. */
static uint32_t resume_off(const esp_https_ota_config_t *config)
{
    size_t len = config->ota_image_bytes_written;
    uint32_t sector = api_device()->flash.erase_len;

    if (!config->ota_resumption || len < MIN_RESUME_LEN || len > UINT32_MAX)
        return 0;
    return (uint32_t)len - (uint32_t)len % sector;
}

static uint32_t range_len(const esp_https_ota_config_t *config)
{
    if (!config->partial_http_download)
        return 0;
    return config->max_http_request_size > 0
               ? (uint32_t)config->max_http_request_size
               : DEFAULT_RANGE;
}

/* One receive timeout is no end yet: how much silence is. */
static uint32_t stall_ms(const esp_http_client_config_t *http)
{
    uint32_t wanted_ms = api_device()->ota_options.stall_ms;
    uint32_t ms = http->timeout_ms > 0 ? (uint32_t)http->timeout_ms : 0;

    if (wanted_ms > 0)
        return wanted_ms;
    return ms < SILENCE_MS / 2 ? SILENCE_MS : 2 * ms;
}

/* The reference's code for what the engine says of a request. */
static esp_err_t request_error(esp_err_t err)
{
    if (err > ESP_ERR_ESP_TLS_BASE && err < ESP_ERR_ESP_TLS_BASE + 0x100)
        return ESP_ERR_HTTP_CONNECT;
    if (err == ESP_ERR_HTTP_FETCH_HEADER ||
        err == ESP_ERR_HTTP_CONNECTION_CLOSED)
        return ESP_FAIL;
    return err;
}

/* Once: what fails in perform() fails in finish() again, for one reason. */
static void log_failure(struct api_https_ota *ota, esp_err_t err)
{
    if (ota->told || !err)
        return;
    ota->told = true;
    if (err == ESP_ERR_HTTP_NOT_MODIFIED)
        LOGI(TAG, "%s", ota->diag.text);
    else if (ota->diag.err)
        LOGE(TAG, "%s", ota->diag.text);
}

static void set_preflight(struct upd_opts *opts, const porta_ota_options_t *o)
{
    opts->pre = (struct pre_policy){ .same_project = o->same_project,
                                     .no_same_version = o->no_same_version,
                                     .no_older = o->no_older,
                                     .same_spi_mode = o->same_spi_mode,
                                     .require_updatable = o->require_updatable,
                                     .least_heap = o->least_heap };
    opts->heap_free = o->heap_free ? o->heap_free() : 0;
}

static esp_err_t open_session(struct api_https_ota *ota,
                              const esp_https_ota_config_t *config)
{
    struct api_device *dev = api_device();
    struct upd_env env = { dev->http, &dev->upd, dev->boot.work };
    struct part_entry staging = api_entry(ota->staging);
    struct part_entry final = api_entry(ota->final);
    struct upd_opts opts = {
        .client = api_http_client(ota->client),
        .staging = &staging,
        .final = &final,
        .finalize_with_copy = config->partition.finalize_with_copy,
        .bulk_erase = config->bulk_flash_erase,
        .range_len = range_len(config),
        .start_off = resume_off(config),
        .probe_range = config->ota_resumption && !ota->partial,
        .stall_ms = stall_ms(config->http_config),
        .max_time_ms = dev->ota_options.max_time_ms,
        .store = CFG_STORE ? dev->keep : NULL,
        .limit = &ota->limit,
        .result = &ota->result,
        .on_event = CFG_EVENTS ? on_event : NULL,
        .event_ctx = ota,
    };
    esp_err_t err = ESP_OK;

    if (CFG_STAGING)
        opts.accept_unsafe = dev->ota_options.accept_unsafe;
    if (CFG_RETRY)
        opts.retry_cnt = dev->ota_options.retry_cnt;
    if (CFG_PREFLIGHT)
        set_preflight(&opts, &dev->ota_options);
    if (CFG_DECRYPT_CB && config->decrypt_cb) {
        err = api_decrypt_stage(ota, config);
        opts.stages = &ota->stage;
        opts.stage_cnt = 1;
    }
    if (err)
        return err;
    ota->asked = true;
    err = upd_begin(&ota->upd, &env, &opts, &ota->diag);
    if (err)
        return err;
    ota->wants_rest = config->ota_resumption && !ota->partial;
    if (config->ota_resumption && upd_result(ota->upd)->resumed_from > 0)
        ota->state = API_OTA_RESUME;
    return ESP_OK;
}

static void release(struct api_https_ota *ota)
{
    api_ota_session_close(ota);
    if (ota->claim)
        (void)esp_ota_abort(ota->claim);
    if (ota->client)
        (void)esp_http_client_cleanup(ota->client);
    if (CFG_DECRYPT_CB)
        api_crypt_drop(ota->crypt);
    api_free(ota);
}

static esp_err_t begin(const esp_https_ota_config_t *config,
                       struct api_https_ota **out)
{
    struct api_https_ota *ota = api_alloc(sizeof(*ota));
    esp_err_t err;

    if (!ota)
        return ESP_ERR_NO_MEM;
    ota->partial = config->partial_http_download;
    api_ota_session_open(ota);
    err = choose(ota, config);
    if (!err)
        err = open_client(ota, config);
    if (!err) {
        err = open_session(ota, config);
        log_failure(ota, err);
        err = request_error(err);
    }
    if (err)
        release(ota);
    else
        *out = ota;
    return err;
}

esp_err_t esp_https_ota_begin(const esp_https_ota_config_t *ota_config,
                              esp_https_ota_handle_t *handle)
{
    struct api_https_ota *ota = NULL;
    esp_err_t err = ESP_OK;

    api_https_ota_post(ESP_HTTPS_OTA_START, NULL, 0);
    if (handle)
        *handle = NULL;
    if (!handle || !ota_config || !ota_config->http_config)
        return ESP_ERR_INVALID_ARG;
    err = check_verification(ota_config);
    if (!err)
        err = check_decrypt(ota_config);
    if (!err)
        err = begin(ota_config, &ota);
    *handle = ota;
    return err;
}

/* --- perform -------------------------------------------------------------- */

/* The reference tells causes in the network apart in the log only. */
static esp_err_t step_error(esp_err_t err)
{
    bool is_network = err == ESP_ERR_TIMEOUT || err == ESP_ERR_INVALID_RESPONSE;

    if (err > ESP_ERR_HTTP_BASE && err < ESP_ERR_HTTP_BASE + 0x100)
        is_network = true;
    if (err > ESP_ERR_ESP_TLS_BASE && err < ESP_ERR_ESP_TLS_BASE + 0x100)
        is_network = true;
    return is_network ? ESP_FAIL : err;
}

esp_err_t esp_https_ota_perform(esp_https_ota_handle_t https_ota_handle)
{
    struct api_https_ota *ota = https_ota_handle;
    esp_err_t err;

    if (!ota)
        return ESP_ERR_INVALID_ARG;
    if (ota->state == API_OTA_SUCCESS)
        return ESP_FAIL;
    ota->state = API_OTA_IN_PROGRESS;
    switch (upd_step(ota->upd, &err)) {
    case UPD_STEP_MORE:
        ota->told = false;
        return ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    case UPD_STEP_DONE:
        ota->state = API_OTA_SUCCESS;
        return ESP_OK;
    case UPD_STEP_FAILED:
        break;
    }
    log_failure(ota, err);
    return step_error(err);
}

bool esp_https_ota_is_complete_data_received(
    esp_https_ota_handle_t https_ota_handle)
{
    const struct api_https_ota *ota = https_ota_handle;

    return ota && upd_complete(ota->upd);
}

/* --- end ------------------------------------------------------------------ */

/* Nothing was performed: nothing is to be verified, and nothing changes. */
static esp_err_t finish_unused(struct api_https_ota *ota)
{
    ota->mute = true;
    upd_abort(ota->upd, NULL);
    return ESP_OK;
}

static esp_err_t finish_session(struct api_https_ota *ota)
{
    esp_err_t err;

    api_lock();
    err = upd_finish(ota->upd, true, NULL);
    api_unlock();
    if (err)
        log_failure(ota, err);
    return step_error(err);
}

esp_err_t esp_https_ota_finish(esp_https_ota_handle_t https_ota_handle)
{
    struct api_https_ota *ota = https_ota_handle;
    esp_err_t err;

    if (!ota)
        return ESP_ERR_INVALID_ARG;
    if (ota->state == API_OTA_BEGIN || ota->state == API_OTA_RESUME)
        err = finish_unused(ota);
    else
        err = finish_session(ota);
    api_https_ota_post(ESP_HTTPS_OTA_FINISH, NULL, 0);
    release(ota);
    return err;
}

esp_err_t esp_https_ota_abort(esp_https_ota_handle_t https_ota_handle)
{
    struct api_https_ota *ota = https_ota_handle;

    api_https_ota_post(ESP_HTTPS_OTA_ABORT, NULL, 0);
    if (!ota)
        return ESP_ERR_INVALID_ARG;
    ota->mute = true;
    upd_abort(ota->upd, NULL);
    release(ota);
    return ESP_OK;
}

esp_err_t esp_https_ota(const esp_https_ota_config_t *ota_config)
{
    esp_https_ota_handle_t handle = NULL;
    esp_err_t err;

    if (!ota_config || !ota_config->http_config)
        return ESP_ERR_INVALID_ARG;
    if (ota_config->ota_resumption)
        return ESP_ERR_NOT_SUPPORTED;
    err = esp_https_ota_begin(ota_config, &handle);
    if (err)
        return err;
    do {
        err = esp_https_ota_perform(handle);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (err) {
        (void)esp_https_ota_abort(handle);
        return err;
    }
    return esp_https_ota_finish(handle);
}

/* --- what is known -------------------------------------------------------- */

static esp_err_t get_desc(struct api_https_ota *ota, esp_partition_type_t type,
                          void *out, size_t len)
{
    const struct img_info *info;
    esp_err_t err;

    api_https_ota_post(ESP_HTTPS_OTA_GET_IMG_DESC, NULL, 0);
    if (ota && ota->decrypt.cb)
        return ESP_ERR_NOT_SUPPORTED;
    if (!ota || !out)
        return ESP_ERR_INVALID_ARG;
    if (ota->final->type != type)
        return ESP_FAIL;
    err = upd_head(ota->upd, &info);
    if (err) {
        log_failure(ota, err);
        return ESP_FAIL;
    }
    if (!info->desc.present && !info->boot_desc.present)
        return ESP_FAIL;
    if (CFG_RETRY)
        upd_hold(ota->upd);
    memcpy(out, upd_head_bytes(ota->upd) + IMG_APP_DESC_OFF, len);
    return ESP_OK;
}

esp_err_t esp_https_ota_get_img_desc(esp_https_ota_handle_t https_ota_handle,
                                     esp_app_desc_t *new_app_info)
{
    return get_desc(https_ota_handle, ESP_PARTITION_TYPE_APP, new_app_info,
                    sizeof(*new_app_info));
}

esp_err_t esp_https_ota_get_bootloader_img_desc(
    esp_https_ota_handle_t https_ota_handle,
    esp_bootloader_desc_t *new_img_info)
{
    return get_desc(https_ota_handle, ESP_PARTITION_TYPE_BOOTLOADER,
                    new_img_info, sizeof(*new_img_info));
}

int esp_https_ota_get_image_len_read(esp_https_ota_handle_t https_ota_handle)
{
    struct api_https_ota *ota = https_ota_handle;
    const struct upd_result *result;

    if (!ota || ota->state == API_OTA_BEGIN)
        return -1;
    result = upd_result(ota->upd);
    return (int)(ota->state == API_OTA_RESUME ? result->resumed_from
                                              : result->written_len);
}

int esp_https_ota_get_status_code(esp_https_ota_handle_t https_ota_handle)
{
    struct api_https_ota *ota = https_ota_handle;

    return ota ? upd_result(ota->upd)->http_status : -1;
}

/* Of a resumed download in one piece: what was left to fetch, as in the
 * reference. */
int esp_https_ota_get_image_size(esp_https_ota_handle_t https_ota_handle)
{
    struct api_https_ota *ota = https_ota_handle;
    const struct upd_result *result;

    if (!ota)
        return -1;
    result = upd_result(ota->upd);
    if (result->image_len < 0)
        return -1;
    return (int)(result->image_len - ota->enc_header_len -
                 (ota->wants_rest ? result->resumed_from : 0));
}
