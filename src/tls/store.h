/* tls/store.h - certificates that several sessions trust, parsed once.
 *
 * Between tls_init() and tls_deinit(). Not changed while a handshake is under
 * way; sessions that are open already do not need it. */
#ifndef TLS_STORE_H
#define TLS_STORE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

struct tls_store;

/* Empty. NULL: out of memory. */
struct tls_store *tls_store_new(void);
/* Puts the certificates of text (PEM or DER) in the place of what was there;
 * *bad_cnt of them could not be read.
 * ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED: none could, the store is empty. */
MUST_CHECK esp_err_t tls_store_set(struct tls_store *s, struct span text,
                                   unsigned *bad_cnt);
void tls_store_clear(struct tls_store *s);
bool tls_store_is_empty(const struct tls_store *s);
/* The library's own list of certificates. */
void *tls_store_library(struct tls_store *s);
void tls_store_free(struct tls_store *s); /* NULL is a no-op */

#endif
