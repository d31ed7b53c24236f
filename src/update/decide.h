/* update/decide.h - what a session should do: pure functions from structs to
 * a struct. */
#ifndef UPDATE_DECIDE_H
#define UPDATE_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "http/head.h"

/* Which file it is, as far as the server says. */
struct upd_file {
    http_len total; /* HTTP_LEN_UNKNOWN: not told */
    char etag[sizeof(((struct http_head *)0)->etag)];
    char modified[sizeof(((struct http_head *)0)->last_modified)];
};
/* What If-Range can compare: a strong ETag, else the date of the last change.
 * NULL: nothing. */
const char *upd_validator(const struct upd_file *f);
/* By an ETag that is strong, or by date and length: enough to go on in a later
 * session? */
bool upd_file_known(const struct upd_file *f);

/* What was asked of the server, and what it said. */
struct upd_answer_in {
    const struct http_head *head;
    bool asked_range;
    http_len want_off;    /* first byte wanted */
    bool may_restart;     /* nothing was written: the whole file is fine */
    bool may_anew;        /* bytes came, and may be given up for another file */
    struct upd_file file; /* from an earlier answer */
};

enum upd_act {
    UPD_ACT_TAKE,      /* the body continues at want_off */
    UPD_ACT_RESTART,   /* the body starts at 0: forget what there was */
    UPD_ACT_ASK_AGAIN, /* ask for all, without a range */
    UPD_ACT_ANEW,      /* another file: start over, then ask for it */
    UPD_ACT_END,       /* the file has no byte at want_off: it is complete */
    UPD_ACT_NOT_MODIFIED,
    UPD_ACT_FAIL
};

struct upd_answer {
    enum upd_act act;
    esp_err_t err;   /* when FAIL */
    const char *why; /* when FAIL: half a sentence about the status */
    http_len total;  /* of the file, HTTP_LEN_UNKNOWN */
};

void upd_judge_answer(const struct upd_answer_in *in, struct upd_answer *out);

/* Which range to ask for next. */
struct upd_range {
    bool send;            /* false: no Range field */
    http_len first, last; /* last HTTP_LEN_UNKNOWN: to the end */
};
struct upd_range_in {
    http_len off;       /* next byte wanted */
    http_len total;     /* HTTP_LEN_UNKNOWN when not told yet */
    uint32_t range_len; /* 0: all in one answer */
    bool always;        /* even from 0 to the end */
};
void upd_next_range(const struct upd_range_in *in, struct upd_range *out);
/* A part of a file of unknown length is over, and off is the next byte: may
 * there be more? A part that is shorter than what was asked for is the last. */
bool upd_may_go_on(const struct upd_range *asked, http_len off);

/* Is one more sector to be erased before its bytes are there? */
struct upd_ahead_in {
    uint32_t taken_off;  /* bytes that came */
    uint32_t erased_off; /* all below is erased, or will be */
    uint32_t end_off;    /* of the image; 0: not told, nothing is risked */
    uint32_t sector_len;
};
bool upd_decide_ahead(const struct upd_ahead_in *in);

/* Where a download may continue: the given offset, or 0. */
uint32_t upd_resume_off(uint32_t start_off, uint32_t sector_len,
                        uint32_t slot_len, bool has_stages);

/* Is the running image one that must not be left without confirmation?
 * state: of the running slot's record. */
bool upd_unconfirmed(uint32_t state, bool rollback, bool live);

/* After a request failed, an answer was none to go on with, or a transfer
 * broke. */
struct upd_retry_in {
    enum diag_stage stage;
    esp_err_t err;
    int status;             /* of an answer that was refused, else 0 */
    bool unsound;           /* what came was not even HTTP */
    uint32_t retry_after_s; /* what that answer said, 0: nothing */
    uint32_t done_cnt, max_cnt;
    uint64_t left_ms; /* of the session, UINT64_MAX: no end */
    uint32_t rnd;     /* any number: spreads those who ask at once */
};
struct upd_retry {
    bool again;
    uint32_t wait_ms; /* when again */
    bool too_late;    /* it could be tried again, but not in this session */
};
void upd_decide_retry(const struct upd_retry_in *in, struct upd_retry *out);

/* Is a transfer too slow to go on? waited_ms: spent waiting for the server
 * since the window began, in which got_len bytes came. */
enum upd_pace { UPD_PACE_ON, UPD_PACE_NEW_WINDOW, UPD_PACE_STALLED };
enum upd_pace upd_decide_pace(uint32_t window_ms, uint32_t waited_ms,
                              uint32_t got_len);
/* Bytes that must come in a window of so many milliseconds. */
uint32_t upd_least_len(uint32_t window_ms);

#endif
