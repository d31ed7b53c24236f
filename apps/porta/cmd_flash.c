/* porta flash: make a device's flash file, look at it, change it. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli.h"
#include "cmd_flash.h"
#include "cmds.h"
#include "device_ctx.h"
#include "device_opts.h"
#include "flash_make.h"
#include "flash_show.h"
#include "table_load.h"

#define FLASH_MAX_LEN (256u * 1024u * 1024u)

/* --- create --------------------------------------------------------------- */

struct create_opts {
    struct device_args dev;
    const char *out, *table;
    uint32_t len;
    struct cli_list apps;
    bool erased;
};

static const struct cli_opt create_options[] = {
    { "-o", "FLASH", "the file to make (replaced when it exists)",
      CLI_KIND_TEXT, offsetof(struct create_opts, out) },
    { "--size", "N", "size of the flash: 4MB, 0x400000 (4MB)", CLI_KIND_SIZE,
      offsetof(struct create_opts, len) },
    { "--table", "CSV",
      "a partition table: CSV, binary, or a built-in name "
      "(two_ota)",
      CLI_KIND_TEXT, offsetof(struct create_opts, table) },
    { "--app", "LABEL=IMAGE",
      "an image for an application partition; may be "
      "repeated",
      CLI_KIND_LIST, offsetof(struct create_opts, apps) },
    { "--erased", NULL, "only the table: no bootloader, no images",
      CLI_KIND_FLAG, offsetof(struct create_opts, erased) },
    DEVICE_OPTS_CHIP(struct create_opts, dev),
    DEVICE_OPTS_BOOT(struct create_opts, dev),
    CLI_OPT_END,
};

static const struct cli_verb create_verb = {
    .name = "flash create",
    .usage = "",
    .summary = "make the flash of a device: table, blank otadata, images",
    .text = "The bootloader region receives an image that stores the options\n"
            "(--rollback unless --no-rollback is given) for every verb that\n"
            "acts as a bootloader. An image that does not verify, does not\n"
            "fit or is for another chip is refused.",
    .example = "porta flash create -o device.bin --chip esp32 --size 4MB "
               "--table two_ota --app factory=app.bin",
    .opts = create_options,
};

static esp_err_t draft_describe(const struct create_opts *o,
                                struct flash_draft *f, struct diag *d)
{
    esp_err_t err;

    f->len = o->len;
    f->table_off = o->dev.table_off;
    f->check_rev = o->dev.chip_rev != UINT32_MAX;
    f->chip_rev = f->check_rev ? (uint16_t)o->dev.chip_rev : 0;
    err = o->dev.chip ? device_chip_by_name(o->dev.chip, &f->chip_id, d)
                      : flash_draft_guess_chip(f, &o->apps, d);
    if (err)
        return err;
    if (f->len % LINUX_FLASH_SECTOR_LEN || f->len > FLASH_MAX_LEN ||
        f->len < LINUX_FLASH_MIN_LEN || f->table_off > f->len - 4096 ||
        f->table_off % 4096)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_SIZE,
                         "--size %u and --table-offset 0x%x: both are "
                         "multiples of 4096, from 36K to 256M, and the table "
                         "lies in the flash",
                         (unsigned)f->len, (unsigned)f->table_off);
    return cli_table_load(o->table, f->table_off, f->len, &f->table, d);
}

static esp_err_t draft_options(const struct create_opts *o, uint16_t chip_id,
                               struct boot_opts *boot, struct diag *d)
{
    const struct boot_opts none = { .rollback = true };
    bool given;

    boot->rollback = o->dev.rollback != CLI_OFF;
    if (device_trial(&o->dev, boot, d))
        return d->err;
    boot->require_signed = o->dev.require_signed || o->dev.verify_keys.cnt > 0;
    if (device_keys(&o->dev, &none, &boot->keys, &given, d) != ESP_OK ||
        device_fuse_options(&o->dev, chip_id, boot, d) != ESP_OK)
        return d->err;
    if (boot->require_signed && !given)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--require-signed %s: a new device has no key yet; "
                         "name one with --verify-key",
                         o->dev.require_signed);
    return device_boot_signed(&o->dev, boot->require_signed,
                              &boot->boot_unsigned, d);
}

