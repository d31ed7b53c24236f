/* boot/plan.c - the boot decision.
 *
 * The records name a first candidate; the rest follow in the reference's order
 * (3.2 D): from it down to ota_0, the factory, then up, then the test program.
 * With rollback on, a record that is PENDING at a reset was not confirmed; it
 * is given up once its trial's budget is used up, which is the first reset
 * unless the options say otherwise. So is one on trial whose image is bad: the
 * decision is then made again without it, which is what the reference does one
 * boot later.
 * docs/boot.md tells the whole story. */
#include "boot/boot.h"

#include <string.h>

#define IDX_FACTORY (-1)

struct pick {
    struct ota_rec rec[2];     /* as they would be written */
    struct ota_event event[2]; /* to be noted before */
    uint32_t active;
    int start;    /* slot index or IDX_FACTORY */
    bool initial; /* a slot that boots is given the first record */
    enum boot_reason reason;
};

static bool rec_unwritten(const struct ota_rec *rec)
{
    return rec->seq == OTADATA_SEQ_NONE || !ota_rec_crc_ok(rec);
}

/* Both records are invalid: what was written and is sound was refused. */
static enum boot_reason why_no_record(const struct ota_rec rec[2])
{
    if (!rec_unwritten(&rec[0]) || !rec_unwritten(&rec[1]))
        return BOOT_WHY_RECORDS_REFUSED;
    return rec[0].seq == OTADATA_SEQ_NONE && rec[1].seq == OTADATA_SEQ_NONE
               ? BOOT_WHY_FIRST_BOOT
               : BOOT_WHY_RECORDS_DAMAGED;
}

/* No record may be followed: the factory, or the first slot. */
static void pick_default(const struct boot_in *in, struct pick *p)
{
    p->reason = in->slot_cnt == 0 ? BOOT_WHY_NO_SLOTS : why_no_record(p->rec);
    p->start = in->image[BOOT_FACTORY] == BOOT_IMAGE_ABSENT ? 0 : IDX_FACTORY;
    if (p->start == 0)
        p->initial = rec_unwritten(&p->rec[0]) && rec_unwritten(&p->rec[1]);
}

/* --- trials that end ------------------------------------------------------ */

static void event_begin(const struct boot_in *in, struct pick *p, uint32_t idx,
                        struct ota_event *ev)
{
    memset(ev, 0, sizeof(*ev));
    ev->seq = p->rec[idx].seq;
    ev->rec_idx = (uint8_t)idx;
    ev->who = OTA_BY_BOOTLOADER;
    ev->reset_reason = (uint8_t)in->reset_reason;
    ev->up_ms = UINT32_MAX;
}

static void give_up(const struct boot_in *in, struct pick *p, uint32_t idx,
                    enum ota_event_why why)
{
    struct ota_event *ev = &p->event[idx];
    p->rec[idx].state = OTA_STATE_ABORTED;
    if (!pol_trials())
        return;
    if (ev->kind == OTA_EVENT_NONE)
        event_begin(in, p, idx, ev);
    ev->kind = OTA_EVENT_GIVEN_UP;
    ev->why = (uint8_t)why;
}

/* --- anti-rollback -------------------------------------------------------- */

bool boot_too_old(const struct boot_in *in, uint32_t choice)
{
    return pol_anti_rollback(&in->policy) &&
           in->secure[choice] <= in->fuse_version;
}

static bool names_too_old(const struct boot_in *in, const struct ota_rec *rec)
{
    return pol_anti_rollback(&in->policy) && in->slot_cnt > 0 &&
           ota_rec_valid(rec) &&
           boot_too_old(in, ota_seq_slot(rec->seq, in->slot_cnt));
}

/* The records as they count: what names an image that is too old does not. */
static void seen_records(const struct boot_in *in, const struct pick *p,
                         struct ota_rec seen[2])
{
    for (uint32_t i = 0; i < 2; i++) {
        seen[i] = p->rec[i];
        if (names_too_old(in, &seen[i]))
            seen[i].state = OTA_STATE_INVALID;
    }
}

/* A trial that cannot begin, or go on, is over. */
static void give_up_too_old(const struct boot_in *in, struct pick *p)
{
    for (uint32_t i = 0; i < 2; i++)
        if ((p->rec[i].state == OTA_STATE_NEW ||
             (p->rec[i].state == OTA_STATE_PENDING &&
              pol_rollback(&in->policy))) &&
            names_too_old(in, &p->rec[i]))
            give_up(in, p, i, OTA_WHY_TOO_OLD);
}

