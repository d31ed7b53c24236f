#include "base/num.h"

static bool num_has_0x(struct span text)
{
    return text.len > 2 && text.ptr[0] == '0' &&
           (text.ptr[1] == 'x' || text.ptr[1] == 'X');
}

esp_err_t num_parse_u64(struct span text, uint64_t *out)
{
    unsigned base = num_has_0x(text) ? 16 : 10;
    size_t i = base == 16 ? 2 : 0;
    bool too_large = false;
    uint64_t val = 0;

    if (text.len == 0)
        return ESP_ERR_INVALID_ARG;
    for (; i < text.len; i++) {
        unsigned digit = num_digit(text.ptr[i]);

        if (digit >= base)
            return ESP_ERR_INVALID_ARG;
        if (val > (UINT64_MAX - digit) / base)
            too_large = true;
        val = val * base + digit;
    }
    if (too_large)
        return ESP_ERR_INVALID_SIZE;
    *out = val;
    return ESP_OK;
}

esp_err_t num_parse_u32(struct span text, uint32_t *out)
{
    uint64_t val;
    esp_err_t err = num_parse_u64(text, &val);

    if (err)
        return err;
    if (val > UINT32_MAX)
        return ESP_ERR_INVALID_SIZE;
    *out = (uint32_t)val;
    return ESP_OK;
}

esp_err_t num_parse_hex(struct span text, uint8_t *out, size_t len)
{
    if (text.len % 2 != 0 || text.len / 2 != len)
        return ESP_ERR_INVALID_SIZE;
    for (size_t i = 0; i < text.len; i++) {
        if (num_digit(text.ptr[i]) > 15)
            return ESP_ERR_INVALID_ARG;
    }
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(num_digit(text.ptr[2 * i]) << 4 |
                           num_digit(text.ptr[2 * i + 1]));
    return ESP_OK;
}

static uint32_t num_unit(uint8_t c)
{
    if (c == 'k' || c == 'K')
        return 1024u;
    if (c == 'm' || c == 'M')
        return 1024u * 1024u;
    return 1;
}

esp_err_t num_parse_size(struct span text, uint32_t *out)
{
    size_t len = text.len;
    uint32_t unit = 1;
    uint32_t val;
    esp_err_t err;

    /* A final B belongs to KB or MB; without K or M it is a hex digit. */
    if (len >= 2 && (text.ptr[len - 1] == 'B' || text.ptr[len - 1] == 'b') &&
        num_unit(text.ptr[len - 2]) > 1)
        len--;
    if (len >= 1)
        unit = num_unit(text.ptr[len - 1]);
    if (unit > 1)
        len--;
    err = num_parse_u32(span_of(text.ptr, len), &val);
    if (err)
        return err;
    if (val > UINT32_MAX / unit)
        return ESP_ERR_INVALID_SIZE;
    *out = val * unit;
    return ESP_OK;
}
