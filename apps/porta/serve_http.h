/* serve_http.h - the development server: one folder over HTTPS.
 *
 * GET and HEAD of regular files below the folder, byte ranges, validators;
 * no listing, nothing outside the folder (symbolic links included), nothing
 * below the folder of the keys. Plans come from serve_plan.h. */
#ifndef SERVE_HTTP_H
#define SERVE_HTTP_H

#include "base/diag.h"
#include "cli.h"
#include "serve_plan.h"
#include "serve_tls.h"

#define SERVE_SECRETS_MAX 4

struct serve_conf {
    const char *folder;
    const char *hidden; /* folder that is not served, NULL: none */
    const char *secrets[SERVE_SECRETS_MAX]; /* files, neither; NULL: none */
    const char *bind_addr;                  /* literal */
    uint16_t port;                          /* 0: any free one */
    struct serve_tls tls;
    const char *user; /* "user:password", NULL: nobody needs to */
    const char *token;
    struct serve_fault fault;
    uint32_t rate; /* bytes a second of each answer, 0: unlimited */
    bool quiet;    /* no line per request */
};

struct serve;

/* Could this be served, as far as that can be told without certificates? So
 * that nothing is made for a server that will not start. */
MUST_CHECK esp_err_t serve_check(const struct serve_conf *conf, struct diag *d);

/* Everything in conf is borrowed until serve_stop(). */
MUST_CHECK esp_err_t serve_start(struct serve **out,
                                 const struct serve_conf *conf, struct diag *d);
uint16_t serve_port(const struct serve *s);
/* How far the body is that was begun last; total 0: none was. */
void serve_progress(const struct serve *s, uint64_t *sent_len,
                    uint64_t *total_len);
/* Ends requests under way. NULL is a no-op. */
void serve_stop(struct serve *s);

#endif
