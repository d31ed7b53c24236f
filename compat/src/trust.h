/* trust.h - whom a device on Linux trusts itself. */
#ifndef COMPAT_TRUST_H
#define COMPAT_TRUST_H

#include "port/trust.h"

extern const struct port_trust compat_trust;

#endif
