/* tls/bundle_build.h - compact bundles from certificates, and their use where
 * the library's own configuration object is what there is.
 *
 * Order: fill heap and rules, add any number of files, finish; free always.
 * Between tls_init() and tls_deinit(). */
#ifndef TLS_BUNDLE_BUILD_H
#define TLS_BUNDLE_BUILD_H

#include "base/diag.h"
#include "port/heap.h"
#include "tls/bundle.h"

#define TLS_BUNDLE_MAX_CNT 4096u

struct tls_bundle_item; /* in heap */

struct tls_bundle_build {
    const struct port_heap *heap;
    int64_t now_s; /* who ended before is left out; 0: nobody is */
    struct tls_bundle_item *items;
    uint32_t item_cnt, item_cap;
    /* What became of the certificates. */
    uint32_t taken_cnt, twice_cnt, ended_cnt, weak_cnt, bad_cnt;
};

/* All certificates of one PEM text, or one in DER. Those that cannot be used
 * are counted and left out; everything else in a PEM text is passed over.
 * ESP_ERR_NO_MEM; ESP_ERR_INVALID_SIZE: more than TLS_BUNDLE_MAX_CNT;
 * ESP_ERR_NOT_FOUND: there is no certificate in it. */
MUST_CHECK esp_err_t tls_bundle_add(struct tls_bundle_build *b,
                                    struct span text, struct diag *d);
/* *out lives in heap and is the caller's. ESP_ERR_NOT_FOUND: nothing was
 * taken. */
MUST_CHECK esp_err_t tls_bundle_finish(struct tls_bundle_build *b,
                                       struct span *out, struct diag *d);
void tls_bundle_build_free(struct tls_bundle_build *b); /* idempotent */

/* A name as people read it ("CN=..., O=..."), and "RSA 2048", "EC 256". */
void tls_anchor_name(const struct tls_anchor *a, char *out, size_t out_len);
void tls_anchor_key(const struct tls_anchor *a, char *out, size_t out_len);

/* Makes a configuration object of the library trust the bundle, which must
 * outlive it. A session that finds this in its own configuration does more:
 * see tls_mbedtls_verify.c. */
void tls_bundle_attach(void *library_conf, struct tls_bundle *b);
void tls_bundle_detach(void *library_conf);
/* Is this list of certificates the one that tls_bundle_attach() sets? */
bool tls_bundle_is_list(const void *library_list);

#endif
