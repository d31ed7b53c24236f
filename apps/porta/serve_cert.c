#include "serve_cert.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#define PEM_MAX_LEN 16384
#define CA_DAYS 3650
#define SERVER_DAYS 390
#define RENEW_DAYS 7
#define DAY_S 86400

/* Both halves of an identity. */
struct ident {
    mbedtls_x509_crt crt;
    mbedtls_pk_context key;
};

static void ident_init(struct ident *id)
{
    mbedtls_x509_crt_init(&id->crt);
    mbedtls_pk_init(&id->key);
}

static void ident_free(struct ident *id)
{
    mbedtls_x509_crt_free(&id->crt);
    mbedtls_pk_free(&id->key);
}

static int rng(void *ctx, unsigned char *out, size_t len)
{
    (void)ctx;
    while (len > 0) {
        ssize_t got = getrandom(out, len, 0);

        if (got < 0 && errno != EINTR)
            return MBEDTLS_ERR_ECP_RANDOM_FAILED;
        if (got > 0) {
            out += got;
            len -= (size_t)got;
        }
    }
    return 0;
}

void serve_names_add(struct serve_names *n, const char *name)
{
    for (size_t i = 0; i < n->cnt; i++)
        if (strcmp(n->name[i], name) == 0)
            return;
    if (n->cnt < SERVE_CERT_NAMES_MAX && name[0])
        snprintf(n->name[n->cnt++], sizeof(n->name[0]), "%s", name);
}

void serve_names_default(struct serve_names *n)
{
    char host[256] = "";

    n->cnt = 0;
    serve_names_add(n, "localhost");
    serve_names_add(n, "127.0.0.1");
    serve_names_add(n, "::1");
    if (gethostname(host, sizeof(host) - 1) == 0)
        serve_names_add(n, host);
}

static const char *in_folder(char *buf, size_t len, const char *folder,
                             const char *name)
{
    snprintf(buf, len, "%s/%s", folder, name);
    return buf;
}

/* Reads a pair of PEM files. False, whatever the reason, means "make it". */
static bool ident_load(struct ident *id, const char *folder, const char *name)
{
    struct cli_bytes crt = CLI_BYTES_NONE, key = CLI_BYTES_NONE;
    char path[4200], file[32];
    struct diag ignored = DIAG_NONE;
    bool ok;

    snprintf(file, sizeof(file), "%s.pem", name);
    ok = !cli_read_file(in_folder(path, sizeof(path), folder, file),
                        PEM_MAX_LEN, &crt, &ignored);
    snprintf(file, sizeof(file), "%s.key", name);
    ok = ok && !cli_read_file(in_folder(path, sizeof(path), folder, file),
                              PEM_MAX_LEN, &key, &ignored);
    ok = ok && mbedtls_x509_crt_parse(&id->crt, crt.ptr, crt.len + 1) == 0 &&
         mbedtls_pk_parse_key(&id->key, key.ptr, key.len + 1, NULL, 0, rng,
                              NULL) == 0 &&
         mbedtls_pk_check_pair(&id->crt.pk, &id->key, rng, NULL) == 0;
    cli_bytes_free(&crt);
    cli_bytes_free(&key);
    return ok;
}

static bool still_good(const mbedtls_x509_crt *crt)
{
    mbedtls_x509_time soon;
    time_t when = time(NULL) + (time_t)RENEW_DAYS * DAY_S;
    struct tm tm;

    gmtime_r(&when, &tm);
    soon = (mbedtls_x509_time){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                                tm.tm_hour,        tm.tm_min,     tm.tm_sec };
    return mbedtls_x509_time_cmp(&crt->valid_to, &soon) > 0 &&
           !mbedtls_x509_time_is_future(&crt->valid_from);
}

static bool server_good(struct ident *server, struct ident *ca,
                        const struct serve_names *names)
{
    if (!still_good(&server->crt))
        return false;
    for (size_t i = 0; i < names->cnt; i++) {
        uint32_t flags;

        if (mbedtls_x509_crt_verify(&server->crt, &ca->crt, NULL,
                                    names->name[i], &flags, NULL, NULL) != 0)
            return false;
    }
    return true;
}

static int make_key(mbedtls_pk_context *key)
{
    int ret;

    mbedtls_pk_free(key);
    mbedtls_pk_init(key);
    ret = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (ret)
        return ret;
    return mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key),
                               rng, NULL);
}

