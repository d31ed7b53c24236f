/* base/policy.h - behaviour options, read only through these functions.
 *
 * CFG_X in cfg.h is 0 never, 1 always, 2 decided at run time by the struct.
 * Zero is the default of every field. */
#ifndef BASE_POLICY_H
#define BASE_POLICY_H

#include <stdbool.h>

#include "cfg.h"

struct policy {
    bool rollback;         /* a new image must confirm itself (NEW, PENDING) */
    bool allow_http;       /* http: URLs and updates without verification */
    bool require_hash;     /* an image without its appended SHA-256 is bad */
    bool require_signed;   /* an image that nobody trusted has signed is bad */
    bool skip_cert_verify; /* insecure, for tests */
};

static inline bool pol_rollback(const struct policy *p)
{
    return CFG_ROLLBACK == 2 ? p->rollback : CFG_ROLLBACK;
}

static inline bool pol_allow_http(const struct policy *p)
{
    return CFG_ALLOW_HTTP == 2 ? p->allow_http : CFG_ALLOW_HTTP;
}

static inline bool pol_require_hash(const struct policy *p)
{
    return CFG_REQUIRE_HASH == 2 ? p->require_hash : CFG_REQUIRE_HASH;
}

static inline bool pol_require_signed(const struct policy *p)
{
    return CFG_REQUIRE_SIGNED == 2 ? p->require_signed : CFG_REQUIRE_SIGNED;
}

/* Is the verifier of this scheme (enum img_scheme) in the build? */
static inline bool pol_scheme_built(unsigned scheme)
{
    return (CFG_SIGN_SCHEMES >> scheme & 1) != 0;
}

static inline bool pol_skip_cert_verify(const struct policy *p)
{
    return CFG_SKIP_CERT_VERIFY == 2 ? p->skip_cert_verify
                                     : CFG_SKIP_CERT_VERIFY;
}

#endif
