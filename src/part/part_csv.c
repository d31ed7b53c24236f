/* A row is parsed into its place in the table and laid out behind the one
 * before it, in one pass; the rules that look at several rows come last, in
 * part_check(). */
#include "part/csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "part/csv_text.h"

enum field {
    FIELD_NAME,
    FIELD_TYPE,
    FIELD_SUBTYPE,
    FIELD_OFF,
    FIELD_LEN,
    FIELD_FLAGS
};

struct csv {
    const struct part_csv_opts *opts;
    struct part_table *table;
    struct diag *d;
    uint32_t line_no;
    uint64_t last_end; /* of the partitions so far */
    uint32_t lines[PART_CSV_MAX_ROWS];
};

/* A field, fit to be quoted in a sentence. */
struct quote {
    char text[41];
};

static struct quote quote(struct span s)
{
    struct quote q;

    (void)text_clean(s, q.text, sizeof(q.text));
    return q;
}

static esp_err_t PRINTF_LIKE(3, 4)
    fail(const struct csv *c, esp_err_t err, const char *fmt, ...)
{
    char text[sizeof(c->d->text) - 16];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return diag_fail(c->d, DIAG_STAGE_FLASH, err, "line %u: %s",
                     (unsigned)c->line_no, text);
}

static uint32_t table_off(const struct csv *c)
{
    return part_rules_table_off(&c->opts->rules);
}

/* --- type and subtype ----------------------------------------------------- */

/* Numbers of types and subtypes: 255 stands for "any" in the interface that
 * finds partitions, so no partition can have it. */
static esp_err_t kind_num(const struct csv *c, struct span text,
                          const char *what, uint8_t *out)
{
    int64_t val;
    esp_err_t err = csv_num(text, &val);

    if (err == ESP_ERR_INVALID_ARG)
        return err;
    if (err || val < 0 || val > 254)
        return fail(c, ESP_ERR_INVALID_SIZE,
                    "the %s %s is out of range; it is 0 to 254", what,
                    quote(text).text);
    *out = (uint8_t)val;
    return ESP_OK;
}

static esp_err_t parse_type(const struct csv *c, struct span text,
                            struct part_entry *e)
{
    esp_err_t err;

    if (text.len == 0)
        return fail(c, ESP_ERR_INVALID_ARG,
                    "the type is missing; it is app, data, bootloader, "
                    "partition_table or a number");
    err = kind_num(c, text, "type", &e->type);
    if (err != ESP_ERR_INVALID_ARG)
        return err;
    if (part_type_by_word(text, &e->type))
        return ESP_OK;
    return fail(c, err,
                "'%s' is no type; it is app, data, bootloader, "
                "partition_table or a number",
                quote(text).text);
}

static bool extra_subtype(const struct csv *c, struct span text,
                          struct part_entry *e)
{
    for (size_t i = 0; i < c->opts->extra_cnt; i++) {
        const struct part_word *w = &c->opts->extra[i];

        if (w->type == e->type && part_word_eq(text, w->word)) {
            e->subtype = w->subtype;
            return true;
        }
    }
    return false;
}

/* "factory, ota_0, ota_1, " as far as it fits. */
static const char *list_subtypes(uint8_t type, char *out, size_t cap)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; part_word_at(i); i++) {
        const struct part_word *w = part_word_at(i);
        size_t word_len = strlen(w->word) + 2;

        if (w->type != type || len + word_len >= cap)
            continue;
        (void)snprintf(out + len, cap - len, "%s, ", w->word);
        len += word_len;
    }
    return out;
}

static esp_err_t parse_subtype(const struct csv *c, struct span text,
                               struct part_entry *e)
{
    char known[180];
    esp_err_t err;

    if (text.len == 0 && e->type == PART_TYPE_APP)
        return fail(c, ESP_ERR_INVALID_ARG,
                    "the subtype of an application is missing; it is "
                    "factory, test, ota_0 to ota_15 or a number");
    e->subtype = PART_DATA_UNDEFINED;
    if (text.len == 0)
        return ESP_OK;
    err = kind_num(c, text, "subtype", &e->subtype);
    if (err != ESP_ERR_INVALID_ARG)
        return err;
    if (part_subtype_by_word(e->type, text, &e->subtype) ||
        extra_subtype(c, text, e))
        return ESP_OK;
    return fail(c, err, "'%s' is no subtype of this type; known: %snumbers",
                quote(text).text, list_subtypes(e->type, known, sizeof(known)));
}

/* --- name and flags ------------------------------------------------------- */

