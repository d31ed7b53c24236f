/* gen_rig.h - an application with settings of several schemas on a store. */
#ifndef KV_GEN_RIG_H
#define KV_GEN_RIG_H

#include "kv/gen.h"
#include "rig.h"

#define GEN_BLOB_LEN 900u

struct gen_app {
    struct rig *r;
    struct kv_gen_image image;
    esp_err_t hook_fails; /* what the hook returns */
    uint32_t from;        /* what the hook was told */
    uint8_t side;
};

/* kv_gen_begin(); the hook appends the digit of its schema to every number. */
esp_err_t gen_begin(struct gen_app *a);
/* Sets every setting from one number; reads it. UINT64_MAX: they differ, or
 * one is missing; 0: there is none. */
esp_err_t gen_set(struct gen_app *a, uint64_t number);
uint64_t gen_get(struct gen_app *a);
/* The same of the namespaces as they are called: what an image reads that
 * knows nothing of generations. */
uint64_t gen_get_plain(struct rig *r);

#endif
