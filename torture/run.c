#include "run.h"

#include <string.h>

#include "witness.h"

#define AGAIN_TURNS 6u
#define SEED_ACT 0x5EEDu
#define SEED_RECOVERY 0xFACEu

/* --- whole images --------------------------------------------------------- */

static bool settled(const struct sim_flash *f, uint32_t off, uint32_t len)
{
    for (uint32_t s = off / f->port.erase_len;
         s <= (off + len - 1) / f->port.erase_len; s++)
        if (f->unstable[s])
            return false;
    return true;
}

static bool holds_new(const struct tort *t, uint32_t choice)
{
    const struct part_entry *p = boot_part(&t->w.parts.table, choice);
    struct span image = t->conf.image;
    return p && choice < BOOT_MAX_SLOTS && image.len <= p->len &&
           settled(&t->w.sim, p->off, (uint32_t)image.len) &&
           memcmp(t->w.sim.bytes + p->off, image.ptr, image.len) == 0;
}

bool run_image_good(struct tort *t, uint32_t choice)
{
    const struct part_entry *p = boot_part(&t->w.parts.table, choice);
    uint32_t len;
    if (!p || choice >= BOOT_CHOICES)
        return false;
    len = t->good_len[choice];
    if (len > 0 && settled(&t->w.sim, p->off, len) &&
        memcmp(t->w.sim.bytes + p->off, t->base.bytes + p->off, len) == 0)
        return true;
    return holds_new(t, choice);
}

static void load(struct tort *t, const struct sim_flash *from)
{
    struct sim_flash *f = &t->w.sim;
    sim_flash_copy(f, from);
    f->count = (struct sim_flash_count){ 0 };
    sim_flash_power_on(f);
}

/* --- what must hold ------------------------------------------------------- */

static bool rec_equal(const struct ota_rec *a, const struct ota_rec *b)
{
    uint8_t x[OTADATA_REC_LEN], y[OTADATA_REC_LEN];
    ota_rec_pack(a, x);
    ota_rec_pack(b, y);
    return memcmp(x, y, sizeof(x)) == 0;
}

static bool recs_equal(const struct ota_rec a[2], const struct ota_rec b[2])
{
    return rec_equal(&a[0], &b[0]) && rec_equal(&a[1], &b[1]);
}

static bool rec_sound(const struct ota_rec *rec)
{
    uint8_t bytes[OTADATA_REC_LEN];
    ota_rec_pack(rec, bytes);
    return witness_rec_sound(bytes);
}

/* Where more than one record changes there are states between old and new;
 * but none in which a sound record reads as damaged or lost. */
static bool recs_between(const struct tort *t, const struct attempt *a,
                         const struct ota_rec now[2])
{
    /* esp_ota_begin() takes the record of the slot that it overwrites away. */
    bool may_be_blank = t->id == TORT_OTA_WRITE;

    for (unsigned i = 0; i < 2; i++)
        if (!rec_equal(&now[i], &a->before.rec[i]) &&
            !rec_equal(&now[i], &a->after.rec[i]) && !rec_sound(&now[i]) &&
            !(may_be_blank && ota_rec_blank(&now[i])))
            return false;
    return true;
}

static esp_err_t see(struct tort *t, struct view *v)
{
    esp_err_t err = world_records(&t->w, v->rec);
    v->choice = world_would_boot(&t->w);
    return err;
}

static bool ref_good(void *ctx, uint32_t choice)
{
    return run_image_good(ctx, choice);
}

/* Twice, because undecided bits may read differently. */
static bool reference_boots(struct tort *t)
{
    const struct part_entry *o = world_otadata(&t->w);
    uint8_t rec[2][OTADATA_REC_LEN];
    struct witness w = {
        .rec = { rec[0], rec[1] },
        .rollback = pol_rollback(&t->conf.boot->policy),
        .slot_cnt = world_slot_cnt(&t->w),
        .has_factory = boot_part(&t->w.parts.table, BOOT_FACTORY) != NULL,
        .ctx = t,
        .good = ref_good,
    };
    for (unsigned turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < 2; i++)
            if (t->w.flash.read(t->w.flash.ctx, o->off + i * OTADATA_SECTOR,
                                rec[i], sizeof(rec[i])))
                return false;
        if (witness_boots(&w) == WITNESS_NONE)
            return false;
    }
    return true;
}

static bool cuts_power(const struct tort_cut *cut)
{
    return cut->fault < TORT_FAILS;
}

