/* http/tickets.h - what the next TLS session with a server can go on with.
 *
 * A client follows redirects between two servers or three; more are not kept.
 * A ticket is used once and replaced by what the new session gives. */
#ifndef HTTP_TICKETS_H
#define HTTP_TICKETS_H

#include "tls/tls.h"

#define HTTP_TICKETS_CNT 3u

struct http_tickets {
    struct {
        uint32_t server;           /* a hash: TLS compares the name itself */
        struct tls_ticket *ticket; /* NULL: free */
    } slot[HTTP_TICKETS_CNT];
    uint32_t next; /* the slot that is given away when none is free */
};

/* Takes it out; the caller's to free. NULL: there is none. */
struct tls_ticket *http_tickets_take(struct http_tickets *t, const char *host,
                                     uint16_t port);
/* ticket NULL is a no-op. */
void http_tickets_put(struct http_tickets *t, const char *host, uint16_t port,
                      struct tls_ticket *ticket);
void http_tickets_free(struct http_tickets *t); /* idempotent */

#endif
