/* base/err.h - the one error type, its names, and the attribute that makes an
 * unchecked error a warning. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "esp_err.h"

#if defined(__GNUC__)
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
/* Not a part of its caller: what it has on the stack is gone when it returns,
 * and not there while the caller calls others. */
#define APART __attribute__((noinline))
#else
#define MUST_CHECK
#define PRINTF_LIKE(fmt, first)
#define APART
#endif

/* The symbol's own name, "ESP_ERR_OTA_VALIDATE_FAILED"; "ERROR" when the code
 * is unknown. Static storage. */
const char *err_name(esp_err_t err);

#endif