static esp_err_t parse_name(const struct csv *c, struct span text,
                            struct part_entry *e)
{
    char note[160];

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] == 0x7F)
            return fail(c, ESP_ERR_INVALID_ARG,
                        "byte %zu of the name is the control character "
                        "0x%02x; remove it",
                        i + 1, text.ptr[i]);
    }
    if (text.len > PART_LABEL_LEN && c->opts->rules.warn) {
        (void)snprintf(note, sizeof(note),
                       "line %u: the name '%s' has %zu bytes and is cut to %u",
                       (unsigned)c->line_no, quote(text).text, text.len,
                       PART_LABEL_LEN);
        c->opts->rules.warn(c->opts->rules.warn_ctx, note);
    }
    if (text.len > PART_LABEL_LEN)
        text.len = PART_LABEL_LEN;
    if (text.len > 0)
        memcpy(e->label, text.ptr, text.len);
    return ESP_OK;
}

static esp_err_t parse_flag(const struct csv *c, struct span text,
                            struct part_entry *e)
{
    if (span_eq(text, "encrypted"))
        e->flags |= PART_FLAG_ENCRYPTED;
    else if (span_eq(text, "readonly"))
        e->flags |= PART_FLAG_READONLY;
    else if (text.len > 0)
        return fail(c, ESP_ERR_INVALID_ARG,
                    "'%s' is no flag; flags are encrypted and readonly, with "
                    "a colon between them",
                    quote(text).text);
    return ESP_OK;
}

static esp_err_t parse_flags(const struct csv *c, struct span text,
                             struct part_entry *e)
{
    esp_err_t err = ESP_OK;

    while (text.len > 0 && !err) {
        const uint8_t *colon = memchr(text.ptr, ':', text.len);
        size_t len = colon ? (size_t)(colon - text.ptr) : text.len;

        err = parse_flag(c, span_of(text.ptr, len), e);
        text = span_from(text, len + 1);
    }
    return err;
}

/* --- offset and size ------------------------------------------------------ */

/* What a row says about its place; an automatic one takes what is free. */
struct place {
    bool automatic;
    int64_t off;
    int64_t len; /* negative: up to this address */
};

static esp_err_t need_boot_off(const struct csv *c)
{
    const struct part_rules *rules = &c->opts->rules;

    if (!rules->has_boot_off)
        return fail(c, ESP_ERR_INVALID_ARG,
                    "the place of a bootloader partition follows from the "
                    "offset of the primary bootloader, which is not known; "
                    "name it");
    if (rules->boot_off >= table_off(c))
        return fail(c, ESP_ERR_INVALID_ARG,
                    "the primary bootloader at 0x%x is not below the "
                    "partition table at 0x%x; correct one of the offsets",
                    (unsigned)rules->boot_off, (unsigned)table_off(c));
    return ESP_OK;
}

static esp_err_t field_num(const struct csv *c, struct span text,
                           const char *what, int64_t *out)
{
    esp_err_t err = csv_num(text, out);

    if (err == ESP_ERR_INVALID_SIZE)
        return fail(c, err, "the %s %s is beyond 4 GiB; make it smaller", what,
                    quote(text).text);
    if (err)
        return fail(c, err,
                    "the %s '%s' is no number; examples: 4096, 0x1000, 64K, "
                    "1M",
                    what, quote(text).text);
    return ESP_OK;
}

static esp_err_t parse_off(const struct csv *c, struct span text,
                           const struct part_entry *e, struct place *p)
{
    const struct part_rules *rules = &c->opts->rules;

    if (e->type == PART_TYPE_TABLE && e->subtype == PART_TABLE_PRIMARY) {
        p->off = table_off(c);
        return ESP_OK;
    }
    if (e->type == PART_TYPE_BOOTLOADER &&
        e->subtype == PART_BOOTLOADER_PRIMARY) {
        p->off = rules->boot_off;
        return need_boot_off(c);
    }
    if (e->type == PART_TYPE_BOOTLOADER &&
        e->subtype == PART_BOOTLOADER_RECOVERY) {
        p->off = rules->recovery_off;
        return rules->has_recovery_off
                   ? ESP_OK
                   : fail(c, ESP_ERR_INVALID_ARG,
                          "the offset of the recovery bootloader is not "
                          "known; name it");
    }
    p->automatic = text.len == 0;
    if (p->automatic)
        return ESP_OK;
    return field_num(c, text, "offset", &p->off);
}

static esp_err_t parse_len(const struct csv *c, struct span text,
                           const struct part_entry *e, struct place *p)
{
    if (e->type == PART_TYPE_TABLE) {
        p->len = PART_TABLE_SECTOR;
        return ESP_OK;
    }
    if (e->type == PART_TYPE_BOOTLOADER) {
        p->len = (int64_t)table_off(c) - c->opts->rules.boot_off;
        return need_boot_off(c);
    }
    if (text.len == 0)
        return fail(c, ESP_ERR_INVALID_ARG,
                    "the size is missing; examples: 4096, 0x1000, 64K, 1M");
    return field_num(c, text, "size", &p->len);
}

