/* A server's certificates, as a client will see them: dates, chain, host name,
 * and whether the key is theirs. Chain and name are judged by what judges them
 * in an update; GnuTLS reads the rest. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <mbedtls/x509.h>

#include "base/text.h"
#include "doctor.h"
#include "linux_clock.h"
#include "linux_heap.h"
#include "linux_rng.h"
#include "tls/tls.h"
#include "update_opts.h"
#include "update_tls.h"

#define PEM_MAX_LEN (1024u * 1024u)
#define SOON_S (30 * 86400)

/* A list of certificates from a file. */
struct chain {
    gnutls_x509_crt_t *crt;
    unsigned cnt;
    struct cli_bytes pem;
};
#define CHAIN_NONE              \
    {                           \
        NULL, 0, CLI_BYTES_NONE \
    }

static void chain_free(struct chain *c)
{
    for (unsigned i = 0; i < c->cnt; i++)
        gnutls_x509_crt_deinit(c->crt[i]);
    gnutls_free(c->crt);
    cli_bytes_free(&c->pem);
    *c = (struct chain)CHAIN_NONE;
}

/* A pipe with a name would be waited for; one that a shell made for `<(...)`
 * has somebody at its other end. */
static bool is_file(const char *path, struct doctor_check *c)
{
    struct stat st;

    if (strncmp(path, "/dev/fd/", 8) == 0 || stat(path, &st) != 0 ||
        !S_ISFIFO(st.st_mode))
        return true;
    doctor_found(c, DOCTOR_BAD, "%s is a pipe, not a file",
                 text_name(path).text);
    doctor_mend(c, "give the file itself");
    return false;
}

static bool pem_load(const char *path, struct cli_bytes *out,
                     struct doctor_check *c)
{
    struct diag diag = DIAG_NONE;

    if (!is_file(path, c))
        return false;
    if (cli_read_file(path, PEM_MAX_LEN, out, &diag) == ESP_OK)
        return true;
    doctor_found(c, DOCTOR_BAD, "%s", diag.text);
    return false;
}

static bool chain_load(const char *path, struct chain *out,
                       struct doctor_check *c)
{
    gnutls_datum_t text;
    int err;

    *out = (struct chain)CHAIN_NONE;
    if (!pem_load(path, &out->pem, c))
        return false;
    text = (gnutls_datum_t){ out->pem.ptr, (unsigned)out->pem.len };
    err = gnutls_x509_crt_list_import2(&out->crt, &out->cnt, &text,
                                       GNUTLS_X509_FMT_PEM, 0);
    if (err >= 0 && out->cnt > 0)
        return true;
    doctor_found(c, DOCTOR_BAD, "%s has no certificate in PEM: %s",
                 text_name(path).text, gnutls_strerror(err));
    doctor_mend(c, "openssl x509 -inform der -in FILE -out FILE.pem makes PEM "
                   "of DER");
    chain_free(out);
    return false;
}

static void crt_name(gnutls_x509_crt_t crt, char *out, size_t len)
{
    gnutls_datum_t dn = { NULL, 0 };

    out[0] = '\0';
    if (gnutls_x509_crt_get_dn3(crt, &dn, 0) < 0)
        return;
    (void)text_clean(span_of(dn.data, dn.size), out, len);
    gnutls_free(dn.data);
}

static void day_text(time_t at, char out[16])
{
    struct tm day;

    gmtime_r(&at, &day);
    strftime(out, 16, "%Y-%m-%d", &day);
}

