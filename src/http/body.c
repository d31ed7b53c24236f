/* The body, without its framing. Data goes straight from the connection to
 * the caller's memory where nothing of it lies in rx already. */
#include "http/client_priv.h"

/* The rest of an answer that nobody wants is read over up to this, to keep
 * the connection; beyond it a new connection is cheaper. */
#define BODY_DRAIN_MAX_LEN (16u * 1024u)
/* Framing that trickles in between two pieces of data may take so many times
 * the timeout of one read. */
#define BODY_FRAMING_PATIENCE 4u

static struct span rx_span(const struct http_client *c)
{
    return span_of(c->rx + c->rx_pos, c->rx_end - c->rx_pos);
}

/* Bytes behind the body belong to no request of ours: such a connection is
 * not used again. */
static void body_end(struct http_client *c)
{
    bool keeps = c->parser.head.keep_alive &&
                 c->framing != HTTP_FRAMING_CLOSE && c->rx_pos == c->rx_end;

    c->phase = HTTP_PHASE_DONE;
    http_emit(c, HTTP_EV_FINISH);
    if (!keeps)
        http_disconnect(c);
}

void http_body_begin(struct http_client *c)
{
    bool is_head = strcmp(c->method, "HEAD") == 0;

    c->framing = http_head_framing(&c->parser.head, is_head);
    c->left_len = c->parser.head.content_len;
    c->got_len = 0;
    c->stats.bare_close = false;
    http_chunk_init(&c->chunk);
    c->phase = HTTP_PHASE_BODY;
    if (c->framing == HTTP_FRAMING_NONE)
        body_end(c);
}

static esp_err_t explain_silence(struct http_client *c, struct diag *d)
{
    return http_conn_fail(&c->conn, d, DIAG_STAGE_DOWNLOAD, ESP_ERR_TIMEOUT,
                          "no data for %u.%u s after %" HTTP_LEN_FMT " bytes",
                          (unsigned)(c->opts.timeout_ms / 1000),
                          (unsigned)(c->opts.timeout_ms % 1000 / 100),
                          c->got_len);
}

/* The peer went before the end that it had announced. */
static esp_err_t body_cut(struct http_client *c, struct diag *d)
{
    char cause[HTTP_CAUSE_LEN];
    esp_err_t err = ESP_ERR_HTTP_INCOMPLETE_DATA;

    http_conn_cause(&c->conn, cause, sizeof(cause));
    c->stats.sys_errno = c->conn.sys_errno;
    c->stats.tls = c->conn.fault;
    if (c->framing == HTTP_FRAMING_LENGTH)
        err = http_conn_fail(&c->conn, d, DIAG_STAGE_DOWNLOAD, err,
                             "the connection ended after %" HTTP_LEN_FMT
                             " of %" HTTP_LEN_FMT " bytes: %s",
                             c->got_len, c->parser.head.content_len, cause);
    else
        err = http_conn_fail(&c->conn, d, DIAG_STAGE_DOWNLOAD, err,
                             "the connection ended after %" HTTP_LEN_FMT
                             " bytes, before the end of the body: %s",
                             c->got_len, cause);
    http_emit(c, HTTP_EV_ERROR);
    http_disconnect(c);
    return err;
}

static esp_err_t body_broken(struct http_client *c, struct diag *d)
{
    esp_err_t err = http_conn_fail(
        &c->conn, d, DIAG_STAGE_DOWNLOAD, ESP_ERR_INVALID_RESPONSE,
        "the chunked body is broken after %" HTTP_LEN_FMT " bytes: %s",
        c->got_len, c->chunk.why);

    http_emit(c, HTTP_EV_ERROR);
    http_disconnect(c);
    return err;
}

/* From rx if something is there, else from the connection. */
static esp_err_t take(struct http_client *c, void *dst, size_t len,
                      size_t *got_len)
{
    struct span have = rx_span(c);

    if (have.len == 0)
        return http_conn_recv(&c->conn, dst, len, 0, got_len);
    *got_len = have.len < len ? have.len : len;
    memcpy(dst, have.ptr, *got_len);
    c->rx_pos += (uint32_t)*got_len;
    return ESP_OK;
}

esp_err_t http_rx_fill(struct http_client *c, uint64_t deadline_ms,
                       size_t *got_len)
{
    const struct port_heap *heap = c->env.heap;

    c->rx_pos = 0;
    c->rx_end = 0;
    *got_len = 0;
    if (!c->rx)
        c->rx = heap->alloc(heap->ctx, c->opts.rx_len);
    if (!c->rx)
        return ESP_ERR_NO_MEM;
    esp_err_t err =
        http_conn_recv(&c->conn, c->rx, c->opts.rx_len, deadline_ms, got_len);
    c->rx_end = err ? 0 : (uint32_t)*got_len;
    return err;
}

