/* update_auth.h - the options of `porta update` that get tokens from an OAuth2
 * server.
 *
 * A refresh token that the server replaced is kept in FLASH.porta and used the
 * next time instead of the one on the command line, as long as that, the
 * server and the client are the same. */
#ifndef UPDATE_AUTH_H
#define UPDATE_AUTH_H

#include "http/oauth2.h"
#include "store_file.h"
#include "update_opts.h"

struct update_auth {
    struct cli_bytes secret, refresh;
    struct oauth2 *oauth2;
    struct store_file *store; /* borrowed */
    char key[48];             /* of the refresh token in the store */
};

/* Sets http->tokens when the options ask for it; http is what the endpoint is
 * asked with, too. */
MUST_CHECK esp_err_t update_auth_open(struct update_auth *a,
                                      const struct update_opts *o,
                                      const struct http_env *env,
                                      struct http_opts *http, struct diag *d);
/* After the client was closed; idempotent. */
void update_auth_close(struct update_auth *a);

#endif
