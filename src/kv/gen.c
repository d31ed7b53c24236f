/* gen.c - see gen.h.
 *
 * Invariant: the side that counts is never written to. The copy is begun only
 * after the number says that the other side holds nothing, and counts only
 * when the number says so, which replaces one entry: at every cut it is the
 * old number or the new one. */
#include "kv/gen.h"

#include <string.h>

#define OWN_NAMESPACE "porta"
#define OWN_KEY "settings"

/* --- the number ----------------------------------------------------------- */

#define SCHEMA_BITS 14u
#define AT_SCHEMA 32u /* of side 0; side 1 follows */
#define AT_SIDE 60u
#define AT_KNOWN 61u /* of side 0; side 1 follows */
#define AT_TRIAL 63u

static uint64_t pack(const struct kv_gen_state *s)
{
    uint64_t n = s->image;

    for (unsigned i = 0; i < 2; i++) {
        n |= (uint64_t)s->schema[i] << (AT_SCHEMA + i * SCHEMA_BITS);
        n |= (uint64_t)s->known[i] << (AT_KNOWN + i);
    }
    /* Takes the bool for 1 bit wide even after the cast:
     * NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
    return n | (uint64_t)s->side << AT_SIDE | (uint64_t)s->trial << AT_TRIAL;
}

static void unpack(uint64_t n, struct kv_gen_state *out)
{
    out->image = (uint32_t)n;
    for (unsigned i = 0; i < 2; i++) {
        out->schema[i] = n >> (AT_SCHEMA + i * SCHEMA_BITS) & KV_GEN_SCHEMA_MAX;
        out->known[i] = n >> (AT_KNOWN + i) & 1;
    }
    out->side = n >> AT_SIDE & 1;
    out->trial = n >> AT_TRIAL & 1;
}

/* Without a number: what an application kept before it used this. */
static esp_err_t load(struct kv *kv, struct kv_gen_state *out)
{
    struct kv_ns ns;
    uint64_t n = 0;
    esp_err_t err = kv_open(kv, OWN_NAMESPACE, false, &ns);

    if (!err)
        err = kv_get_number(&ns, OWN_KEY, KV_TYPE_U64, &n);
    *out = (struct kv_gen_state){ .known[0] = true };
    if (err)
        return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
    unpack(n, out);
    return out->known[out->side] ? ESP_OK : ESP_ERR_NVS_INVALID_STATE;
}

/* The same number again costs nothing: kv does not write it. */
static esp_err_t store(struct kv *kv, const struct kv_gen_state *s)
{
    struct kv_ns ns;
    esp_err_t err = kv_open(kv, OWN_NAMESPACE, true, &ns);

    return err ? err : kv_set_number(&ns, OWN_KEY, KV_TYPE_U64, pack(s));
}

/* --- the decision --------------------------------------------------------- */

static void give_up_side(struct kv_gen_state *s)
{
    s->known[s->side] = false;
    s->schema[s->side] = 0;
    s->side = 1 - s->side;
    s->trial = false;
}

static bool is_confirmed(const struct kv_gen_image *image, uint32_t id)
{
    return id != 0 && (image->confirmed[0] == id || image->confirmed[1] == id);
}

/* An image that was never confirmed and does not run any more took its copy
 * with it. */
static void end_trial(struct kv_gen_state *s, const struct kv_gen_image *image)
{
    if (s->trial && is_confirmed(image, s->image))
        s->trial = false;
    if (s->trial && s->image != image->id && s->known[1 - s->side])
        give_up_side(s);
    else if (!image->on_trial)
        s->trial = false;
}

void kv_gen_decide(const struct kv_gen_state *now,
                   const struct kv_gen_image *image, struct kv_gen_plan *out)
{
    struct kv_gen_state s = *now;
    uint8_t other;

    end_trial(&s, image);
    other = 1 - s.side;
    out->migrate = false;
    if (s.schema[s.side] != image->schema) {
        if (s.known[other] && s.schema[other] == image->schema) {
            /* What was replaced is back: what ran last is not understood. */
            give_up_side(&s);
        } else {
            out->migrate = true;
            s.known[other] = false;
            s.schema[other] = 0;
        }
    }
    out->first = s;
    if (out->migrate) {
        s.side = other;
        s.known[other] = true;
        s.schema[other] = image->schema;
        s.trial = image->on_trial;
        s.image = image->id;
    }
    out->last = s;
}

/* --- the copy ------------------------------------------------------------- */

esp_err_t kv_gen_name(const char *name, uint8_t side, char out[KV_KEY_LEN])
{
    size_t len = strlen(name);

    if (len == 0 || len > KV_GEN_NAME_LEN)
        return ESP_ERR_NVS_INVALID_NAME;
    memset(out, 0, KV_KEY_LEN);
    memcpy(out, name, len);
    if (side)
        out[len] = '~';
    return ESP_OK;
}

/* A name that is_possible() has seen. */
struct full_name {
    char text[KV_KEY_LEN];
};

static struct full_name full_name(const char *name, uint8_t side)
{
    struct full_name full = { "" };

    (void)!kv_gen_name(name, side, full.text);
    return full;
}

static esp_err_t clear(struct kv *kv, const struct kv_gen_job *job,
                       uint8_t side)
{
    esp_err_t err = ESP_OK;

    for (size_t i = 0; i < job->name_cnt && !err; i++) {
        struct kv_ns ns;

        err = kv_open(kv, full_name(job->names[i], side).text, false, &ns);
        if (!err)
            err = kv_erase_all(&ns);
        if (err == ESP_ERR_NVS_NOT_FOUND)
            err = ESP_OK;
    }
    return err;
}

static esp_err_t copy_bytes(const struct kv_gen_job *job,
                            const struct kv_ns *from, const struct kv_ns *to,
                            const struct kv_info *info)
{
    bool is_str = info->type == KV_TYPE_STR;
    size_t len = 0;
    uint8_t *buf;
    esp_err_t err = is_str ? kv_get_str(from, info->key, NULL, &len)
                           : kv_get_blob(from, info->key, NULL, &len);

    if (err)
        return err;
    buf = job->heap->alloc(job->heap->ctx, len ? len : 1);
    if (!buf)
        return ESP_ERR_NO_MEM;
    err = is_str ? kv_get_str(from, info->key, (char *)buf, &len)
                 : kv_get_blob(from, info->key, buf, &len);
    if (!err)
        err = is_str ? kv_set_str(to, info->key, (const char *)buf)
                     : kv_set_blob(to, info->key, span_of(buf, len));
    job->heap->free(job->heap->ctx, buf);
    return err;
}

static esp_err_t copy_value(const struct kv_gen_job *job,
                            const struct kv_ns *from, const struct kv_ns *to,
                            const struct kv_info *info)
{
    uint64_t n;
    esp_err_t err;

    if (info->type == KV_TYPE_STR || info->type == KV_TYPE_CHUNK)
        return copy_bytes(job, from, to, info);
    err = kv_get_number(from, info->key, info->type, &n);
    return err ? err : kv_set_number(to, info->key, info->type, n);
}

/* A value whose bytes are damaged has none, in the old generation, too. */
static esp_err_t copy_namespace(struct kv *kv, const struct kv_gen_job *job,
                                const struct kv_ns *from,
                                const struct kv_ns *to)
{
    struct kv_iter it = { .ns = from->idx, .type = KV_TYPE_ANY };
    struct kv_info info;
    esp_err_t err = kv_iter_next(kv, &it, &info);

    while (!err) {
        err = copy_value(job, from, to, &info);
        if (err == ESP_ERR_NVS_NOT_FOUND)
            err = ESP_OK;
        if (!err)
            err = kv_iter_next(kv, &it, &info);
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

static esp_err_t copy(struct kv *kv, const struct kv_gen_job *job, uint8_t side)
{
    esp_err_t err = ESP_OK;

    for (size_t i = 0; i < job->name_cnt && !err; i++) {
        struct kv_ns from, to;

        err =
            kv_open(kv, full_name(job->names[i], 1 - side).text, false, &from);
        if (err == ESP_ERR_NVS_NOT_FOUND) { /* there is nothing to copy */
            err = ESP_OK;
            continue;
        }
        if (!err)
            err = kv_open(kv, full_name(job->names[i], side).text, true, &to);
        if (!err)
            err = copy_namespace(kv, job, &from, &to);
    }
    return err;
}

/* --- all of it ------------------------------------------------------------ */

static esp_err_t migrate(struct kv *kv, const struct kv_gen_job *job,
                         const struct kv_gen_plan *plan)
{
    const struct kv_gen_state *old = &plan->first;
    uint8_t side = plan->last.side;
    esp_err_t err = store(kv, old);

    if (err)
        return err; /* what the other side holds may still be wanted */
    err = clear(kv, job, side);
    if (!err)
        err = copy(kv, job, side);
    if (!err && job->migrate)
        err = job->migrate(job->ctx, side, old->schema[old->side],
                           job->image.schema);
    if (!err)
        return store(kv, &plan->last);
    /* Room that nobody has a use for. If that fails, too, the next migration
     * takes it back. */
    (void)!clear(kv, job, side);
    return err;
}

static bool is_possible(const struct kv_gen_job *job)
{
    char full[KV_KEY_LEN];

    for (size_t i = 0; i < job->name_cnt; i++)
        if (kv_gen_name(job->names[i], 1, full))
            return false;
    return job->image.schema > 0 && job->image.schema <= KV_GEN_SCHEMA_MAX;
}

esp_err_t kv_gen_begin(struct kv *kv, const struct kv_gen_job *job,
                       uint8_t *side)
{
    struct kv_gen_state now;
    struct kv_gen_plan plan;
    esp_err_t err;

    if (!is_possible(job))
        return ESP_ERR_INVALID_ARG;
    err = load(kv, &now);
    if (err)
        return err;
    kv_gen_decide(&now, &job->image, &plan);
    err = plan.migrate                     ? migrate(kv, job, &plan)
          : pack(&plan.last) == pack(&now) ? ESP_OK
                                           : store(kv, &plan.last);
    if (!err)
        *side = plan.last.side;
    return err;
}

esp_err_t kv_gen_confirm(struct kv *kv, uint32_t id)
{
    struct kv_gen_state s;
    esp_err_t err = load(kv, &s);

    if (err || !s.trial || s.image != id)
        return err;
    s.trial = false;
    return store(kv, &s);
}
