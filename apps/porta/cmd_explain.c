/* porta explain, porta reset: one boot decision, thought or carried out. */
#include <stdlib.h>

#include "board.h"
#include "boot_picture.h"
#include "boot_report.h"
#include "cmds.h"

struct explain_opts {
    struct device_args dev;
    const char *reason, *out;
    bool json, dot, svg;
};

#define OPT_REASON                                                       \
    {                                                                    \
        "--reason",                                                      \
            "software|power-on|panic|task-watchdog|watchdog|deep-sleep|" \
            "brownout|unknown",                                          \
            "of the reset (software)", CLI_KIND_TEXT,                    \
            offsetof(struct explain_opts, reason)                        \
    }

static const struct cli_opt options[] = {
    DEVICE_OPTS_CHIP(struct explain_opts, dev),
    DEVICE_OPTS_BOOT(struct explain_opts, dev),
    OPT_REASON,
    CLI_OPT_JSON(struct explain_opts, json),
    CLI_OPT_END,
};

static const struct cli_opt explain_options[] = {
    DEVICE_OPTS_CHIP(struct explain_opts, dev),
    DEVICE_OPTS_BOOT(struct explain_opts, dev),
    OPT_REASON,
    { "--dot", NULL, "the decision as a graph, for graphviz", CLI_KIND_FLAG,
      offsetof(struct explain_opts, dot) },
    { "--svg", NULL, "the same as a picture", CLI_KIND_FLAG,
      offsetof(struct explain_opts, svg) },
    { "-o", "FILE", "where graph or picture go (standard output)",
      CLI_KIND_TEXT, offsetof(struct explain_opts, out) },
    CLI_OPT_JSON(struct explain_opts, json),
    CLI_OPT_END,
};

static const struct cli_verb explain_verb = {
    .name = "explain",
    .usage = "FLASH",
    .summary = "say what boots at the next reset, and why; never writes",
    .text =
        "It asks the bootloader's own decision, so a real bootloader with\n"
        "the same options does the same. In graph and picture the way that\n"
        "was gone is drawn bold, what would be asked next is dashed.",
    .example = "porta explain device.bin\n"
               "porta explain device.bin --json --no-rollback\n"
               "porta explain device.bin --svg -o decision.svg\n"
               "porta explain device.bin --dot | dot -Tpng -o decision.png",
    .opts = explain_options,
    .arg_min = 1,
    .arg_max = 1,
};

static const struct cli_verb reset_verb = {
    .name = "reset",
    .usage = "FLASH",
    .summary = "do what the bootloader does at a reset: one pass, with "
               "its writes",
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
                         device_fuse_text(&dev->fuse, text, sizeof(text)));
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
                     "--reason %s: it is software, power-on, panic, "
                     "task-watchdog, watchdog, deep-sleep, brownout or unknown",
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

/* Graph or picture, into a file or to standard output. */
static int draw(const struct explain_opts *o, struct device *dev,
                const struct boot_result *r)
{
    static struct picture picture;
    struct svg svg = SVG_CLOSED;
    struct span text = span_of(NULL, 0);
    struct diag d = DIAG_NONE;
    char *dot = NULL;
    size_t dot_len = 0;
    FILE *to = o->dot ? open_memstream(&dot, &dot_len) : NULL;
    esp_err_t err = ESP_OK;
    int status;

    boot_picture(dev, r, &picture);
    if (to) {
        boot_picture_dot(&picture, to);
        if (fclose(to) == 0)
            text = span_of(dot, dot_len);
    } else if (o->svg) {
        err = boot_picture_svg(&picture, &svg, &text);
    }
    if (err || text.len == 0)
        (void)diag_fail(&d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
    status = cli_put(&explain_verb, o->out, text, &d);
    svg_free(&svg);
    free(dot);
    return status;
}

static int check_drawing(const struct explain_opts *o)
{
    bool draws = o->dot || o->svg;

    if (o->dot && o->svg)
        return cli_usage(&explain_verb, "--dot or --svg, not both");
    if (o->out && !draws)
        return cli_usage(&explain_verb, "-o FILE is for --dot and --svg");
    if (draws && o->json && cli_is_stdout(o->out))
        return cli_usage(&explain_verb, "--json and the drawing cannot both go "
                                        "to standard output; give -o FILE");
    return CLI_GO;
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

    if (status == CLI_GO)
        status = check_drawing(&o);
    if (status != CLI_GO)
        return status;
    o.dev.burns = write;
    if (cli_other_file(o.out, args.val[0], &d) != ESP_OK ||
        device_open(&dev, args.val[0],
                    write ? LINUX_FLASH_WRITE : LINUX_FLASH_READ, &o.dev,
                    &d) != ESP_OK ||
        find_reason(o.reason, &dev, &d) != ESP_OK) {
        status = cli_fail(verb, &d, o.json);
    } else if (write) {
        status = reset_print(&dev, &result, o.json, &d);
    } else {
        boot_decide(&dev.boot, &result);
        status = o.dot || o.svg ? draw(&o, &dev, &result)
                                : print(verb, &dev, &result, o.json);
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
