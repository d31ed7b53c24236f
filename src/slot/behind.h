/* slot/behind.h - erases and programs of a slot that are done beside the
 * caller, in the order in which they were asked for.
 *
 * A program is read back and compared by the same job. After the first failure
 * nothing more is erased or programmed. Only src/slot looks inside. */
#ifndef SLOT_BEHIND_H
#define SLOT_BEHIND_H

#include "base/span.h"
#include "part/part.h"
#include "port/work.h"

#define SLOT_BEHIND_BUFS 3u  /* buffers on their way, besides the one filling */
#define SLOT_BEHIND_AHEAD 4u /* sectors worth erasing before they are needed */
/* An erase and a program for each buffer, and the erases ahead. */
#define SLOT_BEHIND_JOBS (2 * SLOT_BEHIND_BUFS + SLOT_BEHIND_AHEAD)

struct slot_behind;

struct slot_job {
    struct port_job port;
    struct slot_behind *owner;
    struct span src; /* without bytes: an erase */
    uint32_t off;
    esp_err_t err;
};

/* The caller's memory, which must not move until slot_close(). */
struct slot_behind {
    const struct port_work *work; /* borrowed */
    uint8_t *bufs;                /* SLOT_BEHIND_BUFS times buf_len, borrowed */
    /* The rest is src/slot's. */
    struct part_dev *dev;
    struct part_entry entry;
    struct slot_job jobs[SLOT_BEHIND_JOBS];
    uint32_t put_cnt, done_cnt; /* jobs ever; the oldest come first */
    uint32_t prog_cnt;          /* programs among those not done */
    esp_err_t err;              /* of the first that failed... */
    uint32_t fail_off;          /* ...and where */
    esp_err_t run_err;          /* the same, for the jobs alone */
};

void slot_behind_open(struct slot_behind *b, struct part_dev *dev,
                      const struct part_entry *entry);
/* Waits only while there is no room for one more. src lives until it is
 * done. */
void slot_behind_erase(struct slot_behind *b, uint32_t off);
void slot_behind_prog(struct slot_behind *b, uint32_t off, struct span src);
/* Waits until no more than so many programs are on their way. */
void slot_behind_wait_progs(struct slot_behind *b, uint32_t most);
/* Waits for all. */
void slot_behind_settle(struct slot_behind *b);
/* Of the jobs that are known to be done; ESP_OK says nothing of the others. */
MUST_CHECK esp_err_t slot_behind_err(const struct slot_behind *b,
                                     uint32_t *fail_off);

#endif
