/* Going on with an earlier session instead of verifying a certificate again.
 *
 * A ticket is only offered where a new handshake would have to come to the
 * same result: to a server of the same name, trusted for the same reason, when
 * the certificate that was verified then has not ended, and never to avoid a
 * verification that did not take place. */
#include "tls/tls_mbedtls.h"

#include <mbedtls/platform.h>

#include "crypto/ct.h"

static bool fits(const struct tls_session *s, const struct tls_ticket *t)
{
    const struct tls_now *now = &s->verify.now;
    mbedtls_ssl_protocol_version version =
        t->saved.MBEDTLS_PRIVATE(tls_version);

    if (version < s->conf.MBEDTLS_PRIVATE(min_tls_version) ||
        version > s->conf.MBEDTLS_PRIVATE(max_tls_version))
        return false;
    if (strcmp(t->name, tls_name(s)) != 0)
        return false;
    if (s->skip_verify)
        return true;
    return t->verified && memcmp(t->trust, s->trust, sizeof(s->trust)) == 0 &&
           tls_date_judge(now, INT64_MIN, t->until_s) == TLS_DATE_GOOD;
}

void tls_ticket_offer(struct tls_session *s, const struct tls_ticket *t)
{
    if (!t || !fits(s, t) || mbedtls_ssl_set_session(&s->ssl, &t->saved) != 0)
        return;
    s->offered = true;
    s->verify.until_s = t->until_s;
}

static struct tls_ticket *ticket_new(const struct tls_session *s)
{
    const struct port_heap *heap = tls_lib_env()->heap;
    size_t name_len = strlen(tls_name(s)) + 1;
    struct tls_ticket *t = heap->alloc(heap->ctx, sizeof(*t) + name_len);

    if (!t)
        return NULL;
    memcpy(t->name, tls_name(s), name_len);
    t->verified = !s->skip_verify;
    t->until_s = s->verify.until_s;
    memcpy(t->trust, s->trust, sizeof(t->trust));
    mbedtls_ssl_session_init(&t->saved);
    return t;
}

void tls_drop_certificate(mbedtls_ssl_session *session)
{
    mbedtls_x509_crt **crt = &session->MBEDTLS_PRIVATE(peer_cert);

    if (!*crt)
        return;
    mbedtls_x509_crt_free(*crt);
    mbedtls_free(*crt);
    *crt = NULL;
}

void tls_ticket_keep(struct tls_session *s)
{
    if (!s->keep_ticket || s->is_server)
        return;
    struct tls_ticket *t = ticket_new(s);
    if (!t)
        return; /* the next handshake is a whole one */
    if (mbedtls_ssl_get_session(&s->ssl, &t->saved) != 0) {
        tls_ticket_free(t);
        return;
    }
    tls_drop_certificate(&t->saved);
    tls_ticket_free(s->ticket);
    s->ticket = t;
}

struct tls_ticket *tls_take_ticket(struct tls_session *s)
{
    struct tls_ticket *t = s->ticket;

    s->ticket = NULL;
    return t;
}

void tls_ticket_free(struct tls_ticket *t)
{
    const struct port_heap *heap = tls_lib_env()->heap;

    if (!t)
        return;
    mbedtls_ssl_session_free(&t->saved);
    ct_wipe(t, sizeof(*t));
    heap->free(heap->ctx, t);
}
