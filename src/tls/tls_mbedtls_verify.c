/* What happens at each certificate of the chain, root first.
 *
 * The library compares dates with the C library's clock. Ours is the port's,
 * and may never have been set: its two findings are dropped and made anew.
 * Of the rest only "not trusted" is touched, for a bundle. */
#include "tls/tls_mbedtls.h"

#include <stdio.h>

#include <mbedtls/oid.h>

#define DATE_FLAGS (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)

int64_t tls_time_seconds(const mbedtls_x509_time *t)
{
    const int date[3] = { t->year, t->mon, t->day };
    const int time[3] = { t->hour, t->min, t->sec };

    return tls_date_seconds(date, time);
}

/* Each certificate is judged here, so here is where the first end is kept. */
static uint32_t date_flags(struct tls_verify *v, const mbedtls_x509_crt *crt)
{
    int64_t to_s = tls_time_seconds(&crt->valid_to);

    if (to_s < v->until_s)
        v->until_s = to_s;
    switch (tls_date_judge(&v->now, tls_time_seconds(&crt->valid_from), to_s)) {
    case TLS_DATE_GOOD:
        return 0;
    case TLS_DATE_EXPIRED:
        return MBEDTLS_X509_BADCERT_EXPIRED;
    case TLS_DATE_FUTURE:
        return MBEDTLS_X509_BADCERT_FUTURE;
    default:
        v->no_clock = true;
        return MBEDTLS_X509_BADCERT_OTHER;
    }
}

/* Bytes of a certificate, fit for a sentence. */
static void put_text(char *out, size_t out_len, const uint8_t *src, size_t len)
{
    size_t at = strlen(out);

    for (size_t i = 0; i < len && at + 1 < out_len; i++) {
        bool plain = src[i] > ' ' && src[i] < 0x7f && src[i] != '"';
        out[at++] = plain ? (char)src[i] : '?';
    }
    out[at] = '\0';
}

static void put_ip(char *out, size_t out_len, const mbedtls_x509_buf *ip)
{
    size_t at = strlen(out);

    if (ip->len == 4) {
        (void)snprintf(out + at, out_len - at, "%u.%u.%u.%u", ip->p[0],
                       ip->p[1], ip->p[2], ip->p[3]);
        return;
    }
    for (size_t i = 0; i + 1 < ip->len && at < out_len; i += 2) {
        (void)snprintf(out + at, out_len - at, "%s%x", i ? ":" : "",
                       (unsigned)(ip->p[i] << 8 | ip->p[i + 1]));
        at = strlen(out);
    }
}

static void put_alt_name(char *out, size_t out_len, const mbedtls_x509_buf *raw)
{
    mbedtls_x509_subject_alternative_name name;

    if (mbedtls_x509_parse_subject_alt_name(raw, &name) != 0)
        return;
    if ((name.type == MBEDTLS_X509_SAN_DNS_NAME ||
         name.type == MBEDTLS_X509_SAN_IP_ADDRESS) &&
        *out)
        put_text(out, out_len, (const uint8_t *)",", 1);
    if (name.type == MBEDTLS_X509_SAN_DNS_NAME)
        put_text(out, out_len, name.san.unstructured_name.p,
                 name.san.unstructured_name.len);
    else if (name.type == MBEDTLS_X509_SAN_IP_ADDRESS)
        put_ip(out, out_len, &name.san.unstructured_name);
    mbedtls_x509_free_subject_alt_name(&name);
}

/* The names that a host name is compared with: the alternative names or, when
 * there are none at all, the common names (RFC 6125 section 6.4.4). */
