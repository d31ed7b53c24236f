/* The client says who it is by HTTP Basic, as RFC 6749 section 2.3.1 wants
 * every server to understand. Some want it in the body instead: after
 * "invalid_client" that is tried once, and remembered when it works. */
#include "http/oauth2.h"

#include <stdio.h>

#include "base/text.h"
#include "crypto/ct.h"
#include "http/oauth2_json.h"
#include "http/text.h"

/* A token is not used when it has less to live than this, or than a tenth of
 * its life. */
#define OAUTH2_SKEW_MS 30000u
/* An answer that trickles in may take so many times the timeout of a read. */
#define ANSWER_PATIENCE 4u

struct oauth2 {
    struct http_env env;
    struct oauth2_opts opts;
    struct http_tokens tokens;
    struct http_buf url, id, secret, refresh, scope;
    bool has_secret, has_refresh, has_scope;
    bool in_body;          /* id and secret, which there is, go there */
    struct http_buf token; /* empty: none */
    uint64_t expires_ms;   /* UINT64_MAX: it was not said */
    struct oauth2_stats stats;
};

static uint64_t now_ms(const struct oauth2 *o)
{
    return o->env.sys->mono_ms(o->env.sys->ctx);
}

/* --- the request ---------------------------------------------------------- */

/* application/x-www-form-urlencoded. */
static esp_err_t put_encoded(struct http_buf *out, struct span text)
{
    esp_err_t err = http_buf_reserve(out, out->len + 3 * text.len);

    if (err)
        return err;
    for (size_t i = 0; i < text.len; i++) {
        char c = (char)text.ptr[i];
        bool plain = http_is_alpha(text.ptr[i]) || http_is_digit(text.ptr[i]) ||
                     strchr("-._~", c);
        out->len += (size_t)snprintf(out->ptr + out->len, 4,
                                     plain ? "%c" : "%%%02X", text.ptr[i]);
    }
    return ESP_OK;
}

static esp_err_t put_pair(struct http_buf *out, const char *name,
                          const struct http_buf *value)
{
    const struct span parts[] = { span_str("&"), span_str(name),
                                  span_str("=") };
    esp_err_t err = http_buf_join(out, parts, 3);

    return err ? err : put_encoded(out, http_buf_span(value));
}

static esp_err_t make_form(const struct oauth2 *o, struct http_buf *out)
{
    esp_err_t err = http_buf_add(
        out, span_str(o->has_refresh ? "grant_type=refresh_token"
                                     : "grant_type=client_credentials"));

    if (!err && o->has_refresh)
        err = put_pair(out, "refresh_token", &o->refresh);
    if (!err && o->has_scope)
        err = put_pair(out, "scope", &o->scope);
    if (!err && (o->in_body || !o->has_secret))
        err = put_pair(out, "client_id", &o->id);
    if (!err && o->in_body)
        err = put_pair(out, "client_secret", &o->secret);
    return err;
}

/* RFC 6749 section 2.3.1: encoded as in a form first, then Basic. */
static esp_err_t set_login(const struct oauth2 *o, struct http_client *c)
{
    struct http_buf id = { .heap = o->env.heap };
    struct http_buf secret = { .heap = o->env.heap };
    esp_err_t err = put_encoded(&id, http_buf_span(&o->id));

    if (!err)
        err = put_encoded(&secret, http_buf_span(&o->secret));
    if (!err)
        err = http_set_login(c, id.ptr, secret.ptr);
    http_set_auth(c, HTTP_AUTH_BASIC);
    http_buf_free(&id);
    http_buf_free(&secret);
    return err;
}

static esp_err_t read_answer(struct oauth2 *o, struct http_client *c,
                             struct http_buf *out, struct diag *d)
{
    uint32_t wait_ms = ANSWER_PATIENCE * http_opts_of(c)->timeout_ms;
    uint64_t end_ms = now_ms(o) + wait_ms;
    uint8_t piece[512];
    size_t got = 1;
    esp_err_t err = ESP_OK;

