#include "scene.h"

#include <stdio.h>
#include <string.h>

#include "kv/kv_priv.h"

#define U8(n)                          \
    {                                  \
        .type = KV_TYPE_U8, .num = (n) \
    }
#define U32(n)                          \
    {                                   \
        .type = KV_TYPE_U32, .num = (n) \
    }
#define STR(l, n)                                   \
    {                                               \
        .type = KV_TYPE_STR, .len = (l), .num = (n) \
    }
#define BLOB(l, n)                                    \
    {                                                 \
        .type = KV_TYPE_CHUNK, .len = (l), .num = (n) \
    }
#define NONE      \
    {             \
        .type = 0 \
    }

const struct scene scenes[] = {
    { .name = "first write of a blank partition",
      .op = SCENE_FRESH,
      .from = NONE,
      .to = U8(7),
      .blank = true },
    { .name = "new number", .op = SCENE_SET, .from = NONE, .to = U32(7) },
    { .name = "number replaced",
      .op = SCENE_SET,
      .from = U32(6),
      .to = U32(7) },
    { .name = "number becomes string",
      .op = SCENE_SET,
      .from = U32(6),
      .to = STR(50, 7) },
    { .name = "string becomes number",
      .op = SCENE_SET,
      .from = STR(300, 6),
      .to = U8(7) },
    { .name = "new string", .op = SCENE_SET, .from = NONE, .to = STR(90, 7) },
    { .name = "string replaced",
      .op = SCENE_SET,
      .from = STR(40, 6),
      .to = STR(33, 7) },
    { .name = "long string replaced",
      .op = SCENE_SET,
      .from = STR(1800, 6),
      .to = STR(1700, 7) },
    { .name = "number erased", .op = SCENE_SET, .from = U32(6), .to = NONE },
    { .name = "string erased",
      .op = SCENE_SET,
      .from = STR(700, 6),
      .to = NONE },
    { .name = "string erased and overwritten",
      .op = SCENE_SET_PURGE,
      .from = STR(100, 6),
      .to = NONE },
    { .name = "new blob", .op = SCENE_SET, .from = NONE, .to = BLOB(100, 7) },
    { .name = "empty blob replaced",
      .op = SCENE_SET,
      .from = BLOB(0, 6),
      .to = BLOB(1, 7) },
    { .name = "blob replaced",
      .op = SCENE_SET,
      .from = BLOB(700, 6),
      .to = BLOB(600, 7) },
    { .name = "number, next page",
      .op = SCENE_SET,
      .from = U32(6),
      .to = U32(7),
      .free_cnt = 2 },
    { .name = "number, full",
      .op = SCENE_SET,
      .from = U32(6),
      .to = U32(7),
      .free_cnt = 1 },
    { .name = "trap written",
      .op = SCENE_SET,
      .from = NONE,
      .to = BLOB(1600, VAL_TRAP) },
    { .name = "trap replaced",
      .op = SCENE_SET,
      .from = BLOB(1600, VAL_TRAP),
      .to = U8(7) },
    { .name = "trap erased",
      .op = SCENE_SET,
      .from = BLOB(640, VAL_TRAP),
      .to = NONE },
    { .name = "trap, full",
      .op = SCENE_SET,
      .from = BLOB(640, VAL_TRAP),
      .to = U32(7),
      .free_cnt = 1 },
    { .name = "two pages",
      .op = SCENE_SET,
      .from = U32(6),
      .to = U32(7),
      .page_cnt = 2,
      .free_cnt = 1 },
    { .name = "blob replaced and overwritten",
      .op = SCENE_SET_PURGE,
      .from = BLOB(70, 6),
      .to = BLOB(60, 7) },
    { .name = "blob over pages replaced",
      .op = SCENE_SET,
      .from = BLOB(6000, 6),
      .to = BLOB(7000, 7),
      .page_cnt = 7 },
    { .name = "blob becomes number",
      .op = SCENE_SET,
      .from = BLOB(5000, 6),
      .to = U8(7) },
    { .name = "number becomes blob",
      .op = SCENE_SET,
      .from = U8(6),
      .to = BLOB(5000, 7) },
    { .name = "blob erased",
      .op = SCENE_SET,
      .from = BLOB(5000, 6),
      .to = NONE },
    { .name = "new namespace",
      .op = SCENE_FRESH,
      .from = NONE,
      .to = STR(20, 7) },
    { .name = "namespace erased",
      .op = SCENE_ERASE_ALL,
      .from = BLOB(500, 6),
      .to = NONE },
    { .name = "erased values overwritten",
      .op = SCENE_PURGE,
      .from = STR(90, 6),
      .to = STR(90, 6) },
    { .name = "partition erased",
      .op = SCENE_WIPE,
      .from = BLOB(500, 6),
      .to = NONE },
    { .name = "string, next page",
      .op = SCENE_SET,
      .from = STR(500, 6),
      .to = STR(500, 7),
      .free_cnt = 2,
      .tail = 3 },
    { .name = "string, full",
      .op = SCENE_SET,
      .from = STR(500, 6),
      .to = STR(600, 7),
      .free_cnt = 1,
      .tail = 5 },
    { .name = "blob, full",
      .op = SCENE_SET,
      .from = BLOB(2000, 6),
      .to = BLOB(2100, 7),
      .free_cnt = 1,
      .tail = 20 },
    { .name = "blob becomes string, full",
      .op = SCENE_SET,
      .from = BLOB(900, 6),
      .to = STR(600, 7),
      .free_cnt = 1,
      .tail = 2 },
    { .name = "number, full and crowded",
      .op = SCENE_SET,
      .from = U32(6),
      .to = U32(7),
      .free_cnt = 1,
      .crowd = 180 },
    { .name = "string, full and crowded",
      .op = SCENE_SET,
      .from = STR(400, 6),
      .to = STR(300, 7),
      .free_cnt = 1,
      .tail = 4,
      .crowd = 160 },
    { .name = "blob, full and crowded",
      .op = SCENE_SET,
      .from = BLOB(900, 6),
      .to = BLOB(1000, 7),
      .free_cnt = 1,
      .tail = 14,
      .crowd = 150 },
    { .name = "erased in a full store",
      .op = SCENE_SET,
      .from = BLOB(900, 6),
      .to = NONE,
      .free_cnt = 1,
      .crowd = 150 },
};
const unsigned scene_cnt = sizeof(scenes) / sizeof(scenes[0]);

