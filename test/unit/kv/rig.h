/* rig.h - a key/value store on a flash and a heap that fail on demand, and
 * values that are made from a number. */
#ifndef KV_RIG_H
#define KV_RIG_H

#include "kv/kv.h"
#include "sim_flash.h"
#include "sim_heap.h"

#define RIG_PAGES_MAX 8u
#define RIG_LEN_MAX (RIG_PAGES_MAX * KV_PAGE_LEN)

struct rig {
    struct sim_flash sim;
    struct port_flash flash; /* the sim's, and a note of the erase cut short */
    uint32_t torn_off;       /* its sector; UINT32_MAX: it was a program */
    struct sim_heap heap;
    struct part_dev dev;
    struct part_entry part;
    struct kv *kv;
};

void rig_open(struct rig *r, uint32_t page_cnt);
void rig_close(struct rig *r);
/* Unmounts, if mounted, and mounts. */
esp_err_t rig_mount(struct rig *r);
/* Forgets the mount as a power cut does. */
void rig_unmount(struct rig *r);

/* How far an erase that was cut came, beside what chance gives: what a CRC
 * would let pass once in billions. */
enum rig_shape {
    RIG_HEAD_STAYS, /* only the header is as it was */
    RIG_BITS_RISE,  /* only the slot states rose */
    RIG_HEAD_GONE,  /* only the header is erased */
    RIG_NEARLY,     /* all reads erased, some bits now and then do not */
    RIG_SHAPE_CNT
};
/* After a cut before an erase: does that much of it. False: it was none. */
bool rig_shape(struct rig *r, enum rig_shape shape);

/* Contents and undecided bits. */
struct rig_image {
    uint8_t bytes[RIG_LEN_MAX];
    uint8_t unstable[RIG_LEN_MAX];
    bool is_unstable[RIG_PAGES_MAX];
};
void rig_save(const struct rig *r, struct rig_image *out);
void rig_load(struct rig *r, const struct rig_image *image);

/* A value: absent when type is 0. */
struct val {
    uint8_t type; /* KV_TYPE_CHUNK: a blob */
    uint32_t len; /* of a string with its NUL, of a blob */
    uint64_t num; /* the number, or what the bytes are made from */
};

#define VAL_MAX 12000u
#define VAL_TRAP 666u /* num of a blob that is full of entries of another key */

/* The bytes of a string or blob. */
void val_bytes(const struct val *v, uint8_t out[VAL_MAX]);
/* Sets, or erases when absent; no such key is no error. */
esp_err_t val_set(const struct kv_ns *ns, const char *key, const struct val *v);
/* Does the key hold exactly this? */
bool val_is(const struct kv_ns *ns, const char *key, const struct val *v);

/* What must hold of the bytes of a store at rest, told by a reader that knows
 * the format and not the code under test. NULL: all is well. */
const char *witness(const uint8_t *bytes, uint32_t page_cnt);

#endif
