/* update_args.h - what the command line of `porta update` says, and the files
 * and secrets that it names. */
#ifndef UPDATE_ARGS_H
#define UPDATE_ARGS_H

#include "cli.h"
#include "device_opts.h"
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

#endif
