#include "flash_make.h"

#include <stdlib.h>
#include <string.h>

#include "image/build.h"
#include "image/text.h"

#define BOOTLOADER_VERSION 1u

void flash_draft_free(struct flash_draft *f)
{
    free(f->bytes);
    f->bytes = NULL;
}

esp_err_t flash_draft_begin(struct flash_draft *f, struct diag *d)
{
    f->bytes = malloc(f->len);
    if (!f->bytes)
        return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_NO_MEM,
                         "out of memory for a flash of %u bytes",
                         (unsigned)f->len);
    memset(f->bytes, 0xff, f->len);
    part_table_pack(&f->table, f->bytes + f->table_off);
    return ESP_OK;
}

esp_err_t flash_draft_bootloader(struct flash_draft *f,
                                 const struct boot_opts *opts, struct diag *d)
{
    uint8_t record[BOOT_OPTS_MAX_LEN];
    struct img_build_seg seg = { BOOT_OPTS_ADDR, { record, 0 } };
    struct img_build build = { .kind = IMG_KIND_BOOTLOADER,
                               .header = { .chip_id = f->chip_id,
                                           .hash_appended = 1,
                                           .max_rev = UINT16_MAX },
                               .boot_desc = { .version = BOOTLOADER_VERSION,
                                              .idf_ver = "porta" },
                               .segs = &seg,
                               .seg_cnt = 1 };
    uint32_t off = img_chip_bootloader_off(f->chip_id), len;

    if (off >= f->table_off)
        return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                         "the partition table at 0x%x leaves no room for the "
                         "bootloader at 0x%x; move it with --table-offset",
                         (unsigned)f->table_off, (unsigned)off);
    seg.data.len = boot_opts_pack(opts, record);
    return img_build(&build, f->bytes + off, f->table_off - off, &len, d);
}

static esp_err_t check_image(const struct flash_draft *f, struct span image,
                             const struct part_entry *part, const char *file,
                             struct diag *d)
{
    const struct img_rules rules = { .kind = IMG_KIND_APP,
                                     .place = IMG_PLACE_FILE,
                                     .chip_id = f->chip_id,
                                     .chip_rev = f->chip_rev,
                                     .check_rev = f->check_rev,
                                     .keys = f->keys,
                                     .cap_len = part->len };
    struct img_check check;
    struct img_receipt receipt;
    char text[256];
    esp_err_t err;

    if (image.len > part->len)
        return diag_fail(d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_SIZE,
                         "%s has %zu bytes and slot %s holds %u; build a "
                         "smaller image or make the slot larger",
                         file, image.len, part->label, (unsigned)part->len);
    img_check_open(&check, &rules);
    err = img_check_feed(&check, image.ptr, image.len);
    if (!err)
        err = img_check_finish(&check, &receipt);
    if (!err)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_IMAGE, err, "%s does not go into %s: %s",
                     file, part->label,
                     img_fault_text(&check.fault, text, sizeof(text)));
}

static const struct part_entry *find_slot(const struct flash_draft *f,
                                          const char *label, struct diag *d)
{
    const struct part_entry *part = part_find_label(&f->table, label);

    if (!part)
        (void)diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_NOT_FOUND,
                        "--app %s: the table has no partition of that name; "
                        "porta table show lists them",
                        label);
    else if (part->type != PART_TYPE_APP)
        (void)diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_ARG,
                        "--app %s: that partition does not hold an "
                        "application",
                        label);
    else
        return part;
    return NULL;
}

/* The file of LABEL=FILE, NULL after a sentence. */
static const char *app_file(const char *arg, struct diag *d)
{
    const char *eq = strchr(arg, '=');

    if (eq && eq != arg && eq[1])
        return eq + 1;
    (void)diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                    "--app %s is not LABEL=IMAGE", arg);
    return NULL;
}

esp_err_t flash_draft_guess_chip(struct flash_draft *f,
                                 const struct cli_list *apps, struct diag *d)
{
    struct cli_bytes image = CLI_BYTES_NONE;
    struct img_header header;
    const char *file;
    esp_err_t err;

    f->chip_id = IMG_CHIP_LINUX;
    if (apps->cnt == 0)
        return ESP_OK;
    file = app_file(apps->val[0], d);
    if (!file)
        return d->err;
    err = cli_read_file(file, IMG_MAX_LEN, &image, d);
    if (!err &&
        img_header_parse(span_of(image.ptr, image.len), &header) == ESP_OK &&
        header.magic == IMG_MAGIC)
        f->chip_id = header.chip_id;
    cli_bytes_free(&image);
    return err;
}

esp_err_t flash_draft_app(struct flash_draft *f, const char *arg,
                          struct diag *d)
{
    char label[64]; /* a longer one matches nothing */
    const char *file = app_file(arg, d);
    const struct part_entry *part;
    struct cli_bytes image = CLI_BYTES_NONE;
    esp_err_t err;

    if (!file)
        return d->err;
    snprintf(label, sizeof(label), "%.*s", (int)(file - 1 - arg), arg);
    part = find_slot(f, label, d);
    if (!part)
        return d->err;
    err = cli_read_file(file, IMG_MAX_LEN, &image, d);
    if (!err)
        err = check_image(f, span_of(image.ptr, image.len), part, file, d);
    if (!err)
        memcpy(f->bytes + part->off, image.ptr, image.len);
    cli_bytes_free(&image);
    return err;
}
