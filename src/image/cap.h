/* image/cap.h - what a program says of the updates that come after it.
 *
 * A capability record directly follows the application's description, at
 * offset 288 of the image and inside segment 0, where ESP-IDF puts an
 * application's own description. Bytes and reasons: docs/decisions/0018. It is
 * part of what the image's digest and signature cover. Pure. */
#ifndef IMAGE_CAP_H
#define IMAGE_CAP_H

#include "image/image.h"
#include "part/part.h"

#define IMG_CAP_OFF IMG_HEAD_LEN
#define IMG_CAP_MAGIC 0x50414350u /* "PCAP" */
#define IMG_CAP_VERSION 1u
#define IMG_CAP_KEYS_MAX 8u
#define IMG_CAP_FIXED_LEN 44u
#define IMG_CAP_MAX_LEN (IMG_CAP_FIXED_LEN + IMG_CAP_KEYS_MAX * SHA256_LEN + 4u)
/* All of a record is among the first so many bytes of an image. */
#define IMG_CAP_END (IMG_CAP_OFF + IMG_CAP_MAX_LEN)

enum img_cap_state {
    IMG_CAP_ABSENT = 0, /* or of a later version: nothing is known */
    IMG_CAP_GOOD,
    IMG_CAP_DAMAGED
};

struct img_cap {
    enum img_cap_state state;
    bool client;   /* the program can fetch and install an update */
    bool override; /* "install me all the same": counts if it is signed */
    bool has_table;
    uint8_t table_sha[SHA256_LEN]; /* img_cap_table(), when has_table */
    /* Whose signatures it will ask of its successor; cnt 0: nobody's. */
    enum img_scheme scheme;
    uint32_t need, cnt;
    uint8_t key_id[IMG_CAP_KEYS_MAX][SHA256_LEN];
};

/* head: the image from its first byte on. seg_len: of its first segment. */
void img_cap_parse(struct span head, uint32_t seg_len, struct img_cap *out);

/* Returns the length, a multiple of 4. */
uint32_t img_cap_pack(const struct img_cap *cap, uint8_t out[IMG_CAP_MAX_LEN]);

/* The name of a partition table: SHA-256 over its packed rows. */
void img_cap_table(const struct part_table *table, uint8_t out[SHA256_LEN]);

#endif
