/* Between Mbed TLS and the port's connection: deadlines, and how long a record
 * may be. */
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
    b->head_cnt = 0;
    b->left = 0;
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

/* What protection adds to a record: explicit nonces, MAC, padding, tag. */
#define EXPANSION 64u

/* Follows the records that pass. False: one is longer than there is room. */
static bool records_fit(struct tls_bio *b, const unsigned char *src, size_t len)
{
    while (len > 0) {
        size_t n = b->left < len ? b->left : len;

        b->left -= (uint32_t)n;
        src += n;
        len -= n;
        if (len == 0)
            break;
        b->head[b->head_cnt++] = *src++;
        len--;
        if (b->head_cnt < sizeof(b->head))
            continue;
        b->head_cnt = 0;
        b->left = (uint32_t)(b->head[3] << 8 | b->head[4]);
        if (b->left > b->room + EXPANSION)
            return false;
    }
    return true;
}

static int bio_recv(struct tls_bio *b, unsigned char *dst, size_t len)
{
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

int tls_bio_recv(void *ctx, unsigned char *dst, size_t len)
{
    struct tls_bio *b = ctx;
    int done = bio_recv(b, dst, len);

    if (TLS_ROOM_VARIES && b->room && done > 0 &&
        !records_fit(b, dst, (size_t)done))
        return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
    return done;
}
