/* kv/kv_priv.h - what the files of this module share. */
#ifndef KV_KV_PRIV_H
#define KV_KV_PRIV_H

#include "kv/kv.h"

/* A page as it is in memory. Tags save reading: a key is looked for among
 * items whose tag is the key's. */
struct kv_page {
    uint32_t seq;
    uint8_t kind; /* enum kv_head_kind; BLANK and BAD are free pages */
    bool erased;  /* erased in this run, and not used since */
    uint8_t next; /* first slot that was never written */
    uint8_t live; /* slots of items that count */
    uint8_t tag[KV_SLOT_CNT]; /* 0: no item that counts starts here */
};

struct kv {
    struct part_dev *dev;
    struct part_entry part;
    const struct port_heap *heap;
    bool readonly;
    bool stale; /* memory may differ from flash: load before use */
    bool purge; /* of the namespace whose call this is */
    uint32_t page_cnt;
    uint32_t used_cnt;
    uint32_t *order; /* used pages by age, oldest first */
    struct kv_page pages[];
};

/* Where an item is: slot idx of the page order[rank]. */
struct kv_at {
    uint32_t rank;
    uint32_t idx;
};

/* --- flash.c: pages. A failure makes the store stale. --------------------- */

MUST_CHECK esp_err_t kv_page_read(struct kv *kv, uint32_t page, uint32_t off,
                                  void *dst, size_t len);
/* Programs, reads back, compares. */
MUST_CHECK esp_err_t kv_page_prog(struct kv *kv, uint32_t page, uint32_t off,
                                  struct span bytes);
/* Erases a page so that no half-done erase can bring it back to life. */
MUST_CHECK esp_err_t kv_page_wipe(struct kv *kv, uint32_t page);
MUST_CHECK esp_err_t kv_page_set_state(struct kv *kv, uint32_t page,
                                       uint32_t state);
MUST_CHECK esp_err_t kv_slot_read(struct kv *kv, uint32_t page, uint32_t idx,
                                  uint8_t raw[KV_SLOT_LEN]);
/* Slots from idx on hold an item from now on; the last bit decides. */
MUST_CHECK esp_err_t kv_slots_commit(struct kv *kv, uint32_t page, uint32_t idx,
                                     uint32_t cnt);
/* They hold nothing from now on; the first bit decides. */
MUST_CHECK esp_err_t kv_slots_kill(struct kv *kv, uint32_t page, uint32_t idx,
                                   uint32_t cnt);
/* Overwrites erased slots with zeros, the first one last. */
MUST_CHECK esp_err_t kv_slots_zero(struct kv *kv, uint32_t page, uint32_t idx,
                                   uint32_t cnt);

/* --- load.c --------------------------------------------------------------- */

/* Makes memory say what the flash says; see the essay there. */
MUST_CHECK esp_err_t kv_load(struct kv *kv);
/* Before each call from outside: loads again if the store is stale. */
MUST_CHECK esp_err_t kv_ready(struct kv *kv, bool purge);
/* ESP_ERR_NOT_ALLOWED: the partition is readonly. */
MUST_CHECK esp_err_t kv_ready_to_write(const struct kv_ns *ns);

/* --- fix.c ---------------------------------------------------------------- */

/* An interrupted compaction: the page that was being filled is given up, and
 * once items are loaded the other one is moved out again. */
MUST_CHECK esp_err_t kv_fix_freeing_newest(struct kv *kv);
MUST_CHECK esp_err_t kv_fix_freeing(struct kv *kv);
/* Removes what an interrupted call left: older copies, parts of blobs. */
MUST_CHECK esp_err_t kv_fix_items(struct kv *kv);

/* --- room.c --------------------------------------------------------------- */

/* Makes the newest page one that has cnt slots left.
 * _NVS_NOT_ENOUGH_SPACE: there is no such page to be had. */
MUST_CHECK esp_err_t kv_room(struct kv *kv, uint32_t cnt);
/* May there be a newer page? The last number is not reached in good faith; a
 * page that has it can be read, and appended to until it is full. */
bool kv_has_next_seq(const struct kv *kv);
/* The newest page takes no more items. */
MUST_CHECK esp_err_t kv_close_newest(struct kv *kv);
/* Copies what counts in the page at rank to a fresh page, then frees it.
 * close: nothing more shall go into the fresh page. */
MUST_CHECK esp_err_t kv_move_out(struct kv *kv, uint32_t rank, bool close);
/* Takes a page out of the order. */
void kv_order_remove(struct kv *kv, uint32_t rank);
/* Slots that could be had at best. */
uint32_t kv_room_total(const struct kv *kv);

static inline struct kv_page *kv_page_at(struct kv *kv, uint32_t rank)
{
    return &kv->pages[kv->order[rank]];
}

/* --- item.c --------------------------------------------------------------- */

static inline struct kv_at kv_at_end(const struct kv *kv)
{
    return (struct kv_at){ .rank = kv->used_cnt, .idx = 0 };
}

static inline bool kv_at_same(struct kv_at a, struct kv_at b)
{
    return a.rank == b.rank && a.idx == b.idx;
}

/* Moves *at to the item before it, newest first. _NVS_NOT_FOUND: none. */
MUST_CHECK esp_err_t kv_prev_item(struct kv *kv, struct kv_at *at,
                                  struct kv_entry *out);
/* The same, of the items with q's namespace, key and type (a CHUNK: and
 * number). KV_TYPE_ANY: whatever has the key, chunks excepted. */
MUST_CHECK esp_err_t kv_find(struct kv *kv, const struct kv_entry *q,
                             struct kv_at *at, struct kv_entry *out);
/* The newest one. */
MUST_CHECK esp_err_t kv_find_newest(struct kv *kv, const struct kv_entry *q,
                                    struct kv_at *at, struct kv_entry *out);
/* payload: empty for types that have none. */
MUST_CHECK esp_err_t kv_item_write(struct kv *kv, const struct kv_entry *e,
                                   struct span payload, struct kv_at *at);
MUST_CHECK esp_err_t kv_item_erase(struct kv *kv, struct kv_at at,
                                   const struct kv_entry *e);
/* _NVS_NOT_FOUND: the CRC is wrong. dst has room for the payload. */
MUST_CHECK esp_err_t kv_item_read(struct kv *kv, struct kv_at at,
                                  const struct kv_entry *e, uint8_t *dst);
/* _NVS_CONTENT_DIFFERS: it holds something else. */
MUST_CHECK esp_err_t kv_item_compare(struct kv *kv, struct kv_at at,
                                     const struct kv_entry *e,
                                     struct span payload);

/* --- blob.c --------------------------------------------------------------- */

/* The entry of chunk i of a blob. */
struct kv_entry kv_chunk_of(const struct kv_entry *e, uint8_t chunk);
/* Erases chunks start ... start + cnt - 1, those that are there. */
MUST_CHECK esp_err_t kv_chunks_erase(struct kv *kv, const struct kv_entry *e,
                                     const struct kv_index *index);

/* --- value.c -------------------------------------------------------------- */

MUST_CHECK esp_err_t kv_key_check(const char *key);
/* Erases what has this key, but for the item at keep (NULL: everything), and
 * the chunks of a blob with its index. */
MUST_CHECK esp_err_t kv_key_erase(struct kv *kv, const struct kv_entry *q,
                                  const struct kv_at *keep);

#endif
