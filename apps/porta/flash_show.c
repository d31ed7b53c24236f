#include "flash_show.h"

#include <string.h>

#include "base/text.h"
#include "image/text.h"
#include "part/words.h"
#include "table_load.h"
#include "trial_show.h"

static bool add(cJSON *obj, const char *name, cJSON *item)
{
    if (item && cJSON_AddItemToObject(obj, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static bool append(cJSON *list, cJSON *item)
{
    if (item && cJSON_AddItemToArray(list, item))
        return true;
    cJSON_Delete(item);
    return false;
}

/* NULL when memory ran out: what was built is freed. */
static cJSON *keep_if(cJSON *obj, bool ok)
{
    if (ok)
        return obj;
    cJSON_Delete(obj);
    return NULL;
}

static cJSON *record_json(const struct ota_rec *rec)
{
    cJSON *obj = cJSON_CreateObject();

    return keep_if(
        obj,
        obj && add(obj, "seq", cJSON_CreateNumber(rec->seq)) &&
            add(obj, "state", cJSON_CreateString(ota_state_name(rec->state))) &&
            add(obj, "crc_ok", cJSON_CreateBool(ota_rec_crc_ok(rec))));
}

cJSON *flash_otadata_json(const struct boot_result *r)
{
    cJSON *list = cJSON_CreateArray();
    bool ok = list != NULL;

    for (int i = 0; ok && r->has_otadata && i < 2; i++)
        ok = append(list, record_json(&r->otadata.rec[i]));
    return keep_if(list, ok);
}

static cJSON *text_json(const char *text)
{
    char clean[64];

    return cJSON_CreateString(text_clean(span_str(text), clean, sizeof(clean)));
}

static cJSON *desc_json(const struct img_header *header,
                        const struct img_desc *desc)
{
    cJSON *obj = cJSON_CreateObject();
    char name[16];

    return keep_if(
        obj, obj && add(obj, "project", text_json(desc->project)) &&
                 add(obj, "version", text_json(desc->version)) &&
                 add(obj, "secure_version",
                     cJSON_CreateNumber(desc->secure_version)) &&
                 add(obj, "date", text_json(desc->date)) &&
                 add(obj, "time", text_json(desc->time)) &&
                 add(obj, "idf_ver", text_json(desc->idf_ver)) &&
                 add(obj, "chip_name",
                     cJSON_CreateString(img_chip_name(header->chip_id, name))));
}

static cJSON *slot_json(struct device *dev, const struct part_entry *part)
{
    cJSON *obj = cJSON_CreateObject();
    struct img_header header;
    struct img_desc desc;
    bool found = device_image_head(dev, part, &header, &desc);

    return keep_if(
        obj, obj && add(obj, "label", text_json(part->label)) &&
                 add(obj, "description",
                     found ? desc_json(&header, &desc) : cJSON_CreateNull()));
}

static cJSON *slots_json(struct device *dev)
{
    const struct part_table *table = &dev->parts.table;
    cJSON *list = cJSON_CreateArray();
    bool ok = list != NULL;

    for (uint32_t i = 0; ok && i < table->cnt; i++)
        if (table->entries[i].type == PART_TYPE_APP)
            ok = append(list, slot_json(dev, &table->entries[i]));
    return keep_if(list, ok);
}

static cJSON *options_json(const struct device *dev)
{
    cJSON *obj = cJSON_CreateObject();

    return keep_if(
        obj,
        obj && add(obj, "stored", cJSON_CreateBool(dev->has_opts)) &&
            add(obj, "rollback",
                cJSON_CreateBool(pol_rollback(&dev->policy))) &&
            add(obj, "anti_rollback",
                cJSON_CreateBool(pol_anti_rollback(&dev->policy))) &&
            add(obj, "require_hash",
                cJSON_CreateBool(pol_require_hash(&dev->policy))) &&
            add(obj, "require_signed",
                cJSON_CreateBool(pol_require_signed(&dev->policy))) &&
            add(obj, "signed_on_boot",
                cJSON_CreateBool(pol_boot_signed(&dev->policy))) &&
            add(obj, "trial_boots",
                cJSON_CreateNumber(pol_trial_boots(&dev->policy))) &&
            add(obj, "trial_power",
                cJSON_CreateNumber(pol_trial_power(&dev->policy))) &&
            add(obj, "deny_list", cJSON_CreateBool(pol_deny(&dev->policy))));
}

/* No fuses: not known, which is not zero. */
static cJSON *version_json(const struct device *dev)
{
    uint32_t version;

    return device_fuse_version(&dev->fuse, &version)
               ? cJSON_CreateNumber(version)
               : cJSON_CreateNull();
}

cJSON *flash_show_json(struct device *dev)
{
    cJSON *obj = cJSON_CreateObject();
    static struct boot_result next;
    char name[16];

    boot_decide(&dev->boot, &next);
    return keep_if(
        obj,
        obj && add(obj, "size", cJSON_CreateNumber(dev->flash.port.size_len)) &&
            add(obj, "chip", cJSON_CreateNumber(dev->chip_id)) &&
            add(obj, "chip_name",
                cJSON_CreateString(img_chip_name(dev->chip_id, name))) &&
            add(obj, "table", cli_table_json(&dev->parts.table)) &&
            add(obj, "slots", slots_json(dev)) &&
            add(obj, "otadata", flash_otadata_json(&next)) &&
            add(obj, "secure_version", version_json(dev)) &&
            add(obj, "options", options_json(dev)) &&
            add(obj, "verdict", trial_verdict_json(dev)) &&
            add(obj, "denied", trial_denied_json(dev)));
}

void flash_otadata_text(const struct boot_result *r, uint32_t slot_cnt)
{
    if (!r->has_otadata) {
        puts("  none that can be read");
        return;
    }
    for (int i = 0; i < 2; i++) {
        const struct ota_rec *rec = &r->otadata.rec[i];

        if (rec->seq == OTADATA_SEQ_NONE)
            printf("  record %d  blank\n", i);
        else if (!ota_rec_crc_ok(rec) || slot_cnt == 0)
            printf("  record %d  sequence %u, damaged: its checksum is "
                   "wrong\n",
                   i, (unsigned)rec->seq);
        else
            printf("  record %d  sequence %u (ota_%u) %s\n", i,
                   (unsigned)rec->seq,
                   (unsigned)ota_seq_slot(rec->seq, slot_cnt),
                   ota_state_name(rec->state));
    }
    if (r->otadata.redo_open)
        printf("  a change of record %u was cut; the next reset finishes "
               "it\n",
               (unsigned)r->otadata.redo_idx);
}

/* Words where there are some, else numbers. */
static const char *type_text(const struct part_entry *part, char buf[8])
{
    const char *word = part_type_word(part->type);

    snprintf(buf, 8, "0x%02x", part->type);
    return word ? word : buf;
}

static const char *subtype_text(const struct part_entry *part, char buf[8])
{
    const char *word = part_subtype_word(part->type, part->subtype);

    snprintf(buf, 8, "0x%02x", part->subtype);
    return word ? word : buf;
}

static void part_text(struct device *dev, const struct part_entry *part)
{
    struct img_header header;
    struct img_desc desc;
    char label[24], project[64], version[64], chip[16], type[8], subtype[8];

    printf("  %-16s %-5s%-9s 0x%08x  0x%08x",
           text_clean(span_str(part->label), label, sizeof(label)),
           type_text(part, type), subtype_text(part, subtype),
           (unsigned)part->off, (unsigned)part->len);
    if (part->type == PART_TYPE_APP &&
        device_image_head(dev, part, &header, &desc))
        printf("  %s %s for %s",
               text_clean(span_str(desc.project), project, sizeof(project)),
               text_clean(span_str(desc.version), version, sizeof(version)),
               img_chip_name(header.chip_id, chip));
    putchar('\n');
}

const char *flash_signed_text(const struct device *dev)
{
    if (!pol_require_signed(&dev->policy))
        return "not required";
    return pol_boot_signed(&dev->policy)
               ? "required of updates and at each boot"
               : "required of updates, not at boot";
}

/* Only what is not as usual. */
static void options_text(const struct device *dev)
{
    uint32_t boots = pol_trial_boots(&dev->policy);
    uint32_t power = pol_trial_power(&dev->policy);

    if (pol_require_signed(&dev->policy))
        printf("signatures: %s\n", flash_signed_text(dev));
    if (boots > 1 || power > 0)
        printf("trial: ends with reset %u; %u by power are excused\n",
               (unsigned)boots, (unsigned)power);
    if (pol_deny(&dev->policy))
        puts("images that failed are not installed again");
}

int flash_show_text(struct device *dev)
{
    const struct part_table *table = &dev->parts.table;
    static struct boot_result next;
    char name[16], bytes[32], fuses[160];

    boot_decide(&dev->boot, &next);
    printf("%s bytes of flash, chip %s%s\n",
           cli_thousands(dev->flash.port.size_len, bytes, sizeof(bytes)),
           img_chip_name(dev->chip_id, name),
           dev->chip_known ? "" : " (no image tells another)");
    printf("bootloader: %s rollback%s (%s)\n",
           pol_rollback(&dev->policy) ? "with" : "without",
           pol_anti_rollback(&dev->policy) ? " and anti-rollback" : "",
           dev->has_opts ? "stored in the file" : "no options are stored");
    options_text(dev);
    printf("fuses: %s\n", device_fuse_text(&dev->fuse, fuses, sizeof(fuses)));
    printf("\n  %-16s %-14s %-10s  %-10s  image\n", "partition", "type",
           "offset", "size");
    for (uint32_t i = 0; i < table->cnt; i++)
        part_text(dev, &table->entries[i]);
    puts("\notadata:");
    flash_otadata_text(&next, part_ota_cnt(table));
    trial_text(dev);
    return CLI_DONE;
}
