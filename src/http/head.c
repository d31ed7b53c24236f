/* The head is read byte by byte by a small machine, so that it may be cut
 * anywhere. A field is looked up by name when its colon came, its value is
 * collected only if it matters, and is judged when its line ends.
 *
 * Line ends are CR LF; a single LF is taken as one, too (RFC 9112 section
 * 2.2). A CR that is not before LF, a NUL, and a line that begins with a blank
 * are refused: other programs on the way may have read them differently. */
#include "http/head.h"

#include "base/diag.h"
#include "http/date.h"
#include "http/range.h"
#include "http/text.h"

enum head_state {
    HEAD_STATE_STATUS,
    HEAD_STATE_REASON,
    HEAD_STATE_LINE,
    HEAD_STATE_NAME,
    HEAD_STATE_BLANK,
    HEAD_STATE_VALUE,
    HEAD_STATE_LF,     /* a CR came, its LF must follow */
    HEAD_STATE_LAST_LF /* the same, for the empty line */
};

enum head_field {
    HEAD_FIELD_OTHER,
    HEAD_FIELD_LEN,
    HEAD_FIELD_CODING,
    HEAD_FIELD_CONNECTION,
    HEAD_FIELD_RANGE,
    HEAD_FIELD_ENCODING,
    HEAD_FIELD_ACCEPT_RANGES,
    HEAD_FIELD_RETRY,
    HEAD_FIELD_DATE,
    HEAD_FIELD_ETAG,
    HEAD_FIELD_MODIFIED,
    HEAD_FIELD_TYPE
};

static const struct {
    const char *name;
    enum head_field field;
} head_fields[] = {
    { "content-length", HEAD_FIELD_LEN },
    { "transfer-encoding", HEAD_FIELD_CODING },
    { "connection", HEAD_FIELD_CONNECTION },
    { "content-range", HEAD_FIELD_RANGE },
    { "content-encoding", HEAD_FIELD_ENCODING },
    { "accept-ranges", HEAD_FIELD_ACCEPT_RANGES },
    { "retry-after", HEAD_FIELD_RETRY },
    { "date", HEAD_FIELD_DATE },
    { "etag", HEAD_FIELD_ETAG },
    { "last-modified", HEAD_FIELD_MODIFIED },
    { "content-type", HEAD_FIELD_TYPE },
};

static enum head_field head_field_of(struct span name)
{
    for (size_t i = 0; i < sizeof(head_fields) / sizeof(head_fields[0]); i++) {
        if (http_name_is(name, head_fields[i].name))
            return head_fields[i].field;
    }
    return HEAD_FIELD_OTHER;
}

enum http_framing http_head_framing(const struct http_head *h,
                                    bool head_request)
{
    bool bodiless = head_request || h->status / 100 == 1 || h->status == 204 ||
                    h->status == 304;

    if (bodiless || (!h->chunked && h->content_len == 0))
        return HTTP_FRAMING_NONE;
    if (h->chunked)
        return HTTP_FRAMING_CHUNKED;
    return h->content_len == HTTP_LEN_UNKNOWN ? HTTP_FRAMING_CLOSE
                                              : HTTP_FRAMING_LENGTH;
}

void http_head_init(struct http_head_parser *p, http_head_fn on_part, void *ctx)
{
    *p = (struct http_head_parser){ .on_part = on_part, .ctx = ctx };
    p->head.content_len = HTTP_LEN_UNKNOWN;
    p->head.range_total = HTTP_LEN_UNKNOWN;
}

static enum http_head_step head_bad(struct http_head_parser *p, const char *why)
{
    p->why = why;
    p->err = ESP_ERR_INVALID_RESPONSE;
    return HTTP_HEAD_BAD;
}

#define head_bad(p, why) head_bad(p, DIAG_WHY(why))

static enum http_head_step head_tell(struct http_head_parser *p,
                                     enum http_head_part part,
                                     struct span bytes)
{
    esp_err_t err = p->on_part ? p->on_part(p->ctx, part, bytes) : ESP_OK;

    if (!err)
        return HTTP_HEAD_MORE;
    p->why = DIAG_WHY("the receiver of the fields gave up");
    p->err = err;
    return HTTP_HEAD_BAD;
}

/* HTTP-version SP status-code: "HTTP/1.1 200" stands in line[]. */
static enum http_head_step head_judge_status(struct http_head_parser *p)
{
    const char *line = p->line;
    http_len status = 0;

