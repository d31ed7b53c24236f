#include "sim_work.h"

#include <assert.h>

static uint64_t now_us(const struct sim_work *w)
{
    return w->sys->now_ms * 1000;
}

static bool is_idle(const struct sim_work *w)
{
    return w->run_cnt == w->put_cnt;
}

/* When the next job can start. */
static uint64_t start_us(const struct sim_work *w)
{
    uint64_t from_us = w->jobs[w->run_cnt % SIM_WORK_JOBS].from_us;

    return from_us > w->free_us ? from_us : w->free_us;
}

/* Two jobs never overlap, so the one before has ended when this one starts. */
static void run_next(struct sim_work *w)
{
    struct port_job *job = w->jobs[w->run_cnt % SIM_WORK_JOBS].job;
    uint64_t from_us = start_us(w);

    if (w->last)
        atomic_store(&w->last->done, true);
    w->run_cnt++;
    sim_flash_beside(w->flash, from_us);
    job->run(job);
    w->free_us = sim_flash_back(w->flash);
    w->last = job;
}

static void catch_up(struct sim_work *w)
{
    while (!is_idle(w) && start_us(w) <= now_us(w))
        run_next(w);
    if (w->last && w->free_us <= now_us(w)) {
        atomic_store(&w->last->done, true);
        w->last = NULL;
    }
}

static void work_put(void *ctx, struct port_job *job)
{
    struct sim_work *w = ctx;

    assert(w->put_cnt - w->run_cnt < SIM_WORK_JOBS);
    atomic_store(&job->done, false);
    w->jobs[w->put_cnt % SIM_WORK_JOBS] =
        (struct sim_work_job){ job, now_us(w) };
    w->put_cnt++;
    if (!w->lazy)
        catch_up(w);
}

static bool work_is_done(void *ctx, const struct port_job *job)
{
    struct sim_work *w = ctx;

    if (!w->lazy)
        catch_up(w);
    return atomic_load(&job->done);
}

static void work_wait(void *ctx, const struct port_job *job)
{
    struct sim_work *w = ctx;

    catch_up(w);
    while (!atomic_load(&job->done)) {
        uint64_t until_us = w->last ? w->free_us : start_us(w);

        assert(w->last || !is_idle(w));
        sim_sys_advance_to(w->sys, (until_us + 999) / 1000);
        catch_up(w);
    }
}

void sim_work_init(struct sim_work *w, struct sim_sys *sys,
                   struct sim_flash *flash)
{
    *w = (struct sim_work){
        .port = { w, work_put, work_is_done, work_wait },
        .sys = sys,
        .flash = flash,
    };
}
