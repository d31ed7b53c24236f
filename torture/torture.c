/* torture.c - all cuts of all paths, some cuts at random, one again. */
#include "torture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "sim_rng.h"

#define SAMPLE_CNT 150u /* second cuts of a path that is not metadata */
#define AGAIN_EACH 8u   /* so many second cuts are tried again: 1 in 8 */

/* --- open ----------------------------------------------------------------- */

static esp_err_t open_flash(struct tort *t)
{
    const struct sim_flash_conf conf = { .size_len =
                                             (uint32_t)t->conf.flash.len,
                                         .prog_len = 4 };
    esp_err_t err = sim_flash_init(&t->base, &conf);

    if (!err)
        err = sim_flash_init(&t->start, &conf);
    if (!err)
        err = sim_flash_init(&t->snap, &conf);
    if (!err)
        err = sim_flash_init(&t->probe, &conf);
    t->act.ops = calloc(WORLD_OPS_MAX, sizeof(*t->act.ops));
    t->recovery.ops = calloc(WORLD_OPS_MAX, sizeof(*t->recovery.ops));
    return err || !t->act.ops || !t->recovery.ops ? ESP_ERR_NO_MEM : ESP_OK;
}

static void find_good(struct tort *t)
{
    struct img_rules rules = t->conf.boot->rules;
    struct world *w = &t->w;
    struct img_check check;
    struct img_receipt receipt;

    rules.kind = IMG_KIND_APP;
    rules.place = IMG_PLACE_SLOT;
    rules.keys =
        img_keys_for(pol_boot_signed(&t->conf.boot->policy), rules.keys);
    for (uint32_t i = 0; i < BOOT_CHOICES; i++) {
        const struct part_entry *p = boot_part(&w->parts.table, i);
        if (p &&
            img_check_flash(&w->flash, p->off, p->len, 0, &rules, NULL, w->buf,
                            sizeof(w->buf), &check, &receipt) == ESP_OK)
            t->good_len[i] = receipt.len;
    }
}

/* The device as it is given is brought to rest: booted, and confirmed. */
static esp_err_t settle(struct tort *t, struct diag *d)
{
    struct world *w = &t->w;
    struct ota_rec rec[2];
    uint32_t active;

    if (!world_otadata(w) || world_next_slot(w) == BOOT_NONE)
        return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_NOT_FOUND,
                         "the partition table has no OTA slots or no otadata, "
                         "so there is no update to torture");
    if (world_reset(w) || world_records(w, rec))
        return diag_fail(d, DIAG_STAGE_BOOT, ESP_FAIL,
                         "nothing boots on this flash; see porta explain");
    active = ota_active_idx(rec);
    if (active != OTA_REC_NONE &&
        (rec[active].state == OTA_STATE_NEW ||
         rec[active].state == OTA_STATE_PENDING) &&
        world_mark(w, OTA_STATE_VALID))
        return diag_fail(d, DIAG_STAGE_BOOT, ESP_FAIL,
                         "the image that runs cannot be confirmed");
    find_good(t);
    if (t->good_len[w->running] == 0)
        return diag_fail(d, DIAG_STAGE_BOOT, ESP_FAIL,
                         "%s boots and does not verify",
                         boot_choice_name(w->running));
    t->base_running = w->running;
    sim_flash_copy(&t->base, &w->sim);
    return ESP_OK;
}

static esp_err_t try_update(struct tort *t, struct diag *d)
{
    struct world *w = &t->w;
    const struct part_entry *to =
        boot_part(&w->parts.table, world_next_slot(w));
    esp_err_t err;

    if (to && to->len >= t->conf.image.len &&
        memcmp(t->base.bytes + to->off, t->conf.image.ptr, t->conf.image.len) ==
            0)
        memset(w->sim.bytes + to->off, 0xFF, to->len);
    sim_flash_copy(&t->base, &w->sim);
    err = world_update(w, false);
    if (!err)
        return ESP_OK;
    return diag_fail(d, w->diag.err ? w->diag.stage : DIAG_STAGE_IMAGE, err,
                     "the image cannot be installed on this flash: %s",
                     w->diag.err ? w->diag.text : err_name(err));
}

static uint64_t count_runs(const struct attempt *a)
{
    uint64_t cnt = 0;
    for (uint32_t i = 0; i < a->op_cnt; i++)
        for (unsigned f = 0; f < TORT_FAULT_CNT; f++)
            cnt += seq_ways(&a->ops[i], (enum tort_fault)f);
    return cnt;
}

