#include "http/range.h"

#include <stdio.h>

#include "http/text.h"

/* complete-length = 1*DIGIT / "*" */
static esp_err_t range_total(struct span text, http_len *out)
{
    *out = HTTP_LEN_UNKNOWN;
    if (span_eq(text, "*"))
        return ESP_OK;
    return http_digits(text, out);
}

esp_err_t http_range_parse(struct span text, struct http_range *out)
{
    struct span rest, total, last;
    struct span unit = http_cut(http_trim(text), ' ', &rest);

    *out = (struct http_range){ .total = HTTP_LEN_UNKNOWN };
    if (!http_name_is(unit, "bytes"))
        return ESP_ERR_INVALID_RESPONSE;
    struct span range = http_cut(http_trim(rest), '/', &total);
    if (range_total(total, &out->total) != ESP_OK)
        return ESP_ERR_INVALID_RESPONSE;
    if (span_eq(range, "*"))
        return out->total == HTTP_LEN_UNKNOWN ? ESP_ERR_INVALID_RESPONSE
                                              : ESP_OK;
    struct span first = http_cut(range, '-', &last);
    if (http_digits(first, &out->first) != ESP_OK ||
        http_digits(last, &out->last) != ESP_OK)
        return ESP_ERR_INVALID_RESPONSE;
    if (out->last < out->first || out->last >= out->total)
        return ESP_ERR_INVALID_RESPONSE;
    out->satisfied = true;
    return ESP_OK;
}

void http_range_format(http_len first, http_len last,
                       char out[HTTP_RANGE_TEXT_LEN])
{
    if (last == HTTP_LEN_UNKNOWN)
        (void)snprintf(out, HTTP_RANGE_TEXT_LEN, "bytes=%" HTTP_LEN_FMT "-",
                       first);
    else
        (void)snprintf(out, HTTP_RANGE_TEXT_LEN,
                       "bytes=%" HTTP_LEN_FMT "-%" HTTP_LEN_FMT, first, last);
}
