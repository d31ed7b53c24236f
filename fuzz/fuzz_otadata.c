/* Two otadata sectors as the world left them: reading and recovery end, nothing
 * stays open, and a second recovery writes nothing. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "otadata/otadata.h"

static uint8_t bytes[OTADATA_LEN];
static unsigned long writes;

static esp_err_t ram_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    (void)ctx;
    if (off > sizeof(bytes) || len > sizeof(bytes) - off)
        abort();
    memcpy(dst, bytes + off, len);
    return ESP_OK;
}

static esp_err_t ram_prog(void *ctx, uint32_t off, const void *src, size_t len)
{
    (void)ctx;
    if (off > sizeof(bytes) || len > sizeof(bytes) - off)
        abort();
    writes++;
    for (size_t i = 0; i < len; i++) {
        uint8_t value = ((const uint8_t *)src)[i];
        if (value & (uint8_t)~bytes[off + i])
            abort(); /* a bit would have to rise */
        bytes[off + i] = value;
    }
    return ESP_OK;
}

static esp_err_t ram_erase(void *ctx, uint32_t off)
{
    (void)ctx;
    if (off != 0 && off != OTADATA_SECTOR)
        abort();
    writes++;
    memset(bytes + off, 0xFF, OTADATA_SECTOR);
    return ESP_OK;
}

static const struct port_flash ram = { .size_len = OTADATA_LEN,
                                       .erase_len = OTADATA_SECTOR,
                                       .prog_len = 4,
                                       .page_len = 256,
                                       .read = ram_read,
                                       .prog = ram_prog,
                                       .erase = ram_erase };

static bool rec_same(const struct ota_rec *a, const struct ota_rec *b)
{
    uint8_t x[OTADATA_REC_LEN], y[OTADATA_REC_LEN];
    ota_rec_pack(a, x);
    ota_rec_pack(b, y);
    return memcmp(x, y, sizeof(x)) == 0;
}

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* The first byte asks what to do after recovery; the rest are the sectors,
 * runs of four bytes {place, count, value} over erased flash, so that a small
 * input reaches everywhere; or 8 KiB as they are. */
static uint8_t fill(const uint8_t *data, size_t size)
{
    memset(bytes, 0xFF, sizeof(bytes));
    if (size == 0)
        return 0;
    if (size >= OTADATA_LEN) {
        memcpy(bytes, data, OTADATA_LEN);
        return data[size - 1];
    }
    size_t at = 0;
    for (size_t i = 1; i < size; i++) {
        if (data[i] == 0xA5 && size - i > 2) { /* go elsewhere */
            at = (data[i + 1] | (size_t)data[i + 2] << 8) % OTADATA_LEN;
            i += 2;
        } else {
            bytes[at++ % OTADATA_LEN] = data[i];
        }
    }
    return data[0];
}

/* What is denied, the newest first. */
struct denied {
    uint8_t digest[OTADATA_DENY_MAX][OTADATA_DIGEST_LEN];
    uint32_t cnt;
};

static void denied_read(const struct otadata_place *at, const struct otadata *o,
                        struct denied *out)
{
    memset(out, 0, sizeof(*out));
    while (out->cnt < OTADATA_DENY_MAX) {
        esp_err_t err =
            otadata_deny_get(at, o, out->cnt, out->digest[out->cnt]);
        check(err == ESP_OK || err == ESP_ERR_NOT_FOUND);
        if (err)
            break;
        out->cnt++;
    }
}

/* One generation, two entries that differ: nobody who writes by the rules
 * leaves that, and which of them counts depends on the sector that is left. */
static bool twins_differ(const struct otadata *o)
{
    for (uint32_t k = 0; k < OTA_LIVE_CNT; k++) {
        const struct ota_live *l = &o->live[k];
        if (l->off[0] && l->off[1] &&
            memcmp(bytes + l->off[0], bytes + l->off[1], 48) != 0)
            return true;
    }
    return false;
}

/* Events and digests are appended, and change no record. */
static void append(const struct otadata_place *at, struct otadata *o,
                   uint8_t ask)
{
    const struct otadata was = *o;
    const struct ota_event event = { .seq = o->rec[ask & 1].seq,
                                     .rec_idx = ask & 1,
                                     .kind = (uint8_t)(1 + ask / 2 % 3) };
    uint8_t digest[OTADATA_DIGEST_LEN] = { ask };
    bool denied;
    esp_err_t err = otadata_note(at, o, &event);
    check(err == ESP_OK || err == ESP_ERR_NO_MEM);
    if (!err)
        check(o->event.kind == event.kind && o->event.seq == event.seq);
    err = otadata_deny_add(at, o, digest);
    check(err == ESP_OK || err == ESP_ERR_NO_MEM);
    if (!err)
        check(otadata_deny_has(at, o, digest, &denied) == ESP_OK && denied);
    check(rec_same(&o->rec[0], &was.rec[0]) &&
          rec_same(&o->rec[1], &was.rec[1]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t states[] = { 0, 1, 2, 3, 4, OTA_STATE_UNDEFINED };
    const struct otadata_place at = { &ram, 0 };
    struct otadata seen, o;
    uint8_t ask = fill(data, size);
    check(otadata_read(&at, OTADATA_LEN, &seen) == ESP_OK);
    check(otadata_redo(&at, &o) == ESP_OK);
    check(!o.redo_open && !o.void_open);
    check(rec_same(&o.rec[0], &seen.rec[0]) &&
          rec_same(&o.rec[1], &seen.rec[1]));
    check(rec_same(&o.raw[0], &o.rec[0]) && rec_same(&o.raw[1], &o.rec[1]));
    writes = 0;
    check(otadata_redo(&at, &o) == ESP_OK && writes == 0);
    struct otadata_request req = { .slot = ask % 3,
                                   .slot_cnt = 3,
                                   .running_is_slot = ask & 0x80,
                                   .running_slot = ask / 3 % 3,
                                   .state = states[ask / 9 % 6] };
    struct denied before, after;
    struct ota_event verdict;
    append(&at, &o, ask);
    check(otadata_verdict(&at, &o, &verdict) == ESP_OK);
    denied_read(&at, &o, &before);
    bool roomy = o.free_cnt[0] > 2 * OTA_LIVE_CNT + 2 &&
                 o.free_cnt[1] > 2 * OTA_LIVE_CNT + 2 && !twins_differ(&o);
    /* With a full log a sector goes without an intent, and an older open one
     * may come to light that the product never leaves behind. */
    bool full = o.free_cnt[0] == 0 || o.free_cnt[1] == 0;
    check(otadata_activate(&at, &o, &req) == ESP_OK);
    denied_read(&at, &o, &after);
    check(!roomy || memcmp(&before, &after, sizeof(before)) == 0);
    if (full || req.state == OTA_STATE_INVALID ||
        req.state == OTA_STATE_ABORTED)
        return 0;
    uint32_t idx = ota_active_idx(o.rec);
    check(!o.redo_open && idx != OTA_REC_NONE);
    check(ota_seq_slot(o.rec[idx].seq, 3) == req.slot);
    return 0;
}