/* --- the start ------------------------------------------------------------ */

static struct scene_key *add(struct stage *st, const char *ns, const char *key,
                             struct val v)
{
    struct scene_key *k = &st->keys[st->key_cnt++];

    k->ns = ns;
    snprintf(k->key, sizeof(k->key), "%s", key);
    k->before = v;
    k->after = v;
    return k;
}

static void list_keys(struct stage *st)
{
    const struct scene *s = st->scene;
    const char *ns = s->op == SCENE_FRESH ? "fresh" : "app";
    char name[KV_KEY_LEN];

    add(st, ns, "k", s->from)->after = s->to;
    if (s->blank)
        return;
    add(st, "app", "num", (struct val)U8(200));
    add(st, "app", "text", (struct val)STR(100, 1));
    add(st, "app", "data", (struct val)BLOB(300, 2));
    add(st, "other", "k", (struct val)U32(3));
    add(st, "other", "data", (struct val)BLOB(40, 4));
    for (unsigned i = 0; i < s->crowd; i++) {
        snprintf(name, sizeof(name), "c%u", i);
        add(st, i % 2 ? "app" : "other", name, (struct val)U32(i));
    }
    for (unsigned i = 0; i < st->key_cnt; i++) {
        if (s->op == SCENE_WIPE ||
            (s->op == SCENE_ERASE_ALL && strcmp(st->keys[i].ns, "app") == 0))
            st->keys[i].after = (struct val)NONE;
    }
}

static esp_err_t set_filler(struct stage *st, uint64_t num)
{
    struct kv_ns ns;
    esp_err_t err = kv_open(st->rig.kv, "filler", true, &ns);

    return err ? err : kv_set_number(&ns, "n", KV_TYPE_U64, num);
}