static void survey(struct tort *t)
{
    uint32_t sector = t->w.flash.erase_len;
    uint32_t least = (uint32_t)((t->conf.image.len + sector - 1) / sector) + 1;

    for (unsigned i = 0; i < TORT_PATH_CNT; i++) {
        struct tort_path_result *info = &t->info[i];
        const char *why = "";
        esp_err_t err = run_begin(t, (enum tort_path_id)i, &why);

        if (err) {
            info->wrong = err != ESP_ERR_NOT_SUPPORTED;
            info->left_out = run_left_out(&t->conf, (enum tort_path_id)i);
            snprintf(info->why_not, sizeof(info->why_not), "%s", why);
            continue;
        }
        info->op_cnt = t->act.op_cnt;
        info->erase_cnt = t->act.erase_cnt;
        t->run_total += count_runs(&t->act);
        if (i == TORT_UPDATE)
            t->extra_erases = t->act.erase_cnt - least;
    }
}

esp_err_t tort_open(struct tort **out, const struct tort_conf *conf,
                    struct diag *d)
{
    struct tort *t = calloc(1, sizeof(*t));
    esp_err_t err;

    *out = NULL;
    if (!t)
        return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_NO_MEM, "out of memory");
    t->conf = *conf;
    if (t->conf.workers == 0)
        t->conf.workers = 1;
    err = open_flash(t);
    if (!err)
        err = world_open(&t->w, &t->conf);
    if (err == ESP_ERR_NOT_FOUND)
        (void)diag_fail(d, DIAG_STAGE_FLASH, err,
                        "anti-rollback is on and the table has no partition "
                        "for fuses (data, efuse): only what is in the flash "
                        "can be tortured");
    else if (err)
        (void)diag_fail(d, DIAG_STAGE_FLASH, err,
                        "the flash cannot be simulated: %s", err_name(err));
    if (!err)
        err = settle(t, d);
    if (!err)
        err = try_update(t, d);
    if (err) {
        tort_close(t);
        return err;
    }
    survey(t);
    *out = t;
    return ESP_OK;
}

void tort_close(struct tort *t)
{
    if (!t)
        return;
    world_close(&t->w);
    sim_flash_deinit(&t->base);
    sim_flash_deinit(&t->start);
    sim_flash_deinit(&t->snap);
    sim_flash_deinit(&t->probe);
    free(t->act.ops);
    free(t->recovery.ops);
    free(t);
}

void tort_set_worker(struct tort *t, uint32_t worker, uint32_t workers)
{
    t->conf.worker = worker;
    t->conf.workers = workers;
}

uint64_t tort_run_total(const struct tort *t)
{
    return t->run_total;
}

/* --- results -------------------------------------------------------------- */

/* Fewer cuts say more; but a path that cannot be played says least. */
static bool says_more(const struct tort_seq *a, const struct tort_seq *b)
{
    return a->cut_cnt > 0 && (b->cut_cnt == 0 || a->cut_cnt < b->cut_cnt);
}

static void note_bad(struct tort_result *r, const struct tort_seq *seq,
                     const char *why)
{
    if (r->bad_cnt++ > 0 && !says_more(seq, &r->bad_seq))
        return;
    r->bad_seq = *seq;
    snprintf(r->bad_why, sizeof(r->bad_why), "%s", why);
}

static void begin_result(const struct tort *t, struct tort_result *out)
{
    memset(out, 0, sizeof(*out));
    memcpy(out->path, t->info, sizeof(out->path));
    out->extra_erases = t->extra_erases;
    for (unsigned i = 0; i < TORT_PATH_CNT; i++) {
        const struct tort_seq seq = { .path = (enum tort_path_id)i };
        if (t->info[i].wrong)
            note_bad(out, &seq, t->info[i].why_not);
    }
}

static void note_run(struct tort *t, struct tort_result *r,
                     const struct tort_seq *seq, const struct outcome *o)
{
    r->run_cnt++;
    r->armed_cnt += o->armed;
    r->fired_cnt += o->fired;
    if (t->conf.run_cnt)
        __atomic_add_fetch(t->conf.run_cnt, 1, __ATOMIC_RELAXED);
    if (o->bad)
        note_bad(r, seq, o->bad);
}

static void note_cell(struct tort_cell *c, const struct outcome *o)
{
    c->runs++;
    c->old_cnt += !o->was_new;
    c->new_cnt += o->was_new;
    c->bad_cnt += o->bad != NULL;
    c->ref_cnt += o->ref_ok;
    c->again_cnt += o->again_ok;
}

