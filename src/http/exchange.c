/* One request out, one head in.
 *
 * A connection that is used again may have been closed by the server in the
 * meantime, which shows only when the next request goes out on it. When not
 * one byte of an answer came and sending twice does no harm, the request is
 * sent once more on a new connection (RFC 9112 section 9.3.1). */
#include <stdio.h>

#include "http/client_priv.h"
#include "http/text.h"

#define EXCHANGE_INTERIM_CNT 16u /* 1xx answers before the real one */
/* A head that trickles in may take so many times the timeout of one read. */
#define EXCHANGE_HEAD_PATIENCE 4u

static esp_err_t connect_now(struct http_client *c, struct diag *d)
{
    c->stats.port = c->url.port;
    c->stats.connects++;
    c->stats.transport_err = ESP_OK;
    c->stats.sys_errno = 0;
    c->stats.tls = (struct tls_fault){ .code = 0 };
    esp_err_t err = http_conn_open(&c->conn, &c->url, &c->opts, d);
    if (err) {
        c->stats.transport_err = c->conn.err;
        c->stats.sys_errno = c->conn.sys_errno;
        c->stats.tls = c->conn.fault;
        http_emit(c, HTTP_EV_ERROR);
        return err;
    }
    if (c->url.is_https)
        c->stats.handshakes++;
    c->stats.resumed += c->conn.resumed;
    http_emit(c, HTTP_EV_CONNECTED);
    return ESP_OK;
}

/* Whatever went wrong below: the connection is of no use any more. */
static esp_err_t give_up(struct http_client *c, esp_err_t err)
{
    c->stats.transport_err = c->conn.err;
    c->stats.sys_errno = c->conn.sys_errno;
    c->stats.tls = c->conn.fault;
    http_emit(c, HTTP_EV_ERROR);
    http_disconnect(c);
    return err;
}

static bool is_idempotent(const char *method)
{
    static const char *const safe[] = { "GET", "HEAD", "OPTIONS", "PUT",
                                        "DELETE" };

    for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++) {
        if (strcmp(method, safe[i]) == 0)
            return true;
    }
    return false;
}

static bool may_resend(const struct http_client *c)
{
    return c->reused && c->resendable && !c->any_byte &&
           is_idempotent(c->method);
}

static esp_err_t send_on_new(struct http_client *c, struct diag *d)
{
    esp_err_t err = connect_now(c, d);

    if (err)
        return err;
    c->reused = false;
    return http_write_request(c, c->sent_body_len, d);
}

static void await_head(struct http_client *c)
{
    c->asked_ms = http_conn_now_ms(&c->conn);
    c->in_head = false;
    c->interim_cnt = 0;
    c->stats.unsound = false;
    c->parser.head = (struct http_head){ .content_len = HTTP_LEN_UNKNOWN };
}

esp_err_t http_send_head(struct http_client *c, http_len body_len,
                         struct diag *d)
{
    bool is_fresh = diag_is_fresh(d);
    esp_err_t err = ESP_OK;

    if (c->phase == HTTP_PHASE_BODY)
        http_drain(c);
    else if (c->phase == HTTP_PHASE_SENT)
        http_disconnect(c);
    c->phase = HTTP_PHASE_IDLE;
    c->any_byte = false;
    c->resendable = true;
    c->sent_body_len = body_len;
    err = http_fetch_token(c, d);
    if (err)
        return err;
    c->reused = http_conn_is_open(&c->conn);
    c->stats.requests++;
    if (c->reused) {
        err = http_write_request(c, body_len, d);
        if (err == ESP_ERR_HTTP_WRITE_DATA && may_resend(c)) {
            http_disconnect(c);
            diag_forget(d, is_fresh);
            err = send_on_new(c, d);
        }
    } else {
        err = send_on_new(c, d);
    }
    if (err)
        return http_conn_is_open(&c->conn) ? give_up(c, err) : err;
    c->phase = HTTP_PHASE_SENT;
    await_head(c);
    http_emit(c, HTTP_EV_HEADERS_SENT);
    return ESP_OK;
}

