#include "update/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

struct json {
    char *out;
    size_t cap, len;
    bool any; /* a member came before in this object */
};

static void put_char(struct json *j, char c)
{
    if (j->len + 1 < j->cap)
        j->out[j->len] = c;
    j->len++;
}

static void put_raw(struct json *j, const char *text)
{
    while (*text)
        put_char(j, *text++);
}

/* In quotes. text_clean() left no control character. */
static void put_text(struct json *j, const char *text)
{
    char clean[sizeof(((struct diag *)0)->text)];

    put_char(j, '"');
    for (const char *p = text_clean(span_str(text), clean, sizeof(clean)); *p;
         p++) {
        if (*p == '"' || *p == '\\')
            put_char(j, '\\');
        put_char(j, *p);
    }
    put_char(j, '"');
}

static void name(struct json *j, const char *member)
{
    put_raw(j, j->any ? ", " : "");
    j->any = true;
    put_text(j, member);
    put_raw(j, ": ");
}

static void text(struct json *j, const char *member, const char *value)
{
    name(j, member);
    if (value[0])
        put_text(j, value);
    else
        put_raw(j, "null");
}

static void number(struct json *j, const char *member, int64_t value)
{
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%" PRId64, value);
    name(j, member);
    put_raw(j, digits);
}

static void open(struct json *j, const char *member)
{
    if (member)
        name(j, member);
    put_char(j, '{');
    j->any = false;
}

static void shut(struct json *j)
{
    put_char(j, '}');
    j->any = true;
}

/* Only a session that ended well has a digest. */
static bool is_whole(const struct upd_result *r)
{
    static const uint8_t none[SHA256_LEN];

    return memcmp(r->sha256, none, SHA256_LEN) != 0;
}

static void digest(struct json *j, const struct upd_result *r)
{
    char hex[2 * SHA256_LEN + 1] = "";

    for (size_t i = 0; is_whole(r) && i < SHA256_LEN; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", r->sha256[i]);
    text(j, "sha256", hex);
}

static void image_len(struct json *j, const struct upd_result *r)
{
    int64_t len = is_whole(r) ? r->written_len : r->image_len;

    if (len > 0)
        number(j, "image_len", len);
    else
        text(j, "image_len", "");
}

static void error(struct json *j, const struct diag *d)
{
    if (!d) {
        text(j, "error", "");
        return;
    }
    open(j, "error");
    text(j, "stage", diag_stage_name(d->stage));
    number(j, "code", d->err);
    text(j, "name", err_name(d->err));
    text(j, "message", d->text);
    shut(j);
}

static void transport(struct json *j, const struct http_stats *http)
{
    const struct tls_fault *tls = &http->tls;
    char verify[128];

    text(j, "host", http->host);
    number(j, "port", http->port);
    number(j, "connections", http->connects);
    number(j, "handshakes_resumed", http->resumed);
    number(j, "redirects", http->redirects);
    text(j, "transport_error",
         http->transport_err ? err_name(http->transport_err) : "");
    number(j, "errno", http->sys_errno);
    open(j, "tls");
    number(j, "code", tls->code);
    number(j, "alert", tls->alert);
    text(j, "alert_name", tls->alert ? tls_alert_name(tls->alert) : "");
    number(j, "verify_flags", tls->flags);
    tls_verify_text(tls->flags, verify, sizeof(verify));
    text(j, "verify", verify);
    shut(j);
}

size_t upd_result_json(const struct upd_result *r, const struct diag *d,
                       const char *word, char *out, size_t cap)
{
    static const struct http_stats none;
    const struct http_stats *http = r->http ? r->http : &none;
    struct json j = { .out = out, .cap = cap };

    open(&j, NULL);
    text(&j, "result", word);
    text(&j, "slot", r->slot);
    text(&j, "version", r->image.desc.present ? r->image.desc.version : "");
    image_len(&j, r);
    number(&j, "bytes_received", r->received_len);
    number(&j, "bytes_written", r->written_len);
    number(&j, "resumed_from", r->resumed_from);
    number(&j, "requests", http->requests);
    number(&j, "handshakes", http->handshakes);
    number(&j, "http_status", r->http_status);
    digest(&j, r);
    number(&j, "elapsed_ms", (int64_t)r->elapsed_ms);
    number(&j, "retries", r->retries);
    number(&j, "checkpoints", r->checkpoint_cnt);
    number(&j, "erases", r->erase_cnt);
    number(&j, "programs", r->prog_cnt);
    text(&j, "updatable", pre_updatable_name(r->pre.updatable));
    transport(&j, http);
    error(&j, d);
    shut(&j);
    if (cap > 0)
        out[j.len < cap ? j.len : cap - 1] = '\0';
    return j.len;
}