/* Reads framing until data is next or the body has ended. */
static esp_err_t next_chunk(struct http_client *c, struct diag *d)
{
    enum http_chunk_step step = HTTP_CHUNK_MORE;
    uint64_t end_ms = http_conn_now_ms(&c->conn) +
                      (uint64_t)BODY_FRAMING_PATIENCE * c->opts.timeout_ms;

    while (step == HTTP_CHUNK_MORE) {
        size_t used = 0;
        size_t got = 0;
        if (c->rx_pos == c->rx_end) {
            esp_err_t err = http_rx_fill(c, end_ms, &got);
            if (err == ESP_ERR_TIMEOUT)
                return explain_silence(c, d);
            if (err || got == 0)
                return body_cut(c, d);
        }
        step = http_chunk_feed(&c->chunk, rx_span(c), &used);
        c->rx_pos += (uint32_t)used;
    }
    if (step == HTTP_CHUNK_BAD)
        return body_broken(c, d);
    if (step == HTTP_CHUNK_DONE)
        body_end(c);
    return ESP_OK;
}

/* How many bytes of data may be taken now; HTTP_LEN_UNKNOWN: any number. */
static http_len data_left(const struct http_client *c)
{
    if (c->framing == HTTP_FRAMING_LENGTH)
        return c->left_len;
    return c->framing == HTTP_FRAMING_CHUNKED ? c->chunk.left_len
                                              : HTTP_LEN_UNKNOWN;
}

static void count(struct http_client *c, const void *dst, size_t len)
{
    struct http_event_info info = { .ev = HTTP_EV_DATA,
                                    .status = c->parser.head.status,
                                    .data = span_of(dst, len) };

    c->got_len += len;
    c->stats.body_len += len;
    if (c->framing == HTTP_FRAMING_CHUNKED)
        http_chunk_take(&c->chunk, len);
    if (http_listener(c))
        http_listener(c)(c->opts.event_ctx, &info);
    if (c->framing != HTTP_FRAMING_LENGTH)
        return;
    c->left_len -= len;
    if (c->left_len == 0)
        body_end(c);
}

/* Where only the close tells the end, a close is the end. Under TLS it may
 * also be an attacker's: said in the stats, and left to who knows the body. */
static esp_err_t body_closed(struct http_client *c, struct diag *d)
{
    if (c->framing != HTTP_FRAMING_CLOSE)
        return body_cut(c, d);
    c->stats.bare_close = c->conn.bare_close;
    body_end(c);
    return ESP_OK;
}

esp_err_t http_read(struct http_client *c, void *dst, size_t len,
                    size_t *got_len, struct diag *d)
{
    esp_err_t err = ESP_OK;

    *got_len = 0;
    if (c->phase == HTTP_PHASE_DONE || len == 0)
        return ESP_OK;
    if (c->phase != HTTP_PHASE_BODY)
        return diag_fail(d, DIAG_STAGE_DOWNLOAD, ESP_ERR_INVALID_STATE,
                         "there is no body to read");
    if (c->framing == HTTP_FRAMING_CHUNKED && !http_chunk_at_data(&c->chunk)) {
        err = next_chunk(c, d);
        if (err || c->phase == HTTP_PHASE_DONE)
            return err;
    }
    http_len left = data_left(c);
    err = take(c, dst, left < len ? (size_t)left : len, got_len);
    if (err == ESP_ERR_TIMEOUT)
        return explain_silence(c, d);
    if (err)
        return body_cut(c, d);
    if (*got_len == 0)
        return body_closed(c, d);
    count(c, dst, *got_len);
    return ESP_OK;
}

bool http_body_done(const struct http_client *c)
{
    return c->phase == HTTP_PHASE_DONE;
}

void http_drain(struct http_client *c)
{
    uint8_t sink[256];
    http_len limit = c->got_len + BODY_DRAIN_MAX_LEN;
    uint64_t end_ms = http_conn_now_ms(&c->conn) + c->opts.timeout_ms;
    bool hopeless =
        c->framing == HTTP_FRAMING_CLOSE || !c->parser.head.keep_alive ||
        (c->framing == HTTP_FRAMING_LENGTH && c->left_len > BODY_DRAIN_MAX_LEN);

    while (!hopeless && c->phase == HTTP_PHASE_BODY) {
        size_t got = 0;
        hopeless = http_read(c, sink, sizeof(sink), &got, NULL) != ESP_OK ||
                   c->got_len > limit || http_conn_now_ms(&c->conn) >= end_ms;
    }
    if (c->phase != HTTP_PHASE_DONE)
        http_disconnect(c);
}
