/* kv/flash.c - one page, one step at a time.
 *
 * Each step here is one program or one erase that a power cut may tear, and
 * leaves something that load.c understands:
 *
 * - an item counts when each of its slots is WRITTEN. Committing clears one
 *   bit per slot, the entry's own first, so that a payload is never taken for
 *   an entry; the last bit makes it count.
 * - killing clears the payload's bits first and the entry's own last, for the
 *   same reason; the first bit makes it not count.
 * - a page is killed before it is erased: sequence, version and CRC become
 *   zero. A half-done erase raises bits as it likes and could otherwise bring
 *   a page of erased items back to life. The state word is left alone: torn,
 *   it could turn ACTIVE into FULL. */
#include "kv/kv_priv.h"

#include <string.h>

#define WORD_LEN 4u
#define SLOTS_PER_WORD 16u
#define KILL_OFF 4u

static esp_err_t note(struct kv *kv, esp_err_t err)
{
    if (err)
        kv->stale = true;
    return err;
}

esp_err_t kv_page_read(struct kv *kv, uint32_t page, uint32_t off, void *dst,
                       size_t len)
{
    return note(
        kv, part_read(kv->dev, &kv->part, page * KV_PAGE_LEN + off, dst, len));
}

static esp_err_t compare(struct kv *kv, uint32_t page, uint32_t off,
                         struct span bytes)
{
    uint8_t back[64];

    for (size_t at = 0; at < bytes.len; at += sizeof(back)) {
        size_t len = bytes.len - at;
        esp_err_t err;

        len = len < sizeof(back) ? len : sizeof(back);
        err = kv_page_read(kv, page, off + (uint32_t)at, back, len);
        if (err)
            return err;
        if (memcmp(back, bytes.ptr + at, len) != 0)
            return note(kv, ESP_ERR_FLASH_OP_FAIL);
    }
    return ESP_OK;
}

esp_err_t kv_page_prog(struct kv *kv, uint32_t page, uint32_t off,
                       struct span bytes)
{
    esp_err_t err = part_prog(kv->dev, &kv->part, page * KV_PAGE_LEN + off,
                              bytes.ptr, bytes.len);

    return err ? note(kv, err) : compare(kv, page, off, bytes);
}

/* --- whole pages ---------------------------------------------------------- */

/* Is there, by its header, a page? */
static esp_err_t read_head(struct part_dev *dev, const struct part_entry *part,
                           uint32_t off, enum kv_head_kind *kind)
{
    uint8_t head[KV_HEAD_LEN];
    uint32_t seq;
    esp_err_t err = part_read(dev, part, off, head, sizeof(head));

    *kind = err ? KV_HEAD_BAD : kv_head_parse(head, &seq);
    return err;
}

static esp_err_t kill_page(struct part_dev *dev, const struct part_entry *part,
                           uint32_t off)
{
    static const uint8_t zeros[KV_HEAD_LEN - KILL_OFF] = { 0 };
    enum kv_head_kind kind;
    esp_err_t err = read_head(dev, part, off, &kind);

    if (err || kind == KV_HEAD_BLANK || dev->flash->prog_once)
        return err;
    err = part_prog(dev, part, off + KILL_OFF, zeros, sizeof(zeros));
    if (!err)
        err = read_head(dev, part, off, &kind);
    if (!err && kind != KV_HEAD_BAD)
        err = ESP_ERR_FLASH_OP_FAIL;
    return err;
}

static esp_err_t wipe(struct part_dev *dev, const struct part_entry *part,
                      uint32_t page)
{
    esp_err_t err = kill_page(dev, part, page * KV_PAGE_LEN);

    return err ? err : part_erase_sector(dev, part, page * KV_PAGE_LEN);
}

esp_err_t kv_page_wipe(struct kv *kv, uint32_t page)
{
    esp_err_t err = note(kv, wipe(kv->dev, &kv->part, page));

    kv->pages[page].erased = !err;
    return err;
}

