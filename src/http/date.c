#include "http/date.h"

#include <string.h>

#include "http/text.h"
#include "tls/date.h"

/* A '0' is any digit, an 'a' any letter; the rest stands for itself. */
static const char shape[] = "aaa, 00 aaa 0000 00:00:00 GMT";
#define SHAPE_LEN (sizeof(shape) - 1)

static bool has_shape(struct span text)
{
    if (text.len != SHAPE_LEN)
        return false;
    for (size_t i = 0; i < SHAPE_LEN; i++) {
        uint8_t c = text.ptr[i];
        bool fits = shape[i] == '0'   ? http_is_digit(c)
                    : shape[i] == 'a' ? http_is_alpha(c)
                                      : c == (uint8_t)shape[i];
        if (!fits)
            return false;
    }
    return true;
}

static int number(const uint8_t *at, int digits)
{
    int n = 0;

    for (int i = 0; i < digits; i++)
        n = n * 10 + (at[i] - '0');
    return n;
}

/* 1 to 12; 0: none. */
static int month_of(const uint8_t *at)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int m = 0; m < 12; m++) {
        if (memcmp(at, names + 3 * m, 3) == 0)
            return m + 1;
    }
    return 0;
}

esp_err_t http_date_parse(struct span text, int64_t *out_s)
{
    *out_s = 0;
    if (!has_shape(text))
        return ESP_ERR_INVALID_RESPONSE;
    const uint8_t *at = text.ptr;
    const int date[3] = { number(at + 12, 4), month_of(at + 8),
                          number(at + 5, 2) };
    const int time[3] = { number(at + 17, 2), number(at + 20, 2),
                          number(at + 23, 2) };

    /* A leap second is one. */
    if (date[0] < 1970 || date[1] == 0 || date[2] < 1 || date[2] > 31 ||
        time[0] > 23 || time[1] > 59 || time[2] > 60)
        return ESP_ERR_INVALID_RESPONSE;
    *out_s = tls_date_seconds(date, time);
    return ESP_OK;
}
