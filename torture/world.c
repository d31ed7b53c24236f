#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/key_store.h"
#include "keep.h"
#include "server.h"
#include "update/decrypt.h"

#define URL "http://device.invalid/app.bin"
#define CHECKPOINT_LEN 16384u
#define OPS_LIMIT 200000u /* something runs in circles */

/* --- the flash, watched --------------------------------------------------- */

/* head: the first bytes of what is programmed. */
static enum tort_op_kind record_op(uint32_t off, bool erase,
                                   const uint8_t *head)
{
    uint32_t at = off % OTADATA_SECTOR;
    if (erase)
        return TORT_OP_REC_ERASE;
    if (at < 28)
        return TORT_OP_RECORD;
    if (at < 64)
        return TORT_OP_REC_CRC;
    if (at % 64 != 0)
        return TORT_OP_DONE;
    return head[2] == 1 ? TORT_OP_INTENT : TORT_OP_NOTE;
}

static enum tort_op_kind op_kind(const struct world *w, uint32_t off,
                                 bool erase, const uint8_t *head)
{
    for (uint32_t i = 0; i < w->parts.table.cnt; i++) {
        const struct part_entry *e = &w->parts.table.entries[i];
        if (off < e->off || off - e->off >= e->len)
            continue;
        if (e->type == PART_TYPE_APP)
            return erase           ? TORT_OP_SLOT_ERASE
                   : off == e->off ? TORT_OP_SLOT_HEAD
                                   : TORT_OP_SLOT_PROG;
        if (e->type == PART_TYPE_DATA && e->subtype == PART_DATA_OTA)
            return record_op(off - e->off, erase, head);
        if (e->type == PART_TYPE_DATA && e->subtype == PART_DATA_NVS)
            return erase ? TORT_OP_KV_ERASE : TORT_OP_KV_PROG;
        if (e->type == PART_TYPE_DATA && e->subtype == KEY_STORE_SUBTYPE)
            return erase ? TORT_OP_KEY_ERASE : TORT_OP_KEY_PROG;
        if (e->type == PART_TYPE_DATA && e->subtype == PART_DATA_EFUSE)
            return erase ? TORT_OP_FUSE_ERASE : TORT_OP_FUSE_PROG;
        return erase ? TORT_OP_DATA_ERASE : TORT_OP_DATA_PROG;
    }
    return TORT_OP_OTHER;
}

/* Is it the first operation, or the first erase, in this sector? */
static bool is_first(const struct world *w, uint32_t off, bool erases)
{
    uint32_t sector_len = w->sim.port.erase_len;

    for (uint32_t i = 0; i < w->op_cnt; i++)
        if (w->ops[i].off / sector_len == off / sector_len &&
            (!erases || w->ops[i].erase))
            return false;
    return true;
}

static void note_op(struct world *w, bool erase, uint32_t off, const void *src,
                    size_t len)
{
    if (sim_flash_ops(&w->sim) > OPS_LIMIT)
        w->sim.power_off = true;
    if (!w->listen || w->sim.power_off || w->op_cnt == WORLD_OPS_MAX)
        return;
    w->ops[w->op_cnt] = (struct world_op){
        .kind = op_kind(w, off, erase, src),
        .erase = erase,
        .first = is_first(w, off, false),
        .first_erase = erase && is_first(w, off, true),
        .off = off,
        .len = (uint32_t)len,
    };
    w->op_cnt++;
}

static esp_err_t watch_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    struct world *w = ctx;
    return w->sim.port.read(w->sim.port.ctx, off, dst, len);
}

static esp_err_t watch_prog(void *ctx, uint32_t off, const void *src,
                            size_t len)
{
    struct world *w = ctx;
    note_op(w, false, off, src, len);
    return w->sim.port.prog(w->sim.port.ctx, off, src, len);
}

static esp_err_t watch_erase(void *ctx, uint32_t off)
{
    struct world *w = ctx;
    note_op(w, true, off, NULL, w->sim.port.erase_len);
    return w->sim.port.erase(w->sim.port.ctx, off);
}

/* --- life ----------------------------------------------------------------- */

