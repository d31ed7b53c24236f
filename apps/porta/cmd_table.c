/* porta table - partition tables: text to binary, and back. */
#include "cli.h"

#include <stddef.h>
#include <string.h>

#include "base/num.h"
#include "cmds.h"
#include "table_load.h"

struct table_opts {
    const char *out;
    uint32_t flash_len;
    uint32_t table_off;
    const char *boot_off; /* texts, because 0 is a value */
    const char *recovery_off;
    const char *secure;
    struct cli_list extra;
    bool no_verify, no_md5;
    bool json;
};

/* `build` takes them all, `show` all but the first two. */
static const struct cli_opt opt_rows[] = {
    { "-o", "BIN", "the binary to write (required)", CLI_KIND_TEXT,
      offsetof(struct table_opts, out) },
    { "--disable-md5sum", NULL, "no MD5 row at the end of the table",
      CLI_KIND_FLAG, offsetof(struct table_opts, no_md5) },
    { "--flash-size", "N", "refuse a table that passes this flash",
      CLI_KIND_SIZE, offsetof(struct table_opts, flash_len) },
    { "--offset", "N", "where the table is in the flash (0x8000)",
      CLI_KIND_SIZE, offsetof(struct table_opts, table_off) },
    { "--primary-bootloader-offset", "N", "for tables that list the bootloader",
      CLI_KIND_TEXT, offsetof(struct table_opts, boot_off) },
    { "--recovery-bootloader-offset", "N",
      "for tables that list a recovery bootloader", CLI_KIND_TEXT,
      offsetof(struct table_opts, recovery_off) },
    { "--extra-partition-subtypes", "TYPE,NAME,N",
      "a subtype of your own; may be repeated", CLI_KIND_LIST,
      offsetof(struct table_opts, extra) },
    { "--no-verify", NULL, "take a table that devices cannot live with",
      CLI_KIND_FLAG, offsetof(struct table_opts, no_verify) },
    { "--secure", "v1|v2", "v1: applications are multiples of 64K",
      CLI_KIND_TEXT, offsetof(struct table_opts, secure) },
    CLI_OPT_JSON(struct table_opts, json),
    CLI_OPT_END,
};

static const struct cli_verb build_verb = {
    .name = "table build",
    .usage = "CSV",
    .summary = "make the binary partition table of a CSV file",
    .text = "CSV is a file, - for standard input, or the name of a built-in "
            "table: singleapp,\ntwo_ota, two_ota_large ... A file of that "
            "name is ./two_ota.",
    .example = "porta table build partitions.csv -o partition-table.bin "
               "--flash-size 4M\nporta table build two_ota -o "
               "partition-table.bin",
    .opts = opt_rows,
    .arg_min = 1,
    .arg_max = 1,
};

static const struct cli_verb show_verb = {
    .name = "table show",
    .usage = "CSV|BIN",
    .summary = "check a partition table and print it as CSV, laid out",
    .text = "What is printed can be built again: it is the way from a binary "
            "back to text.\nThe argument may be the name of a built-in table.",
    .example = "porta table show partition-table.bin > partitions.csv\n"
               "porta table show two_ota --json",
    .opts = opt_rows + 2,
    .arg_min = 1,
    .arg_max = 1,
};

/* --- what both do --------------------------------------------------------- */

/* Warnings go to standard error as they come, and into the JSON object. */
struct warnings {
    const struct cli_verb *verb;
    cJSON *list;
};

static void warn(void *ctx, const char *text)
{
    struct warnings *w = ctx;

    fprintf(stderr, "porta %s: warning: %s\n", w->verb->name, text);
    if (w->list)
        (void)cJSON_AddItemToArray(w->list, cJSON_CreateString(text));
}

/* Subtypes that the command line adds, and the words for them. */
struct extras {
    struct part_word words[CLI_LIST_MAX];
    char texts[CLI_LIST_MAX][64];
};

static int parse_off(const struct cli_verb *verb, const char *opt,
                     const char *text, uint32_t *off)
{
    if (num_parse_size(span_str(text), off) != ESP_OK || *off % 0x1000 != 0)
        return cli_usage(verb, "%s %s: it is a multiple of 0x1000", opt, text);
    return CLI_GO;
}

static int make_rules(const struct cli_verb *verb, const struct table_opts *o,
                      struct part_rules *rules)
{
    int status = CLI_GO;

    if (o->table_off % PART_TABLE_SECTOR != 0)
        return cli_usage(verb, "--offset 0x%x: it is a multiple of 0x%x",
                         o->table_off, PART_TABLE_SECTOR);
    rules->table_off = o->table_off;
    rules->at_zero = true;
    rules->no_check = o->no_verify;
    rules->flash_len = o->flash_len;
    rules->has_boot_off = o->boot_off != NULL;
    if (o->boot_off)
        status = parse_off(verb, "--primary-bootloader-offset", o->boot_off,
                           &rules->boot_off);
    rules->has_recovery_off = o->recovery_off != NULL;
    if (status == CLI_GO && o->recovery_off)
        status = parse_off(verb, "--recovery-bootloader-offset",
                           o->recovery_off, &rules->recovery_off);
    rules->secure_v1 = o->secure && strcmp(o->secure, "v1") == 0;
    if (status == CLI_GO && o->secure && !rules->secure_v1 &&
        strcmp(o->secure, "v2") != 0)
        status = cli_usage(verb, "--secure %s: it is v1 or v2", o->secure);
    return status;
}

/* "data, calib, 0x40": the text may have blanks. Cuts it up in place. */
static int parse_extra(const struct cli_verb *verb, char *text,
                       struct part_word *out)
{
    char *type = text, *word = strchr(text, ','), *num = NULL;
    uint32_t n;

