/* porta deny: releases that failed on a device and are not to come back. */
#include <string.h>

#include "base/num.h"
#include "boot/deny.h"
#include "cli_term.h"
#include "cmds.h"
#include "device_ctx.h"
#include "trial_show.h"

struct deny_opts {
    struct device_args dev;
    bool json;
};

static const struct cli_opt options[] = {
    DEVICE_OPTS_CHIP(struct deny_opts, dev),
    CLI_OPT_JSON(struct deny_opts, json),
    CLI_OPT_END,
};

static const struct cli_verb list_verb = {
    .name = "deny list",
    .usage = "FLASH",
    .summary = "list the releases that this device does not install again",
    .text = "A release is named by the SHA-256 of its ELF file, as porta image "
            "info shows it.\nWhether the list is looked at is an option of the "
            "device: porta flash create\n--deny-list, or porta update "
            "--deny-list.",
    .example = "porta deny list device.bin",
    .opts = options,
    .arg_min = 1,
    .arg_max = 1,
};

static const struct cli_verb add_verb = {
    .name = "deny add",
    .usage = "FLASH SHA256",
    .summary = "put a release on the list; the oldest of 8 makes room",
    .example =
        "porta deny add device.bin "
        "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    .opts = options,
    .arg_min = 2,
    .arg_max = 2,
};

static const struct cli_verb clear_verb = {
    .name = "deny clear",
    .usage = "FLASH",
    .summary = "empty the list, and forget what failed last",
    .example = "porta deny clear device.bin",
    .opts = options,
    .arg_min = 1,
    .arg_max = 1,
};

static esp_err_t fail(const struct device *dev, esp_err_t err, struct diag *d)
{
    if (err == ESP_ERR_NO_MEM)
        return diag_fail(d, DIAG_STAGE_WRITE, err,
                         "the log of the boot records is full; the next "
                         "activation of an image makes room");
    return diag_fail(d, DIAG_STAGE_WRITE, err,
                     "the log of the boot records cannot be written: %s",
                     linux_flash_fault(&dev->flash));
}

static esp_err_t need_otadata(const struct device *dev,
                              struct otadata_place *at, struct otadata *o,
                              struct diag *d)
{
    const struct part_entry *part = boot_otadata_part(&dev->parts.table);
    esp_err_t err = part ? ESP_OK : ESP_ERR_NOT_FOUND;

    if (part) {
        *at = (struct otadata_place){ &dev->flash.port, part->off };
        err = otadata_read(at, part->len, o);
    }
    return err ? diag_fail(d, DIAG_STAGE_FLASH, err,
                           "the partition table has no otadata that can be "
                           "read, so there is no such list")
               : ESP_OK;
}

static esp_err_t act(const struct cli_verb *verb, struct device *dev,
                     const struct cli_args *args, struct diag *d)
{
    uint8_t digest[OTADATA_DIGEST_LEN];
    struct otadata_place at;
    struct otadata o;
    esp_err_t err = device_need_table(dev, d);

    if (!err)
        err = need_otadata(dev, &at, &o, d);
    if (err || verb == &list_verb)
        return err;
    if (verb == &clear_verb) {
        err = otadata_deny_clear(&at, &o);
        return err ? fail(dev, err, d) : ESP_OK;
    }
    err = num_parse_hex(span_str(args->val[1]), digest, sizeof(digest));
    if (err)
        return diag_fail(d, DIAG_STAGE_ARGS, err,
                         "'%s' is no SHA-256: it has 64 hexadecimal digits",
                         args->val[1]);
    err = otadata_deny_add(&at, &o, digest);
    return err ? fail(dev, err, d) : ESP_OK;
}

static int print(const struct cli_verb *verb, const struct device *dev,
                 bool json)
{
    cJSON *list = trial_denied_json(dev), *item, *obj;

    if (!json) {
        cJSON_ArrayForEach(item, list) puts(item->valuestring);
        if (cJSON_GetArraySize(list) == 0)
            term_note("porta %s: no release is denied\n", verb->name);
        cJSON_Delete(list);
        return cli_finish(verb, CLI_DONE);
    }
    obj = cJSON_CreateObject();
    if (!obj || !list || !cJSON_AddItemToObject(obj, "denied", list)) {
        cJSON_Delete(list);
        cJSON_Delete(obj);
        obj = NULL;
    }
    return cli_json_print(verb, obj, CLI_DONE);
}

static int run(const struct cli_verb *verb, int argc, char **argv)
{
    static struct device dev;
    struct deny_opts o = { .dev = DEVICE_ARGS };
    struct diag d = DIAG_NONE;
    struct cli_args args;
    int status = cli_parse(verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    o.dev.rollback = CLI_ON; /* the bootloader's options do not matter here */
    if (device_open(&dev, args.val[0],
                    verb == &list_verb ? LINUX_FLASH_READ : LINUX_FLASH_WRITE,
                    &o.dev, &d) ||
        act(verb, &dev, &args, &d))
        status = cli_fail(verb, &d, o.json);
    else
        status = print(verb, &dev, o.json);
    device_close(&dev);
    return status;
}

static int deny_list(int argc, char **argv)
{
    return run(&list_verb, argc, argv);
}

static int deny_add(int argc, char **argv)
{
    return run(&add_verb, argc, argv);
}

static int deny_clear(int argc, char **argv)
{
    return run(&clear_verb, argc, argv);
}

int cmd_deny(int argc, char **argv)
{
    static const struct cli_sub subs[] = {
        { "list", "the releases on it", deny_list },
        { "add", "put one on it", deny_add },
        { "clear", "empty it", deny_clear },
    };

    return cli_dispatch("deny", subs, sizeof(subs) / sizeof(subs[0]), argc,
                        argv);
}
