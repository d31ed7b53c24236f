/* kv/format.h: a page's head, and the two bits of each of its entries. Pure. */
#include "kv/format.h"

#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/le.h"

#define SEQ_OFF 4u
#define VERSION_OFF 8u
#define HEAD_CRC_OFF 28u

/* --- header --------------------------------------------------------------- */

/* The state is not covered: it changes while the rest stays. */
static uint32_t head_crc(const uint8_t *head)
{
    return crc32_le(KV_CRC_SEED, head + SEQ_OFF, HEAD_CRC_OFF - SEQ_OFF);
}

static enum kv_head_kind kind_of(uint32_t state)
{
    switch (state) {
    case KV_STATE_ACTIVE:
        return KV_HEAD_ACTIVE;
    case KV_STATE_FULL:
        return KV_HEAD_FULL;
    case KV_STATE_FREEING:
        return KV_HEAD_FREEING;
    default:
        return KV_HEAD_BAD;
    }
}

enum kv_head_kind kv_head_parse(const uint8_t head[KV_HEAD_LEN], uint32_t *seq)
{
    uint32_t state = le32_get(head);

    if (bytes_are(head, KV_HEAD_LEN, 0xFF))
        return KV_HEAD_BLANK;
    if (state == KV_STATE_UNUSED ||
        le32_get(head + HEAD_CRC_OFF) != head_crc(head))
        return KV_HEAD_BAD;
    if (head[VERSION_OFF] < KV_VERSION)
        return KV_HEAD_NEWER;
    *seq = le32_get(head + SEQ_OFF);
    return kind_of(state);
}

void kv_head_pack(uint32_t state, uint32_t seq, uint8_t out[KV_HEAD_LEN])
{
    memset(out, 0xFF, KV_HEAD_LEN);
    le32_put(out, state);
    le32_put(out + SEQ_OFF, seq);
    out[VERSION_OFF] = KV_VERSION;
    le32_put(out + HEAD_CRC_OFF, head_crc(out));
}

/* --- slot states: two bits each, lowest first ----------------------------- */

enum kv_slot kv_bits_get(const uint8_t bits[KV_BITS_LEN], uint32_t idx)
{
    return (enum kv_slot)(bits[idx / 4] >> idx % 4 * 2 & 3u);
}

void kv_bits_and(uint8_t bits[KV_BITS_LEN], uint32_t idx, enum kv_slot state)
{
    uint32_t clear = (~(uint32_t)state & 3u) << idx % 4 * 2;

    bits[idx / 4] &= (uint8_t)~clear;
}

bool kv_bits_all(const uint8_t bits[KV_BITS_LEN], uint32_t idx, uint32_t cnt,
                 enum kv_slot state)
{
    for (uint32_t i = idx; i < idx + cnt; i++) {
        if (kv_bits_get(bits, i) != state)
            return false;
    }
    return true;
}
