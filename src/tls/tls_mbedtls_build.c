/* Certificates made into a bundle, one at a time: what is in memory beside
 * the text is the bundle so far and one certificate. */
#include "tls/tls_mbedtls.h"

#include <stdio.h>
#include <stdlib.h>

#include <mbedtls/pem.h>

#include "base/le.h"
#include "tls/bundle_build.h"
#include "tls/date.h"

#define OFFSET_LEN 4u
#define ENTRY_HEAD_LEN 4u
#define ITEMS_STEP 32u
#define NAME_PARTS_MAX 16u
#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END "-----END CERTIFICATE-----"

struct tls_bundle_item {
    uint8_t *bytes; /* name, then key */
    uint16_t name_len, key_len;
};

static struct span item_name(const struct tls_bundle_item *i)
{
    return span_of(i->bytes, i->name_len);
}

static struct span item_key(const struct tls_bundle_item *i)
{
    return span_of(i->bytes + i->name_len, i->key_len);
}

static bool has(const struct tls_bundle_build *b, const mbedtls_x509_crt *crt)
{
    struct span name = span_of(crt->subject_raw.p, crt->subject_raw.len);
    struct span key = span_of(crt->pk_raw.p, crt->pk_raw.len);

    for (uint32_t i = 0; i < b->item_cnt; i++) {
        if (tls_bundle_order(item_name(&b->items[i]), name) == 0 &&
            tls_bundle_order(item_key(&b->items[i]), key) == 0)
            return true;
    }
    return false;
}

static esp_err_t room_for_one(struct tls_bundle_build *b)
{
    uint32_t cap = b->item_cap + ITEMS_STEP;

    if (b->item_cnt < b->item_cap)
        return ESP_OK;
    if (b->item_cnt == TLS_BUNDLE_MAX_CNT)
        return ESP_ERR_INVALID_SIZE;
    struct tls_bundle_item *items =
        b->heap->alloc(b->heap->ctx, cap * sizeof(*items));
    if (!items)
        return ESP_ERR_NO_MEM;
    if (b->item_cnt > 0)
        memcpy(items, b->items, b->item_cnt * sizeof(*items));
    b->heap->free(b->heap->ctx, b->items);
    b->items = items;
    b->item_cap = cap;
    return ESP_OK;
}

static esp_err_t take(struct tls_bundle_build *b, const mbedtls_x509_crt *crt)
{
    size_t name_len = crt->subject_raw.len;
    size_t key_len = crt->pk_raw.len;
    esp_err_t err = room_for_one(b);

    if (err)
        return err;
    uint8_t *bytes = b->heap->alloc(b->heap->ctx, name_len + key_len);
    if (!bytes)
        return ESP_ERR_NO_MEM;
    memcpy(bytes, crt->subject_raw.p, name_len);
    memcpy(bytes + name_len, crt->pk_raw.p, key_len);
    b->items[b->item_cnt++] =
        (struct tls_bundle_item){ bytes, (uint16_t)name_len,
                                  (uint16_t)key_len };
    b->taken_cnt++;
    return ESP_OK;
}

static bool ended(const struct tls_bundle_build *b, const mbedtls_x509_crt *crt)
{
    return b->now_s > 0 && tls_time_seconds(&crt->valid_to) < b->now_s;
}

static esp_err_t consider(struct tls_bundle_build *b,
                          const mbedtls_x509_crt *crt)
{
    if (crt->subject_raw.len > UINT16_MAX || crt->pk_raw.len > UINT16_MAX)
        b->bad_cnt++;
    else if (tls_key_is_weak(&crt->pk))
        b->weak_cnt++;
    else if (ended(b, crt))
        b->ended_cnt++;
    else if (has(b, crt))
        b->twice_cnt++;
    else
        return take(b, crt);
    return ESP_OK;
}

static esp_err_t add_der(struct tls_bundle_build *b, const uint8_t *der,
                         size_t len)
{
    unsigned refused = tls_lib_refused_cnt();
    mbedtls_x509_crt crt;

    mbedtls_x509_crt_init(&crt);
    int ret = mbedtls_x509_crt_parse_der_nocopy(&crt, der, len);
    esp_err_t err = tls_lib_err(refused, ESP_OK);
    if (!err && ret != 0)
        b->bad_cnt++;
    else if (!err)
        err = consider(b, &crt);
    mbedtls_x509_crt_free(&crt);
    return err;
}

/* One block from *at on. *at moves behind it; NULL: there was none. */
static esp_err_t add_pem_block(struct tls_bundle_build *b, const uint8_t **at)
{
    unsigned refused = tls_lib_refused_cnt();
    mbedtls_pem_context pem;
    size_t used = 0;
    esp_err_t err = ESP_OK;

    mbedtls_pem_init(&pem);
    int ret =
        mbedtls_pem_read_buffer(&pem, PEM_BEGIN, PEM_END, *at, NULL, 0, &used);
    if (ret == 0) {
        size_t len = 0;
        const uint8_t *der = mbedtls_pem_get_buffer(&pem, &len);
        err = add_der(b, der, len);
    } else {
        err = tls_lib_err(refused, ESP_OK);
        /* One that begins and does not end is bad, too. */
        b->bad_cnt +=
            !err && (used > 0 || strstr((const char *)*at, PEM_BEGIN));
    }
    mbedtls_pem_free(&pem);
    *at = used > 0 ? *at + used : NULL;
    return err;
}

static uint32_t seen_cnt(const struct tls_bundle_build *b)
{
    return b->taken_cnt + b->twice_cnt + b->ended_cnt + b->weak_cnt +
           b->bad_cnt;
}

esp_err_t tls_bundle_add(struct tls_bundle_build *b, struct span text,
                         struct diag *d)
{
    uint32_t before = seen_cnt(b);
    struct tls_blob blob;
    esp_err_t err = tls_blob_open(&blob, text);