/* What the choice gives the fuses: nothing unless its record is VALID. */
static uint32_t raise_to(const struct boot_in *in, const struct pick *p,
                         uint32_t choice)
{
    const struct ota_rec *rec = &p->rec[p->initial ? 0 : p->active];

    if (!pol_anti_rollback(&in->policy) || choice >= in->slot_cnt ||
        (!p->initial && p->active == OTA_REC_NONE) ||
        rec->state != OTA_STATE_VALID ||
        ota_seq_slot(rec->seq, in->slot_cnt) != choice)
        return 0;
    return in->secure[choice] - 1; /* it is not too old: there is one */
}

/* --- the first candidate -------------------------------------------------- */

static void pick_start(const struct boot_in *in, struct pick *p)
{
    struct ota_rec seen[2];

    /* With anti-rollback the records alone say so (reference 3.2 B.4'). */
    p->initial = pol_anti_rollback(&in->policy) && rec_unwritten(&p->rec[0]) &&
                 rec_unwritten(&p->rec[1]);
    p->active = OTA_REC_NONE;
    seen_records(in, p, seen);
    if (in->slot_cnt == 0 ||
        (ota_rec_invalid(&seen[0]) && ota_rec_invalid(&seen[1]))) {
        pick_default(in, p);
        return;
    }
    p->active = ota_active_idx(seen);
    if (p->active == OTA_REC_NONE) {
        p->reason = BOOT_WHY_RECORDS_DAMAGED;
        p->start = IDX_FACTORY;
        return;
    }
    p->reason = BOOT_WHY_RECORD;
    p->start = (int)ota_seq_slot(p->rec[p->active].seq, in->slot_cnt);
}

static bool image_usable(const struct boot_in *in, uint32_t choice)
{
    enum boot_image image = in->image[choice];

    return (image == BOOT_IMAGE_UNKNOWN || image == BOOT_IMAGE_GOOD) &&
           !boot_too_old(in, choice);
}

/* A record on trial whose image is bad: there is nothing to try. */
static bool active_is_void(const struct boot_in *in, const struct pick *p)
{
    return p->active != OTA_REC_NONE &&
           (p->rec[p->active].state == OTA_STATE_NEW ||
            p->rec[p->active].state == OTA_STATE_PENDING) &&
           !image_usable(in, (uint32_t)p->start);
}

/* Charges this reset to the trial of a PENDING record. A reset by power says
 * little about the program, so that so many of them are excused; the budget is
 * finite all the same. A trial that was being given up when the power went is
 * given up. */
static bool trial_goes_on(const struct boot_in *in, struct pick *p,
                          uint32_t idx)
{
    const struct ota_event *last = &in->event;
    struct ota_event *ev = &p->event[idx];
    bool by_power = in->reset_reason == PORT_RESET_POWERON ||
                    in->reset_reason == PORT_RESET_BROWNOUT;
    if (!pol_trials())
        return false;
    event_begin(in, p, idx, ev);
    if (last->kind != OTA_EVENT_NONE && last->seq == ev->seq) {
        if (last->kind == OTA_EVENT_GIVEN_UP)
            return false;
        if (last->kind == OTA_EVENT_STARTED) {
            ev->charged = last->charged;
            ev->power = last->power;
        }
    }
    if (by_power && ev->power < pol_trial_power(&in->policy))
        ev->power++;
    else if (ev->charged < UINT8_MAX)
        ev->charged++;
    ev->kind = OTA_EVENT_STARTED;
    return ev->charged < pol_trial_boots(&in->policy);
}

/* Who was on trial when the device was reset: the leading record may go on,
 * any other is given up. */
static enum boot_reason end_trials(const struct boot_in *in, struct pick *p)
{
    uint32_t led = ota_active_idx(p->rec);
    enum boot_reason reason = BOOT_WHY_NONE;
    for (uint32_t i = 0; i < 2; i++) {
        if (p->rec[i].state != OTA_STATE_PENDING)
            continue;
        if (i != led) {
            p->rec[i].state = OTA_STATE_ABORTED;
        } else if (trial_goes_on(in, p, i)) {
            reason = BOOT_WHY_TRIAL;
        } else {
            give_up(in, p, i, OTA_WHY_RESET);
            reason = BOOT_WHY_ROLLED_BACK;
        }
    }
    return reason;
}