static esp_err_t set_keys(struct stage *st)
{
    const struct val stale = STR(60, 99); /* something to overwrite */

    for (unsigned i = 0; i < st->key_cnt; i++) {
        const struct scene_key *k = &st->keys[i];
        struct kv_ns ns;
        esp_err_t err;

        if (k->before.type == 0)
            continue;
        err = kv_open(st->rig.kv, k->ns, true, &ns);
        if (!err && st->scene->op == SCENE_PURGE)
            err = val_set(&ns, k->key, &stale);
        if (!err)
            err = val_set(&ns, k->key, &k->before);
        if (!err && st->scene->crowd)
            err = set_filler(st, 1000 + i);
        if (err)
            return err;
    }
    return ESP_OK;
}

/* Is the store as full as the scene wants it? */
static bool filled(const struct stage *st)
{
    const struct kv *kv = st->rig.kv;
    const struct kv_page *p = &kv->pages[kv->order[kv->used_cnt - 1]];

    return kv->page_cnt - kv->used_cnt == st->scene->free_cnt &&
           KV_SLOT_CNT - p->next == st->scene->tail;
}

static esp_err_t fill(struct stage *st)
{
    esp_err_t err = ESP_OK;

    for (unsigned i = 0; !err && st->scene->free_cnt && !filled(st); i++)
        err = i < 4000 ? set_filler(st, i) : ESP_FAIL;
    return err;
}

bool stage_open(struct stage *st, const struct scene *scene)
{
    esp_err_t err;

    memset(st, 0, sizeof(*st));
    st->scene = scene;
    rig_open(&st->rig, scene->page_cnt ? scene->page_cnt : 4);
    list_keys(st);
    err = rig_mount(&st->rig);
    if (!err && !scene->blank)
        err = set_keys(st);
    if (!err)
        err = fill(st);
    if (err)
        printf("%s: no start: %s\n", scene->name, err_name(err));
    rig_unmount(&st->rig);
    rig_save(&st->rig, &st->start);
    return err == ESP_OK;
}

void stage_close(struct stage *st)
{
    rig_close(&st->rig);
}

/* --- the operation -------------------------------------------------------- */

static esp_err_t wipe(struct stage *st)
{
    esp_err_t err;

    rig_unmount(&st->rig);
    err = kv_wipe(&st->rig.dev, &st->rig.part);
    return err ? err : rig_mount(&st->rig);
}

esp_err_t stage_act(struct stage *st)
{
    const struct scene *s = st->scene;
    struct kv_ns ns;
    esp_err_t err;

    if (s->op == SCENE_WIPE)
        return wipe(st);
    err = kv_open(st->rig.kv, st->keys[0].ns, true, &ns);
    if (err)
        return err;
    ns.purge = s->op == SCENE_SET_PURGE;
    if (s->op == SCENE_ERASE_ALL)
        return kv_erase_all(&ns);
    if (s->op == SCENE_PURGE)
        return kv_purge(&ns);
    return val_set(&ns, st->keys[0].key, &s->to);
}

/* --- what is there -------------------------------------------------------- */

static esp_err_t holds(struct stage *st, const struct scene_key *k,
                       const struct val *v, bool *yes)
{
    struct kv_ns ns;
    esp_err_t err = kv_open(st->rig.kv, k->ns, false, &ns);

    *yes = err == ESP_ERR_NVS_NOT_FOUND ? v->type == 0
                                        : !err && val_is(&ns, k->key, v);
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

const char *stage_check(struct stage *st, bool *done)
{
    *done = true;
    for (unsigned i = 0; i < st->key_cnt; i++) {
        const struct scene_key *k = &st->keys[i];
        bool before = false, after;

        if (holds(st, k, &k->after, &after) ||
            (!after && holds(st, k, &k->before, &before)))
            return "the store cannot be read";
        if (!before && !after)
            return i == 0 ? "neither the old value nor the new one"
                          : "another key changed";
        *done = *done && after;
    }
    return NULL;
}
