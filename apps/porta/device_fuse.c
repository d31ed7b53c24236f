#include "device_fuse.h"

#include <string.h>

#include "image/text.h"

/* --- options ----------------------------------------------------------------- */

static bool is_given(const struct device_args *args)
{
    return args->sec_ver_bits > 0 || args->fuse_chip;
}

static esp_err_t check_field(const struct boot_opts *opts, uint32_t bits,
                             struct diag *d)
{
    const struct fuse_field *field = fuse_field_find(opts->fuse_chip);
    char name[16];

    if (!field)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_NOT_SUPPORTED,
                         "--anti-rollback: chip %s has no fuses for a secure "
                         "version; name one that has with --fuse-chip",
                         img_chip_name(opts->fuse_chip, name));
    if (bits > field->bit_cnt)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--sec-ver-bits %u: the field of chip %s has %u",
                         (unsigned)bits, img_chip_name(opts->fuse_chip, name),
                         (unsigned)field->bit_cnt);
    return ESP_OK;
}

esp_err_t device_fuse_options(const struct device_args *args, uint16_t chip_id,
                              struct boot_opts *opts, struct diag *d)
{
    uint32_t bits = args->sec_ver_bits;
    esp_err_t err;

    if (!opts->anti_rollback)
        opts->fuse_chip = chip_id;
    if (!opts->anti_rollback && !args->anti_rollback)
        return is_given(args)
                   ? diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                               "--sec-ver-bits and --fuse-chip go with "
                               "--anti-rollback")
                   : ESP_OK;
    if (args->rollback == CLI_OFF || !opts->rollback)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "anti-rollback, which %s, needs rollback: leave "
                         "--no-rollback out",
                         args->anti_rollback
                             ? "--anti-rollback asks for"
                             : "this file's bootloader options have");
    if (args->fuse_chip) {
        err = device_chip_by_name(args->fuse_chip, &opts->fuse_chip, d);
        if (err)
            return err;
    }
    bits = bits ? bits : opts->sec_ver_bits;
    err = check_field(opts, bits, d);
    if (err)
        return err;
    opts->anti_rollback = true;
    opts->sec_ver_bits = (uint8_t)bits;
    return ESP_OK;
}

/* --- finding them ------------------------------------------------------------- */

static esp_err_t none_read(void *ctx, uint32_t *bits)
{
    (void)ctx;
    *bits = 0;
    return ESP_OK;
}

static esp_err_t none_burn(void *ctx, uint32_t mask)
{
    (void)ctx;
    return mask ? ESP_ERR_FLASH_PROTECTED : ESP_OK;
}

/* Fuses of a chip that nobody has burnt yet. */
static void use_unburnt(struct device *dev, uint32_t bit_cnt)
{
    dev->fuses.port = (struct port_fuse){ NULL, bit_cnt, none_read, none_burn };
}

static esp_err_t open_file(struct device *dev, const char *path, bool burns,
                           const struct fuse_place *from, struct diag *d)
{
    const struct fuse_field *field = fuse_field_find(dev->fuse_chip);
    struct fuse_place place = *from;
    char name[4096];
    esp_err_t err;

    if (snprintf(name, sizeof(name), "%s.efuse", path) >= (int)sizeof(name))
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "the flash file's name is too long");
    err =
        linux_flash_open_part(&dev->fuse_file, name, FUSE_EMUL_LEN,
                              burns ? LINUX_FLASH_WRITE : LINUX_FLASH_READ, d);
    dev->fuse_from = "the file FLASH.efuse";
    if (err == ESP_ERR_NOT_FOUND) {
        use_unburnt(dev, place.bit_cnt ? place.bit_cnt : field->bit_cnt);
        return ESP_OK;
    }
    if (err)
        return err;
    place.flash = &dev->fuse_file.port;
    place.off = 0;
    place.len = FUSE_EMUL_LEN;
    (void)!fuse_emul_open(&dev->fuses, &place, field);
    return ESP_OK;
}

/* With unusable fuses the port has no bits, and whoever asks is told. */
esp_err_t device_fuse_find(struct device *dev, const char *path,
                           const struct device_args *args, struct diag *d)
{
    const struct part_table *table =
        dev->table_diag.err ? NULL : &dev->parts.table;
    const struct fuse_place place = { .flash = &dev->flash.port,
                                      .bit_cnt =
                                          pol_sec_ver_bits(&dev->policy) };

    dev->fuse_err = boot_fuse_open(&dev->fuses, table, &place,
                                   fuse_field_find(dev->fuse_chip));
    dev->fuse_from = "the flash's partition for fuses";
    if (dev->fuse_err != ESP_ERR_NOT_FOUND || !table ||
        !pol_anti_rollback(&dev->policy))
        return ESP_OK;
    dev->fuse_err = ESP_OK;
    return open_file(dev, path, args->burns, &place, d);
}

/* --- saying it ------------------------------------------------------------------- */

bool device_fuse_version(const struct device *dev, uint32_t *version)
{
    return fuse_read_version(&dev->fuses.port, version) == ESP_OK;
}

const char *device_fuse_text(const struct device *dev, char *text, size_t len)
{
    uint32_t version, bit_cnt = dev->fuses.port.bit_cnt;
    esp_err_t err = fuse_read_version(&dev->fuses.port, &version);

    if (err && dev->fuse_err)
        err = dev->fuse_err;
    if (err == ESP_ERR_NOT_FOUND)
        snprintf(text, len, "none: the table has no partition (data, efuse)");
    else if (err)
        snprintf(text, len, "not to be read in %s: %s", dev->fuse_from,
                 err_name(err));
    else
        snprintf(text, len, "secure version %u, %u of %u bits are left, in %s",
                 (unsigned)version, (unsigned)(bit_cnt - version),
                 (unsigned)bit_cnt, dev->fuse_from);
    return text;
}