    if (p->line_len < 5)
        return head_bad(p, "it does not begin as HTTP does");
    if (p->line_len != 12 || memcmp(line, "HTTP/1.", 7) != 0 ||
        !http_is_digit((uint8_t)line[7]) || line[8] != ' ')
        return head_bad(p, "its first line is not one of HTTP/1");
    if (http_digits(span_of(line + 9, 3), &status) != ESP_OK || status < 100 ||
        status > 599)
        return head_bad(p, "its status is not a number from 100 to 599");
    p->head.status = (int)status;
    p->head.minor = line[7] - '0';
    p->state = HEAD_STATE_REASON;
    return HTTP_HEAD_MORE;
}

static enum http_head_step head_on_status(struct http_head_parser *p, uint8_t c)
{
    bool ends = c == '\r' || c == '\n' || (c == ' ' && p->line_len > 8);

    if (!ends) {
        if (p->line_len < 5 && c != (uint8_t) "HTTP/"[p->line_len])
            return head_bad(p, "it does not begin as HTTP does");
        if (p->line_len == sizeof(p->line))
            return head_bad(p, "its first line is not one of HTTP/1");
        p->line[p->line_len++] = (char)c;
        return HTTP_HEAD_MORE;
    }
    enum http_head_step step = head_judge_status(p);
    if (step != HTTP_HEAD_MORE || c == ' ')
        return step;
    p->state = c == '\r' ? HEAD_STATE_LF : HEAD_STATE_LINE;
    return head_tell(p, HTTP_HEAD_STATUS, span_of(NULL, 0));
}

static enum http_head_step head_on_reason(struct http_head_parser *p, uint8_t c)
{
    if (c != '\r' && c != '\n')
        return head_tell(p, HTTP_HEAD_STATUS, span_of(&c, 1));
    p->state = c == '\r' ? HEAD_STATE_LF : HEAD_STATE_LINE;
    return head_tell(p, HTTP_HEAD_STATUS, span_of(NULL, 0));
}

/* Content-Length = 1*DIGIT; the same number repeated is let through
 * (RFC 9110 section 8.6). */
static enum http_head_step head_take_len(struct http_head_parser *p,
                                         struct span value)
{
    bool more;

    do {
        http_len len = 0;
        struct span rest;
        struct span one = http_cut(value, ',', &rest);
        more = one.len < value.len;
        value = rest;
        if (http_digits(http_trim(one), &len) != ESP_OK ||
            len == HTTP_LEN_UNKNOWN)
            return head_bad(p, "its Content-Length is not a number");
        if (p->has_len && len != p->head.content_len)
            return head_bad(p, "it has two different Content-Length");
        p->has_len = true;
        p->head.content_len = len;
    } while (more);
    return HTTP_HEAD_MORE;
}

static enum http_head_step head_take_coding(struct http_head_parser *p,
                                            struct span value)
{
    if (!http_name_is(value, "chunked") || p->head.chunked)
        return head_bad(p, "it uses a transfer coding other than chunked");
    p->head.chunked = true;
    return HTTP_HEAD_MORE;
}

static void head_take_connection(struct http_head_parser *p, struct span value)
{
    while (value.len > 0) {
        struct span token = http_trim(http_cut(value, ',', &value));
        p->closes = p->closes || http_name_is(token, "close");
        p->keeps = p->keeps || http_name_is(token, "keep-alive");
    }
}

/* Two ranges that differ, or a broken one, are no range at all. */
static void head_take_range(struct http_head_parser *p, struct span value)
{
    struct http_head *h = &p->head;
    struct http_range r;
    bool ok = http_range_parse(value, &r) == ESP_OK && !p->range_clash;

    if (h->has_range && ok)
        ok = r.first == h->range_first && r.last == h->range_last &&
             r.total == h->range_total;
    p->range_clash = !ok;
    h->has_range = ok && r.satisfied;
    h->range_first = ok ? r.first : 0;
    h->range_last = ok ? r.last : 0;
    h->range_total = ok ? r.total : HTTP_LEN_UNKNOWN;
}

static void head_take_encoding(struct http_head_parser *p, struct span value)
{
    if (value.len == 0 || http_name_is(value, "identity"))
        return;
    p->head.encoded = true;
    if (!CFG_SENTENCES)
        return;
    if (!http_copy(value, p->head.encoding, sizeof(p->head.encoding)))
        (void)http_copy(span_str("several"), p->head.encoding,
                        sizeof(p->head.encoding));
}

