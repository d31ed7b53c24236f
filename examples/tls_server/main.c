/* tls_server - a device that is a TLS server for several names.
 *
 * Which certificate a client gets is decided when its first message is there:
 * by the name it wants (SNI), or by the protocol it wants to speak (ALPN).
 * esp_tls calls select_site() for that, through the hook that ESP-IDF has with
 * CONFIG_ESP_TLS_SERVER_CERT_SELECT_HOOK.
 *
 * Certificate and key of each site are PEM in a data partition of its own,
 * "site0" and "site1"; the first one is for clients that name neither:
 *
 *     cat one.pem one.key > site0.txt
 *     porta flash write device.bin site0 site0.txt
 *     porta device device.bin
 *     openssl s_client -connect localhost:PORT -servername two.example
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

#include "esp_log.h"
#include "esp_partition.h"
#include "esp_tls.h"
#include "mbedtls/oid.h"
#include "mbedtls/pk.h"
#include "mbedtls/psa_util.h"
#include "mbedtls/ssl.h"
#include "mbedtls/x509_crt.h"

/* 0: any that is free; the log says which. */
#ifndef TLS_SERVER_PORT
#define TLS_SERVER_PORT 0
#endif

#define SITE_CNT 2
#define SITE_TEXT_LEN 4096
/* Who speaks this wants the last site, whatever name it gives. */
#define MAINTENANCE "maintenance/1"

static const char *TAG = "tls_server";

struct site {
    mbedtls_x509_crt cert;
    mbedtls_pk_context key;
    char name[64]; /* the certificate's common name */
};

static struct site sites[SITE_CNT];

/* --- certificates --------------------------------------------------------- */

static void take_name(struct site *site)
{
    const mbedtls_asn1_named_data *cn =
        mbedtls_asn1_find_named_data(&site->cert.subject, MBEDTLS_OID_AT_CN,
                                     MBEDTLS_OID_SIZE(MBEDTLS_OID_AT_CN));

    if (cn != NULL)
        snprintf(site->name, sizeof(site->name), "%.*s", (int)cn->val.len,
                 (const char *)cn->val.p);
}

static esp_err_t load_site(struct site *site, const char *label)
{
    static char text[SITE_TEXT_LEN + 1];
    const esp_partition_t *part = esp_partition_find_first(
        ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, label);
    size_t len = SITE_TEXT_LEN;

    mbedtls_x509_crt_init(&site->cert);
    mbedtls_pk_init(&site->key);
    if (part == NULL)
        return ESP_ERR_NOT_FOUND;
    if (part->size < len)
        len = part->size;
    esp_err_t err = esp_partition_read(part, 0, text, len);
    if (err != ESP_OK)
        return err;
    /* Erased flash is 0xFF: the text ends where it begins. */
    char *end = memchr(text, 0xFF, len);
    len = end != NULL ? (size_t)(end - text) : len;
    text[len] = '\0';
    const unsigned char *pem = (const unsigned char *)text;
    if (mbedtls_x509_crt_parse(&site->cert, pem, len + 1) != 0 ||
        mbedtls_pk_parse_key(&site->key, pem, len + 1, NULL, 0,
                             mbedtls_psa_get_random,
                             MBEDTLS_PSA_RANDOM_STATE) != 0)
        return ESP_ERR_INVALID_ARG;
    take_name(site);
    return ESP_OK;
}

static esp_err_t load_sites(void)
{
    for (int i = 0; i < SITE_CNT; i++) {
        char label[16];
        snprintf(label, sizeof(label), "site%d", i);
        esp_err_t err = load_site(&sites[i], label);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "%s holds no certificate with its key: %s", label,
                     esp_err_to_name(err));
            return err;
        }
        ESP_LOGI(TAG, "%s is %s", label, sites[i].name);
    }
    return ESP_OK;
}

/* --- the hook ------------------------------------------------------------- */

static struct site *site_for(mbedtls_ssl_context *ssl)
{
    const char *protocol = mbedtls_ssl_get_alpn_protocol(ssl);
    size_t len = 0;
    const unsigned char *name = mbedtls_ssl_get_hs_sni(ssl, &len);

    if (protocol != NULL && strcmp(protocol, MAINTENANCE) == 0)
        return &sites[SITE_CNT - 1];
    for (int i = 0; name != NULL && i < SITE_CNT; i++) {
        if (strlen(sites[i].name) == len &&
            memcmp(sites[i].name, name, len) == 0)
            return &sites[i];
    }
    return &sites[0];
}

static int select_site(mbedtls_ssl_context *ssl)
{
    struct site *site = site_for(ssl);

    ESP_LOGI(TAG, "this client gets %s", site->name);
    return mbedtls_ssl_set_hs_own_cert(ssl, &site->cert, &site->key);
}

/* --- clients -------------------------------------------------------------- */

static void answer(esp_tls_t *tls)
{
    static const char hello[] = "HTTP/1.0 200 OK\r\n"
                                "Content-Type: text/plain\r\n"
                                "\r\n"
                                "hello from the device\n";
    char request[512];

    if (esp_tls_conn_read(tls, request, sizeof(request)) > 0)
        esp_tls_conn_write(tls, hello, sizeof(hello) - 1);
}

static void serve(int client)
{
    static const char *protocols[] = { MAINTENANCE, "http/1.1", NULL };
    esp_tls_cfg_server_t cfg = {
        .alpn_protos = protocols,
        .cert_select_cb = select_site,
        .tls_handshake_timeout_ms = 5000,
    };
    esp_tls_t *tls = esp_tls_init();

    if (tls != NULL && esp_tls_server_session_create(&cfg, client, tls) == 0)
        answer(tls);
    esp_tls_server_session_delete(tls);
    close(client);
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_port = htons(port) };
    socklen_t len = sizeof(addr);
    int sock = socket(AF_INET, SOCK_STREAM, 0);

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK); /* INADDR_ANY in a network */
    if (sock < 0 || bind(sock, (struct sockaddr *)&addr, len) != 0 ||
        listen(sock, 4) != 0 ||
        getsockname(sock, (struct sockaddr *)&addr, &len) != 0)
        return -1;
    ESP_LOGI(TAG, "listening on port %u", (unsigned)ntohs(addr.sin_port));
    return sock;
}

void app_main(void)
{
    if (load_sites() != ESP_OK)
        return;
    int sock = listen_on(TLS_SERVER_PORT);
    /* For ever, which is meant: NOLINTNEXTLINE(bugprone-infinite-loop) */
    while (sock >= 0) {
        int client = accept(sock, NULL, NULL);
        if (client >= 0)
            serve(client);
    }
    ESP_LOGE(TAG, "cannot listen");
}
