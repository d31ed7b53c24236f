/* Requests and answers.
 *
 * Deliberate differences from the reference: requests and headers have no size
 * limit; a relative Location is resolved; a body that ends with its
 * Content-Length of 0 is complete, not "chunked". */
#include "api/http_handle.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "base/log.h"
#include "http/redirect.h"

static const char tag[] = "HTTP_CLIENT";

/* A failed handshake is a failed connection to applications; what TLS had to
 * say is in the last TLS error, and in the log. */
esp_err_t api_http_failed(const struct diag *d, esp_err_t err)
{
    if (d->err)
        LOGE(tag, "%s", d->text);
    if (err > ESP_ERR_ESP_TLS_BASE && err < ESP_ERR_ESP_TLS_BASE + 0x100)
        return ESP_ERR_HTTP_CONNECT;
    return err;
}

esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len)
{
    struct diag d = DIAG_NONE;

    if (!client)
        return ESP_ERR_INVALID_ARG;
    if (api_http_is_left_out())
        return ESP_ERR_NOT_SUPPORTED;
    http_len len = write_len < 0 ? HTTP_LEN_UNKNOWN : (http_len)write_len;
    esp_err_t err = http_send_head(client->http, len, &d);
    return err ? api_http_failed(&d, err) : ESP_OK;
}

esp_err_t esp_http_client_prepare(esp_http_client_handle_t client)
{
    if (!client)
        return ESP_ERR_INVALID_ARG;
    http_reset_counters(client->http);
    return ESP_OK;
}

esp_err_t esp_http_client_request_send(esp_http_client_handle_t client,
                                       int write_len)
{
    return esp_http_client_open(client, write_len);
}

int esp_http_client_write(esp_http_client_handle_t client, const char *buffer,
                          int len)
{
    struct diag d = DIAG_NONE;

    if (!client || len < 0 || (!buffer && len > 0))
        return -1;
    if (http_send_body(client->http, buffer, (size_t)len, &d) != ESP_OK) {
        if (d.err)
            LOGE(tag, "%s", d.text);
        return -1;
    }
    return len;
}

int esp_http_client_chunk_write_begin(esp_http_client_handle_t client,
                                      const int len)
{
    char line[16];

    if (len <= 0) /* a size of 0 would be the last chunk */
        return -1;
    int line_len = snprintf(line, sizeof(line), "%x\r\n", (unsigned)len);
    return esp_http_client_write(client, line, line_len);
}

int esp_http_client_chunk_write_end(esp_http_client_handle_t client,
                                    bool last_chunk)
{
    static const char end[] = "\r\n0\r\n\r\n";

    return esp_http_client_write(client, end, last_chunk ? 7 : 2);
}

int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client)
{
    struct diag d = DIAG_NONE;

    if (!client)
        return ESP_FAIL;
    esp_err_t err = http_recv_head(client->http, &d);
    if (err == ESP_ERR_HTTP_READ_TIMEOUT) {
        LOGW(tag, "%s", d.text);
        errno = EAGAIN;
        return -ESP_ERR_HTTP_EAGAIN;
    }
    if (err) {
        (void)api_http_failed(&d, err);
        return ESP_FAIL;
    }
    int64_t len = http_len_signed(http_head(client->http)->content_len);
    return len < 0 ? 0 : len;
}

/* Applications look at errno when a read gave nothing. */
static int read_failed(const struct diag *d, esp_err_t err)
{
    if (err == ESP_ERR_TIMEOUT) {
        LOGD(tag, "%s", d->text);
        errno = EAGAIN;
        return -ESP_ERR_HTTP_EAGAIN;
    }
    (void)api_http_failed(d, err);
    errno = err == ESP_ERR_HTTP_INCOMPLETE_DATA ? ECONNRESET : EIO;
    return ESP_FAIL;
}

int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len)
{
    struct diag d = DIAG_NONE;
    size_t done = 0;

    if (!client || !buffer || len < 0)
        return ESP_FAIL;
    while (done < (size_t)len) {
        size_t got = 0;
        esp_err_t err = http_read(client->http, buffer + done,
                                  (size_t)len - done, &got, &d);
        if (err && done == 0)
            return read_failed(&d, err);
        if (err || got == 0)
            break;
        done += got;
    }
    return (int)done;
}

int esp_http_client_read_response(esp_http_client_handle_t client, char *buffer,
                                  int len)
{
    int done = 0;

    while (done < len) {
        int got = esp_http_client_read(client, buffer + done, len - done);
        if (got <= 0)
            break;
        done += got;
    }
    return done;
}

/* Hands the body to the events; *len counts it. */
static esp_err_t read_out(struct esp_http_client *h, uint64_t *len,
                          struct diag *d)
{
    esp_err_t err = ESP_OK;
    size_t got = 0;

    if (!h->buf)
        h->buf = api_alloc(h->buf_len);
    if (!h->buf)
        return diag_fail(d, DIAG_STAGE_HTTP, ESP_ERR_NO_MEM, "out of memory");
    do {
        err = http_read(h->http, h->buf, h->buf_len, &got, d);
        *len += got;
    } while (!err && got > 0);
    return err == ESP_ERR_TIMEOUT ? ESP_ERR_HTTP_READ_TIMEOUT : err;
}

