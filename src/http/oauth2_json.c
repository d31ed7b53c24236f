#include "http/oauth2_json.h"

/* Strict: a word that is no JSON is an error; static: ours alone. */
#define JSMN_STRICT
#define JSMN_STATIC
#include <jsmn.h>

#include <assert.h>

#include "http/text.h"

static struct span token_span(struct span text, const jsmntok_t *t)
{
    return span_of(text.ptr + t->start, (size_t)(t->end - t->start));
}

/* The token after t and all that is in it: what lies inside ends before t
 * does. */
static int skip(const jsmntok_t *tokens, int cnt, int at)
{
    int end = tokens[at].end;

    for (at++; at < cnt && tokens[at].start < end; at++)
        ;
    return at;
}

static esp_err_t take_string(struct span text, const jsmntok_t *value,
                             struct span *out)
{
    if (out->ptr || value->type != JSMN_STRING)
        return ESP_ERR_INVALID_RESPONSE;
    *out = token_span(text, value);
    return ESP_OK;
}

/* A number of seconds; some servers write it as a string, some with a
 * fraction. Years are as good as for ever. */
static esp_err_t take_life(struct span text, const jsmntok_t *value,
                           uint32_t *out)
{
    struct span fraction;
    struct span whole = http_cut(token_span(text, value), '.', &fraction);
    http_len seconds = 0;

    if (*out != OAUTH2_LIFE_UNKNOWN ||
        (value->type != JSMN_STRING && value->type != JSMN_PRIMITIVE))
        return ESP_ERR_INVALID_RESPONSE;
    if (span_eq(whole, "null"))
        return ESP_OK;
    esp_err_t err = http_digits(whole, &seconds);
    if (err == ESP_ERR_INVALID_ARG)
        return ESP_ERR_INVALID_RESPONSE;
    if (err || seconds >= OAUTH2_LIFE_UNKNOWN)
        seconds = OAUTH2_LIFE_UNKNOWN - 1;
    *out = (uint32_t)seconds;
    return ESP_OK;
}

static esp_err_t take_member(struct span text, const jsmntok_t *member,
                             struct oauth2_answer *out)
{
    const struct {
        const char *name;
        struct span *to;
    } strings[] = { { "access_token", &out->access_token },
                    { "refresh_token", &out->refresh_token },
                    { "token_type", &out->token_type },
                    { "error", &out->error },
                    { "error_description", &out->error_description } };
    struct span name = token_span(text, &member[0]);

    if (member[0].type != JSMN_STRING || member[0].size != 1)
        return ESP_ERR_INVALID_RESPONSE;
    if (span_eq(name, "expires_in"))
        return take_life(text, &member[1], &out->life_s);
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        if (span_eq(name, strings[i].name))
            return take_string(text, &member[1], strings[i].to);
    }
    return ESP_OK;
}

esp_err_t oauth2_json_parse(struct span text, struct oauth2_answer *out)
{
    jsmntok_t tokens[OAUTH2_JSON_TOKENS];
    jsmn_parser parser;

    *out = (struct oauth2_answer){ .life_s = OAUTH2_LIFE_UNKNOWN };
    assert(text.len < INT32_MAX); /* jsmn counts in int */
    if (text.len == 0)
        return ESP_ERR_INVALID_RESPONSE;
    jsmn_init(&parser);
    int cnt = jsmn_parse(&parser, (const char *)text.ptr, text.len, tokens,
                         OAUTH2_JSON_TOKENS);
    if (cnt == JSMN_ERROR_NOMEM)
        return ESP_ERR_INVALID_SIZE;
    if (cnt < 1 || tokens[0].type != JSMN_OBJECT)
        return ESP_ERR_INVALID_RESPONSE;
    for (int i = 1; i < cnt && tokens[i].start < tokens[0].end;) {
        if (i + 1 >= cnt)
            return ESP_ERR_INVALID_RESPONSE;
        esp_err_t err = take_member(text, &tokens[i], out);
        if (err)
            return err;
        i = skip(tokens, cnt, i + 1);
    }
    return skip(tokens, cnt, 0) == cnt ? ESP_OK : ESP_ERR_INVALID_RESPONSE;
}

/* --- escapes (RFC 8259 section 7) ----------------------------------------- */

struct unescape {
    struct span in;
    char *out;
    size_t len;
    bool bad;
};

static uint32_t take_hex4(struct unescape *u)
{
    uint32_t value = 0;

    if (u->in.len < 4) {
        u->bad = true;
        return 0;
    }
    for (size_t i = 0; i < 4; i++) {
        uint8_t c = http_lower(u->in.ptr[i]);
        bool letter = c >= 'a' && c <= 'f';
        u->bad = u->bad || !(letter || http_is_digit(c));
        value = value << 4 | ((uint32_t)(letter ? c - 'a' + 10 : c - '0') & 15);
    }
    u->in = span_from(u->in, 4);
    return value;
}

static void put(struct unescape *u, uint32_t byte)
{
    u->out[u->len++] = (char)(uint8_t)byte;
}

/* At most as many bytes of UTF-8 as the escapes had. */
static void put_char(struct unescape *u, uint32_t c)
{
    if (c == 0)
        u->bad = true;
    if (c < 0x80) {
        put(u, c);
        return;
    }
    if (c < 0x800) {
        put(u, 0xC0 | c >> 6);
    } else {
        if (c < 0x10000) {
            put(u, 0xE0 | c >> 12);
        } else {
            put(u, 0xF0 | c >> 18);
            put(u, 0x80 | (c >> 12 & 63));
        }
        put(u, 0x80 | (c >> 6 & 63));
    }
    put(u, 0x80 | (c & 63));
}

static void take_unicode(struct unescape *u)
{
    uint32_t c = take_hex4(u);
    bool pair = c >= 0xD800 && c < 0xDC00;

    if (c >= 0xDC00 && c < 0xE000)
        u->bad = true;
    if (pair && u->in.len >= 6 && u->in.ptr[0] == '\\' && u->in.ptr[1] == 'u') {
        u->in = span_from(u->in, 2);
        uint32_t low = take_hex4(u);
        u->bad = u->bad || low < 0xDC00 || low > 0xDFFF;
        c = 0x10000 + ((c - 0xD800) << 10) + ((low - 0xDC00) & 0x3FF);
    } else if (pair) {
        u->bad = true;
    }
    if (!u->bad)
        put_char(u, c);
}

static void take_escape(struct unescape *u)
{
    static const char names[] = "\"\\/bfnrt";
    static const char bytes[] = "\"\\/\b\f\n\r\t";
    uint8_t c = u->in.len > 0 ? u->in.ptr[0] : 0;
    const char *at = c ? strchr(names, c) : NULL;

    u->in = span_from(u->in, 1);
    if (c == 'u')
        take_unicode(u);
    else if (at)
        put(u, (uint8_t)bytes[at - names]);
    else
        u->bad = true;
}

esp_err_t oauth2_json_text(struct span text, char *out, size_t *out_len)
{
    struct unescape u = { .in = text, .out = out };

    while (u.in.len > 0 && !u.bad) {
        uint8_t c = u.in.ptr[0];
        u.in = span_from(u.in, 1);
        if (c == '\\')
            take_escape(&u);
        else if (c == 0)
            u.bad = true;
        else
            put(&u, c);
    }
    out[u.len] = '\0';
    *out_len = u.len;
    return u.bad ? ESP_ERR_INVALID_RESPONSE : ESP_OK;
}
