/* image/image.h - the firmware image format and its one verifier.
 *
 * Guarantee: a receipt says ACCEPT only if one struct img_check was fed every
 * byte of the image from offset 0 in order, and the header, each segment,
 * checksum, appended digest, chip and size were right (reference 1.9).
 * Order:  img_check_open, img_check_feed..., img_check_finish.
 * Memory: allocates nothing; `struct img_check` is the caller's, holds no
 *         pointer but rules.keys, which is borrowed, and may be copied (that
 *         is how a check is cloned).
 * I/O:    none here; img_check_flash() in image/walk.h reads flash.
 *
 * After the last segment the length is known. With rules.keys a signature
 * belongs to the image: 0xFF up to its place, then its blocks, judged by
 * image/sig.h; the image ends with it. What may follow depends on rules.place:
 * in a slot anything, because erased or older bytes follow; on the wire and in
 * a file 0xFF and, if no signature was asked for, a V1 block or a V2 signature
 * sector, which are then not verified; else the image is refused.
 *
 * Stricter than the reference, on purpose: an image without segments, a
 * hash_appended that is neither 0 nor 1, and a wrong appended digest of a
 * bootloader are refused. The digest is computed even where none is appended.
 * A missing description is a fault on chips whose MMU page it names and on
 * porta's own chips; elsewhere info.desc.present is false. */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "base/verdict.h"
#include "crypto/sha256.h"
#include "image/sig.h"

#define IMG_MAGIC 0xE9u
#define IMG_HEADER_LEN 24u
#define IMG_SEG_HEADER_LEN 8u
#define IMG_MAX_SEGMENTS 16u
#define IMG_APP_DESC_OFF 32u
#define IMG_APP_DESC_LEN 256u
#define IMG_APP_DESC_MAGIC 0xABCD5432u
#define IMG_BOOT_DESC_LEN 80u
#define IMG_BOOT_DESC_MAGIC 80u
#define IMG_MAX_LEN (16u * 1024u * 1024u)
/* Header, first segment header and application description end here. */
#define IMG_HEAD_LEN (IMG_APP_DESC_OFF + IMG_APP_DESC_LEN)
#define IMG_CHIP_LINUX 0xFFFFu
#define IMG_CHIP_QEMU_VIRT_RV32 0x7F01u

enum img_kind { IMG_KIND_APP, IMG_KIND_BOOTLOADER };
enum img_place { IMG_PLACE_SLOT, IMG_PLACE_WIRE, IMG_PLACE_FILE };

/* What an image must be on this device. */
struct img_rules {
    enum img_kind kind;
    enum img_place place;
    bool any_chip;     /* a tool looks at files of every chip */
    uint16_t chip_id;  /* the device's, when !any_chip */
    uint16_t chip_rev; /* major * 100 + minor */
    bool check_rev;    /* compare chip_rev with the header's range */
    bool require_hash; /* refuse an image without appended SHA-256 */
    uint32_t cap_len;  /* size of the slot or file, 0: unbounded */
    /* Whose signatures are required, from img_keys_for(); NULL: none are.
     * Never taken from an image. Borrowed. */
    const struct img_keys *keys;
};

enum img_fault_kind {
    IMG_FAULT_NONE = 0,
    IMG_FAULT_MAGIC,      /* got, want */
    IMG_FAULT_CHIP,       /* got, want: chip ids */
    IMG_FAULT_REV_LOW,    /* got: device, want: at least */
    IMG_FAULT_REV_HIGH,   /* got: device, want: at most */
    IMG_FAULT_SEG_CNT,    /* got: 0 or too many, want: at most */
    IMG_FAULT_SEG_LEN,    /* seg, got: a length not a multiple of 4, or big */
    IMG_FAULT_SEG_SHORT,  /* seg 0 cannot hold the description: got, want */
    IMG_FAULT_DESC_MAGIC, /* got, want */
    IMG_FAULT_TOO_LARGE,  /* got: image length so far, want: at most */
    IMG_FAULT_CHECKSUM,   /* got, want */
    IMG_FAULT_HASH_FLAG,  /* got: neither 0 nor 1 */
    IMG_FAULT_HASH_ABSENT,
    IMG_FAULT_HASH,
    IMG_FAULT_TRUNCATED, /* got: bytes fed, want: at least (0 unknown) */
    IMG_FAULT_TRAILING,  /* got: unexplained bytes after the end */
    IMG_FAULT_FLASH,     /* reading failed at offset got of the image */
    IMG_FAULT_SEG_ALIGN, /* seg, got: offset in its MMU page, want */
    IMG_FAULT_SIG_GAP,   /* got: offset of a byte before the signature,
                            want: what it is instead of 0xFF */
    IMG_FAULT_SIG        /* seg: an enum img_sig_why; its got, want */
};

struct img_fault {
    enum img_fault_kind kind;
    uint32_t seg;
    uint32_t got, want;
};

struct img_segment {
    uint32_t load_addr;
    uint32_t len;
    uint32_t off; /* of the data, from the start of the image */
};

struct img_header {
    uint8_t magic, seg_cnt, spi_mode, spi_speed, spi_size, hash_appended;
    uint32_t entry_addr;
    uint16_t chip_id, min_rev, max_rev;
};