    while (!err && got > 0) {
        err = http_read(c, piece, sizeof(piece), &got, d);
        if (!err && got > 0 && now_ms(o) >= end_ms)
            err = diag_fail(d, DIAG_STAGE_HTTP, ESP_ERR_HTTP_READ_TIMEOUT,
                            "the token endpoint's answer was not complete "
                            "after %u.%u s",
                            (unsigned)(wait_ms / 1000),
                            (unsigned)(wait_ms % 1000 / 100));
        if (!err && out->len + got > OAUTH2_ANSWER_MAX_LEN)
            err = diag_fail(d, DIAG_STAGE_HTTP, ESP_ERR_INVALID_SIZE,
                            "the token endpoint's answer is longer than the "
                            "%u bytes that are taken",
                            OAUTH2_ANSWER_MAX_LEN);
        if (!err)
            err = http_buf_add(out, span_of(piece, got));
    }
    ct_wipe(piece, sizeof(piece));
    return err;
}

static esp_err_t post(struct oauth2 *o, struct http_buf *answer, int *status,
                      struct diag *d)
{
    struct http_opts opts = o->opts.http;
    struct http_buf form = { .heap = o->env.heap };
    struct http_client *c = NULL;

    opts.follow = false;
    opts.tokens = NULL;
    opts.urls = NULL;
    opts.username = NULL;
    opts.password = NULL;
    opts.auth = HTTP_AUTH_NONE;
    opts.on_event = NULL;
    esp_err_t err = http_open(&c, &o->env, &opts, o->url.ptr, d);
    if (!err)
        err = make_form(o, &form);
    if (!err)
        err = http_set_method(c, "POST");
    if (!err)
        err = http_set_header(c, "Accept", "application/json");
    if (!err)
        err = http_set_header(c, "Content-Type",
                              "application/x-www-form-urlencoded");
    if (!err && o->has_secret && !o->in_body)
        err = set_login(o, c);
    if (!err) {
        http_set_body(c, form.ptr, form.len);
        o->stats.requests++;
        err = http_request(c, d);
    }
    if (!err)
        err = read_answer(o, c, answer, d);
    *status = err ? 0 : http_head(c)->status;
    http_close(c);
    http_buf_free(&form);
    return err;
}

/* --- the answer ----------------------------------------------------------- */

static bool holds(struct span text, const struct http_buf *secret)
{
    for (size_t i = 0; secret->len > 0 && i + secret->len <= text.len; i++) {
        if (memcmp(text.ptr + i, secret->ptr, secret->len) == 0)
            return true;
    }
    return false;
}

/* The words for errors are known, and a short secret may be in them by chance.
 */
static bool is_repeated(struct span code, const struct http_buf *secret)
{
    return secret->len >= 8 && holds(code, secret);
}

/* Statuses that speak of now: the one who asked may ask again. */
static esp_err_t status_err(int status)
{
    bool passing = status == 429 || status == 500 || status == 502 ||
                   status == 503 || status == 504;

    return passing ? ESP_ERR_HTTP_EAGAIN : ESP_FAIL;
}

/* What the server says is shown, unless it repeats a secret of ours. */
static esp_err_t explain(const struct oauth2 *o, int status,
                         const struct oauth2_answer *a, struct diag *d)
{
    struct span said = a->error_description;
    char code[48], words[120];

    if (status / 100 == 3)
        return diag_fail(d, DIAG_STAGE_HTTP, ESP_FAIL,
                         "the token endpoint answered %d, a redirect; secrets "
                         "are not sent on, ask the other URL itself",
                         status);
    if (a->error.len == 0 || is_repeated(a->error, &o->secret) ||
        is_repeated(a->error, &o->refresh))
        return diag_fail(d, DIAG_STAGE_HTTP, status_err(status),
                         "the token endpoint answered %d and no token", status);
    if (holds(said, &o->secret) || holds(said, &o->refresh))
        said = span_of(NULL, 0);
    text_clean(a->error, code, sizeof(code));
    text_clean(said, words, sizeof(words));
    return diag_fail(
        d, DIAG_STAGE_HTTP, status_err(status),
        "the token endpoint answered %d, %s%s%s%s%s", status, code,
        words[0] ? " (\"" : "", words, words[0] ? "\")" : "",
        span_eq(a->error, "invalid_client")
            ? ": check the client's id and secret"
        : span_eq(a->error, "invalid_grant")
            ? ": the refresh token is not valid any more, get a new one"
            : "");
}

