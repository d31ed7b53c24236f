#include "tls/tls_mbedtls.h"

#include <mbedtls/net_sockets.h>

void tls_bio_init(struct tls_bio *b, const struct port_net *net,
                  struct port_conn *conn)
{
    b->net = net;
    b->conn = conn;
    b->deadline_ms = 0;
    b->err = ESP_OK;
    b->eof = false;
    b->pos = 0;
    b->len = 0;
}

int tls_bio_send(void *ctx, const unsigned char *src, size_t len)
{
    struct tls_bio *b = ctx;
    size_t done = 0;

    b->err = b->net->send(b->conn, src, len, b->deadline_ms, &done);
    if (b->err == ESP_ERR_TIMEOUT)
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    return b->err ? MBEDTLS_ERR_NET_CONN_RESET : (int)done;
}

static esp_err_t bio_fill(struct tls_bio *b, uint8_t *dst, size_t len,
                          size_t *done)
{
    *done = 0;
    b->err = b->net->recv(b->conn, dst, len, b->deadline_ms, done);
    b->eof = b->eof || (!b->err && *done == 0);
    return b->err;
}

static int bio_result(const struct tls_bio *b, size_t done)
{
    if (b->err == ESP_ERR_TIMEOUT)
        return MBEDTLS_ERR_SSL_WANT_READ;
    return b->err ? MBEDTLS_ERR_NET_CONN_RESET : (int)done;
}

int tls_bio_recv(void *ctx, unsigned char *dst, size_t len)
{
    struct tls_bio *b = ctx;
    size_t done = 0;

    if (b->pos == b->len && len >= sizeof(b->buf)) {
        (void)bio_fill(b, dst, len, &done);
        return bio_result(b, done);
    }
    if (b->pos == b->len) {
        b->pos = 0;
        b->len = 0;
        if (bio_fill(b, b->buf, sizeof(b->buf), &b->len) || b->len == 0)
            return bio_result(b, 0);
    }
    done = b->len - b->pos < len ? b->len - b->pos : len;
    memcpy(dst, b->buf + b->pos, done);
    b->pos += done;
    return (int)done;
}
