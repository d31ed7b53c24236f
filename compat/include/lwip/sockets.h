/* lwip/sockets.h - the host's sockets. */
#ifndef LWIP_SOCKETS_H
#define LWIP_SOCKETS_H

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lwip/inet.h"

#define closesocket(s) close(s)

#endif
