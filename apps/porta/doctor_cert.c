/* A server's certificates, as a client will see them: dates, chain, host name,
 * and whether the key is theirs. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/text.h"
#include "doctor.h"

#define PEM_MAX_LEN (1024u * 1024u)
#define SOON_S (30 * 86400)

/* A list of certificates from a file. */
struct chain {
    gnutls_x509_crt_t *crt;
    unsigned cnt;
};

static void chain_free(struct chain *c)
{
    for (unsigned i = 0; i < c->cnt; i++)
        gnutls_x509_crt_deinit(c->crt[i]);
    gnutls_free(c->crt);
    *c = (struct chain){ NULL, 0 };
}

static bool chain_load(const char *path, struct chain *out,
                       struct doctor_check *c)
{
    struct cli_bytes bytes = CLI_BYTES_NONE;
    struct diag diag = DIAG_NONE;
    gnutls_datum_t text;
    int err;

    *out = (struct chain){ NULL, 0 };
    if (cli_read_file(path, PEM_MAX_LEN, &bytes, &diag)) {
        doctor_found(c, DOCTOR_BAD, "%s", diag.text);
        return false;
    }
    text = (gnutls_datum_t){ bytes.ptr, (unsigned)bytes.len };
    err = gnutls_x509_crt_list_import2(&out->crt, &out->cnt, &text,
                                       GNUTLS_X509_FMT_PEM, 0);
    cli_bytes_free(&bytes);
    if (err >= 0 && out->cnt > 0)
        return true;
    doctor_found(c, DOCTOR_BAD, "%s has no certificate in PEM: %s",
                 text_name(path).text, gnutls_strerror(err));
    doctor_mend(c, "openssl x509 -inform der -in FILE -out FILE.pem makes PEM "
                   "of DER");
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

static void check_host(struct doctor *d, gnutls_x509_crt_t crt)
{
    struct doctor_check *c = doctor_add(d, "certificate", "host name");
    char names[200] = "", name[120];
    size_t at = 0;

    for (unsigned i = 0; i < 8; i++) {
        size_t len = sizeof(name) - 1;
        int kind =
            gnutls_x509_crt_get_subject_alt_name(crt, i, name, &len, NULL);

        if (kind < 0)
            break;
        if (kind != GNUTLS_SAN_DNSNAME)
            continue;
        name[len] = '\0';
        (void)text_clean(span_str(name), name, sizeof(name));
        at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s",
                               at ? ", " : "", name);
        if (at >= sizeof(names))
            break;
    }
    if (gnutls_x509_crt_check_hostname(crt, d->o->host)) {
        doctor_found(c, DOCTOR_OK, "%s", d->o->host);
        return;
    }
    doctor_found(c, DOCTOR_BAD, "%s is not among its names: %s", d->o->host,
                 names[0] ? names : "none");
    doctor_mend(c, "use one of these names in the URL, or get a certificate "
                   "with this subjectAltName");
}

static void check_key(struct doctor *d, gnutls_x509_crt_t crt)
{
    struct doctor_check *c = doctor_add(d, "certificate", "private key");
    struct cli_bytes bytes = CLI_BYTES_NONE;
    struct diag diag = DIAG_NONE;
    gnutls_x509_privkey_t key = NULL;
    unsigned char mine[64], its[64];
    size_t mine_len = sizeof(mine), its_len = sizeof(its);
    gnutls_datum_t text;

    if (cli_read_file(d->o->key, PEM_MAX_LEN, &bytes, &diag)) {
        doctor_found(c, DOCTOR_BAD, "%s", diag.text);
        return;
    }
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

/* What may be wrong with a chain, the first reason first. */
static const char *chain_fault(unsigned status, const char **mend)
{
    *mend = "put the issuer's certificate behind the server's, in the same "
            "file, up to the one below the CA";
    if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
        return "its issuer is neither in the file nor among the CAs";
    if (status & GNUTLS_CERT_INSECURE_ALGORITHM) {
        *mend = "get certificates that are signed with SHA-256 or better";
        return "a signature in the chain is of a kind that is not safe";
    }
    if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) {
        *mend = "renew the one that has ended, or set the clock";
        return "a certificate in the chain is not valid now";
    }
    if (status & GNUTLS_CERT_SIGNER_NOT_CA) {
        *mend = "its issuer has to have basicConstraints CA:TRUE";
        return "its issuer is no CA";
    }
    return "the chain does not verify";
}

static void check_chain(struct doctor *d, struct chain *chain)
{
    struct doctor_check *c = doctor_add(d, "certificate", "chain");
    gnutls_x509_trust_list_t list = NULL;
    struct chain ca = { NULL, 0 };
    unsigned status = 0;
    const char *mend;

    if (d->o->ca && !chain_load(d->o->ca, &ca, c))
        return;
    if (gnutls_x509_trust_list_init(&list, 0) < 0) {
        doctor_found(c, DOCTOR_BAD, "out of memory");
    } else {
        if (d->o->ca)
            (void)gnutls_x509_trust_list_add_cas(list, ca.crt, ca.cnt, 0);
        else
            (void)gnutls_x509_trust_list_add_system_trust(list, 0, 0);
        if (gnutls_x509_trust_list_verify_crt(list, chain->crt, chain->cnt, 0,
                                              &status, NULL) == 0 &&
            status == 0) {
            doctor_found(c, DOCTOR_OK, "leads to %s",
                         d->o->ca ? d->o->ca : "a CA of the system");
        } else {
            doctor_found(c, DOCTOR_BAD, "%s", chain_fault(status, &mend));
            doctor_mend(c, "%s", mend);
        }
        gnutls_x509_trust_list_deinit(list, 0);
    }
    chain_free(&ca);
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
    check_chain(d, &chain);
    if (d->o->host)
        check_host(d, chain.crt[0]);
    if (d->o->key)
        check_key(d, chain.crt[0]);
    chain_free(&chain);
}