/* Strict: one record changes, so there is nothing in between. A bootloader
 * that cannot write a mark decides anew, and may give the image up. */
static const char *check_records(const struct tort *t, const struct attempt *a,
                                 const struct view *now, bool strict)
{
    if (recs_equal(now->rec, a->before.rec) ||
        recs_equal(now->rec, a->after.rec))
        return NULL;
    if (strict)
        return "the records are neither the old ones nor the new ones";
    return recs_between(t, a, now->rec) ? NULL : "a boot record is lost";
}

static const char *check_choice(struct tort *t, const struct attempt *a,
                                const struct view *now, bool first)
{
    if (now->choice == BOOT_NONE)
        return "nothing boots";
    if (!run_image_good(t, now->choice))
        return "an image boots that is not whole";
    if (first && now->choice != a->before.choice &&
        now->choice != a->after.choice && now->choice != t->base_running)
        return "neither the old image nor the new one boots";
    return NULL;
}

static bool names(const struct tort *t, const struct ota_rec *rec,
                  uint32_t slot)
{
    return ota_rec_valid(rec) &&
           ota_seq_slot(rec->seq, world_slot_cnt(&t->w)) == slot;
}

/* What an update falls back to keeps its record. */
static bool lost_fallback(const struct tort *t, const struct ota_rec now[2])
{
    const struct ota_rec *was = t->act.before.rec;
    uint32_t slot = t->start_running;

    return t->path->end == PATH_END_NEW && slot < BOOT_MAX_SLOTS &&
           slot != t->target &&
           (names(t, &was[0], slot) || names(t, &was[1], slot)) &&
           !names(t, &now[0], slot) && !names(t, &now[1], slot);
}

/* An image whose trial was not marked must not run: its crashes would never
 * end the trial. A slot that is being written has no magic byte yet. */
static const char *check_guards(struct tort *t, const struct view *now,
                                enum tort_op_kind kind)
{
    const struct part_entry *p = boot_part(&t->w.parts.table, t->target);
    uint32_t idx = ota_active_idx(now->rec);

    if (t->path->boots && t->w.running == t->target && idx != OTA_REC_NONE &&
        now->rec[idx].state == OTA_STATE_NEW)
        return "an image was started whose trial was not marked";
    /* Counted, this was the last start that it had. */
    if (t->id == TORT_TRIAL && t->w.running == t->target &&
        now->choice == t->target)
        return "an image was started whose start was not counted";
    if (lost_fallback(t, now->rec))
        return "the running image's record is gone";
    /* esp_ota_write() puts the first byte into the flash first. */
    if (kind == TORT_OP_SLOT_PROG && t->id != TORT_OTA_WRITE && p &&
        t->w.sim.bytes[p->off] == IMG_MAGIC)
        return "a slot that is being written looks like an image";
    return NULL;
}

/* On a copy: what is seen when an application starts again writes, too. */
static const char *check_path(struct tort *t, bool *done)
{
    const char *bad;

    sim_flash_copy(&t->probe, &t->w.sim);
    bad = t->path->check(&t->w, done);
    load(t, &t->probe);
    return bad;
}

/* first: the cut was in the path itself, not in a recovery. */
static const char *check(struct tort *t, bool first, const struct tort_cut *cut,
                         struct outcome *out)
{
    bool strict = first && !t->moves && !(t->path->boots && !cuts_power(cut));
    const struct attempt *a = first ? &t->act : &t->recovery;
    const char *bad;
    bool done = true;
    struct view now;

    if (see(t, &now))
        return "the boot records cannot be read";
    bad = check_records(t, a, &now, strict);
    if (!bad)
        bad = check_choice(t, a, &now, first);
    if (!bad && first)
        bad = check_guards(t, &now, t->act.ops[cut->op - 1].kind);
    if (!reference_boots(t)) {
        out->ref_ok = false;
        bad = bad ? bad : "under the reference's bootloader nothing boots";
    }
    /* What was kept must not be lost, and may wait until the sector works. */
    sim_flash_mend(&t->w.sim, a->ops[cut->op - 1].off);
    if (t->path->check) {
        const char *lost = check_path(t, &done);
        bad = bad ? bad : lost;
    }
    out->reached = done && now.choice == a->after.choice &&
                   recs_equal(now.rec, a->after.rec);
    if (first)
        out->was_new = out->reached;
    return bad;
}

/* --- playing -------------------------------------------------------------- */

static esp_err_t update_again(struct tort *t)
{
    return t->path->update ? t->path->update(&t->w)
                           : world_update(&t->w, false);
}

