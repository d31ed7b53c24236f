/* linux_conn.h - what a connection is. Of linux_net and linux_sock only. */
#ifndef LINUX_CONN_H
#define LINUX_CONN_H

#include "linux_dns.h"
#include "linux_net.h"

struct port_conn {
    const struct port_heap *heap;
    int fd;
    int err; /* errno of the last failure */
    /* A connect in steps: the addresses, and the one that comes next. */
    struct addrinfo *list, *next;
    struct port_net_opts opts;
    struct linux_net_link link;
    uint64_t seen_us;  /* the link was looked at */
    uint64_t here_len; /* bytes that came by then and were not read */
};

/* The addresses of host, or of what an override says instead. */
MUST_CHECK esp_err_t linux_net_resolve(struct linux_net *net, const char *host,
                                       uint16_t port,
                                       const struct port_net_opts *opts,
                                       uint64_t deadline_ms,
                                       struct addrinfo **out, int *sys_errno);
/* A socket that does not block, with its options; errno says why on failure. */
MUST_CHECK esp_err_t linux_net_socket(const struct addrinfo *ai,
                                      const struct port_net_opts *opts,
                                      int *fd);
/* Waits for a connect in progress; errno says why on failure. */
MUST_CHECK esp_err_t linux_net_connected(int fd, uint64_t deadline_ms,
                                         struct port_limit *limit);

#endif
