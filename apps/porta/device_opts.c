#include "device_opts.h"

#include <string.h>

#include "fuse/fuse.h"
#include "image/chip.h"
#include "image/text.h"
#include "key_file.h"

esp_err_t device_chip_by_name(const char *name, uint16_t *out, struct diag *d)
{
    char names[256] = "";
    size_t at = 0;

    if (img_chip_by_name(name, out))
        return ESP_OK;
    for (size_t i = 0; img_chip_at(i); i++)
        at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s",
                               i ? ", " : "", img_chip_at(i)->name);
    return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                     "--chip %s: there are %s", name, names);
}

esp_err_t device_boot_signed(const struct device_args *args,
                             bool require_signed, bool *boot_unsigned,
                             struct diag *d)
{
    if (args->signed_on_boot == CLI_UNSET)
        return ESP_OK;
    *boot_unsigned = args->signed_on_boot == CLI_OFF;
    if (require_signed)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                     "--%ssigned-on-boot: this device does not require "
                     "signatures; --require-signed makes it",
                     *boot_unsigned ? "no-" : "");
}

esp_err_t device_trial(const struct device_args *args, struct boot_opts *opts,
                       struct diag *d)
{
    bool boots = args->trial_boots != UINT32_MAX;
    bool power = args->trial_power != UINT32_MAX;

    if ((boots && (args->trial_boots < 1 || args->trial_boots > POL_TRIAL_MAX)))
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--trial-boots %u: it is from 1 to %u",
                         (unsigned)args->trial_boots, POL_TRIAL_MAX);
    if (power && args->trial_power > POL_TRIAL_MAX)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--trial-power %u: it is from 0 to %u",
                         (unsigned)args->trial_power, POL_TRIAL_MAX);
    if (boots)
        opts->trial_boots = (uint8_t)args->trial_boots;
    if (power)
        opts->trial_power = (uint8_t)args->trial_power;
    if (args->deny != CLI_UNSET)
        opts->deny = args->deny == CLI_ON;
    return ESP_OK;
}

static enum img_scheme scheme_wanted(const struct device_args *args,
                                     const struct boot_opts *opts)
{
    if (args->require_signed)
        return key_scheme_by_name(args->require_signed);
    return opts->require_signed ? opts->keys.scheme : IMG_SCHEME_NONE;
}

esp_err_t device_keys(const struct device_args *args,
                      const struct boot_opts *opts, struct img_keys *own,
                      bool *given, struct diag *d)
{
    enum img_scheme scheme = scheme_wanted(args, opts);

    *given = args->verify_keys.cnt > 0;
    memset(own, 0, sizeof(*own));
    own->scheme = scheme;
    if (args->require_signed && scheme == IMG_SCHEME_NONE)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--require-signed %s: it is v1, rsa3072, ecdsa256 or "
                         "ecdsa384",
                         args->require_signed);
    if (args->need_keys > 0 && !*given)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--need-keys goes with --verify-key");
    if (*given)
        return key_set_load(own, &args->verify_keys, args->need_keys, d);
    if (opts->require_signed && opts->keys.scheme == scheme)
        *own = opts->keys;
    return ESP_OK;
}

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
