#include "trial_show.h"

#include <string.h>

#include "base/text.h"
#include "board.h"

static bool add(cJSON *obj, const char *name, cJSON *item)
{
    if (item && cJSON_AddItemToObject(obj, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static bool records(const struct device *dev, struct otadata_place *at,
                    struct otadata *o)
{
    const struct part_entry *part =
        dev->table_diag.err ? NULL : boot_otadata_part(&dev->parts.table);

    if (!part)
        return false;
    *at = (struct otadata_place){ &dev->flash.port, part->off };
    return otadata_read(at, part->len, o) == ESP_OK;
}

static bool last_verdict(const struct device *dev, struct ota_event *event)
{
    struct otadata_place at;
    struct otadata o;

    return records(dev, &at, &o) && otadata_verdict(&at, &o, event) == ESP_OK &&
           event->kind != OTA_EVENT_NONE;
}

static const char *words_of(const struct ota_event *event, char *out,
                            size_t out_len)
{
    size_t len = 0;

    while (len < OTA_EVENT_TEXT_LEN && event->text[len])
        len++;
    return text_clean(span_of(event->text, len), out, out_len);
}

/* "ota_1", "" when the table has no slots. */
static const char *slot_name(const struct device *dev, uint32_t seq)
{
    uint32_t cnt = part_ota_cnt(&dev->parts.table);

    return cnt > 0 ? boot_choice_name(ota_seq_slot(seq, cnt)) : "";
}

static bool add_decision(cJSON *obj, const struct device *dev,
                         const struct ota_event *e)
{
    return add(obj, "outcome",
               cJSON_CreateString(ota_event_kind_name(e->kind))) &&
           add(obj, "who", cJSON_CreateString(ota_event_who_name(e->who))) &&
           add(obj, "why", cJSON_CreateString(ota_event_why_text(e->why))) &&
           add(obj, "slot", cJSON_CreateString(slot_name(dev, e->seq)));
}

static bool add_facts(cJSON *obj, const struct ota_event *e)
{
    char words[64];

    return add(obj, "reset_reason",
               cJSON_CreateString(board_reset_name(e->reset_reason))) &&
           add(obj, "resets", cJSON_CreateNumber(e->charged)) &&
           add(obj, "power_resets", cJSON_CreateNumber(e->power)) &&
           add(obj, "uptime_ms",
               e->up_ms == UINT32_MAX ? cJSON_CreateNull()
                                      : cJSON_CreateNumber(e->up_ms)) &&
           add(obj, "conditions", cJSON_CreateNumber(e->conditions)) &&
           add(obj, "words",
               cJSON_CreateString(words_of(e, words, sizeof(words))));
}

cJSON *trial_verdict_json(const struct device *dev)
{
    struct ota_event event;
    cJSON *obj;

    if (!last_verdict(dev, &event))
        return cJSON_CreateNull();
    obj = cJSON_CreateObject();
    if (obj && add_decision(obj, dev, &event) && add_facts(obj, &event))
        return obj;
    cJSON_Delete(obj);
    return NULL;
}

const char *trial_hex(const uint8_t digest[OTADATA_DIGEST_LEN],
                      char out[TRIAL_HEX_LEN])
{
    for (size_t i = 0; i < OTADATA_DIGEST_LEN; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return out;
}

cJSON *trial_denied_json(const struct device *dev)
{
    cJSON *list = cJSON_CreateArray();
    uint8_t digest[OTADATA_DIGEST_LEN];
    char hex[TRIAL_HEX_LEN];
    struct otadata_place at;
    struct otadata o;
    bool ok = records(dev, &at, &o);

    for (uint32_t i = 0;
         list && ok && otadata_deny_get(&at, &o, i, digest) == ESP_OK; i++) {
        cJSON *item = cJSON_CreateString(trial_hex(digest, hex));

        if (item && cJSON_AddItemToArray(list, item))
            continue;
        cJSON_Delete(item);
        cJSON_Delete(list);
        return NULL;
    }
    return list;
}

cJSON *trial_event_json(const struct ota_event *event)
{
    cJSON *obj;

    if (event->kind != OTA_EVENT_STARTED)
        return cJSON_CreateNull();
    obj = cJSON_CreateObject();
    if (obj && add(obj, "resets", cJSON_CreateNumber(event->charged)) &&
        add(obj, "power_resets", cJSON_CreateNumber(event->power)))
        return obj;
    cJSON_Delete(obj);
    return NULL;
}

static void verdict_text(const struct device *dev, const struct ota_event *e)
{
    char words[64];

    printf("\nlast verdict: %s, by the %s: %s %s\n", slot_name(dev, e->seq),
           ota_event_who_name(e->who),
           e->kind == OTA_EVENT_CONFIRMED ? "confirmed," : "given up,",
           ota_event_why_text(e->why));
    printf("  last reset %s; resets that counted %u, excused %u",
           board_reset_name(e->reset_reason), (unsigned)e->charged,
           (unsigned)e->power);
    if (e->up_ms != UINT32_MAX)
        printf("; %u ms after the start", (unsigned)e->up_ms);
    if (e->conditions)
        printf("; conditions 0x%x", (unsigned)e->conditions);
    if (e->text[0])
        printf("; \"%s\"", words_of(e, words, sizeof(words)));
    putchar('\n');
}

static void denied_text(const struct device *dev)
{
    uint8_t digest[OTADATA_DIGEST_LEN];
    char hex[TRIAL_HEX_LEN];
    struct otadata_place at;
    struct otadata o;
    bool ok = records(dev, &at, &o);

    for (uint32_t i = 0; ok && otadata_deny_get(&at, &o, i, digest) == ESP_OK;
         i++)
        printf("%s  %s\n", i == 0 ? "\ndenied:\n" : "", trial_hex(digest, hex));
}

void trial_text(const struct device *dev)
{
    struct ota_event event;

    if (last_verdict(dev, &event))
        verdict_text(dev, &event);
    denied_text(dev);
}