static void head_take_retry(struct http_head_parser *p, struct span value)
{
    http_len secs = 0;
    esp_err_t err = http_digits(value, &secs);

    if (!CFG_RETRY)
        return;
    if (err == ESP_ERR_INVALID_SIZE)
        secs = UINT32_MAX; /* a number, of more than 64 bits */
    if (!err || err == ESP_ERR_INVALID_SIZE)
        p->head.retry_after_s = secs > UINT32_MAX ? UINT32_MAX : (uint32_t)secs;
    else if (http_date_parse(value, &p->retry_s) != ESP_OK)
        p->retry_s = 0;
}

static void head_take_date(struct http_head_parser *p, struct span value)
{
    if (!CFG_RETRY || http_date_parse(value, &p->date_s) != ESP_OK)
        p->date_s = 0;
}

/* A date to come back at is one by the server's clock, which Date shows. */
static void head_judge_retry(struct http_head_parser *p)
{
    int64_t secs = p->retry_s - p->date_s;

    if (CFG_RETRY && p->date_s > 0 && secs > 0)
        p->head.retry_after_s = secs > UINT32_MAX ? UINT32_MAX : (uint32_t)secs;
}

/* What may go back to the server one day: only what may stand in a field. */
static void head_take_text(struct span value, char *out, size_t out_len)
{
    if (!http_is_value(value))
        value = span_of(NULL, 0);
    (void)http_copy(value, out, out_len);
}

/* Fields that a long value makes useless rather than dangerous. */
static void head_take_soft(struct http_head_parser *p, struct span value)
{
    struct http_head *h = &p->head;

    switch ((enum head_field)p->field) {
    case HEAD_FIELD_CONNECTION:
        head_take_connection(p, value);
        break;
    case HEAD_FIELD_RANGE:
        head_take_range(p, value);
        break;
    case HEAD_FIELD_ENCODING:
        head_take_encoding(p, value);
        break;
    case HEAD_FIELD_ACCEPT_RANGES:
        h->accept_ranges = http_name_is(value, "bytes");
        break;
    case HEAD_FIELD_RETRY:
        head_take_retry(p, value);
        break;
    case HEAD_FIELD_DATE:
        head_take_date(p, value);
        break;
    case HEAD_FIELD_ETAG:
        head_take_text(value, h->etag, sizeof(h->etag));
        break;
    case HEAD_FIELD_MODIFIED:
        head_take_text(value, h->last_modified, sizeof(h->last_modified));
        break;
    case HEAD_FIELD_TYPE:
        head_take_text(value, h->content_type, sizeof(h->content_type));
        break;
    default:
        break;
    }
}

/* A value that was cut says nothing reliable: what frames the body is
 * refused, an encoding is one that we do not know, the rest is left out. */
static enum http_head_step head_take_long(struct http_head_parser *p)
{
    switch ((enum head_field)p->field) {
    case HEAD_FIELD_LEN:
    case HEAD_FIELD_CODING:
        return head_bad(p, "the field that frames the body is too long");
    case HEAD_FIELD_CONNECTION:
        p->closes = true;
        break;
    case HEAD_FIELD_RANGE:
        head_take_range(p, span_of(NULL, 0));
        break;
    case HEAD_FIELD_ENCODING:
        head_take_encoding(p, span_str("several"));
        break;
    default:
        break;
    }
    return HTTP_HEAD_MORE;
}

static enum http_head_step head_end_field(struct http_head_parser *p)
{
    struct span value = http_trim(span_of(p->value, p->value_len));
    enum http_head_step step = HTTP_HEAD_MORE;

    if (p->value_long)
        step = head_take_long(p);
    else if (p->field == HEAD_FIELD_LEN)
        step = head_take_len(p, value);
    else if (p->field == HEAD_FIELD_CODING)
        step = head_take_coding(p, value);
    else
        head_take_soft(p, value);
    if (step != HTTP_HEAD_MORE)
        return step;
    return head_tell(p, HTTP_HEAD_FIELD_END, span_of(NULL, 0));
}

static enum http_head_step head_on_line(struct http_head_parser *p, uint8_t c)
{
    if (http_is_blank(c))
        return head_bad(p, "a field is folded over two lines");
    if (!http_is_tchar(c))
        return head_bad(p, "a line in it has no field name");
    p->name[0] = (char)c;
    p->name_len = 1;
    p->value_len = 0;
    p->value_long = false;
    p->state = HEAD_STATE_NAME;
    return HTTP_HEAD_MORE;
}

