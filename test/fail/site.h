/* site.h - the server of web.h, with TLS or without, in a process of its own
 * on a port of the loopback interface. */
#ifndef TEST_FAIL_SITE_H
#define TEST_FAIL_SITE_H

#include <sys/types.h>

#include "unit/update/web.h"

struct site {
    pid_t pid;
    uint16_t port;
};

/* How it misbehaves is in *web. tls 0: plain http:; else the version, after
 * tlsweb_open(). One connection at a time, until site_stop(). */
void site_start(struct site *s, const struct web *web, int tls);
void site_stop(struct site *s);

#endif
