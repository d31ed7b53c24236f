/* kv/load.c - from flash to memory, and the end of what was interrupted.
 *
 * A call changes the store in steps; recovery sees which one was the last.
 *
 * | the power went                        | what is found and done           |
 * |---------------------------------------|----------------------------------|
 * | while an item was written             | slots not all WRITTEN: killed    |
 * | after it, before the old one is killed| two of them: the older is killed |
 * | while the old one is killed           | not all WRITTEN: killed          |
 * | before a blob's index is written      | chunks without index: killed     |
 * | after it                              | two indexes: the older is killed,|
 * |                                       | then chunks without index        |
 * | while a page takes its header         | BAD: a free page                 |
 * | while a page is moved out             | FREEING: moved again from scratch|
 * | while a page is erased                | BAD or BLANK: a free page        |
 *
 * Every step of the recovery may be cut, too: each of them only removes what
 * does not count any more, and the next load starts over. */
#include "kv/kv_priv.h"

#include <string.h>

/* --- pages ---------------------------------------------------------------- */

static void order_insert(struct kv *kv, uint32_t page)
{
    uint32_t i = kv->used_cnt++;

    while (i > 0 && kv->pages[kv->order[i - 1]].seq > kv->pages[page].seq) {
        kv->order[i] = kv->order[i - 1];
        i--;
    }
    kv->order[i] = page;
}

static esp_err_t load_heads(struct kv *kv)
{
    kv->used_cnt = 0;
    for (uint32_t i = 0; i < kv->page_cnt; i++) {
        struct kv_page *p = &kv->pages[i];
        uint8_t head[KV_HEAD_LEN];
        esp_err_t err = kv_page_read(kv, i, 0, head, sizeof(head));

        if (err)
            return err;
        p->kind = (uint8_t)kv_head_parse(head, &p->seq);
        if (p->kind == KV_HEAD_NEWER)
            return ESP_ERR_NVS_NEW_VERSION_FOUND;
        if (p->kind >= KV_HEAD_ACTIVE)
            order_insert(kv, i);
        if (p->kind != KV_HEAD_BLANK)
            p->erased = false;
    }
    return ESP_OK;
}

/* --- items ---------------------------------------------------------------- */

struct scan {
    struct kv *kv;
    uint32_t page;
    uint8_t bits[KV_BITS_LEN];
};

static esp_err_t read_bits(struct scan *s)
{
    return kv_page_read(s->kv, s->page, KV_BITS_OFF, s->bits, KV_BITS_LEN);
}

static esp_err_t drop(struct scan *s, uint32_t idx, uint32_t cnt)
{
    if (s->kv->readonly)
        return ESP_OK;
    return kv_slots_kill(s->kv, s->page, idx, cnt);
}

/* A slot that is WRITTEN and starts something; *span: how far it goes. */
static esp_err_t scan_item(struct scan *s, uint32_t idx, uint32_t *span)
{
    struct kv_page *p = &s->kv->pages[s->page];
    uint8_t raw[KV_SLOT_LEN];
    struct kv_entry e;
    esp_err_t err = kv_slot_read(s->kv, s->page, idx, raw);

    *span = 1;
    if (err)
        return err;
    if (!kv_entry_parse(raw, idx, &e))
        return drop(s, idx, 1);
    *span = e.span;
    if (!kv_bits_all(s->bits, idx, e.span, KV_SLOT_WRITTEN))
        return drop(s, idx, e.span);
    p->tag[idx] = kv_tag(&e);
    p->live = (uint8_t)(p->live + e.span);
    return ESP_OK;
}

static esp_err_t scan_items(struct scan *s)
{
    struct kv_page *p = &s->kv->pages[s->page];
    esp_err_t err = read_bits(s);
    uint32_t span;

    memset(p->tag, 0, sizeof(p->tag));
    p->live = 0;
    p->next = KV_SLOT_CNT;
    for (uint32_t i = 0; !err && i < KV_SLOT_CNT; i += span) {
        span = 1;
        if (kv_bits_get(s->bits, i) == KV_SLOT_WRITTEN)
            err = scan_item(s, i, &span);
    }
    return err;
}

/* Finds where the newest page can be appended to: behind the last slot that
 * was written to, whether or not its bits say so. */
static esp_err_t find_next(struct scan *s)
{
    static const uint8_t blank[KV_SLOT_LEN] = {
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF
    };
    uint32_t next = KV_SLOT_CNT;
    esp_err_t err = read_bits(s);

    while (!err && next > 0) {
        uint8_t raw[KV_SLOT_LEN];

        if (kv_bits_get(s->bits, next - 1) != KV_SLOT_EMPTY)
            break;
        err = kv_slot_read(s->kv, s->page, next - 1, raw);
        if (err || memcmp(raw, blank, sizeof(raw)) != 0)
            break;
        next--;
    }
    s->kv->pages[s->page].next = (uint8_t)next;
    return err;
}

static bool is_unused(const struct scan *s, uint32_t idx)
{
    enum kv_slot state = kv_bits_get(s->bits, idx);

    return state == KV_SLOT_EMPTY || state == KV_SLOT_ILLEGAL;
}

/* What lies below `next` and is not WRITTEN will not be used again. */
static esp_err_t kill_gaps(struct scan *s)
{
    uint32_t end = s->kv->pages[s->page].next;
    esp_err_t err = ESP_OK;

    for (uint32_t i = 0; !err && i < end; i++) {
        uint32_t from = i;

        while (i < end && is_unused(s, i))
            i++;
        if (i > from)
            err = drop(s, from, i - from);
    }
    return err;
}

static esp_err_t load_items(struct kv *kv)
{
    esp_err_t err = ESP_OK;

    for (uint32_t rank = 0; !err && rank < kv->used_cnt; rank++) {
        struct scan s = { .kv = kv, .page = kv->order[rank] };

        err = scan_items(&s);
        if (err || rank + 1 < kv->used_cnt ||
            kv->pages[s.page].kind != KV_HEAD_ACTIVE)
            continue;
        err = find_next(&s);
        if (!err)
            err = kill_gaps(&s);
    }
    return err;
}

/* --- all of it ------------------------------------------------------------ */

static esp_err_t load(struct kv *kv)
{
    esp_err_t err = load_heads(kv);

    kv->purge = false;
    if (!err)
        err = kv_fix_freeing_newest(kv);
    if (!err)
        err = load_items(kv);
    if (!err)
        err = kv_fix_freeing(kv);
    if (err)
        return err;
    if (!kv->readonly && kv->used_cnt == kv->page_cnt)
        return ESP_ERR_NVS_NO_FREE_PAGES;
    return kv_fix_items(kv);
}

esp_err_t kv_load(struct kv *kv)
{
    esp_err_t err = load(kv);

    kv->stale = err != ESP_OK;
    return err;
}

esp_err_t kv_ready(struct kv *kv, bool purge)
{
    esp_err_t err = kv->stale ? kv_load(kv) : ESP_OK;

    kv->purge = purge;
    return err;
}

esp_err_t kv_ready_to_write(const struct kv_ns *ns)
{
    if (ns->kv->readonly)
        return ESP_ERR_NOT_ALLOWED;
    return kv_ready(ns->kv, ns->purge);
}