static enum http_head_step head_on_name(struct http_head_parser *p, uint8_t c)
{
    if (c == ':') {
        struct span name = span_of(p->name, p->name_len);
        p->field = (uint8_t)head_field_of(name);
        p->state = HEAD_STATE_BLANK;
        return head_tell(p, HTTP_HEAD_NAME, name);
    }
    if (http_is_blank(c))
        return head_bad(p, "a blank stands before the colon of a field");
    if (!http_is_tchar(c))
        return head_bad(p, "a line in it has no field name");
    if (p->name_len < sizeof(p->name))
        p->name[p->name_len++] = (char)c;
    return HTTP_HEAD_MORE;
}

static enum http_head_step head_on_value(struct http_head_parser *p, uint8_t c)
{
    if (c == '\r' || c == '\n') {
        p->state = c == '\r' ? HEAD_STATE_LF : HEAD_STATE_LINE;
        return head_end_field(p);
    }
    p->state = HEAD_STATE_VALUE;
    if (p->field != HEAD_FIELD_OTHER) {
        p->value_long = p->value_long || p->value_len == sizeof(p->value);
        if (!p->value_long)
            p->value[p->value_len++] = (char)c;
    }
    return HTTP_HEAD_MORE;
}

/* What can be judged only when all fields are known. */
static enum http_head_step head_finish(struct http_head_parser *p)
{
    struct http_head *h = &p->head;

    if (h->chunked && p->has_len)
        return head_bad(p, "it has both Content-Length and Transfer-Encoding");
    if (h->chunked && h->minor == 0)
        return head_bad(p, "HTTP/1.0 has no Transfer-Encoding");
    head_judge_retry(p);
    h->keep_alive = !p->closes && (h->minor > 0 || p->keeps);
    return HTTP_HEAD_DONE;
}

static enum http_head_step head_byte(struct http_head_parser *p, uint8_t c)
{
    if (c == 0)
        return head_bad(p, "there is a NUL in it");
    switch ((enum head_state)p->state) {
    case HEAD_STATE_STATUS:
        return head_on_status(p, c);
    case HEAD_STATE_REASON:
        return head_on_reason(p, c);
    case HEAD_STATE_LINE:
        if (c == '\n')
            return head_finish(p);
        if (c == '\r') {
            p->state = HEAD_STATE_LAST_LF;
            return HTTP_HEAD_MORE;
        }
        return head_on_line(p, c);
    case HEAD_STATE_NAME:
        return head_on_name(p, c);
    case HEAD_STATE_BLANK:
        return http_is_blank(c) ? HTTP_HEAD_MORE : head_on_value(p, c);
    case HEAD_STATE_VALUE:
        return head_on_value(p, c);
    case HEAD_STATE_LF:
    case HEAD_STATE_LAST_LF:
        break;
    }
    if (c != '\n')
        return head_bad(p, "there is a CR without its LF in it");
    if (p->state == HEAD_STATE_LAST_LF)
        return head_finish(p);
    p->state = HEAD_STATE_LINE;
    return HTTP_HEAD_MORE;
}

/* The run of value bytes at the front of in: told in one piece. */
static struct span head_value_run(struct span in)
{
    size_t len = 0;

    while (len < in.len && in.ptr[len] != '\r' && in.ptr[len] != '\n')
        len++;
    return span_of(in.ptr, len);
}

enum http_head_step http_head_feed(struct http_head_parser *p, struct span in,
                                   size_t *used_len)
{
    enum http_head_step step = HTTP_HEAD_MORE;
    size_t told = 0; /* value bytes before this index were told */
    size_t i = 0;

    while (i < in.len && step == HTTP_HEAD_MORE) {
        uint8_t c = in.ptr[i];
        bool begins = p->state == HEAD_STATE_VALUE ||
                      (p->state == HEAD_STATE_BLANK && !http_is_blank(c));
        if (begins && i >= told) {
            struct span run = head_value_run(span_from(in, i));
            told = i + run.len;
            if (run.len > 0)
                step = head_tell(p, HTTP_HEAD_VALUE, run);
        }
        if (step == HTTP_HEAD_MORE)
            step = head_byte(p, c);
        if (step == HTTP_HEAD_MORE && ++p->total_len > HTTP_HEAD_MAX_LEN)
            step = head_bad(p, "it is longer than 256 KiB");
        i++;
    }
    *used_len = i;
    return step;
}
