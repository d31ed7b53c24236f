/* porta flash map */
#include "cmd_flash.h"

#include <string.h>

#include "device_ctx.h"
#include "flash_map.h"

struct map_opts {
    struct device_args dev;
    const char *out;
    bool svg;
};

static const struct cli_opt options[] = {
    { "-o", "FILE", "where the picture goes (standard output)", CLI_KIND_TEXT,
      offsetof(struct map_opts, out) },
    { "--svg", NULL, "as SVG, as it is without; porta explain has it, too",
      CLI_KIND_FLAG, offsetof(struct map_opts, svg) },
    DEVICE_OPTS_CHIP(struct map_opts, dev),
    DEVICE_OPTS_BOOT(struct map_opts, dev),
    CLI_OPT_END,
};

static const struct cli_verb verb = {
    .name = "flash map",
    .usage = "FLASH",
    .summary = "draw a flash file as SVG: what lies where, and what boots",
    .text = "Partitions are as high as they are long; beside them stand the "
            "versions of\ntheir images and what the boot records say. The "
            "arrow is the next boot.",
    .example = "porta flash map device.bin -o device.svg",
    .opts = options,
    .arg_min = 1,
    .arg_max = 1,
};

int flash_map(int argc, char **argv)
{
    static struct device dev;
    struct map_opts o = { .dev = DEVICE_ARGS };
    struct svg svg = SVG_CLOSED;
    struct span text = span_of(NULL, 0);
    struct diag d = DIAG_NONE;
    struct cli_args args;
    int status = cli_parse(&verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    if (cli_json() && cli_is_stdout(o.out))
        return cli_usage(&verb, "--json and the picture cannot both go to "
                                "standard output; give -o FILE");
    if (cli_other_file(o.out, args.val[0], &d) == ESP_OK &&
        device_open(&dev, args.val[0], LINUX_FLASH_READ, &o.dev, &d) ==
            ESP_OK &&
        device_need_table(&dev, &d) == ESP_OK &&
        flash_map_svg(&dev, args.val[0], &svg, &text) != ESP_OK)
        (void)diag_fail(&d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
    status = cli_put(&verb, o.out, text, &d);
    svg_free(&svg);
    device_close(&dev);
    return status;
}
