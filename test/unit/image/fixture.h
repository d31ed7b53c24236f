/* fixture.h - small images made byte by byte, without the code under test. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "image/image.h"

#define FIX_MAX_LEN 16384u

struct fix_seg {
    uint32_t load_addr;
    uint32_t len; /* bytes are made up; segment 0 starts with a description */
};

struct fix_spec {
    uint16_t chip_id;
    bool no_desc, no_hash;
    uint8_t mmu_page_log2;
    uint32_t seg_cnt;
    struct fix_seg segs[IMG_MAX_SEGMENTS];
};

/* An ESP32 application of three segments. */
extern const struct fix_spec fix_app;

/* Returns the length of the image at out (FIX_MAX_LEN bytes). */
size_t fix_pack(const struct fix_spec *spec, uint8_t *out);

/* Makes checksum and digest right again after a change of an image whose
 * segment table is sound. */
void fix_seal(uint8_t *image);

/* The whole life of a check. step 0: one piece; else pieces of that size. */
esp_err_t fix_check(const struct img_rules *rules, const uint8_t *data,
                    size_t len, size_t step, struct img_check *check,
                    struct img_receipt *receipt);

/* A file of any chip, for an application. */
extern const struct img_rules fix_file_rules;

/* 32 bits that look random and are the same every time. */
uint32_t fix_rand(uint32_t *state);

#endif
