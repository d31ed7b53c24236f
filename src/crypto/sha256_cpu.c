/* SHA-256 by the processor's own instructions where it has them, else by Mbed
 * TLS. Which one a digest is computed by is settled when it begins. */
#include "crypto/sha256.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "crypto/ct.h"
#include "crypto/sha256_cpu.h"
#include "crypto/sha256_k.h"
#include "crypto/sha256_lib.h"

/* Not base/blocks.h: runs of blocks in one call, and no end at 4 GiB. */
struct cpu {
    uint64_t len; /* bytes so far */
    uint32_t h[8];
    uint8_t block[SHA256_BLOCK_LEN];
};

struct ctx {
    bool by_cpu;
    union {
        struct cpu cpu;
        mbedtls_sha256_context lib;
    } u;
};
static_assert(sizeof(struct ctx) <= sizeof(struct sha256),
              "struct sha256 is too small for this back end");
static_assert(_Alignof(struct ctx) <= _Alignof(struct sha256),
              "struct sha256 is aligned too little for this back end");

static struct ctx *ctx_of(struct sha256 *s)
{
    return (struct ctx *)(void *)s->opaque;
}

/* The answer does not change while a program runs, so it is kept: threads that
 * ask at once write the same. */
static bool cpu_has(void)
{
    enum { UNKNOWN, NO, YES };
    static atomic_int known = UNKNOWN;
    int now = atomic_load_explicit(&known, memory_order_relaxed);

    if (now == UNKNOWN) {
        now = sha256_cpu_has() ? YES : NO;
        atomic_store_explicit(&known, now, memory_order_relaxed);
    }
    return now == YES;
}

static void cpu_init(struct cpu *c)
{
    c->len = 0;
    memcpy(c->h, sha256_start, sizeof(c->h));
}

static void cpu_update(struct cpu *c, const uint8_t *p, size_t len)
{
    size_t at = (size_t)(c->len % SHA256_BLOCK_LEN);
    size_t whole;

    c->len += len;
    if (at > 0) {
        size_t n = len < SHA256_BLOCK_LEN - at ? len : SHA256_BLOCK_LEN - at;
        memcpy(c->block + at, p, n);
        if (at + n < SHA256_BLOCK_LEN)
            return;
        sha256_cpu_blocks(c->h, c->block, 1);
        p += n;
        len -= n;
    }
    whole = len / SHA256_BLOCK_LEN;
    sha256_cpu_blocks(c->h, p, whole);
    p += whole * SHA256_BLOCK_LEN;
    len -= whole * SHA256_BLOCK_LEN;
    if (len > 0)
        memcpy(c->block, p, len);
}

static void cpu_final(struct cpu *c, uint8_t out[SHA256_LEN])
{
    static const uint8_t pad[SHA256_BLOCK_LEN] = { 0x80 };
    uint64_t bits = c->len * 8;
    size_t at = (size_t)(c->len % SHA256_BLOCK_LEN);
    uint8_t tail[8];

    for (unsigned i = 0; i < sizeof(tail); i++)
        tail[i] = (uint8_t)(bits >> (56 - 8 * i));
    /* One byte 0x80, then zeros up to the length that ends a block. */
    cpu_update(c, pad,
               1 + (2 * SHA256_BLOCK_LEN - 1 - sizeof(tail) - at) %
                       SHA256_BLOCK_LEN);
    cpu_update(c, tail, sizeof(tail));
    for (unsigned i = 0; i < SHA256_LEN; i++)
        out[i] = (uint8_t)(c->h[i / 4] >> (24 - 8 * (i % 4)));
    ct_wipe(c, sizeof(*c)); /* as the library does: it may be a password's */
}

void sha256_init(struct sha256 *s)
{
    struct ctx *c = ctx_of(s);

    c->by_cpu = cpu_has();
    if (c->by_cpu)
        cpu_init(&c->u.cpu);
    else
        sha256_lib_init(&c->u.lib);
}

void sha256_update(struct sha256 *s, const void *data, size_t len)
{
    struct ctx *c = ctx_of(s);

    if (len == 0)
        return;
    if (c->by_cpu)
        cpu_update(&c->u.cpu, data, len);
    else
        sha256_lib_update(&c->u.lib, data, len);
}

void sha256_final(struct sha256 *s, uint8_t out[SHA256_LEN])
{
    struct ctx *c = ctx_of(s);

    if (c->by_cpu)
        cpu_final(&c->u.cpu, out);
    else
        sha256_lib_final(&c->u.lib, out);
}

void sha256_clone(struct sha256 *dst, const struct sha256 *src)
{
    memcpy(dst, src, sizeof(*dst));
}
