#include "part/csv_text.h"

#include "base/num.h"

/* --- characters ----------------------------------------------------------- */

static bool starts(struct span s, const char *mark, size_t len)
{
    return s.len >= len && memcmp(s.ptr, mark, len) == 0;
}

void csv_open(struct csv_reader *r, struct span text)
{
    /* The longer mark first: UTF-16's is the start of UTF-32's. */
    static const struct {
        const char *mark;
        size_t len;
        enum csv_enc enc;
    } marks[] = {
        { "\xEF\xBB\xBF", 3, CSV_ENC_UTF8 },
        { "\xFF\xFE\x00\x00", 4, CSV_ENC_UTF32LE },
        { "\x00\x00\xFE\xFF", 4, CSV_ENC_UTF32BE },
        { "\xFF\xFE", 2, CSV_ENC_UTF16LE },
        { "\xFE\xFF", 2, CSV_ENC_UTF16BE },
    };

    r->rest = text;
    r->enc = CSV_ENC_UTF8;
    r->line_no = 0;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (!starts(text, marks[i].mark, marks[i].len))
            continue;
        r->enc = marks[i].enc;
        r->rest = span_from(text, marks[i].len);
        return;
    }
}

/* One code unit of len bytes; fewer are there at the end of a broken text. */
static uint32_t take_unit(struct csv_reader *r, size_t len, bool big)
{
    uint32_t unit = 0;
    size_t have = r->rest.len < len ? r->rest.len : len;

    for (size_t i = 0; i < have; i++) {
        uint32_t byte = r->rest.ptr[i];

        unit |= byte << 8 * (big ? len - 1 - i : i);
    }
    r->rest = span_from(r->rest, have);
    return have == len ? unit : 0xFFFD;
}

static uint32_t take_utf16(struct csv_reader *r, bool big)
{
    uint32_t high = take_unit(r, 2, big);
    uint32_t low;

    if (high < 0xD800 || high > 0xDFFF)
        return high;
    low = high < 0xDC00 ? take_unit(r, 2, big) : 0;
    if (low < 0xDC00 || low > 0xDFFF)
        return 0xFFFD;
    return 0x10000 + ((high - 0xD800) << 10 | (low - 0xDC00));
}

/* A code point, or a byte of UTF-8. */
static uint32_t take_char(struct csv_reader *r)
{
    switch (r->enc) {
    case CSV_ENC_UTF16LE:
        return take_utf16(r, false);
    case CSV_ENC_UTF16BE:
        return take_utf16(r, true);
    case CSV_ENC_UTF32LE:
        return take_unit(r, 4, false);
    case CSV_ENC_UTF32BE:
        return take_unit(r, 4, true);
    default:
        return take_unit(r, 1, false);
    }
}

/* RFC 3629 section 3. Returns the length. */
static size_t utf8_put(uint32_t c, uint8_t out[4])
{
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        c = 0xFFFD;
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}

/* --- lines ---------------------------------------------------------------- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct span csv_strip(struct span s)
{
    while (s.len > 0 && is_blank(s.ptr[0]))
        s = span_from(s, 1);
    while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* A line ends with \n, \r\n or \r. */
static bool ends_line(struct csv_reader *r, uint32_t c)
{
    struct csv_reader ahead;

    if (c == '\n')
        return true;
    if (c != '\r')
        return false;
    ahead.rest = r->rest;
    ahead.enc = r->enc;
    if (r->rest.len > 0 && take_char(&ahead) == '\n')
        r->rest = ahead.rest;
    return true;
}

bool csv_next(struct csv_reader *r, struct span *line, bool *cut)
{
    size_t len = 0;

    *cut = false;
    if (r->rest.len == 0)
        return false;
    while (r->rest.len > 0) {
        uint8_t enc[4];
        uint32_t c = take_char(r);
        size_t n;

        if (ends_line(r, c))
            break;
        if (r->enc == CSV_ENC_UTF8) {
            enc[0] = (uint8_t)c;
            n = 1;
        } else {
            n = utf8_put(c, enc);
        }
        if (*cut || n > sizeof(r->line) - len) {
            *cut = true;
            continue;
        }
        memcpy(r->line + len, enc, n);
        len += n;
    }
    r->line_no++;
    *line = csv_strip(span_of(r->line, len));
    return true;
}

void csv_split(struct span line, struct span fields[CSV_FIELDS])
{
    for (size_t i = 0; i < CSV_FIELDS; i++) {
        const uint8_t *comma =
            line.len ? memchr(line.ptr, ',', line.len) : NULL;
        size_t len = comma ? (size_t)(comma - line.ptr) : line.len;

        fields[i] = csv_strip(span_of(line.ptr, len));
        line = span_from(line, len + 1);
    }
}

/* --- variables ------------------------------------------------------------ */

static bool is_word(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c >= '0' && c <= '9');
}

/* s starts with '$'. *name: what follows it, without braces. Returns how many
 * bytes that is with '$' and braces; 1: no name follows. */
