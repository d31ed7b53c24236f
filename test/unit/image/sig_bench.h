/* sig_bench.h - a signed image in the making, spoiled in one way, and judged
 * in a slot, on the wire and in a file, whole and in pieces. */
#ifndef SIG_BENCH_H
#define SIG_BENCH_H

#include "image/image.h"

#define FILE_LEN 16384u

/* What a row expects: an enum img_sig_why, or one of these. */
enum want {
    GOOD = 0,
    GAP = -1,
    TRAILING = -2 /* but in a slot, where anything may follow, GOOD */
};

/* A file in the making. */
struct bench {
    enum img_scheme scheme;
    uint8_t file[FILE_LEN];
    uint32_t image_len, sig_off;
    uint32_t len; /* of the file */
    struct img_keys keys;
};

struct row {
    const char *claim;
    const char *signers; /* keys of the three blocks, '-': erased; "/2": the
                            set trusts keys 0 and 1, without it key 0 */
    void (*spoil)(struct bench *b);
    int want;
};

void bench_make(struct bench *b, enum img_scheme scheme, const struct row *row);
/* Makes the bench of a row and fails the test if the verdict is another. */
void bench_run(const struct row *row, enum img_scheme scheme);

uint8_t *bench_block(struct bench *b, unsigned idx);
/* key: '0' to '3', '-' erases. */
void bench_sign(struct bench *b, unsigned idx, char key);

/* Ways to spoil it that every scheme has. */
void bench_padding_after_sector(struct bench *b);
void bench_no_sector(struct bench *b);
void bench_byte_after_sector(struct bench *b);
void bench_image_changed(struct bench *b);
void bench_revoke_first(struct bench *b);
void bench_need_two(struct bench *b);

#endif
