/* boot/opts.h - the bootloader's options as they stand in a flash file.
 *
 * On hardware a bootloader's options are compiled into its image. A flash file
 * has them as a segment of the image in its bootloader region: kind
 * IMG_KIND_BOOTLOADER, load address BOOT_OPTS_ADDR (which no chip loads), the
 * bytes of boot_opts_pack() as data. `porta build` and `porta flash create`
 * write it; every verb reads it.
 *
 * Record, little-endian: magic "PTOP", u16 version (1), u16 length of the
 * record, u32 flags (1 rollback, 2 require_hash, 4 require_signed, 8 trial, 16
 * deny, 32 anti_rollback, 64 boot_unsigned, only with 4), with flag 4 a key
 * set (img_keys_pack()) padded to a multiple of 4, with flag 8 u8 trial_boots,
 * u8 trial_power, u16 0, with flag 32 u8 size of the fuses' field in bits (0:
 * all of it), u8 0, u16 chip whose layout the fuses have, fields of later
 * versions, u32 CRC-32 (as zlib's) of all before it. A flag that this reader
 * does not know is an error: it may be one that makes the device stricter. */
#ifndef BOOT_OPTS_H
#define BOOT_OPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/policy.h"
#include "base/span.h"
#include "image/image.h"
#include "image/keys.h"
#include "port/flash.h"

#define BOOT_OPTS_ADDR 0x504F0u
#define BOOT_OPTS_LEN 16u /* at least */
#define BOOT_OPTS_MAX_LEN (BOOT_OPTS_LEN + IMG_KEYS_PACKED_MAX + 12u)

struct boot_opts {
    bool rollback;
    bool require_hash;
    bool require_signed;
    bool boot_unsigned; /* see struct policy; only when require_signed */
    bool anti_rollback;
    uint8_t sec_ver_bits; /* see struct policy */
    uint16_t fuse_chip;   /* when anti_rollback */
    /* When require_signed: the scheme, and the keys that are compiled in; none
     * when they are in the key store (image/key_store.h). */
    struct img_keys keys;
    uint8_t trial_boots, trial_power; /* see struct policy; 0: not stored */
    bool deny;
};

/* Returns the length of the record. */
uint32_t boot_opts_pack(const struct boot_opts *opts,
                        uint8_t out[BOOT_OPTS_MAX_LEN]);

/* bytes may be longer than the record. ESP_ERR_NOT_FOUND: no such record;
 * ESP_ERR_INVALID_SIZE: cut short; ESP_ERR_INVALID_CRC: damaged;
 * ESP_ERR_NOT_SUPPORTED: of a later version, or an unknown flag is set, or
 * one for what this build does not have (pol_built());
 * ESP_ERR_INVALID_ARG: a key set that is none, flags that exclude others. */
MUST_CHECK esp_err_t boot_opts_parse(struct span bytes, struct boot_opts *out);

/* Looks for the record in the image at off (img_chip_bootloader_off()), of
 * which max_len bytes may be read; writes nothing. ESP_ERR_NOT_FOUND: there is
 * nothing but erased flash, or a bootloader without a record that verifies, by
 * its appended hash (its checksum does not cover all of it); the caller then
 * uses its defaults. ESP_ERR_IMAGE_INVALID: what is there is neither, and may
 * have been a record. Else errors of boot_opts_parse(), of reading, and
 * ESP_ERR_INVALID_SIZE: max_len leaves the flash. After any error but
 * ESP_ERR_NOT_FOUND nobody knows what this bootloader asks for. */
MUST_CHECK esp_err_t boot_opts_read(const struct port_flash *flash,
                                    uint32_t off, uint32_t max_len,
                                    struct boot_opts *out);

/* The same in somebody else's room, for those who have no stack to speak of;
 * buf: at least BOOT_OPTS_BUF_LEN bytes. */
#define BOOT_OPTS_BUF_LEN 1024u
struct boot_opts_place {
    const struct port_flash *flash;
    uint32_t off, max_len;
    struct img_check *check;
    uint8_t *buf;
};
MUST_CHECK esp_err_t boot_opts_find(const struct boot_opts_place *at,
                                    struct boot_opts *out);

/* The keys are not part of a policy: see key_store_effective(). */
void boot_opts_apply(const struct boot_opts *opts, struct policy *policy);

#endif