/* Where a device needs none, none are found. */
static esp_err_t open_fuses(struct world *w)
{
    const struct policy *policy = &w->conf->boot->policy;
    const struct fuse_place place = { .flash = &w->flash,
                                      .bit_cnt = pol_sec_ver_bits(policy) };
    esp_err_t err =
        boot_fuse_open(&w->fuses, &w->parts.table, &place, w->conf->fuse_field);
    return pol_anti_rollback(policy) ? err : ESP_OK;
}

esp_err_t world_open(struct world *w, const struct tort_conf *conf)
{
    struct sim_flash_conf flash = { .size_len = (uint32_t)conf->flash.len,
                                    .prog_len = 4 };
    memset(w, 0, sizeof(*w));
    w->conf = conf;
    w->running = BOOT_NONE;
    if (sim_flash_init(&w->sim, &flash))
        return ESP_ERR_NO_MEM;
    w->ops = calloc(WORLD_OPS_MAX, sizeof(*w->ops));
    if (!w->ops)
        return ESP_ERR_NO_MEM;
    sim_flash_reset(&w->sim, conf->flash.ptr);
    w->flash = w->sim.port;
    w->flash.ctx = w;
    w->flash.read = watch_read;
    w->flash.prog = watch_prog;
    w->flash.erase = watch_erase;
    sim_heap_init(&w->heap);
    sim_sys_init(&w->sys);
    esp_err_t err = part_dev_open(&w->parts, &w->flash, conf->table_off);
    return err ? err : open_fuses(w);
}

void world_close(struct world *w)
{
    sim_flash_deinit(&w->sim);
    free(w->ops);
    w->ops = NULL;
}

/* --- what it knows -------------------------------------------------------- */

const struct part_entry *world_nvs(const struct world *w)
{
    return part_find(&w->parts.table, PART_TYPE_DATA, PART_DATA_NVS, NULL);
}

const struct part_entry *world_otadata(const struct world *w)
{
    return boot_otadata_part(&w->parts.table);
}

uint32_t world_slot_cnt(const struct world *w)
{
    return part_ota_cnt(&w->parts.table);
}

static struct otadata_place records_at(const struct world *w)
{
    return (struct otadata_place){ &w->flash, world_otadata(w)->off };
}

esp_err_t world_records(struct world *w, struct ota_rec rec[2])
{
    struct otadata_place at = records_at(w);
    struct otadata o;
    esp_err_t err = otadata_read(&at, world_otadata(w)->len, &o);
    memcpy(rec, o.rec, sizeof(o.rec));
    return err;
}

uint32_t world_next_slot(const struct world *w)
{
    uint32_t cnt = world_slot_cnt(w);
    if (cnt == 0)
        return BOOT_NONE;
    return w->running < BOOT_MAX_SLOTS ? (w->running + 1) % cnt : 0;
}

/* --- what it does --------------------------------------------------------- */

static struct boot_env boot_env(struct world *w)
{
    struct boot_env env = *w->conf->boot;
    env.flash = &w->flash;
    env.fuse = &w->fuses.port;
    env.table = &w->parts.table;
    env.loader = NULL;
    env.buf = w->buf;
    env.buf_len = sizeof(w->buf);
    if (w->trial_boots)
        env.policy.trial_boots = w->trial_boots;
    return env;
}

esp_err_t world_reset(struct world *w)
{
    struct boot_env env = boot_env(w);
    w->running = BOOT_NONE;
    boot_run(&env, &w->boot);
    if (w->sim.power_off || w->boot.plan.action != BOOT_ACT_BOOT)
        return ESP_FAIL;
    w->running = w->boot.plan.choice;
    return ESP_OK;
}

uint32_t world_would_boot(struct world *w)
{
    struct boot_env env = boot_env(w);
    boot_decide(&env, &w->boot);
    return w->boot.plan.action == BOOT_ACT_BOOT ? w->boot.plan.choice
                                                : BOOT_NONE;
}

static esp_err_t session(struct world *w, const struct upd_env *env,
                         const struct upd_opts *opts)
{
    struct upd *u;
    enum upd_step step = UPD_STEP_MORE;
    esp_err_t err;

    w->diag = (struct diag)DIAG_NONE;
    err = upd_begin(&u, env, opts, &w->diag);
    if (err)
        return err;
    while (step == UPD_STEP_MORE)
        step = upd_step(u, &err);
    if (step == UPD_STEP_DONE)
        return upd_finish(u, true, NULL);
    upd_abort(u, NULL);
    return err ? err : ESP_FAIL;
}

