/* porta explain, porta reset: one boot decision, thought or carried out. */
#include "board.h"
#include "boot_report.h"
#include "cmds.h"
#include "device_fuse.h"

struct explain_opts {
    struct device_args dev;
    const char *reason;
    bool json;
};

static const struct cli_opt options[] = {
    DEVICE_OPTS_CHIP(struct explain_opts, dev),
    DEVICE_OPTS_BOOT(struct explain_opts, dev),
    { "--reason", "software|power-on|panic|watchdog|brownout|unknown",
      "of the reset (software)", CLI_KIND_TEXT,
      offsetof(struct explain_opts, reason) },
    CLI_OPT_JSON(struct explain_opts, json),
    CLI_OPT_END,
};

static const struct cli_verb explain_verb = {
    .name = "explain",
    .usage = "FLASH",
    .summary = "Says what boots at the next reset, and why. Never writes.",
    .text = "It asks the bootloader's own decision, so a real bootloader with\n"
            "the same options does the same.",
    .example = "porta explain device.bin\n"
               "porta explain device.bin --json --no-rollback",
    .opts = options,
    .arg_min = 1,
    .arg_max = 1,
};

static const struct cli_verb reset_verb = {
    .name = "reset",
    .usage = "FLASH",
    .summary = "Does what the bootloader does at a reset: one pass, with its "
               "writes.",
    .text = "A new image becomes PENDING_VERIFY; one that was not confirmed "
            "since the\nlast reset is given up.",
    .example = "porta reset device.bin",
    .opts = options,
    .arg_min = 1,
    .arg_max = 1,
};

static int print(const struct cli_verb *verb, struct device *dev,
                 struct boot_result *r, bool json)
{
    bool done = verb == &reset_verb;

    if (json)
        return cli_json_print(verb, boot_report_json(dev, r), CLI_DONE);
    boot_report_text(dev, r, done);
    return cli_finish(verb, CLI_DONE);
}

/* The records as they are now, so that the report of a reset shows them. */
static void reread(struct device *dev, struct boot_result *r)
{
    const struct part_entry *part = boot_otadata_part(&dev->parts.table);
    struct otadata_place at = { &dev->flash.port, part ? part->off : 0 };

    r->has_otadata =
        part && otadata_read(&at, part->len, &r->otadata) == ESP_OK;
}

static esp_err_t reset_run(struct device *dev, struct boot_result *r,
                           struct diag *d)
{
    char text[160];

    boot_run(&dev->boot, r);
    if (r->write_err)
        return diag_fail(d, DIAG_STAGE_WRITE, r->write_err,
                         "the boot records cannot be written: %s",
                         linux_flash_fault(&dev->flash));
    if (r->fuse_err && r->plan.action == BOOT_ACT_BOOT)
        return diag_fail(d, DIAG_STAGE_WRITE, r->fuse_err,
                         "the secure version cannot be raised to %u: %s",
                         (unsigned)r->plan.raise_to,
                         device_fuse_text(dev, text, sizeof(text)));
    if (!dev->table_diag.err)
        reread(dev, r);
    if (r->plan.action != BOOT_ACT_BOOT)
        return boot_report_nothing(dev, r, d);
    return ESP_OK;
}

static esp_err_t find_reason(const char *name, struct device *dev,
                             struct diag *d)
{
    dev->boot.reset_reason = PORT_RESET_SW;
    if (!name || board_reset_by_name(name, &dev->boot.reset_reason))
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                     "--reason %s: it is software, power-on, panic, watchdog, "
                     "brownout or unknown",
                     name);
}

/* A reset that starts nothing is a failure, and a decision all the same. */
static int reset_print(struct device *dev, struct boot_result *r, bool json,
                       struct diag *d)
{
    cJSON *obj;

    if (reset_run(dev, r, d) == ESP_OK)
        return print(&reset_verb, dev, r, json);
    if (!json || r->write_err)
        return cli_fail(&reset_verb, d, json);
    (void)cli_fail(&reset_verb, d, false);
    obj = boot_report_json(dev, r);
    if (obj)
        cJSON_AddItemToObject(obj, "error", cli_json_error(d));
    return cli_json_print(&reset_verb, obj, CLI_FAILED);
}

static int run(const struct cli_verb *verb, int argc, char **argv)
{
    static struct device dev;
    static struct boot_result result;
    struct explain_opts o = { .dev = DEVICE_ARGS };
    struct diag d = DIAG_NONE;
    struct cli_args args;
    int status = cli_parse(verb, argc, argv, &o, &args);
    bool write = verb == &reset_verb;

    if (status != CLI_GO)
        return status;
    o.dev.burns = write;
    if (device_open(&dev, args.val[0],
                    write ? LINUX_FLASH_WRITE : LINUX_FLASH_READ, &o.dev,
                    &d) != ESP_OK ||
        find_reason(o.reason, &dev, &d) != ESP_OK) {
        status = cli_fail(verb, &d, o.json);
    } else if (write) {
        status = reset_print(&dev, &result, o.json, &d);
    } else {
        boot_decide(&dev.boot, &result);
        status = print(verb, &dev, &result, o.json);
    }
    device_close(&dev);
    return status;
}

int cmd_explain(int argc, char **argv)
{
    return run(&explain_verb, argc, argv);
}

int cmd_reset(int argc, char **argv)
{
    return run(&reset_verb, argc, argv);
}
