/* kv/room.c - which page is written to, and how pages become free again.
 *
 * Items are appended to the newest page. A page that is full is marked FULL,
 * then the next free one is taken, in the order of their places, so that all
 * of them wear alike. One page is always kept free: when only that one is
 * left, the page with the most to gain is moved out into it,
 *
 *     victim FREEING -> target gets a header -> copies -> victim is erased
 *
 * and becomes the free one. As long as a FREEING page exists, all that counts
 * in the newest page is a copy: recovery erases the newest page and copies
 * again (fix.c; the reference does the same). Copies are committed by one
 * program of the whole bitmap, since nothing relies on them before the victim
 * is gone.
 *
 * A page that reads blank may be one whose erase was cut short: it is erased
 * again before its first use, unless this run has seen that erase end. */
#include "kv/kv_priv.h"

#include <string.h>

/* --- decide --------------------------------------------------------------- */

enum kv_step {
    KV_STEP_STAY, /* the newest page has room */
    KV_STEP_NEXT, /* take a free page */
    KV_STEP_MOVE, /* move a page out to get one */
    KV_STEP_NO_ROOM
};

static uint32_t tail_of(const struct kv *kv)
{
    const struct kv_page *p;

    if (kv->used_cnt == 0)
        return 0;
    p = &kv->pages[kv->order[kv->used_cnt - 1]];
    return p->kind == KV_HEAD_ACTIVE ? KV_SLOT_CNT - p->next : 0;
}

/* Values that never change would pin their page, and the others would wear in
 * its place: a page left behind by this many rounds is moved in its turn. */
#define ROUNDS_MAX 8u

static bool is_left_behind(const struct kv *kv, uint32_t cnt)
{
    const struct kv_page *oldest = &kv->pages[kv->order[0]];
    const struct kv_page *newest = &kv->pages[kv->order[kv->used_cnt - 1]];

    return newest->seq - oldest->seq > ROUNDS_MAX * kv->page_cnt &&
           KV_SLOT_CNT - oldest->live >= cnt;
}

/* The page with the fewest slots that count; of several, the oldest. */
static uint32_t victim_rank(const struct kv *kv, uint32_t cnt)
{
    uint32_t best = 0;

    if (kv->used_cnt > 0 && is_left_behind(kv, cnt))
        return 0;
    for (uint32_t i = 1; i < kv->used_cnt; i++) {
        if (kv->pages[kv->order[i]].live < kv->pages[kv->order[best]].live)
            best = i;
    }
    return best;
}

static enum kv_step decide(const struct kv *kv, uint32_t cnt, uint32_t *victim)
{
    uint32_t free_cnt = kv->page_cnt - kv->used_cnt;

    *victim = victim_rank(kv, cnt);
    if (tail_of(kv) >= cnt)
        return KV_STEP_STAY;
    if (free_cnt > 1 || kv->used_cnt == 0)
        return KV_STEP_NEXT;
    if (free_cnt == 1 &&
        KV_SLOT_CNT - kv->pages[kv->order[*victim]].live >= cnt)
        return KV_STEP_MOVE;
    return KV_STEP_NO_ROOM;
}

uint32_t kv_room_total(const struct kv *kv)
{
    uint32_t free_cnt = kv->page_cnt - kv->used_cnt;
    uint32_t cnt = free_cnt > 1 ? (free_cnt - 1) * KV_SLOT_CNT : 0;

    for (uint32_t i = 0; i < kv->used_cnt; i++)
        cnt += KV_SLOT_CNT - kv->pages[kv->order[i]].live;
    return cnt;
}

/* The free page that follows the newest one; there is one. */
static uint32_t free_page(const struct kv *kv)
{
    uint32_t page = kv->used_cnt > 0 ? kv->order[kv->used_cnt - 1] + 1 : 0;

    while (kv->pages[page % kv->page_cnt].kind >= KV_HEAD_ACTIVE)
        page++;
    return page % kv->page_cnt;
}

/* --- act ------------------------------------------------------------------ */

void kv_order_remove(struct kv *kv, uint32_t rank)
{
    kv_page_at(kv, rank)->kind = KV_HEAD_BLANK;
    kv->used_cnt--;
    memmove(kv->order + rank, kv->order + rank + 1,
            (kv->used_cnt - rank) * sizeof(kv->order[0]));
}

bool kv_has_next_seq(const struct kv *kv)
{
    return kv->used_cnt == 0 ||
           kv->pages[kv->order[kv->used_cnt - 1]].seq < UINT32_MAX;
}

