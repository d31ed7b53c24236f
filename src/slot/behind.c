/* behind.c - see slot/behind.h.
 *
 * Jobs form a ring: those in [done_cnt, put_cnt) are the port's. They run one
 * after the other, so run_err has one user at a time; what the caller knows of
 * a failure comes from jobs that are done, whose results are his to read. */
#include "slot/behind.h"

static void run(struct port_job *port)
{
    struct slot_job *job = (struct slot_job *)(void *)port;
    struct slot_behind *b = job->owner;

    if (b->run_err)
        return;
    if (job->src.len > 0)
        job->err = part_put(b->dev, &b->entry, job->off, job->src);
    else
        job->err = part_erase_sector(b->dev, &b->entry, job->off);
    b->run_err = job->err;
}

/* Takes back the oldest job, which is done. */
static void take(struct slot_behind *b)
{
    const struct slot_job *job = &b->jobs[b->done_cnt % SLOT_BEHIND_JOBS];

    b->done_cnt++;
    b->prog_cnt -= job->src.len > 0;
    if (!job->err || b->err)
        return;
    b->err = job->err;
    b->fail_off = job->off;
}

static void wait_oldest(struct slot_behind *b)
{
    const struct slot_job *job = &b->jobs[b->done_cnt % SLOT_BEHIND_JOBS];

    b->work->wait(b->work->ctx, &job->port);
    take(b);
}

/* Takes back what is done already. */
static void look(struct slot_behind *b)
{
    while (b->done_cnt != b->put_cnt) {
        const struct slot_job *job = &b->jobs[b->done_cnt % SLOT_BEHIND_JOBS];
        if (!b->work->is_done(b->work->ctx, &job->port))
            break;
        take(b);
    }
}

static void put(struct slot_behind *b, uint32_t off, struct span src)
{
    struct slot_job *job = &b->jobs[b->put_cnt % SLOT_BEHIND_JOBS];

    look(b);
    if (b->put_cnt - b->done_cnt == SLOT_BEHIND_JOBS)
        wait_oldest(b);
    job->port.run = run;
    job->owner = b;
    job->src = src;
    job->off = off;
    job->err = ESP_OK;
    b->put_cnt++;
    b->prog_cnt += src.len > 0;
    b->work->put(b->work->ctx, &job->port);
}

void slot_behind_open(struct slot_behind *b, struct part_dev *dev,
                      const struct part_entry *entry)
{
    b->dev = dev;
    b->entry = *entry;
    b->put_cnt = b->done_cnt = b->prog_cnt = 0;
    b->err = b->run_err = ESP_OK;
}

void slot_behind_erase(struct slot_behind *b, uint32_t off)
{
    put(b, off, span_of(NULL, 0));
}

void slot_behind_prog(struct slot_behind *b, uint32_t off, struct span src)
{
    put(b, off, src);
}

void slot_behind_wait_progs(struct slot_behind *b, uint32_t most)
{
    look(b);
    while (b->prog_cnt > most)
        wait_oldest(b);
}

void slot_behind_settle(struct slot_behind *b)
{
    while (b->done_cnt != b->put_cnt)
        wait_oldest(b);
}

esp_err_t slot_behind_err(const struct slot_behind *b, uint32_t *fail_off)
{
    *fail_off = b->fail_off;
    return b->err;
}
