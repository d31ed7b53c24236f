/* kv/format.h - the bytes of the reference's key/value pages, pure.
 *
 * Format: reference 10.1 and 10.2, repeated in docs/decisions/0020-nvs.md.
 * Whatever a page holds, these functions return and stay inside it. */
#ifndef KV_FORMAT_H
#define KV_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define KV_PAGE_LEN 4096u
#define KV_SLOT_LEN 32u
#define KV_SLOT_CNT 126u
#define KV_HEAD_LEN 32u
#define KV_BITS_OFF 32u
#define KV_BITS_LEN 32u
#define KV_SLOTS_OFF 64u
#define KV_KEY_LEN 16u                                 /* with the NUL */
#define KV_CHUNK_MAX ((KV_SLOT_CNT - 1) * KV_SLOT_LEN) /* also of a string */

/* --- page header ---------------------------------------------------------- */

#define KV_STATE_UNUSED 0xFFFFFFFFu
#define KV_STATE_ACTIVE 0xFFFFFFFEu
#define KV_STATE_FULL 0xFFFFFFFCu
#define KV_STATE_FREEING 0xFFFFFFF8u

#define KV_VERSION 0xFEu /* a newer format has a lower number */

enum kv_head_kind {
    KV_HEAD_BLANK, /* every byte 0xFF */
    KV_HEAD_BAD,   /* not a page: torn, erased in part, garbage */
    KV_HEAD_NEWER, /* a page of a format that this code does not know */
    KV_HEAD_ACTIVE,
    KV_HEAD_FULL,
    KV_HEAD_FREEING
};

/* *seq is set for the kinds from ACTIVE on. */
enum kv_head_kind kv_head_parse(const uint8_t head[KV_HEAD_LEN], uint32_t *seq);
void kv_head_pack(uint32_t state, uint32_t seq, uint8_t out[KV_HEAD_LEN]);

/* --- slot states ---------------------------------------------------------- */

/* A bit can only be cleared, and a torn program clears some of those it was to
 * clear: so EMPTY reaches ERASED through ILLEGAL and never through WRITTEN. */
enum kv_slot {
    KV_SLOT_ERASED = 0,
    KV_SLOT_ILLEGAL = 1,
    KV_SLOT_WRITTEN = 2,
    KV_SLOT_EMPTY = 3
};

enum kv_slot kv_bits_get(const uint8_t bits[KV_BITS_LEN], uint32_t idx);
/* Clears bits only: the result is the AND of both. */
void kv_bits_and(uint8_t bits[KV_BITS_LEN], uint32_t idx, enum kv_slot state);
bool kv_bits_all(const uint8_t bits[KV_BITS_LEN], uint32_t idx, uint32_t cnt,
                 enum kv_slot state);

/* --- entries -------------------------------------------------------------- */

enum kv_type {
    KV_TYPE_U8 = 0x01,
    KV_TYPE_U16 = 0x02,
    KV_TYPE_U32 = 0x04,
    KV_TYPE_U64 = 0x08,
    KV_TYPE_I8 = 0x11,
    KV_TYPE_I16 = 0x12,
    KV_TYPE_I32 = 0x14,
    KV_TYPE_I64 = 0x18,
    KV_TYPE_STR = 0x21,
    KV_TYPE_FLOAT = 0x24,
    KV_TYPE_DOUBLE = 0x28,
    KV_TYPE_BLOB_V1 = 0x41,
    KV_TYPE_CHUNK = 0x42,
    KV_TYPE_INDEX = 0x48,
    KV_TYPE_ANY = 0xFF
};

#define KV_CHUNK_NONE 0xFFu
#define KV_BLOB_HALF 0x80u /* chunks count from 0 or from here */
#define KV_BLOB_CHUNKS 127u
#define KV_CRC_SEED 0xFFFFFFFFu /* of every CRC in this format */

struct kv_entry {
    uint8_t ns;
    uint8_t type;
    uint8_t span;         /* slots, this one included */
    uint8_t chunk;        /* KV_CHUNK_NONE, or the number of a CHUNK */
    char key[KV_KEY_LEN]; /* NUL padded */
    uint8_t data[8];
};

/* What `data` means, by type. */
struct kv_payload {
    uint16_t len;
    uint32_t crc;
};
struct kv_index {
    uint32_t len;
    uint8_t cnt;
    uint8_t start;
};

/* Is there an entry that the page can hold at idx? Its CRC is right, its span
 * ends inside the page, its key ends, and a payload fits its span. */
MUST_CHECK bool kv_entry_parse(const uint8_t raw[KV_SLOT_LEN], uint32_t idx,
                               struct kv_entry *out);
void kv_entry_pack(const struct kv_entry *e, uint8_t out[KV_SLOT_LEN]);

/* Fills key, type and the rest; data is left for one of the three below. The
 * key has at most KV_KEY_LEN - 1 characters. */
struct kv_entry kv_entry_of(uint8_t ns, uint8_t type, const char *key);

bool kv_type_is_number(uint8_t type);
/* STR, CHUNK and BLOB_V1: a payload in the slots that follow. */
bool kv_type_has_payload(uint8_t type);

void kv_entry_set_number(struct kv_entry *e, uint64_t value);
/* 0 for an entry whose type is no number's. */
uint64_t kv_entry_number(const struct kv_entry *e);
/* Sets the span, too. */
void kv_entry_set_payload(struct kv_entry *e, struct span bytes);
struct kv_payload kv_entry_payload(const struct kv_entry *e);
void kv_entry_set_index(struct kv_entry *e, const struct kv_index *index);
struct kv_index kv_entry_index(const struct kv_entry *e);

/* Slots that len bytes of payload take, the entry's own included. */
uint32_t kv_span_of(uint32_t len);

/* A number from 1 to 255 that equal (ns, key, chunk) share. */
uint8_t kv_tag(const struct kv_entry *e);

#endif
