#include "update/decide.h"

#include <string.h>

#include "otadata/otadata.h"
#include "slot/behind.h"

static void refuse(struct upd_answer *out, esp_err_t err, const char *why)
{
    out->act = UPD_ACT_FAIL;
    out->err = err;
    out->why = why;
}

#define refuse(out, err, why) refuse(out, err, DIAG_WHY(why))

/* Who never told how long the file is may say by this that it is over. */
static bool is_end(const struct upd_answer_in *in)
{
    http_len told = in->head->range_total;

    return in->want_off > 0 && in->file.total == HTTP_LEN_UNKNOWN &&
           (told == HTTP_LEN_UNKNOWN || told == in->want_off);
}

static void judge_refusal(const struct upd_answer_in *in,
                          struct upd_answer *out)
{
    switch (in->head->status) {
    case 401:
        refuse(out, ESP_FAIL,
               "it wants to know who asks, and what was sent, if anything, it "
               "does not accept (user name and password, or a token)");
        return;
    case 407:
        refuse(out, ESP_FAIL,
               "the proxy wants a user name and password that it accepts");
        return;
    case 403:
        refuse(out, ESP_FAIL, "access is forbidden");
        return;
    case 404:
    case 410:
        refuse(out, ESP_FAIL, "there is no such file");
        return;
    case 416:
        if (in->may_restart && in->want_off > 0)
            out->act = UPD_ACT_ASK_AGAIN;
        else if (is_end(in))
            out->act = UPD_ACT_END;
        else if (CFG_RETRY && in->may_anew && in->want_off > 0)
            out->act = UPD_ACT_ANEW;
        else
            refuse(out, ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE,
                   "it does not have the bytes that were asked for");
        return;
    case 511:
        refuse(out, ESP_FAIL,
               "this network wants a login first (captive portal)");
        return;
    default:
        refuse(out, ESP_FAIL,
               in->head->status >= 500 ? "the server has a problem, try later"
               : in->head->status >= 400
                   ? "the request was refused"
                   : "this is not an answer to a download");
    }
}

/* RFC 9110 section 13.1.5: a weak ETag proves nothing about single bytes. */
static bool is_strong(const char *etag)
{
    return etag[0] == '"';
}

const char *upd_validator(const struct upd_file *f)
{
    if (is_strong(f->etag))
        return f->etag;
    return f->modified[0] ? f->modified : NULL;
}

bool upd_file_known(const struct upd_file *f)
{
    return is_strong(f->etag) ||
           (f->modified[0] && f->total != HTTP_LEN_UNKNOWN);
}

static bool differ(const char *a, const char *b)
{
    return a[0] && b[0] && strcmp(a, b) != 0;
}

/* The file that the first bytes came from must be the one that the next ones
 * come from. */
static bool is_same_file(const struct upd_answer_in *in, http_len total)
{
    const struct http_head *h = in->head;

    if (in->file.total != HTTP_LEN_UNKNOWN && total != HTTP_LEN_UNKNOWN &&
        in->file.total != total)
        return false;
    if (in->file.etag[0] && h->etag[0])
        return strcmp(in->file.etag, h->etag) == 0;
    return !differ(in->file.modified, h->last_modified);
}

/* What came has no rest on the server. */
static void give_up(const struct upd_answer_in *in, struct upd_answer *out,
                    const char *why)
{
    refuse(out, ESP_ERR_INVALID_RESPONSE, why);
    if (CFG_RETRY && in->may_anew)
        out->act = UPD_ACT_ANEW;
}

#define give_up(in, out, why) give_up(in, out, DIAG_WHY(why))

/* Content-Length counts the bytes of the part, Content-Range names them. */
static bool is_part_len(const struct http_head *h)
{
    return h->content_len == HTTP_LEN_UNKNOWN ||
           h->content_len == h->range_last - h->range_first + 1;
}

static void judge_partial(const struct upd_answer_in *in,
                          struct upd_answer *out)
{
    const struct http_head *h = in->head;

