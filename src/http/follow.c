/* What comes after an answer: go where it points, say who we are, or stop. */
#include <stdio.h>

#include "base/crc32.h"
#include "base/log.h"
#include "http/client_priv.h"
#include "http/redirect.h"
#include "http/text.h"

static const char tag[] = "http";

/* Visits are kept as checksums: one that collides by chance, one in four
 * thousand million, ends an update that can be tried again. */
static uint32_t visit_of(const struct http_url *url)
{
    uint8_t port[3] = { url->is_https, (uint8_t)(url->port >> 8),
                        (uint8_t)url->port };
    uint32_t sum = crc32_le(0, port, sizeof(port));

    sum = crc32_le(sum, url->host.ptr, url->host.len);
    sum = crc32_le(sum, url->path.ptr, url->path.len);
    return crc32_le(sum, url->query.ptr, url->query.len);
}

static bool was_seen(const struct http_client *c, uint32_t visit)
{
    for (uint32_t i = 0; i < c->seen_cnt; i++) {
        if (c->seen[i] == visit)
            return true;
    }
    return false;
}

static void note_visit(struct http_client *c)
{
    uint32_t visit = visit_of(&c->url);

    if (c->seen_cnt < HTTP_SEEN_CNT && !was_seen(c, visit))
        c->seen[c->seen_cnt++] = visit;
}

void http_reset_counters(struct http_client *c)
{
    c->redirect_cnt = 0;
    c->auth_cnt = 0;
    c->stale_cnt = 0;
    c->token_renewed = false;
    c->seen_cnt = 0;
}

/* The Location as an absolute URL in text; to->host is empty when it makes no
 * sense. */
static esp_err_t resolve_location(struct http_client *c, struct http_buf *text,
                                  struct http_url *to)
{
    struct span location = http_buf_span(&c->location);
    size_t need_len = c->url_text.len + location.len + 64;

    *to = (struct http_url){ .port = 0 };
    if (location.len == 0)
        return ESP_OK;
    esp_err_t err = http_buf_reserve(text, need_len);
    if (err)
        return err;
    if (http_url_resolve(&c->url, location, text->ptr, text->cap, &need_len) ==
        ESP_OK)
        text->len = need_len - 1;
    if (http_url_parse(http_buf_span(text), to) != ESP_OK)
        to->host = span_of(NULL, 0);
    return ESP_OK;
}

static esp_err_t refuse_redirect(struct http_client *c,
                                 const struct http_redirect *r,
                                 const struct http_url *to, struct diag *d)
{
    char host[HTTP_HOST_TEXT_LEN];

    http_host_text(to, host);
    if (to->host.len == 0)
        return http_conn_fail(&c->conn, d, DIAG_STAGE_HTTP, r->err,
                              "status %d, a redirect %s", c->parser.head.status,
                              r->why);
    return http_conn_fail(&c->conn, d, DIAG_STAGE_HTTP, r->err,
                          "status %d, redirect %u (of %u at most) to %s://%s "
                          "is refused: %s",
                          c->parser.head.status, (unsigned)c->redirect_cnt + 1,
                          (unsigned)c->opts.max_redirects,
                          to->is_https ? "https" : "http", host, r->why);
}

esp_err_t http_redirect(struct http_client *c, struct diag *d)
{
    struct http_buf text = { .heap = c->env.heap };
    struct http_url to;
    esp_err_t err = resolve_location(c, &text, &to);

    if (err) {
        err = diag_fail(d, DIAG_STAGE_HTTP, err,
                        "out of memory for the redirect's URL");
        goto out;
    }
    note_visit(c);
    struct http_redirect_in in = { .from = &c->url,
                                   .to = to.host.len > 0 ? &to : NULL,
                                   .done_cnt = c->redirect_cnt,
                                   .max_cnt = c->opts.max_redirects,
                                   .seen = to.host.len > 0 &&
                                           was_seen(c, visit_of(&to)) };
    struct http_redirect r = http_redirect_decide(&in);
    err = r.err;
    if (err) {
        err = refuse_redirect(c, &r, &to, d);
        goto out;
    }
    if (c->phase == HTTP_PHASE_BODY && !r.new_origin)
        http_drain(c);
    c->redirect_cnt++;
    c->stats.redirects++;
    http_emit(c, HTTP_EV_REDIRECT);
    err = http_hop(c, &to);
    if (err)
        err = diag_fail(d, DIAG_STAGE_HTTP, err,
                        "out of memory for the redirect's URL");
out:
    http_buf_free(&text);
    return err;
}

/* Was this challenge answered already? A nonce that is merely out of date is
 * answered once more. */
static bool is_refusal(struct http_client *c, const struct http_challenge *ch)
{
    if (c->auth != ch->scheme || c->auth_cnt == 0)
        return false;
    return !ch->stale || c->stale_cnt++ > 0;
}