static void add_candidate(const struct boot_in *in, uint32_t choice,
                          struct boot_plan *plan)
{
    if (!image_usable(in, choice))
        return;
    if (plan->choice == BOOT_NONE)
        plan->choice = choice;
    else
        plan->fallbacks[plan->fallback_cnt++] = (uint8_t)choice;
}

static void list_candidates(const struct boot_in *in, int start,
                            struct boot_plan *plan)
{
    int cnt = (int)in->slot_cnt;
    for (int i = start; i >= 0; i--)
        if (i < cnt)
            add_candidate(in, (uint32_t)i, plan);
    add_candidate(in, BOOT_FACTORY, plan);
    for (int i = start + 1; i < cnt; i++)
        add_candidate(in, (uint32_t)i, plan);
    add_candidate(in, BOOT_TEST, plan);
}

/* Counts begin at 0, whatever an older trial of this sequence left. Noted
 * before the record is PENDING, and not where nothing is ever counted. */
static void begin_trial(const struct boot_in *in, struct pick *p)
{
    if (pol_trial_boots(&in->policy) + pol_trial_power(&in->policy) <= 1)
        return;
    event_begin(in, p, p->active, &p->event[p->active]);
    p->event[p->active].kind = OTA_EVENT_STARTED;
}

/* What starting the choice changes in the records. */
static void mark_choice(const struct boot_in *in, uint32_t choice,
                        struct pick *p)
{
    if (p->initial && choice < BOOT_MAX_SLOTS) {
        struct ota_rec *first = &p->rec[0];
        first->seq = choice + 1;
        memset(first->label, 0xFF, sizeof(first->label));
        first->state = OTA_STATE_VALID;
        first->crc = ota_rec_crc(first->seq);
    }
    /* A NEW record that still leads has a usable image: it is the choice. */
    if (pol_rollback(&in->policy) && p->active != OTA_REC_NONE &&
        p->rec[p->active].state == OTA_STATE_NEW) {
        p->rec[p->active].state = OTA_STATE_PENDING;
        begin_trial(in, p);
    }
}

static void add_mark(const struct boot_in *in, const struct pick *p,
                     uint32_t idx, struct boot_plan *plan)
{
    const struct ota_rec *was = &in->rec[idx], *is = &p->rec[idx];
    struct boot_mark *mark = &plan->marks[plan->mark_cnt];
    /* Every change changes one of them. */
    if (was->seq == is->seq && was->state == is->state && was->crc == is->crc &&
        (!pol_trials() || p->event[idx].kind == OTA_EVENT_NONE))
        return;
    mark->rec_idx = idx;
    mark->rec = *is;
    if (pol_trials())
        mark->event = p->event[idx];
    plan->mark_cnt++;
}

/* What is given up is written first: a cut in between must not leave two
 * trials open. */
static void list_marks(const struct boot_in *in, const struct pick *p,
                       struct boot_plan *plan)
{
    uint32_t first = p->rec[0].state == OTA_STATE_ABORTED ? 0 : 1;
    add_mark(in, p, first, plan);
    add_mark(in, p, 1 - first, plan);
}

static void finish(const struct boot_in *in, struct pick *p,
                   struct boot_plan *plan)
{
    list_candidates(in, p->start, plan);
    if (plan->choice == BOOT_NONE) {
        plan->action = BOOT_ACT_RESET;
        plan->reason = BOOT_WHY_NOTHING_BOOTS;
    } else {
        plan->action = in->image[plan->choice] == BOOT_IMAGE_GOOD
                           ? BOOT_ACT_BOOT
                           : BOOT_ACT_VERIFY;
        bool asked =
            plan->choice == plan->preferred || plan->preferred == BOOT_NONE;
        plan->reason = asked ? p->reason : BOOT_WHY_FALLBACK;
        mark_choice(in, plan->choice, p);
        plan->raise_to = raise_to(in, p, plan->choice);
    }
    list_marks(in, p, plan);
}

static uint32_t start_choice(const struct boot_in *in, const struct pick *p)
{
    if (p->start == IDX_FACTORY)
        return in->image[BOOT_FACTORY] == BOOT_IMAGE_ABSENT ? BOOT_NONE
                                                            : BOOT_FACTORY;
    return in->slot_cnt == 0 ? BOOT_NONE : (uint32_t)p->start;
}

