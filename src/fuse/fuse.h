/* fuse/fuse.h - the secure version: a row of fuses that is only ever burnt.
 *
 * The device's secure version is the number of burnt bits of one field. An
 * image whose description says less is not started any more. Bits go from 0 to
 * 1 and never back, burnt from the field's bit 0 on.
 *
 * Real fuses come as a struct port_fuse. Where there are none, struct fuse_emul
 * is one that keeps the field in a range of flash: the reference's partition
 * `data, efuse` in its raw layout, with a checksum and a second copy
 * (docs/decisions/0015). It is told the range by whoever parsed the table.
 * Allocates nothing; the flash contract's rules about threads hold. */
#ifndef FUSE_FUSE_H
#define FUSE_FUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "port/flash.h"
#include "port/fuse.h"

/* --- chips ---------------------------------------------------------------- */

/* Where a chip has the field (reference 4.2), and how large the raw dump of
 * all its fuses is (4.4). Bit n of a block is bit n % 32 of its word n / 32;
 * the field lies in one word. */
struct fuse_field {
    uint16_t chip_id;
    uint8_t blk_cnt, blk_words; /* of the dump */
    uint8_t block, bit;
    uint8_t bit_cnt; /* also the largest size that an option may choose */
};

/* NULL: this chip has no such field. */
const struct fuse_field *fuse_field_find(uint16_t chip_id);

/* --- the version ---------------------------------------------------------- */

/* The number of burnt bits among the first bit_cnt. Pure. */
uint32_t fuse_version(uint32_t bits, uint32_t bit_cnt);

/* The bits to burn so that the version is at least `version`, or as much as
 * the field holds; 0: none. Pure. */
uint32_t fuse_to_burn(uint32_t bits, uint32_t bit_cnt, uint32_t version);

/* fuse NULL, or without bits: ESP_ERR_NOT_SUPPORTED; else errors of reading.
 * *version is UINT32_MAX unless ESP_OK. */
MUST_CHECK esp_err_t fuse_read_version(const struct port_fuse *fuse,
                                       uint32_t *version);

/* Not 0: an image of this version may not start, or nobody knows. The same
 * question as fuse_read_version() answers, read and counted once more and in
 * another way, for those who ask again before they act. */
uint32_t fuse_forbids(const struct port_fuse *fuse, uint32_t version);

/* Raises the version to `version`, or to what the field holds, and finishes
 * what a power cut left half done; lowers nothing. Errors: those of
 * fuse_read_version() and of burning. */
MUST_CHECK esp_err_t fuse_raise(const struct port_fuse *fuse, uint32_t version);

/* --- emulation in flash --------------------------------------------------- */

#define FUSE_SECTOR_LEN 4096u
#define FUSE_EMUL_LEN 8192u /* what a partition should have: two copies */
#define FUSE_DUMP_MAX 400u  /* of any chip, in whole program units */
/* Behind all that the reference looks at. */
#define FUSE_COMMIT_OFF 2048u
#define FUSE_COMMIT_LEN 16u

/* What a sector holds. */
enum fuse_copy {
    FUSE_COPY_BLANK,  /* nothing */
    FUSE_COPY_RAW,    /* a dump without a commit, as the reference leaves it */
    FUSE_COPY_SOUND,  /* a dump, and a commit that fits it */
    FUSE_COPY_DAMAGED /* a commit that fits nothing */
};
/* Pure. dump: of the chip's length. */
enum fuse_copy fuse_copy_judge(struct span dump,
                               const uint8_t commit[FUSE_COMMIT_LEN]);
void fuse_commit_pack(struct span dump, uint8_t out[FUSE_COMMIT_LEN]);
uint32_t fuse_dump_len(const struct fuse_field *field);
uint32_t fuse_dump_get(const struct fuse_field *field, const uint8_t *dump);
void fuse_dump_burn(const struct fuse_field *field, uint8_t *dump,
                    uint32_t mask);

/* Both sectors, and what they mean together. */
struct fuse_state {
    enum fuse_copy kind[2];
    uint32_t bits[2]; /* of the field; 0 in a blank sector */
    uint32_t crc[2];
};
/* Pure. Which sector is believed; *bits is the field. ESP_ERR_INVALID_CRC: both
 * copies are damaged. */
MUST_CHECK esp_err_t fuse_state_decide(const struct fuse_state *s,
                                       uint32_t *src, uint32_t *bits);

struct fuse_emul {
    struct port_fuse port; /* hand &emul.port to those who use fuses */
    const struct port_flash *flash;
    uint32_t off, len;
    const struct fuse_field *field;
};

/* Where it is, and how many bits of the field count; 0: all. */
struct fuse_place {
    const struct port_flash *flash; /* borrowed */
    uint32_t off, len;
    uint32_t bit_cnt;
};

/* Reads nothing yet. The struct must not move while it is open.
 * ESP_ERR_NOT_SUPPORTED: field is NULL, or the flash has other sectors or
 * larger units; ESP_ERR_INVALID_SIZE: less than a sector;
 * ESP_ERR_INVALID_ARG: more bits than the field has.
 * port.read: ESP_ERR_INVALID_CRC as above, or errors of the flash.
 * port.burn also repairs: afterwards both sectors hold the same, unless both
 * are blank and nothing is to be burnt. ESP_ERR_INVALID_SIZE: there is only one
 * sector, and rewriting it would risk the bits that are burnt already;
 * ESP_ERR_FLASH_OP_FAIL: read-back differed. */
MUST_CHECK esp_err_t fuse_emul_open(struct fuse_emul *e,
                                    const struct fuse_place *place,
                                    const struct fuse_field *field);

#endif
