/* Why a handshake failed, in a sentence that says what to do. */
#include "tls/tls_mbedtls.h"

#include <stdio.h>

#include <mbedtls/error.h>

/* RFC 8446 section 6 and the registry that it opened. */
static const struct {
    int alert;
    const char *name;
} alert_names[] = {
    { 0, "close notify" },
    { 10, "unexpected message" },
    { 20, "bad record MAC" },
    { 21, "decryption failed" },
    { 22, "record overflow" },
    { 30, "decompression failure" },
    { 40, "handshake failure" },
    { 41, "no certificate" },
    { 42, "bad certificate" },
    { 43, "unsupported certificate" },
    { 44, "certificate revoked" },
    { 45, "certificate expired" },
    { 46, "certificate unknown" },
    { 47, "illegal parameter" },
    { 48, "unknown CA" },
    { 49, "access denied" },
    { 50, "decode error" },
    { 51, "decrypt error" },
    { 60, "export restriction" },
    { 70, "protocol version" },
    { 71, "insufficient security" },
    { 80, "internal error" },
    { 86, "inappropriate fallback" },
    { 90, "user canceled" },
    { 100, "no renegotiation" },
    { 109, "missing extension" },
    { 110, "unsupported extension" },
    { 112, "unrecognized name" },
    { 113, "bad certificate status" },
    { 115, "unknown PSK identity" },
    { 116, "certificate required" },
    { 120, "no application protocol" },
};

const char *tls_alert_name(int alert)
{
    for (size_t i = 0; i < sizeof(alert_names) / sizeof(alert_names[0]); i++) {
        if (alert_names[i].alert == alert)
            return alert_names[i].name;
    }
    return "unknown";
}

void tls_verify_text(uint32_t flags, char *out, size_t out_len)
{
    static const struct {
        uint32_t flags;
        const char *words;
    } names[] = {
        { MBEDTLS_X509_BADCERT_EXPIRED, "expired" },
        { MBEDTLS_X509_BADCERT_FUTURE, "not yet valid" },
        { MBEDTLS_X509_BADCERT_REVOKED, "revoked" },
        { MBEDTLS_X509_BADCERT_NOT_TRUSTED, "unknown issuer" },
        { MBEDTLS_X509_BADCERT_CN_MISMATCH, "wrong name" },
        { MBEDTLS_X509_BADCERT_MISSING, "none was sent" },
        { MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
              MBEDTLS_X509_BADCERT_NS_CERT_TYPE,
          "not for this use" },
        { MBEDTLS_X509_BADCERT_BAD_MD, "weak hash" },
        { MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY,
          "weak key" },
        { MBEDTLS_X509_BADCERT_OTHER, "another reason" },
    };
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((flags & names[i].flags) && at < out_len)
            at += (size_t)snprintf(out + at, out_len - at, "%s%s",
                                   at ? ", " : "", names[i].words);
    }
}

/* What the library says when there is no room for a record, or for a message
 * that came in several. */
static bool is_too_long(int code, size_t room)
{
    return room < TLS_RECORD_MAX_LEN &&
           (code == MBEDTLS_ERR_SSL_BAD_INPUT_DATA ||
            code == MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL ||
            code == MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED);
}

void tls_fault_text(const struct tls_fault *fault, char *out, size_t out_len)
{
    size_t room = fault->room ? fault->room : tls_record_room();

    if (fault->alert)
        (void)snprintf(out, out_len, "the server sent the TLS alert %d, %s",
                       fault->alert, tls_alert_name(fault->alert));
    else if (is_too_long(fault->code, room))
        (void)snprintf(out, out_len,
                       "a TLS record of more than the %zu bytes that this "
                       "build has room for",
                       room);
    else
        (void)snprintf(out, out_len, "broken TLS record, Mbed TLS -0x%04x",
                       (unsigned)-fault->code);
}

static const char *version_text(mbedtls_ssl_protocol_version v)
{
    return v == MBEDTLS_SSL_VERSION_TLS1_3 ? "1.3" : "1.2";
}

/* The peer's alert is still in the library's input when this is asked. */
static int alert_of(const mbedtls_ssl_context *ssl, int ret)
{
    const unsigned char *msg = ssl->MBEDTLS_PRIVATE(in_msg);

    return ret == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && msg ? msg[1] : 0;
}

static const char *peer(const struct tls_session *s)
{
    return s->is_server ? "client" : "server";
}

static esp_err_t explain_issuer(const struct tls_seen *seen, struct diag *d)
{
    const esp_err_t err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED;

    if (seen->self_signed)
        return diag_fail(d, DIAG_STAGE_TLS, err,
                         "the certificate \"%s\" is self-signed and not among "
                         "the trusted ones: wrong peer, or give it as CA",
                         seen->subject);
    if (seen->depth == 0)
        return diag_fail(d, DIAG_STAGE_TLS, err,
                         "unknown issuer: the certificate \"%s\" was issued by "
                         "\"%s\", which is not among the trusted CA "
                         "certificates and was not sent along",
                         seen->subject, seen->issuer);
    return diag_fail(d, DIAG_STAGE_TLS, err,
                     "unknown issuer: the certificate \"%s\" was issued by "
                     "\"%s\", which is not among the trusted CA certificates",
                     seen->subject, seen->issuer);
}