/* What a session needs, in one place. */
struct desk {
    struct policy policy;
    struct upd_device device;
    struct server server;
    struct upd_env env;
    struct keep keep;
    struct upd_store store;
    struct upd_decrypt decrypt;
    struct upd_stage stage;
};

static void desk_open(struct desk *d, struct world *w, struct span file)
{
    const struct part_entry *runs = boot_part(&w->parts.table, w->running);
    const struct img_rules *rules = &w->conf->boot->rules;

    d->policy = w->conf->boot->policy;
    d->policy.allow_http = true;
    d->device = (struct upd_device){
        .parts = &w->parts,
        .policy = &d->policy,
        .chip_id = rules->chip_id,
        .chip_rev = rules->chip_rev,
        .check_rev = rules->check_rev,
        .running_is_slot = w->running < BOOT_MAX_SLOTS,
        .running_slot = w->running < BOOT_MAX_SLOTS ? w->running : 0,
        .running_off = runs ? runs->off : UINT32_MAX,
        .keys = rules->keys,
        .fuse = &w->fuses.port,
        .live = true,
    };
    server_init(&d->server, file);
    d->keep = (struct keep){ &w->parts, world_nvs(w), &w->heap.port };
    d->store = keep_store(&d->keep);
    d->env = (struct upd_env){ .http = { .net = &d->server.port,
                                         .sys = &w->sys.port,
                                         .heap = &w->heap.port,
                                         .policy = &d->policy },
                               .device = &d->device };
}

esp_err_t world_get(struct world *w, const struct world_get *get)
{
    struct desk d;
    bool image = get->file.len == 0;
    bool sealed = image && w->conf->sealed.len > 0;
    struct upd_opts opts = { .url = URL,
                             .bulk_erase = get->bulk,
                             .staging = get->staging,
                             .final = get->final,
                             .finalize_with_copy = get->final != NULL,
                             .store = get->keep ? &d.store : NULL,
                             .unconditional = true,
                             .checkpoint_len = CHECKPOINT_LEN };

    desk_open(&d, w,
              sealed  ? w->conf->sealed
              : image ? w->conf->image
                      : get->file);
    if (sealed) {
        upd_decrypt_stage(&d.decrypt, w->conf->key, &d.stage);
        opts.stages = &d.stage;
        opts.stage_cnt = 1;
    }
    return session(w, &d.env, &opts);
}

esp_err_t world_update(struct world *w, bool bulk)
{
    const struct world_get get = { .bulk = bulk };

    return world_get(w, &get);
}

esp_err_t world_finish_copy(struct world *w)
{
    struct desk d;

    desk_open(&d, w, span_of(NULL, 0));
    return upd_redo_copy(&d.env, &d.store, NULL);
}

esp_err_t world_activate(struct world *w, uint32_t slot)
{
    struct otadata_place at = records_at(w);
    const struct otadata_request req = {
        .slot = slot,
        .slot_cnt = world_slot_cnt(w),
        .running_is_slot = w->running < BOOT_MAX_SLOTS,
        .running_slot = w->running < BOOT_MAX_SLOTS ? w->running : 0,
        .state = pol_rollback(&w->conf->boot->policy) ? (uint32_t)OTA_STATE_NEW
                                                      : OTA_STATE_UNDEFINED,
    };
    struct otadata o;
    return otadata_activate(&at, &o, &req);
}

esp_err_t world_mark(struct world *w, uint32_t state)
{
    struct otadata_place at = records_at(w);
    struct otadata o;
    esp_err_t err = otadata_read(&at, world_otadata(w)->len, &o);
    struct ota_rec rec;
    uint32_t idx;

    if (err)
        return err;
    idx = ota_active_idx(o.rec);
    if (idx == OTA_REC_NONE)
        return ESP_ERR_NOT_FOUND;
    rec = o.rec[idx];
    rec.state = state;
    return otadata_change(&at, &o, idx, &rec);
}
