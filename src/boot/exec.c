/* boot/exec.c - the verify loop, and the writes of a bootloader's pass.
 *
 * Order of boot_run(): read, decide, verify and load, then write: a cut change
 * is finished first, then the marks in the plan's order, then the fuses. A cut
 * anywhere in here leads to the same decision again, or to the one that the
 * marks already written ask for. */
#include "boot/exec.h"

#include <string.h>

#include "base/log.h"
#include "crypto/ct.h"

#define TAG "boot"

static esp_err_t check_image(const struct boot_env *env,
                             const struct part_entry *part,
                             struct boot_result *out)
{
    struct img_rules rules = env->rules;
    rules.kind = IMG_KIND_APP;
    rules.place = IMG_PLACE_SLOT;
    rules.require_hash = pol_require_hash(&env->policy);
    if (!pol_boot_signed(&env->policy)) {
        rules.keys = NULL;
    } else if (!rules.keys) { /* nobody is trusted */
        out->check.fault.kind = IMG_FAULT_SIG;
        out->check.fault.seg = IMG_SIG_NO_KEYS;
        return ESP_ERR_IMAGE_INVALID;
    }
    struct img_sink sink = { NULL, NULL };
    const struct boot_loader *loader = env->loader;
    if (loader) {
        esp_err_t err = loader->begin(loader->ctx, part, &out->check, &sink);
        if (err)
            return err;
    }
    esp_err_t err = img_check_flash(env->flash, part->off, part->len, 0, &rules,
                                    loader ? &sink : NULL, env->buf,
                                    env->buf_len, &out->check, &out->receipt);
    enum verdict verdict = VERDICT_REJECT;
    if (err == ESP_OK && out->receipt.verdict == VERDICT_ACCEPT)
        verdict = VERDICT_ACCEPT;
    if (loader)
        loader->end(loader->ctx, verdict);
    if (err == ESP_OK && verdict != VERDICT_ACCEPT)
        err = ESP_ERR_IMAGE_INVALID;
    return err;
}

static enum boot_image judge(const struct boot_env *env, uint32_t choice,
                             struct boot_result *out)
{
    memset(&out->check, 0, sizeof(out->check));
    esp_err_t err = check_image(env, boot_part(env->table, choice), out);
    out->err[choice] = err;
    out->fault[choice] = out->check.fault;
    if (err == ESP_OK)
        return BOOT_IMAGE_GOOD;
    LOGW(TAG, "%s does not verify: %s", boot_choice_name(choice),
         err_name(err));
    return BOOT_IMAGE_BAD;
}

/* Of the image that was judged last and is good. */
static uint32_t verified_version(const struct boot_result *out)
{
    return out->check.info.desc.present ? out->receipt.secure_version + 1 : 0;
}

/* Ends with BOOT or RESET: each turn settles one image. */
static void decide(const struct boot_env *env, struct boot_in *in,
                   struct boot_result *out)
{
    boot_plan(in, &out->plan);
    while (out->plan.action == BOOT_ACT_VERIFY) {
        uint32_t choice = out->plan.choice;
        in->image[choice] = judge(env, choice, out);
        if (in->image[choice] == BOOT_IMAGE_GOOD)
            in->secure[choice] = verified_version(out);
        boot_plan(in, &out->plan);
    }
    for (uint32_t i = 0; i < BOOT_CHOICES; i++)
        if (in->image[i] != BOOT_IMAGE_ABSENT && !out->err[i] &&
            !out->fuse_err && boot_too_old(in, i))
            out->err[i] = ESP_ERR_OTA_SMALL_SEC_VER;
}

/* Volatile: every question reads what it asks about. */
static uint32_t not_equal(const volatile void *what, uint32_t want)
{
    return *(const volatile uint32_t *)what ^ want;
}

static uint32_t is_less(const volatile uint32_t *what, uint32_t than)
{
    uint32_t x = *what;

    return ((~x & than) | (~(x ^ than) & (x - than))) >> 31;
}

static uint32_t not_accepted(const enum verdict *v)
{
    return not_equal(v, VERDICT_ACCEPT);
}

enum verdict boot_may_start(const struct boot_env *env,
                            const struct boot_result *r)
{
    const struct img_receipt *receipt = &r->receipt;
    if (!r->part || !receipt->bound || !pol_built(&env->policy))
        return VERDICT_REJECT;
    uint32_t wrong = not_equal(&r->plan.action, BOOT_ACT_BOOT) |
                     not_accepted(&receipt->verdict) |
                     not_equal(&receipt->off, r->part->off) |
                     not_equal(&r->err[r->plan.choice], ESP_OK);
    if (pol_anti_rollback(&env->policy))
        wrong |= is_less(&receipt->secure_version, r->fuse_version) |
                 fuse_forbids(env->fuse, receipt->secure_version);
    if (pol_boot_signed(&env->policy)) {
        if (!r->check.sig.keys)
            return VERDICT_REJECT;
        enum verdict holds = img_sig_holds(&r->check.sig);
        wrong |= not_accepted(&receipt->is_signed) | not_accepted(&holds);
    }
    return ct_agree(wrong, wrong);
}

