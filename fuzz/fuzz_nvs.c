/* A partition of arbitrary bytes is mounted, walked, read and written to.
 *
 * First byte: bit 0 readonly; bits 1-2 more pages; bit 3: the CRCs of headers
 * and of entries are put right first, so that what they protect is reached;
 * bits 4-7 seed what is written. What must hold: every call returns, what was
 * set is read back, and the next mount gives the same. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "base/le.h"
#include "kv/kv.h"
#include "sim_flash.h"
#include "sim_heap.h"

#define PAGES_MAX 6u
#define VALUE_MAX 4200u

struct rig {
    struct sim_flash sim;
    struct sim_heap heap;
    struct part_dev dev;
    struct part_entry part;
    struct kv *kv;
};

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* --- the partition -------------------------------------------------------- */

static void seal_page(uint8_t *page)
{
    le32_put(page + 28, crc32_le(KV_CRC_SEED, page + 4, 24));
    for (uint32_t i = 0; i < KV_SLOT_CNT; i++) {
        uint8_t *raw = page + KV_SLOTS_OFF + i * KV_SLOT_LEN;
        uint32_t crc = crc32_le(KV_CRC_SEED, raw, 4);

        le32_put(raw + 4, crc32_le(crc, raw + 8, KV_SLOT_LEN - 8));
    }
}

static void open_rig(struct rig *r, const uint8_t *data, size_t size)
{
    struct sim_flash_conf conf = { .prog_len = 4 };
    uint8_t flags = data[0];

    memset(r, 0, sizeof(*r));
    conf.size_len = (3 + (flags >> 1 & 3u)) * KV_PAGE_LEN;
    must(sim_flash_init(&r->sim, &conf) == ESP_OK);
    size = size - 1 < conf.size_len ? size - 1 : conf.size_len;
    memcpy(r->sim.bytes, data + 1, size);
    for (size_t at = 0; (flags & 8u) && at < size; at += KV_PAGE_LEN)
        seal_page(r->sim.bytes + at);
    sim_heap_init(&r->heap);
    r->dev.flash = &r->sim.port;
    r->part =
        (struct part_entry){ .len = conf.size_len,
                             .flags = flags & 1u ? PART_FLAG_READONLY : 0 };
}

/* --- a look at everything ------------------------------------------------- */

static void read_key(const struct kv_ns *ns, const struct kv_info *info)
{
    static uint8_t buf[128 * KV_CHUNK_MAX];
    size_t len = sizeof(buf);
    uint64_t num;
    uint8_t type;
    esp_err_t err;

    must(kv_find_key(ns, info->key, &type) == ESP_OK);
    if (kv_type_is_number(info->type))
        err = kv_get_number(ns, info->key, info->type, &num);
    else if (info->type == KV_TYPE_STR)
        err = kv_get_str(ns, info->key, (char *)buf, &len);
    else
        err = kv_get_blob(ns, info->key, buf, &len);
    must(err == ESP_OK || err == ESP_ERR_NVS_NOT_FOUND);
}

/* Returns the number of keys. */
static unsigned look(struct rig *r)
{
    struct kv_iter it = { .type = KV_TYPE_ANY };
    struct kv_info info;
    struct kv_stats stats;
    struct kv_ns ns;
    unsigned cnt = 0;
    esp_err_t err;

    must(kv_get_stats(r->kv, &stats) == ESP_OK);
    must(stats.used_cnt <= stats.total_cnt);
    while (!(err = kv_iter_next(r->kv, &it, &info))) {
        must(++cnt <= PAGES_MAX * KV_SLOT_CNT);
        must(memchr(info.key, 0, sizeof(info.key)) != NULL);
        must(memchr(info.ns_name, 0, sizeof(info.ns_name)) != NULL);
        if (kv_open(r->kv, info.ns_name, false, &ns) == ESP_OK &&
            kv_find_key(&ns, info.key, &info.type) == ESP_OK)
            read_key(&ns, &info);
    }
    must(err == ESP_ERR_NVS_NOT_FOUND);
    return cnt;
}

/* --- writes --------------------------------------------------------------- */

/* Something that no input of the corpus holds by chance. */
#define NAME "fuzz namespace"

static esp_err_t write_all(const struct kv_ns *ns, uint32_t seed)
{
    static uint8_t bytes[VALUE_MAX];
    size_t len = seed * 277 % VALUE_MAX;
    esp_err_t err = kv_set_number(ns, "num", KV_TYPE_U32, seed);

    memset(bytes, (int)seed, sizeof(bytes));
    if (!err)
        err = kv_set_blob(ns, "blob", span_of(bytes, len));
    if (!err)
        err = kv_set_str(ns, "str", "some text");
    if (!err && seed % 2)
        err = kv_erase(ns, "str");
    return err;
}

static void check_all(const struct kv_ns *ns, uint32_t seed)
{
    static uint8_t bytes[VALUE_MAX];
    size_t len = sizeof(bytes);
    uint64_t num;
    uint8_t type;

    must(kv_get_number(ns, "num", KV_TYPE_U32, &num) == ESP_OK && num == seed);
    must(kv_get_blob(ns, "blob", bytes, &len) == ESP_OK);
    must(len == seed * 277 % VALUE_MAX);
    for (size_t i = 0; i < len; i++)
        must(bytes[i] == (uint8_t)seed);
    must((kv_find_key(ns, "str", &type) == ESP_OK) == (seed % 2 == 0));
}

static void remount(struct rig *r)
{
    unsigned before = look(r);
    uint32_t ops;

    kv_unmount(r->kv);
    ops = sim_flash_ops(&r->sim);
    must(kv_mount(&r->dev, &r->part, &r->heap.port, &r->kv) == ESP_OK);
    must(sim_flash_ops(&r->sim) == ops);
    must(look(r) == before);
}

static void write_and_check(struct rig *r, uint32_t seed)
{
    struct kv_ns ns;
    bool ok = kv_open(r->kv, NAME, true, &ns) == ESP_OK;

    for (uint32_t i = 0; ok && i < 8; i++) {
        ok = write_all(&ns, seed + i) == ESP_OK;
        if (ok)
            check_all(&ns, seed + i);
    }
    remount(r);
    if (ok) {
        must(kv_open(r->kv, NAME, false, &ns) == ESP_OK);
        check_all(&ns, seed + 7);
        must(kv_purge(&ns) == ESP_OK);
        must(kv_erase_all(&ns) == ESP_OK);
        remount(r);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig r;
    esp_err_t err;

    if (size == 0)
        return 0;
    open_rig(&r, data, size);
    err = kv_mount(&r.dev, &r.part, &r.heap.port, &r.kv);
    if (!err) {
        remount(&r);
        write_and_check(&r, data[0] >> 4);
    } else {
        must(err == ESP_ERR_NVS_NO_FREE_PAGES ||
             err == ESP_ERR_NVS_NEW_VERSION_FOUND ||
             err == ESP_ERR_NVS_INVALID_STATE);
        r.part.flags = 0;
        must(kv_wipe(&r.dev, &r.part) == ESP_OK);
        must(kv_mount(&r.dev, &r.part, &r.heap.port, &r.kv) == ESP_OK);
    }
    kv_unmount(r.kv);
    must(r.heap.cur_len == 0 && r.sim.count.refused == 0);
    sim_flash_deinit(&r.sim);
    return 0;
}
