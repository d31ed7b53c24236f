#include "esp_err.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

const char *esp_err_to_name(esp_err_t code)
{
    return err_name(code);
}

/* A number of the C library: its words, if it has some. */
static bool is_errno(esp_err_t code)
{
    return code > 0 && code < 0x100 &&
           strncmp(strerror(code), "Unknown", 7) != 0;
}

const char *esp_err_to_name_r(esp_err_t code, char *buf, size_t buflen)
{
    const char *name = err_name(code);

    if (strcmp(name, "ERROR") == 0 && is_errno(code))
        name = strerror(code);
    if (strcmp(name, "ERROR") != 0)
        snprintf(buf, buflen, "%s", name);
    else
        snprintf(buf, buflen, "ERROR 0x%x(%d)", (unsigned)code, code);
    return buf;
}

static void report(esp_err_t rc, const char *file, int line,
                   const char *function, const char *expression)
{
    fprintf(stderr,
            "ESP_ERROR_CHECK failed: esp_err_t 0x%x (%s)\n"
            "file: \"%s\" line %d\nfunc: %s\nexpression: %s\n",
            (unsigned)rc, err_name(rc), file, line, function, expression);
}

void _esp_error_check_failed(esp_err_t rc, const char *file, int line,
                             const char *function, const char *expression)
{
    report(rc, file, line, function, expression);
    abort();
}

void _esp_error_check_failed_without_abort(esp_err_t rc, const char *file,
                                           int line, const char *function,
                                           const char *expression)
{
    report(rc, file, line, function, expression);
}
