/* Writing: handles, bytes in order, the verdict at the end.
 *
 * Unlike the engine this path puts bytes into flash as they come, the magic
 * byte first, because applications read back what they wrote. So an image that
 * esp_ota_end() refuses loses its magic byte again: the bootloader's fallback
 * tries every slot. */
#include "api/ota.h"

#include <string.h>

#include "base/log.h"
#include "image/text.h"
#include "part/rules.h"
#include "slot/slot.h"

#include "esp_flash_partitions.h"
#include "esp_image_format.h"
#include "porta/ota_control.h"

struct api_ota {
    struct api_ota *next;
    esp_ota_handle_t handle;
    const esp_partition_t *staging;
    const esp_partition_t *final;
    bool copy;
    bool need_erase; /* sector by sector, ahead of each write */
    bool resumed;
    uint32_t wrote;
};

/* --- handles -------------------------------------------------------------- */

static struct api_ota **link_of(esp_ota_handle_t handle)
{
    struct api_ota **link = &api_device()->ota_list;

    while (*link && (*link)->handle != handle)
        link = &(*link)->next;
    return link;
}

static struct api_ota *find(esp_ota_handle_t handle)
{
    struct api_ota *ota;

    api_lock();
    ota = *link_of(handle);
    api_unlock();
    return ota;
}

static bool is_open_on(const esp_partition_t *p)
{
    const struct api_ota *ota = api_device()->ota_list;

    while (ota && ota->staging != p && ota->final != p)
        ota = ota->next;
    return ota != NULL;
}

/* Reference: a bootloader is verified for the place it will be started at,
 * which during an update is where it is staged. */
static void set_image_place(const struct api_ota *ota)
{
    if (CFG_STAGING && ota->final->type == ESP_PARTITION_TYPE_BOOTLOADER)
        esp_image_bootloader_offset_set(ota->staging->address);
}

static void release(struct api_ota *ota)
{
    if (CFG_STAGING && ota->final->type == ESP_PARTITION_TYPE_BOOTLOADER)
        esp_image_bootloader_offset_set(api_bootloader_off());
    api_lock();
    *link_of(ota->handle) = ota->next;
    api_unlock();
    api_free(ota);
}

void api_ota_close_all(void)
{
    while (api_device()->ota_list)
        release(api_device()->ota_list);
}

/* --- begin ---------------------------------------------------------------- */

static bool is_unconfirmed(void)
{
    const struct policy *policy = api_device()->boot.policy;
    const esp_partition_t *running = esp_ota_get_running_partition();
    esp_ota_img_states_t state;

    return pol_rollback(policy) && running &&
           esp_ota_get_state_partition(running, &state) == ESP_OK &&
           state == ESP_OTA_IMG_PENDING_VERIFY;
}

/* The table may be wrong: nothing but the partition itself is to be erased;
 * and a device whose only bootloader is half-written does not start. */
static esp_err_t check_place(const esp_partition_t *p)
{
    const struct api_device *dev = api_device();
    struct part_entry entry = api_entry(p);
    struct diag why = DIAG_NONE;
    struct upd_risk risk;
    esp_err_t err = part_check_place(&dev->parts, &entry, &why);

    upd_risk_of(&entry, dev->flash.erase_len, &risk);
    if (!err)
        err =
            upd_risk_judge(&entry, &risk, dev->ota_options.accept_unsafe, &why);

    if (err)
        LOGE(OTA_TAG, "%s", why.text);
    return err;
}

/* Reference 3.5, checks 3: only applications are asked. */
static esp_err_t check_app(const esp_partition_t *p)
{
    if (p->type != ESP_PARTITION_TYPE_APP)
        return CFG_STAGING ? ESP_OK : ESP_ERR_NOT_SUPPORTED;
    if (!api_is_ota_app(p))
        return ESP_ERR_INVALID_ARG;
    if (p == esp_ota_get_running_partition())
        return ESP_ERR_OTA_PARTITION_CONFLICT;
    return is_unconfirmed() ? ESP_ERR_OTA_ROLLBACK_INVALID_STATE : ESP_OK;
}

/* Under the lock. */
static esp_err_t add_handle(const esp_partition_t *p, struct api_ota **out)
{
    struct api_device *dev = api_device();
    struct api_ota *ota;

    if (is_open_on(p))
        return ESP_ERR_OTA_ALREADY_IN_PROGRESS;
    ota = api_alloc(sizeof(*ota));
    if (!ota)
        return ESP_ERR_NO_MEM;
    ota->staging = p;
    ota->final = p;
    ota->handle = ++dev->ota_last;
    ota->next = dev->ota_list;
    dev->ota_list = ota;
    *out = ota;
    return ESP_OK;
}

