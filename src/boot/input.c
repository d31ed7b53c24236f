/* boot/input.c - gather what the decision reads. */
#include "boot/exec.h"

#include <string.h>

#include "base/le.h"

const struct part_entry *boot_part(const struct part_table *table,
                                   uint32_t choice)
{
    if (choice == BOOT_FACTORY)
        return part_find(table, PART_TYPE_APP, PART_APP_FACTORY, NULL);
    if (choice == BOOT_TEST)
        return part_find(table, PART_TYPE_APP, PART_APP_TEST, NULL);
    return choice < BOOT_MAX_SLOTS ? part_ota(table, choice) : NULL;
}

const struct part_entry *boot_otadata_part(const struct part_table *table)
{
    return part_find(table, PART_TYPE_DATA, PART_DATA_OTA, NULL);
}

/* What the description at the start of a partition says; nobody has verified
 * it. */
static uint32_t peek_version(const struct boot_env *env,
                             const struct part_entry *part)
{
    uint8_t head[8];

    if (part->len < IMG_APP_DESC_OFF + sizeof(head) ||
        env->flash->read(env->flash->ctx, part->off + IMG_APP_DESC_OFF, head,
                         sizeof(head)) != ESP_OK ||
        le32_get(head) != IMG_APP_DESC_MAGIC)
        return 0;
    return le32_get(head + 4) + 1;
}

static void gather_otadata(const struct boot_env *env, struct boot_in *in,
                           struct otadata *o)
{
    const struct part_entry *part = boot_otadata_part(env->table);
    in->has_otadata = part != NULL;
    if (!part)
        return;
    struct otadata_place at = { env->flash, part->off };
    in->otadata_ok = otadata_read(&at, part->len, o) == ESP_OK;
    if (!in->otadata_ok)
        return;
    in->rec[0] = o->rec[0];
    in->rec[1] = o->rec[1];
    if (pol_trials())
        in->event = o->event;
}

void boot_gather(const struct boot_env *env, struct boot_in *in,
                 struct otadata *o)
{
    memset(in, 0, sizeof(*in));
    memset(o, 0, sizeof(*o));
    in->policy = env->policy;
    in->reset_reason = env->reset_reason;
    in->table_ok = env->table != NULL;
    if (!in->table_ok)
        return;
    gather_otadata(env, in, o);
    in->slot_cnt = part_ota_cnt(env->table);
    for (uint32_t i = 0; i < BOOT_CHOICES; i++) {
        const struct part_entry *part = boot_part(env->table, i);
        if (!part || part->len == 0)
            continue; /* absent */
        in->image[i] = BOOT_IMAGE_UNKNOWN;
        if (pol_anti_rollback(&env->policy))
            in->secure[i] = peek_version(env, part);
    }
}
