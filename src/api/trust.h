/* api/trust.h - whom this device's connections trust: the global store, the
 * bundle, and the latest time seen. Part of the implicit device. */
#ifndef API_TRUST_H
#define API_TRUST_H

#include <stdbool.h>

#include "tls/bundle_build.h"
#include "tls/store.h"
#include "tls/tls.h"

struct api_trust {
    struct tls_store *store;  /* made when somebody first asks for it */
    bool store_there;         /* as the application sees it */
    struct span system;       /* the machine's own as a bundle; ours to free */
    struct tls_bundle bundle; /* what is attached; cnt 0: nothing yet */
    struct tls_floor floor;
};

/* The store, which stays where it is whatever the application does with it;
 * NULL: out of memory. */
struct tls_store *api_trust_store(void);
/* The latest time seen: the one of whoever started the device, or ours. */
struct tls_floor *api_trust_floor(void);
void api_trust_free(void);

#endif
