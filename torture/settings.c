#include "settings.h"

#include <string.h>

#include "base/crc32.h"
#include "kv/gen.h"

#define NS "torture"
#define SCHEMA (KV_GEN_SCHEMA_MAX - 1)
#define BLOB_LEN 600u
#define VALUE_MAX 4096u

struct values {
    const char *name;
    uint32_t number;
    uint8_t filler;
};
static const struct values before = { "the old name", 1, 0x5A };
static const struct values after = { "a name that is longer, and new", 2,
                                     0xC3 };

static esp_err_t mount(struct world *w, struct kv **kv, struct kv_ns *ns)
{
    esp_err_t err = kv_mount(&w->parts, world_nvs(w), &w->heap.port, kv);
    if (!err && ns)
        err = kv_open(*kv, NS, true, ns);
    return err;
}

static esp_err_t set_in(const struct kv_ns *ns, const struct values *v)
{
    uint8_t blob[BLOB_LEN];
    esp_err_t err = kv_set_str(ns, "name", v->name);

    memset(blob, v->filler, sizeof(blob));
    if (!err)
        err = kv_set_number(ns, "number", KV_TYPE_U32, v->number);
    if (!err)
        err = kv_set_blob(ns, "blob", span_of(blob, sizeof(blob)));
    return err;
}

static esp_err_t set(struct world *w, const struct values *v)
{
    struct kv *kv = NULL;
    struct kv_ns ns;
    esp_err_t err = mount(w, &kv, &ns);

    if (!err)
        err = set_in(&ns, v);
    kv_unmount(kv);
    return err;
}

/* A digest of all keys that are not ours. */
static esp_err_t others(struct world *w, uint32_t *digest);

esp_err_t settings_prepare(struct world *w)
{
    esp_err_t err = set(w, &before);

    return err ? err : others(w, &w->memo);
}

esp_err_t settings_change(struct world *w)
{
    return set(w, &after);
}

esp_err_t settings_mount(struct world *w)
{
    struct kv *kv = NULL;
    esp_err_t err = mount(w, &kv, NULL);
    kv_unmount(kv);
    return err;
}

/* --- ours ----------------------------------------------------------------- */

/* 0: from before, 1: from after, 2: neither. */
static unsigned which_name(const struct kv_ns *ns)
{
    char text[64];
    size_t len = sizeof(text);
    if (kv_get_str(ns, "name", text, &len))
        return 2;
    return strcmp(text, before.name) == 0  ? 0
           : strcmp(text, after.name) == 0 ? 1
                                           : 2;
}

static unsigned which_number(const struct kv_ns *ns)
{
    uint64_t value;
    if (kv_get_number(ns, "number", KV_TYPE_U32, &value))
        return 2;
    return value == before.number ? 0 : value == after.number ? 1 : 2;
}

static unsigned which_blob(const struct kv_ns *ns)
{
    uint8_t got[BLOB_LEN], want[BLOB_LEN];
    size_t len = sizeof(got);
    if (kv_get_blob(ns, "blob", got, &len) || len != sizeof(got))
        return 2;
    memset(want, got[0], sizeof(want));
    if (memcmp(got, want, sizeof(want)) != 0)
        return 2;
    return got[0] == before.filler ? 0 : got[0] == after.filler ? 1 : 2;
}

static const char *check_others(struct world *w)
{
    uint32_t digest;

    return others(w, &digest) || digest != w->memo ? "another setting changed"
                                                   : NULL;
}

const char *settings_check(struct world *w, bool *done)
{
    struct kv *kv = NULL;
    struct kv_ns ns;
    unsigned which[3] = { 2, 2, 2 };

    *done = false;
    if (!mount(w, &kv, &ns)) {
        which[0] = which_name(&ns);
        which[1] = which_number(&ns);
        which[2] = which_blob(&ns);
    }
    kv_unmount(kv);
    if (which[0] == 2 || which[1] == 2 || which[2] == 2)
        return "a setting has neither its old value nor its new one";
    if (which[0] < which[1] || which[1] < which[2])
        return "a later setting is new and an earlier one is old";
    *done = which[2] == 1;
    return check_others(w);
}

/* --- another image's ------------------------------------------------------ */

static const char *const names[] = { NS };

/* An image of this schema starts; its hook sets these values. */
struct image {
    struct kv *kv;
    const struct values *values;
    bool hooked;
};

