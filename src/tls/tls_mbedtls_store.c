/* tls/store.h: certificates that are parsed once, for many sessions. */
#include "tls/tls_mbedtls.h"

#include "tls/store.h"

struct tls_store *tls_store_new(void)
{
    const struct port_heap *heap = tls_lib_env()->heap;
    struct tls_store *s = heap->alloc(heap->ctx, sizeof(*s));

    if (s)
        mbedtls_x509_crt_init(&s->certs);
    return s;
}

void tls_store_clear(struct tls_store *s)
{
    mbedtls_x509_crt_free(&s->certs);
    mbedtls_x509_crt_init(&s->certs);
}

esp_err_t tls_store_set(struct tls_store *s, struct span text,
                        unsigned *bad_cnt)
{
    unsigned refused = tls_lib_refused_cnt();
    struct tls_blob blob;

    *bad_cnt = 0;
    tls_store_clear(s);
    esp_err_t err = tls_blob_open(&blob, text);
    if (err)
        return err;
    int ret = mbedtls_x509_crt_parse(&s->certs, blob.ptr, blob.len);
    tls_blob_close(&blob);
    err = tls_lib_err(refused, ESP_OK);
    if (!err && (ret < 0 || tls_store_is_empty(s)))
        err = ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED;
    if (err)
        tls_store_clear(s);
    else if (ret > 0)
        *bad_cnt = (unsigned)ret;
    return err;
}

bool tls_store_is_empty(const struct tls_store *s)
{
    return s->certs.raw.len == 0;
}

void *tls_store_library(struct tls_store *s)
{
    return &s->certs;
}

void tls_store_free(struct tls_store *s)
{
    const struct port_heap *heap = tls_lib_env()->heap;

    if (!s)
        return;
    mbedtls_x509_crt_free(&s->certs);
    heap->free(heap->ctx, s);
}