static void list_names(const mbedtls_x509_crt *crt, char *out, size_t out_len)
{
    out[0] = '\0';
    if (mbedtls_x509_crt_has_ext_type(crt, MBEDTLS_X509_EXT_SUBJECT_ALT_NAME)) {
        const mbedtls_x509_sequence *s = &crt->subject_alt_names;
        for (; s && s->buf.p; s = s->next)
            put_alt_name(out, out_len, &s->buf);
        return;
    }
    for (const mbedtls_x509_name *n = &crt->subject; n; n = n->next) {
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) == 0)
            put_text(out, out_len, n->val.p, n->val.len);
    }
}

static void describe_dn(const mbedtls_x509_name *dn, char *out, size_t out_len)
{
    if (mbedtls_x509_dn_gets(out, out_len, dn) < 0)
        (void)snprintf(out, out_len, "(a name too long to show)");
}

void tls_verify_forget(struct tls_verify *v)
{
    const struct port_heap *heap = tls_lib_env()->heap;

    heap->free(heap->ctx, v->seen);
    v->seen = NULL;
    v->flags = 0;
    v->no_clock = false;
}

static void remember(struct tls_verify *v, const mbedtls_x509_crt *crt,
                     int depth, uint32_t flags)
{
    const struct port_heap *heap = tls_lib_env()->heap;
    struct tls_seen *seen = heap->alloc(heap->ctx, sizeof(*seen));
    const mbedtls_x509_time *t = flags & MBEDTLS_X509_BADCERT_EXPIRED
                                     ? &crt->valid_to
                                     : &crt->valid_from;

    v->flags = flags;
    v->seen = seen;
    if (!seen)
        return;
    seen->depth = depth;
    seen->self_signed =
        crt->issuer_raw.len == crt->subject_raw.len &&
        memcmp(crt->issuer_raw.p, crt->subject_raw.p, crt->issuer_raw.len) == 0;
    describe_dn(&crt->subject, seen->subject, sizeof(seen->subject));
    describe_dn(&crt->issuer, seen->issuer, sizeof(seen->issuer));
    list_names(crt, seen->names, sizeof(seen->names));
    (void)snprintf(seen->date, sizeof(seen->date), "%04d-%02d-%02d %02d:%02d",
                   t->year, t->mon, t->day, t->hour, t->min);
    (void)snprintf(seen->key, sizeof(seen->key), "%s %u",
                   mbedtls_pk_get_name(&crt->pk),
                   (unsigned)mbedtls_pk_get_bitlen(&crt->pk));
}

/* A chain is good from the certificate on that the bundle vouches for; what
 * the server sent above it is of no interest, not even that it has ended: a
 * root that is also there signed by an older one is the usual case. So a
 * certificate is forgiven while one below it may still be vouched for, and the
 * server's own (depth 0) stands for all when none was. */
static void ask_bundle(struct tls_verify *v, const mbedtls_x509_crt *crt,
                       int depth, uint32_t *flags)
{
    const uint32_t untrusted = MBEDTLS_X509_BADCERT_NOT_TRUSTED;

    if (!v->began)
        v->anchored = !(*flags & untrusted);
    if (tls_bundle_signed(v->bundle, crt)) {
        v->anchored = true;
        tls_verify_forget(v);
        *flags &= ~untrusted;
        return;
    }
    if (v->anchored)
        return;
    if (!v->flags)
        remember(v, crt, depth, untrusted);
    *flags = depth > 0 ? 0 : *flags | untrusted;
}

int tls_verify_cert(void *ctx, mbedtls_x509_crt *crt, int depth,
                    uint32_t *flags)
{
    struct tls_verify *v = ctx;

    if (v->next) {
        int ret = v->next(v->next_ctx, crt, depth, flags);
        if (ret != 0)
            return ret;
    }
    *flags &= ~(uint32_t)DATE_FLAGS;
    if (v->bundle)
        ask_bundle(v, crt, depth, flags);
    v->began = true;
    if (!v->bundle || v->anchored || depth == 0)
        *flags |= date_flags(v, crt);
    if (*flags != 0 && v->flags == 0)
        remember(v, crt, depth, *flags);
    return 0;
}