void tort_result_add(struct tort_result *sum, const struct tort_result *part)
{
    for (unsigned p = 0; p < TORT_PATH_CNT; p++) {
        struct tort_path_result *a = &sum->path[p];
        const struct tort_path_result *b = &part->path[p];
        struct tort_cell *to = &a->cell[0][0];
        const struct tort_cell *from = &b->cell[0][0];

        a->second_cnt += b->second_cnt;
        a->second_bad += b->second_bad;
        for (unsigned i = 0; i < TORT_OP_CNT * TORT_FAULT_CNT; i++) {
            to[i].runs += from[i].runs;
            to[i].old_cnt += from[i].old_cnt;
            to[i].new_cnt += from[i].new_cnt;
            to[i].bad_cnt += from[i].bad_cnt;
            to[i].ref_cnt += from[i].ref_cnt;
            to[i].again_cnt += from[i].again_cnt;
        }
    }
    if (part->bad_cnt > 0 &&
        (sum->bad_cnt == 0 || says_more(&part->bad_seq, &sum->bad_seq))) {
        sum->bad_seq = part->bad_seq;
        memcpy(sum->bad_why, part->bad_why, sizeof(sum->bad_why));
    }
    sum->run_cnt += part->run_cnt;
    sum->armed_cnt += part->armed_cnt;
    sum->fired_cnt += part->fired_cnt;
    sum->bad_cnt += part->bad_cnt;
}

/* --- all ------------------------------------------------------------------ */

static bool stop(const struct tort *t, const struct tort_result *r)
{
    return t->conf.stop_early && r->bad_cnt > 0 && r->bad_seq.cut_cnt > 0;
}

/* Whose turn is it? */
static bool mine(const struct tort *t, uint64_t idx)
{
    return idx % t->conf.workers == t->conf.worker;
}

static void run_second(struct tort *t, struct tort_result *r,
                       struct tort_seq *seq)
{
    struct tort_path_result *p = &r->path[t->id];
    bool again = t->conf.deep || p->second_cnt % AGAIN_EACH == 0;
    struct outcome o;

    run_next(t, &seq->cuts[1], again, &o);
    p->second_cnt++;
    p->second_bad += o.bad != NULL;
    note_run(t, r, seq, &o);
}

/* Every cut of the recovery from one first cut. */
static void cut_recovery(struct tort *t, struct tort_result *r,
                         const struct tort_seq *first)
{
    struct tort_seq seq = *first;
    struct world_op op;
    uint32_t op_cnt;

    if (run_recovery(t, first)) {
        note_bad(r, first, "the recovery fails");
        return;
    }
    op_cnt = t->recovery.op_cnt;
    seq.cut_cnt = 2;
    for (uint32_t i = 0; i < op_cnt && !stop(t, r); i++) {
        op = t->recovery.ops[i];
        for (unsigned f = 0; f < TORT_FAULT_CNT; f++) {
            for (uint32_t k = 0; k < seq_ways(&op, (enum tort_fault)f); k++) {
                seq.cuts[1] = (struct tort_cut){ i + 1, (enum tort_fault)f, k };
                run_second(t, r, &seq);
            }
        }
    }
}

static void run_first(struct tort *t, struct tort_result *r,
                      const struct tort_seq *seq)
{
    const struct tort_cut *cut = &seq->cuts[0];
    enum tort_op_kind kind = t->act.ops[cut->op - 1].kind;
    struct outcome o;

    run_seq(t, seq, true, &o);
    note_cell(&r->path[t->id].cell[kind][cut->fault], &o);
    note_run(t, r, seq, &o);
    if (t->conf.depth > 1 && t->path->metadata && !o.bad)
        cut_recovery(t, r, seq);
}

static void all_cuts(struct tort *t, struct tort_result *r, uint64_t *idx)
{
    struct tort_seq seq = { .path = t->id, .cut_cnt = 1 };

    for (uint32_t i = 0; i < t->act.op_cnt; i++)
        for (unsigned f = 0; f < TORT_FAULT_CNT; f++)
            for (uint32_t k = 0;
                 k < seq_ways(&t->act.ops[i], (enum tort_fault)f); k++) {
                if (!mine(t, (*idx)++) || stop(t, r))
                    continue;
                seq.cuts[0] = (struct tort_cut){ i + 1, (enum tort_fault)f, k };
                run_first(t, r, &seq);
            }
}

/* --- at random ------------------------------------------------------------ */

static struct tort_cut random_cut(const struct attempt *a, uint64_t *rnd)
{
    struct tort_cut cut = { .op =
                                1 + (uint32_t)(sim_rng_next(rnd) % a->op_cnt) };
    const struct world_op *op = &a->ops[cut.op - 1];
    uint32_t ways;

