/* What happens at each certificate of the chain, root first.
 *
 * The library compares dates with the C library's clock. Ours is the port's,
 * and may never have been set: its two findings are dropped and made anew.
 * Nothing else of its verdict is touched. */
#include "tls/tls_mbedtls.h"

#include <stdio.h>

#include <mbedtls/oid.h>
#include <mbedtls/platform_time.h>

#define DATE_FLAGS (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)

static uint32_t date_flags(const struct port_clock *clock,
                           const mbedtls_x509_crt *crt, bool *clock_set)
{
    int64_t now_s = 0;
    mbedtls_x509_time now;

    *clock_set = clock->now_s(clock->ctx, &now_s) == ESP_OK;
    if (!*clock_set)
        return 0;
    if (mbedtls_x509_time_gmtime((mbedtls_time_t)now_s, &now) != 0)
        return DATE_FLAGS;
    if (mbedtls_x509_time_cmp(&crt->valid_to, &now) < 0)
        return MBEDTLS_X509_BADCERT_EXPIRED;
    if (mbedtls_x509_time_cmp(&crt->valid_from, &now) > 0)
        return MBEDTLS_X509_BADCERT_FUTURE;
    return 0;
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

static void remember(struct tls_seen *seen, const mbedtls_x509_crt *crt,
                     uint32_t flags)
{
    const mbedtls_x509_time *t = flags & MBEDTLS_X509_BADCERT_EXPIRED
                                     ? &crt->valid_to
                                     : &crt->valid_from;

    seen->flags = flags;
    seen->self_signed =
        crt->issuer_raw.len == crt->subject_raw.len &&
        memcmp(crt->issuer_raw.p, crt->subject_raw.p, crt->issuer_raw.len) == 0;
    describe_dn(&crt->subject, seen->subject, sizeof(seen->subject));
    describe_dn(&crt->issuer, seen->issuer, sizeof(seen->issuer));
    list_names(crt, seen->names, sizeof(seen->names));
    (void)snprintf(seen->date, sizeof(seen->date), "%04d-%02d-%02d %02d:%02d",
                   t->year, t->mon, t->day, t->hour, t->min);
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
    *flags |= date_flags(v->clock, crt, &v->seen.clock_set);
    if (*flags != 0 && v->seen.flags == 0)
        remember(&v->seen, crt, *flags);
    return 0;
}