/* text is not empty. */
static esp_err_t take_text(struct http_buf *to, struct span text)
{
    esp_err_t err = http_buf_reserve(to, text.len + 1);
    size_t len = 0;

    http_buf_reset(to);
    if (!err)
        err = oauth2_json_text(text, to->ptr, &len);
    to->len = err ? 0 : len;
    if (!err && !http_is_value(http_buf_span(to)))
        err = ESP_ERR_INVALID_RESPONSE;
    return err;
}

static uint64_t expiry_ms(const struct oauth2 *o, uint32_t life_s)
{
    uint64_t life_ms = (uint64_t)life_s * 1000;
    uint64_t skew_ms = life_ms / 10;

    if (life_s == OAUTH2_LIFE_UNKNOWN)
        return UINT64_MAX;
    if (skew_ms > OAUTH2_SKEW_MS)
        skew_ms = OAUTH2_SKEW_MS;
    return now_ms(o) + life_ms - skew_ms;
}

static esp_err_t take_rotated(struct oauth2 *o, struct span text)
{
    struct http_buf fresh = { .heap = o->env.heap };
    esp_err_t err = take_text(&fresh, text);

    if (err || (fresh.len == o->refresh.len &&
                memcmp(fresh.ptr, o->refresh.ptr, fresh.len) == 0)) {
        http_buf_free(&fresh);
        return err;
    }
    http_buf_free(&o->refresh);
    o->refresh = fresh;
    if (o->opts.on_refresh_token)
        o->opts.on_refresh_token(o->opts.ctx, o->refresh.ptr);
    return ESP_OK;
}

static esp_err_t take_answer(struct oauth2 *o, const struct oauth2_answer *a,
                             struct diag *d)
{
    esp_err_t err = ESP_OK;

    /* First of all: the old one may be worth nothing now. */
    if (o->has_refresh && a->refresh_token.len > 0)
        err = take_rotated(o, a->refresh_token);
    if (!err && a->token_type.len > 0 && !http_name_is(a->token_type, "bearer"))
        return diag_fail(d, DIAG_STAGE_HTTP, ESP_ERR_NOT_SUPPORTED,
                         "the token endpoint gave a token that is not of the "
                         "type Bearer");
    if (!err)
        err = take_text(&o->token, a->access_token);
    o->expires_ms = expiry_ms(o, a->life_s);
    if (err)
        return diag_fail(d, DIAG_STAGE_HTTP, err,
                         "the token endpoint gave a token that cannot be "
                         "used: %s",
                         err_name(err));
    return ESP_OK;
}

static esp_err_t judge(struct oauth2 *o, int status, struct span text,
                       bool *again, struct diag *d)
{
    struct oauth2_answer a;
    esp_err_t err = oauth2_json_parse(text, &a);

    if (status == 200 && !err && a.access_token.len > 0)
        return take_answer(o, &a, d);
    if (status == 200)
        return diag_fail(d, DIAG_STAGE_HTTP, ESP_ERR_INVALID_RESPONSE,
                         "the token endpoint's answer is no JSON object with "
                         "an access_token");
    if (err)
        a.error = span_of(NULL, 0);
    *again = span_eq(a.error, "invalid_client") && o->has_secret && !o->in_body;
    return *again ? ESP_FAIL : explain(o, status, &a, d);
}

