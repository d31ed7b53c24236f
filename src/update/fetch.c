/* fetch.c - the bytes of a file on a server, in one answer or in ranges.
 *
 * fetch.off counts bytes of the file, before any transform, so a broken
 * transfer or the next range continues there whatever the stages do. */
#include "update/priv.h"

#include "base/log.h"

/* --- open and close ------------------------------------------------------- */

esp_err_t upd_fetch_open(struct upd *u)
{
    struct http_opts opts = { 0 };
    esp_err_t err;

    u->fetch.file.total = HTTP_LEN_UNKNOWN;
    u->fetch.client = u->opts.client;
    if (!u->fetch.client) {
        if (u->opts.http)
            opts = *u->opts.http;
        opts.follow = true;
        opts.net.limit = u->opts.limit;
        err = http_open(&u->fetch.client, &u->env.http, &opts, u->opts.url,
                        u->diag);
        u->fetch.own_client = !err;
        if (err)
            return upd_fail(u, u->diag->stage, err, "%s", u->diag->text);
    }
    u->opts.http = NULL; /* not ours to keep */
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

/* --- requests ------------------------------------------------------------- */

static esp_err_t ask(struct upd *u, const struct upd_range *r, bool may_restart,
                     struct upd_answer *out)
{
    esp_err_t err = upd_ask(u, r, may_restart, out);

    if (err || out->act != UPD_ACT_NOT_MODIFIED)
        return err;
    u->result->not_modified = true;
    return upd_fail(u, DIAG_STAGE_HTTP, ESP_ERR_HTTP_NOT_MODIFIED,
                    "the server has nothing newer (%d)",
                    u->result->http_status);
}

/* Remembers which file this is. */
static esp_err_t learn(struct upd *u, const struct upd_answer *a)
{
    const struct http_head *head = http_head(u->fetch.client);
    struct upd_file *file = &u->fetch.file;

    memcpy(file->etag, head->etag, sizeof(file->etag));
    memcpy(file->modified, head->last_modified, sizeof(file->modified));
    if (a->total == HTTP_LEN_UNKNOWN)
        return ESP_OK;
    file->total = a->total;
    u->result->image_len = (int64_t)a->total;
    return upd_check_size(u, a->total);
}

static void forget_file(struct upd *u)
{
    u->fetch.off = 0;
    u->fetch.file = (struct upd_file){ .total = HTTP_LEN_UNKNOWN };
}

/* Where the part cannot be had, all of it. */
static esp_err_t ask_part_or_all(struct upd *u, const struct upd_range *part,
                                 bool may_restart, struct upd_answer *out)
{
    const struct upd_range all = { false, 0, HTTP_LEN_UNKNOWN };
    esp_err_t err = ask(u, part, may_restart, out);

    if (err || out->act != UPD_ACT_ASK_AGAIN)
        return err;
    forget_file(u);
    return ask(u, &all, false, out);
}

esp_err_t upd_fetch_start(struct upd *u, bool may_restart)
{
    struct upd_range_in in = { u->fetch.off, u->fetch.file.total,
                               u->opts.range_len, u->opts.probe_range };
    struct upd_range r;
    struct upd_answer a;
    esp_err_t err;

    upd_next_range(&in, &r);
    upd_work_park(u);
    err = ask_part_or_all(u, &r, may_restart, &a);
    if (!err)
        err = upd_work_unpark(u);
    if (err)
        return err;
    if (CFG_RETRY && a.act == UPD_ACT_ANEW) {
        forget_file(u);
        u->fetch.changed = true;
        return ESP_OK;
    }
    if (a.act == UPD_ACT_END) {
        u->fetch.file.total = u->fetch.off;
        u->fetch.ended = true;
        return ESP_OK;
    }
    if (a.act == UPD_ACT_RESTART)
        forget_file(u);
    return learn(u, &a);
}

/* --- bodies --------------------------------------------------------------- */

/* Says it in the place of what the client said. */
APART static void explain_transfer(struct upd *u, esp_err_t err)
{
    struct diag *said = u->diag;
    unsigned long long off = u->fetch.off, total = u->fetch.file.total;
    struct diag why = *said;
    char cause[HTTP_CAUSE_LEN];

    *said = (struct diag)DIAG_NONE;
    if (!CFG_SENTENCES) {
        (void)diag_plain_fail(said, DIAG_STAGE_DOWNLOAD, err);
        return;
    }
    http_cause(u->fetch.client, cause);
    if (err == ESP_ERR_TIMEOUT && u->fetch.window_len > 0)
        diag_fail(said, DIAG_STAGE_DOWNLOAD, err,
                  "the server is too slow: %u bytes in %u.%u s, after "
                  "%llu bytes",
                  (unsigned)u->fetch.window_len,
                  (unsigned)u->fetch.window_ms / 1000,
                  (unsigned)u->fetch.window_ms % 1000 / 100, off);
    else if (err == ESP_ERR_TIMEOUT)
        diag_fail(said, DIAG_STAGE_DOWNLOAD, err,
                  "the server fell silent after %llu bytes", off);
    else if (err == ESP_ERR_HTTP_INCOMPLETE_DATA &&
             u->fetch.file.total != HTTP_LEN_UNKNOWN &&
             !http_body_done(u->fetch.client))
        diag_fail(said, DIAG_STAGE_DOWNLOAD, err,
                  "the connection ended after %llu of %llu bytes: %s", off,
                  total, cause);
    else if (why.err != ESP_OK)
        diag_fail(said, why.stage, err, "%s", why.text);
    else
        diag_fail(said, DIAG_STAGE_DOWNLOAD, err,
                  "the transfer broke after %llu bytes", off);
}

static void pace_reset(struct upd_fetch *f)
{
    f->window_ms = f->window_len = 0;
}

/* ESP_ERR_TIMEOUT: too little came for too long. A receive timeout alone is
 * not an end yet. */
static esp_err_t watch_pace(struct upd *u, uint64_t since_ms, size_t got,
                            esp_err_t err)
{
    struct upd_fetch *f = &u->fetch;
    uint32_t window_ms = u->opts.stall_ms;
    uint32_t waited_ms = (uint32_t)(upd_now_ms(u) - since_ms);

    if (err && err != ESP_ERR_TIMEOUT)
        return err;
    f->silent_ms = got > 0 ? 0 : f->silent_ms + waited_ms;
    f->window_ms += waited_ms;
    f->window_len += (uint32_t)got;
    if (err && f->silent_ms >= window_ms) {
        pace_reset(f);
        return err;
    }
    switch (upd_decide_pace(window_ms, f->window_ms, f->window_len)) {
    case UPD_PACE_STALLED:
        return ESP_ERR_TIMEOUT;
    case UPD_PACE_NEW_WINDOW:
        pace_reset(f);
        break;
    case UPD_PACE_ON:
        break;
    }
    return ESP_OK; /* a pause is no end yet */
}

/* An image, and what a stage makes of a file, has a digest that finds a splice
 * of two files. Other data has only what the server calls the file by. */
static bool is_rest_known(const struct upd *u)
{
    return u->fetch.off == 0 || upd_is_image(u) || upd_stage_cnt(u) > 0 ||
           upd_file_known(&u->fetch.file);
}

static esp_err_t refuse_rest(struct upd *u, const char *said)
{
    return upd_fail(u, DIAG_STAGE_DOWNLOAD, ESP_ERR_HTTP_INCOMPLETE_DATA,
                    "%s%sthe server names no version of the file (ETag, or "
                    "Last-Modified and its length), so the rest may be another "
                    "file's: fetch all at once",
                    said, said[0] ? "; " : "");
}

/* What is left of this connection is not worth waiting for, and a redirect may
 * lead elsewhere by now. */
static esp_err_t go_home(struct upd *u)
{
    esp_err_t err;

    http_disconnect(u->fetch.client);
    err = http_rewind(u->fetch.client, u->diag);
    if (!err)
        err = http_resume(u->fetch.client, u->diag);
    return err ? upd_fail_said(u, err) : ESP_OK;
}

/* Of the old file nothing is kept, and the new one is judged like any. What
 * the flash went through counts on. */
static esp_err_t start_anew(struct upd *u)
{
    uint32_t erase_cnt = u->slot.erase_cnt, prog_cnt = u->slot.prog_cnt;
    esp_err_t err;

    LOGW("update", "the server has another file by now, or gives no ranges: "
                   "all of it comes anew");
    u->fetch.changed = false;
    u->bulk_done = false;
    u->result->image_len = -1;
    err = upd_start_over(u);
    u->slot.erase_cnt = erase_cnt;
    u->slot.prog_cnt = prog_cnt;
    if (!err)
        err = go_home(u);
    return err ? err : upd_fetch_start(u, false);
}

/* Asks for the rest. When it cannot be had because the file is another one by
 * now, that takes a retry, too, unless one was paid for this question. A stage
 * with a state of its own cannot start over. */
static esp_err_t ask_rest(struct upd *u, bool paid)
{
    bool left = u->result->retries < u->opts.retry_cnt;
    esp_err_t err;

    if (!CFG_RETRY)
        return upd_fetch_start(u, false);
    u->fetch.may_anew = upd_is_even(u) && !u->held && (paid || left);
    err = upd_fetch_start(u, false);
    u->fetch.may_anew = false;
    if (err || !u->fetch.changed)
        return err;
    u->result->retries += !paid;
    return start_anew(u);
}

/* The rest is asked for from home, on a new connection. */
static esp_err_t mend(struct upd *u, esp_err_t err)
{
    explain_transfer(u, err);
    pace_reset(&u->fetch);
    u->fetch.silent_ms = 0;
    if (u->opts.retry_cnt > 0 && !is_rest_known(u))
        return refuse_rest(u, u->diag->text);
    if (!upd_again(u, 0))
        return upd_fail_said(u, err);
    err = go_home(u);
    return err ? err : ask_rest(u, true);
}

/* What came of a file that is given up does not go on its way. */
static esp_err_t mend_read(struct upd *u, esp_err_t err, size_t *got)
{
    err = mend(u, err);
    if (CFG_RETRY && u->fetch.off == 0)
        *got = 0;
    return err;
}

/* Behind the last byte that the answer is about, by its Content-Range. */
static http_len part_end(const struct upd *u)
{
    const struct http_head *head = http_head(u->fetch.client);

    return head->status == 206 ? head->range_last + 1 : HTTP_LEN_UNKNOWN;
}

/* Chunks and a close end a body wherever they like. Asking on from there would
 * never end with a server that sends nothing at all. */
static esp_err_t mend_short(struct upd *u, http_len end)
{
    esp_err_t err =
        diag_fail(u->diag, DIAG_STAGE_DOWNLOAD, ESP_ERR_HTTP_INCOMPLETE_DATA,
                  "the answer ended after %llu of the %llu bytes "
                  "that its Content-Range promises",
                  (unsigned long long)(u->fetch.off - u->fetch.asked.first),
                  (unsigned long long)(end - u->fetch.asked.first));

    return mend(u, err);
}

/* A server may give less than was asked for: the wait for its next answer
 * counts as a wait for bytes, unless a retry has been waited for. */
static esp_err_t ask_on(struct upd *u)
{
    uint64_t since_ms = upd_now_ms(u);
    uint32_t retries = u->result->retries;

    if (!is_rest_known(u))
        return refuse_rest(u, "");
    esp_err_t err = ask_rest(u, false);

    if (u->result->retries == retries)
        u->fetch.window_ms += (uint32_t)(upd_now_ms(u) - since_ms);
    return err;
}

/* The body of one answer is over: the file, too? */
static esp_err_t next_answer(struct upd *u, bool *done)
{
    http_len total = u->fetch.file.total, off = u->fetch.off;
    http_len end = part_end(u);
    bool is_part = end != HTTP_LEN_UNKNOWN;
    bool more = total == HTTP_LEN_UNKNOWN
                    ? is_part && upd_may_go_on(&u->fetch.asked, off)
                    : off < total;

    *done = false;
    if (is_part && off < end)
        return mend_short(u, end);
    *done = !more;
    return more ? ask_on(u) : ESP_OK;
}

/* What is behind the announced end is of no known place in the file. */
static esp_err_t refuse_excess(struct upd *u, size_t *got)
{
    *got = 0;
    return upd_fail(u, DIAG_STAGE_DOWNLOAD, ESP_ERR_INVALID_RESPONSE,
                    "the server sent more bytes than the Content-Range of its "
                    "answer says");
}

esp_err_t upd_fetch_read(struct upd *u, void *dst, size_t len, size_t *got,
                         bool *done)
{
    esp_err_t err = upd_check_limits(u);
    uint64_t since_ms;

    *got = 0;
    if (err)
        return err;
    *done = u->fetch.ended;
    if (*done)
        return ESP_OK;
    if (http_body_done(u->fetch.client))
        return next_answer(u, done);
    since_ms = upd_now_ms(u);
    err = http_read(u->fetch.client, dst, len, got, u->diag);
    err = watch_pace(u, since_ms, *got, err);
    if (*got > part_end(u) - u->fetch.off)
        return refuse_excess(u, got);
    u->fetch.off += *got;
    u->result->received_len += (uint32_t)*got;
    if (err)
        return mend_read(u, err, got);
    *u->diag = (struct diag)DIAG_NONE; /* of a pause that was no end */
    return ESP_OK;
}

esp_err_t upd_fetch_head(struct upd *u, uint8_t *dst, uint32_t len, bool *whole)
{
    struct upd_range r = { true, 0, len - 1 };
    struct upd_answer a;
    uint32_t have = 0;
    esp_err_t err = ask_part_or_all(u, &r, true, &a);

    if (!err)
        err = learn(u, &a);
    *whole = !err && http_head(u->fetch.client)->status != 206;
    while (!err && !*whole && have < len) {
        size_t got;
        uint64_t since_ms = upd_now_ms(u);
        err = http_read(u->fetch.client, dst + have, len - have, &got, u->diag);
        if (!err && got == 0)
            err = ESP_ERR_INVALID_RESPONSE;
        else
            err = watch_pace(u, since_ms, got, err);
        if (err) {
            explain_transfer(u, err);
            return upd_fail_said(u, err);
        }
        *u->diag = (struct diag)DIAG_NONE; /* of a pause that was no end */
        have += (uint32_t)got;
        u->result->received_len += (uint32_t)got;
    }
    return err;
}