/* Valid from yesterday: a device's clock may lag behind. */
static int set_validity(mbedtls_x509write_cert *w, int days)
{
    time_t from = time(NULL) - DAY_S, to = from + (time_t)days * DAY_S;
    char a[16], b[16];
    struct tm tm;

    strftime(a, sizeof(a), "%Y%m%d%H%M%S", gmtime_r(&from, &tm));
    strftime(b, sizeof(b), "%Y%m%d%H%M%S", gmtime_r(&to, &tm));
    return mbedtls_x509write_crt_set_validity(w, a, b);
}

static int set_serial(mbedtls_x509write_cert *w)
{
    unsigned char serial[16];
    int ret = rng(NULL, serial, sizeof(serial));

    serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40); /* positive */
    return ret ? ret
               : mbedtls_x509write_crt_set_serial_raw(w, serial,
                                                      sizeof(serial));
}

/* The subject alternative names, in caller's memory. */
struct san_store {
    mbedtls_x509_san_list list[SERVE_CERT_NAMES_MAX];
    unsigned char addr[SERVE_CERT_NAMES_MAX][16];
};

static void san_set(mbedtls_x509_subject_alternative_name *node,
                    const char *name, unsigned char addr[16])
{
    mbedtls_x509_buf *buf = &node->san.unstructured_name;

    buf->p = addr;
    node->type = MBEDTLS_X509_SAN_IP_ADDRESS;
    if (inet_pton(AF_INET, name, addr) == 1) {
        buf->len = 4;
    } else if (inet_pton(AF_INET6, name, addr) == 1) {
        buf->len = 16;
    } else {
        node->type = MBEDTLS_X509_SAN_DNS_NAME;
        /* Only read; the library's type has no const. */
        buf->p = (unsigned char *)(uintptr_t)name;
        buf->len = strlen(name);
    }
}

static int set_server_ext(mbedtls_x509write_cert *w,
                          const struct serve_names *names,
                          struct san_store *san)
{
    static const char server_auth[] = MBEDTLS_OID_SERVER_AUTH;
    mbedtls_asn1_sequence usage = { 0 };
    int ret;

    for (size_t i = 0; i < names->cnt; i++) {
        san_set(&san->list[i].node, names->name[i], san->addr[i]);
        san->list[i].next = i + 1 < names->cnt ? &san->list[i + 1] : NULL;
    }
    usage.buf.tag = MBEDTLS_ASN1_OID;
    usage.buf.p = (unsigned char *)(uintptr_t)server_auth;
    usage.buf.len = sizeof(server_auth) - 1;
    ret = mbedtls_x509write_crt_set_subject_alternative_name(w, san->list);
    if (!ret)
        ret = mbedtls_x509write_crt_set_basic_constraints(w, 0, -1);
    if (!ret)
        ret = mbedtls_x509write_crt_set_key_usage(
            w, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    return ret ? ret : mbedtls_x509write_crt_set_ext_key_usage(w, &usage);
}

static int set_ca_ext(mbedtls_x509write_cert *w)
{
    int ret = mbedtls_x509write_crt_set_basic_constraints(w, 1, 0);

    return ret ? ret
               : mbedtls_x509write_crt_set_key_usage(
                     w,
                     MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN);
}

#define SERVER_NAME "CN=porta development server"

/* "CN=porta development CA 1f08": who has several can tell them apart. */
static int ca_name(const struct ident *ca, char *out, size_t len)
{
    unsigned char id[2];
    int ret;

    if (ca) {
        ret = mbedtls_x509_dn_gets(out, len, &ca->crt.subject);
        return ret < 0 ? ret : 0;
    }
    ret = rng(NULL, id, sizeof(id));
    snprintf(out, len, "CN=porta development CA %02x%02x", id[0], id[1]);
    return ret;
}

static int set_names(mbedtls_x509write_cert *w, const struct ident *ca)
{
    char name[256];
    int ret = ca_name(ca, name, sizeof(name));

    if (!ret)
        ret = mbedtls_x509write_crt_set_issuer_name(w, name);
    return ret ? ret
               : mbedtls_x509write_crt_set_subject_name(w, ca ? SERVER_NAME
                                                              : name);
}

/* Makes id's certificate; signed by ca, or by itself when ca is NULL. */
static int make_crt(struct ident *id, struct ident *ca,
                    const struct serve_names *names, unsigned char *pem)
{
    struct san_store san;
    mbedtls_x509write_cert w;
    int ret;

    memset(&san, 0, sizeof(san));
    mbedtls_x509write_crt_init(&w);
    mbedtls_x509write_crt_set_version(&w, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&w, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&w, &id->key);
    mbedtls_x509write_crt_set_issuer_key(&w, ca ? &ca->key : &id->key);
    ret = set_names(&w, ca);
    if (!ret)
        ret = set_serial(&w);
    if (!ret)
        ret = set_validity(&w, ca ? SERVER_DAYS : CA_DAYS);
    if (!ret)
        ret = ca ? set_server_ext(&w, names, &san) : set_ca_ext(&w);
    if (!ret)
        ret = mbedtls_x509write_crt_set_subject_key_identifier(&w);
    if (!ret)
        ret = mbedtls_x509write_crt_set_authority_key_identifier(&w);
    if (!ret)
        ret = mbedtls_x509write_crt_pem(&w, pem, PEM_MAX_LEN, rng, NULL);
    mbedtls_x509write_crt_free(&w);
    return ret;
}

static esp_err_t lib_fail(struct diag *d, int ret)
{
    char text[128];

    mbedtls_strerror(ret, text, sizeof(text));
    return diag_fail(d, DIAG_STAGE_TLS, ESP_FAIL,
                     "making a certificate failed: %s (-0x%04x)", text,
                     (unsigned)-ret);
}

/* The key goes to disk first: a certificate without its key is useless. */
static esp_err_t ident_store(struct ident *id, const char *folder,
                             const char *name, const unsigned char *crt_pem,
                             struct diag *d)
{
    unsigned char key_pem[2048];
    char path[4200], file[32];
    esp_err_t err;
    int ret = mbedtls_pk_write_key_pem(&id->key, key_pem, sizeof(key_pem));

