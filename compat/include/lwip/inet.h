/* lwip/inet.h - addresses as text. */
#ifndef LWIP_INET_H
#define LWIP_INET_H

#include <arpa/inet.h>
#include <netinet/in.h>

#define inet_ntoa_r(addr, buf, buflen) \
    inet_ntop(AF_INET, &(addr), (buf), (socklen_t)(buflen))
#define inet6_ntoa_r(addr, buf, buflen) \
    inet_ntop(AF_INET6, &(addr), (buf), (socklen_t)(buflen))

#endif
