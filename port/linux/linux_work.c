#include "linux_work.h"

/* Inside: the oldest job, NULL when it is over. */
static struct port_job *next_job(struct linux_work *w)
{
    while (!w->first && !w->over)
        pthread_cond_wait(&w->change, &w->mutex);
    return w->first;
}

static void take_out(struct linux_work *w, struct port_job *job)
{
    w->first = job->next;
    if (!w->first)
        w->last = NULL;
}

static void *work_main(void *arg)
{
    struct linux_work *w = arg;
    struct port_job *job;

    pthread_setname_np(pthread_self(), "flash");
    pthread_mutex_lock(&w->mutex);
    while ((job = next_job(w)) != NULL) {
        pthread_mutex_unlock(&w->mutex);
        job->run(job);
        pthread_mutex_lock(&w->mutex);
        take_out(w, job);
        /* From here on it is no longer ours. */
        atomic_store(&job->done, true);
        pthread_cond_broadcast(&w->change);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

static void work_put(void *ctx, struct port_job *job)
{
    struct linux_work *w = ctx;

    job->next = NULL;
    atomic_store(&job->done, false);
    pthread_mutex_lock(&w->mutex);
    if (w->last)
        w->last->next = job;
    else
        w->first = job;
    w->last = job;
    pthread_cond_broadcast(&w->change);
    pthread_mutex_unlock(&w->mutex);
}

static bool work_is_done(void *ctx, const struct port_job *job)
{
    (void)ctx;
    return atomic_load(&job->done);
}

static void work_wait(void *ctx, const struct port_job *job)
{
    struct linux_work *w = ctx;

    pthread_mutex_lock(&w->mutex);
    while (!atomic_load(&job->done))
        pthread_cond_wait(&w->change, &w->mutex);
    pthread_mutex_unlock(&w->mutex);
}

esp_err_t linux_work_open(struct linux_work *w)
{
    *w = (struct linux_work){
        .port = { w, work_put, work_is_done, work_wait },
    };
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->change, NULL);
    if (pthread_create(&w->thread, NULL, work_main, w) != 0) {
        pthread_cond_destroy(&w->change);
        pthread_mutex_destroy(&w->mutex);
        return ESP_ERR_NO_MEM;
    }
    w->open = true;
    return ESP_OK;
}

void linux_work_close(struct linux_work *w)
{
    if (!w->open)
        return;
    pthread_mutex_lock(&w->mutex);
    w->over = true;
    pthread_cond_broadcast(&w->change);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->change);
    pthread_mutex_destroy(&w->mutex);
    w->open = false;
}
