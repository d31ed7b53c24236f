#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

static const char *const diag_stage_names[] = {
    [DIAG_STAGE_NONE] = "none",         [DIAG_STAGE_ARGS] = "args",
    [DIAG_STAGE_FILE] = "file",         [DIAG_STAGE_FLASH] = "flash",
    [DIAG_STAGE_RESOLVE] = "resolve",   [DIAG_STAGE_CONNECT] = "connect",
    [DIAG_STAGE_TLS] = "tls",           [DIAG_STAGE_HTTP] = "http",
    [DIAG_STAGE_DOWNLOAD] = "download", [DIAG_STAGE_IMAGE] = "image",
    [DIAG_STAGE_WRITE] = "write",       [DIAG_STAGE_ACTIVATE] = "activate",
    [DIAG_STAGE_BOOT] = "boot",
};

esp_err_t diag_plain_fail(struct diag *d, enum diag_stage stage, esp_err_t err)
{
    if (d && !d->err) {
        d->stage = stage;
        d->err = err;
    }
    return err;
}

esp_err_t(diag_fail)(struct diag *d, enum diag_stage stage, esp_err_t err,
                     const char *fmt, ...)
{
    va_list args;

    if (!d || d->err)
        return err;
    (void)diag_plain_fail(d, stage, err);
    va_start(args, fmt);
    (void)vsnprintf(d->text, sizeof(d->text), fmt, args);
    va_end(args);
    /* Sentences quote names and headers that come from outside. */
    (void)text_clean(span_str(d->text), d->text, sizeof(d->text));
    return err;
}

const char *diag_stage_name(enum diag_stage stage)
{
    size_t idx = (size_t)stage;

    if (idx >= sizeof(diag_stage_names) / sizeof(diag_stage_names[0]))
        return "none";
    return diag_stage_names[idx];
}
