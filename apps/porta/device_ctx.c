#include "device_ctx.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "image/chip.h"
#include "image/key_store.h"
#include "image/text.h"
#include "image/walk.h"
#include "key_file.h"
#include "linux_retry.h"
#include "part/rules.h"

/* Does an image of this kind that verifies start at off? Then *chip_id is its
 * chip. */
static bool image_chip(struct device *dev, enum img_kind kind,
                       const struct part_entry *part, uint16_t *chip_id)
{
    const struct img_rules rules = { .kind = kind,
                                     .place = IMG_PLACE_SLOT,
                                     .any_chip = true };
    struct img_check check;
    struct img_receipt receipt;
    uint8_t magic;

    if (part->len == 0 ||
        dev->flash.port.read(dev->flash.port.ctx, part->off, &magic, 1) !=
            ESP_OK ||
        magic != IMG_MAGIC)
        return false;
    if (img_check_flash(&dev->flash.port, part->off, part->len, 0, &rules, NULL,
                        dev->buf, sizeof(dev->buf), &check, &receipt) != ESP_OK)
        return false;
    *chip_id = check.info.header.chip_id;
    return true;
}

/* A bootloader counts only where the ROM of its chip looks for it. */
static bool bootloader_chip(struct device *dev, uint16_t *chip_id)
{
    static const uint32_t places[] = { 0x0, 0x1000, 0x2000 };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct part_entry region = { .off = places[i] };

        if (dev->parts.table_off <= places[i])
            continue;
        region.len = dev->parts.table_off - places[i];
        if (image_chip(dev, IMG_KIND_BOOTLOADER, &region, chip_id) &&
            img_chip_bootloader_off(*chip_id) == places[i])
            return true;
    }
    return false;
}

static bool app_chip(struct device *dev, uint16_t *chip_id)
{
    const struct part_table *table = &dev->parts.table;

    for (uint32_t i = 0; i < table->cnt; i++)
        if (table->entries[i].type == PART_TYPE_APP &&
            image_chip(dev, IMG_KIND_APP, &table->entries[i], chip_id))
            return true;
    return false;
}

static esp_err_t find_chip(struct device *dev, const struct device_args *args,
                           struct diag *d)
{
    dev->check_rev = args->chip_rev != UINT32_MAX;
    if (dev->check_rev && args->chip_rev > UINT16_MAX)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--chip-rev %u is not major * 100 + minor "
                         "(example: 301 for v3.1)",
                         (unsigned)args->chip_rev);
    dev->chip_rev = dev->check_rev ? (uint16_t)args->chip_rev : 0;
    dev->chip_known = true;
    if (args->chip)
        return device_chip_by_name(args->chip, &dev->chip_id, d);
    if (bootloader_chip(dev, &dev->chip_id) || app_chip(dev, &dev->chip_id))
        return ESP_OK;
    dev->chip_known = false;
    dev->chip_id = IMG_CHIP_LINUX;
    return ESP_OK;
}

/* Where no image tells the chip, nothing tells where its bootloader would be:
 * then there must be nothing at all. */
static esp_err_t read_opts(struct device *dev, struct boot_opts *opts,
                           uint32_t *off)
{
    *off = dev->chip_known ? img_chip_bootloader_off(dev->chip_id) : 0;
    if (dev->parts.table_off <= *off)
        return ESP_ERR_NOT_FOUND;
    return boot_opts_read(&dev->flash.port, *off, dev->parts.table_off - *off,
                          opts);
}

/* A record that cannot be read may be one that makes the device stricter, so
 * it is not passed over unless the command line decides. */
static esp_err_t load_opts(struct device *dev, const struct device_args *args,
                           struct boot_opts *opts, struct diag *d)
{
    uint32_t off;
    esp_err_t err = read_opts(dev, opts, &off);

    dev->has_opts = err == ESP_OK;
    if (!err)
        return ESP_OK;
    *opts = (struct boot_opts){ .rollback = true };
    if (err == ESP_ERR_NOT_FOUND || args->rollback != CLI_UNSET)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_FLASH, err,
                     "what is at 0x%x is no bootloader that verifies, or its "
                     "options cannot be used (%s): the device may have asked "
                     "for signatures or anti-rollback; say --rollback or "
                     "--no-rollback to go on without them",
                     (unsigned)off, err_name(err));
}

static esp_err_t find_opts(struct device *dev, const struct device_args *args,
                           struct diag *d)
{
    struct boot_opts opts;
    esp_err_t err = load_opts(dev, args, &opts, d);