static esp_err_t refuse_login(const struct http_client *c, esp_err_t err,
                              const char *why, struct diag *d)
{
    return http_conn_fail(&c->conn, d, DIAG_STAGE_HTTP, err, "status 401%s",
                          why);
}

static esp_err_t renew_token(struct http_client *c, struct diag *d)
{
    if (c->token_renewed)
        return refuse_login(c, ESP_FAIL,
                            ": the token was refused, and so was a new one", d);
    if (c->phase == HTTP_PHASE_BODY)
        http_drain(c);
    c->token_renewed = true;
    c->token_refused = true;
    return ESP_OK;
}

/* NULL: the challenge may be answered with user name and password. */
static const char *no_login(struct http_client *c,
                            const struct http_challenge *ch, esp_err_t parsed)
{
    bool preempted =
        c->auth == HTTP_AUTH_BASIC && ch->scheme == HTTP_AUTH_BASIC;

    if (http_get_header(c, "Authorization"))
        return ": the Authorization that was given is refused";
    if (parsed)
        return " with no challenge that can be answered (Basic or Digest)";
    if (!c->login.given)
        return ": a user name and password are needed";
    if (preempted || is_refusal(c, ch))
        return ": user name and password were refused";
    return NULL;
}

esp_err_t http_authenticate(struct http_client *c, struct diag *d)
{
    struct http_challenge ch;

    if (http_wants_token(c))
        return renew_token(c, d);
    esp_err_t err = http_challenge_parse(http_buf_span(&c->challenge), &ch);
    const char *why = no_login(c, &ch, err);
    if (why)
        return refuse_login(c, err ? ESP_ERR_NOT_SUPPORTED : ESP_FAIL, why, d);
    if (c->auth_cnt >= c->opts.max_auth_retries)
        return http_conn_fail(&c->conn, d, DIAG_STAGE_HTTP, ESP_FAIL,
                              "status 401 after %u retries",
                              (unsigned)c->auth_cnt);
    if (c->phase == HTTP_PHASE_BODY)
        http_drain(c);
    http_buf_reset(&c->auth_challenge);
    err = http_buf_add(&c->auth_challenge, http_buf_span(&c->challenge));
    if (err)
        return diag_fail(d, DIAG_STAGE_HTTP, err,
                         "out of memory for the authentication");
    c->auth = ch.scheme;
    c->nonce_cnt = 0;
    c->auth_cnt++;
    return ESP_OK;
}

esp_err_t http_fetch_token(struct http_client *c, struct diag *d)
{
    const struct http_tokens *tokens = c->opts.tokens;
    bool renew = c->token_refused;

    if (!http_wants_token(c))
        return ESP_OK;
    c->token_refused = false;
    http_buf_reset(&c->token);
    esp_err_t err = tokens->get(tokens->ctx, renew, &c->token, d);
    if (!err && (c->token.len == 0 || !http_is_value(http_buf_span(&c->token))))
        err = ESP_ERR_INVALID_ARG;
    if (err)
        return diag_fail(d, DIAG_STAGE_HTTP, err,
                         "there is no token that can be sent: %s",
                         err_name(err));
    return ESP_OK;
}

static esp_err_t bearer_text(struct http_client *c, struct http_buf *out)
{
    const struct span parts[] = { span_str("Bearer "),
                                  http_buf_span(&c->token) };

    return http_buf_join(out, parts, 2);
}

