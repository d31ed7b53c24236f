#include "table_load.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli.h"

/* Text has no limit of its own; this is far more than 94 rows need. */
#define TABLE_FILE_MAX_LEN (1u << 20)

static const char *env_lookup(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name);
}

static esp_err_t load_text(struct span text, const struct part_csv_opts *opts,
                           struct part_table *out, struct diag *d)
{
    struct part_csv_opts with_env = *opts;

    with_env.env = env_lookup;
    return part_csv_parse(text, &with_env, out, d);
}

static esp_err_t load_binary(struct span bytes, const struct part_rules *rules,
                             struct part_table *out, struct diag *d)
{
    esp_err_t err;

    if (bytes.len % PART_ROW_LEN != 0)
        return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                         "a table is made of rows of %u bytes and %zu bytes "
                         "are no number of rows; the file is cut off",
                         PART_ROW_LEN, bytes.len);
    err = part_table_parse(bytes, 0, out);
    if (err) {
        esp_err_t why = part_table_explain(bytes, 0, d);

        return why ? why : err;
    }
    return part_check(out, rules, NULL, d);
}

/* Reference 2.3: the first two bytes of a binary are those of a row. */
static bool is_binary(struct span bytes)
{
    return bytes.len >= 2 && memcmp(bytes.ptr, "\xAA\x50", 2) == 0;
}

/* The sentence of the parser, behind the name of the file. */
static esp_err_t in_file(const char *path, const struct diag *why,
                         struct diag *d)
{
    return diag_fail(d, why->stage, why->err, "%s: %s", text_name(path).text,
                     why->text);
}

static esp_err_t load_file(const char *path, const struct part_csv_opts *opts,
                           struct part_table *out, struct diag *d)
{
    struct cli_bytes file = CLI_BYTES_NONE;
    struct diag why = DIAG_NONE;
    struct span bytes;
    esp_err_t err = cli_read_file(path, TABLE_FILE_MAX_LEN, &file, d);

    if (err)
        return err;
    bytes = span_of(file.ptr, file.len);
    err = is_binary(bytes) ? load_binary(bytes, &opts->rules, out, &why)
                           : load_text(bytes, opts, out, &why);
    cli_bytes_free(&file);
    return err ? in_file(path, &why, d) : ESP_OK;
}

/* Names everything that could have been meant. */
static esp_err_t no_such_table(const char *arg, const struct diag *why,
                               struct diag *d)
{
    char names[240] = "";
    size_t len = 0;

    for (size_t i = 0; part_builtin_name(i); i++) {
        int n = snprintf(names + len, sizeof(names) - len, "%s%s",
                         i ? ", " : "", part_builtin_name(i));

        if (n < 0 || (size_t)n >= sizeof(names) - len)
            break;
        len += (size_t)n;
    }
    if (strchr(arg, '/') || strchr(arg, '.'))
        return diag_fail(d, why->stage, why->err, "%s", why->text);
    return diag_fail(d, why->stage, why->err,
                     "%.40s is no file and no built-in table (%s)", arg, names);
}

esp_err_t cli_table_load_opts(const char *arg, const struct part_csv_opts *opts,
                              struct part_table *out, struct diag *d)
{
    struct diag why = DIAG_NONE;
    esp_err_t err = part_builtin(arg, &opts->rules, out);

    if (!err)
        err = part_check(out, &opts->rules, NULL, &why);
    else if (err == ESP_ERR_NOT_FOUND)
        err = load_file(arg, opts, out, &why);
    if (!err)
        return ESP_OK;
    memset(out, 0, sizeof(*out));
    if (why.stage == DIAG_STAGE_FILE && err == ESP_ERR_NOT_FOUND)
        return no_such_table(arg, &why, d);
    return diag_fail(d, why.stage, err, "%s", why.text);
}

static void warn_log(void *ctx, const char *text)
{
    (void)ctx;
    LOGW("table", "%s", text);
}

esp_err_t cli_table_load(const char *arg, uint32_t table_off,
                         uint32_t flash_len, struct part_table *out,
                         struct diag *d)
{
    struct part_csv_opts opts = {
        .rules.table_off = table_off,
        .rules.at_zero = true,
        .rules.flash_len = flash_len,
        .rules.warn = warn_log,
    };

    return cli_table_load_opts(arg, &opts, out, d);
}

/* --- JSON ----------------------------------------------------------------- */

static bool add_kind(cJSON *row, const char *key, const char *word,
                     unsigned num)
{
    return word ? cJSON_AddStringToObject(row, key, word) != NULL
                : cJSON_AddNumberToObject(row, key, num) != NULL;
}

static bool add_flags(cJSON *row, uint32_t flags)
{
    cJSON *list = cJSON_AddArrayToObject(row, "flags");

    if (!list)
        return false;
    if (flags & PART_FLAG_ENCRYPTED &&
        !cJSON_AddItemToArray(list, cJSON_CreateString("encrypted")))
        return false;
    return !(flags & PART_FLAG_READONLY) ||
           cJSON_AddItemToArray(list, cJSON_CreateString("readonly"));
}

static bool add_row(cJSON *list, const struct part_entry *e)
{
    char label[PART_LABEL_LEN + 1];
    cJSON *row = cJSON_CreateObject();

    if (!row || !cJSON_AddItemToArray(list, row)) {
        cJSON_Delete(row);
        return false;
    }
    (void)text_clean(span_str(e->label), label, sizeof(label));
    return cJSON_AddStringToObject(row, "label", label) &&
           add_kind(row, "type", part_type_word(e->type), e->type) &&
           add_kind(row, "subtype", part_subtype_word(e->type, e->subtype),
                    e->subtype) &&
           cJSON_AddNumberToObject(row, "offset", e->off) &&
           cJSON_AddNumberToObject(row, "size", e->len) &&
           add_flags(row, e->flags);
}

cJSON *cli_table_json(const struct part_table *table)
{
    cJSON *list = cJSON_CreateArray();

    for (uint32_t i = 0; list && i < table->cnt; i++) {
        if (!add_row(list, &table->entries[i])) {
            cJSON_Delete(list);
            list = NULL;
        }
    }
    return list;
}
