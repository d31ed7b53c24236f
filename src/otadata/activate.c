/* otadata/activate.c - make a slot the one that boots next.
 *
 * The record and its sequence are chosen as the reference does (3.5,
 * esp_ota_set_boot_partition), with three exceptions that keep a way back:
 *
 * - a usable record of the running slot is never given to another slot, nor
 *   one that refused it while there is no usable one; the reference overwrites
 *   it after a fallback (finding 8);
 * - a running slot that no record names is given one first;
 * - when the log that would take the intent is nearly full, or the sequences
 *   run out, the record worth keeping ("anchor") moves to the other sector
 *   first, where the log is then fresh, and the target takes its old place.
 *
 * In the last two cases there are two changes, each atomic; between them the
 * anchor's slot is what boots. */
#include "otadata/otadata.h"

#include <string.h>

#define SEQ_MAX 0xFFFFFFFEu

struct choice {
    const struct otadata *o;
    const struct otadata_request *req;
    uint32_t active; /* the record that the reference follows, or none */
    uint32_t own;    /* a record of the running slot, refused or not, or none */
    uint32_t keep;   /* a usable one, or none */
    bool give;       /* the running slot is to receive a record */
    uint32_t target;
    bool same;     /* the target already names the slot: keep its seq */
    uint32_t base; /* the sequence to go on from */
};

/* The smallest sequence above base that names the slot; 0: there is none. */
static uint32_t seq_next(uint32_t base, uint32_t slot, uint32_t slot_cnt)
{
    uint64_t seq = slot + 1;
    if (base >= seq)
        seq += (base - seq) / slot_cnt * slot_cnt + slot_cnt;
    return seq <= SEQ_MAX ? (uint32_t)seq : 0;
}

static bool rec_names(const struct ota_rec *rec, uint32_t slot,
                      uint32_t slot_cnt)
{
    return rec->seq != OTADATA_SEQ_NONE && ota_rec_crc_ok(rec) &&
           ota_seq_slot(rec->seq, slot_cnt) == slot;
}

static void find_running(struct choice *c)
{
    const struct otadata *o = c->o;
    const struct otadata_request *req = c->req;
    c->own = c->keep = OTA_REC_NONE;
    c->give = false;
    if (!req->running_is_slot)
        return;
    for (uint32_t i = 0; i < 2; i++) {
        if (!rec_names(&o->rec[i], req->running_slot, req->slot_cnt))
            continue;
        c->own = i;
        if (ota_rec_valid(&o->rec[i]) &&
            (c->keep == OTA_REC_NONE || i == c->active))
            c->keep = i;
    }
    /* A running slot that was refused is not made good again by the way. */
    c->give = c->own == OTA_REC_NONE && req->slot != req->running_slot;
}

static struct choice choose(const struct otadata *o,
                            const struct otadata_request *req)
{
    struct choice c = { .o = o, .req = req };
    c.active = ota_active_idx(o->rec);
    find_running(&c);
    c.target = 0;
    if (c.active != OTA_REC_NONE) {
        c.base = o->rec[c.active].seq;
        c.same = ota_seq_slot(o->rec[c.active].seq, req->slot_cnt) == req->slot;
        c.target = c.same ? c.active : 1 - c.active;
    } else if (o->free_cnt[1] < OTADATA_LOG_RESERVE &&
               o->free_cnt[0] > o->free_cnt[1]) {
        c.target = 1; /* erasing sector 1 frees its log */
    }
    /* With nothing to follow, what refused the running slot stays: forgotten,
       the slot would be given a record the next time. */
    uint32_t stays = c.active != OTA_REC_NONE ? c.keep : c.own;
    if (req->slot != req->running_slot && c.target == stays)
        c.target = 1 - stays;
    return c;
}

static struct ota_rec rec_made(const struct ota_rec *old, uint32_t seq,
                               uint32_t state)
{
    struct ota_rec rec = *old;
    rec.seq = seq;
    rec.state = state;
    rec.crc = ota_rec_crc(seq);
    return rec;
}

/* Which record moves, and where to. Returns the slot that it names. */
static uint32_t plan_house(const struct choice *c,
                           struct otadata_activation *out)
{
    const struct ota_rec *rec = c->o->rec;
    uint32_t anchor = c->keep != OTA_REC_NONE ? c->keep : c->active;
    if (c->give) {
        out->house_idx = anchor == OTA_REC_NONE ? c->target : 1 - anchor;
        memset(out->house_rec.label, 0xFF, sizeof(out->house_rec.label));
        out->house_rec.state = OTA_STATE_VALID;
        return c->req->running_slot;
    }
    out->house_idx = 1 - anchor;
    out->house_rec = rec[anchor];
    return ota_seq_slot(rec[anchor].seq, c->req->slot_cnt);
}

static void plan_move(const struct choice *c, struct otadata_activation *out)
{
    const struct otadata_request *req = c->req;
    uint32_t house_slot = plan_house(c, out);
    uint32_t house_seq = seq_next(c->base, house_slot, req->slot_cnt);
    uint32_t seq = 0;
    if (house_seq)
        seq = seq_next(house_seq, req->slot, req->slot_cnt);
    if (seq == 0) { /* renumber: the anchor's old record still leads until
                       the target takes its place */
        house_seq = seq_next(0, house_slot, req->slot_cnt);
        seq = seq_next(house_seq, req->slot, req->slot_cnt);
    }
    out->move_house = true;
    out->house_rec = rec_made(&out->house_rec, house_seq, out->house_rec.state);
    out->target_idx = 1 - out->house_idx;
    out->target_rec = rec_made(&c->o->rec[out->target_idx], seq, req->state);
}

esp_err_t otadata_activate_plan(const struct otadata *o,
                                const struct otadata_request *req,
                                struct otadata_activation *out)
{
    if (req->slot >= req->slot_cnt ||
        (req->running_is_slot && req->running_slot >= req->slot_cnt))
        return ESP_ERR_INVALID_ARG;
    memset(out, 0, sizeof(*out));
    struct choice c = choose(o, req);
    bool anchored = c.keep != OTA_REC_NONE || c.active != OTA_REC_NONE;
    uint32_t seq = c.same ? c.base : seq_next(c.base, req->slot, req->slot_cnt);
    bool low = o->free_cnt[1 - c.target] < OTADATA_LOG_RESERVE;
    if (c.give || (anchored && (low || seq == 0))) {
        plan_move(&c, out);
        return ESP_OK;
    }
    out->target_idx = c.target;
    out->target_rec = rec_made(&o->rec[c.target], seq, req->state);
    return ESP_OK;
}

esp_err_t otadata_activate(const struct otadata_place *at, struct otadata *o,
                           const struct otadata_request *req)
{
    struct otadata_activation plan;
    esp_err_t err = otadata_redo(at, o);
    if (err)
        return err;
    err = otadata_activate_plan(o, req, &plan);
    if (err)
        return err;
    if (plan.move_house)
        err = otadata_change(at, o, plan.house_idx, &plan.house_rec);
    if (!err)
        err = otadata_change(at, o, plan.target_idx, &plan.target_rec);
    return err;
}
