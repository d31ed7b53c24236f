#include "trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "linux_time.h"

#define MERGE_US 200u

uint64_t trace_now(const struct trace *t)
{
    return t->to ? linux_mono_us() - t->zero_us : 0;
}

/* --- events --------------------------------------------------------------- */

/* A text from outside, as a JSON string with its quotes. */
static void put_string(FILE *to, const char *text)
{
    char clean[300];
    cJSON *item =
        cJSON_CreateString(text_clean(span_str(text), clean, sizeof(clean)));
    char *json = item ? cJSON_PrintUnformatted(item) : NULL;

    fputs(json ? json : "\"\"", to);
    cJSON_free(json);
    cJSON_Delete(item);
}

static void put_event(struct trace *t, enum trace_lane lane)
{
    struct trace_event *e = &t->last[lane];

    if (!e->name)
        return;
    fprintf(t->to,
            ",\n{\"name\":\"%s\",\"ph\":\"X\",\"pid\":1,\"tid\":%d,"
            "\"ts\":%llu,\"dur\":%llu,\"args\":{\"bytes\":%llu,\"times\":%u",
            e->name, (int)lane + 1, (unsigned long long)e->start_us,
            (unsigned long long)(e->end_us - e->start_us),
            (unsigned long long)e->len, (unsigned)e->cnt);
    if (e->host[0]) {
        fputs(",\"host\":", t->to);
        put_string(t->to, e->host);
    }
    fputs("}}", t->to);
    e->name = NULL;
}

/* lint-ok: function, an event is these */
static void note(struct trace *t, enum trace_lane lane, const char *name,
                 uint64_t start_us, size_t len)
{
    struct trace_event *e = &t->last[lane];
    uint64_t now = trace_now(t);

    pthread_mutex_lock(&t->lock);
    if (e->name && strcmp(e->name, name) == 0 && !e->host[0] &&
        start_us - e->end_us <= MERGE_US) {
        e->end_us = now;
        e->len += len;
        e->cnt++;
        pthread_mutex_unlock(&t->lock);
        return;
    }
    put_event(t, lane);
    *e = (struct trace_event){
        .name = name, .start_us = start_us, .end_us = now, .len = len, .cnt = 1
    };
    pthread_mutex_unlock(&t->lock);
}

/* The lane's event is complete. */
static void flush(struct trace *t, enum trace_lane lane)
{
    pthread_mutex_lock(&t->lock);
    put_event(t, lane);
    pthread_mutex_unlock(&t->lock);
}

void trace_phase(struct trace *t, const char *name, uint64_t start_us)
{
    if (!t->to)
        return;
    note(t, TRACE_SESSION, name, start_us, 0);
    flush(t, TRACE_SESSION);
}

/* --- flash ---------------------------------------------------------------- */

static esp_err_t tap_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    struct trace *t = ctx;
    uint64_t start_us = trace_now(t);
    esp_err_t err = t->flash_below.read(t->flash_below.ctx, off, dst, len);

    /* What is read after something was written is read to be verified. */
    note(t, TRACE_FLASH, atomic_load(&t->programmed) ? "verify" : "read",
         start_us, len);
    return err;
}

static esp_err_t tap_prog(void *ctx, uint32_t off, const void *src, size_t len)
{
    struct trace *t = ctx;
    uint64_t start_us = trace_now(t);
    esp_err_t err = t->flash_below.prog(t->flash_below.ctx, off, src, len);

    atomic_store(&t->programmed, true);
    note(t, TRACE_FLASH, "program", start_us, len);
    return err;
}

static esp_err_t tap_erase(void *ctx, uint32_t off)
{
    struct trace *t = ctx;
    uint64_t start_us = trace_now(t);
    esp_err_t err = t->flash_below.erase(t->flash_below.ctx, off);

    note(t, TRACE_FLASH, "erase", start_us, t->flash_below.erase_len);
    return err;
}

void trace_tap_flash(struct trace *t, struct port_flash *port)
{
    t->flash_below = *port;
    t->flash = port;
    port->ctx = t;
    port->read = tap_read;
    port->prog = tap_prog;
    port->erase = tap_erase;
}

/* --- network -------------------------------------------------------------- */

enum tls_seen { TLS_UNKNOWN, TLS_HANDSHAKE, TLS_DONE };

/* Stands for the connection of the port below. */
struct tap_conn {
    struct trace *t;
    struct port_conn *below;
    enum tls_seen seen;
    uint64_t shake_us;   /* when the handshake began */
    size_t shake_len;    /* its bytes, both ways */
    uint32_t record_len; /* what is left of the record being sent */
};

static struct tap_conn *tap_of(const struct port_conn *conn)
{
    return (struct tap_conn *)(uintptr_t)conn;
}

static void shake_end(struct tap_conn *c, const char *name)
{
    c->seen = TLS_DONE;
    note(c->t, TRACE_NET, name, c->shake_us, c->shake_len);
    flush(c->t, TRACE_NET);
}

/* RFC 8446, section 5.1: a record begins with its type, its version and its
 * length. The handshake is over when one of type 23 goes out; its own are of
 * the types 20 to 22. */
static void watch_begin(struct tap_conn *c, const uint8_t *at)
{
    if (c->seen == TLS_UNKNOWN) {
        c->seen = at[0] == 22 ? TLS_HANDSHAKE : TLS_DONE;
        c->shake_us = trace_now(c->t);
    }
    if (c->seen == TLS_HANDSHAKE && c->record_len == 0 && at[0] == 23)
        shake_end(c, "handshake");
}

