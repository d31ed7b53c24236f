/* porta explain, porta reset: one boot decision, thought or carried out. */
#include "boot_report.h"
#include "cmds.h"

struct explain_opts {
    struct device_args dev;
    bool json;
};

static const struct cli_opt options[] = {
    DEVICE_OPTS_CHIP(struct explain_opts, dev),
    DEVICE_OPTS_BOOT(struct explain_opts, dev),
    CLI_OPT_LATER("--dot", NULL),
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
        return cli_json_print(verb, boot_report_json(r), CLI_DONE);
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
    boot_run(&dev->boot, r);
    if (r->write_err)
        return diag_fail(d, DIAG_STAGE_WRITE, r->write_err,
                         "the boot records cannot be written: %s",
                         linux_flash_fault(&dev->flash));
    if (!dev->table_diag.err)
        reread(dev, r);
    if (r->plan.action != BOOT_ACT_BOOT)
        return boot_report_nothing(dev, r, d);
    return ESP_OK;
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
    if (device_open(&dev, args.val[0],
                    write ? LINUX_FLASH_WRITE : LINUX_FLASH_READ, &o.dev,
                    &d) != ESP_OK) {
        status = cli_fail(verb, &d, o.json);
    } else if (write) {
        status = reset_run(&dev, &result, &d)
                     ? cli_fail(verb, &d, o.json)
                     : print(verb, &dev, &result, o.json);
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
