/* tls/bundle.h - certificate authorities in little room: of each only its name
 * and its public key, in the reference's format.
 *
 *     u32 offset[N]                           little-endian, from the start
 *     N times: u16 name_len, u16 key_len, name, key
 *
 * name is the subject and key the SubjectPublicKeyInfo, both in DER; entries
 * are sorted by name, byte by byte. Who is in a bundle is trusted without
 * dates and without limits. Names may occur more than once.
 *
 * This part is a parser without I/O and memory; tls/bundle_build.h makes
 * bundles from certificates. */
#ifndef TLS_BUNDLE_H
#define TLS_BUNDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct tls_bundle {
    struct span bytes; /* borrowed */
    uint32_t cnt;
};

struct tls_anchor {
    struct span name, key;
};

/* ESP_ERR_INVALID_ARG: no bundle, or one that is damaged or not sorted. */
MUST_CHECK esp_err_t tls_bundle_parse(struct span bytes,
                                      struct tls_bundle *out);
/* idx < cnt. */
struct tls_anchor tls_bundle_at(const struct tls_bundle *b, uint32_t idx);
/* The first entry of that name; its neighbours may have the same. cnt: there
 * is none. */
uint32_t tls_bundle_find(const struct tls_bundle *b, struct span name);
/* < 0, 0, > 0: the order of entries. */
int tls_bundle_order(struct span a, struct span b);

#endif