/* A cut of the power must not take burnt bits away. */
static esp_err_t check_fuses(const struct part_table *table, struct diag *d)
{
    const struct part_entry *part =
        part_find(table, PART_TYPE_DATA, PART_DATA_EFUSE, NULL);

    if (!part || part->len >= FUSE_EMUL_LEN)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                     "--anti-rollback: partition %s has %u bytes and fuses "
                     "need %u, for a second copy",
                     part->label, (unsigned)part->len, (unsigned)FUSE_EMUL_LEN);
}

static esp_err_t draft_fill(const struct create_opts *o, struct flash_draft *f,
                            struct diag *d)
{
    struct boot_opts boot = { 0 };
    esp_err_t err = draft_options(o, f->chip_id, &boot, d);

    if (!err && boot.anti_rollback)
        err = check_fuses(&f->table, d);

    if (!err)
        err = flash_draft_begin(f, d);
    f->keys =
        img_keys_for(boot.require_signed && !boot.boot_unsigned, &boot.keys);

    if (!err && !o->erased)
        err = flash_draft_bootloader(f, &boot, d);
    for (int i = 0; !err && i < o->apps.cnt; i++)
        err = flash_draft_app(f, o->apps.val[i], d);
    f->keys = NULL; /* they end here */
    return err;
}

static int flash_create(int argc, char **argv)
{
    struct create_opts o = { .dev = DEVICE_ARGS, .table = "two_ota" };
    struct flash_draft draft = { 0 };
    struct diag d = DIAG_NONE;
    struct cli_args args;
    esp_err_t err;
    int status;

    o.len = 4u * 1024u * 1024u;
    status = cli_parse(&create_verb, argc, argv, &o, &args);
    if (status != CLI_GO)
        return status;
    if (!o.out)
        return cli_usage(&create_verb, "-o FLASH is missing");
    if (o.erased && o.apps.cnt > 0)
        return cli_usage(&create_verb, "--erased and --app exclude each "
                                       "other");
    cli_log_to_stderr(LOG_WARN);
    err = draft_describe(&o, &draft, &d);
    if (!err)
        err = draft_fill(&o, &draft, &d);
    /* A device would go on in the old file, which has no name any more. */
    if (!err)
        err = linux_flash_unused(o.out, &d);
    if (!err)
        err = cli_write_file(o.out, span_of(draft.bytes, draft.len), 0644, &d);
    flash_draft_free(&draft);
    return err ? cli_fail(&create_verb, &d, cli_json())
               : cli_made(&create_verb, o.out, &d);
}

/* --- show ----------------------------------------------------------------- */

struct show_opts {
    struct device_args dev;
    bool json;
};

static const struct cli_opt show_options[] = {
    DEVICE_OPTS_CHIP(struct show_opts, dev),
    DEVICE_OPTS_BOOT(struct show_opts, dev),
    CLI_OPT_JSON(struct show_opts, json),
    CLI_OPT_END,
};

static const struct cli_verb show_verb = {
    .name = "flash show",
    .usage = "FLASH",
    .summary = "show what is in a flash file: table, images, boot records",
    .example = "porta flash show device.bin\n"
               "porta flash show device.bin --json",
    .opts = show_options,
    .arg_min = 1,
    .arg_max = 1,
};