/* Whatever runs, in the end the new image runs and is confirmed. */
static bool try_again(struct tort *t)
{
    struct world *w = &t->w;
    for (unsigned i = 0; i < AGAIN_TURNS; i++) {
        if (world_reset(w) || !run_image_good(t, w->running))
            return false;
        if (!holds_new(t, w->running)) {
            if (update_again(t))
                return false;
            continue;
        }
        uint32_t runs = w->running;
        if (pol_rollback(&t->conf.boot->policy) &&
            world_mark(w, OTA_STATE_VALID))
            return false;
        return world_reset(w) == ESP_OK && w->running == runs &&
               reference_boots(t);
    }
    return false;
}

static esp_err_t recover(struct tort *t)
{
    struct world *w = &t->w;
    esp_err_t err = world_reset(w);

    if (!err && t->path->start)
        err = t->path->start(w);
    if (!err && !t->path->metadata && !holds_new(t, w->running))
        err = update_again(t);
    return err;
}

static esp_err_t play(struct tort *t, bool first)
{
    return first ? t->path->act(&t->w) : recover(t);
}

static uint64_t seed_of(const struct tort_cut *cut, bool first)
{
    return (first ? SEED_ACT : SEED_RECOVERY) +
           (first ? 31u * cut->op : 0); /* a recovery reads the same noise */
}

static void count_faults(struct tort *t, struct outcome *out)
{
    out->armed += t->w.sim.count.armed;
    out->fired += t->w.sim.count.fired;
    out->unfired |= sim_flash_unfired(&t->w.sim) > 0;
}

/* An operation failed and the power stayed: the caller hears of it, and may
 * do the same once more, when the sector works again. */
static const char *after_failure(struct tort *t, esp_err_t err, bool was_new)
{
    if (t->path->boots)
        return NULL;
    if (err == ESP_OK)
        return was_new ? NULL : "a failed operation is reported as success";
    return t->path->act(&t->w) == ESP_OK
               ? NULL
               : "the same call fails again after a failed operation";
}

/* All is done, and what is not kept any more could not be dropped; or a start
 * looked for something that was kept, and found nothing: a store that fails
 * ends nothing. */
static bool is_afterthought(struct tort *t, const struct tort_cut *cut,
                            bool first, const struct outcome *out)
{
    const struct attempt *a = first ? &t->act : &t->recovery;
    enum tort_op_kind kind = a->ops[cut->op - 1].kind;

    return (out->reached || !first) &&
           (kind == TORT_OP_KV_PROG || kind == TORT_OP_KV_ERASE);
}

static void arm(struct tort *t, const struct world_op *op,
                const struct tort_cut *cut, bool first)
{
    struct sim_fault_plan plan = seq_plan(op, cut, seed_of(cut, first));

    /* Noise is the same whatever was played before. */
    sim_flash_arm(&t->w.sim, SIM_FAULT_NONE, 0, plan.seed);
    if (cut->fault == TORT_STUCK)
        sim_flash_stick(&t->w.sim, op->off, true);
    else if (cut->fault == TORT_WORN)
        sim_flash_wear(&t->w.sim, op->off, 0);
    else
        sim_flash_arm_plan(&t->w.sim, &plan);
}

static const char *attempt_with(struct tort *t, const struct tort_cut *cut,
                                bool first, struct outcome *out)
{
    const struct attempt *a = first ? &t->act : &t->recovery;
    const struct world_op *op = &a->ops[cut->op - 1];
    const char *bad;
    esp_err_t err;

    t->w.sim.count = (struct sim_flash_count){ 0 };
    arm(t, op, cut, first);
    err = play(t, first);
    count_faults(t, out);
    sim_flash_power_on(&t->w.sim);
    if (out->unfired)
        return "the fault did not fire";
    bad = check(t, first, cut, out);
    if (!bad && cuts_power(cut) && err == ESP_OK &&
        !is_afterthought(t, cut, first, out))
        bad = "a power cut is reported as success";
    if (!bad && first && !cuts_power(cut))
        bad = after_failure(t, err, out->was_new);
    return bad;
}

/* --- undisturbed ---------------------------------------------------------- */