static void check_dates(struct doctor *d, gnutls_x509_crt_t crt)
{
    struct doctor_check *c = doctor_add(d, "certificate", "dates");
    time_t now = time(NULL), from = gnutls_x509_crt_get_activation_time(crt),
           to = gnutls_x509_crt_get_expiration_time(crt);
    char first[16], last[16], name[100];

    day_text(from, first);
    day_text(to, last);
    crt_name(crt, name, sizeof(name));
    if (now < from)
        doctor_found(c, DOCTOR_BAD, "%s: not valid before %s", name, first);
    else if (now > to)
        doctor_found(c, DOCTOR_BAD, "%s: expired on %s", name, last);
    else if (to - now < SOON_S)
        doctor_found(c, DOCTOR_WARN, "%s: expires on %s", name, last);
    else
        doctor_found(c, DOCTOR_OK, "%s: %s to %s", name, first, last);
    if (now < from)
        doctor_mend(c, "if the date is right, the clock is not; see there");
    else if (c->status != DOCTOR_OK)
        doctor_mend(c, "renew it, and let the server load it again");
}

/* The certificate's own list of names, for people. */
/* One of its names as text: a host or an address, "" for other kinds. */
static void name_text(int kind, const char *name, size_t len, char *out,
                      size_t out_len)
{
    int family = len == sizeof(struct in_addr) ? AF_INET : AF_INET6;

    out[0] = '\0';
    if (kind == GNUTLS_SAN_DNSNAME)
        snprintf(out, out_len, "%.*s", (int)len, name);
    else if (kind == GNUTLS_SAN_IPADDRESS)
        (void)inet_ntop(family, name, out, (socklen_t)out_len);
}

static void names_text(gnutls_x509_crt_t crt, char *out, size_t len)
{
    char name[120], text[120];
    size_t at = 0;

    snprintf(out, len, "none");
    for (unsigned i = 0; i < 8 && at < len; i++) {
        size_t name_len = sizeof(name);
        int kind =
            gnutls_x509_crt_get_subject_alt_name(crt, i, name, &name_len, NULL);

        if (kind < 0)
            break;
        name_text(kind, name, name_len, text, sizeof(text));
        if (text[0])
            at += (size_t)snprintf(out + at, len - at, "%s%s", at ? ", " : "",
                                   text);
    }
}

static void check_key(struct doctor *d, gnutls_x509_crt_t crt)
{
    struct doctor_check *c = doctor_add(d, "certificate", "private key");
    struct cli_bytes bytes = CLI_BYTES_NONE;
    gnutls_x509_privkey_t key = NULL;
    unsigned char mine[64], its[64];
    size_t mine_len = sizeof(mine), its_len = sizeof(its);
    gnutls_datum_t text;

    if (!pem_load(d->o->key, &bytes, c))
        return;
    text = (gnutls_datum_t){ bytes.ptr, (unsigned)bytes.len };
    if (gnutls_x509_privkey_init(&key) < 0 ||
        gnutls_x509_privkey_import2(key, &text, GNUTLS_X509_FMT_PEM, NULL, 0) <
            0 ||
        gnutls_x509_privkey_get_key_id(key, 0, mine, &mine_len) < 0 ||
        gnutls_x509_crt_get_key_id(crt, 0, its, &its_len) < 0) {
        doctor_found(c, DOCTOR_BAD, "%s is no private key in PEM",
                     text_name(d->o->key).text);
        doctor_mend(c, "a key with a password has to be opened first: openssl "
                       "pkey -in FILE");
    } else if (mine_len == its_len && memcmp(mine, its, its_len) == 0) {
        doctor_found(c, DOCTOR_OK, "belongs to the certificate");
    } else {
        doctor_found(c, DOCTOR_BAD, "belongs to another certificate");
        doctor_mend(c, "give the key that the certificate was requested with");
    }
    gnutls_x509_privkey_deinit(key);
    cli_bytes_free(&bytes);
}

static const char ca_mend[] =
    "name a file of CA certificates in PEM with --cacert";

static const char *chain_mend(uint32_t flags)
{
    if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
        return "put the issuer's certificate behind the server's, in the same "
               "file, up to the one below the CA";
    if (flags & MBEDTLS_X509_BADCERT_BAD_MD)
        return "get certificates that are signed with SHA-256 or better";
    if (flags & (MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY))
        return "get certificates for keys of P-256, or RSA of 2048 bits or "
               "more";
    if (flags & (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE))
        return "renew the one that has ended, or set the clock";
    return "get a certificate for a server: keyUsage digitalSignature, "
           "extendedKeyUsage serverAuth";
}

