/* boot/input.c - gather what the decision reads. */
#include "boot/exec.h"

#include <string.h>

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
}

void boot_gather(const struct boot_env *env, struct boot_in *in,
                 struct otadata *o)
{
    memset(in, 0, sizeof(*in));
    memset(o, 0, sizeof(*o));
    in->policy = env->policy;
    in->table_ok = env->table != NULL;
    if (!in->table_ok)
        return;
    gather_otadata(env, in, o);
    in->slot_cnt = part_ota_cnt(env->table);
    for (uint32_t i = 0; i < BOOT_CHOICES; i++) {
        const struct part_entry *part = boot_part(env->table, i);
        in->image[i] =
            part && part->len > 0 ? BOOT_IMAGE_UNKNOWN : BOOT_IMAGE_ABSENT;
    }
}
