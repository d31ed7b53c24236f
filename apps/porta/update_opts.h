/* update_opts.h - the options of `porta update`, and what they mean in the
 * terms of the engine. */
#ifndef UPDATE_OPTS_H
#define UPDATE_OPTS_H

#include "cli.h"
#include "device_ctx.h"
#include "http/client.h"
#include "linux_net.h"
#include "psk_arg.h"

struct update_opts {
    struct device_args dev;
    const char *cacert, *capath, *pass, *psk, *cert, *key, *user, *bearer,
        *tls_min, *tls_max, *slot, *final, *partition, *decrypt;
    const char *oauth2_url, *client_id, *client_secret, *refresh_token, *scope;
    const char *proxy, *trace;
    struct cli_list headers, secret_headers, resolve, data;
    uint32_t connect_timeout_ms, stall_timeout_ms, max_time_ms;
    uint32_t retry, range_len, link_rate, erase_us, page_us, power_cut;
    bool no_resume, bulk_erase, same_version, insecure, allow_http, json,
        in_place, accept_unsafe;
    bool same_project, no_older, require_updatable;
};
#define UPDATE_OPTS        \
    {                      \
        .dev = DEVICE_ARGS \
    }

extern const struct cli_verb update_verb;

/* Files and secrets that the options name, loaded. */
struct update_trust {
    struct cli_bytes ca, bundle, cert, key, pass, user, bearer, proxy;
    struct psk_arg psk;
};

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
