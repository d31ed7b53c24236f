#include "witness.h"

#define STATE_PENDING 1u
#define STATE_INVALID 3u
#define STATE_ABORTED 4u

static uint32_t get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

/* Reference 3.1: over the sequence, bit by bit, the register starting at 0. */
static uint32_t seq_crc(const uint8_t *rec)
{
    uint32_t crc = 0;
    for (unsigned i = 0; i < 4; i++) {
        crc ^= rec[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

bool witness_rec_sound(const uint8_t rec[32])
{
    return get32(rec) != UINT32_MAX && get32(rec + 28) == seq_crc(rec);
}

static uint32_t state_of(const struct witness *w, const uint8_t *rec)
{
    uint32_t state = get32(rec + 24);
    return w->rollback && state == STATE_PENDING ? STATE_ABORTED : state;
}

static bool refused(const struct witness *w, const uint8_t *rec)
{
    uint32_t state = state_of(w, rec);
    return get32(rec) == UINT32_MAX || state == STATE_INVALID ||
           state == STATE_ABORTED;
}

/* -1: the factory's program. */
static int first_choice(const struct witness *w)
{
    bool ok[2];
    if ((refused(w, w->rec[0]) && refused(w, w->rec[1])) || w->slot_cnt == 0)
        return w->has_factory ? -1 : 0;
    for (unsigned i = 0; i < 2; i++)
        ok[i] = !refused(w, w->rec[i]) &&
                get32(w->rec[i] + 28) == seq_crc(w->rec[i]);
    if (!ok[0] && !ok[1])
        return -1;
    unsigned best = ok[0] ? 0 : 1;
    if (ok[0] && ok[1] && get32(w->rec[1]) > get32(w->rec[0]))
        best = 1;
    return (int)((get32(w->rec[best]) - 1) % w->slot_cnt);
}

static bool boots(const struct witness *w, int i)
{
    if (i < 0)
        return w->good(w->ctx, WITNESS_FACTORY);
    return i < (int)w->slot_cnt && w->good(w->ctx, (uint32_t)i);
}

uint32_t witness_boots(const struct witness *w)
{
    int start = first_choice(w);
    for (int i = start; i >= -1; i--)
        if (boots(w, i))
            return i < 0 ? WITNESS_FACTORY : (uint32_t)i;
    for (int i = start + 1; i < (int)w->slot_cnt; i++)
        if (boots(w, i))
            return (uint32_t)i;
    return w->good(w->ctx, WITNESS_TEST) ? WITNESS_TEST : WITNESS_NONE;
}