/* False: it cannot be judged at all, nor can the host name then. */
static bool check_chain(struct doctor_check *c, const struct chain *chain,
                        struct tls_conf *conf, const char *ca)
{
    struct tls_dial dial = { .host = "" };
    struct diag diag = DIAG_NONE;

    conf->skip_name_check = true;
    if (tls_judge_chain(span_of(chain->pem.ptr, chain->pem.len), &dial, conf,
                        &diag) == ESP_OK) {
        doctor_found(c, DOCTOR_OK, "leads to %s",
                     ca ? ca : "a CA of the system");
        return true;
    }
    doctor_found(c, DOCTOR_BAD, "%s", diag.text);
    doctor_mend(c, "%s",
                dial.fault.code ? chain_mend(dial.fault.flags) : ca_mend);
    return dial.fault.code != 0;
}

/* Whatever is wrong with the chain has been said. */
static void check_host(struct doctor *d, const struct chain *chain,
                       struct tls_conf *conf)
{
    struct doctor_check *c = doctor_add(d, "certificate", "host name");
    struct tls_dial dial = { .host = d->o->host };
    struct diag diag = DIAG_NONE;
    char names[200];

    conf->skip_name_check = false;
    if (tls_judge_chain(span_of(chain->pem.ptr, chain->pem.len), &dial, conf,
                        &diag) != ESP_OK &&
        dial.fault.code == 0) {
        doctor_found(c, DOCTOR_BAD, "%s", diag.text);
        return;
    }
    if (!(dial.fault.flags & MBEDTLS_X509_BADCERT_CN_MISMATCH)) {
        doctor_found(c, DOCTOR_OK, "%s", d->o->host);
        return;
    }
    names_text(chain->crt[0], names, sizeof(names));
    doctor_found(c, DOCTOR_BAD, "%s is not among its names: %s", d->o->host,
                 names);
    doctor_mend(c, "use one of these names in the URL, or get a certificate "
                   "with this subjectAltName");
}

/* What an update with the same --cacert would decide. */
static void judge(struct doctor *d, const struct chain *chain)
{
    const struct tls_env env = { &linux_heap, &linux_rng, &linux_clock };
    const struct update_opts o = { .cacert = d->o->ca };
    struct update_trust trust = { 0 };
    struct tls_conf conf = { 0 };
    struct diag diag = DIAG_NONE;
    struct doctor_check *c = doctor_add(d, "certificate", "chain");
    esp_err_t err = tls_init(&env);

    if (!err && (!o.cacert || is_file(o.cacert, c)) &&
        update_tls_load(&o, true, &trust, &conf, &diag) == ESP_OK) {
        if (check_chain(c, chain, &conf, o.cacert) && d->o->host)
            check_host(d, chain, &conf);
    } else if (diag.err) {
        doctor_found(c, DOCTOR_BAD, "%s", diag.text);
        doctor_mend(c, "%s", ca_mend);
    } else if (err) {
        doctor_found(c, DOCTOR_BAD, "TLS does not start: %s", err_name(err));
    }
    update_trust_free(&trust);
    if (!err)
        tls_deinit();
}

void doctor_certs(struct doctor *d)
{
    struct doctor_check *c = doctor_add(d, "certificate", "file");
    struct chain chain;

    if (!chain_load(d->o->cert, &chain, c))
        return;
    doctor_found(c, DOCTOR_OK, "%u certificate%s", chain.cnt,
                 chain.cnt == 1 ? "" : "s");
    check_dates(d, chain.crt[0]);
    judge(d, &chain);
    if (d->o->key)
        check_key(d, chain.crt[0]);
    chain_free(&chain);
}
