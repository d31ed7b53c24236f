/* rig.h - two otadata sectors on a flash whose power can be cut, and a witness
 * that knows the format from docs/decisions/0010-otadata-log.md only, not from
 * the code under test. */
#ifndef RIG_H
#define RIG_H

#include "otadata/otadata.h"
#include "sim_flash.h"

struct rig {
    struct sim_flash sim;
    struct port_flash flash; /* the sim's, with a witness of each erase */
    struct otadata_place at;
    bool log_full;       /* this erase needs no intent: there is no room */
    unsigned bad_erases; /* erases that broke the invariant */
};

/* unit: what the flash programs at least, 4 on most chips. */
void rig_open(struct rig *r, uint32_t unit);
void rig_close(struct rig *r);

/* Where the power went: contents and undecided bits. */
struct rig_image {
    uint8_t bytes[OTADATA_LEN];
    uint8_t unstable[OTADATA_LEN];
    bool is_unstable[2];
};
void rig_save(const struct rig *r, struct rig_image *out);
void rig_load(struct rig *r, const struct rig_image *image);

/* Contents to start from: two records, done entries in each log. */
void image_start(struct rig_image *image, const struct ota_rec rec[2],
                 const unsigned fill[2]);

struct witness_entry {
    bool found, open;
    uint32_t gen, target, old_seq;
    uint8_t rec[OTADATA_REC_LEN];
};
/* The newest change in both sectors. */
struct witness_entry witness_newest(const uint8_t bytes[OTADATA_LEN]);
void witness_pack(uint8_t at[64], const struct witness_entry *entry);
uint32_t witness_crc(uint32_t crc, const uint8_t *data, size_t len);

struct ota_rec rec_of(uint32_t seq, uint32_t state);
struct ota_rec rec_blank(void);
bool rec_equal(const struct ota_rec *a, const struct ota_rec *b);

/* How an operation can end. */
struct cut {
    enum sim_fault fault;
    uint64_t seed;
};
#define CUTS_MAX 64u
/* Fills list: before, after, `torn` ways of tearing it with stable bits and as
 * many with undecided ones. Returns the count. */
unsigned cut_list(struct cut list[CUTS_MAX], unsigned torn);
/* Ways of tearing an operation: PORTA_DEEP=1 asks for more. */
unsigned torn_ways(unsigned usual, unsigned deep);

#endif