static esp_err_t open_handle(const esp_partition_t *p, struct api_ota **out)
{
    esp_err_t err;

    api_lock();
    err = add_handle(p, out);
    api_unlock();
    if (!err)
        set_image_place(*out);
    return err;
}

esp_err_t api_ota_claim(const esp_partition_t *staging,
                        const esp_partition_t *final, uint32_t *claim)
{
    struct api_ota *ota;
    esp_err_t err = ESP_ERR_OTA_ALREADY_IN_PROGRESS;

    api_lock();
    if (!is_open_on(final))
        err = add_handle(staging, &ota);
    if (!err) {
        ota->final = final;
        *claim = ota->handle;
    }
    api_unlock();
    return err;
}

static esp_err_t erase_for(const struct api_ota *ota, size_t image_size)
{
    uint32_t sector = api_device()->flash.erase_len;
    size_t len = image_size;

    if (ota->need_erase)
        return ESP_OK;
    if (len == 0 || len == OTA_SIZE_UNKNOWN)
        len = ota->staging->size;
    else if (len > ota->staging->size) /* also what would wrap around */
        return ESP_ERR_INVALID_SIZE;
    else
        len += (sector - len % sector) % sector;
    return esp_partition_erase_range(ota->staging, 0, len);
}

/* The other record would name a slot whose image is about to go. Never the
 * running slot's own record, whichever of the two counts. */
static void forget_other_record(void)
{
    const struct upd_device *upd = &api_device()->upd;
    struct api_records r;
    struct ota_rec blank;

    memset(&blank, 0xFF, sizeof(blank));
    api_lock();
    if (!api_records_read(&r) && r.active != OTA_REC_NONE && r.slot_cnt > 0) {
        const struct ota_rec *other = &r.o.rec[1 - r.active];
        bool is_own = upd->running_is_slot && ota_rec_valid(other) &&
                      ota_seq_slot(other->seq, r.slot_cnt) == upd->running_slot;
        if (!is_own && !ota_rec_blank(other) &&
            otadata_change(&r.at, &r.o, 1 - r.active, &blank))
            LOGW(OTA_TAG, "the record of the slot that is overwritten stays");
    }
    api_unlock();
}

/* What is staged may be about to go: not before it is where it belongs, or
 * that cannot be done any more. */
static esp_err_t finish_older_copy(void)
{
    esp_err_t err = ESP_OK;

    if (CFG_STAGING && CFG_STORE && api_device()->keep)
        err = porta_ota_finish_copy();
    return err == ESP_ERR_NOT_FOUND || err == ESP_ERR_OTA_VALIDATE_FAILED
               ? ESP_OK
               : err;
}

esp_err_t esp_ota_begin(const esp_partition_t *partition, size_t image_size,
                        esp_ota_handle_t *out_handle)
{
    struct api_ota *ota;
    esp_err_t err;

    if (!partition || !out_handle)
        return ESP_ERR_INVALID_ARG;
    partition = esp_partition_verify(partition);
    if (!partition)
        return ESP_ERR_NOT_FOUND;
    err = check_app(partition);
    if (!err)
        err = check_place(partition);
    if (!err)
        err = open_handle(partition, &ota);
    if (err)
        return err;
    ota->need_erase = image_size == OTA_WITH_SEQUENTIAL_WRITES;
    err = finish_older_copy();
    if (!err)
        err = erase_for(ota, image_size);
    if (err) {
        release(ota);
        return err;
    }
    *out_handle = ota->handle;
    if (pol_rollback(api_device()->boot.policy) && api_is_ota_app(partition))
        forget_other_record();
    return ESP_OK;
}

