/* serve_auth.h - who may read: a user with a password, or whoever has the
 * token. With both set, either opens the door. Secrets are compared in
 * constant time. Pure but for memory. */
#ifndef SERVE_AUTH_H
#define SERVE_AUTH_H

#include "base/diag.h"
#include "cli.h"

struct serve_auth {
    struct cli_bytes basic; /* base64 of user:password; ptr NULL: not asked */
    struct cli_bytes token;
};

/* user is "name:password"; either may be NULL. */
MUST_CHECK esp_err_t serve_auth_init(struct serve_auth *a, const char *user,
                                     const char *token, struct diag *d);
/* header: value of Authorization, query: value of ?token=; or NULL. */
bool serve_auth_ok(const struct serve_auth *a, const char *header,
                   const char *query);
/* Value of WWW-Authenticate. */
const char *serve_auth_challenge(const struct serve_auth *a);
void serve_auth_free(struct serve_auth *a);

#endif
