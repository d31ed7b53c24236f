/* scene.h - a store, one operation on it, and what every key may hold after
 * the power was cut in that operation. */
#ifndef KV_SCENE_H
#define KV_SCENE_H

#include "unit/kv/rig.h"

#define SCENE_KEYS_MAX 220u

enum scene_op {
    SCENE_SET,       /* key becomes `to`; absent: it is erased */
    SCENE_SET_PURGE, /* the same, overwriting what is erased */
    SCENE_FRESH,     /* the same in a namespace that is new */
    SCENE_ERASE_ALL,
    SCENE_PURGE,
    SCENE_WIPE
};

struct scene {
    const char *name;
    enum scene_op op;
    struct val from, to; /* of the key that the operation is about */
    uint32_t page_cnt;   /* 0: 4 */
    bool blank;          /* start from a blank partition */
    uint32_t crowd;      /* other keys, spread over the pages */
    uint32_t free_cnt;   /* with tail: fill pages until so many are free, */
    uint32_t tail;       /* and so many slots of the newest are left */
};

extern const struct scene scenes[];
extern const unsigned scene_cnt;

struct scene_key {
    const char *ns;
    char key[KV_KEY_LEN];
    struct val before, after;
};

struct stage {
    const struct scene *scene;
    struct rig rig;
    struct rig_image start;
    struct scene_key keys[SCENE_KEYS_MAX];
    unsigned key_cnt;
};

/* Builds the start; false, with a message: the scene is wrong. */
bool stage_open(struct stage *st, const struct scene *scene);
void stage_close(struct stage *st);

/* Does what the scene is about, on the mounted store. */
esp_err_t stage_act(struct stage *st);

/* Looks at every key of the mounted store. NULL: each has its value from
 * before or after; *done: all have the one from after. */
const char *stage_check(struct stage *st, bool *done);

#endif
