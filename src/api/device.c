#include "api/device.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "boot/deny.h"
#include "image/key_store.h"
#include "image/text.h"

#include "esp_ota_ops.h"

/* The one global of this library: ESP-IDF's functions name no device. */
static struct api_device device;

bool api_device_started(void)
{
    return device.started;
}

struct api_device *api_device(void)
{
    assert(device.started);
    return &device;
}

void api_lock(void)
{
    const struct port_lock *lock = api_device()->boot.lock;

    lock->lock(lock->ctx);
}

void api_unlock(void)
{
    const struct port_lock *lock = api_device()->boot.lock;

    lock->unlock(lock->ctx);
}

void *api_alloc(size_t len)
{
    const struct port_heap *heap = api_device()->boot.heap;

    return heap->alloc(heap->ctx, len);
}

void api_free(void *ptr)
{
    const struct port_heap *heap = api_device()->boot.heap;

    heap->free(heap->ctx, ptr);
}

const struct http_env *api_http_env(void)
{
    return &api_device()->http;
}

uint32_t api_bootloader_off(void)
{
    return img_chip_bootloader_off(api_device()->boot.chip_id);
}

/* --- flash: the port wants its callers serialised ------------------------- */

static esp_err_t flash_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    const struct port_flash *flash = ctx;
    esp_err_t err;

    api_lock();
    err = flash->read(flash->ctx, off, dst, len);
    api_unlock();
    return err;
}

static esp_err_t flash_prog(void *ctx, uint32_t off, const void *src,
                            size_t len)
{
    const struct port_flash *flash = ctx;
    esp_err_t err;

    api_lock();
    err = flash->prog(flash->ctx, off, src, len);
    api_unlock();
    return err;
}

static esp_err_t flash_erase(void *ctx, uint32_t off)
{
    const struct port_flash *flash = ctx;
    esp_err_t err;

    api_lock();
    err = flash->erase(flash->ctx, off);
    api_unlock();
    return err;
}

/* A device's ports live in const structs; the wrapper hands the real one to
 * its functions as their context. */
static void wrap_flash(const struct port_flash *flash)
{
    device.flash = *flash;
    memcpy(&device.flash.ctx, &flash, sizeof(flash));
    device.flash.read = flash_read;
    device.flash.prog = flash_prog;
    device.flash.erase = flash_erase;
}

/* --- start and stop ------------------------------------------------------- */

static void find_running(void)
{
    const struct part_table *table = &device.parts.table;
    uint32_t cnt = part_ota_cnt(table);

    device.upd.running_off = device.boot.running_off;
    for (uint32_t i = 0; i < cnt; i++) {
        if (part_ota(table, i)->off == device.boot.running_off) {
            device.upd.running_is_slot = true;
            device.upd.running_slot = i;
        }
    }
}

static void find_keys(void)
{
    const struct part_table *table =
        device.boot.keys_final ? NULL : &device.parts.table;
    struct img_keys own;
    uint32_t used;

    (void)!img_keys_parse(device.boot.keys, &own, &used);
    key_store_effective(&device.flash, table, &own, &device.keys);
}

static void find_fuses(void)
{
    const struct fuse_field *field = fuse_field_find(device.boot.fuse_chip);
    const struct port_flash *own = device.boot.fuse_flash;
    struct fuse_place place = { .flash = own ? own : &device.flash,
                                .len = own ? own->size_len : 0,
                                .bit_cnt =
                                    pol_sec_ver_bits(device.boot.policy) };

    /* A project may ask for more than its board's chip has. */
    if (field && place.bit_cnt > field->bit_cnt)
        place.bit_cnt = 0;
    if (!device.boot.fuse) {
        /* What cannot be used has no bits: whoever needs it sees that. */
        if (own)
            (void)!fuse_emul_open(&device.fuse_emul, &place, field);
        else
            (void)!boot_fuse_open(&device.fuse_emul, &device.parts.table,
                                  &place, field);
        device.boot.fuse = &device.fuse_emul.port;
    }
    device.upd.fuse = device.boot.fuse;
}

/* Reference 4.5: a program that is too old does not get far. One in no
 * partition has no version; one that cannot be looked up has one. */
static esp_err_t check_running(void)
{
    const esp_partition_t *running;

    if (!pol_anti_rollback(device.boot.policy) ||
        device.boot.running_off == UINT32_MAX)
        return ESP_OK;
    if (device.table_err)
        return device.table_err;
    running = esp_ota_get_running_partition();
    if (!running)
        return device.upd.running_is_slot ? ESP_ERR_NO_MEM : ESP_OK;
    return api_version_check(running);
}

/* Now, while the slot still holds what failed. */
static void learn_denied(void)
{
    esp_err_t err = ESP_OK;

    if (pol_deny(device.boot.policy) && device.table_err == ESP_OK)
        err = deny_learn(&device.parts);
    if (err && err != ESP_ERR_NOT_FOUND)
        LOGW("device", "the image that failed cannot be denied: %s",
             err_name(err));
}

static void fill(const struct api_boot *boot)
{
    uint32_t table_off = boot->table_off ? boot->table_off : PART_TABLE_OFF;

    memset(&device, 0, sizeof(device));
    device.boot = *boot;
    device.boot.table_off = table_off;
    device.started = true;
    wrap_flash(boot->flash);
    device.table_err = part_dev_open(&device.parts, &device.flash, table_off);
    device.http.net = boot->net;
    device.http.sys = boot->sys;
    device.http.heap = boot->heap;
    device.http.policy = boot->policy;
    device.http.rng = boot->rng;
    device.upd.parts = &device.parts;
    device.upd.policy = boot->policy;
    if (CFG_REQUIRE_SIGNED)
        device.upd.keys = &device.keys;
    device.upd.chip_id = boot->chip_id;
    device.upd.chip_rev = boot->chip_rev;
    device.upd.check_rev = boot->check_rev;
    device.upd.live = true;
    device.start_ms = boot->sys->mono_ms(boot->sys->ctx);
    device.image_boot_off = img_chip_bootloader_off(boot->chip_id);
    find_running();
    if (CFG_REQUIRE_SIGNED)
        find_keys();
    if (CFG_ANTI_ROLLBACK)
        find_fuses();
    learn_denied();
}

esp_err_t api_device_start(const struct api_boot *boot)
{
    struct tls_env tls = { boot->heap, boot->rng, boot->clock };
    esp_err_t err;

    if (device.started)
        return ESP_ERR_INVALID_STATE;
    if (!pol_built(boot->policy)) {
        LOGE("device", "the library is built without signatures, digests or "
                       "anti-rollback, which the options ask for");
        return ESP_ERR_NOT_SUPPORTED;
    }
    err = tls_init(&tls);
    if (err)
        return err;
    fill(boot);
    err = check_running();
    if (err)
        api_device_stop();
    return err;
}

void api_device_stop(void)
{
    if (!device.started)
        return;
    for (int i = 0; i < API_STOP_CNT; i++) {
        if (device.at_stop[i])
            device.at_stop[i]();
    }
    api_ota_close_all();
    api_partitions_unload();
    api_trust_free();
    tls_deinit();
    memset(&device, 0, sizeof(device));
}
