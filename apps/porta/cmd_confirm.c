/* porta confirm, porta rollback: what the running application would call. */
#include "boot_report.h"
#include "cmds.h"

struct confirm_opts {
    struct device_args dev;
    bool json;
};

static const struct cli_opt options[] = {
    DEVICE_OPTS_CHIP(struct confirm_opts, dev),
    DEVICE_OPTS_BOOT(struct confirm_opts, dev),
    CLI_OPT_JSON(struct confirm_opts, json),
    CLI_OPT_END,
};

static const struct cli_verb confirm_verb = {
    .name = "confirm",
    .usage = "FLASH",
    .summary = "confirm the running image, as "
               "esp_ota_mark_app_valid_cancel_rollback() does",
    .example = "porta update device.bin https://localhost:8070/app.bin "
               "--cacert porta-certs/ca.pem\n"
               "porta reset device.bin\n"
               "porta confirm device.bin",
    .opts = options,
    .arg_min = 1,
    .arg_max = 1,
};

static const struct cli_verb rollback_verb = {
    .name = "rollback",
    .usage = "FLASH",
    .summary = "give the running image up, as "
               "esp_ota_mark_app_invalid_rollback() does",
    .text = "Refused when there is nothing to go back to. The reset itself is "
            "porta reset.",
    .example = "porta rollback device.bin\nporta reset device.bin",
    .opts = options,
    .arg_min = 1,
    .arg_max = 1,
};

static bool is_new_enough(const struct device *dev,
                          const struct img_receipt *receipt)
{
    uint32_t least;

    return !pol_anti_rollback(&dev->policy) ||
           (device_fuse_version(&dev->fuse, &least) &&
            receipt->secure_version >= least);
}

static bool image_good(struct device *dev, const struct part_entry *part)
{
    struct img_rules rules = dev->boot.rules;
    struct img_check check;
    struct img_receipt receipt;

    if (!part)
        return false;
    rules.kind = IMG_KIND_APP;
    rules.place = IMG_PLACE_SLOT;
    rules.require_hash = pol_require_hash(&dev->policy);
    rules.keys = img_keys_for(pol_require_signed(&dev->policy), &dev->keys);
    return img_check_flash(&dev->flash.port, part->off, part->len, 0, &rules,
                           NULL, dev->buf, sizeof(dev->buf), &check,
                           &receipt) == ESP_OK &&
           receipt.verdict == VERDICT_ACCEPT && is_new_enough(dev, &receipt);
}

/* As esp_ota_check_rollback_is_possible(). */
static bool can_go_back(struct device *dev, const struct boot_result *now,
                        const struct device_running *run)
{
    const struct part_table *table = &dev->parts.table;
    uint32_t choice;

    return boot_way_back(&now->otadata.rec[run->rec_idx ^ 1], run->choice,
                         part_ota_cnt(table), &choice) &&
           image_good(dev, boot_part(table, choice));
}

/* Nobody is kept from anything by a verdict that finds no place. */
static void note(const struct otadata_place *at, struct boot_result *now,
                 const struct device_running *run, enum ota_event_kind kind)
{
    const struct ota_event *last = &now->otadata.event;
    struct ota_event event = { .seq = now->otadata.rec[run->rec_idx].seq,
                               .rec_idx = (uint8_t)run->rec_idx,
                               .kind = (uint8_t)kind,
                               .who = OTA_BY_TOOL,
                               .why = OTA_WHY_CALL,
                               .reset_reason = PORT_RESET_UNKNOWN,
                               .up_ms = UINT32_MAX };

    if (last->kind == OTA_EVENT_STARTED && last->seq == event.seq) {
        event.charged = last->charged;
        event.power = last->power;
    }
    if (otadata_note(at, &now->otadata, &event))
        fputs("porta: the verdict could not be recorded in the log\n", stderr);
}

static esp_err_t need_record(const struct device *dev,
                             const struct boot_result *now,
                             const struct device_running *run, struct diag *d)
{
    if (!run->part)
        return boot_report_nothing(dev, now, d);
    if (run->rec_idx != OTA_REC_NONE)
        return ESP_OK;
    if (run->choice < BOOT_MAX_SLOTS)
        return diag_fail(d, DIAG_STAGE_ACTIVATE, ESP_FAIL,
                         "%s runs and has no boot record yet; porta reset "
                         "writes one",
                         boot_choice_name(run->choice));
    return diag_fail(d, DIAG_STAGE_ACTIVATE, ESP_FAIL,
                     "%s runs: it has no boot record, so there is nothing to "
                     "confirm or to give up",
                     boot_choice_name(run->choice));
}