    if (!err)
        err = device_trial(args, &opts, d);
    if (!err)
        err = device_fuse_options(args, dev->chip_id, &opts, d);
    if (err)
        return err;
    boot_opts_apply(&opts, &dev->policy);
    dev->fuse.chip = opts.fuse_chip;
    err = device_keys(args, &opts, &dev->own_keys, &dev->keys_given, d);
    if (err)
        return err;
    if (args->require_signed || args->verify_keys.cnt > 0)
        dev->policy.require_signed = true;
    if (args->rollback != CLI_UNSET)
        dev->policy.rollback = args->rollback == CLI_ON;
    return device_boot_signed(args, dev->policy.require_signed,
                              &dev->policy.boot_unsigned, d);
}

/* The store's keys take the place of those in the options, not of those that
 * were given on the command line. */
static esp_err_t find_keys(struct device *dev, const struct device_args *args,
                           struct diag *d)
{
    const struct part_table *table =
        dev->table_diag.err ? NULL : &dev->parts.table;

    dev->keys = dev->own_keys;
    dev->keys_from = "the command line";
    if (dev->keys_given)
        return ESP_OK;
    key_store_effective(&dev->flash.port, table, &dev->own_keys, &dev->keys);
    dev->keys_from = memcmp(&dev->keys, &dev->own_keys, sizeof(dev->keys)) == 0
                         ? "the bootloader's options"
                         : "the key store";
    if (!args->require_signed || img_keys_valid(&dev->keys))
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_NOT_FOUND,
                     "--require-signed %s: this device has no key of that "
                     "scheme to verify with; name one with --verify-key",
                     args->require_signed);
}

static esp_err_t find_fuses(struct device *dev, const char *path, bool burns,
                            struct diag *d)
{
    const struct device_fuse_place place = { .path = path,
                                             .flash = &dev->flash.port,
                                             .table = dev->table_diag.err
                                                          ? NULL
                                                          : &dev->parts.table,
                                             .policy = &dev->policy,
                                             .chip = dev->fuse.chip,
                                             .burns = burns };

    return device_fuse_open(&dev->fuse, &place, d);
}

/* part_dev_open() says that there is no usable table; this says why. */
static void explain_table(struct device *dev, uint32_t table_off, esp_err_t err)
{
    uint8_t bytes[PART_TABLE_MAX_LEN];
    const struct port_flash *port = &dev->flash.port;

    if (err == ESP_ERR_NOT_FOUND)
        (void)diag_fail(&dev->table_diag, DIAG_STAGE_FLASH, err,
                        "there is no partition table at 0x%x; give its place "
                        "with --table-offset",
                        (unsigned)table_off);
    else if (port->read(port->ctx, table_off, bytes, sizeof(bytes)) == ESP_OK)
        err = part_table_explain(span_of(bytes, sizeof(bytes)), port->size_len,
                                 &dev->table_diag);
    /* Kept only if there is no better sentence yet. */
    (void)diag_fail(&dev->table_diag, DIAG_STAGE_FLASH, err ? err : ESP_FAIL,
                    "the partition table at 0x%x cannot be read: %s",
                    (unsigned)table_off, err_name(err));
}

static void fill_boot_env(struct device *dev)
{
    dev->boot = (struct boot_env){
        .flash = &dev->flash.port,
        .fuse = &dev->fuse.emul.port,
        .table = dev->table_diag.err ? NULL : &dev->parts.table,
        .policy = dev->policy,
        .rules = { .chip_id = dev->chip_id,
                   .chip_rev = dev->chip_rev,
                   .check_rev = dev->check_rev,
                   .keys = &dev->keys },
        .buf = dev->buf,
        .buf_len = sizeof(dev->buf),
    };
}

/* An image instead of the flash that it belongs into: a mistake of the first
 * hour. A flash file is whole sectors, so it is none. */
static esp_err_t refuse_image(const char *path, struct diag *d)
{
    unsigned char magic = 0;
    struct stat st;
    int fd = linux_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    bool is_image = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
                    st.st_size % LINUX_FLASH_SECTOR_LEN != 0 &&
                    read(fd, &magic, 1) == 1 && magic == IMG_MAGIC;

    if (fd >= 0)
        close(fd);
    if (!is_image)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_ARG,
                     "%s is a firmware image, not a device's flash file; porta "
                     "flash create -o device.bin --app ota_0=IMAGE makes one "
                     "with it",
                     text_name(path).text);
}

