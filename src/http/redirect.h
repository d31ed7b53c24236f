/* http/redirect.h - may this redirect be followed, and what has to be left
 * behind? Pure: it decides, the client acts. */
#ifndef HTTP_REDIRECT_H
#define HTTP_REDIRECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "http/url.h"

/* 301, 302, 303, 307 and 308. */
bool http_redirect_status(int status);

struct http_redirect_in {
    const struct http_url *from;
    const struct http_url *to; /* NULL: no Location, or one without sense */
    uint32_t done_cnt;         /* redirects followed for this request */
    uint32_t max_cnt;
    bool seen; /* this request was at `to` before */
};

struct http_redirect {
    esp_err_t err;   /* ESP_OK: follow */
    const char *why; /* when not: half a sentence that follows the URL */
    bool new_origin; /* credentials stay behind, the connection ends */
};

/* Method and body are kept, whatever the status is, as the reference does.
 * ESP_ERR_INVALID_ARG: nowhere to go. ESP_ERR_HTTP_REDIRECT_DOWNGRADE: from
 * https to http. ESP_ERR_HTTP_MAX_REDIRECT: too many, or a loop. */
struct http_redirect http_redirect_decide(const struct http_redirect_in *in);

#endif