static esp_err_t set_state(struct device *dev, struct boot_result *now,
                           const struct device_running *run, uint32_t state,
                           struct diag *d)
{
    struct otadata_place at = { &dev->flash.port,
                                boot_otadata_part(&dev->parts.table)->off };
    struct ota_rec rec = now->otadata.rec[run->rec_idx];
    esp_err_t err;

    if (rec.state == state)
        return ESP_OK;
    rec.state = state;
    if (state == OTA_STATE_INVALID)
        note(&at, now, run, OTA_EVENT_GIVEN_UP);
    err = otadata_change(&at, &now->otadata, run->rec_idx, &rec);
    if (!err && state == OTA_STATE_VALID)
        note(&at, now, run, OTA_EVENT_CONFIRMED);
    if (!err)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_ACTIVATE, err,
                     "the boot record cannot be written: %s",
                     linux_flash_fault(&dev->flash));
}

/* What confirmed itself makes older images unusable. */
static esp_err_t raise_fuses(struct device *dev,
                             const struct device_running *run, struct diag *d)
{
    struct img_header header;
    struct img_desc desc;
    esp_err_t err;
    char text[160];

    if (!pol_anti_rollback(&dev->policy) ||
        !device_image_head(dev, run->part, &header, &desc))
        return ESP_OK;
    err = fuse_raise(&dev->fuse.emul.port, desc.secure_version);
    if (!err)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_ACTIVATE, err,
                     "%s is confirmed, but the device's secure version cannot "
                     "be raised to %u (%s): %s",
                     boot_choice_name(run->choice),
                     (unsigned)desc.secure_version, err_name(err),
                     device_fuse_text(&dev->fuse, text, sizeof(text)));
}

static esp_err_t confirm(struct device *dev, struct boot_result *now,
                         const struct device_running *run, struct diag *d)
{
    esp_err_t err = set_state(dev, now, run, OTA_STATE_VALID, d);

    return err ? err : raise_fuses(dev, run, d);
}

static esp_err_t act(const struct cli_verb *verb, struct device *dev,
                     struct device_running *run, struct diag *d)
{
    static struct boot_result now;
    esp_err_t err = device_need_table(dev, d);

    if (err)
        return err;
    device_running(dev, &now, run);
    err = need_record(dev, &now, run, d);
    if (err)
        return err;
    if (verb == &confirm_verb)
        return confirm(dev, &now, run, d);
    if (!can_go_back(dev, &now, run))
        return diag_fail(d, DIAG_STAGE_ACTIVATE, ESP_ERR_OTA_ROLLBACK_FAILED,
                         "%s cannot be given up: no image in another slot with "
                         "a boot record verifies, and there is no factory "
                         "image",
                         boot_choice_name(run->choice));
    return set_state(dev, &now, run, OTA_STATE_INVALID, d);
}

static int print(const struct cli_verb *verb, struct device *dev,
                 const struct device_running *run, bool json)
{
    static struct boot_result next;
    const char *name = boot_choice_name(run->choice);

    boot_decide(&dev->boot, &next);
    if (json)
        return cli_json_print(verb, boot_report_json(dev, &next), CLI_DONE);
    if (verb == &rollback_verb)
        printf("%s is given up; the next reset boots %s\n", name,
               boot_choice_name(next.plan.choice));
    else if (run->state == OTA_STATE_VALID)
        printf("%s was confirmed already\n", name);
    else
        printf("%s is confirmed\n", name);
    return cli_finish(verb, CLI_DONE);
}

static int run_verb(const struct cli_verb *verb, int argc, char **argv)
{
    static struct device dev;
    struct device_running run = { .choice = BOOT_NONE };
    struct confirm_opts o = { .dev = DEVICE_ARGS };
    struct diag d = DIAG_NONE;
    struct cli_args args;
    int status = cli_parse(verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    o.dev.burns = verb == &confirm_verb;
    if (device_open(&dev, args.val[0], LINUX_FLASH_WRITE, &o.dev, &d) ||
        act(verb, &dev, &run, &d))
        status = cli_fail(verb, &d, o.json);
    else
        status = print(verb, &dev, &run, o.json);
    device_close(&dev);
    return status;
}

int cmd_confirm(int argc, char **argv)
{
    return run_verb(&confirm_verb, argc, argv);
}

int cmd_rollback(int argc, char **argv)
{
    return run_verb(&rollback_verb, argc, argv);
}
