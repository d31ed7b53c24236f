/* fetch.c - the bytes of a file on a server, in one answer or in ranges.
 *
 * fetch.off counts bytes of the file, before any transform, so a broken
 * transfer or the next range continues there whatever the stages do. */
#include "update/priv.h"

#include <stdio.h>

#include "base/text.h"
#include "http/range.h"
#include "http/redirect.h"

#define BODY_QUOTE_LEN 120u
#define RETRY_WAIT_MS 500u
#define RETRY_WAIT_MAX 8000u

/* --- open and close ------------------------------------------------------ */

esp_err_t upd_fetch_open(struct upd *u)
{
    const struct port_sys *sys = u->env.http.sys;
    struct http_opts opts = u->opts.http;
    esp_err_t err;

    u->fetch.total = HTTP_LEN_UNKNOWN;
    if (u->opts.max_time_ms > 0)
        u->fetch.deadline_ms = sys->mono_ms(sys->ctx) + u->opts.max_time_ms;
    u->fetch.client = u->opts.client;
    if (!u->fetch.client) {
        opts.follow = true;
        err = http_open(&u->fetch.client, &u->env.http, &opts, u->opts.url,
                        u->diag);
        u->fetch.own_client = !err;
        if (err)
            return upd_fail(u, DIAG_STAGE_ARGS, err,
                            "the URL cannot be opened");
    }
    if (!pol_allow_http(u->env.http.policy))
        http_refuse_plain(u->fetch.client);
    return ESP_OK;
}

void upd_fetch_close(struct upd *u)
{
    if (u->fetch.own_client)
        http_close(u->fetch.client);
    u->fetch.client = NULL;
    u->fetch.own_client = false;
}

/* --- giving up ----------------------------------------------------------- */

/* The first words of an error page, when it is text. */
static void quote_body(struct upd *u, char *out, size_t out_len)
{
    uint8_t raw[BODY_QUOTE_LEN];
    size_t len = 0, got = 1;

    out[0] = '\0';
    if (strncmp(http_head(u->fetch.client)->content_type, "text/", 5) != 0)
        return;
    while (len < sizeof(raw) && got > 0) {
        if (http_read(u->fetch.client, raw + len, sizeof(raw) - len, &got,
                      NULL))
            break;
        len += got;
    }
    text_clean(span_of(raw, len), out, out_len);
}

static esp_err_t fail_answer(struct upd *u, const struct upd_answer *a)
{
    const struct http_head *head = http_head(u->fetch.client);
    char quote[BODY_QUOTE_LEN + 1];

    quote_body(u, quote, sizeof(quote));
    if (quote[0] == '\0')
        return upd_fail(u, DIAG_STAGE_HTTP, a->err,
                        "the server answered %d: %s", head->status, a->why);
    return upd_fail(u, DIAG_STAGE_HTTP, a->err,
                    "the server answered %d: %s; it says \"%s\"", head->status,
                    a->why, quote);
}

static esp_err_t fail_transfer(struct upd *u, esp_err_t err,
                               const struct diag *said)
{
    unsigned long long off = u->fetch.off, total = u->fetch.total;

    if (err == ESP_ERR_TIMEOUT)
        return upd_fail(u, DIAG_STAGE_DOWNLOAD, err,
                        "the server fell silent after %llu bytes", off);
    if (err == ESP_ERR_HTTP_INCOMPLETE_DATA && total != HTTP_LEN_UNKNOWN)
        return upd_fail(u, DIAG_STAGE_DOWNLOAD, err,
                        "the connection ended after %llu of %llu bytes", off,
                        total);
    if (said->err != ESP_OK)
        return upd_fail(u, said->stage, err, "%s", said->text);
    return upd_fail(u, DIAG_STAGE_DOWNLOAD, err,
                    "the transfer broke after %llu bytes", off);
}