    if (ret)
        return lib_fail(d, ret);
    snprintf(file, sizeof(file), "%s.key", name);
    err = cli_write_file(in_folder(path, sizeof(path), folder, file),
                         span_str((const char *)key_pem), 0600, d);
    explicit_bzero(key_pem, sizeof(key_pem));
    if (err)
        return err;
    snprintf(file, sizeof(file), "%s.pem", name);
    return cli_write_file(in_folder(path, sizeof(path), folder, file),
                          span_str((const char *)crt_pem), 0644, d);
}

static esp_err_t ident_make(struct ident *id, struct ident *ca,
                            const struct serve_names *names, const char *folder,
                            struct diag *d)
{
    unsigned char pem[PEM_MAX_LEN];
    int ret = make_key(&id->key);

    if (!ret)
        ret = make_crt(id, ca, names, pem);
    if (!ret) {
        mbedtls_x509_crt_free(&id->crt);
        mbedtls_x509_crt_init(&id->crt);
        ret = mbedtls_x509_crt_parse(&id->crt, pem, strlen((char *)pem) + 1);
    }
    if (ret)
        return lib_fail(d, ret);
    return ident_store(id, folder, ca ? "server" : "ca", pem, d);
}

static esp_err_t load_result(struct serve_cert *out, const char *folder,
                             struct diag *d)
{
    char path[4200];
    esp_err_t err;

    snprintf(out->ca_path, sizeof(out->ca_path), "%s/ca.pem", folder);
    err = cli_read_file(in_folder(path, sizeof(path), folder, "server.pem"),
                        PEM_MAX_LEN, &out->cert, d);
    if (err)
        return err;
    return cli_read_file(in_folder(path, sizeof(path), folder, "server.key"),
                         PEM_MAX_LEN, &out->key, d);
}

esp_err_t serve_cert_ready(const char *folder, const struct serve_names *names,
                           struct serve_cert *out, struct diag *d)
{
    struct ident ca, server;
    esp_err_t err = ESP_OK;

    memset(out, 0, sizeof(*out));
    if (mkdir(folder, 0755) != 0 && errno != EEXIST)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_FAIL,
                         "cannot make the folder %s for certificates: %s; "
                         "name another one with --cert-dir",
                         folder, strerror(errno));
    ident_init(&ca);
    ident_init(&server);
    if (!ident_load(&ca, folder, "ca") || !still_good(&ca.crt)) {
        out->made = true;
        err = ident_make(&ca, NULL, names, folder, d);
    }
    if (!err && (out->made || !ident_load(&server, folder, "server") ||
                 !server_good(&server, &ca, names))) {
        out->made = true;
        err = ident_make(&server, &ca, names, folder, d);
    }
    ident_free(&ca);
    ident_free(&server);
    if (!err)
        err = load_result(out, folder, d);
    if (err)
        serve_cert_free(out);
    return err;
}

void serve_cert_free(struct serve_cert *c)
{
    cli_bytes_free(&c->cert);
    cli_bytes_free(&c->key);
}
