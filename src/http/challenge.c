/* WWW-Authenticate is a list whose commas separate both challenges and their
 * parameters (RFC 9110 section 11.6.1): a word that an '=' follows is a
 * parameter, any other begins a challenge. */
#include "http/auth.h"

#include "cfg.h"
#include "http/text.h"

struct reader {
    struct span left;
};

static void skip_blanks(struct reader *r)
{
    while (r->left.len > 0 && http_is_blank(r->left.ptr[0]))
        r->left = span_from(r->left, 1);
}

static void skip_commas(struct reader *r)
{
    skip_blanks(r);
    while (r->left.len > 0 && r->left.ptr[0] == ',') {
        r->left = span_from(r->left, 1);
        skip_blanks(r);
    }
}

/* Up to a blank, comma, '=' or quote: a name, and the tokens of schemes that
 * we do not know. */
static struct span take_word(struct reader *r)
{
    struct span in = r->left;
    size_t len = 0;

    while (len < in.len && !http_is_blank(in.ptr[len]) && in.ptr[len] != ',' &&
           in.ptr[len] != '=' && in.ptr[len] != '"')
        len++;
    r->left = span_from(in, len);
    return span_of(in.ptr, len);
}

static esp_err_t take_quoted(struct reader *r, struct span *out)
{
    struct span in = span_from(r->left, 1);
    size_t len = 0;

    while (len < in.len && in.ptr[len] != '"')
        len += in.ptr[len] == '\\' ? 2 : 1;
    if (len >= in.len)
        return ESP_ERR_INVALID_RESPONSE;
    *out = span_of(in.ptr, len);
    r->left = span_from(in, len + 1);
    return ESP_OK;
}

/* What follows the '='. */
static esp_err_t take_value(struct reader *r, struct span *out)
{
    struct span in;
    size_t len = 0;

    skip_blanks(r);
    if (r->left.len > 0 && r->left.ptr[0] == '"')
        return take_quoted(r, out);
    in = r->left;
    while (len < in.len && !http_is_blank(in.ptr[len]) && in.ptr[len] != ',')
        len++;
    *out = span_of(in.ptr, len);
    r->left = span_from(in, len);
    return ESP_OK;
}

/* A challenge while it is read: what makes it one that we cannot answer. */
struct candidate {
    struct http_challenge c;
    bool unknown;
    bool has_qop, has_nonce, has_realm;
};

static void begin_candidate(struct candidate *cand, struct span scheme)
{
    *cand = (struct candidate){ .unknown = false };
    if (http_name_is(scheme, "basic"))
        cand->c.scheme = HTTP_AUTH_BASIC;
    else if (http_name_is(scheme, "digest"))
        cand->c.scheme = HTTP_AUTH_DIGEST;
    else
        cand->unknown = true;
}

static void take_algorithm(struct candidate *cand, struct span value)
{
    size_t len = value.len;

    if (len > 5 && http_name_is(span_from(value, len - 5), "-sess")) {
        cand->c.sess = true;
        value.len = len - 5;
    }
    cand->c.sha256 =
        http_name_is(value, "sha-256") || http_name_is(value, "sha256");
    if (!cand->c.sha256 && !http_name_is(value, "md5"))
        cand->unknown = true;
}

static void take_qop(struct candidate *cand, struct span value)
{
    cand->has_qop = true;
    while (value.len > 0) {
        struct span one = http_trim(http_cut(value, ',', &value));
        cand->c.qop_auth = cand->c.qop_auth || http_name_is(one, "auth");
    }
}

static void take_param(struct candidate *cand, struct span name,
                       struct span value)
{
    if (http_name_is(name, "realm")) {
        cand->c.realm = value;
        cand->has_realm = true;
    } else if (http_name_is(name, "nonce")) {
        cand->c.nonce = value;
        cand->has_nonce = true;
    } else if (http_name_is(name, "opaque")) {
        cand->c.opaque = value;
        cand->c.has_opaque = true;
    } else if (http_name_is(name, "stale")) {
        cand->c.stale = http_name_is(value, "true");
    } else if (http_name_is(name, "algorithm")) {
        take_algorithm(cand, value);
    } else if (http_name_is(name, "qop")) {
        take_qop(cand, value);
    }
}

/* Higher is better; 0: we cannot answer it. */
static int rank(const struct candidate *cand)
{
    if (cand->unknown || cand->c.scheme == HTTP_AUTH_NONE)
        return 0;
    if (cand->c.scheme == HTTP_AUTH_BASIC)
        return 1;
    if (!cand->has_nonce || !cand->has_realm ||
        (cand->has_qop && !cand->c.qop_auth))
        return 0;
    return cand->c.sha256 ? 3 : 2;
}

/* The first of two that are as good wins: the server's own order. */
static void keep_best(const struct candidate *cand, int *best,
                      struct http_challenge *out)
{
    if (rank(cand) <= *best)
        return;
    *best = rank(cand);
    *out = cand->c;
}

/* Without Digest nothing but the name of a scheme matters. A parameter that
 * has a comma and this name in its quotes is taken for it, too: an answer that
 * the server refuses. */
static esp_err_t find_basic(struct span text, struct http_challenge *out)
{
    while (text.len > 0) {
        struct span rest;
        struct span one = http_trim(http_cut(text, ',', &text));
        if (http_name_is(http_cut(one, ' ', &rest), "basic")) {
            out->scheme = HTTP_AUTH_BASIC;
            return ESP_OK;
        }
    }
    return ESP_ERR_NOT_SUPPORTED;
}

esp_err_t http_challenge_parse(struct span text, struct http_challenge *out)
{
    struct reader r = { text };
    struct candidate cand = { .unknown = true };
    int best = 0;

    *out = (struct http_challenge){ .scheme = HTTP_AUTH_NONE };
    if (!CFG_DIGEST)
        return find_basic(text, out);
    for (skip_commas(&r); r.left.len > 0; skip_commas(&r)) {
        struct span value;
        struct span name = take_word(&r);
        skip_blanks(&r);
        if (r.left.len > 0 && r.left.ptr[0] == '=') {
            r.left = span_from(r.left, 1);
            esp_err_t err = take_value(&r, &value);
            if (err)
                return err;
            take_param(&cand, name, value);
        } else if (name.len == 0) {
            return ESP_ERR_INVALID_RESPONSE;
        } else {
            keep_best(&cand, &best, out);
            begin_candidate(&cand, name);
        }
    }
    keep_best(&cand, &best, out);
    return best > 0 ? ESP_OK : ESP_ERR_NOT_SUPPORTED;
}