static esp_err_t check_deadline(struct upd *u)
{
    const struct port_sys *sys = u->env.http.sys;

    if (u->fetch.deadline_ms == 0 ||
        sys->mono_ms(sys->ctx) < u->fetch.deadline_ms)
        return ESP_OK;
    return upd_fail(u, DIAG_STAGE_DOWNLOAD, ESP_ERR_TIMEOUT,
                    "the time limit of %u ms passed after %llu bytes",
                    (unsigned)u->opts.max_time_ms,
                    (unsigned long long)u->fetch.off);
}

/* --- requests ------------------------------------------------------------ */

static esp_err_t set_range(struct upd *u, const struct upd_range *r)
{
    char text[HTTP_RANGE_TEXT_LEN];
    esp_err_t err;

    u->fetch.asked_range = r->send;
    if (r->send)
        http_range_format(r->first, r->last, text);
    err = http_set_header(u->fetch.client, "Range", r->send ? text : NULL);
    if (!r->send && err == ESP_ERR_NOT_FOUND)
        err = ESP_OK; /* there was none to remove */
    return err ? upd_fail(u, DIAG_STAGE_HTTP, err, "the request cannot be made")
               : ESP_OK;
}

static void wait_before_retry(const struct upd *u)
{
    const struct port_sys *sys = u->env.http.sys;
    uint32_t ms = RETRY_WAIT_MS
                  << (u->fetch.retries < 5 ? u->fetch.retries : 5);

    sys->sleep_ms(sys->ctx, ms < RETRY_WAIT_MAX ? ms : RETRY_WAIT_MAX);
}

static bool is_passing(esp_err_t err)
{
    return err == ESP_ERR_HTTP_CONNECT || err == ESP_ERR_HTTP_FETCH_HEADER ||
           err == ESP_ERR_HTTP_WRITE_DATA || err == ESP_ERR_HTTP_READ_TIMEOUT ||
           err == ESP_ERR_HTTP_CONNECTION_CLOSED || err == ESP_ERR_TIMEOUT ||
           err == ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST ||
           err == ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT;
}

/* A borrowed client may leave redirects and challenges to its user. */
static esp_err_t request_followed(struct upd *u, struct diag *said)
{
    struct http_client *c = u->fetch.client;
    esp_err_t err = http_request(c, said);

    while (!err && u->opts.client) {
        int status = http_head(c)->status;
        if (http_redirect_status(status))
            err = http_redirect(c, said);
        else if (status == 401)
            err = http_authenticate(c, said);
        else
            break;
        if (!err)
            err = http_request(c, said);
    }
    return err;
}

static esp_err_t request(struct upd *u)
{
    for (;;) {
        struct diag said = DIAG_NONE;
        esp_err_t err = check_deadline(u);

        if (err)
            return err;
        err = request_followed(u, &said);
        u->result.http_status = http_head(u->fetch.client)->status;
        if (!err)
            return ESP_OK;
        if (!is_passing(err) || u->fetch.retries >= u->opts.retry_cnt)
            return upd_fail(
                u, said.err ? said.stage : DIAG_STAGE_CONNECT, err, "%s",
                said.err ? said.text : "the server cannot be asked");
        wait_before_retry(u);
        u->fetch.retries++;
    }
}

static esp_err_t ask(struct upd *u, const struct upd_range *r, bool may_restart,
                     struct upd_answer *out)
{
    struct upd_answer_in in;
    esp_err_t err = set_range(u, r);

    if (!err)
        err = request(u);
    if (err)
        return err;
    in.head = http_head(u->fetch.client);
    in.asked_range = r->send;
    in.want_off = r->first;
    in.may_restart = may_restart;
    in.known_total = u->fetch.total;
    in.known_tag = u->fetch.tag;
    upd_judge_answer(&in, out);
    if (out->act == UPD_ACT_FAIL)
        return fail_answer(u, out);
    if (out->act == UPD_ACT_NOT_MODIFIED) {
        u->result.not_modified = true;
        return upd_fail(u, DIAG_STAGE_HTTP, ESP_ERR_HTTP_NOT_MODIFIED,
                        "the server has nothing newer (%d)", in.head->status);
    }
    return ESP_OK;
}

