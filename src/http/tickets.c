#include "http/tickets.h"

#include <string.h>

#include "base/crc32.h"

static uint32_t server_of(const char *host, uint16_t port)
{
    return crc32_le(crc32_le(0, host, strlen(host)), &port, sizeof(port));
}

struct tls_ticket *http_tickets_take(struct http_tickets *t, const char *host,
                                     uint16_t port)
{
    uint32_t server = server_of(host, port);

    for (uint32_t i = 0; i < HTTP_TICKETS_CNT; i++) {
        struct tls_ticket *ticket = t->slot[i].ticket;
        if (!ticket || t->slot[i].server != server)
            continue;
        t->slot[i].ticket = NULL;
        return ticket;
    }
    return NULL;
}

void http_tickets_put(struct http_tickets *t, const char *host, uint16_t port,
                      struct tls_ticket *ticket)
{
    uint32_t at = t->next;

    if (!ticket)
        return;
    tls_ticket_free(http_tickets_take(t, host, port));
    for (uint32_t i = 0; i < HTTP_TICKETS_CNT; i++) {
        if (!t->slot[i].ticket)
            at = i;
    }
    tls_ticket_free(t->slot[at].ticket);
    t->slot[at].ticket = ticket;
    t->slot[at].server = server_of(host, port);
    t->next = (at + 1) % HTTP_TICKETS_CNT;
}

void http_tickets_free(struct http_tickets *t)
{
    for (uint32_t i = 0; i < HTTP_TICKETS_CNT; i++) {
        tls_ticket_free(t->slot[i].ticket);
        t->slot[i].ticket = NULL;
    }
}