esp_err_t esp_ota_resume(const esp_partition_t *partition,
                         const size_t erase_size, const size_t image_offset,
                         esp_ota_handle_t *out_handle)
{
    struct api_ota *ota;
    esp_err_t err;

    if (!partition || !out_handle || image_offset > partition->size)
        return ESP_ERR_INVALID_ARG;
    partition = esp_partition_verify(partition);
    if (!partition)
        return ESP_ERR_NOT_FOUND;
    if (partition->type == ESP_PARTITION_TYPE_APP && !api_is_ota_app(partition))
        return ESP_ERR_INVALID_ARG;
    if (partition == esp_ota_get_running_partition())
        return ESP_ERR_OTA_PARTITION_CONFLICT;
    err = check_app(partition);
    if (!err)
        err = check_place(partition);
    if (!err)
        err = open_handle(partition, &ota);
    if (err)
        return err;
    err = finish_older_copy();
    if (err) {
        release(ota);
        return err;
    }
    ota->need_erase = erase_size == OTA_WITH_SEQUENTIAL_WRITES;
    ota->wrote = (uint32_t)image_offset;
    ota->resumed = true;
    *out_handle = ota->handle;
    return ESP_OK;
}

esp_err_t esp_ota_set_final_partition(esp_ota_handle_t handle,
                                      const esp_partition_t *final_partition,
                                      bool finalize_with_copy)
{
    struct api_ota *ota;

    if (!final_partition)
        return ESP_ERR_INVALID_ARG;
    ota = find(handle);
    if (!ota)
        return ESP_ERR_NOT_FOUND;
    if (ota->wrote > 0 && !ota->resumed)
        return ESP_ERR_INVALID_STATE;
    if (final_partition == ota->staging)
        return ESP_OK;
    final_partition = esp_partition_verify(final_partition);
    if (!final_partition)
        return ESP_ERR_NOT_FOUND;
    if (finalize_with_copy &&
        final_partition == esp_ota_get_running_partition())
        return ESP_ERR_OTA_PARTITION_CONFLICT;
    if (finalize_with_copy && check_place(final_partition))
        return ESP_ERR_NOT_ALLOWED;
    ota->final = final_partition;
    ota->copy = finalize_with_copy;
    set_image_place(ota);
    return ESP_OK;
}

/* --- write ---------------------------------------------------------------- */

/* Sectors that start inside the range. */
static esp_err_t erase_ahead(const struct api_ota *ota, size_t size)
{
    uint32_t sector = api_device()->flash.erase_len;
    uint32_t first = ota->wrote / sector;
    size_t last = (ota->wrote + size - 1) / sector;

    if (!ota->need_erase)
        return ESP_OK;
    if (ota->wrote % sector)
        first++;
    if (first > last)
        return ESP_OK;
    return esp_partition_erase_range(ota->staging, (size_t)first * sector,
                                     (last - first + 1) * sector);
}

static esp_err_t check_first_bytes(const struct api_ota *ota, const uint8_t *p,
                                   size_t size)
{
    bool good = true;

    if (ota->wrote > 0)
        return ESP_OK;
    if (ota->final->type == ESP_PARTITION_TYPE_APP ||
        ota->final->type == ESP_PARTITION_TYPE_BOOTLOADER)
        good = p[0] == IMG_MAGIC;
    else if (ota->final->type == ESP_PARTITION_TYPE_PARTITION_TABLE)
        good = size < 2 || (p[0] == 0xAA && p[1] == 0x50);
    if (good)
        return ESP_OK;
    LOGE(OTA_TAG, "this is no image for %s: it begins with 0x%02x",
         ota->final->label, p[0]);
    return ESP_ERR_OTA_VALIDATE_FAILED;
}

/* An image is verified in esp_ota_end(); of data this is all there is. */
static esp_err_t write_compared(const struct api_ota *ota, uint32_t off,
                                const void *data, size_t size)
{
    struct part_entry entry = api_entry(ota->staging);
    esp_err_t err = esp_partition_write(ota->staging, off, data, size);

    if (err || ota->final->type == ESP_PARTITION_TYPE_APP ||
        ota->final->type == ESP_PARTITION_TYPE_BOOTLOADER)
        return err;
    err = part_compare(&api_device()->parts, &entry, off, span_of(data, size));
    if (err == ESP_ERR_FLASH_OP_FAIL)
        LOGE(OTA_TAG, "%s does not hold what was written to it",
             ota->staging->label);
    return err;
}

esp_err_t esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size)
{
    struct api_ota *ota;
    esp_err_t err;

    if (!data)
        return ESP_ERR_INVALID_ARG;
    if (size == 0)
        return ESP_OK;
    ota = find(handle);
    if (!ota)
        return ESP_ERR_INVALID_ARG;
    err = erase_ahead(ota, size);
    if (!err)
        err = check_first_bytes(ota, data, size);
    if (!err)
        err = write_compared(ota, ota->wrote, data, size);
    if (!err)
        ota->wrote += (uint32_t)size;
    return err;
}

