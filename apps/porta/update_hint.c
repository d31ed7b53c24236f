#include "update_hint.h"

#include <errno.h>
#include <stdbool.h>

#include <mbedtls/x509.h>

#define NO_DESCRIPTOR "raise the limit of open files (ulimit -n)"
#define EXPIRED (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)

static const char *tls_hint(const struct update_opts *o, uint32_t flags)
{
    if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
        return o->cacert || o->capath
                   ? "is --cacert the CA of this server? porta doctor --cert "
                     "looks at a server's chain"
                   : "give the server's CA with --cacert; that of porta serve "
                     "is porta-certs/ca.pem";
    if (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH)
        return "use a name of the certificate in the URL; --resolve "
               "HOST:PORT:ADDR leads it elsewhere";
    if (flags & EXPIRED)
        return "porta doctor looks at the clock and at the certificate";
    return NULL;
}

static bool no_descriptor(int sys_errno)
{
    return sys_errno == EMFILE || sys_errno == ENFILE;
}

static const char *login_hint(const struct update_opts *o)
{
    return o->user || o->bearer || o->oauth2_url
               ? "is the login right?"
               : "log in with --user, --bearer or --oauth2-token-url";
}

const char *update_hint(const struct update_opts *o, const struct upd_result *r,
                        const struct diag *d)
{
    switch (d->stage) {
    case DIAG_STAGE_RESOLVE:
        return "is the name right? --resolve HOST:PORT:ADDR does without DNS";
    case DIAG_STAGE_CONNECT:
        if (r->http && no_descriptor(r->http->sys_errno))
            return NO_DESCRIPTOR;
        return o->proxy ? "is the proxy there?"
                        : "does the server run, and on that port?";
    case DIAG_STAGE_TLS:
        return tls_hint(o, r->http ? r->http->tls.flags : 0);
    case DIAG_STAGE_HTTP:
        return r->http_status == 401 || r->http_status == 403 ? login_hint(o)
                                                              : NULL;
    default:
        return NULL;
    }
}