void boot_start(const struct boot_env *env, const struct boot_result *r,
                boot_start_fn start, void *ctx)
{
    if (boot_may_start(env, r) != VERDICT_ACCEPT)
        return;
    if (boot_may_start(env, r) == VERDICT_ACCEPT)
        start(ctx);
}

static void settle(const struct boot_env *env, struct boot_result *out)
{
    if (out->plan.action == BOOT_ACT_BOOT)
        out->part = boot_part(env->table, out->plan.choice);
    if (boot_may_start(env, out) == VERDICT_ACCEPT)
        return;
    img_receipt_none(&out->receipt);
    out->part = NULL;
    out->plan.action = BOOT_ACT_RESET;
    out->plan.choice = BOOT_NONE;
}

static void begin(const struct boot_env *env, struct boot_in *in,
                  struct boot_result *out)
{
    memset(out, 0, sizeof(*out));
    img_receipt_none(&out->receipt);
    boot_gather(env, in, &out->otadata);
    if (pol_anti_rollback(&env->policy))
        out->fuse_err = fuse_read_version(env->fuse, &out->fuse_version);
    in->fuse_version = out->fuse_version;
    out->has_otadata = in->has_otadata && in->otadata_ok;
}

/* Nothing is read or written for options that cannot be followed. */
static bool can_decide(const struct boot_env *env, struct boot_result *out)
{
    if (pol_built(&env->policy))
        return true;
    memset(out, 0, sizeof(*out));
    settle(env, out);
    out->plan.reason = BOOT_WHY_NOT_BUILT;
    return false;
}

void boot_decide(const struct boot_env *env, struct boot_result *out)
{
    struct boot_in *in = &out->in;
    if (!can_decide(env, out))
        return;
    begin(env, in, out);
    decide(env, in, out);
    settle(env, out);
}

static void note_write(struct boot_result *out, esp_err_t err)
{
    if (err == ESP_OK || out->write_err != ESP_OK)
        return;
    out->write_err = err;
    LOGE(TAG, "the otadata records cannot be written: %s", err_name(err));
}

/* What is not counted is not started; a verdict that finds no place does not
 * keep a record from being given up. */
static esp_err_t write_mark(const struct otadata_place *at, struct otadata *o,
                            const struct boot_mark *mark)
{
    esp_err_t err = ESP_OK;
    if (pol_trials() && mark->event.kind != OTA_EVENT_NONE)
        err = otadata_note(at, o, &mark->event);
    if (err && mark->rec.state == OTA_STATE_PENDING)
        return err;
    return otadata_change(at, o, mark->rec_idx, &mark->rec);
}

/* false: the choice must not be started. */
static bool write_marks(const struct otadata_place *at, struct boot_result *out)
{
    bool may_start = true;
    for (uint32_t i = 0; i < out->plan.mark_cnt; i++) {
        const struct boot_mark *mark = &out->plan.marks[i];
        esp_err_t err = write_mark(at, &out->otadata, mark);
        note_write(out, err);
        if (err && mark->rec.state == OTA_STATE_PENDING)
            may_start = false;
    }
    return may_start;
}

/* Only an image that confirmed itself, durably, makes older ones unusable. A
 * raise to 0 finishes one that was cut. */
static void raise_fuses(const struct boot_env *env, struct boot_result *out)
{
    if (!pol_anti_rollback(&env->policy) || out->fuse_err)
        return;
    bool settled = out->plan.action == BOOT_ACT_BOOT && !out->write_err;
    out->fuse_err = fuse_raise(env->fuse, settled ? out->plan.raise_to : 0);
    if (out->fuse_err)
        LOGE(TAG, "the secure version cannot be raised: %s",
             err_name(out->fuse_err));
}

void boot_run(const struct boot_env *env, struct boot_result *out)
{
    struct boot_in *in = &out->in;
    if (!can_decide(env, out))
        return;
    begin(env, in, out);
    decide(env, in, out);
    if (out->has_otadata) {
        struct otadata_place at = { env->flash,
                                    boot_otadata_part(env->table)->off };
        note_write(out, otadata_redo(&at, &out->otadata));
        /* Each refusal makes one image bad, so this ends. */
        while (!write_marks(&at, out)) {
            in->image[out->plan.choice] = BOOT_IMAGE_BAD;
            decide(env, in, out);
        }
    }
    settle(env, out);
    raise_fuses(env, out);
}
