/* update_opts.h - the options of `porta update`, and what they mean in the
 * terms of the engine. */
#ifndef UPDATE_OPTS_H
#define UPDATE_OPTS_H

#include "http/client.h"
#include "linux_net.h"
#include "update_args.h"

/* Refuses what cannot be: exit 2 after a sentence, else CLI_GO. */
MUST_CHECK int update_opts_check(const struct update_opts *o);

/* How long the server may be silent. */
uint32_t update_opts_stall_ms(const struct update_opts *o);

/* Fills http->tls, timeouts and login. Spans and strings stay in *t, which
 * must outlive the client; update_trust_free() wipes them. */
MUST_CHECK esp_err_t update_opts_http(const struct update_opts *o,
                                      bool is_https, struct update_trust *t,
                                      struct http_opts *http, struct diag *d);
/* Adds -H, --secret-header and --bearer. */
MUST_CHECK esp_err_t update_opts_headers(const struct update_opts *o,
                                         const struct update_trust *t,
                                         struct http_client *client,
                                         struct diag *d);
void update_trust_free(struct update_trust *t); /* idempotent */

#endif
