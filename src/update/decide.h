/* update/decide.h - what a session should do: pure functions from structs to
 * a struct. */
#ifndef UPDATE_DECIDE_H
#define UPDATE_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "http/head.h"

/* What was asked of the server, and what it said. */
struct upd_answer_in {
    const struct http_head *head;
    bool asked_range;
    uint64_t want_off;     /* first byte wanted */
    bool may_restart;      /* nothing was written: the whole file is fine */
    uint64_t known_total;  /* from an earlier answer, HTTP_LEN_UNKNOWN */
    const char *known_tag; /* its ETag, "" when it had none */
};

enum upd_act {
    UPD_ACT_TAKE,      /* the body continues at want_off */
    UPD_ACT_RESTART,   /* the body starts at 0: forget what there was */
    UPD_ACT_ASK_AGAIN, /* ask for all, without a range */
    UPD_ACT_NOT_MODIFIED,
    UPD_ACT_FAIL
};

struct upd_answer {
    enum upd_act act;
    esp_err_t err;   /* when FAIL */
    const char *why; /* when FAIL: half a sentence about the status */
    uint64_t total;  /* of the file, HTTP_LEN_UNKNOWN */
};

void upd_judge_answer(const struct upd_answer_in *in, struct upd_answer *out);

/* Which range to ask for next. */
struct upd_range {
    bool send;            /* false: no Range field */
    uint64_t first, last; /* last HTTP_LEN_UNKNOWN: to the end */
};
struct upd_range_in {
    uint64_t off;       /* next byte wanted */
    uint64_t total;     /* HTTP_LEN_UNKNOWN when not told yet */
    uint32_t range_len; /* 0: all in one answer */
    bool always;        /* even from 0 to the end */
};
void upd_next_range(const struct upd_range_in *in, struct upd_range *out);

/* Where a download may continue: the given offset, or 0. */
uint32_t upd_resume_off(uint32_t start_off, uint32_t sector_len,
                        uint32_t slot_len, bool has_stages);

/* Is the running image one that must not be left without confirmation?
 * state: of the running slot's record. */
bool upd_unconfirmed(uint32_t state, bool rollback, bool live);

/* After a transfer broke or fell silent. */
enum upd_mend { UPD_MEND_GIVE_UP, UPD_MEND_WAIT, UPD_MEND_ASK_REST };
struct upd_mend_in {
    esp_err_t err;
    uint32_t stalls, stall_cnt; /* so far, this one included; limit */
    uint32_t retries, retry_cnt;
};
enum upd_mend upd_decide_mend(const struct upd_mend_in *in);

#endif
