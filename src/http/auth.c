#include "http/auth.h"

#include <stdio.h>

#include "base/md5.h"
#include "crypto/ct.h"
#include "crypto/sha256.h"
#include "http/text.h"

static const char b64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* base64 of bytes that come in pieces. */
struct b64 {
    struct http_txt *out;
    uint32_t bits; /* bytes that are not out yet */
    unsigned cnt;  /* how many, 0 to 2 */
};

static void b64_group(struct b64 *b, unsigned digits)
{
    char four[4] = { '=', '=', '=', '=' };

    for (unsigned i = 0; i < digits; i++)
        four[i] = b64_digits[(b->bits >> (18 - 6 * i)) & 63];
    http_txt_put(b->out, span_of(four, 4));
    b->bits = 0;
    b->cnt = 0;
}

static void b64_put(struct b64 *b, struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        b->bits |= (uint32_t)s.ptr[i] << (16 - 8 * b->cnt);
        if (++b->cnt == 3)
            b64_group(b, 4);
    }
}

esp_err_t http_basic_format(const struct http_login *login, char *out,
                            size_t out_len, size_t *need_len)
{
    struct http_txt t = { .buf = out, .cap = out_len };
    struct b64 b = { .out = &t };

    *need_len = 0;
    if (login->user.len > 0 && memchr(login->user.ptr, ':', login->user.len))
        return ESP_ERR_INVALID_ARG;
    http_txt_puts(&t, "Basic ");
    b64_put(&b, login->user);
    b64_put(&b, span_str(":"));
    b64_put(&b, login->password);
    if (b.cnt > 0)
        b64_group(&b, b.cnt + 1);
    return http_txt_end(&t, need_len);
}

/* Either hash, behind the one interface that the formulas need. */
struct hash {
    bool is_sha256;
    struct sha256 sha;
    struct md5 md5;
};

static void hash_init(struct hash *h, bool is_sha256)
{
    h->is_sha256 = is_sha256;
    if (is_sha256)
        sha256_init(&h->sha);
    else
        md5_init(&h->md5);
}

static void hash_put(struct hash *h, struct span s)
{
    if (h->is_sha256)
        sha256_update(&h->sha, s.ptr, s.len);
    else
        md5_update(&h->md5, s.ptr, s.len);
}

static void hash_hex(struct hash *h, char out[65])
{
    uint8_t sum[SHA256_LEN];
    size_t len = h->is_sha256 ? SHA256_LEN : 16;

    if (h->is_sha256)
        sha256_final(&h->sha, sum);
    else
        md5_final(&h->md5, sum);
    for (size_t i = 0; i < len; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", sum[i]);
    ct_wipe(h, sizeof(*h));
}

/* H(part:part:...), in hexadecimal digits. */
static void hash_parts(bool is_sha256, const struct span *parts, size_t cnt,
                       char out[65])
{
    struct hash h;

    hash_init(&h, is_sha256);
    for (size_t i = 0; i < cnt; i++) {
        if (i > 0)
            hash_put(&h, span_str(":"));
        hash_put(&h, parts[i]);
    }
    hash_hex(&h, out);
}

#define PARTS_CNT(parts) (sizeof(parts) / sizeof((parts)[0]))

/* RFC 7616 section 3.4.2. */
static void digest_ha1(const struct http_digest *d, char out[65])
{
    const struct http_challenge *c = d->challenge;
    const struct span parts[] = { d->login->user, c->realm,
                                  d->login->password };

    hash_parts(c->sha256, parts, PARTS_CNT(parts), out);
    if (c->sess) {
        char inner[65];
        memcpy(inner, out, sizeof(inner));
        const struct span sess[] = { span_str(inner), c->nonce,
                                     span_str(d->cnonce) };
        hash_parts(c->sha256, sess, PARTS_CNT(sess), out);
        ct_wipe(inner, sizeof(inner));
    }
}

/* RFC 7616 section 3.4.1; without qop the formula of RFC 2069. */
void http_digest_response(const struct http_digest *d, char out[65])
{
    const struct http_challenge *c = d->challenge;
    const struct span a2[] = { d->method, d->uri };
    char ha1[65], ha2[65], nc[9];

    digest_ha1(d, ha1);
    hash_parts(c->sha256, a2, PARTS_CNT(a2), ha2);
    (void)snprintf(nc, sizeof(nc), "%08x", (unsigned)d->nc);
    if (c->qop_auth) {
        const struct span parts[] = { span_str(ha1),    c->nonce,
                                      span_str(nc),     span_str(d->cnonce),
                                      span_str("auth"), span_str(ha2) };
        hash_parts(c->sha256, parts, PARTS_CNT(parts), out);
    } else {
        const struct span parts[] = { span_str(ha1), c->nonce, span_str(ha2) };
        hash_parts(c->sha256, parts, PARTS_CNT(parts), out);
    }
    ct_wipe(ha1, sizeof(ha1));
}

static void put_quoted(struct http_txt *t, const char *name, struct span value)
{
    http_txt_puts(t, name);
    http_txt_puts(t, "=\"");
    http_txt_put(t, value);
    http_txt_puts(t, "\"");
}

/* The user's name is ours: what would end the quotes is escaped. */
static void put_user(struct http_txt *t, struct span user)
{
    http_txt_puts(t, "Digest username=\"");
    for (size_t i = 0; i < user.len; i++) {
        if (user.ptr[i] == '"' || user.ptr[i] == '\\')
            http_txt_puts(t, "\\");
        http_txt_put(t, span_of(user.ptr + i, 1));
    }
    http_txt_puts(t, "\"");
}

esp_err_t http_digest_format(const struct http_digest *d, char *out,
                             size_t out_len, size_t *need_len)
{
    const struct http_challenge *c = d->challenge;
    struct http_txt t = { .buf = out, .cap = out_len };
    char response[65], nc[32];

    http_digest_response(d, response);
    put_user(&t, d->login->user);
    put_quoted(&t, ", realm", c->realm);
    put_quoted(&t, ", nonce", c->nonce);
    put_quoted(&t, ", uri", d->uri);
    http_txt_puts(&t, c->sha256 ? ", algorithm=SHA-256" : ", algorithm=MD5");
    http_txt_puts(&t, c->sess ? "-sess" : "");
    put_quoted(&t, ", response", span_str(response));
    if (c->qop_auth) {
        (void)snprintf(nc, sizeof(nc), ", qop=auth, nc=%08x", (unsigned)d->nc);
        http_txt_puts(&t, nc);
    }
    if (c->qop_auth || c->sess)
        put_quoted(&t, ", cnonce", span_str(d->cnonce));
    if (c->has_opaque)
        put_quoted(&t, ", opaque", c->opaque);
    return http_txt_end(&t, need_len);
}
