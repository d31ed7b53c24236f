/* update_tls.h - whom `porta update` trusts and who it is, as TLS wants it. */
#ifndef UPDATE_TLS_H
#define UPDATE_TLS_H

#include "tls/tls.h"
#include "update_args.h"

/* Refuses what cannot be: exit 2 after a sentence, else CLI_GO. */
MUST_CHECK int update_tls_check(const struct update_opts *o);

/* Loads --cacert, --capath, --psk, --cert, --key and --pass into *t, or the
 * machine's own store, and fills *tls with it. */
MUST_CHECK esp_err_t update_tls_load(const struct update_opts *o, bool is_https,
                                     struct update_trust *t,
                                     struct tls_conf *tls, struct diag *d);

#endif
