/* sys/socket.h - the types that public headers name; connections of this board
 * have no descriptors, and the C library has no such header. */
#ifndef SYS_SOCKET_H
#define SYS_SOCKET_H

#include <stdint.h>

#define AF_UNSPEC 0
#define AF_INET 2
#define AF_INET6 10

typedef uint32_t socklen_t;
typedef uint16_t sa_family_t;

struct sockaddr {
    sa_family_t sa_family;
    char sa_data[14];
};

struct sockaddr_storage {
    sa_family_t ss_family;
    char ss_data[126];
};

#endif
