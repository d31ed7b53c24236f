/* SHA-256 by the instructions that x86 calls SHA extensions. Two rounds are
 * one instruction, and so are the two halves of the message schedule. The
 * state is kept as the instructions want it: a b e f, and c d g h. */
#include "crypto/sha256_cpu.h"

#include <cpuid.h>
#include <immintrin.h>

#include "crypto/sha256_k.h"

#define WITH_SHA __attribute__((target("sha,sse4.1")))

#define CPUID_SSSE3 (1u << 9)  /* leaf 1, ecx */
#define CPUID_SSE41 (1u << 19) /* leaf 1, ecx */
#define CPUID_SHA (1u << 29)   /* leaf 7, ebx */

bool sha256_cpu_has(void)
{
    const unsigned want = CPUID_SSSE3 | CPUID_SSE41;
    unsigned a, b, c, d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & want) != want)
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & CPUID_SHA) != 0;
}

struct state {
    __m128i abef, cdgh;
};

WITH_SHA static inline void rounds(struct state *s, __m128i w,
                                   const uint32_t *k)
{
    __m128i wk = _mm_add_epi32(w, _mm_loadu_si128((const __m128i *)k));

    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, wk);
    wk = _mm_shuffle_epi32(wk, 0x0e);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, wk);
}

/* The four words that follow the sixteen of w0 ... w3. */
WITH_SHA static inline __m128i next(__m128i w0, __m128i w1, __m128i w2,
                                    __m128i w3)
{
    __m128i sum =
        _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));

    return _mm_sha256msg2_epu32(sum, w3);
}

WITH_SHA static inline __m128i big_endian(const uint8_t *p)
{
    const __m128i order =
        _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

    return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)p),
                            order);
}

WITH_SHA static inline void block(struct state *s, const uint8_t *p)
{
    __m128i w0 = big_endian(p), w1 = big_endian(p + 16);
    __m128i w2 = big_endian(p + 32), w3 = big_endian(p + 48);
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
    s->abef = _mm_add_epi32(s->abef, old.abef);
    s->cdgh = _mm_add_epi32(s->cdgh, old.cdgh);
}

WITH_SHA void sha256_cpu_blocks(uint32_t state[8], const uint8_t *data,
                                size_t cnt)
{
    __m128i *h = (__m128i *)(void *)state;
    __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128(h), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(h + 1), 0x1b);
    struct state s = { _mm_alignr_epi8(abcd, efgh, 8),
                       _mm_blend_epi16(efgh, abcd, 0xf0) };

    for (; cnt > 0; cnt--, data += SHA256_BLOCK_LEN)
        block(&s, data);
    s.abef = _mm_shuffle_epi32(s.abef, 0x1b); /* f e b a, from the low end */
    s.cdgh = _mm_shuffle_epi32(s.cdgh, 0xb1);
    _mm_storeu_si128(h, _mm_blend_epi16(s.abef, s.cdgh, 0xf0));
    _mm_storeu_si128(h + 1, _mm_alignr_epi8(s.cdgh, s.abef, 8));
}
