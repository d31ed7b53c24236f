#include "http/redirect.h"

#include "base/diag.h"

bool http_redirect_status(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 ||
           status == 308;
}

static struct http_redirect refuse(esp_err_t err, const char *why)
{
    return (struct http_redirect){ .err = err, .why = why };
}

#define refuse(err, why) refuse(err, DIAG_WHY(why))

struct http_redirect http_redirect_decide(const struct http_redirect_in *in)
{
    if (!in->to)
        return refuse(ESP_ERR_INVALID_ARG,
                      "without a Location that is an http or https URL");
    if (in->from->is_https && !in->to->is_https)
        return refuse(ESP_ERR_HTTP_REDIRECT_DOWNGRADE,
                      "from https to http, which is never followed");
    if (in->seen)
        return refuse(ESP_ERR_HTTP_MAX_REDIRECT,
                      "to a place where this request has been: a loop");
    if (in->done_cnt >= in->max_cnt)
        return refuse(ESP_ERR_HTTP_MAX_REDIRECT,
                      "once more than the limit allows");
    return (struct http_redirect){
        .err = ESP_OK, .new_origin = !http_url_same_origin(in->from, in->to)
    };
}
