#include "update/decide.h"

#include <string.h>

#include "otadata/otadata.h"

static void refuse(struct upd_answer *out, esp_err_t err, const char *why)
{
    out->act = UPD_ACT_FAIL;
    out->err = err;
    out->why = why;
}

static void judge_refusal(const struct upd_answer_in *in,
                          struct upd_answer *out)
{
    switch (in->head->status) {
    case 401:
        refuse(out, ESP_FAIL,
               "it wants a user name and password that it "
               "accepts");
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
        else
            refuse(out, ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE,
                   "it does not have the bytes that were asked for");
        return;
    default:
        refuse(out, ESP_FAIL,
               in->head->status >= 500 ? "the server has a problem, try later"
               : in->head->status >= 400
                   ? "the request was refused"
                   : "this is not an answer to a download");
    }
}

/* The file that the first bytes came from must be the one that the next ones
 * come from. */
static bool is_same_file(const struct upd_answer_in *in, uint64_t total)
{
    if (in->known_total != HTTP_LEN_UNKNOWN && total != HTTP_LEN_UNKNOWN &&
        in->known_total != total)
        return false;
    return in->known_tag[0] == '\0' || in->head->etag[0] == '\0' ||
           strcmp(in->known_tag, in->head->etag) == 0;
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
    else if (!is_same_file(in, h->range_total))
        refuse(out, ESP_ERR_INVALID_RESPONSE,
               "the file changed on the server meanwhile, start again");
    else
        out->act = UPD_ACT_TAKE;
    out->total = h->range_total;
}

static void judge_whole(const struct upd_answer_in *in, struct upd_answer *out)
{
    out->total = in->head->content_len;
    if (in->want_off == 0)
        out->act = UPD_ACT_TAKE;
    else if (in->may_restart)
        out->act = UPD_ACT_RESTART;
    else
        refuse(out, ESP_ERR_INVALID_RESPONSE,
               "the whole file was sent though a part was asked for: it "
               "changed, or the server gives no ranges any more");
}

void upd_judge_answer(const struct upd_answer_in *in, struct upd_answer *out)
{
    int status = in->head->status;

    *out = (struct upd_answer){ UPD_ACT_FAIL, ESP_FAIL, "", HTTP_LEN_UNKNOWN };
    if (status == 304 || status == 204)
        out->act = UPD_ACT_NOT_MODIFIED;
    else if (status < 200 || status > 299 || status == 205)
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

enum upd_mend upd_decide_mend(const struct upd_mend_in *in)
{
    bool mendable =
        in->err == ESP_ERR_TIMEOUT || in->err == ESP_ERR_HTTP_INCOMPLETE_DATA ||
        in->err == ESP_ERR_HTTP_CONNECTION_CLOSED || in->err == ESP_FAIL;

    if (!mendable)
        return UPD_MEND_GIVE_UP;
    if (in->err == ESP_ERR_TIMEOUT && in->stalls < in->stall_cnt)
        return UPD_MEND_WAIT;
    return in->retries < in->retry_cnt ? UPD_MEND_ASK_REST : UPD_MEND_GIVE_UP;
}
