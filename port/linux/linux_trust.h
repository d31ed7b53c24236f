/* linux_trust.h - the machine's store: the file that SSL_CERT_FILE names, else
 * that of Debian's package ca-certificates. Read anew each time. */
#ifndef LINUX_TRUST_H
#define LINUX_TRUST_H

#include "port/trust.h"

#define LINUX_TRUST_MAX_LEN (4u * 1024u * 1024u)

extern const struct port_trust linux_trust;

#endif
