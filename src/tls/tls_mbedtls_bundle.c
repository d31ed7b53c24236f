/* Trust in a bundle of names and keys.
 *
 * The library wants whole certificates as trust anchors; a bundle has none. So
 * it is given an empty list, finds no issuer for the last certificate of the
 * chain, and marks that one as not trusted. The callback looks for the issuer
 * in the bundle and checks the signature with its key: when that is good the
 * mark goes. */
#include "tls/tls_mbedtls.h"

#include <mbedtls/md.h>
#include <mbedtls/rsa.h>

#include "tls/bundle_build.h"

/* An empty certificate: in a list it verifies nothing, because it has no key,
 * but the library insists on a list. */
static const mbedtls_x509_crt no_certs;

/* Two thousand bits are what the library asks of certificates, too. */
bool tls_key_is_weak(const mbedtls_pk_context *pk)
{
    return mbedtls_pk_can_do(pk, MBEDTLS_PK_RSA) &&
           mbedtls_pk_get_bitlen(pk) < TLS_RSA_MIN_BITS;
}

static bool is_signed_by(const mbedtls_x509_crt *crt, struct span key)
{
    mbedtls_md_type_t md = crt->MBEDTLS_PRIVATE(sig_md);
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(md);
    unsigned char hash[MBEDTLS_MD_MAX_SIZE];
    unsigned char *at = tls_writable(key.ptr);
    mbedtls_pk_context pk;
    bool good = false;

    if (!info)
        return false;
    mbedtls_pk_init(&pk);
    if (mbedtls_pk_parse_subpubkey(&at, key.ptr + key.len, &pk) == 0 &&
        !tls_key_is_weak(&pk) &&
        mbedtls_md(info, crt->tbs.p, crt->tbs.len, hash) == 0)
        good = mbedtls_pk_verify_ext(crt->MBEDTLS_PRIVATE(sig_pk),
                                     crt->MBEDTLS_PRIVATE(sig_opts), &pk, md,
                                     hash, mbedtls_md_get_size(info),
                                     crt->MBEDTLS_PRIVATE(sig).p,
                                     crt->MBEDTLS_PRIVATE(sig).len) == 0;
    mbedtls_pk_free(&pk);
    return good;
}

bool tls_bundle_signed(const struct tls_bundle *b, const mbedtls_x509_crt *crt)
{
    struct span issuer = span_of(crt->issuer_raw.p, crt->issuer_raw.len);

    for (uint32_t i = tls_bundle_find(b, issuer); i < b->cnt; i++) {
        struct tls_anchor a = tls_bundle_at(b, i);
        if (tls_bundle_order(a.name, issuer) != 0)
            return false;
        if (is_signed_by(crt, a.key))
            return true;
    }
    return false;
}

/* For a configuration that is not a session's: it knows of nothing but the
 * certificate at hand. */
static int verify_alone(void *ctx, mbedtls_x509_crt *crt, int depth,
                        uint32_t *flags)
{
    (void)depth;
    if ((*flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) &&
        tls_bundle_signed(ctx, crt))
        *flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    return 0;
}

void tls_bundle_attach(void *library_conf, struct tls_bundle *b)
{
    mbedtls_ssl_conf_ca_chain(library_conf, tls_no_certs(), NULL);
    mbedtls_ssl_conf_verify(library_conf, verify_alone, b);
}

void tls_bundle_detach(void *library_conf)
{
    mbedtls_ssl_conf_ca_chain(library_conf, NULL, NULL);
    mbedtls_ssl_conf_verify(library_conf, NULL, NULL);
}

bool tls_bundle_is_list(const void *library_list)
{
    return library_list == &no_certs;
}

const struct tls_bundle *tls_bundle_attached(const mbedtls_ssl_config *conf)
{
    return conf->MBEDTLS_PRIVATE(f_vrfy) == verify_alone
               ? conf->MBEDTLS_PRIVATE(p_vrfy)
               : NULL;
}

mbedtls_x509_crt *tls_no_certs(void)
{
    return tls_writable(&no_certs);
}