    if (word)
        num = strchr(word + 1, ',');
    if (num) {
        *word++ = *num++ = '\0';
        type += strspn(type, " ");
        type[strcspn(type, " ")] = '\0';
        word += strspn(word, " ");
        word[strcspn(word, " ")] = '\0';
        num += strspn(num, " ");
        if (part_type_by_word(span_str(type), &out->type) && *word &&
            num_parse_u32(span_str(num), &n) == ESP_OK && n < 0xFF) {
            out->subtype = (uint8_t)n;
            out->word = word;
            return CLI_GO;
        }
    }
    return cli_usage(verb, "--extra-partition-subtypes takes TYPE,NAME,NUMBER "
                           "such as data,calib,0x40");
}

/* Into words, which point into texts. */
static int parse_extras(const struct cli_verb *verb, const struct table_opts *o,
                        struct extras *x)
{
    int status = CLI_GO;

    for (int i = 0; i < o->extra.cnt && status == CLI_GO; i++) {
        if (snprintf(x->texts[i], sizeof(x->texts[i]), "%s", o->extra.val[i]) >=
            (int)sizeof(x->texts[i]))
            return cli_usage(verb, "--extra-partition-subtypes: a name has at "
                                   "most 40 bytes");
        status = parse_extra(verb, x->texts[i], &x->words[i]);
    }
    return status;
}

/* Hangs *item into obj, which then owns it. */
static bool take(cJSON *obj, const char *key, cJSON **item)
{
    if (!obj || !*item || !cJSON_AddItemToObject(obj, key, *item))
        return false;
    *item = NULL;
    return true;
}

/* Takes the warnings over. NULL: out of memory. */
static cJSON *make_json(const struct table_opts *o,
                        const struct part_table *table, cJSON *warnings)
{
    cJSON *obj = cJSON_CreateObject();
    cJSON *rows = cli_table_json(table);
    bool ok = take(obj, "partitions", &rows) &&
              take(obj, "warnings", &warnings) &&
              cJSON_AddNumberToObject(obj, "table_offset", o->table_off) &&
              cJSON_AddBoolToObject(obj, "md5", table->has_md5 && !o->no_md5) &&
              (!o->out || cJSON_AddStringToObject(obj, "output", o->out));

    cJSON_Delete(rows);
    cJSON_Delete(warnings);
    if (ok)
        return obj;
    cJSON_Delete(obj);
    return NULL;
}

static esp_err_t write_table(const struct table_opts *o,
                             const struct part_table *table, struct diag *d)
{
    uint8_t bytes[PART_TABLE_MAX_LEN];

    if (table->cnt > PART_CSV_MAX_ROWS)
        return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                         "the table has %u rows; with its MD5 there is room "
                         "for %u, remove some",
                         (unsigned)table->cnt, PART_CSV_MAX_ROWS);
    part_table_pack(table, bytes);
    if (o->no_md5)
        memset(bytes + table->cnt * PART_ROW_LEN, 0xFF, PART_ROW_LEN);
    return cli_write_file(o->out, span_of(bytes, sizeof(bytes)), 0666, d);
}

static void show_table(const struct part_table *table)
{
    char text[PART_CSV_MAX_LEN];

    part_csv_write(table, text);
    fputs(text, stdout);
}

/* o->out: written there; otherwise shown. */
static int run(const struct cli_verb *verb, const struct table_opts *o,
               const char *arg)
{
    struct warnings w = { verb, cJSON_CreateArray() };
    struct part_csv_opts csv = { .rules = { .warn = warn, .warn_ctx = &w } };
    struct extras extras;
    struct diag d = DIAG_NONE;
    struct part_table table;
    int status = make_rules(verb, o, &csv.rules);

    if (status == CLI_GO)
        status = parse_extras(verb, o, &extras);
    csv.extra = extras.words;
    csv.extra_cnt = (size_t)o->extra.cnt;

    if (status != CLI_GO)
        goto out;
    if (cli_table_load_opts(arg, &csv, &table, &d) != ESP_OK ||
        (o->out && write_table(o, &table, &d) != ESP_OK)) {
        status = cli_fail(verb, &d, o->json);
        goto out;
    }
    if (o->json) {
        cJSON *obj = make_json(o, &table, w.list);

        w.list = NULL;
        return cli_json_print(verb, obj, CLI_DONE);
    }
    if (!o->out)
        show_table(&table);
    status = cli_finish(verb, CLI_DONE);
out:
    cJSON_Delete(w.list);
    return status;
}

/* --- verbs ---------------------------------------------------------------- */

static int table_build(int argc, char **argv)
{
    struct table_opts o = { .table_off = PART_TABLE_OFF };
    struct cli_args args;
    int status = cli_parse(&build_verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    if (!o.out)
        return cli_usage(&build_verb, "-o is missing: where to write to");
    return run(&build_verb, &o, args.val[0]);
}

static int table_show(int argc, char **argv)
{
    struct table_opts o = { .table_off = PART_TABLE_OFF };
    struct cli_args args;
    int status = cli_parse(&show_verb, argc, argv, &o, &args);

    return status == CLI_GO ? run(&show_verb, &o, args.val[0]) : status;
}

int cmd_table(int argc, char **argv)
{
    static const struct cli_sub subs[] = {
        { "build", "text to binary", table_build },
        { "show", "check, and print as text", table_show },
    };

    return cli_dispatch("table", subs, sizeof(subs) / sizeof(subs[0]), argc,
                        argv);
}