static size_t var_name(struct span s, struct span *name)
{
    size_t len = 1;

    if (s.len > 1 && s.ptr[1] == '{') {
        const uint8_t *end = memchr(s.ptr, '}', s.len);

        if (!end)
            return 1;
        len = (size_t)(end - s.ptr) + 1;
        *name = span_of(s.ptr + 2, len - 3);
        return len;
    }
    while (len < s.len && is_word(s.ptr[len]))
        len++;
    *name = span_of(s.ptr + 1, len - 1);
    return len;
}

/* NULL: unknown; its name is then in vars->unknown. */
static const char *var_value(struct csv_vars *vars, struct span name)
{
    size_t len = name.len < sizeof(vars->unknown) - 1
                     ? name.len
                     : sizeof(vars->unknown) - 1;

    memcpy(vars->unknown, name.ptr, len);
    vars->unknown[len] = '\0';
    if (!vars->env || len != name.len || memchr(name.ptr, 0, len))
        return NULL;
    return vars->env(vars->ctx, vars->unknown);
}

/* What takes the place of *from, which starts a variable or is one byte: a
 * value or, where nothing is to be replaced, those bytes. The rest of the text
 * comes in with *from and is left out of it. */
static esp_err_t var_expand(struct csv_vars *vars, bool escaped,
                            struct span *from, struct span *by)
{
    struct span name = span_of(NULL, 0);
    const char *value;

    from->len = from->ptr[0] == '$' ? var_name(*from, &name) : 1;
    *by = *from;
    if (name.len == 0)
        return ESP_OK;
    value = var_value(vars, name);
    if (value)
        *by = span_str(value);
    else if (!escaped && !(name.ptr[0] >= '0' && name.ptr[0] <= '9'))
        return ESP_ERR_NOT_FOUND;
    return ESP_OK;
}

esp_err_t csv_expand(struct csv_vars *vars, struct span in,
                     uint8_t out[CSV_LINE_MAX_LEN], size_t *out_len)
{
    size_t at = 0;

    *out_len = 0;
    while (at < in.len) {
        bool escaped = at > 0 && in.ptr[at - 1] == '\\';
        struct span from = span_from(in, at);
        struct span by;
        esp_err_t err = var_expand(vars, escaped, &from, &by);

        if (err)
            return err;
        if (by.len > CSV_LINE_MAX_LEN - *out_len)
            return ESP_ERR_INVALID_SIZE;
        if (by.len > 0)
            memcpy(out + *out_len, by.ptr, by.len);
        *out_len += by.len;
        at += from.len;
    }
    return ESP_OK;
}

/* --- numbers -------------------------------------------------------------- */

/* The base that a prefix names, 10 without one. */
static unsigned num_base(struct span s)
{
    if (s.len < 2 || s.ptr[0] != '0')
        return 10;
    switch (s.ptr[1]) {
    case 'x':
    case 'X':
        return 16;
    case 'o':
    case 'O':
        return 8;
    case 'b':
    case 'B':
        return 2;
    default:
        return 10;
    }
}

/* Digits with single underscores between them, and after the prefix. */
static esp_err_t digits_parse(struct span s, unsigned base, int64_t *out)
{
    bool need_digit = true;
    int64_t val = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = num_digit(s.ptr[i]);

        if (s.ptr[i] == '_' && !need_digit) {
            need_digit = true;
            continue;
        }
        if (digit >= base)
            return ESP_ERR_INVALID_ARG;
        need_digit = false;
        val = val * base + digit;
        if (val > CSV_NUM_MAX)
            val = CSV_NUM_MAX + 1;
    }
    *out = val;
    return need_digit ? ESP_ERR_INVALID_ARG : ESP_OK;
}

static esp_err_t unsigned_parse(struct span s, int64_t *out)
{
    unsigned base = num_base(s);
    esp_err_t err;

    if (base != 10) {
        s = span_from(s, 2);
        if (s.len > 0 && s.ptr[0] == '_')
            s = span_from(s, 1);
        return digits_parse(s, base, out);
    }
    err = digits_parse(s, 10, out);
    /* 010 might be meant as octal; 0, 00 and 0_0 cannot be misread. */
    if (!err && s.len > 1 && s.ptr[0] == '0' && *out != 0)
        return ESP_ERR_INVALID_ARG;
    return err;
}

static int64_t unit_of(uint8_t c)
{
    if (c == 'k' || c == 'K')
        return 1024;
    if (c == 'm' || c == 'M')
        return 1024 * 1024;
    return 1;
}

esp_err_t csv_num(struct span text, int64_t *out)
{
    int64_t unit = 1;
    int64_t val = 0;
    bool minus;
    esp_err_t err;

    while (text.len > 0 && unit_of(text.ptr[text.len - 1]) > 1) {
        unit *= unit <= CSV_NUM_MAX ? unit_of(text.ptr[text.len - 1]) : 1;
        text.len--;
    }
    text = csv_strip(text);
    minus = text.len > 0 && text.ptr[0] == '-';
    if (minus || (text.len > 0 && text.ptr[0] == '+'))
        text = span_from(text, 1);
    err = unsigned_parse(text, &val);
    if (err)
        return err;
    if (val > CSV_NUM_MAX / unit)
        return ESP_ERR_INVALID_SIZE;
    *out = minus ? -(val * unit) : val * unit;
    return ESP_OK;
}