esp_err_t esp_http_client_flush_response(esp_http_client_handle_t client,
                                         int *len)
{
    struct diag d = DIAG_NONE;
    uint64_t done = 0;

    if (!client)
        return ESP_ERR_INVALID_ARG;
    esp_err_t err = read_out(client, &done, &d);
    if (len)
        *len = done > INT_MAX ? INT_MAX : (int)done;
    return err ? api_http_failed(&d, err) : ESP_OK;
}

static esp_err_t exchange(struct esp_http_client *h, struct diag *d)
{
    esp_err_t err = http_send_head(h->http, (uint64_t)h->post_len, d);

    if (!err)
        err = http_send_body(h->http, h->post, (size_t)h->post_len, d);
    if (!err)
        err = http_recv_head(h->http, d);
    return err;
}

enum perform_next { PERFORM_DONE, PERFORM_AGAIN };

/* What the answer asks for. Its body goes to the events first, whatever it
 * is, as the reference has it. */
static esp_err_t react(struct esp_http_client *h, enum perform_next *next,
                       struct diag *d)
{
    int status = http_head(h->http)->status;
    esp_http_client_event_t event = { .event_id = HTTP_EVENT_REDIRECT };
    uint64_t len = 0;

    *next = PERFORM_DONE;
    esp_err_t err = read_out(h, &len, d);
    if (err)
        return err;
    if (http_redirect_status(status) && h->stay) {
        api_http_emit(h, &event);
    } else if (http_redirect_status(status)) {
        *next = PERFORM_AGAIN;
        return http_redirect(h->http, d);
    } else if (status == 401) {
        struct diag why = DIAG_NONE;
        err = http_authenticate(h->http, &why);
        if (err == ESP_ERR_NO_MEM)
            return diag_fail(d, why.stage, err, "%s", why.text);
        if (err)
            LOGW(tag, "%s", why.text);
        else
            *next = PERFORM_AGAIN;
    }
    return ESP_OK;
}

esp_err_t esp_http_client_perform(esp_http_client_handle_t client)
{
    struct diag d = DIAG_NONE;
    enum perform_next next = PERFORM_AGAIN;
    bool renewed = false;

    if (!client)
        return ESP_ERR_INVALID_ARG;
    if (api_http_is_left_out())
        return ESP_ERR_NOT_SUPPORTED;
    esp_err_t err = http_start(client->http, &d);
    while (!err && next == PERFORM_AGAIN) {
        err = exchange(client, &d);
        if (!err)
            err = react(client, &next, &d);
        if (!err && next == PERFORM_DONE && !renewed) {
            err = http_renew(client->http, &renewed, &d);
            next = renewed ? PERFORM_AGAIN : PERFORM_DONE;
        }
    }
    if (err) {
        http_disconnect(client->http);
        return api_http_failed(&d, err);
    }
    int status = http_head(client->http)->status;
    if (http_redirect_status(status) || status == 401) {
        esp_http_client_event_t event = { .event_id = HTTP_EVENT_ON_FINISH };
        api_http_emit(client, &event);
    }
    return ESP_OK;
}

esp_err_t esp_http_client_close(esp_http_client_handle_t client)
{
    if (!client)
        return ESP_FAIL;
    http_disconnect(client->http);
    client->state = HTTP_STATE_INIT;
    return ESP_OK;
}

/* The next request makes a new connection. */
esp_err_t esp_http_client_cancel_request(esp_http_client_handle_t client)
{
    if (!client)
        return ESP_ERR_INVALID_ARG;
    if (!http_connected(client->http))
        return ESP_ERR_INVALID_STATE;
    return esp_http_client_close(client);
}

esp_err_t esp_http_client_clear_response_buffer(esp_http_client_handle_t client)
{
    uint64_t len = 0;

    if (!client)
        return ESP_ERR_INVALID_ARG;
    return client->state == HTTP_STATE_RES_ON_DATA_START
               ? read_out(client, &len, NULL)
               : ESP_OK;
}

esp_err_t esp_http_client_set_redirection(esp_http_client_handle_t client)
{
    struct diag d = DIAG_NONE;

    if (!client)
        return ESP_ERR_INVALID_ARG;
    esp_err_t err = http_redirect(client->http, &d);
    return err ? api_http_failed(&d, err) : ESP_OK;
}

esp_err_t esp_http_client_reset_redirect_counter(
    esp_http_client_handle_t client)
{
    if (!client)
        return ESP_ERR_INVALID_ARG;
    http_reset_counters(client->http);
    return ESP_OK;
}

esp_err_t esp_http_client_add_auth(esp_http_client_handle_t client)
{
    struct diag d = DIAG_NONE;

    if (!client)
        return ESP_ERR_INVALID_ARG;
    if (http_head(client->http)->status != 401)
        return ESP_OK;
    esp_err_t err = http_authenticate(client->http, &d);
    return err ? api_http_failed(&d, err) : ESP_OK;
}