/* A free page becomes the newest one. */
static esp_err_t activate(struct kv *kv, uint32_t page)
{
    struct kv_page *p = &kv->pages[page];
    uint8_t head[KV_HEAD_LEN];
    uint32_t seq = 0;
    esp_err_t err = ESP_OK;

    if (!kv_has_next_seq(kv))
        return ESP_ERR_NVS_INVALID_STATE;
    if (kv->used_cnt > 0)
        seq = kv_page_at(kv, kv->used_cnt - 1)->seq + 1;
    if (!p->erased)
        err = kv_page_wipe(kv, page);
    if (err)
        return err;
    p->erased = false;
    kv_head_pack(KV_STATE_ACTIVE, seq, head);
    err = kv_page_prog(kv, page, 0, span_of(head, sizeof(head)));
    if (err)
        return err;
    memset(p->tag, 0, sizeof(p->tag));
    p->seq = seq;
    p->kind = KV_HEAD_ACTIVE;
    p->next = 0;
    p->live = 0;
    kv->order[kv->used_cnt++] = page;
    return ESP_OK;
}

struct copy {
    struct kv *kv;
    uint32_t from, to; /* pages */
    uint8_t bits[KV_BITS_LEN];
};

#define COPY_SLOTS 4u /* at once */

static esp_err_t copy_slots(struct copy *c, uint32_t from_idx, uint32_t to_idx,
                            uint32_t cnt)
{
    uint8_t raw[COPY_SLOTS * KV_SLOT_LEN];
    size_t len = cnt * (size_t)KV_SLOT_LEN;
    uint32_t to_off = KV_SLOTS_OFF + to_idx * KV_SLOT_LEN;
    esp_err_t err = kv_page_read(
        c->kv, c->from, KV_SLOTS_OFF + from_idx * KV_SLOT_LEN, raw, len);

    if (err)
        return err;
    for (uint32_t i = 0; i < cnt; i++)
        kv_bits_and(c->bits, to_idx + i, KV_SLOT_WRITTEN);
    return kv_page_prog(c->kv, c->to, to_off, span_of(raw, len));
}

static esp_err_t copy_item(struct copy *c, uint32_t idx)
{
    struct kv_page *dst = &c->kv->pages[c->to];
    uint8_t raw[KV_SLOT_LEN];
    struct kv_entry e;
    esp_err_t err = kv_slot_read(c->kv, c->from, idx, raw);

    if (err || !kv_entry_parse(raw, idx, &e))
        return err;
    for (uint32_t i = 0; !err && i < e.span; i += COPY_SLOTS) {
        uint32_t cnt = e.span - i < COPY_SLOTS ? e.span - i : COPY_SLOTS;

        err = copy_slots(c, idx + i, dst->next + i, cnt);
    }
    dst->tag[dst->next] = kv_tag(&e);
    dst->next = (uint8_t)(dst->next + e.span);
    dst->live = dst->next;
    return err;
}

esp_err_t kv_close_newest(struct kv *kv)
{
    struct kv_page *p;
    esp_err_t err;

    if (kv->used_cnt == 0)
        return ESP_OK;
    p = kv_page_at(kv, kv->used_cnt - 1);
    if (p->kind != KV_HEAD_ACTIVE)
        return ESP_OK;
    err = kv_page_set_state(kv, kv->order[kv->used_cnt - 1], KV_STATE_FULL);
    if (!err)
        p->kind = KV_HEAD_FULL;
    return err;
}

esp_err_t kv_move_out(struct kv *kv, uint32_t rank, bool close)
{
    struct copy c = { kv, kv->order[rank], free_page(kv), { 0 } };
    esp_err_t err = activate(kv, c.to);

    memset(c.bits, 0xFF, sizeof(c.bits));
    for (uint32_t i = 0; !err && i < KV_SLOT_CNT; i++) {
        if (kv->pages[c.from].tag[i] != 0)
            err = copy_item(&c, i);
    }
    if (!err)
        err = kv_page_prog(kv, c.to, KV_BITS_OFF,
                           span_of(c.bits, sizeof(c.bits)));
    if (!err && close)
        err = kv_close_newest(kv);
    if (!err)
        err = kv_page_wipe(kv, c.from);
    if (!err)
        kv_order_remove(kv, rank);
    return err;
}

static esp_err_t move_victim(struct kv *kv, uint32_t rank)
{
    esp_err_t err = kv_page_set_state(kv, kv->order[rank], KV_STATE_FREEING);

    if (err)
        return err;
    kv_page_at(kv, rank)->kind = KV_HEAD_FREEING;
    return kv_move_out(kv, rank, false);
}

esp_err_t kv_room(struct kv *kv, uint32_t cnt)
{
    uint32_t victim;
    enum kv_step step = decide(kv, cnt, &victim);
    esp_err_t err;

    if (step == KV_STEP_STAY)
        return ESP_OK;
    if (step == KV_STEP_NO_ROOM)
        return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    if (!kv_has_next_seq(kv))
        return ESP_ERR_NVS_INVALID_STATE;
    err = kv_close_newest(kv);
    if (err)
        return err;
    return step == KV_STEP_NEXT ? activate(kv, free_page(kv))
                                : move_victim(kv, victim);
}
