/* linux_sock.h - descriptors as connections, and connecting in steps. */
#ifndef LINUX_SOCK_H
#define LINUX_SOCK_H

#include "linux_net.h"
#include "port/sock.h"

struct linux_sock {
    struct port_sock port;
};

/* net must outlive it. */
void linux_sock_init(struct linux_sock *sock, struct linux_net *net);

#endif
