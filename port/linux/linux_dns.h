/* linux_dns.h - names to addresses before a deadline. Of linux_net only. */
#ifndef LINUX_DNS_H
#define LINUX_DNS_H

#include <netdb.h>
#include <stdint.h>

#include "base/err.h"
#include "port/limit.h"

struct linux_dns_query {
    const char *host;
    uint16_t port;
    int family; /* AF_UNSPEC, AF_INET or AF_INET6 */
    uint64_t deadline_ms;
    struct port_limit *limit; /* NULL: none */
};

/* Addresses of a TCP server, in the resolver's order. Free *out with
 * freeaddrinfo().
 * ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME: no such name, or no answer in time
 * (*sys_errno is ETIMEDOUT then). ESP_ERR_NOT_FINISHED: the limit said stop.
 * ESP_ERR_NO_MEM. */
MUST_CHECK esp_err_t linux_dns_resolve(const struct linux_dns_query *query,
                                       struct addrinfo **out, int *sys_errno);

#endif
