/* Making a slot the boot target: rows from the reference (3.5), and what must
 * hold for every pair of records, running slot and fill of the logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "otadata/otadata.h"

#define FACTORY 99u
#define BAD_CRC 0x80000000u /* a flag in a row's state */
#define V OTA_STATE_VALID
#define U OTA_STATE_UNDEFINED
#define N OTA_STATE_NEW
#define A OTA_STATE_ABORTED
#define I OTA_STATE_INVALID
#define NONE OTADATA_SEQ_NONE
#define ROOM OTADATA_LOG_RESERVE

static struct ota_rec rec_make(uint32_t seq, uint32_t state)
{
    struct ota_rec rec;
    memset(&rec, 0xFF, sizeof(rec));
    if (seq == NONE)
        return rec;
    bool bad = state != U && (state & BAD_CRC);
    rec.seq = seq;
    rec.state = bad ? state & ~BAD_CRC : state;
    rec.crc = ota_rec_crc(seq) ^ (bad ? 1u : 0);
    return rec;
}

struct row {
    const char *claim;
    uint32_t seq0, state0, seq1, state1;
    uint32_t free0, free1;
    uint32_t cnt, running, slot;
    /* expected */
    bool move;
    uint32_t house_idx, house_seq, idx, seq;
};

static const struct row rows[] = {
    /* the reference's examples */
    { "blank, factory runs: record 0, seq slot+1", NONE, U, NONE, U, 63, 63, 2,
      FACTORY, 0, false, 0, 0, 0, 1 },
    { "then ota_1: record 1, seq 2", 1, U, NONE, U, 63, 63, 2, 0, 1, false, 0,
      0, 1, 2 },
    { "then ota_0: record 0, seq 3", 1, U, 2, U, 63, 63, 2, 1, 0, false, 0, 0,
      0, 3 },
    { "then ota_1: record 1, seq 4", 3, U, 2, U, 63, 63, 2, 0, 1, false, 0, 0,
      1, 4 },
    { "three slots, active seq 2, ota_0: seq 4 in the other record", NONE, U, 2,
      V, 63, 63, 3, 1, 0, false, 0, 0, 0, 4 },
    { "eight slots, active seq 5, ota_7: seq 8", 5, V, NONE, U, 63, 63, 8, 4, 7,
      false, 0, 0, 1, 8 },
    { "the slot that leads already keeps record and sequence", 3, N, 2, V, 63,
      63, 2, 1, 0, false, 0, 0, 0, 3 },
    { "an aborted record's place and sequence are used again", 1, V, 2, A, 63,
      63, 2, 0, 1, false, 0, 0, 1, 2 },
    { "a damaged record does not count", 7, V | BAD_CRC, 2, V, 63, 63, 2, 1, 0,
      false, 0, 0, 0, 3 },
    /* finding 8 */
    { "after a fallback the running slot's record stays", 5, V, 4, V, 63, 63, 3,
      0, 2, false, 0, 0, 0, 6 },
    { "also where it has the lower sequence and place 1", 4, V, 6, V, 63, 63, 4,
      3, 0, false, 0, 0, 1, 9 },
    { "back to the running slot: its own record is renewed", 3, N, 2, V, 63, 63,
      2, 1, 1, false, 0, 0, 1, 4 },
    /* a running slot without a record */
    { "is given one first, blank otadata", NONE, U, NONE, U, 63, 63, 2, 0, 1,
      true, 0, 1, 1, 2 },
    { "is given one first, others have both", 6, V, 5, V, 63, 63, 3, 0, 1, true,
      1, 7, 0, 8 },
    { "not when it was refused", 1, I, 2, V, 63, 63, 2, 0, 1, false, 0, 0, 1,
      2 },
    { "nor is the refusal forgotten when nothing else is there", 1, I, NONE, U,
      63, 63, 2, 0, 1, false, 0, 0, 1, 2 },
    { "nor beside another one that was refused", 1, I, 2, A, 63, 63, 2, 0, 1,
      false, 0, 0, 1, 2 },
    { "nor in the second place", NONE, U, 1, A, 63, 63, 2, 0, 1, false, 0, 0, 0,
      2 },
    { "not when it is the target itself", NONE, U, NONE, U, 63, 63, 2, 1, 1,
      false, 0, 0, 0, 2 },
    /* little room in the log that takes the intent */
    { "just enough places left: no move", 1, V, 2, A, ROOM, 63, 2, 0, 1, false,
      0, 0, 1, 2 },
    { "one fewer: the running slot's record moves", 1, V, 2, A, ROOM - 1, 63, 2,
      0, 1, true, 1, 3, 0, 4 },
    { "the other log does not matter", 1, V, 2, A, 63, 0, 2, 0, 1, false, 0, 0,
      1, 2 },
    { "factory runs: the record that leads moves", 3, V, 2, V, ROOM - 1, 63, 2,
      FACTORY, 1, true, 1, 5, 0, 6 },
    { "nothing to keep: the record whose change has room", 1, A, 2, A, 63, 7, 2,
      FACTORY, 0, false, 0, 0, 1, 1 },
    { "or the one that has more of it", 1, A, 2, A, 3, 7, 2, FACTORY, 0, false,
      0, 0, 0, 1 },
    /* the end of the sequences */
    { "the last one is used", 0xFFFFFFFD, V, NONE, U, 63, 63, 2, 0, 1, false, 0,
      0, 1, 0xFFFFFFFE },
    { "after it numbers start again", NONE, U, 0xFFFFFFFE, V, 63, 63, 2, 1, 0,
      true, 0, 2, 1, 3 },
    { "also when only the second step would pass the end", 0xFFFFFFFC, V, NONE,
      U, 0, 63, 2, 1, 0, true, 1, 2, 0, 3 },
};

