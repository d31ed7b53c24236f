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
        put(obj, "denied", trial_denied_json(dev)))
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

static const char *why_bad(const struct boot_result *r, uint32_t choice,
                           char *text, size_t len)
{
    if (r->fault[choice].kind == IMG_FAULT_NONE)
        snprintf(text, len, "%s", err_name(r->err[choice]));
    else
        img_fault_text(&r->fault[choice], text, len);
    return text;
}

static void say_candidates(struct device *dev, const struct boot_result *r)
{
    char text[256];

    puts("\ncandidates:");
    for (uint32_t i = 0; i < BOOT_CHOICES; i++) {
        const struct part_entry *part =
            dev->table_diag.err ? NULL : boot_part(&dev->parts.table, i);

        if (!part)
            continue;
        printf("  %-8s ", boot_choice_name(i));
        if (r->err[i])
            printf("refused: %s", why_bad(r, i, text, sizeof(text)));
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
    if (plan->action == BOOT_ACT_BOOT && plan->fallback_cnt > 0) {
        printf("\nif it did not verify:");
        for (uint32_t i = 0; i < plan->fallback_cnt; i++)
            printf(" %s", boot_choice_name(plan->fallbacks[i]));
        putchar('\n');
    }
    say_writes(plan, done);
    trial_text(dev);
}

esp_err_t boot_report_nothing(const struct device *dev,
                              const struct boot_result *r, struct diag *d)
{
    char text[256];

    if (dev->table_diag.err)
        return diag_fail(d, DIAG_STAGE_BOOT, dev->table_diag.err,
                         "nothing boots: %s", dev->table_diag.text);
    for (uint32_t i = 0; i < BOOT_CHOICES; i++)
        if (r->err[i])
            return diag_fail(d, DIAG_STAGE_BOOT, r->err[i],
                             "nothing boots: %s is refused: %s",
                             boot_choice_name(i),
                             why_bad(r, i, text, sizeof(text)));
    return diag_fail(d, DIAG_STAGE_BOOT, ESP_ERR_NOT_FOUND, "nothing boots: %s",
                     boot_reason_text(r->plan.reason));
}