static esp_err_t fetch(struct oauth2 *o, struct diag *d)
{
    bool again = true;
    esp_err_t err = ESP_OK;

    while (again) {
        struct http_buf answer = { .heap = o->env.heap };
        int status = 0;
        again = false;
        err = post(o, &answer, &status, d);
        if (err)
            (void)diag_fail(d, DIAG_STAGE_HTTP, err,
                            "the token endpoint cannot be asked: %s",
                            err_name(err));
        else
            err = judge(o, status, http_buf_span(&answer), &again, d);
        http_buf_free(&answer);
        o->in_body = o->in_body || again;
    }
    return err;
}

static esp_err_t get_token(void *ctx, bool renew, struct http_buf *out,
                           struct diag *d)
{
    struct oauth2 *o = ctx;
    esp_err_t err = ESP_OK;

    if (renew || now_ms(o) >= o->expires_ms)
        http_buf_reset(&o->token);
    if (o->token.len == 0)
        err = fetch(o, d);
    return err ? err : http_buf_add(out, http_buf_span(&o->token));
}

/* --- open and close ------------------------------------------------------- */

static esp_err_t check_url(const struct http_env *env, const char *url,
                           struct diag *d)
{
    struct http_url parsed;

    if (!url || http_url_parse(span_str(url), &parsed) != ESP_OK)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "the token endpoint's URL must be "
                         "https://host[:port]/path");
    if (parsed.is_https || pol_allow_http(env->policy))
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_NOT_ALLOWED,
                     "the token endpoint's URL is http:, so anyone on the way "
                     "could read the client's secret; use https:");
}

static esp_err_t copy_to(struct http_buf *to, const char *text, bool *has)
{
    *has = text != NULL;
    return text ? http_buf_add(to, span_str(text)) : ESP_OK;
}

static esp_err_t fill(struct oauth2 *o, const struct oauth2_opts *opts)
{
    bool given;
    esp_err_t err = copy_to(&o->url, opts->token_url, &given);

    if (!err)
        err = copy_to(&o->id, opts->client_id, &given);
    if (!err)
        err = copy_to(&o->secret, opts->client_secret, &o->has_secret);
    if (!err)
        err = copy_to(&o->refresh, opts->refresh_token, &o->has_refresh);
    if (!err)
        err = copy_to(&o->scope, opts->scope, &o->has_scope);
    return err;
}

esp_err_t oauth2_open(struct oauth2 **out, const struct http_env *env,
                      const struct oauth2_opts *opts, struct diag *d)
{
    *out = NULL;
    esp_err_t err = check_url(env, opts->token_url, d);
    if (err)
        return err;
    if (!opts->client_id)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "OAuth2 needs the client's id");
    struct oauth2 *o = env->heap->alloc(env->heap->ctx, sizeof(*o));
    if (!o)
        return diag_fail(d, DIAG_STAGE_HTTP, ESP_ERR_NO_MEM, "out of memory");
    o->env = *env;
    o->opts = *opts;
    o->tokens = (struct http_tokens){ o, get_token };
    struct http_buf *bufs[] = { &o->url,     &o->id,    &o->secret,
                                &o->refresh, &o->scope, &o->token };
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        bufs[i]->heap = env->heap;
    err = fill(o, opts);
    if (err) {
        oauth2_close(o);
        return diag_fail(d, DIAG_STAGE_HTTP, err, "out of memory");
    }
    *out = o;
    return ESP_OK;
}

const struct http_tokens *oauth2_tokens(const struct oauth2 *o)
{
    return &o->tokens;
}

const struct oauth2_stats *oauth2_stats(const struct oauth2 *o)
{
    return &o->stats;
}

void oauth2_close(struct oauth2 *o)
{
    if (!o)
        return;
    const struct port_heap *heap = o->env.heap;
    struct http_buf *bufs[] = { &o->url,     &o->id,    &o->secret,
                                &o->refresh, &o->scope, &o->token };
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        http_buf_free(bufs[i]);
    ct_wipe(o, sizeof(*o));
    heap->free(heap->ctx, o);
}