static int flash_show(int argc, char **argv)
{
    static struct device dev;
    struct show_opts o = { .dev = DEVICE_ARGS };
    struct diag d = DIAG_NONE;
    struct cli_args args;
    int status = cli_parse(&show_verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    if (device_open(&dev, args.val[0], LINUX_FLASH_READ, &o.dev, &d) ||
        device_need_table(&dev, &d))
        status = cli_fail(&show_verb, &d, o.json);
    else if (o.json)
        status = cli_json_print(&show_verb, flash_show_json(&dev), CLI_DONE);
    else
        status = cli_finish(&show_verb, flash_show_text(&dev));
    device_close(&dev);
    return status;
}

/* --- read, write, erase --------------------------------------------------- */

struct part_opts {
    struct device_args dev;
    bool json;
};

static const struct cli_opt part_options[] = {
    { "--table-offset", "N", "where the partition table is (0x8000)",
      CLI_KIND_SIZE, offsetof(struct part_opts, dev.table_off) },
    { "--chip", "C", "as for every verb on FLASH; changes nothing here",
      CLI_KIND_TEXT, offsetof(struct part_opts, dev.chip) },
    CLI_OPT_JSON(struct part_opts, json),
    CLI_OPT_END,
};

static const struct cli_verb read_verb = {
    .name = "flash read",
    .usage = "FLASH LABEL [FILE]",
    .summary = "copy a partition into FILE, or to standard output",
    .example = "porta flash read device.bin ota_0 slot.bin",
    .opts = part_options,
    .arg_min = 2,
    .arg_max = 3,
};

static const struct cli_verb write_verb = {
    .name = "flash write",
    .usage = "FLASH LABEL FILE",
    .summary = "erase a partition and program FILE into it",
    .text = "The bytes are written as they are, whatever they are; what must\n"
            "boot is judged by porta explain.",
    .example = "porta flash write device.bin nvs nvs.bin",
    .opts = part_options,
    .arg_min = 3,
    .arg_max = 3,
};

static const struct cli_verb erase_verb = {
    .name = "flash erase",
    .usage = "FLASH LABEL",
    .summary = "erase a partition",
    .example = "porta flash erase device.bin otadata",
    .opts = part_options,
    .arg_min = 2,
    .arg_max = 2,
};

static esp_err_t op_fail(const struct device *dev,
                         const struct part_entry *part, esp_err_t err,
                         struct diag *d)
{
    if (err == ESP_ERR_NOT_ALLOWED)
        return diag_fail(d, DIAG_STAGE_WRITE, err,
                         "partition %s is marked readonly in the table",
                         part->label);
    return diag_fail(d, DIAG_STAGE_WRITE, err, "%s: %s", err_name(err),
                     linux_flash_fault(&dev->flash));
}

static esp_err_t part_to_file(struct device *dev, const struct part_entry *part,
                              const char *path, struct diag *d)
{
    uint8_t *bytes = malloc(part->len ? part->len : 1);
    esp_err_t err;

    if (!bytes)
        return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_NO_MEM, "out of memory");
    err = part_read(&dev->parts, part, 0, bytes, part->len);
    if (err)
        err = op_fail(dev, part, err, d);
    else if (!cli_is_stdout(path))
        err = cli_write_file(path, span_of(bytes, part->len), 0644, d);
    else if (fwrite(bytes, 1, part->len, stdout) != part->len)
        err = diag_fail(d, DIAG_STAGE_FILE, ESP_FAIL,
                        "cannot write to standard output");
    free(bytes);
    return err;
}

static esp_err_t part_erase(struct device *dev, const struct part_entry *part,
                            struct diag *d)
{
    for (uint32_t off = 0; off < part->len; off += LINUX_FLASH_SECTOR_LEN) {
        esp_err_t err = part_erase_sector(&dev->parts, part, off);

        if (err)
            return op_fail(dev, part, err, d);
    }
    return ESP_OK;
}