static esp_err_t explain_date(const struct tls_verify *v, struct diag *d)
{
    const esp_err_t err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED;
    const struct tls_seen *seen = v->seen;

    if (v->flags & MBEDTLS_X509_BADCERT_EXPIRED)
        return diag_fail(d, DIAG_STAGE_TLS, err,
                         "the certificate \"%s\" expired on %s UTC%s",
                         seen->subject, seen->date,
                         tls_date_plausible(&v->now)
                             ? ""
                             : "; the clock is wrong, but it is known to be "
                               "later than that");
    return diag_fail(d, DIAG_STAGE_TLS, err,
                     "the certificate \"%s\" is not valid before %s UTC: "
                     "check the clock",
                     seen->subject, seen->date);
}

static esp_err_t explain_weak(const struct tls_verify *v, struct diag *d)
{
    const esp_err_t err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED;
    const struct tls_seen *seen = v->seen;

    if (v->flags & MBEDTLS_X509_BADCERT_BAD_MD)
        return diag_fail(d, DIAG_STAGE_TLS, err,
                         "the certificate \"%s\" is signed with a hash that is "
                         "too weak: SHA-256 is the least",
                         seen->subject);
    return diag_fail(d, DIAG_STAGE_TLS, err,
                     "the certificate \"%s\" (%s bits) or its issuer has a key "
                     "that is too weak: RSA needs %u bits",
                     seen->subject, seen->key, TLS_RSA_MIN_BITS);
}

/* The first cause in the order in which people would look for it. */
static esp_err_t explain_cert(const struct tls_session *s, struct diag *d)
{
    const esp_err_t err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED;
    const struct tls_verify *v = &s->verify;
    const struct tls_seen *seen = v->seen;
    uint32_t flags = v->flags;

    if (!seen)
        return diag_fail(d, DIAG_STAGE_TLS, err,
                         "a certificate of the %s was refused (flags 0x%x)",
                         peer(s), (unsigned)flags);
    if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
        return explain_issuer(seen, d);
    if (flags & (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE))
        return explain_date(v, d);
    if (v->no_clock)
        return diag_fail(d, DIAG_STAGE_TLS, err,
                         "the clock is not set, so the dates of certificates "
                         "cannot be checked, as is required: set the clock");
    if (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH)
        return diag_fail(d, DIAG_STAGE_TLS, err,
                         "wrong host name: the server's certificate is for "
                         "\"%s\", not for \"%s\"",
                         seen->names, tls_name(s));
    if (flags & (MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK |
                 MBEDTLS_X509_BADCERT_BAD_KEY))
        return explain_weak(v, d);
    return diag_fail(d, DIAG_STAGE_TLS, err,
                     "the certificate \"%s\" may not be used for a %s "
                     "(flags 0x%x)",
                     seen->subject, peer(s), (unsigned)flags);
}

static esp_err_t explain_transport(const struct tls_session *s, struct diag *d)
{
    if (s->bio.err == ESP_ERR_TIMEOUT)
        return diag_fail(
            d, DIAG_STAGE_TLS, ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT,
            "the %s stopped answering during the TLS handshake", peer(s));
    /* A reset overtakes the alert of a peer that closes with our last flight
     * unread, so both may mean the same. */
    return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_ESP_TLS_TCP_CLOSED_FIN,
                     "the %s %s the connection during the TLS handshake%s",
                     peer(s), s->bio.err ? "reset" : "closed",
                     s->conf.MBEDTLS_PRIVATE(psk)
                         ? ": it may know another pre-shared key or identity"
                         : "");
}

static esp_err_t explain_library(const struct tls_session *s, int ret,
                                 struct diag *d)
{
    const esp_err_t err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED;
    char text[96];

    if (ret == MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION)
        return diag_fail(
            d, DIAG_STAGE_TLS, err,
            "no common version: the %s has no TLS from %s to %s", peer(s),
            version_text(s->conf.MBEDTLS_PRIVATE(min_tls_version)),
            version_text(s->conf.MBEDTLS_PRIVATE(max_tls_version)));
    if (is_too_long(ret, tls_room(s)))
        return diag_fail(
            d, DIAG_STAGE_TLS, err,
            "a message of the %s does not fit into the %zu bytes that this "
            "build has room for: use a shorter chain of certificates, or build "
            "with a larger PORTA_TLS_RECORD_LEN",
            peer(s), tls_room(s));
    if (ret == MBEDTLS_ERR_SSL_INVALID_RECORD)
        return diag_fail(d, DIAG_STAGE_TLS, err,
                         "what came is not TLS: is this a plain HTTP port?");
    /* Its callback has said why only when it got as far as that. */
    if (ret == MBEDTLS_ERR_SSL_BAD_CERTIFICATE)
        return diag_fail(d, DIAG_STAGE_TLS, err,
                         "the certificate of the %s may not be used for this: "
                         "its key usage or its curve does not allow it",
                         peer(s));
    mbedtls_strerror(ret, text, sizeof(text));
    return diag_fail(d, DIAG_STAGE_TLS, err,
                     "the TLS handshake failed: %s (-0x%04x)", text,
                     (unsigned)-ret);
}

esp_err_t tls_explain(struct tls_session *s, int ret, struct diag *d)
{
    s->fault.code = ret;
    s->fault.flags = s->verify.flags;
    s->fault.alert = alert_of(&s->ssl, ret);
    if (s->fault.alert)
        return diag_fail(
            d, DIAG_STAGE_TLS, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
            "the %s refused the TLS handshake with alert %d, %s", peer(s),
            s->fault.alert, tls_alert_name(s->fault.alert));
    if (s->verify.flags)
        return explain_cert(s, d);
    if (s->bio.err || s->bio.eof)
        return explain_transport(s, d);
    return explain_library(s, ret, d);
}