/* Where records end in what was sent. */
static void watch_sent(struct tap_conn *c, const uint8_t *at, size_t len)
{
    while (c->seen == TLS_HANDSHAKE && len > 0) {
        size_t part;

        if (c->record_len == 0 && len < 5)
            shake_end(c, "handshake"); /* a head in two: nobody sends so */
        else if (c->record_len == 0)
            c->record_len = 5u + (uint32_t)at[3] * 256u + at[4];
        part = len < c->record_len ? len : c->record_len;
        c->record_len -= (uint32_t)part;
        at += part;
        len -= part;
    }
}

static void note_bytes(struct tap_conn *c, const char *name, uint64_t start_us,
                       size_t len)
{
    if (c->seen == TLS_HANDSHAKE)
        c->shake_len += len;
    else
        note(c->t, TRACE_NET, name, start_us, len);
}

/* lint-ok: function, the port's */
static esp_err_t tap_open(void *ctx, const char *host, uint16_t port,
                          const struct port_net_opts *opts,
                          uint64_t deadline_ms, struct port_conn **out,
                          int *sys_errno)
{
    struct trace *t = ctx;
    uint64_t start_us = trace_now(t);
    struct tap_conn *c = calloc(1, sizeof(*c));
    esp_err_t err = ESP_ERR_NO_MEM;

    *out = NULL;
    if (!c)
        return err;
    c->t = t;
    err = t->net_below.open(t->net_below.ctx, host, port, opts, deadline_ms,
                            &c->below, sys_errno);
    flush(t, TRACE_NET);
    note(t, TRACE_NET, err ? "connect, failed" : "connect", start_us, 0);
    /* Nobody else notes events of the network. */
    snprintf(t->last[TRACE_NET].host, sizeof(t->last[0].host), "%s:%u", host,
             (unsigned)port);
    flush(t, TRACE_NET);
    if (err)
        free(c);
    else
        *out = (struct port_conn *)c;
    return err;
}

/* lint-ok: function, the port's */
static esp_err_t tap_send(struct port_conn *conn, const void *src, size_t len,
                          uint64_t deadline_ms, size_t *done_len)
{
    struct tap_conn *c = tap_of(conn);
    uint64_t start_us;
    esp_err_t err;

    watch_begin(c, src);
    start_us = trace_now(c->t); /* after the handshake, if that ended here */
    err = c->t->net_below.send(c->below, src, len, deadline_ms, done_len);
    if (!err)
        watch_sent(c, src, *done_len);
    note_bytes(c, "send", start_us, err ? 0 : *done_len);
    return err;
}

/* lint-ok: function, the port's */
static esp_err_t tap_recv(struct port_conn *conn, void *dst, size_t len,
                          uint64_t deadline_ms, size_t *done_len)
{
    struct tap_conn *c = tap_of(conn);
    uint64_t start_us = trace_now(c->t);
    esp_err_t err =
        c->t->net_below.recv(c->below, dst, len, deadline_ms, done_len);

    note_bytes(c, "receive", start_us, err ? 0 : *done_len);
    return err;
}

static int tap_errno(const struct port_conn *conn)
{
    const struct tap_conn *c = tap_of(conn);

    return c->t->net_below.last_errno(c->below);
}

static int tap_fd(const struct port_conn *conn)
{
    const struct tap_conn *c = tap_of(conn);

    return c->t->net_below.fd(c->below);
}

static void tap_close(struct port_conn *conn)
{
    struct tap_conn *c = tap_of(conn);

    if (!c)
        return;
    /* One that failed is of interest, too. */
    if (c->seen == TLS_HANDSHAKE)
        shake_end(c, "handshake, failed");
    c->t->net_below.close(c->below);
    free(c);
}

void trace_tap_net(struct trace *t, struct port_net *port)
{
    t->net_below = *port;
    t->net = port;
    *port = (struct port_net){ .ctx = t,
                               .open = tap_open,
                               .send = tap_send,
                               .recv = tap_recv,
                               .last_errno = tap_errno,
                               .fd = tap_fd,
                               .close = tap_close };
}

/* --- the file ------------------------------------------------------------- */

esp_err_t trace_open(struct trace *t, const char *path, struct diag *d)
{
    static const char *const lanes[] = { "session", "network", "flash" };

    esp_err_t err = cli_out_probe(path, d);

    if (err)
        return err;
    t->path = path;
    t->to = open_memstream(&t->text, &t->len);
    if (!t->to)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
    (void)pthread_mutex_init(&t->lock, NULL);
    t->zero_us = linux_mono_us();
    fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
          "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,"
          "\"args\":{\"name\":\"porta update\"}}",
          t->to);
    for (int i = 0; i < TRACE_LANES; i++)
        fprintf(t->to,
                ",\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,"
                "\"tid\":%d,\"args\":{\"name\":\"%s\"}}",
                i + 1, lanes[i]);
    return ESP_OK;
}

esp_err_t trace_close(struct trace *t, struct diag *d)
{
    esp_err_t err = ESP_OK;

    if (!t->to)
        return ESP_OK;
    if (t->flash)
        *t->flash = t->flash_below;
    if (t->net)
        *t->net = t->net_below;
    for (int i = 0; i < TRACE_LANES; i++)
        flush(t, (enum trace_lane)i);
    fputs("\n]}\n", t->to);
    if (fclose(t->to) != 0)
        err = diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
    t->to = NULL;
    if (!err)
        err = cli_write_file(t->path, span_of(t->text, t->len), 0644, d);
    free(t->text);
    t->text = NULL;
    return err;
}
