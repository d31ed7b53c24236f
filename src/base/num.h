/* base/num.h - numbers from text, strictly: the whole span is the number or
 * it is refused; nothing is skipped, nothing wraps. Pure. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/err.h"
#include "base/span.h"

/* Decimal digits, or 0x and hexadecimal ones. No sign, no blanks; decimals
 * may have leading zeros. ESP_ERR_INVALID_ARG: not a number.
 * ESP_ERR_INVALID_SIZE: a number, but too large. *out is set only on ESP_OK. */
MUST_CHECK esp_err_t num_parse_u64(struct span text, uint64_t *out);
MUST_CHECK esp_err_t num_parse_u32(struct span text, uint32_t *out);

/* Two hexadecimal digits per byte, exactly len bytes. */
MUST_CHECK esp_err_t num_parse_hex(struct span text, uint8_t *out, size_t len);

/* A size as people write it: 123, 0x7b, 64K, 1500k, 4M, 4MB, 4KB. K is 1024,
 * M is 1048576. Errors as above. */
MUST_CHECK esp_err_t num_parse_size(struct span text, uint32_t *out);

/* A hexadecimal digit's value, or 16. */
static inline unsigned num_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10u;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10u;
    return 16;
}

#endif
