#include "gen_rig.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = { "wifi", "a_name_of_14_b" };

static esp_err_t open_ns(struct rig *r, unsigned i, uint8_t side, bool create,
                         struct kv_ns *ns)
{
    char full[KV_KEY_LEN];
    esp_err_t err = kv_gen_name(names[i], side, full);

    return err ? err : kv_open(r->kv, full, create, ns);
}

static esp_err_t set_one(const struct kv_ns *ns, uint64_t number)
{
    const struct val text = { KV_TYPE_STR, 40, number };
    const struct val blob = { KV_TYPE_CHUNK, GEN_BLOB_LEN, number };
    esp_err_t err = kv_set_number(ns, "n", KV_TYPE_I64, number);

    if (!err)
        err = val_set(ns, "text", &text);
    if (!err)
        err = val_set(ns, "blob", &blob);
    return err;
}

static esp_err_t set_side(struct rig *r, uint8_t side, uint64_t number)
{
    esp_err_t err = ESP_OK;

    for (unsigned i = 0; i < 2 && !err; i++) {
        struct kv_ns ns;
        err = open_ns(r, i, side, true, &ns);
        if (!err)
            err = set_one(&ns, number + i);
    }
    return err;
}

static uint64_t get_side(struct rig *r, uint8_t side)
{
    uint64_t first = 0;

    for (unsigned i = 0; i < 2; i++) {
        struct val text = { KV_TYPE_STR, 40, 0 };
        struct val blob = { KV_TYPE_CHUNK, GEN_BLOB_LEN, 0 };
        struct kv_ns ns;
        uint64_t n = 0;
        esp_err_t err = open_ns(r, i, side, false, &ns);

        if (!err)
            err = kv_get_number(&ns, "n", KV_TYPE_I64, &n);
        if (err == ESP_ERR_NVS_NOT_FOUND && (i == 0 || first == 0))
            continue;
        text.num = blob.num = n;
        if (err || !val_is(&ns, "text", &text) || !val_is(&ns, "blob", &blob))
            return UINT64_MAX;
        if (i == 0)
            first = n;
        else if (n != first + 1)
            return UINT64_MAX;
    }
    return first;
}

static esp_err_t hook(void *ctx, uint8_t side, uint32_t from, uint32_t to)
{
    struct gen_app *a = ctx;
    uint64_t n = get_side(a->r, side);

    a->from = from;
    if (a->hook_fails)
        return a->hook_fails;
    return n ? set_side(a->r, side, n * 10 + to) : ESP_OK;
}

esp_err_t gen_begin(struct gen_app *a)
{
    const struct kv_gen_job job = { .heap = &a->r->heap.port,
                                    .names = names,
                                    .name_cnt = 2,
                                    .image = a->image,
                                    .migrate = hook,
                                    .ctx = a };

    a->from = UINT32_MAX;
    return kv_gen_begin(a->r->kv, &job, &a->side);
}

esp_err_t gen_set(struct gen_app *a, uint64_t number)
{
    return set_side(a->r, a->side, number);
}

uint64_t gen_get(struct gen_app *a)
{
    return get_side(a->r, a->side);
}

uint64_t gen_get_plain(struct rig *r)
{
    return get_side(r, 0);
}