esp_err_t esp_ota_write_with_offset(esp_ota_handle_t handle, const void *data,
                                    size_t size, uint32_t offset)
{
    struct api_ota *ota;
    esp_err_t err;

    if (!data)
        return ESP_ERR_INVALID_ARG;
    ota = find(handle);
    if (!ota)
        return ESP_ERR_INVALID_ARG;
    if (ota->need_erase)
        return ESP_ERR_INVALID_STATE;
    err = write_compared(ota, offset, data, size);
    if (!err)
        ota->wrote += (uint32_t)size;
    return err;
}

/* --- end ------------------------------------------------------------------ */

static esp_err_t verify_image(const struct api_ota *ota)
{
    struct api_device *dev = api_device();
    esp_partition_t place = { .address = ota->staging->address,
                              .size = ota->staging->size,
                              .type = ota->final->type };
    struct part_entry entry = api_entry(ota->staging);
    struct img_check check;
    struct img_receipt receipt = IMG_RECEIPT_NONE;
    char text[200];
    esp_err_t err = api_image_check(&place, &check, &receipt);

    if (!err) {
        dev->receipt = receipt;
        return ESP_OK;
    }
    if (err == ESP_ERR_NO_MEM)
        return err;
    LOGE(OTA_TAG, "%s: %s", ota->staging->label,
         img_fault_text(&check.fault, text, sizeof(text)));
    api_lock();
    err = slot_spoil(&dev->parts, &entry);
    api_unlock();
    if (err)
        LOGE(OTA_TAG, "%s cannot be made unbootable (%s)", entry.label,
             err_name(err));
    return ESP_ERR_OTA_VALIDATE_FAILED;
}

static esp_err_t verify_table(const struct api_ota *ota)
{
    const void *bytes;
    esp_partition_mmap_handle_t map;
    int cnt;
    esp_err_t err =
        esp_partition_mmap(ota->staging, 0, ESP_PARTITION_TABLE_MAX_LEN,
                           ESP_PARTITION_MMAP_DATA, &bytes, &map);

    if (err)
        return err;
    err = esp_partition_table_verify(bytes, true, &cnt);
    esp_partition_munmap(map);
    return err ? ESP_ERR_OTA_VALIDATE_FAILED : ESP_OK;
}

static esp_err_t verify(const struct api_ota *ota)
{
    if (!CFG_STAGING)
        return verify_image(ota);
    switch (ota->final->type) {
    case ESP_PARTITION_TYPE_APP:
    case ESP_PARTITION_TYPE_BOOTLOADER:
        return verify_image(ota);
    case ESP_PARTITION_TYPE_PARTITION_TABLE:
        return verify_table(ota);
    default:
        return ESP_OK;
    }
}

static esp_err_t copy_plain(void *ctx)
{
    const struct api_ota *ota = ctx;

    return esp_partition_copy(ota->final, 0, ota->staging, 0, ota->final->size);
}

/* What boots by the boot records needs no note: they do not name it yet. */
static esp_err_t copy_to_final(struct api_ota *ota)
{
    struct api_device *dev = api_device();
    struct upd_env env = { dev->http, &dev->upd, dev->boot.work };
    struct part_entry from = api_entry(ota->staging);
    struct part_entry to = api_entry(ota->final);
    const struct upd_copy_job job = { &from, &to, copy_plain, ota };
    esp_err_t err;

    if (!dev->keep || api_is_ota_app(ota->final) || to.len > from.len)
        return copy_plain(ota);
    api_lock();
    err = upd_copy_noted(&env, dev->keep, &job);
    api_unlock();
    return err;
}

esp_err_t esp_ota_end(esp_ota_handle_t handle)
{
    struct api_ota *ota = find(handle);
    esp_err_t err;

    if (!ota)
        return ESP_ERR_NOT_FOUND;
    err = ota->wrote == 0 ? ESP_ERR_INVALID_ARG : verify(ota);
    if (CFG_STAGING && !err && ota->copy)
        err = copy_to_final(ota);
    release(ota);
    return err;
}

esp_err_t esp_ota_abort(esp_ota_handle_t handle)
{
    struct api_ota *ota = find(handle);

    if (!ota)
        return ESP_ERR_NOT_FOUND;
    release(ota);
    return ESP_OK;
}