static esp_err_t place_off(const struct csv *c, struct place *p,
                           const struct part_entry *e)
{
    if (p->automatic)
        p->off = (int64_t)part_auto_off(e->type, c->last_end);
    if (p->off < 0)
        return fail(c, ESP_ERR_INVALID_ARG,
                    "the offset %lld is negative; leave it empty or name a "
                    "place in the flash",
                    (long long)p->off);
    if (part_is_system(e) || (uint64_t)p->off >= c->last_end)
        return ESP_OK;
    return fail(c, ESP_ERR_INVALID_ARG,
                "the offset 0x%llx overlaps what is before it, up to 0x%llx; "
                "offsets ascend: leave it empty or take 0x%llx",
                (unsigned long long)p->off, (unsigned long long)c->last_end,
                (unsigned long long)part_auto_off(e->type, c->last_end));
}

static esp_err_t lay_out(struct csv *c, struct place *p, struct part_entry *e)
{
    esp_err_t err = place_off(c, p, e);

    if (err)
        return err;
    if (p->len < 0 && -p->len < p->off)
        return fail(c, ESP_ERR_INVALID_SIZE,
                    "it ends at 0x%llx but starts at 0x%llx; a negative size "
                    "is the address of its end",
                    (unsigned long long)-p->len, (unsigned long long)p->off);
    if (p->len < 0)
        p->len = -p->len - p->off;
    if (p->off > UINT32_MAX || p->len > UINT32_MAX ||
        p->off + p->len > CSV_NUM_MAX)
        return fail(c, ESP_ERR_INVALID_SIZE,
                    "0x%llx bytes at 0x%llx pass 4 GiB; make it smaller",
                    (unsigned long long)p->len, (unsigned long long)p->off);
    e->off = (uint32_t)p->off;
    e->len = (uint32_t)p->len;
    if (!part_is_system(e))
        c->last_end = (uint64_t)e->off + e->len;
    return ESP_OK;
}

/* --- rows ----------------------------------------------------------------- */

static esp_err_t parse_row(struct csv *c, struct span line,
                           struct part_entry *e)
{
    struct span f[CSV_FIELDS];
    struct place p = { 0 };
    esp_err_t err;

    csv_split(line, f);
    err = parse_name(c, f[FIELD_NAME], e);
    if (!err)
        err = parse_type(c, f[FIELD_TYPE], e);
    if (!err)
        err = parse_subtype(c, f[FIELD_SUBTYPE], e);
    if (!err)
        err = parse_off(c, f[FIELD_OFF], e, &p);
    if (!err)
        err = parse_len(c, f[FIELD_LEN], e, &p);
    if (!err)
        err = parse_flags(c, f[FIELD_FLAGS], e);
    if (!err)
        err = lay_out(c, &p, e);
    return err;
}

static esp_err_t add_row(struct csv *c, struct span line)
{
    uint32_t idx = c->table->cnt;

    if (idx == PART_CSV_MAX_ROWS)
        return fail(c, ESP_ERR_INVALID_SIZE,
                    "this is partition %u and a table has room for %u; "
                    "remove some",
                    PART_CSV_MAX_ROWS + 1, PART_CSV_MAX_ROWS);
    c->lines[idx] = c->line_no;
    c->table->cnt++;
    return parse_row(c, line, &c->table->entries[idx]);
}

static bool is_comment(struct span line)
{
    return line.len == 0 || line.ptr[0] == '#';
}

static esp_err_t add_line(struct csv *c, struct span line, bool cut)
{
    struct csv_vars vars = { c->opts->env, c->opts->env_ctx, "" };
    uint8_t text[CSV_LINE_MAX_LEN];
    size_t len;
    esp_err_t err;

    if (is_comment(line))
        return ESP_OK;
    err = cut ? ESP_ERR_INVALID_SIZE : csv_expand(&vars, line, text, &len);
    if (err == ESP_ERR_INVALID_SIZE)
        return fail(c, err, "it is longer than %u bytes; shorten it",
                    CSV_LINE_MAX_LEN);
    if (err)
        return fail(c, err,
                    "the variable '%s' is not known; set it in the "
                    "environment",
                    quote(span_str(vars.unknown)).text);
    line = csv_strip(span_of(text, len));
    return is_comment(line) ? ESP_OK : add_row(c, line);
}

esp_err_t part_csv_parse(struct span text, const struct part_csv_opts *opts,
                         struct part_table *out, struct diag *d)
{
    struct csv c = { .opts = opts, .table = out, .d = d };
    struct csv_reader reader;
    struct span line;
    esp_err_t err = ESP_OK;
    bool cut;

    memset(out, 0, sizeof(*out));
    c.last_end = part_rules_table_end(&opts->rules);
    csv_open(&reader, text);
    while (!err && csv_next(&reader, &line, &cut)) {
        c.line_no = reader.line_no;
        err = add_line(&c, line, cut);
    }
    if (!err && out->cnt == 0)
        err = diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_NOT_FOUND,
                        "the text lists no partition; a line is: name, type, "
                        "subtype, offset, size, flags");
    if (!err)
        err = part_check(out, &opts->rules, c.lines, d);
    out->has_md5 = true;
    if (err)
        memset(out, 0, sizeof(*out));
    return err;
}