static void plan_records(const struct boot_in *in, struct pick *p,
                         struct boot_plan *plan)
{
    enum boot_reason trial = BOOT_WHY_NONE;
    if (pol_rollback(&in->policy))
        trial = end_trials(in, p);
    uint32_t led = ota_active_idx(p->rec);
    bool too_old = led != OTA_REC_NONE && names_too_old(in, &p->rec[led]);
    give_up_too_old(in, p);
    pick_start(in, p);
    if (too_old)
        p->reason = BOOT_WHY_TOO_OLD;
    else if (trial == BOOT_WHY_TRIAL)
        p->reason = trial;
    if (trial == BOOT_WHY_ROLLED_BACK)
        p->reason = trial;
    plan->preferred = start_choice(in, p);
    while (pol_rollback(&in->policy) && active_is_void(in, p)) {
        give_up(in, p, p->active, OTA_WHY_IMAGE_BAD);
        pick_start(in, p);
    }
    finish(in, p, plan);
}

void boot_plan(const struct boot_in *in, struct boot_plan *plan)
{
    memset(plan, 0, sizeof(*plan));
    plan->action = BOOT_ACT_RESET;
    plan->choice = BOOT_NONE;
    plan->preferred = BOOT_NONE;
    struct pick p = { .rec = { in->rec[0], in->rec[1] },
                      .active = OTA_REC_NONE,
                      .start = IDX_FACTORY,
                      .reason = BOOT_WHY_NO_OTADATA };
    if (!in->table_ok) {
        plan->reason = BOOT_WHY_NO_TABLE;
    } else if (pol_anti_rollback(&in->policy) &&
               in->fuse_version == UINT32_MAX) {
        plan->reason = BOOT_WHY_NO_FUSES;
    } else if (!in->has_otadata) {
        plan->preferred = start_choice(in, &p);
        finish(in, &p, plan);
    } else if (!in->otadata_ok) {
        plan->reason = BOOT_WHY_OTADATA_BAD;
    } else {
        plan_records(in, &p, plan);
    }
}

static const char *const choice_names[BOOT_CHOICES] = {
    "ota_0",  "ota_1",  "ota_2",  "ota_3",  "ota_4",   "ota_5",
    "ota_6",  "ota_7",  "ota_8",  "ota_9",  "ota_10",  "ota_11",
    "ota_12", "ota_13", "ota_14", "ota_15", "factory", "test"
};

const char *boot_choice_name(uint32_t choice)
{
    return choice < BOOT_CHOICES ? choice_names[choice] : "none";
}

static const char *const reason_texts[] = {
    [BOOT_WHY_NONE] = "no decision was made",
    [BOOT_WHY_NO_TABLE] = "there is no valid partition table",
    [BOOT_WHY_NO_OTADATA] = "there is no otadata partition, so the factory "
                            "program comes first",
    [BOOT_WHY_OTADATA_BAD] = "the otadata partition is smaller than 8192 "
                             "bytes or cannot be read",
    [BOOT_WHY_FIRST_BOOT] = "both otadata records are blank: first boot",
    [BOOT_WHY_RECORDS_REFUSED] = "no otadata record may be followed: what "
                                 "they name was marked INVALID or ABORTED",
    [BOOT_WHY_RECORDS_DAMAGED] = "no otadata record has a good CRC",
    [BOOT_WHY_RECORD] = "the otadata record with the highest sequence names "
                        "it",
    [BOOT_WHY_ROLLED_BACK] = "the newest program did not confirm itself and "
                             "was rolled back",
    [BOOT_WHY_FALLBACK] = "what comes before it does not verify or is not "
                          "there",
    [BOOT_WHY_NOTHING_BOOTS] = "no partition holds a program that verifies",
    [BOOT_WHY_NO_SLOTS] = "the partition table has no OTA slot",
    [BOOT_WHY_NO_FUSES] = "anti-rollback is on and the fuses cannot be read, "
                          "so no image may be started",
    [BOOT_WHY_TOO_OLD] = "the newest otadata record names an image whose "
                         "secure version is too low",
    [BOOT_WHY_TRIAL] = "the newest program is on trial and gets another start",
    [BOOT_WHY_NOT_BUILT] = "the bootloader is built without signatures, "
                           "digests or anti-rollback, which its options ask "
                           "for, so no image may be started"
};

const char *boot_reason_text(enum boot_reason reason)
{
    size_t cnt = sizeof(reason_texts) / sizeof(reason_texts[0]);
    return (size_t)reason < cnt ? reason_texts[reason] : "unknown reason";
}
