#include "rig.h"

#include <stdlib.h>
#include <string.h>

static esp_err_t rig_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    struct rig *r = ctx;

    return r->sim.port.read(r->sim.port.ctx, off, dst, len);
}

static esp_err_t rig_prog(void *ctx, uint32_t off, const void *src, size_t len)
{
    struct rig *r = ctx;

    return r->sim.port.prog(r->sim.port.ctx, off, src, len);
}

static esp_err_t rig_erase(void *ctx, uint32_t off)
{
    struct rig *r = ctx;
    bool was_off = r->sim.power_off;
    esp_err_t err = r->sim.port.erase(r->sim.port.ctx, off);

    if (!was_off && r->sim.power_off)
        r->torn_off = off;
    return err;
}

bool rig_shape(struct rig *r, enum rig_shape shape)
{
    static const uint32_t from[RIG_SHAPE_CNT] = { 64, 32, 0, 0 };
    static const uint32_t to[RIG_SHAPE_CNT] = { 4096, 64, 32, 4096 };
    uint32_t sector = r->torn_off / KV_PAGE_LEN;

    if (r->torn_off == UINT32_MAX)
        return false;
    memset(r->sim.bytes + r->torn_off + from[shape], 0xFF,
           to[shape] - from[shape]);
    if (shape == RIG_NEARLY && !r->sim.unstable[sector]) {
        r->sim.unstable[sector] = calloc(1, KV_PAGE_LEN);
        if (!r->sim.unstable[sector])
            abort();
        for (uint32_t i = 64; i < KV_PAGE_LEN; i += 7)
            r->sim.unstable[sector][i] = 0x10;
    }
    return true;
}

void rig_open(struct rig *r, uint32_t page_cnt)
{
    const struct sim_flash_conf conf = { .size_len = page_cnt * KV_PAGE_LEN,
                                         .prog_len = 4 };

    memset(r, 0, sizeof(*r));
    if (sim_flash_init(&r->sim, &conf) != ESP_OK)
        abort();
    sim_heap_init(&r->heap);
    r->flash = r->sim.port;
    r->flash.ctx = r;
    r->flash.read = rig_read;
    r->flash.prog = rig_prog;
    r->flash.erase = rig_erase;
    r->torn_off = UINT32_MAX;
    r->dev.flash = &r->flash;
    r->part = (struct part_entry){ .type = PART_TYPE_DATA,
                                   .subtype = PART_DATA_NVS,
                                   .len = page_cnt * KV_PAGE_LEN,
                                   .label = "nvs" };
    r->dev.table.entries[0] = r->part;
    r->dev.table.cnt = 1;
}

void rig_close(struct rig *r)
{
    rig_unmount(r);
    if (r->heap.cur_len != 0)
        abort();
    sim_flash_deinit(&r->sim);
}

void rig_unmount(struct rig *r)
{
    kv_unmount(r->kv);
    r->kv = NULL;
}

esp_err_t rig_mount(struct rig *r)
{
    rig_unmount(r);
    return kv_mount(&r->dev, &r->part, &r->heap.port, &r->kv);
}

void rig_save(const struct rig *r, struct rig_image *out)
{
    memcpy(out->bytes, r->sim.bytes, r->sim.port.size_len);
    for (uint32_t i = 0; i < r->sim.port.size_len / KV_PAGE_LEN; i++) {
        out->is_unstable[i] = r->sim.unstable[i] != NULL;
        if (out->is_unstable[i])
            memcpy(out->unstable + i * KV_PAGE_LEN, r->sim.unstable[i],
                   KV_PAGE_LEN);
    }
}

void rig_load(struct rig *r, const struct rig_image *image)
{
    sim_flash_reset(&r->sim, image->bytes);
    r->torn_off = UINT32_MAX;
    for (uint32_t i = 0; i < r->sim.port.size_len / KV_PAGE_LEN; i++) {
        if (!image->is_unstable[i])
            continue;
        r->sim.unstable[i] = malloc(KV_PAGE_LEN);
        if (!r->sim.unstable[i])
            abort();
        memcpy(r->sim.unstable[i], image->unstable + i * KV_PAGE_LEN,
               KV_PAGE_LEN);
    }
}

/* --- values --------------------------------------------------------------- */

/* Slots that would be items of "num" in the first namespace. */
static void trap_bytes(const struct val *v, uint8_t out[VAL_MAX])
{
    struct kv_entry e = kv_entry_of(1, KV_TYPE_U8, "num");
    uint8_t raw[KV_SLOT_LEN];

    kv_entry_set_number(&e, 66);
    kv_entry_pack(&e, raw);
    for (uint32_t i = 0; i < v->len; i++)
        out[i] = raw[i % sizeof(raw)];
}

void val_bytes(const struct val *v, uint8_t out[VAL_MAX])
{
    uint64_t x = v->num * 0x9E3779B97F4A7C15u + 1;

    if (v->type == KV_TYPE_CHUNK && v->num == VAL_TRAP) {
        trap_bytes(v, out);
        return;
    }

    for (uint32_t i = 0; i < v->len; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(x >> 56);
        if (v->type == KV_TYPE_STR)
            out[i] = (uint8_t)('a' + out[i] % 26);
    }
    if (v->type == KV_TYPE_STR)
        out[v->len - 1] = '\0';
}

esp_err_t val_set(const struct kv_ns *ns, const char *key, const struct val *v)
{
    static uint8_t bytes[VAL_MAX];
    esp_err_t err;

    val_bytes(v, bytes);
    if (v->type == KV_TYPE_STR)
        return kv_set_str(ns, key, (const char *)bytes);
    if (v->type == KV_TYPE_CHUNK)
        return kv_set_blob(ns, key, span_of(bytes, v->len));
    if (v->type != 0)
        return kv_set_number(ns, key, v->type, v->num);
    err = kv_erase(ns, key);
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

bool val_is(const struct kv_ns *ns, const char *key, const struct val *v)
{
    static uint8_t want[VAL_MAX], have[VAL_MAX];
    size_t len = sizeof(have);
    uint64_t num;
    uint8_t type;
    esp_err_t err = kv_find_key(ns, key, &type);

    if (err == ESP_ERR_NVS_NOT_FOUND)
        return v->type == 0;
    if (err || type != v->type)
        return false;
    if (kv_type_is_number(type))
        return kv_get_number(ns, key, type, &num) == ESP_OK && num == v->num;
    err = type == KV_TYPE_STR ? kv_get_str(ns, key, (char *)have, &len)
                              : kv_get_blob(ns, key, have, &len);
    val_bytes(v, want);
    return !err && len == v->len && memcmp(have, want, len) == 0;
}
