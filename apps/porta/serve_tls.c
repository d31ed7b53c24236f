#include "serve_tls.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#define VERSIONS "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define PSK_ONLY ":-KX-ALL:+ECDHE-PSK:+DHE-PSK:+PSK"

/* The library frees what it is given. An identity that is not known gets no
 * key, and the handshake ends. */
static int on_psk(void *ctx, const struct MHD_Connection *conn,
                  const char *identity, void **psk, size_t *psk_len)
{
    const struct serve_tls *t = ctx;

    (void)conn;
    if (strcmp(identity, t->psk_identity) != 0)
        return -1;
    *psk = malloc(t->psk.len);
    if (!*psk)
        return -1;
    memcpy(*psk, t->psk.ptr, t->psk.len);
    *psk_len = t->psk.len;
    return 0;
}

static void put(struct MHD_OptionItem **at, enum MHD_OPTION option,
                intptr_t value, const void *ptr)
{
    *(*at)++ = (struct MHD_OptionItem){ option, value, (void *)(uintptr_t)ptr };
}

void serve_tls_options(struct serve_tls *t,
                       struct MHD_OptionItem out[SERVE_TLS_OPTIONS_CNT])
{
    if (t->psk.len > 0) {
        put(&out, MHD_OPTION_HTTPS_CRED_TYPE, GNUTLS_CRD_PSK, NULL);
        put(&out, MHD_OPTION_GNUTLS_PSK_CRED_HANDLER, (intptr_t)on_psk, t);
        put(&out, MHD_OPTION_HTTPS_PRIORITIES, 0, VERSIONS PSK_ONLY);
    } else if (t->cert) {
        put(&out, MHD_OPTION_HTTPS_MEM_KEY, 0, t->key);
        put(&out, MHD_OPTION_HTTPS_MEM_CERT, 0, t->cert);
        put(&out, MHD_OPTION_HTTPS_PRIORITIES, 0, VERSIONS);
        if (t->client_ca)
            put(&out, MHD_OPTION_HTTPS_MEM_TRUST, 0, t->client_ca);
    }
    put(&out, MHD_OPTION_END, 0, NULL);
}

bool serve_tls_client_ok(const struct serve_tls *t, struct MHD_Connection *conn)
{
    const union MHD_ConnectionInfo *info;
    unsigned status = ~0u;

    if (!t->client_ca)
        return true;
    info = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info &&
           gnutls_certificate_verify_peers2(info->tls_session, &status) == 0 &&
           status == 0;
}