/* Everything a description tells; strings are always terminated. */
struct img_desc {
    bool present; /* the magic was right */
    uint8_t mmu_page_log2, spi_mode;
    uint16_t min_blk_rev, max_blk_rev;
    uint32_t secure_version;
    uint8_t elf_sha256[32];
    char version[33], project[33], time[17], date[17], idf_ver[33];
};

struct img_boot_desc {
    bool present;
    uint8_t secure_version;
    uint32_t version;
    char idf_ver[33], date_time[25];
};

/* Scalars come first here and below: they are near, which is shorter code. */
struct img_info {
    struct img_header header;
    uint32_t image_len; /* with the appended digest, without a signature; 0
                         * until known, which is long before it is verified:
                         * see the receipt */
    uint8_t checksum;
    bool checksum_ok, hash_ok;  /* meaningful once reached */
    uint8_t digest[SHA256_LEN]; /* computed over all but the appended digest */
    struct img_desc desc;       /* kind APP */
    struct img_boot_desc boot_desc; /* kind BOOTLOADER */
    struct img_segment segs[IMG_MAX_SEGMENTS];
};

/* Proof that the bytes in [off, off + len) of flash were checked when the
 * partition's write generation was gen. Filled by img_check_finish() and bound
 * by whoever fed it (see slot.h, walk.h); nobody else writes one [lint]. */
struct img_receipt {
    enum verdict verdict;
    uint32_t off, len;
    uint32_t gen;
    bool bound;
    uint8_t digest[SHA256_LEN];
    uint32_t secure_version;
    enum verdict is_signed; /* ACCEPT: as rules.keys asked */
};
#define IMG_RECEIPT_NONE                                         \
    {                                                            \
        VERDICT_REJECT, 0, 0, 0, false, { 0 }, 0, VERDICT_REJECT \
    }
/* *out = IMG_RECEIPT_NONE. */
void img_receipt_none(struct img_receipt *out);

enum img_step {
    IMG_STEP_HEADER,
    IMG_STEP_SEG_HEADER,
    IMG_STEP_DESC, /* the first bytes of segment 0 */
    IMG_STEP_SEG_DATA,
    IMG_STEP_PAD, /* zeros and the checksum */
    IMG_STEP_HASH,
    IMG_STEP_GAP,  /* 0xFF up to the signature */
    IMG_STEP_SIG,  /* the signature */
    IMG_STEP_TAIL, /* after the image, and its signature */
    IMG_STEP_BAD
};

/* What has been recognised after the image, wire and file only. */
enum img_tail {
    IMG_TAIL_PADDING, /* nothing, or only 0xFF */
    IMG_TAIL_SIG_V1,
    IMG_TAIL_SIG_V2,
    IMG_TAIL_UNKNOWN
};

struct img_check {
    enum img_step step;
    uint32_t fed_len;   /* bytes fed so far, after the image included */
    uint32_t least_len; /* the image is at least this long */
    uint32_t step_left; /* bytes until the step changes */
    uint32_t seg_idx;
    uint32_t xor_word;
    uint32_t buf_len;
    struct img_rules rules;
    struct img_fault fault; /* the first one; it sticks */
    enum img_tail tail;
    uint32_t tail_len; /* bytes seen in the tail */
    uint32_t sig_len;  /* of them, in a signature nobody asked for */
    bool head_ok;
    struct img_info info;
    struct sha256 sha;
    uint8_t buf[IMG_APP_DESC_LEN]; /* a header that came in pieces */
    struct img_sig sig;            /* with rules.keys */
};

void img_check_open(struct img_check *c, const struct img_rules *rules);

/* So many of its first bytes say all; the others may be lost and come back as
 * anything. For who has better use of the memory while nothing is fed. */
size_t img_check_used(const struct img_check *c);

/* Any number of bytes, in order. ESP_ERR_IMAGE_INVALID or, for the chip, its
 * revision and a missing description, ESP_FAIL as the reference: see c->fault.
 * After an error every later call returns the same. */
MUST_CHECK esp_err_t img_check_feed(struct img_check *c, const void *data,
                                    size_t len);

/* Bytes that the image is known to need beyond those fed; 0 once its last byte
 * was fed. Never 0 before that. */
uint32_t img_check_need(const struct img_check *c);

/* True once header, first segment header and description have been checked
 * (IMG_HEAD_LEN bytes), so that c->info.desc may be read. */
bool img_check_head_done(const struct img_check *c);

/* The verdict. Fails with ESP_ERR_IMAGE_INVALID (TRUNCATED, TRAILING) or as
 * the feeding did, and leaves *out rejecting; on ESP_OK *out accepts but is not
 * yet bound to a place in flash. */
MUST_CHECK esp_err_t img_check_finish(struct img_check *c,
                                      struct img_receipt *out);

/* Pure readers for those who hold the first bytes. */
MUST_CHECK esp_err_t img_header_parse(struct span bytes,
                                      struct img_header *out);
/* bytes start at the description. */
void img_desc_parse(struct span bytes, struct img_desc *out);
void img_boot_desc_parse(struct span bytes, struct img_boot_desc *out);

#endif