    if (!err && tls_is_pem(text)) {
        const uint8_t *at = blob.ptr;
        while (!err && at)
            err = add_pem_block(b, &at);
    } else if (!err && text.len > 0) {
        err = add_der(b, text.ptr, text.len);
    }
    tls_blob_close(&blob);
    if (err == ESP_ERR_INVALID_SIZE)
        return diag_fail(d, DIAG_STAGE_FILE, err,
                         "more than %u certificates are no bundle",
                         TLS_BUNDLE_MAX_CNT);
    if (err)
        return diag_fail(d, DIAG_STAGE_FILE, err, "out of memory");
    if (seen_cnt(b) > before)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NOT_FOUND,
                     "there is no certificate in PEM or DER in these %zu bytes",
                     text.len);
}

static int by_name(const void *a, const void *b)
{
    int order = tls_bundle_order(item_name(a), item_name(b));

    return order != 0 ? order : tls_bundle_order(item_key(a), item_key(b));
}

static void lay_out(const struct tls_bundle_build *b, uint8_t *out)
{
    uint32_t off = b->item_cnt * OFFSET_LEN;

    for (uint32_t i = 0; i < b->item_cnt; i++) {
        const struct tls_bundle_item *item = &b->items[i];
        size_t len = (size_t)item->name_len + item->key_len;
        le32_put(out + (size_t)i * OFFSET_LEN, off);
        le16_put(out + off, item->name_len);
        le16_put(out + off + 2, item->key_len);
        memcpy(out + off + ENTRY_HEAD_LEN, item->bytes, len);
        off += (uint32_t)(ENTRY_HEAD_LEN + len);
    }
}

esp_err_t tls_bundle_finish(struct tls_bundle_build *b, struct span *out,
                            struct diag *d)
{
    size_t len = 0;

    *out = span_of(NULL, 0);
    if (b->item_cnt == 0)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NOT_FOUND,
                         "no certificate is left: %u cannot be read, %u ended, "
                         "%u have a weak key",
                         (unsigned)b->bad_cnt, (unsigned)b->ended_cnt,
                         (unsigned)b->weak_cnt);
    for (uint32_t i = 0; i < b->item_cnt; i++)
        len += OFFSET_LEN + ENTRY_HEAD_LEN + b->items[i].name_len +
               b->items[i].key_len;
    uint8_t *bytes = b->heap->alloc(b->heap->ctx, len);
    if (!bytes)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
    qsort(b->items, b->item_cnt, sizeof(*b->items), by_name);
    lay_out(b, bytes);
    *out = span_of(bytes, len);
    return ESP_OK;
}

void tls_bundle_build_free(struct tls_bundle_build *b)
{
    for (uint32_t i = 0; i < b->item_cnt; i++)
        b->heap->free(b->heap->ctx, b->items[i].bytes);
    b->heap->free(b->heap->ctx, b->items);
    b->items = NULL;
    b->item_cnt = b->item_cap = 0;
}

/* RelativeDistinguishedName with one attribute (RFC 5280 section 4.1.2.4); of
 * several the first is shown. */
static bool next_attribute(unsigned char **at, const unsigned char *end,
                           mbedtls_asn1_named_data *out)
{
    const int seq = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;
    const int set = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SET;
    unsigned char *p = *at;
    size_t len = 0;

    if (mbedtls_asn1_get_tag(&p, end, &len, set) != 0)
        return false;
    *at = p + len;
    if (mbedtls_asn1_get_tag(&p, *at, &len, seq) != 0 ||
        mbedtls_asn1_get_tag(&p, *at, &out->oid.len, MBEDTLS_ASN1_OID) != 0)
        return false;
    out->oid.tag = MBEDTLS_ASN1_OID;
    out->oid.p = p;
    p += out->oid.len;
    if (p == *at)
        return false;
    out->val.tag = *p++;
    out->val.p = mbedtls_asn1_get_len(&p, *at, &out->val.len) == 0 ? p : NULL;
    return out->val.p != NULL;
}

void tls_anchor_name(const struct tls_anchor *a, char *out, size_t out_len)
{
    unsigned char *at = tls_writable(a->name.ptr);
    const unsigned char *end = at + a->name.len;
    mbedtls_asn1_named_data dn[NAME_PARTS_MAX];
    size_t len = 0, cnt = 0;

    memset(dn, 0, sizeof(dn));
    (void)snprintf(out, out_len, "(a name that cannot be shown)");
    if (mbedtls_asn1_get_tag(&at, end, &len,
                             MBEDTLS_ASN1_CONSTRUCTED |
                                 MBEDTLS_ASN1_SEQUENCE) != 0)
        return;
    while (at < end && cnt < NAME_PARTS_MAX &&
           next_attribute(&at, end, &dn[cnt]))
        cnt++;
    for (size_t i = 0; i + 1 < cnt; i++)
        dn[i].next = &dn[i + 1];
    if (cnt > 0 && mbedtls_x509_dn_gets(out, out_len, dn) < 0)
        (void)snprintf(out, out_len, "(a name too long to show)");
}

void tls_anchor_key(const struct tls_anchor *a, char *out, size_t out_len)
{
    unsigned char *at = tls_writable(a->key.ptr);
    mbedtls_pk_context pk;

    mbedtls_pk_init(&pk);
    if (mbedtls_pk_parse_subpubkey(&at, a->key.ptr + a->key.len, &pk) == 0)
        (void)snprintf(out, out_len, "%s %u", mbedtls_pk_get_name(&pk),
                       (unsigned)mbedtls_pk_get_bitlen(&pk));
    else
        (void)snprintf(out, out_len, "a key that cannot be read");
    mbedtls_pk_free(&pk);
}
