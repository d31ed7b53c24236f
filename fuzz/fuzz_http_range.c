/* Content-Range: what is accepted makes sense. */
#include <stdint.h>
#include <stdlib.h>

#include "http/head.h"
#include "http/range.h"

static void must(int ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_range r;
    char text[HTTP_RANGE_TEXT_LEN];
    esp_err_t err = http_range_parse(span_of(data, size), &r);

    must(err == ESP_OK || err == ESP_ERR_INVALID_RESPONSE);
    if (err)
        return 0;
    if (!r.satisfied) {
        must(r.total != HTTP_LEN_UNKNOWN);
        return 0;
    }
    must(r.first <= r.last && r.last < r.total);
    http_range_format(r.first, r.last, text);
    must(strlen(text) < sizeof(text));
    return 0;
}
