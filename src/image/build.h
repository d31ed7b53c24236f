/* image/build.h - pack an image. Not linked by a bootloader.
 *
 * Pure: reads the spans it is given, writes through a sink, allocates nothing.
 * What it writes, the verifier accepts.
 *
 * Where the description goes: when one of the segments begins with a
 * description (its magic), that segment comes first and its fields are
 * replaced by those given; otherwise the description becomes a segment 0 of
 * its own at address 0, which no chip loads, so that every segment keeps the
 * address it was given. A capability record follows it; in a segment that
 * begins with a description there must be one already, of the same length.
 * Segments that the chip maps from flash are laid out for its MMU page
 * (reference 1.4): sorted by address, with pieces of the other segments or
 * zeros as padding. The rest keeps its order. */
#ifndef IMAGE_BUILD_H
#define IMAGE_BUILD_H

#include "base/diag.h"
#include "image/cap.h"
#include "image/image.h"
#include "image/walk.h"

struct img_build_seg {
    uint32_t load_addr;
    struct span data; /* filled up with zeros to a multiple of 4 */
};

struct img_build {
    enum img_kind kind;
    struct img_header header;       /* magic and seg_cnt are set for you */
    struct img_desc desc;           /* kind APP; `present` is ignored */
    struct img_boot_desc boot_desc; /* kind BOOTLOADER, likewise */
    struct img_cap cap;             /* kind APP; written when state is GOOD */
    const struct img_build_seg *segs;
    uint32_t seg_cnt;
};

/* A plan: the segments of the image as they will be. */
struct img_piece {
    uint32_t load_addr;
    uint32_t len;     /* of the segment; zeros fill what head, data leave */
    struct span head; /* a description, or empty */
    struct span data;
};

struct img_layout {
    uint8_t desc[IMG_APP_DESC_LEN + IMG_CAP_MAX_LEN];
    struct img_piece pieces[IMG_MAX_SEGMENTS];
    uint32_t cnt;
    uint32_t image_len; /* with checksum and digest */
};

/* The fields of a description over the bytes at out; what has no field stays
 * as it is. */
void img_desc_pack(const struct img_desc *desc, uint8_t out[IMG_APP_DESC_LEN]);
void img_boot_desc_pack(const struct img_boot_desc *desc,
                        uint8_t out[IMG_BOOT_DESC_LEN]);

/* Decides; writes nothing. *out points into itself and into the data of in: do
 * not copy it. ESP_ERR_INVALID_ARG: segments that overlap in a flash page or
 * lie unaligned; ESP_ERR_INVALID_SIZE: too many segments, or too large. */
MUST_CHECK esp_err_t img_build_plan(const struct img_build *in,
                                    struct img_layout *out, struct diag *d);

/* The bytes of a plan, in order. Errors are the sink's. */
MUST_CHECK esp_err_t img_build_write(const struct img_build *in,
                                     const struct img_layout *plan,
                                     const struct img_sink *sink);

/* Both, into a buffer. *out_len is the length of the image even when the
 * buffer is too small (ESP_ERR_INVALID_SIZE), so a size query has cap_len 0. */
MUST_CHECK esp_err_t img_build(const struct img_build *in, void *out,
                               size_t cap_len, uint32_t *out_len,
                               struct diag *d);

#endif
