/* serve_listen.h - where the development server listens. */
#ifndef SERVE_LISTEN_H
#define SERVE_LISTEN_H

#include "base/diag.h"
#include "serve_conf.h"

/* Is conf->bind_addr an address? */
MUST_CHECK esp_err_t serve_listen_check(const struct serve_conf *conf,
                                        struct diag *d);
/* A listening socket and its port, -1 after a sentence in d. */
int serve_listen(const struct serve_conf *conf, uint16_t *port, struct diag *d);

#endif