    if (!in->asked_range || !h->has_range)
        refuse(out, ESP_ERR_INVALID_RESPONSE,
               in->asked_range ? "it does not say which part of the file this "
                                 "is"
                               : "a part was sent though the whole file was "
                                 "asked for");
    else if (h->range_first != in->want_off)
        refuse(out, ESP_ERR_INVALID_RESPONSE,
               "this is another part of the file than asked for");
    else if (!is_part_len(h))
        refuse(out, ESP_ERR_INVALID_RESPONSE,
               "Content-Range and Content-Length contradict each other");
    else if (!is_same_file(in, h->range_total))
        give_up(in, out,
                "the file changed on the server meanwhile, start again");
    else
        out->act = UPD_ACT_TAKE;
    out->total = h->range_total;
    /* Nothing is lost yet: the whole file, from its start. */
    if (out->act == UPD_ACT_FAIL && in->may_restart && in->asked_range)
        out->act = UPD_ACT_ASK_AGAIN;
}

static void judge_whole(const struct upd_answer_in *in, struct upd_answer *out)
{
    out->total = in->head->content_len;
    if (in->want_off == 0)
        out->act = UPD_ACT_TAKE;
    else if (in->may_restart)
        out->act = UPD_ACT_RESTART;
    else
        give_up(in, out,
                "the whole file was sent though a part was asked for: it "
                "changed, or the server gives no ranges any more");
}

/* Whether there is something newer is settled before the first byte. */
static void judge_nothing_new(const struct upd_answer_in *in,
                              struct upd_answer *out)
{
    out->act = UPD_ACT_NOT_MODIFIED;
    if (in->want_off > 0 && !in->may_restart)
        refuse(out, ESP_ERR_INVALID_RESPONSE,
               "nothing new, in the middle of a download");
}

void upd_judge_answer(const struct upd_answer_in *in, struct upd_answer *out)
{
    int status = in->head->status;

    *out = (struct upd_answer){ UPD_ACT_FAIL, ESP_FAIL, "", HTTP_LEN_UNKNOWN };
    if (status == 304 || status == 204)
        judge_nothing_new(in, out);
    else if (status != 200 && status != 206)
        judge_refusal(in, out);
    else if (in->head->encoded)
        refuse(out, ESP_ERR_INVALID_RESPONSE,
               "the body is compressed, which was not asked for");
    else if (status == 206)
        judge_partial(in, out);
    else
        judge_whole(in, out);
    if (out->act != UPD_ACT_FAIL)
        out->err = ESP_OK;
}

void upd_next_range(const struct upd_range_in *in, struct upd_range *out)
{
    out->first = in->off;
    out->last = HTTP_LEN_UNKNOWN;
    out->send = in->always || in->off > 0 || in->range_len > 0;
    if (in->range_len == 0)
        return;
    /* The last part is asked for without an end, as the reference does. */
    if (in->total == HTTP_LEN_UNKNOWN || in->total - in->off > in->range_len)
        out->last = in->off + in->range_len - 1;
}

bool upd_may_go_on(const struct upd_range *asked, http_len off)
{
    return asked->send && asked->last != HTTP_LEN_UNKNOWN && off > asked->last;
}

uint32_t upd_resume_off(uint32_t start_off, uint32_t sector_len,
                        uint32_t slot_len, bool has_stages)
{
    if (has_stages || start_off % sector_len || start_off >= slot_len)
        return 0;
    return start_off;
}

bool upd_unconfirmed(uint32_t state, bool rollback, bool live)
{
    if (!rollback)
        return false;
    return state == OTA_STATE_PENDING || (state == OTA_STATE_NEW && !live);
}

/* --- again, and when ------------------------------------------------------ */

#define RETRY_FIRST_MS 500u
#define RETRY_MAX_MS 30000u
#define RETRY_DOUBLE_CNT 6u
/* A server that wants more patience than this is left for another session. */
#define RETRY_AFTER_MAX_S 600u

/* What may pass by itself: at which stage which error. What a certificate, a
 * file or the flash says does not change by asking again. */
