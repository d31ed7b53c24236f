/* SHA-256 by the instructions that ARMv8 has as an extension. This file is
 * built with them allowed: nothing here runs before the kernel said that the
 * processor has them, but the question itself. */
#include "crypto/sha256_cpu.h"

#include <arm_neon.h>
#include <sys/auxv.h>

#include "crypto/sha256_k.h"

#define HAS_SHA2 (1ul << 6) /* HWCAP_SHA2 of the kernel's interface */

bool sha256_cpu_has(void)
{
    return (getauxval(AT_HWCAP) & HAS_SHA2) != 0;
}

struct state {
    uint32x4_t abcd, efgh;
};

static inline void rounds(struct state *s, uint32x4_t w, const uint32_t *k)
{
    uint32x4_t wk = vaddq_u32(w, vld1q_u32(k)), abcd = s->abcd;

    s->abcd = vsha256hq_u32(abcd, s->efgh, wk);
    s->efgh = vsha256h2q_u32(s->efgh, abcd, wk);
}

/* The four words that follow the sixteen of w0 ... w3. */
static inline uint32x4_t next(uint32x4_t w0, uint32x4_t w1, uint32x4_t w2,
                              uint32x4_t w3)
{
    return vsha256su1q_u32(vsha256su0q_u32(w0, w1), w2, w3);
}

static inline uint32x4_t big_endian(const uint8_t *p)
{
    return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(p)));
}

static inline void block(struct state *s, const uint8_t *p)
{
    uint32x4_t w0 = big_endian(p), w1 = big_endian(p + 16);
    uint32x4_t w2 = big_endian(p + 32), w3 = big_endian(p + 48);
    struct state old = *s;

    for (unsigned i = 0;; i += 16) {
        rounds(s, w0, sha256_k + i);
        rounds(s, w1, sha256_k + i + 4);
        rounds(s, w2, sha256_k + i + 8);
        rounds(s, w3, sha256_k + i + 12);
        if (i == 48)
            break;
        w0 = next(w0, w1, w2, w3);
        w1 = next(w1, w2, w3, w0);
        w2 = next(w2, w3, w0, w1);
        w3 = next(w3, w0, w1, w2);
    }
    s->abcd = vaddq_u32(s->abcd, old.abcd);
    s->efgh = vaddq_u32(s->efgh, old.efgh);
}

void sha256_cpu_blocks(uint32_t state[8], const uint8_t *data, size_t cnt)
{
    struct state s = { vld1q_u32(state), vld1q_u32(state + 4) };

    for (; cnt > 0; cnt--, data += SHA256_BLOCK_LEN)
        block(&s, data);
    vst1q_u32(state, s.abcd);
    vst1q_u32(state + 4, s.efgh);
}
