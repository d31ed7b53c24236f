/* sim_work.h - jobs beside the caller, on a clock that moves only when somebody
 * waits: the same run has the same times, always.
 *
 * A job starts when the one before it has ended; it takes as long as the flash
 * operations in it (sim_flash_pace()). What it does happens at its start, which
 * is noticed when the caller comes by. With `lazy` nothing is done before
 * somebody waits for it: who believes in what he did not wait for is found. */
#ifndef SIM_WORK_H
#define SIM_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "port/work.h"
#include "sim_flash.h"
#include "sim_sys.h"

#define SIM_WORK_JOBS 32u

struct sim_work_job {
    struct port_job *job;
    uint64_t from_us; /* not before this */
};

struct sim_work {
    struct port_work port;
    struct sim_sys *sys;     /* borrowed */
    struct sim_flash *flash; /* borrowed */
    bool lazy;
    struct sim_work_job jobs[SIM_WORK_JOBS]; /* those that did not start */
    uint32_t put_cnt, run_cnt;
    struct port_job *last; /* the one that ran last and has not ended... */
    uint64_t free_us;      /* ...and when it does */
};

/* The struct must not move while it is in use. */
void sim_work_init(struct sim_work *w, struct sim_sys *sys,
                   struct sim_flash *flash);

#endif