esp_err_t http_send_body(struct http_client *c, const void *src, size_t len,
                         struct diag *d)
{
    if (c->phase != HTTP_PHASE_SENT)
        return ESP_ERR_INVALID_STATE;
    if (len == 0)
        return ESP_OK;
    c->resendable = false;
    esp_err_t err = http_conn_send(&c->conn, src, len, d);
    c->asked_ms = http_conn_now_ms(&c->conn);
    return err ? give_up(c, err) : ESP_OK;
}

static bool is_interim(const struct http_client *c)
{
    return c->parser.head.status / 100 == 1;
}

static esp_err_t on_name(struct http_client *c, struct span name)
{
    c->on_location = http_name_is(name, "location") && c->location.len == 0;
    c->on_challenge = http_name_is(name, "www-authenticate");
    http_buf_reset(&c->value);
    http_buf_reset(&c->name);
    return http_listener(c) ? http_buf_add(&c->name, name) : ESP_OK;
}

static esp_err_t on_field(struct http_client *c)
{
    struct span value = http_trim(http_buf_span(&c->value));
    esp_err_t err = ESP_OK;

    if (c->on_location) {
        err = http_buf_add(&c->location, value);
    } else if (c->on_challenge) {
        const struct span parts[] = {
            span_str(c->challenge.len > 0 ? ", " : ""), value
        };
        err = http_buf_join(&c->challenge, parts, 2);
    }
    if (err || !http_listener(c))
        return err;
    if (!c->value.ptr) /* an empty value was never collected */
        err = http_buf_reserve(&c->value, 1);
    if (err)
        return err;
    c->value.ptr[value.len] = '\0'; /* it has no blanks in front */
    struct http_event_info info = { .ev = HTTP_EV_HEADER,
                                    .status = c->parser.head.status,
                                    .name = c->name.ptr,
                                    .value = c->value.ptr };
    http_listener(c)(c->opts.event_ctx, &info);
    return ESP_OK;
}

static bool is_wanted(const struct http_client *c)
{
    return c->on_location || c->on_challenge || http_listener(c);
}

/* Fields of interim answers mean nothing to anybody here. */
static esp_err_t on_part(void *ctx, enum http_head_part part, struct span bytes)
{
    struct http_client *c = ctx;

    if (is_interim(c))
        return ESP_OK;
    if (part == HTTP_HEAD_NAME)
        return on_name(c, bytes);
    if (part == HTTP_HEAD_FIELD_END)
        return on_field(c);
    if (part == HTTP_HEAD_VALUE)
        return is_wanted(c) ? http_buf_add(&c->value, bytes) : ESP_OK;
    if (bytes.len == 0)
        http_emit(c, HTTP_EV_STATUS);
    return ESP_OK;
}

static esp_err_t explain_silence(struct http_client *c, struct diag *d)
{
    uint64_t ms = http_conn_now_ms(&c->conn) - c->asked_ms;

    return http_conn_fail(&c->conn, d, DIAG_STAGE_HTTP,
                          ESP_ERR_HTTP_READ_TIMEOUT,
                          c->any_byte ? "the answer's head was not complete "
                                        "after %u.%u s"
                                      : "no answer for %u.%u s",
                          (unsigned)(ms / 1000), (unsigned)(ms % 1000 / 100));
}

static esp_err_t explain_loss(struct http_client *c, struct diag *d)
{
    char cause[HTTP_CAUSE_LEN];

    http_conn_cause(&c->conn, cause, sizeof(cause));
    return http_conn_fail(&c->conn, d, DIAG_STAGE_HTTP,
                          ESP_ERR_HTTP_FETCH_HEADER,
                          c->any_byte ? "the connection ended inside the head "
                                        "of the answer: %s"
                                      : "the connection ended without an "
                                        "answer: %s",
                          cause);
}

static esp_err_t explain_memory(struct http_client *c, struct diag *d)
{
    return http_conn_fail(&c->conn, d, DIAG_STAGE_HTTP, ESP_ERR_NO_MEM,
                          "out of memory for the answer");
}