esp_err_t kv_wipe(struct part_dev *dev, const struct part_entry *part)
{
    esp_err_t err = ESP_OK;

    for (uint32_t i = 0; !err && i < part->len / KV_PAGE_LEN; i++)
        err = wipe(dev, part, i);
    return err;
}

esp_err_t kv_page_set_state(struct kv *kv, uint32_t page, uint32_t state)
{
    uint8_t head[KV_HEAD_LEN];

    kv_head_pack(state, 0, head);
    return kv_page_prog(kv, page, 0, span_of(head, WORD_LEN));
}

/* --- slots ---------------------------------------------------------------- */

static uint32_t slot_off(uint32_t idx)
{
    return KV_SLOTS_OFF + idx * KV_SLOT_LEN;
}

esp_err_t kv_slot_read(struct kv *kv, uint32_t page, uint32_t idx,
                       uint8_t raw[KV_SLOT_LEN])
{
    return kv_page_read(kv, page, slot_off(idx), raw, KV_SLOT_LEN);
}

struct run { /* slots idx ... end - 1 */
    uint32_t page, idx, end;
};

/* Brings slots of one word to state. */
static esp_err_t mark_word(struct kv *kv, struct run run, enum kv_slot state)
{
    uint32_t off = KV_BITS_OFF + run.idx / SLOTS_PER_WORD * WORD_LEN;
    uint8_t old[WORD_LEN], bits[KV_BITS_LEN];
    esp_err_t err = kv_page_read(kv, run.page, off, old, sizeof(old));

    if (err)
        return err;
    memcpy(bits, old, sizeof(old));
    for (uint32_t i = run.idx; i < run.end; i++)
        kv_bits_and(bits, i % SLOTS_PER_WORD, state);
    if (memcmp(bits, old, sizeof(old)) == 0)
        return ESP_OK;
    return kv_page_prog(kv, run.page, off, span_of(bits, WORD_LEN));
}

static esp_err_t mark(struct kv *kv, struct run run, enum kv_slot state)
{
    esp_err_t err = ESP_OK;

    while (!err && run.idx < run.end) {
        struct run word = run;
        uint32_t stop = (run.idx / SLOTS_PER_WORD + 1) * SLOTS_PER_WORD;

        word.end = stop < run.end ? stop : run.end;
        err = mark_word(kv, word, state);
        run.idx = word.end;
    }
    return err;
}

esp_err_t kv_slots_commit(struct kv *kv, uint32_t page, uint32_t idx,
                          uint32_t cnt)
{
    struct run own = { page, idx, idx + 1 };
    struct run payload = { page, idx + 1, idx + cnt };
    esp_err_t err = mark(kv, own, KV_SLOT_WRITTEN);

    return err ? err : mark(kv, payload, KV_SLOT_WRITTEN);
}

/* Through ILLEGAL: torn on its way from EMPTY to ERASED a slot could
 * otherwise become WRITTEN. */
static esp_err_t kill(struct kv *kv, struct run run)
{
    esp_err_t err = mark(kv, run, KV_SLOT_ILLEGAL);

    return err ? err : mark(kv, run, KV_SLOT_ERASED);
}

esp_err_t kv_slots_kill(struct kv *kv, uint32_t page, uint32_t idx,
                        uint32_t cnt)
{
    struct run own = { page, idx, idx + 1 };
    struct run payload = { page, idx + 1, idx + cnt };
    esp_err_t err = kill(kv, payload);

    return err ? err : kill(kv, own);
}

esp_err_t kv_slots_zero(struct kv *kv, uint32_t page, uint32_t idx,
                        uint32_t cnt)
{
    static const uint8_t zeros[KV_SLOT_LEN] = { 0 };
    esp_err_t err = ESP_OK;

    for (uint32_t i = idx + cnt; !err && i > idx; i--)
        err = kv_page_prog(kv, page, slot_off(i - 1),
                           span_of(zeros, sizeof(zeros)));
    return err;
}
