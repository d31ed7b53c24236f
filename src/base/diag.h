/* base/diag.h - what went wrong, for people: one sentence and its place.
 *
 * The first failure is kept; later ones do not overwrite it. A sentence says
 * what happened, with numbers, and what to do; it never holds a secret. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdbool.h>

#include "base/err.h"
#include "cfg.h"

enum diag_stage {
    DIAG_STAGE_NONE = 0,
    DIAG_STAGE_ARGS,     /* the request itself */
    DIAG_STAGE_FILE,     /* a file that a tool reads or makes */
    DIAG_STAGE_FLASH,    /* the flash file, its table, its slots */
    DIAG_STAGE_RESOLVE,  /* name to address */
    DIAG_STAGE_CONNECT,  /* TCP */
    DIAG_STAGE_TLS,      /* handshake, trust */
    DIAG_STAGE_HTTP,     /* request, response head, redirect, status */
    DIAG_STAGE_DOWNLOAD, /* body */
    DIAG_STAGE_IMAGE,    /* what the bytes say */
    DIAG_STAGE_WRITE,    /* program, read back */
    DIAG_STAGE_ACTIVATE, /* otadata */
    DIAG_STAGE_BOOT
};

struct diag {
    enum diag_stage stage;
    esp_err_t err;
    char text[CFG_SENTENCES ? 320 : 20];
};

#define DIAG_NONE                   \
    {                               \
        DIAG_STAGE_NONE, ESP_OK, "" \
    }

/* Records the first failure and returns err, so that callers can write
 * `return diag_fail(d, DIAG_STAGE_TLS, err, "...", ...)`. d may be NULL. */
esp_err_t diag_fail(struct diag *d, enum diag_stage stage, esp_err_t err,
                    const char *fmt, ...) PRINTF_LIKE(4, 5);

/* The same without words. */
esp_err_t diag_plain_fail(struct diag *d, enum diag_stage stage, esp_err_t err);

/* Without CFG_SENTENCES no sentence is compiled in: a failure is its stage and
 * its code. The arguments are not looked at then. */
#define diag_fail(d, stage, err, ...)                      \
    (CFG_SENTENCES ? diag_fail(d, stage, err, __VA_ARGS__) \
                   : diag_plain_fail(d, stage, err))
/* A part of a sentence that is kept until it is said. */
#define DIAG_WHY(text) (CFG_SENTENCES ? (text) : "")

/* d is used for a try that may be made again: forgets what failed in it, unless
 * something had failed before. */
static inline bool diag_is_fresh(const struct diag *d)
{
    return d && !d->err;
}
static inline void diag_forget(struct diag *d, bool was_fresh)
{
    if (was_fresh)
        *d = (struct diag)DIAG_NONE;
}

/* "connect", "tls", ...: the word scripts see in JSON. */
const char *diag_stage_name(enum diag_stage stage);

#endif