    do {
        cut.fault = (enum tort_fault)(sim_rng_next(rnd) % TORT_FAULT_CNT);
        ways = seq_ways(op, cut.fault);
    } while (ways == 0);
    cut.part = (uint32_t)(sim_rng_next(rnd) % ways);
    return cut;
}

static void random_seq(struct tort *t, uint32_t want, uint64_t *rnd,
                       struct tort_seq *seq)
{
    *seq = (struct tort_seq){ .path = t->id, .cut_cnt = 1 };
    seq->cuts[0] = random_cut(&t->act, rnd);
    while (seq->cut_cnt < want && run_recovery(t, seq) == ESP_OK &&
           t->recovery.op_cnt > 0)
        seq->cuts[seq->cut_cnt++] = random_cut(&t->recovery, rnd);
}

/* A failure is told with as few cuts as show it. */
static void shorten(struct tort *t, struct tort_seq *seq, struct outcome *o)
{
    struct tort_seq less = *seq;

    for (less.cut_cnt = 1; less.cut_cnt < seq->cut_cnt; less.cut_cnt++) {
        struct outcome got;
        run_seq(t, &less, true, &got);
        if (got.bad && !got.unfired) {
            *seq = less;
            *o = got;
            return;
        }
    }
}

static void run_random(struct tort *t, struct tort_result *r, uint32_t want,
                       uint64_t *rnd)
{
    struct tort_seq seq;
    struct outcome o;

    random_seq(t, want, rnd, &seq);
    run_seq(t, &seq, true, &o);
    r->path[t->id].second_cnt++;
    r->path[t->id].second_bad += o.bad != NULL;
    if (o.bad)
        shorten(t, &seq, &o);
    note_run(t, r, &seq, &o);
}

/* Second cuts of a path whose recovery is long: a seeded sample. */
static void sample_cuts(struct tort *t, struct tort_result *r)
{
    uint64_t rnd = 77 + t->id;

    for (uint32_t i = 0; i < SAMPLE_CNT && !stop(t, r); i++) {
        uint64_t own = sim_rng_next(&rnd);
        if (mine(t, i))
            run_random(t, r, 2, &own);
    }
}

void tort_all(struct tort *t, struct tort_result *out)
{
    uint64_t idx = 0;

    begin_result(t, out);
    for (unsigned i = 0; i < TORT_PATH_CNT && !stop(t, out); i++) {
        const char *why;
        if (run_begin(t, (enum tort_path_id)i, &why))
            continue;
        all_cuts(t, out, &idx);
        if (t->conf.depth > 1 && !t->path->metadata)
            sample_cuts(t, out);
    }
}

/* One of the paths that can be here. */
static enum tort_path_id pick_path(const struct tort *t, uint64_t rnd)
{
    unsigned cnt = 0, nth;

    for (unsigned i = 0; i < TORT_PATH_CNT; i++)
        cnt += t->info[i].why_not[0] == '\0';
    nth = cnt ? (unsigned)(rnd % cnt) : 0;
    for (unsigned i = 0; i < TORT_PATH_CNT; i++)
        if (t->info[i].why_not[0] == '\0' && nth-- == 0)
            return (enum tort_path_id)i;
    return TORT_UPDATE;
}

void tort_random(struct tort *t, uint64_t seed, uint64_t cnt,
                 struct tort_result *out)
{
    uint64_t rnd = seed;

    begin_result(t, out);
    for (uint64_t i = 0; i < cnt && !stop(t, out); i++) {
        uint64_t own = sim_rng_next(&rnd);
        const char *why;
        if (!mine(t, i) || run_begin(t, pick_path(t, own), &why))
            continue;
        run_random(t, out, 1 + (uint32_t)(sim_rng_next(&own) % TORT_CUTS_MAX),
                   &own);
    }
}

esp_err_t tort_replay(struct tort *t, const struct tort_seq *seq,
                      struct tort_result *out, struct diag *d)
{
    struct outcome o;
    const char *why = "";

    begin_result(t, out);
    out->bad_cnt = out->path[seq->path].wrong;
    if (out->path[seq->path].wrong)
        return ESP_OK;
    if (run_begin(t, seq->path, &why))
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "path %s is not possible on this flash: %s",
                         t->path->name, why);
    run_seq(t, seq, true, &o);
    if (o.unfired)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "the sequence has no such operation: %s", o.bad);
    note_run(t, out, seq, &o);
    return ESP_OK;
}
