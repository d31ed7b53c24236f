/* tlsweb.h - the server of web.h behind TLS, in the same thread: what it has
 * to say to the bytes that came is said before a call returns.
 *
 * Its memory comes from the client's heap and is gone when a connection is
 * closed; ports_pause() keeps it out of the counts. There is one. */
#ifndef TEST_FAIL_TLSWEB_H
#define TEST_FAIL_TLSWEB_H

#include "tls/tls.h"
#include "unit/tls/peer.h"
#include "unit/update/web.h"

/* The library of TLS runs already. */
void tlsweb_open(struct peer_ident *ident);
void tlsweb_close(void);
/* Connections go to `web` from now on; version as in mbedtls: 2 or 3. */
const struct port_net *tlsweb_net(struct web *web, int version);

#endif