static void plan_input(const struct row *row, struct otadata *o,
                       struct otadata_request *req)
{
    memset(o, 0, sizeof(*o));
    o->rec[0] = rec_make(row->seq0, row->state0);
    o->rec[1] = rec_make(row->seq1, row->state1);
    o->free_cnt[0] = row->free0;
    o->free_cnt[1] = row->free1;
    *req = (struct otadata_request){ .slot = row->slot,
                                     .slot_cnt = row->cnt,
                                     .running_is_slot = row->running != FACTORY,
                                     .running_slot = row->running,
                                     .state = N };
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct otadata o;
        struct otadata_request req;
        struct otadata_activation a;
        plan_input(row, &o, &req);
        assert_int_equal(otadata_activate_plan(&o, &req, &a), ESP_OK);
        bool ok = a.move_house == row->move && a.target_idx == row->idx &&
                  a.target_rec.seq == row->seq && a.target_rec.state == N &&
                  ota_rec_crc_ok(&a.target_rec);
        if (row->move)
            ok = ok && a.house_idx == row->house_idx &&
                 a.house_rec.seq == row->house_seq;
        if (!ok)
            fail_msg("not so: %s: move %d, house %u seq %#x, target %u seq "
                     "%#x",
                     row->claim, a.move_house, a.house_idx, a.house_rec.seq,
                     a.target_idx, a.target_rec.seq);
    }
}

static void test_arguments(void **state)
{
    static const struct {
        uint32_t slot, cnt, running;
    } bad[] = { { 2, 2, 0 }, { 0, 0, FACTORY }, { 0, 2, 2 } };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct row row = rows[0];
        struct otadata o;
        struct otadata_request req;
        struct otadata_activation a;
        row.slot = bad[i].slot;
        row.cnt = bad[i].cnt;
        row.running = bad[i].running;
        plan_input(&row, &o, &req);
        assert_int_equal(otadata_activate_plan(&o, &req, &a),
                         ESP_ERR_INVALID_ARG);
    }
}

static void test_labels(void **state)
{
    struct otadata o;
    struct otadata_request req;
    struct otadata_activation a;
    (void)state;
    plan_input(&rows[2], &o, &req); /* writes record 0 */
    memset(o.rec[0].label, 0x55, 20);
    assert_int_equal(otadata_activate_plan(&o, &req, &a), ESP_OK);
    assert_memory_equal(a.target_rec.label, o.rec[0].label, 20);
}

/* --- what holds for all --------------------------------------------------- */

struct world {
    struct ota_rec rec[2];
    uint32_t cnt, running, slot;
};

/* Of this slot, good or refused. */
static bool says(const struct ota_rec *rec, uint32_t slot, uint32_t cnt)
{
    return rec->seq != NONE && rec->crc == ota_rec_crc(rec->seq) &&
           ota_seq_slot(rec->seq, cnt) == slot;
}

static bool names(const struct ota_rec *rec, uint32_t slot, uint32_t cnt)
{
    return ota_rec_valid(rec) && ota_seq_slot(rec->seq, cnt) == slot;
}

static uint32_t leads(const struct ota_rec rec[2], uint32_t cnt)
{
    uint32_t idx = ota_active_idx(rec);
    return idx == OTA_REC_NONE ? NONE : ota_seq_slot(rec[idx].seq, cnt);
}

/* Naively, from the reference: which record and sequence it would write. */
static void reference(const struct world *w, uint32_t *idx, uint32_t *seq)
{
    uint32_t active = ota_active_idx(w->rec);
    *idx = 0;
    *seq = w->slot + 1;
    if (active == OTA_REC_NONE)
        return;
    *idx = active;
    *seq = w->rec[active].seq;
    if (ota_seq_slot(*seq, w->cnt) == w->slot)
        return;
    *idx = 1 - active;
    /* Sequence 0 the reference may write, and then does not understand. */
    while (*seq == 0 || *seq % w->cnt != (w->slot + 1) % w->cnt)
        ++*seq;
}

