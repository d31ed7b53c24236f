/* A query is shared by the thread that asks and the thread that resolves.
 * Whoever comes last frees it: the asker after it took the answer, the
 * resolver when the asker gave up. Nobody waits for getaddrinfo(). */
#include "linux_dns.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "linux_time.h"

struct query {
    pthread_mutex_t lock;
    pthread_cond_t done_cond;
    bool done;
    bool abandoned;
    struct addrinfo hints;
    char port[6];
    int rc;
    int sys_errno;
    struct addrinfo *list;
    char host[];
};

static void query_free(struct query *q)
{
    if (q->list)
        freeaddrinfo(q->list);
    pthread_cond_destroy(&q->done_cond);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

static struct query *query_new(const struct linux_dns_query *what)
{
    size_t len = strlen(what->host) + 1;
    struct query *q = calloc(1, sizeof(*q) + len);
    if (!q)
        return NULL;
    memcpy(q->host, what->host, len);
    snprintf(q->port, sizeof(q->port), "%u", what->port);
    q->hints.ai_family = what->family;
    q->hints.ai_socktype = SOCK_STREAM;
    q->hints.ai_flags = AI_NUMERICSERV;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->done_cond, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&q->lock, NULL);
    return q;
}

/* RFC 6761, section 6.3: this name is the machine itself, also where no
 * /etc/hosts says so, as in a container made by hand. */
static int resolve_host(const struct query *q, struct addrinfo **list)
{
    int rc = getaddrinfo(q->host, q->port, &q->hints, list);

    if (rc != 0 && strcasecmp(q->host, "localhost") == 0)
        rc = getaddrinfo(NULL, q->port, &q->hints, list);
    return rc;
}

/* A resolver that cannot open its files and sockets says that there is no such
 * name. */
static int why_not(int rc)
{
    int sys_errno = rc == EAI_SYSTEM ? errno : 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return errno;
    close(fd);
    return sys_errno;
}

static void *resolver(void *arg)
{
    struct query *q = arg;
    struct addrinfo *list = NULL;
    int rc = resolve_host(q, &list);
    int sys_errno = rc == 0 ? 0 : why_not(rc);
    pthread_mutex_lock(&q->lock);
    q->list = rc == 0 ? list : NULL;
    q->rc = rc;
    q->sys_errno = sys_errno;
    q->done = true;
    bool abandoned = q->abandoned;
    pthread_cond_signal(&q->done_cond);
    pthread_mutex_unlock(&q->lock);
    if (abandoned)
        query_free(q);
    return NULL;
}

static bool thread_start(struct query *q)
{
    pthread_attr_t attr;
    pthread_t thread;
    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    bool ok = pthread_create(&thread, &attr, resolver, q) == 0;
    pthread_attr_destroy(&attr);
    return ok;
}

static struct timespec at_ms(uint64_t ms)
{
    return (struct timespec){ .tv_sec = (time_t)(ms / 1000),
                              .tv_nsec = (long)(ms % 1000) * 1000000 };
}

/* When to look at the limit again, at the latest at the deadline. */
static struct timespec next_look(const struct linux_dns_query *query)
{
    uint64_t slice = linux_mono_ms() + PORT_LIMIT_SLICE_MS;
    bool sliced = query->limit && slice < query->deadline_ms;
    return at_ms(sliced ? slice : query->deadline_ms);
}

/* True: the answer is there. False: it is late, and the resolver frees q. */
static bool query_wait(struct query *q, const struct linux_dns_query *query)
{
    pthread_mutex_lock(&q->lock);
    while (!q->done && !port_limit_stopped(query->limit)) {
        struct timespec until = next_look(query);
        int rc = pthread_cond_timedwait(&q->done_cond, &q->lock, &until);
        if (rc != 0 && linux_mono_ms() >= query->deadline_ms)
            break;
    }
    bool done = q->done;
    q->abandoned = !done;
    pthread_mutex_unlock(&q->lock);
    return done;
}

static esp_err_t query_result(struct query *q, struct addrinfo **out,
                              int *sys_errno)
{
    esp_err_t err = ESP_OK;
    *out = q->list;
    q->list = NULL;
    if (q->rc == EAI_MEMORY)
        err = ESP_ERR_NO_MEM;
    else if (q->rc != 0 && (q->sys_errno == EMFILE || q->sys_errno == ENFILE))
        err = ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET;
    else if (q->rc != 0)
        err = ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME;
    *sys_errno = q->sys_errno;
    query_free(q);
    return err;
}

/* A literal needs no thread and no waiting. */
static bool resolve_literal(struct query *q, struct addrinfo **out)
{
    struct addrinfo hints = q->hints;
    hints.ai_flags |= AI_NUMERICHOST;
    return getaddrinfo(q->host, q->port, &hints, out) == 0;
}

esp_err_t linux_dns_resolve(const struct linux_dns_query *query,
                            struct addrinfo **out, int *sys_errno)
{
    *out = NULL;
    struct query *q = query_new(query);
    if (!q)
        return ESP_ERR_NO_MEM;
    if (resolve_literal(q, out)) {
        query_free(q);
        return ESP_OK;
    }
    if (!thread_start(q)) {
        query_free(q);
        return ESP_ERR_NO_MEM;
    }
    if (query_wait(q, query))
        return query_result(q, out, sys_errno);
    *sys_errno = ECANCELED;
    if (port_limit_stopped(query->limit))
        return ESP_ERR_NOT_FINISHED;
    *sys_errno = ETIMEDOUT;
    return ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME;
}