static esp_err_t hook(void *ctx, uint8_t side, uint32_t from, uint32_t to)
{
    struct image *i = ctx;
    char name[KV_KEY_LEN];
    struct kv_ns ns;
    esp_err_t err = kv_gen_name(NS, side, name);

    (void)from;
    (void)to;
    i->hooked = true;
    if (!err)
        err = kv_open(i->kv, name, true, &ns);
    return err ? err : set_in(&ns, i->values);
}

/* *which: the values that it finds, 2: of both kinds, or none. */
static esp_err_t start_image(struct world *w, uint32_t schema,
                             struct image *image, unsigned *which)
{
    const struct kv_gen_job job = { .heap = &w->heap.port,
                                    .names = names,
                                    .name_cnt = 1,
                                    .image = { .schema = schema, .id = schema },
                                    .migrate = hook,
                                    .ctx = image };
    char name[KV_KEY_LEN];
    uint8_t side = 0;
    struct kv_ns ns;
    esp_err_t err = mount(w, &image->kv, NULL);

    *which = 2;
    if (!err)
        err = kv_gen_begin(image->kv, &job, &side);
    if (!err)
        err = kv_gen_name(NS, side, name);
    if (!err)
        err = kv_open(image->kv, name, false, &ns);
    if (!err && which_number(&ns) == which_name(&ns) &&
        which_name(&ns) == which_blob(&ns))
        *which = which_name(&ns);
    kv_unmount(image->kv);
    return err;
}

esp_err_t settings_migrate_prepare(struct world *w)
{
    struct image old = { .values = &before };
    unsigned which;
    esp_err_t err = start_image(w, SCHEMA, &old, &which);

    return err ? err : others(w, &w->memo);
}

esp_err_t settings_migrate(struct world *w)
{
    struct image new = { .values = &after };
    unsigned which;

    return start_image(w, SCHEMA + 1, &new, &which);
}

/* First as the new image, which migrates to the end, then as the old one. */
const char *settings_migrate_check(struct world *w, bool *done)
{
    struct image new = { .values = &after }, old = { .values = &before };
    unsigned which;

    *done = false;
    if (start_image(w, SCHEMA + 1, &new, &which) || which != 1)
        return "the new image does not find its settings";
    *done = !new.hooked;
    if (start_image(w, SCHEMA, &old, &which) || which != 0 || old.hooked)
        return "the old image does not find its settings";
    return check_others(w);
}

/* --- the others ----------------------------------------------------------- */

static esp_err_t add_value(struct kv *kv, const struct kv_info *info,
                           uint32_t *digest)
{
    uint8_t value[VALUE_MAX];
    size_t len = sizeof(value);
    uint64_t number;
    struct kv_ns ns;
    esp_err_t err = kv_open(kv, info->ns_name, false, &ns);

    if (err)
        return err;
    if (info->type == KV_TYPE_STR) {
        err = kv_get_str(&ns, info->key, (char *)value, &len);
    } else if (info->type == KV_TYPE_CHUNK) {
        err = kv_get_blob(&ns, info->key, value, &len);
    } else {
        err = kv_get_number(&ns, info->key, info->type, &number);
        memcpy(value, &number, sizeof(number));
        len = sizeof(number);
    }
    if (err == ESP_ERR_NVS_INVALID_LENGTH) { /* too long to look at */
        err = ESP_OK;
        len = 0;
    }
    if (!err) /* added, so that their order does not matter */
        *digest +=
            crc32_le(crc32_le(0, info->key, strlen(info->key)), value, len);
    return err;
}

static bool is_ours(const struct kv_info *info)
{
    return strcmp(info->ns_name, NS) == 0 ||
           strcmp(info->ns_name, NS "~") == 0 ||
           (strcmp(info->ns_name, "porta") == 0 &&
            strcmp(info->key, "settings") == 0);
}

static esp_err_t others(struct world *w, uint32_t *digest)
{
    struct kv *kv = NULL;
    struct kv_iter it = { .type = KV_TYPE_ANY };
    struct kv_info info;
    esp_err_t err = mount(w, &kv, NULL);

    *digest = 0;
    while (!err) {
        err = kv_iter_next(kv, &it, &info);
        if (!err && !is_ours(&info))
            err = add_value(kv, &info, digest);
    }
    kv_unmount(kv);
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}