/* Remembers which file this is. */
static esp_err_t learn(struct upd *u, const struct upd_answer *a)
{
    const struct http_head *head = http_head(u->fetch.client);

    memcpy(u->fetch.tag, head->etag, sizeof(u->fetch.tag));
    if (a->total == HTTP_LEN_UNKNOWN)
        return ESP_OK;
    u->fetch.total = a->total;
    u->result.image_len = (int64_t)a->total;
    return upd_check_size(u, a->total);
}

static void forget_file(struct upd *u)
{
    u->fetch.off = 0;
    u->fetch.total = HTTP_LEN_UNKNOWN;
    u->fetch.tag[0] = '\0';
}

esp_err_t upd_fetch_start(struct upd *u, bool may_restart)
{
    struct upd_range_in in = { u->fetch.off, u->fetch.total, u->opts.range_len,
                               u->opts.probe_range };
    struct upd_range r;
    struct upd_answer a;
    esp_err_t err;

    upd_next_range(&in, &r);
    err = ask(u, &r, may_restart, &a);
    if (!err && a.act == UPD_ACT_ASK_AGAIN) {
        forget_file(u);
        r = (struct upd_range){ false, 0, HTTP_LEN_UNKNOWN };
        err = ask(u, &r, false, &a);
    }
    if (err)
        return err;
    if (a.act == UPD_ACT_RESTART)
        forget_file(u);
    return learn(u, &a);
}

esp_err_t upd_fetch_head(struct upd *u, uint8_t *dst, uint32_t len, bool *whole)
{
    struct upd_range r = { true, 0, len - 1 };
    struct upd_answer a;
    uint32_t have = 0;
    esp_err_t err = ask(u, &r, false, &a);

    if (!err)
        err = learn(u, &a);
    *whole = !err && http_head(u->fetch.client)->status != 206;
    while (!err && !*whole && have < len) {
        size_t got;
        err = http_read(u->fetch.client, dst + have, len - have, &got, NULL);
        if (!err && got == 0)
            err = ESP_ERR_INVALID_RESPONSE;
        if (err)
            return fail_transfer(u, err, &(struct diag)DIAG_NONE);
        have += (uint32_t)got;
    }
    return err;
}

/* --- bodies -------------------------------------------------------------- */

static esp_err_t mend(struct upd *u, esp_err_t err, const struct diag *said)
{
    struct upd_mend_in in = { err, ++u->fetch.stalls,
                              u->opts.stall_cnt ? u->opts.stall_cnt : 1,
                              u->fetch.retries, u->opts.retry_cnt };

    switch (upd_decide_mend(&in)) {
    case UPD_MEND_WAIT:
        return ESP_OK;
    case UPD_MEND_ASK_REST:
        wait_before_retry(u);
        u->fetch.retries++;
        u->fetch.stalls = 0;
        return upd_fetch_start(u, false);
    default:
        return fail_transfer(u, err, said);
    }
}

/* The body of one answer is over: the file, too? */
static esp_err_t next_answer(struct upd *u, bool *done)
{
    if (u->fetch.total == HTTP_LEN_UNKNOWN || u->fetch.off >= u->fetch.total) {
        *done = true;
        return ESP_OK;
    }
    return upd_fetch_start(u, false);
}

esp_err_t upd_fetch_read(struct upd *u, void *dst, size_t len, size_t *got,
                         bool *done)
{
    struct diag said = DIAG_NONE;
    esp_err_t err = check_deadline(u);

    *got = 0;
    if (err)
        return err;
    if (http_body_done(u->fetch.client))
        return next_answer(u, done);
    err = http_read(u->fetch.client, dst, len, got, &said);
    if (err)
        return mend(u, err, &said);
    u->fetch.stalls = 0;
    u->fetch.off += *got;
    u->result.received_len += (uint32_t)*got;
    return ESP_OK;
}
