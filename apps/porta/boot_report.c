#include "boot_report.h"

#include <string.h>

#include "base/text.h"
#include "flash_show.h"
#include "image/text.h"
#include "trial_show.h"

static cJSON *name_or_null(const struct boot_result *r)
{
    if (r->plan.action != BOOT_ACT_BOOT)
        return cJSON_CreateNull();
    return cJSON_CreateString(boot_choice_name(r->plan.choice));
}

static bool put(cJSON *obj, const char *name, cJSON *item)
{
    if (item && cJSON_AddItemToObject(obj, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static bool put_writes(cJSON *obj, const struct boot_plan *plan)
{
    cJSON *list = cJSON_AddArrayToObject(obj, "writes");

    for (uint32_t i = 0; list && i < plan->mark_cnt; i++) {
        const struct boot_mark *m = &plan->marks[i];
        cJSON *item = cJSON_CreateObject();

        if (!item || !cJSON_AddItemToArray(list, item)) {
            cJSON_Delete(item);
            return false;
        }
        if (!put(item, "record", cJSON_CreateNumber(m->rec_idx)) ||
            !put(item, "state",
                 cJSON_CreateString(ota_state_name(m->rec.state))) ||
            !put(item, "trial", trial_event_json(&m->event)))
            return false;
    }
    return list != NULL;
}

static bool put_fallbacks(cJSON *obj, const struct boot_plan *plan)
{
    cJSON *list = cJSON_AddArrayToObject(obj, "fallbacks");

    for (uint32_t i = 0; list && i < plan->fallback_cnt; i++) {
        cJSON *item = cJSON_CreateString(boot_choice_name(plan->fallbacks[i]));

        if (!item || !cJSON_AddItemToArray(list, item)) {
            cJSON_Delete(item);
            return false;
        }
    }
    return list != NULL;
}

/* With anti-rollback: what the fuses say, and what they will. */
static bool put_fuses(cJSON *obj, const struct device *dev,
                      const struct boot_result *r)
{
    bool on = pol_anti_rollback(&dev->policy);
    bool known = on && r->fuse_version != UINT32_MAX;
    bool raises = known && r->plan.raise_to > r->fuse_version;

    return put(obj, "anti_rollback", cJSON_CreateBool(on)) &&
           put(obj, "secure_version",
               known ? cJSON_CreateNumber(r->fuse_version)
                     : cJSON_CreateNull()) &&
           put(obj, "raises_to",
               raises ? cJSON_CreateNumber(r->plan.raise_to)
                      : cJSON_CreateNull());
}

cJSON *boot_report_json(const struct device *dev, const struct boot_result *r)
{
    const struct boot_plan *plan = &r->plan;
    cJSON *obj = cJSON_CreateObject();

    if (obj && put(obj, "boot", name_or_null(r)) &&
        put(obj, "action",
            cJSON_CreateString(plan->action == BOOT_ACT_BOOT ? "boot"
                                                             : "reset")) &&
        put(obj, "reason",
            cJSON_CreateString(boot_reason_text(plan->reason))) &&
        put_writes(obj, plan) && put_fallbacks(obj, plan) &&
        put(obj, "otadata", flash_otadata_json(r)) &&
        put(obj, "verdict", trial_verdict_json(dev)) &&
        put(obj, "denied", trial_denied_json(dev)) &&
        put(obj, "require_signed",
            cJSON_CreateBool(pol_require_signed(&dev->policy))) &&
        put(obj, "signed_on_boot",
            cJSON_CreateBool(pol_boot_signed(&dev->policy))) &&
        put_fuses(obj, dev, r))
        return obj;
    cJSON_Delete(obj);
    return NULL;
}

static void say_image(struct device *dev, const struct part_entry *part)
{
    struct img_header header;
    struct img_desc desc;
    char project[64], version[64];

    if (device_image_head(dev, part, &header, &desc))
        printf(", %s %s",
               text_clean(span_str(desc.project), project, sizeof(project)),
               text_clean(span_str(desc.version), version, sizeof(version)));
}

struct why {
    char text[256];
};

static void why_too_old(const struct device *dev, const struct boot_result *r,
                        uint32_t choice, struct why *out)
{
    struct img_header header;
    struct img_desc desc;

    if (device_image_head(dev, boot_part(&dev->parts.table, choice), &header,
                          &desc))
        snprintf(out->text, sizeof(out->text),
                 "its secure version is %u, and this device starts %u and "
                 "above only",
                 (unsigned)desc.secure_version, (unsigned)r->fuse_version);
    else
        snprintf(out->text, sizeof(out->text),
                 "it holds nothing that says its secure version");
}

static const char *why_bad(const struct device *dev,
                           const struct boot_result *r, uint32_t choice,
                           struct why *out)
{
    if (r->err[choice] == ESP_ERR_OTA_SMALL_SEC_VER)
        why_too_old(dev, r, choice, out);
    else if (r->fault[choice].kind == IMG_FAULT_NONE)
        snprintf(out->text, sizeof(out->text), "%s", err_name(r->err[choice]));
    else
        img_fault_text(&r->fault[choice], out->text, sizeof(out->text));
    return out->text;
}

static void say_candidates(struct device *dev, const struct boot_result *r)
{
    struct why why;

    puts("\ncandidates:");
    for (uint32_t i = 0; i < BOOT_CHOICES; i++) {
        const struct part_entry *part =
            dev->table_diag.err ? NULL : boot_part(&dev->parts.table, i);

        if (!part)
            continue;
        printf("  %-8s ", boot_choice_name(i));
        if (r->err[i])
            printf("refused: %s", why_bad(dev, r, i, &why));
        else if (r->plan.action == BOOT_ACT_BOOT && r->plan.choice == i)
            printf("verified");
        else
            printf("not looked at");
        say_image(dev, part);
        putchar('\n');
    }
}

static void say_mark(const struct boot_mark *m)
{
    printf("  record %u := sequence %u, %s", (unsigned)m->rec_idx,
           (unsigned)m->rec.seq, ota_state_name(m->rec.state));
    if (m->event.kind == OTA_EVENT_STARTED)
        printf(", a trial after %u resets that count and %u excused",
               (unsigned)m->event.charged, (unsigned)m->event.power);
    putchar('\n');
}

static void say_writes(const struct boot_plan *plan, bool done)
{
    if (plan->mark_cnt == 0) {
        puts(done ? "\nwrote nothing" : "\nwrites nothing");
        return;
    }
    puts(done ? "\nwrote:" : "\nwrites:");
    for (uint32_t i = 0; i < plan->mark_cnt; i++)
        say_mark(&plan->marks[i]);
}

static void say_fuses(const struct device *dev, const struct boot_result *r,
                      bool done)
{
    char text[160];

    if (!pol_anti_rollback(&dev->policy))
        return;
    printf("\nfuses: %s\n", device_fuse_text(&dev->fuse, text, sizeof(text)));
    if (!r->fuse_err && r->plan.raise_to > r->fuse_version)
        printf("  %s from %u to %u: a confirmed image boots\n",
               done ? "raised" : "they rise", (unsigned)r->fuse_version,
               (unsigned)r->plan.raise_to);
}

const char *boot_report_why(const struct device *dev,
                            const struct boot_result *r, uint32_t choice,
                            char out[256])
{
    struct why why;

    snprintf(out, 256, "%s", why_bad(dev, r, choice, &why));
    return out;
}

void boot_report_text(struct device *dev, const struct boot_result *r,
                      bool done)
{
    const struct boot_plan *plan = &r->plan;

    if (plan->action == BOOT_ACT_BOOT) {
        printf("%s %s", done ? "booted" : "boots",
               boot_choice_name(plan->choice));
        if (r->part)
            say_image(dev, r->part);
        putchar('\n');
    } else {
        puts("nothing boots");
    }
    printf("why: %s\n", boot_reason_text(plan->reason));
    if (dev->table_diag.err)
        printf("     %s\n", dev->table_diag.text);
    puts("\notadata:");
    flash_otadata_text(r, part_ota_cnt(&dev->parts.table));
    say_candidates(dev, r);
    if (pol_require_signed(&dev->policy))
        printf("\nsignatures: %s\n", flash_signed_text(dev));
    if (plan->action == BOOT_ACT_BOOT && plan->fallback_cnt > 0) {
        printf("\nif it did not verify:");
        for (uint32_t i = 0; i < plan->fallback_cnt; i++)
            printf(" %s", boot_choice_name(plan->fallbacks[i]));
        putchar('\n');
    }
    say_fuses(dev, r, done);
    say_writes(plan, done);
    trial_text(dev);
}

esp_err_t boot_report_nothing(const struct device *dev,
                              const struct boot_result *r, struct diag *d)
{
    struct why why;

    if (dev->table_diag.err)
        return diag_fail(d, DIAG_STAGE_BOOT, dev->table_diag.err,
                         "nothing boots: %s", dev->table_diag.text);
    if (r->plan.reason == BOOT_WHY_NO_FUSES)
        return diag_fail(
            d, DIAG_STAGE_BOOT, r->fuse_err, "nothing boots: %s; fuses: %s",
            boot_reason_text(r->plan.reason),
            device_fuse_text(&dev->fuse, why.text, sizeof(why.text)));
    for (uint32_t i = 0; i < BOOT_CHOICES; i++)
        if (r->err[i])
            return diag_fail(d, DIAG_STAGE_BOOT, r->err[i],
                             "nothing boots: %s is refused: %s",
                             boot_choice_name(i), why_bad(dev, r, i, &why));
    return diag_fail(d, DIAG_STAGE_BOOT, ESP_ERR_NOT_FOUND, "nothing boots: %s",
                     boot_reason_text(r->plan.reason));
}
