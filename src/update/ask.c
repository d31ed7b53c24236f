/* ask.c - one question to the server, repeated as far as the session's budget
 * goes. What may be repeated is decided in decide.c. */
#include "update/priv.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "http/range.h"
#include "http/redirect.h"

#define BODY_QUOTE_LEN 120u
#define BODY_QUOTE_MS 2000u /* not worth a longer wait */

/* --- once ----------------------------------------------------------------- */

/* A header that is sent with this value, or not at all. */
static esp_err_t set_or_remove(struct upd *u, const char *name,
                               const char *value)
{
    esp_err_t err = http_set_header(u->fetch.client, name, value);

    return !value && err == ESP_ERR_NOT_FOUND ? ESP_OK : err;
}

/* If-Range: the part if the file is still the same, else all of it (RFC 9110
 * section 13.1.5). */
static esp_err_t set_range(struct upd *u, const struct upd_range *r)
{
    char text[HTTP_RANGE_TEXT_LEN];
    bool goes_on = r->send && r->first > 0;
    esp_err_t err;

    u->fetch.asked = *r;
    if (r->send)
        http_range_format(r->first, r->last, text);
    err = set_or_remove(u, "Range", r->send ? text : NULL);
    if (!err)
        err = set_or_remove(u, "If-Range",
                            goes_on ? upd_validator(&u->fetch.file) : NULL);
    return err;
}

/* A borrowed client may leave redirects and challenges to its user. */
static esp_err_t request_followed(struct upd *u)
{
    struct http_client *c = u->fetch.client;
    esp_err_t err = http_request(c, u->diag);

    while (!err && u->opts.client) {
        int status = http_head(c)->status;
        if (http_redirect_status(status))
            err = http_redirect(c, u->diag);
        else if (status == 401)
            err = http_authenticate(c, u->diag);
        else
            break;
        if (!err)
            err = http_request(c, u->diag);
    }
    return err;
}

/* Servers with an API explain themselves in JSON. */
static bool is_words(const char *type)
{
    static const char *const kinds[] = { "text/", "application/json",
                                         "application/problem+json" };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strncmp(type, kinds[i], strlen(kinds[i])) == 0)
            return true;
    }
    return false;
}

void upd_quote(const struct upd *u, struct span raw, char *out, size_t out_len)
{
    if (http_is_secret_told(u->fetch.client, raw))
        (void)snprintf(out, out_len, "(not shown: it repeats a secret)");
    else
        text_clean(raw, out, out_len);
}

/* The first words of an error page, when it is text. */
static void quote_body(struct upd *u, char *out, size_t out_len)
{
    uint8_t raw[BODY_QUOTE_LEN];
    size_t len = 0, got = 1;
    uint64_t end_ms = upd_now_ms(u) + BODY_QUOTE_MS;

    out[0] = '\0';
    if (!is_words(http_head(u->fetch.client)->content_type))
        return;
    while (len < sizeof(raw) && got > 0 && upd_now_ms(u) < end_ms) {
        if (http_read(u->fetch.client, raw + len, sizeof(raw) - len, &got,
                      NULL))
            break;
        len += got;
    }
    upd_quote(u, span_of(raw, len), out, out_len);
}

APART static esp_err_t refuse_answer(struct upd *u, const struct upd_answer *a)
{
    const struct http_head *head = http_head(u->fetch.client);
    char quote[BODY_QUOTE_LEN + 1], when[24] = "";

    if (!CFG_SENTENCES)
        return diag_plain_fail(u->diag, DIAG_STAGE_HTTP, a->err);
    if (head->encoded)
        return diag_fail(u->diag, DIAG_STAGE_HTTP, a->err,
                         "the server answered %d: %s (Content-Encoding: %s)",
                         head->status, a->why, head->encoding);
    quote_body(u, quote, sizeof(quote));
    if (head->retry_after_s > 0)
        (void)snprintf(when, sizeof(when), ", in %u s",
                       (unsigned)head->retry_after_s);
    return diag_fail(u->diag, DIAG_STAGE_HTTP, a->err,
                     "the server answered %d: %s%s%s%s%s", head->status, a->why,
                     when, quote[0] ? "; it says \"" : "", quote,
                     quote[0] ? "\"" : "");
}

APART static void judge(const struct upd *u, const struct upd_range *r,
                        bool may_restart, struct upd_answer *out)
{
    struct upd_answer_in in = { .head = http_head(u->fetch.client),
                                .asked_range = r->send,
                                .want_off = r->first,
                                .may_restart = may_restart,
                                .may_anew = CFG_RETRY && u->fetch.may_anew,
                                .file = u->fetch.file };

    upd_judge_answer(&in, out);
}

static esp_err_t ask_once(struct upd *u, const struct upd_range *r,
                          bool may_restart, struct upd_answer *out)
{
    esp_err_t err = set_range(u, r);

    if (err)
        return diag_fail(u->diag, DIAG_STAGE_HTTP, err,
                         "the request cannot be made");
    err = request_followed(u);
    u->result->http_status = http_head(u->fetch.client)->status;
    if (err)
        return diag_fail(u->diag, DIAG_STAGE_CONNECT, err,
                         "the server cannot be asked");
    judge(u, r, may_restart, out);
    if (out->act == UPD_ACT_FAIL)
        return refuse_answer(u, out);
    return ESP_OK;
}

/* --- again ---------------------------------------------------------------- */

static uint32_t random_number(const struct upd *u)
{
    const struct port_rng *rng = u->env.http.rng;
    uint32_t n = 0;

    if (rng && rng->fill(rng->ctx, &n, sizeof(n)))
        n = 0;
    return n;
}

APART static void decide_again(const struct upd *u, int status,
                               struct upd_retry *out)
{
    struct upd_retry_in in = {
        .stage = u->diag->stage,
        .err = u->diag->err,
        .status = status,
        .unsound = http_stats(u->fetch.client)->unsound,
        .retry_after_s = status ? http_head(u->fetch.client)->retry_after_s : 0,
        .done_cnt = u->result->retries,
        .max_cnt = u->opts.retry_cnt,
        .left_ms = upd_left_ms(u),
        .rnd = random_number(u),
    };

    upd_decide_retry(&in, out);
}

bool upd_again(struct upd *u, int status)
{
    struct upd_retry retry;

    if (!CFG_RETRY)
        return false;
    decide_again(u, status, &retry);
    if (!retry.again || port_limit_stopped(u->opts.limit))
        return false;
    *u->diag = (struct diag)DIAG_NONE;
    u->result->retries++;
    upd_wait(u, retry.wait_ms);
    return true;
}

esp_err_t upd_ask(struct upd *u, const struct upd_range *r, bool may_restart,
                  struct upd_answer *out)
{
    for (;;) {
        esp_err_t err = upd_check_limits(u);
        int status;

        if (err)
            return err;
        *out = (struct upd_answer){ .act = UPD_ACT_TAKE };
        err = ask_once(u, r, may_restart, out);
        if (!err)
            return ESP_OK;
        status = out->act == UPD_ACT_FAIL ? u->result->http_status : 0;
        if (!upd_again(u, status))
            return upd_fail_said(u, err);
    }
}
