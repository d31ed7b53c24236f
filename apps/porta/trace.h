/* trace.h - what an update did when, for a browser's trace viewer: the Trace
 * Event Format, one time line each for the session, the network, the flash.
 *
 * It stands between the engine and the ports of flash and network, which are
 * replaced by ones that note what passes through: nothing of it is in the
 * engine, and without a trace nothing is between them.
 *
 * "handshake" lasts from the first TLS record that is sent until the first one
 * that is sent encrypted. Equal events that follow each other within 200 us
 * are one event, with their number and the sum of their bytes. Threads: the
 * ports may be used by several; trace_phase() and the rest by one. */
#ifndef TRACE_H
#define TRACE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/diag.h"
#include "cli.h"
#include "port/flash.h"
#include "port/net.h"

enum trace_lane { TRACE_SESSION, TRACE_NET, TRACE_FLASH, TRACE_LANES };

struct trace_event {
    const char *name; /* NULL: none */
    uint64_t start_us, end_us;
    uint64_t len;
    uint32_t cnt;
    char host[300]; /* of a connection; "" */
};

struct trace {
    FILE *to;         /* NULL: off */
    const char *path; /* borrowed */
    char *text;
    size_t len;
    uint64_t zero_us;
    struct trace_event last[TRACE_LANES]; /* not written yet */
    struct port_flash flash_below, *flash;
    struct port_net net_below, *net;
    atomic_bool programmed;
    pthread_mutex_t lock; /* of to and last */
};

/* A file that cannot be made is a failure now, before anything was done. */
MUST_CHECK esp_err_t trace_open(struct trace *t, const char *path,
                                struct diag *d);
/* Both change the port in place, so that whoever borrowed it is seen, too. */
void trace_tap_flash(struct trace *t, struct port_flash *port);
void trace_tap_net(struct trace *t, struct port_net *port);

/* Microseconds since the start; 0 when off. */
uint64_t trace_now(const struct trace *t);
/* The session did `name` from then until now. Nothing when off. */
void trace_phase(struct trace *t, const char *name, uint64_t start_us);

/* Gives the ports back, and writes the file. Nothing when off. Idempotent. */
MUST_CHECK esp_err_t trace_close(struct trace *t, struct diag *d);

#endif
