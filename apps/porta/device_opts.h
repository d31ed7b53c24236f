/* device_opts.h - what the command line says of a device, as options of its
 * bootloader.
 *
 * Every function refuses with a sentence, and exit status 2, what cannot be. */
#ifndef DEVICE_OPTS_H
#define DEVICE_OPTS_H

#include "base/diag.h"
#include "boot/opts.h"
#include "cli.h"
#include "part/part.h"

/* What the command line says; start from DEVICE_ARGS. */
struct device_args {
    const char *chip;
    uint32_t chip_rev; /* UINT32_MAX: not compared */
    uint32_t table_off;
    enum cli_tri rollback;
    uint32_t trial_boots, trial_power; /* UINT32_MAX: not given */
    enum cli_tri deny;
    bool anti_rollback;
    uint32_t sec_ver_bits;       /* 0: all, or as stored */
    const char *fuse_chip;       /* NULL: the device's, or as stored */
    bool burns;                  /* set by verbs that may burn fuses */
    const char *require_signed;  /* a scheme */
    struct cli_list verify_keys; /* files */
    uint32_t need_keys;          /* 0: one */
    enum cli_tri signed_on_boot;
};
#define DEVICE_ARGS                                          \
    {                                                        \
        .chip_rev = UINT32_MAX, .table_off = PART_TABLE_OFF, \
        .trial_boots = UINT32_MAX, .trial_power = UINT32_MAX \
    }

/* Rows of an option table; `field` is a struct device_args in `type`. */
#define DEVICE_OPTS_CHIP(type, field)                                         \
    { "--chip", "C", "chip of the device, instead of that of its images",     \
      CLI_KIND_TEXT, offsetof(type, field.chip) },                            \
        { "--chip-rev", "N", "its revision, major * 100 + minor (v3.1: 301)", \
          CLI_KIND_NUM, offsetof(type, field.chip_rev) },                     \
    {                                                                         \
        "--table-offset", "N", "where the partition table is (0x8000)",       \
            CLI_KIND_SIZE, offsetof(type, field.table_off)                    \
    }
#define DEVICE_OPTS_BOOT(type, field)                                          \
    { "--rollback", NULL, "the bootloader gives up unconfirmed images",        \
      CLI_KIND_ON, offsetof(type, field.rollback) },                           \
        { "--no-rollback", NULL, "... or starts them again", CLI_KIND_OFF,     \
          offsetof(type, field.rollback) },                                    \
        { "--trial-boots", "N", "resets that end a trial, 1 to 8 (1)",         \
          CLI_KIND_NUM, offsetof(type, field.trial_boots) },                   \
        { "--trial-power", "N",                                                \
          "resets by power excused in a trial, 0 to 8 (0)", CLI_KIND_NUM,      \
          offsetof(type, field.trial_power) },                                 \
        { "--deny-list", NULL, "images that failed are not installed again",   \
          CLI_KIND_ON, offsetof(type, field.deny) },                           \
        { "--no-deny-list", NULL, "... or are", CLI_KIND_OFF,                  \
          offsetof(type, field.deny) },                                        \
        { "--anti-rollback", NULL,                                             \
          "images below the device's secure version do not start",             \
          CLI_KIND_FLAG, offsetof(type, field.anti_rollback) },                \
        { "--sec-ver-bits", "N", "so many fuses count (all of the chip's)",    \
          CLI_KIND_NUM, offsetof(type, field.sec_ver_bits) },                  \
        { "--fuse-chip", "C", "the fuses are laid out as those of this chip",  \
          CLI_KIND_TEXT, offsetof(type, field.fuse_chip) },                    \
        { "--require-signed", "v1|rsa3072|ecdsa256|ecdsa384",                  \
          "only images with a signature of this scheme", CLI_KIND_TEXT,        \
          offsetof(type, field.require_signed) },                              \
        { "--verify-key", "PUB",                                               \
          "a key to trust, instead of the device's; may be repeated",          \
          CLI_KIND_LIST, offsetof(type, field.verify_keys) },                  \
        { "--need-keys", "N", "so many keys have to have signed (1)",          \
          CLI_KIND_NUM, offsetof(type, field.need_keys) },                     \
        { "--signed-on-boot", NULL,                                            \
          "the bootloader asks for signatures, too (so by default)",           \
          CLI_KIND_ON, offsetof(type, field.signed_on_boot) },                 \
    {                                                                          \
        "--no-signed-on-boot", NULL, "... or only updates are asked for them", \
            CLI_KIND_OFF, offsetof(type, field.signed_on_boot)                 \
    }

/* The keys that the command line names, and their scheme: *given says whether
 * there are any, or signatures are required. Exit status 2 where they are
 * wrong. own: those of the options. */
MUST_CHECK esp_err_t device_keys(const struct device_args *args,
                                 const struct boot_opts *opts,
                                 struct img_keys *own, bool *given,
                                 struct diag *d);

/* Whether the bootloader asks for signatures, into *boot_unsigned; a device
 * that asks nobody for them has nothing to leave out. ESP_ERR_INVALID_ARG with
 * a sentence. */
MUST_CHECK esp_err_t device_boot_signed(const struct device_args *args,
                                        bool require_signed,
                                        bool *boot_unsigned, struct diag *d);

/* What the command line says about trials, into opts. ESP_ERR_INVALID_ARG with
 * a sentence. */
MUST_CHECK esp_err_t device_trial(const struct device_args *args,
                                  struct boot_opts *opts, struct diag *d);

/* --chip NAME. ESP_ERR_INVALID_ARG with a sentence. */
MUST_CHECK esp_err_t device_chip_by_name(const char *name, uint16_t *out,
                                         struct diag *d);

/* What the command line asks for, over what *opts has from the file or the
 * verb: fills in opts->anti_rollback, sec_ver_bits, fuse_chip. Exit status 2
 * where it is wrong. */
MUST_CHECK esp_err_t device_fuse_options(const struct device_args *args,
                                         uint16_t chip_id,
                                         struct boot_opts *opts,
                                         struct diag *d);

#endif
