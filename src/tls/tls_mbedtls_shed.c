/* The library frees the state of a TLS 1.2 handshake when it is over, and keeps
 * that of TLS 1.3 (3 KB) as long as the session: what comes later may be a
 * ticket, and is read with it. A session that wants no tickets ignores them
 * before that state is looked at, so it can go. The library has no call for it,
 * so this file knows the inside of 3.6; it is built with the library's source
 * only. */
/* lint-ok: layers, the inside of the library, see above */
#include <ssl_misc.h>

#include <mbedtls/platform.h>

#include "tls/tls_mbedtls.h"

static void drop_transform(mbedtls_ssl_context *ssl)
{
    mbedtls_ssl_transform_free(ssl->transform_negotiate);
    mbedtls_free(ssl->transform_negotiate);
    ssl->transform_negotiate = NULL;
}

/* Before anybody knows the version and the suite there are the transform of
 * TLS 1.2 and a running digest of either length. */
void tls_shed_choice(struct tls_session *s)
{
    mbedtls_ssl_context *ssl = &s->ssl;
    mbedtls_ssl_handshake_params *shake = ssl->handshake;

    if (ssl->tls_version == MBEDTLS_SSL_VERSION_TLS1_3)
        drop_transform(ssl);
    if (shake->ciphersuite_info->mac == MBEDTLS_MD_SHA384)
        mbedtls_md_free(&shake->fin_sha256);
    else
        mbedtls_md_free(&shake->fin_sha384);
}

void tls_shed_handshake(struct tls_session *s)
{
    mbedtls_ssl_context *ssl = &s->ssl;

    if (s->is_server || s->keep_ticket || !ssl->handshake ||
        ssl->state != MBEDTLS_SSL_HANDSHAKE_OVER)
        return;
    mbedtls_ssl_handshake_free(ssl);
    mbedtls_free(ssl->handshake);
    ssl->handshake = NULL;
    drop_transform(ssl);
}
