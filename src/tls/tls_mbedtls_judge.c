/* A chain without its server: what a handshake would come to. The session is
 * set up as for one, and its list of authorities, its profile and its callback
 * are then asked as the library asks them. */
#include "tls/tls_mbedtls.h"

#include <mbedtls/oid.h>

/* RFC 5280, sections 4.2.1.3 and 4.2.1.12: what a server's certificate has to
 * be for. Every key exchange of ours is one that the server signs. */
static bool is_for_servers(const mbedtls_x509_crt *crt)
{
    return mbedtls_x509_crt_check_key_usage(
               crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) == 0 &&
           mbedtls_x509_crt_check_extended_key_usage(
               crt, MBEDTLS_OID_SERVER_AUTH,
               MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) == 0;
}

static esp_err_t judge(struct tls_session *s, mbedtls_x509_crt *chain,
                       struct diag *d)
{
    const char *name = tls_name(s);
    unsigned refused = tls_lib_refused_cnt();
    uint32_t flags = 0;
    int ret = mbedtls_x509_crt_verify_with_profile(
        chain, s->conf.MBEDTLS_PRIVATE(ca_chain), NULL,
        s->conf.MBEDTLS_PRIVATE(cert_profile), name[0] ? name : NULL, &flags,
        tls_verify_cert, &s->verify);

    if (tls_lib_err(refused, ESP_OK) == ESP_ERR_NO_MEM)
        return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_NO_MEM, "out of memory");
    if (ret == 0 && !is_for_servers(chain))
        ret = MBEDTLS_ERR_SSL_BAD_CERTIFICATE;
    esp_err_t err = ret == 0 ? ESP_OK : tls_explain(s, ret, d);
    s->fault.flags = flags; /* of the whole chain, not of one certificate */
    return err;
}

esp_err_t tls_judge_chain(struct span chain, struct tls_dial *dial,
                          const struct tls_conf *conf, struct diag *d)
{
    struct tls_session *s = NULL;
    mbedtls_x509_crt certs;
    esp_err_t err = tls_begin(&s, dial, conf, d);

    dial->fault = (struct tls_fault){ .code = 0 };
    if (err)
        return err;
    mbedtls_x509_crt_init(&certs);
    err = tls_load_certs(&certs, chain, "server certificate", d);
    if (!err)
        err = judge(s, &certs, d);
    mbedtls_x509_crt_free(&certs);
    dial->fault = s->fault;
    s->broken = true; /* there is nobody to say good-bye to */
    tls_close(s);
    return err;
}