static const struct passing {
    enum diag_stage stage;
    esp_err_t err;
} passing[] = {
    { DIAG_STAGE_RESOLVE, ESP_ERR_HTTP_CONNECT },
    { DIAG_STAGE_CONNECT, ESP_ERR_HTTP_CONNECT },
    { DIAG_STAGE_TLS, ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT },
    { DIAG_STAGE_TLS, ESP_ERR_ESP_TLS_TCP_CLOSED_FIN },
    { DIAG_STAGE_HTTP, ESP_ERR_HTTP_WRITE_DATA },
    { DIAG_STAGE_HTTP, ESP_ERR_HTTP_FETCH_HEADER },
    { DIAG_STAGE_HTTP, ESP_ERR_HTTP_READ_TIMEOUT },
    { DIAG_STAGE_HTTP, ESP_ERR_HTTP_CONNECTION_CLOSED },
    { DIAG_STAGE_HTTP, ESP_ERR_HTTP_EAGAIN },
    { DIAG_STAGE_DOWNLOAD, ESP_ERR_TIMEOUT },
    { DIAG_STAGE_DOWNLOAD, ESP_ERR_HTTP_INCOMPLETE_DATA },
    { DIAG_STAGE_DOWNLOAD, ESP_ERR_HTTP_CONNECTION_CLOSED },
    { DIAG_STAGE_DOWNLOAD, ESP_FAIL },
};

/* Statuses that speak of now and not of the file. */
static bool is_passing_status(int status)
{
    return status == 408 || status == 425 || status == 429 || status == 500 ||
           status == 502 || status == 503 || status == 504;
}

static bool is_passing(const struct upd_retry_in *in)
{
    if (in->unsound)
        return false;
    if (in->status != 0)
        return is_passing_status(in->status);
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        if (passing[i].stage == in->stage && passing[i].err == in->err)
            return true;
    }
    return false;
}

/* Twice as long each time, up to a limit, and of that a random part between
 * one half and all: devices that lost the same server do not come back
 * together. */
static uint32_t back_off_ms(uint32_t done_cnt, uint32_t rnd)
{
    uint32_t ms = RETRY_MAX_MS;

    _Static_assert(RETRY_FIRST_MS << RETRY_DOUBLE_CNT > RETRY_MAX_MS,
                   "more doublings than count");
    if (done_cnt < RETRY_DOUBLE_CNT)
        ms = RETRY_FIRST_MS << done_cnt;
    return ms / 2 + rnd % (ms / 2 + 1);
}

void upd_decide_retry(const struct upd_retry_in *in, struct upd_retry *out)
{
    uint64_t wait_ms = back_off_ms(in->done_cnt, in->rnd);
    uint64_t told_ms = (uint64_t)in->retry_after_s * 1000;

    *out = (struct upd_retry){ .again = false };
    if (in->done_cnt >= in->max_cnt || !is_passing(in))
        return;
    if (in->status != 0 && told_ms > wait_ms)
        wait_ms = told_ms;
    out->too_late =
        wait_ms > RETRY_AFTER_MAX_S * 1000u || wait_ms >= in->left_ms;
    out->again = !out->too_late;
    out->wait_ms = out->again ? (uint32_t)wait_ms : 0;
}

/* --- too slow ------------------------------------------------------------- */

/* Slower than this is not waited for: a megabyte would take four hours. */
#define PACE_LEAST_PER_S 64u

uint32_t upd_least_len(uint32_t window_ms)
{
    return window_ms / 1000 * PACE_LEAST_PER_S +
           window_ms % 1000 * PACE_LEAST_PER_S / 1000;
}

enum upd_pace upd_decide_pace(uint32_t window_ms, uint32_t waited_ms,
                              uint32_t got_len)
{
    if (window_ms == 0 || waited_ms < window_ms)
        return UPD_PACE_ON;
    return got_len < upd_least_len(window_ms) ? UPD_PACE_STALLED
                                              : UPD_PACE_NEW_WINDOW;
}

/* --- flash ---------------------------------------------------------------- */

/* Of the image's own sectors none is erased for nothing, so the count of
 * erases stays the least that there can be. */
bool upd_decide_ahead(const struct upd_ahead_in *in)
{
    uint64_t room = (uint64_t)SLOT_BEHIND_AHEAD * in->sector_len;

    return in->erased_off < in->end_off &&
           in->erased_off < in->taken_off + room;
}
