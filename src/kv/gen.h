/* kv/gen.h - an application's settings in two generations, so that a new image
 * may change their form, and an image that is gone back to finds its own.
 *
 * A generation is every key of some namespaces, in the form (schema) that an
 * image understands. An image that wants another form works on a copy; one
 * number, written when the copy is complete, says which generation counts.
 * Bytes and rules: docs/decisions/0021-settings-generations.md.
 *
 * Guarantee: until kv_gen_begin() returns ESP_OK the older generation counts,
 * whatever happens, power loss at any flash operation included; nothing of it
 * is written to by this module. */
#ifndef KV_GEN_H
#define KV_GEN_H

#include "kv/kv.h"

#define KV_GEN_SCHEMA_MAX 0x3FFFu
#define KV_GEN_NAME_LEN 14u /* longest name of a namespace */

/* What the number says. */
struct kv_gen_state {
    uint8_t side;       /* 0: namespaces as they are called; 1: with '~' */
    bool known[2];      /* that side holds a whole generation */
    uint32_t schema[2]; /* of each; 0: from before there was a number */
    bool trial;         /* made by an image that was not confirmed... */
    uint32_t image;     /* ... this one */
};

/* Who asks. */
struct kv_gen_image {
    uint32_t schema; /* 1 to KV_GEN_SCHEMA_MAX */
    uint32_t id;     /* differs whenever another installation runs */
    bool on_trial;   /* not confirmed: it may be gone by the next reset */
    /* Ids of what the boot records say is confirmed; 0: none. Whoever confirmed
     * an image need not have told kv_gen_confirm(). */
    uint32_t confirmed[2];
};

/* Pure. migrate: `first` is stored, then side 1 - first.side becomes a copy in
 * the new form, then `last` is stored. Otherwise `last` is. */
struct kv_gen_plan {
    bool migrate;
    struct kv_gen_state first, last;
};
void kv_gen_decide(const struct kv_gen_state *now,
                   const struct kv_gen_image *image, struct kv_gen_plan *out);

struct kv_gen_job {
    const struct port_heap *heap; /* for the values that are copied */
    const char *const *names;     /* of the namespaces */
    size_t name_cnt;
    struct kv_gen_image image;
    /* Changes the copy, whose side is given, from one form to another; from 0:
     * what was there before, perhaps nothing. What it returns but ESP_OK ends
     * kv_gen_begin(). */
    esp_err_t (*migrate)(void *ctx, uint8_t side, uint32_t from, uint32_t to);
    void *ctx;
};

/* *side: the one to work on. ESP_ERR_INVALID_ARG: the schema is out of
 * range, or a name is; ESP_ERR_NVS_NOT_ENOUGH_SPACE: no room for a copy;
 * ESP_ERR_NO_MEM; ESP_ERR_NVS_INVALID_STATE: the number is none of ours. */
MUST_CHECK esp_err_t kv_gen_begin(struct kv *kv, const struct kv_gen_job *job,
                                  uint8_t *side);
/* The image of this id was confirmed: its generation stays without it. */
MUST_CHECK esp_err_t kv_gen_confirm(struct kv *kv, uint32_t id);
/* What a namespace is called on a side. ESP_ERR_NVS_INVALID_NAME: it is empty
 * or too long. */
MUST_CHECK esp_err_t kv_gen_name(const char *name, uint8_t side,
                                 char out[KV_KEY_LEN]);

#endif