static esp_err_t file_to_part(struct device *dev, const struct part_entry *part,
                              const char *path, struct diag *d)
{
    struct cli_bytes bytes = CLI_BYTES_NONE;
    esp_err_t err = cli_read_file(path, FLASH_MAX_LEN, &bytes, d);

    if (err)
        return err;
    if (bytes.len > part->len)
        err = diag_fail(d, DIAG_STAGE_WRITE, ESP_ERR_INVALID_SIZE,
                        "%s has %zu bytes, partition %s holds %u",
                        text_name(path).text, bytes.len, part->label,
                        (unsigned)part->len);
    if (!err)
        err = part_erase(dev, part, d);
    if (!err && bytes.len > 0) {
        err = part_prog(&dev->parts, part, 0, bytes.ptr, bytes.len);
        if (err)
            err = op_fail(dev, part, err, d);
    }
    cli_bytes_free(&bytes);
    return err;
}

/* *part is set when there is one of that label. */
static esp_err_t part_run(const struct cli_verb *verb, struct device *dev,
                          const struct cli_args *args,
                          const struct part_entry **part, struct diag *d)
{
    esp_err_t err = device_need_table(dev, d);

    if (err)
        return err;
    *part = device_part(dev, args->val[1], d);
    if (!*part)
        return d->err;
    if (verb == &read_verb)
        return part_to_file(dev, *part, args->cnt > 2 ? args->val[2] : NULL, d);
    if (verb == &write_verb)
        return file_to_part(dev, *part, args->val[2], d);
    return part_erase(dev, *part, d);
}

static cJSON *part_json(const struct cli_args *args,
                        const struct part_entry *part)
{
    char label[PART_LABEL_LEN + 1];
    cJSON *obj = cJSON_CreateObject();

    (void)text_clean(span_str(part->label), label, sizeof(label));
    if (obj && cJSON_AddStringToObject(obj, "label", label) &&
        cJSON_AddNumberToObject(obj, "offset", part->off) &&
        cJSON_AddNumberToObject(obj, "size", part->len) &&
        (args->cnt < 3 || cJSON_AddStringToObject(obj, "file", args->val[2])))
        return obj;
    cJSON_Delete(obj);
    return NULL;
}

static int part_verb(const struct cli_verb *verb, int argc, char **argv)
{
    static struct device dev;
    /* The options of the bootloader do not matter here: a file whose record
     * of them is damaged must stay repairable. */
    struct part_opts o = { .dev = DEVICE_ARGS };
    const struct part_entry *part = NULL;
    struct diag d = DIAG_NONE;
    struct cli_args args;
    int status = cli_parse(verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    if (verb == &read_verb && o.json &&
        (args.cnt < 3 || cli_is_stdout(args.val[2])))
        return cli_usage(verb, "--json and the partition cannot both go to "
                               "standard output; name a FILE");
    o.dev.rollback = CLI_ON;
    if (device_open(&dev, args.val[0],
                    verb == &read_verb ? LINUX_FLASH_READ : LINUX_FLASH_WRITE,
                    &o.dev, &d) ||
        part_run(verb, &dev, &args, &part, &d))
        status = cli_fail(verb, &d, o.json);
    else if (o.json)
        status = cli_json_print(verb, part_json(&args, part), CLI_DONE);
    else
        status = cli_finish(verb, CLI_DONE);
    device_close(&dev);
    return status;
}

static int flash_read(int argc, char **argv)
{
    return part_verb(&read_verb, argc, argv);
}

static int flash_write(int argc, char **argv)
{
    return part_verb(&write_verb, argc, argv);
}

static int flash_erase(int argc, char **argv)
{
    return part_verb(&erase_verb, argc, argv);
}

int cmd_flash(int argc, char **argv)
{
    static const struct cli_sub subs[] = {
        { "create", "make the flash of a device", flash_create },
        { "show", "what is in it", flash_show },
        { "read", "copy a partition into a file", flash_read },
        { "write", "copy a file into a partition", flash_write },
        { "erase", "erase a partition", flash_erase },
        { "map", "draw what lies where", flash_map },
    };

    return cli_dispatch("flash", subs, sizeof(subs) / sizeof(subs[0]), argc,
                        argv);
}
