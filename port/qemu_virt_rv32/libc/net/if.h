/* net/if.h - what applications name a network interface with; the C library
 * of the board has none. */
#ifndef NET_IF_H
#define NET_IF_H

#define IFNAMSIZ 16

struct ifreq {
    char ifr_name[IFNAMSIZ];
};

#endif
