/* trust_file.h - CA certificates from files and folders, made into a compact
 * bundle. Between tls_init() and tls_deinit(). */
#ifndef TRUST_FILE_H
#define TRUST_FILE_H

#include "cli.h"
#include "tls/bundle_build.h"

/* PEM or DER; "-" is standard input. A folder: each file in it that has
 * certificates (--capath, /etc/ssl/certs). ESP_ERR_NOT_FOUND: there are
 * none. */
MUST_CHECK esp_err_t trust_add(struct tls_bundle_build *b, const char *path,
                               struct diag *d);
/* What the machine itself trusts. ESP_ERR_NOT_FOUND: it has no store; d is
 * left alone. */
MUST_CHECK esp_err_t trust_add_system(struct tls_bundle_build *b,
                                      struct diag *d);
/* The path of that store. */
const char *trust_system_place(void);
/* The bundle, in out, which cli_bytes_free() frees. */
MUST_CHECK esp_err_t trust_finish(struct tls_bundle_build *b,
                                  struct cli_bytes *out, struct diag *d);

#endif