static esp_err_t explain_head(struct http_client *c, struct diag *d)
{
    if (c->parser.err == ESP_ERR_NO_MEM)
        return explain_memory(c, d);
    c->stats.unsound = true;
    return http_conn_fail(
        &c->conn, d, DIAG_STAGE_HTTP, ESP_ERR_HTTP_FETCH_HEADER,
        "the head of the answer is not sound: %s", c->parser.why);
}

static void begin_head(struct http_client *c)
{
    if (c->in_head)
        return;
    c->in_head = true;
    http_head_init(&c->parser, on_part, c);
    http_buf_reset(&c->location);
    http_buf_reset(&c->challenge);
}

static uint64_t head_deadline_ms(const struct http_client *c)
{
    return c->asked_ms + (uint64_t)EXCHANGE_HEAD_PATIENCE * c->opts.timeout_ms;
}

static esp_err_t rx_refill(struct http_client *c, struct diag *d)
{
    size_t got = 0;
    esp_err_t err = http_rx_fill(c, head_deadline_ms(c), &got);

    if (err == ESP_ERR_TIMEOUT)
        return explain_silence(c, d);
    if (err == ESP_ERR_NO_MEM)
        return explain_memory(c, d);
    if (err || got == 0)
        return explain_loss(c, d);
    c->any_byte = true;
    return ESP_OK;
}

/* Receives until a head is complete, which may be an interim one. */
static esp_err_t recv_one_head(struct http_client *c, struct diag *d)
{
    enum http_head_step step = HTTP_HEAD_MORE;

    begin_head(c);
    while (step == HTTP_HEAD_MORE) {
        size_t used = 0;
        esp_err_t err = c->rx_pos == c->rx_end ? rx_refill(c, d) : ESP_OK;
        if (err)
            return err;
        step = http_head_feed(&c->parser,
                              span_of(c->rx + c->rx_pos, c->rx_end - c->rx_pos),
                              &used);
        c->rx_pos += (uint32_t)used;
    }
    c->in_head = false;
    return step == HTTP_HEAD_DONE ? ESP_OK : explain_head(c, d);
}

static esp_err_t recv_final_head(struct http_client *c, struct diag *d)
{
    for (; c->interim_cnt <= EXCHANGE_INTERIM_CNT; c->interim_cnt++) {
        esp_err_t err = recv_one_head(c, d);
        if (err)
            return err;
        if (c->parser.head.status == 101)
            break;
        if (!is_interim(c))
            return ESP_OK;
    }
    c->stats.unsound = true;
    return http_conn_fail(&c->conn, d, DIAG_STAGE_HTTP,
                          ESP_ERR_HTTP_FETCH_HEADER,
                          c->parser.head.status == 101
                              ? "after %u interim answers it goes over to "
                                "another protocol (status %d), which nobody "
                                "asked for"
                              : "%u interim answers (status %d) and no final "
                                "one",
                          c->interim_cnt, c->parser.head.status);
}

/* A pause is no end as long as the whole head's time is not over. */
static bool may_wait_on(const struct http_client *c, esp_err_t err)
{
    return err == ESP_ERR_HTTP_READ_TIMEOUT &&
           http_conn_now_ms(&c->conn) < head_deadline_ms(c);
}

esp_err_t http_recv_head(struct http_client *c, struct diag *d)
{
    bool is_fresh = diag_is_fresh(d);

    if (c->phase != HTTP_PHASE_SENT)
        return diag_fail(d, DIAG_STAGE_HTTP, ESP_ERR_INVALID_STATE,
                         "no request was sent that could be answered");
    esp_err_t err = recv_final_head(c, d);
    if (err == ESP_ERR_HTTP_FETCH_HEADER && may_resend(c)) {
        http_disconnect(c);
        diag_forget(d, is_fresh);
        err = send_on_new(c, d);
        if (!err) {
            c->phase = HTTP_PHASE_SENT;
            await_head(c);
            err = recv_final_head(c, d);
        }
    }
    if (err) {
        if (may_wait_on(c, err) || !http_conn_is_open(&c->conn))
            return err;
        return give_up(c, err);
    }
    http_emit(c, HTTP_EV_HEADERS_DONE);
    http_body_begin(c);
    return ESP_OK;
}