static esp_err_t make_cnonce(const struct http_client *c, char out[17])
{
    const struct port_rng *rng = c->env.rng;
    uint8_t raw[8];

    if (!rng)
        return ESP_ERR_NOT_SUPPORTED;
    esp_err_t err = rng->fill(rng->ctx, raw, sizeof(raw));
    for (size_t i = 0; i < sizeof(raw) && !err; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", raw[i]);
    return err;
}

static esp_err_t basic_text(const struct http_login *login,
                            struct http_buf *out)
{
    size_t need_len = 0;
    esp_err_t err = http_basic_format(login, NULL, 0, &need_len);

    if (err == ESP_ERR_INVALID_SIZE)
        err = http_buf_reserve(out, need_len);
    if (!err)
        err = http_basic_format(login, out->ptr, out->cap, &need_len);
    if (!err)
        out->len = need_len - 1;
    return err;
}

static esp_err_t put_target(const struct http_client *c, struct http_buf *out)
{
    const struct span parts[] = { c->url.path,
                                  span_str(c->url.has_query ? "?" : ""),
                                  c->url.query };

    return http_buf_join(out, parts, sizeof(parts) / sizeof(parts[0]));
}

static esp_err_t digest_text(struct http_client *c,
                             const struct http_login *login,
                             struct http_buf *out)
{
    struct http_buf uri = { .heap = c->env.heap };
    struct http_challenge ch;
    struct http_digest digest = { .challenge = &ch,
                                  .login = login,
                                  .method = span_str(c->method),
                                  .nc = ++c->nonce_cnt };
    size_t need_len = 0;
    esp_err_t err =
        http_challenge_parse(http_buf_span(&c->auth_challenge), &ch);

    if (!err)
        err = make_cnonce(c, digest.cnonce);
    if (!err)
        err = put_target(c, &uri);
    digest.uri = http_buf_span(&uri);
    if (!err)
        err = http_digest_format(&digest, NULL, 0, &need_len);
    if (err == ESP_ERR_INVALID_SIZE)
        err = http_buf_reserve(out, need_len);
    if (!err)
        err = http_digest_format(&digest, out->ptr, out->cap, &need_len);
    if (!err)
        out->len = need_len - 1;
    http_buf_free(&uri);
    return err;
}

esp_err_t http_auth_text(struct http_client *c, struct http_buf *out,
                         struct diag *d)
{
    struct http_login login = { http_buf_span(&c->login.username),
                                http_buf_span(&c->login.password) };
    esp_err_t err = ESP_OK;

    if (http_wants_token(c))
        err = bearer_text(c, out);
    else if (!c->login.given || c->auth == HTTP_AUTH_NONE ||
             http_fields_get(&c->fields, span_str("Authorization")))
        return ESP_OK;
    else
        err = !CFG_DIGEST || c->auth == HTTP_AUTH_BASIC
                  ? basic_text(&login, out)
                  : digest_text(c, &login, out);
    if (!err && !http_is_value(http_buf_span(out)))
        err = ESP_ERR_INVALID_ARG;
    if (err)
        return diag_fail(d, DIAG_STAGE_HTTP, err,
                         "the authentication cannot be written (%s): a colon "
                         "or a line break in the user name?",
                         err_name(err));
    return ESP_OK;
}

static esp_err_t exchange(struct http_client *c, struct diag *d)
{
    esp_err_t err = http_send_head(c, c->body_len, d);

    if (!err)
        err = http_send_body(c, c->body, c->body_len, d);
    if (!err)
        err = http_recv_head(c, d);
    if (err)
        http_disconnect(c);
    return err;
}

/* A challenge that cannot be answered leaves the 401 as the answer: false,
 * and the reason is in the log. Out of memory is a failure. */
static bool try_login(struct http_client *c, esp_err_t *err, struct diag *d)
{
    struct diag why = DIAG_NONE;
    esp_err_t refused = http_authenticate(c, &why);

    if (refused == ESP_ERR_NO_MEM)
        *err = diag_fail(d, why.stage, refused, "%s", why.text);
    else if (refused)
        LOGW(tag, "%s", why.text);
    return !refused;
}

static bool may_login(const struct http_client *c)
{
    return (c->login.given || http_wants_token(c)) &&
           c->opts.max_auth_retries > 0;
}

/* A redirect's target, or a URL that was made for a short time, may have
 * expired: then the place that it came from gives another. */
static bool is_expired(const struct http_client *c, bool away)
{
    int status = c->parser.head.status;

    return (status == 401 || status == 403 || status == 410) &&
           (away || http_url_maker(c));
}

static esp_err_t renew_url(struct http_client *c, struct diag *d)
{
    if (c->phase == HTTP_PHASE_BODY)
        http_drain(c);
    http_reset_counters(c);
    return http_ask_url(c, HTTP_URL_REFUSED, d);
}

/* What the answer asks for; *more is false when it is the caller's. */
static esp_err_t follow(struct http_client *c, bool *more, struct diag *d)
{
    int status = c->parser.head.status;
    esp_err_t err = ESP_OK;

    *more = true;
    if (http_redirect_status(status))
        return http_redirect(c, d);
    *more = status == 401 && may_login(c) && try_login(c, &err, d);
    return err;
}

esp_err_t http_start(struct http_client *c, struct diag *d)
{
    http_reset_counters(c);
    if (!http_url_maker(c) || c->asked_urls)
        return ESP_OK;
    return http_ask_url(c, HTTP_URL_START, d);
}

esp_err_t http_renew(struct http_client *c, bool *renewed, struct diag *d)
{
    *renewed = is_expired(c, false);
    return *renewed ? renew_url(c, d) : ESP_OK;
}

esp_err_t http_request(struct http_client *c, struct diag *d)
{
    bool away = c->strayed, more = true;
    esp_err_t err = http_start(c, d);

    for (bool renewed = false; !err && more;) {
        err = exchange(c, d);
        if (err || !c->opts.follow)
            break;
        err = follow(c, &more, d);
        if (!err && !more && !renewed && is_expired(c, away)) {
            renewed = more = true;
            err = renew_url(c, d);
        }
    }
    return err;
}
