/* serve_conf.h - what the development server serves, where and how. */
#ifndef SERVE_CONF_H
#define SERVE_CONF_H

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

#endif