static esp_err_t listen(struct tort *t, bool first, struct attempt *a)
{
    struct world *w = &t->w;
    esp_err_t err = see(t, &a->before);

    w->op_cnt = 0;
    w->listen = true;
    w->sim.count = (struct sim_flash_count){ 0 };
    sim_flash_arm(&w->sim, SIM_FAULT_NONE, 0, first ? SEED_ACT : SEED_RECOVERY);
    if (!err)
        err = play(t, first);
    w->listen = false;
    if (!err)
        err = see(t, &a->after);
    a->op_cnt = w->op_cnt;
    memcpy(a->ops, w->ops, a->op_cnt * sizeof(*a->ops));
    a->erase_cnt = w->sim.count.erases;
    return err;
}

static uint32_t record_erases(const struct attempt *a)
{
    uint32_t cnt = 0;
    for (uint32_t i = 0; i < a->op_cnt; i++)
        cnt += a->ops[i].kind == TORT_OP_REC_ERASE;
    return cnt;
}

static bool ends_well(const struct tort *t)
{
    uint32_t end = t->act.after.choice;
    return t->path->end == PATH_END_NEW   ? end == t->target
           : t->path->end == PATH_END_OLD ? end == t->base_running
                                          : end == t->act.before.choice;
}

bool run_left_out(const struct tort_conf *conf, enum tort_path_id id)
{
    return conf->paths && !(conf->paths >> id & 1);
}

esp_err_t run_begin(struct tort *t, enum tort_path_id id, const char **why)
{
    struct world *w = &t->w;
    esp_err_t err;

    t->id = id;
    t->path = &paths[id];
    *why = "it was not asked for";
    if (run_left_out(&t->conf, id))
        return ESP_ERR_NOT_SUPPORTED;
    *why = "the bootloader gives nothing up: rollback is off";
    if (t->path->needs_rollback && !pol_rollback(&t->conf.boot->policy))
        return ESP_ERR_NOT_SUPPORTED;
    load(t, &t->base);
    w->running = t->base_running;
    w->trial_boots = 0;
    t->target = world_next_slot(w);
    err = t->path->prepare(w, why);
    if (err)
        return err;
    sim_flash_copy(&t->start, &w->sim);
    t->start_running = w->running;
    *why = "it fails undisturbed";
    err = listen(t, true, &t->act);
    if (!err && !ends_well(t)) {
        *why = "undisturbed, it does not end where it should";
        return ESP_FAIL;
    }
    t->moves = record_erases(&t->act) > 1;
    if (!err && t->act.op_cnt == 0) {
        *why = "it writes nothing here";
        return ESP_ERR_NOT_SUPPORTED;
    }
    return err;
}

/* --- sequences ------------------------------------------------------------ */

/* What the recovery from here would do, and back to here. */
static esp_err_t hear_recovery(struct tort *t)
{
    esp_err_t err;

    sim_flash_copy(&t->snap, &t->w.sim);
    err = listen(t, false, &t->recovery);
    load(t, &t->snap);
    return err;
}

static const char *play_cut(struct tort *t, const struct tort_cut *cut,
                            bool first, struct outcome *out)
{
    if (!first && hear_recovery(t))
        return "the recovery fails";
    if (cut->op > (first ? &t->act : &t->recovery)->op_cnt) {
        out->unfired = true;
        return "the fault did not fire: there are fewer operations";
    }
    return attempt_with(t, cut, first, out);
}

static void play_seq(struct tort *t, const struct tort_seq *seq,
                     struct outcome *out)
{
    *out = (struct outcome){ .ref_ok = true };
    load(t, &t->start);
    t->w.running = t->start_running;
    for (uint32_t i = 0; !out->bad && i < seq->cut_cnt; i++)
        out->bad = play_cut(t, &seq->cuts[i], i == 0, out);
}

esp_err_t run_recovery(struct tort *t, const struct tort_seq *seq)
{
    struct outcome out;

    play_seq(t, seq, &out);
    return out.bad ? ESP_FAIL : hear_recovery(t);
}

static void end_with_update(struct tort *t, struct outcome *out)
{
    out->again_ok = try_again(t);
    if (!out->again_ok)
        out->bad = "the update does not succeed when it is tried again";
}

void run_seq(struct tort *t, const struct tort_seq *seq, bool again,
             struct outcome *out)
{
    play_seq(t, seq, out);
    if (!out->bad && again)
        end_with_update(t, out);
}

void run_next(struct tort *t, const struct tort_cut *cut, bool again,
              struct outcome *out)
{
    *out = (struct outcome){ .ref_ok = true };
    load(t, &t->snap);
    out->bad = attempt_with(t, cut, false, out);
    if (!out->bad && again)
        end_with_update(t, out);
}
