/* server.h - a server of one file that gives ranges of it, so that downloads
 * can go on. */
#ifndef TORTURE_SERVER_H
#define TORTURE_SERVER_H

#include "base/span.h"
#include "port/net.h"

struct server {
    struct port_net port;
    struct span file;
};

/* file is borrowed. */
void server_init(struct server *s, struct span file);

#endif