static const char *check_house(const struct world *w,
                               const struct otadata_activation *a,
                               struct ota_rec rec[2], bool had)
{
    uint32_t before = leads(rec, w->cnt);
    rec[a->house_idx] = a->house_rec;
    uint32_t now = leads(rec, w->cnt);
    if (now == NONE || (now != before && now != w->running))
        return "after the move neither the old leader nor the running slot";
    if (had && !names(&rec[0], w->running, w->cnt) &&
        !names(&rec[1], w->running, w->cnt))
        return "the move lost the running slot's record";
    return NULL;
}

static const char *check_plan(const struct world *w,
                              const struct otadata_activation *a, bool roomy)
{
    struct ota_rec rec[2] = { w->rec[0], w->rec[1] };
    bool has_running = w->running != FACTORY;
    bool had = has_running && (names(&rec[0], w->running, w->cnt) ||
                               names(&rec[1], w->running, w->cnt));
    if (a->move_house) {
        const char *what = check_house(w, a, rec, had);
        if (what)
            return what;
        if (a->target_idx != 1 - a->house_idx)
            return "the target falls on the house";
    }
    rec[a->target_idx] = a->target_rec;
    if (leads(rec, w->cnt) != w->slot || a->target_rec.state != N)
        return "the target does not lead";
    if (had && !names(&rec[1 - a->target_idx], w->running, w->cnt) &&
        w->running != w->slot)
        return "the running slot's record is gone";
    bool told = has_running && leads(w->rec, w->cnt) == NONE &&
                w->running != w->slot &&
                (says(&w->rec[0], w->running, w->cnt) ||
                 says(&w->rec[1], w->running, w->cnt));
    if (told && !says(&rec[1 - a->target_idx], w->running, w->cnt))
        return "what refused the running slot is forgotten";
    if (told)
        return NULL; /* the reference forgets it */
    uint32_t idx, seq;
    reference(w, &idx, &seq);
    bool ref_keeps = !had || w->running == w->slot ||
                     names(&w->rec[1 - idx], w->running, w->cnt);
    if (roomy && !a->move_house && ref_keeps &&
        (a->target_idx != idx || a->target_rec.seq != seq))
        return "not the reference's record or sequence";
    return NULL;
}

static const uint32_t seqs[] = { 0,          1,          2,          3,
                                 4,          5,          16,         17,
                                 0xFFFFFFFC, 0xFFFFFFFD, 0xFFFFFFFE, NONE };
static const uint32_t states[] = { N, OTA_STATE_PENDING, V, I, A, U,
                                   9, V | BAD_CRC };
#define SEQS (sizeof(seqs) / sizeof(seqs[0]))
#define STATES (sizeof(states) / sizeof(states[0]))

static unsigned long check_requests(struct world *w)
{
    static const uint32_t frees[][2] = {
        { 63, 63 }, { ROOM - 1, 63 }, { 63, ROOM - 1 }, { 0, 0 }, { ROOM, 0 }
    };
    unsigned long cnt = 0;
    for (uint32_t k = 0; k < w->cnt * (w->cnt + 1) * 5; k++) {
        struct otadata o = { .rec = { w->rec[0], w->rec[1] } };
        w->slot = k % w->cnt;
        w->running = k / w->cnt % (w->cnt + 1);
        if (w->running == w->cnt)
            w->running = FACTORY;
        const uint32_t *free_cnt = frees[k / w->cnt / (w->cnt + 1)];
        memcpy(o.free_cnt, free_cnt, sizeof(o.free_cnt));
        struct otadata_request req = { .slot = w->slot,
                                       .slot_cnt = w->cnt,
                                       .running_is_slot = w->running != FACTORY,
                                       .running_slot = w->running,
                                       .state = N };
        struct otadata_activation a;
        assert_int_equal(otadata_activate_plan(&o, &req, &a), ESP_OK);
        const char *what =
            check_plan(w, &a, free_cnt[0] == 63 && free_cnt[1] == 63);
        if (what)
            fail_msg("%s: %#x/%#x %#x/%#x, %u slots, %u runs, to %u, free "
                     "%u %u",
                     what, w->rec[0].seq, w->rec[0].state, w->rec[1].seq,
                     w->rec[1].state, w->cnt, w->running, w->slot, free_cnt[0],
                     free_cnt[1]);
        cnt++;
    }
    return cnt;
}

static void test_every_combination(void **state)
{
    unsigned long cnt = 0;
    (void)state;
    for (uint32_t k = 0; k < SEQS * STATES * SEQS * STATES; k++) {
        struct world w;
        w.rec[0] = rec_make(seqs[k % SEQS], states[k / SEQS % STATES]);
        w.rec[1] = rec_make(seqs[k / SEQS / STATES % SEQS],
                            states[k / SEQS / STATES / SEQS]);
        for (w.cnt = 1; w.cnt <= 3; w.cnt++)
            cnt += check_requests(&w);
    }
    printf("# %lu activations planned\n", cnt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_every_combination),
    };
    return cmocka_run_group_tests_name("otadata_activate", tests, NULL, NULL);
}