esp_err_t device_open(struct device *dev, const char *path,
                      enum linux_flash_mode mode,
                      const struct device_args *args, struct diag *d)
{
    esp_err_t err;

    memset(dev, 0, sizeof(*dev));
    dev->flash.fd = -1;
    dev->fuse.file.fd = -1;
    err = refuse_image(path, d);
    if (!err)
        err = linux_flash_open(&dev->flash, path, mode, d);
    if (err)
        return err;
    err = part_dev_open(&dev->parts, &dev->flash.port, args->table_off);
    if (err)
        explain_table(dev, args->table_off, err);
    dev->parts.flash = &dev->flash.port;
    dev->parts.table_off = args->table_off;
    err = find_chip(dev, args, d);
    if (!err)
        err = find_opts(dev, args, d);
    if (!err)
        err = find_keys(dev, args, d);
    if (!err)
        err = find_fuses(dev, path, args->burns, d);
    if (err) {
        device_close(dev);
        return err;
    }
    fill_boot_env(dev);
    return ESP_OK;
}

void device_close(struct device *dev)
{
    device_fuse_close(&dev->fuse);
    linux_flash_close(&dev->flash);
}

esp_err_t device_need_table(const struct device *dev, struct diag *d)
{
    if (!dev->table_diag.err)
        return ESP_OK;
    return diag_fail(d, dev->table_diag.stage, dev->table_diag.err, "%s",
                     dev->table_diag.text);
}

const struct part_entry *device_part(const struct device *dev,
                                     const char *label, struct diag *d)
{
    const struct part_table *table = &dev->parts.table;
    const struct part_entry *part = part_find_label(table, label);
    char names[200] = "";
    size_t at = 0;

    if (part)
        return part;
    for (uint32_t i = 0; i < table->cnt && at < sizeof(names); i++)
        at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s",
                               i ? ", " : "", table->entries[i].label);
    (void)diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_NOT_FOUND,
                    "there is no partition '%s'; there are %s", label, names);
    return NULL;
}

/* The record that names a slot; the active one if both do. */
static void find_record(const struct device *dev,
                        const struct boot_result *next,
                        struct device_running *out)
{
    const struct ota_rec *rec = next->otadata.rec;
    uint32_t slot_cnt = part_ota_cnt(&dev->parts.table);
    uint32_t first = ota_active_idx(rec) == 1 ? 1 : 0;

    out->rec_idx = OTA_REC_NONE;
    out->state = OTA_STATE_UNDEFINED;
    if (!next->has_otadata || out->choice >= slot_cnt)
        return;
    for (uint32_t n = 0; n < 2; n++) {
        uint32_t i = first ^ n;

        if (rec[i].seq == OTADATA_SEQ_NONE || !ota_rec_crc_ok(&rec[i]) ||
            ota_seq_slot(rec[i].seq, slot_cnt) != out->choice)
            continue;
        out->rec_idx = i;
        out->state = rec[i].state;
        return;
    }
}

void device_running(struct device *dev, struct boot_result *next,
                    struct device_running *out)
{
    uint32_t active, slot_cnt = part_ota_cnt(&dev->parts.table);
    const struct ota_rec *rec = next->otadata.rec;

    boot_decide(&dev->boot, next);
    out->choice =
        next->plan.action == BOOT_ACT_BOOT ? next->plan.choice : BOOT_NONE;
    active = next->has_otadata ? ota_active_idx(rec) : OTA_REC_NONE;
    if (slot_cnt > 0 && active != OTA_REC_NONE &&
        rec[active].state == OTA_STATE_PENDING)
        out->choice = ota_seq_slot(rec[active].seq, slot_cnt);
    out->part = out->choice == BOOT_NONE || dev->table_diag.err
                    ? NULL
                    : boot_part(&dev->parts.table, out->choice);
    find_record(dev, next, out);
}

bool device_image_head(const struct device *dev, const struct part_entry *part,
                       struct img_header *header, struct img_desc *desc)
{
    uint8_t head[IMG_HEAD_LEN];

    if (part->len < sizeof(head) ||
        part_read(&dev->parts, part, 0, head, sizeof(head)) != ESP_OK ||
        img_header_parse(span_of(head, sizeof(head)), header) != ESP_OK ||
        header->magic != IMG_MAGIC)
        return false;
    img_desc_parse(span_of(head + IMG_APP_DESC_OFF, IMG_APP_DESC_LEN), desc);
    return desc->present;
}
