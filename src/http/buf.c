#include "http/buf.h"

#include "crypto/ct.h"

#define BUF_MIN_LEN 64u

esp_err_t http_buf_reserve(struct http_buf *b, size_t len)
{
    size_t cap = b->cap ? b->cap : BUF_MIN_LEN;

    if (len >= SIZE_MAX / 4)
        return ESP_ERR_NO_MEM;
    if (len < b->cap)
        return ESP_OK;
    while (cap <= len)
        cap *= 2;
    char *ptr = b->heap->alloc(b->heap->ctx, cap);
    if (!ptr)
        return ESP_ERR_NO_MEM;
    size_t keep = b->len;
    if (keep > 0)
        memcpy(ptr, b->ptr, keep);
    http_buf_free(b);
    b->ptr = ptr;
    b->len = keep;
    b->cap = cap;
    return ESP_OK;
}

/* Lengths of things that are in memory: they do not overflow. */
esp_err_t http_buf_join(struct http_buf *b, const struct span *parts,
                        size_t cnt)
{
    size_t len = b->len;

    for (size_t i = 0; i < cnt; i++)
        len += parts[i].len;
    esp_err_t err = http_buf_reserve(b, len);
    if (err)
        return err;
    for (size_t i = 0; i < cnt; i++) {
        if (parts[i].len > 0)
            memcpy(b->ptr + b->len, parts[i].ptr, parts[i].len);
        b->len += parts[i].len;
    }
    b->ptr[b->len] = '\0';
    return ESP_OK;
}

esp_err_t http_buf_add(struct http_buf *b, struct span s)
{
    return http_buf_join(b, &s, 1);
}

void http_buf_reset(struct http_buf *b)
{
    b->len = 0;
    if (b->ptr)
        b->ptr[0] = '\0';
}

void http_buf_free(struct http_buf *b)
{
    if (b->ptr)
        ct_wipe(b->ptr, b->cap);
    b->heap->free(b->heap->ctx, b->ptr);
    b->ptr = NULL;
    b->len = 0;
    b->cap = 0;
}
