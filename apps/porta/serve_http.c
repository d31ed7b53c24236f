#include "serve_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "base/text.h"
#include "linux_retry.h"
#include "linux_time.h"
#include "serve_accept.h"
#include "serve_auth.h"
#include "serve_listen.h"

#define PIECE_MAX 65536u
#define CONNECTIONS_MAX 64u
#define IDLE_S 120u
#define TRICKLE_MS 1000u

struct serve {
    const struct serve_conf *conf;
    struct MHD_Daemon *daemon;
    struct serve_accept accept;
    int fd; /* that listens */
    struct serve_auth auth;
    struct serve_tls tls;
    char root[PATH_MAX];
    char hidden[PATH_MAX];                  /* "": none */
    struct stat secrets[SERVE_SECRETS_MAX]; /* st_nlink 0: none */
    uint16_t port;
    /* Bodies wait here: for the throttle, in a stall, for the end. */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    atomic_uint_fast64_t sent_len, total_len; /* of the last body */
};

/* One body under way. */
struct body {
    struct serve *s;
    struct MHD_Connection *conn;
    struct serve_plan plan;
    int fd;
    uint64_t start_ms;
};

/* Waits, or until the server stops; UINT32_MAX: for ever. False: stopping. */
static bool serve_wait(struct serve *s, uint32_t ms)
{
    uint64_t end_ms = linux_mono_ms() + ms;
    struct timespec end = { (time_t)(end_ms / 1000),
                            (long)(end_ms % 1000) * 1000000 };
    bool stopping;

    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        if (ms == UINT32_MAX)
            pthread_cond_wait(&s->wake, &s->lock);
        else if (pthread_cond_timedwait(&s->wake, &s->lock, &end))
            break;
    }
    stopping = s->stopping;
    pthread_mutex_unlock(&s->lock);
    return !stopping;
}

/* Leaving TCP's "connected" state by AF_UNSPEC sends RST, at once. */
static void reset_connection(struct MHD_Connection *conn)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct sockaddr none = { .sa_family = AF_UNSPEC };

    if (info)
        (void)connect(info->connect_fd, &none, sizeof(none));
}

/* The fault's moment has come. False: the body ends here. */
static bool fault_strike(struct body *b)
{
    switch (b->s->conf->fault.kind) {
    case SERVE_FAULT_STALL:
        (void)serve_wait(b->s, UINT32_MAX);
        return false;
    case SERVE_FAULT_TRICKLE:
        return serve_wait(b->s, TRICKLE_MS);
    case SERVE_FAULT_RESET:
        reset_connection(b->conn);
        return false;
    default:
        return false; /* truncate */
    }
}

static size_t piece_at(const struct body *b, uint64_t pos, size_t max)
{
    const struct serve_plan *p = &b->plan;
    uint64_t len = serve_piece_len(b->s->conf->rate, PIECE_MAX);

    if (len > max)
        len = max;
    if (pos < p->len && len > p->len - pos)
        len = p->len - pos;
    if (pos < p->stop_at && len > p->stop_at - pos)
        len = p->stop_at - pos;
    return pos >= p->stop_at ? 1 : (size_t)len;
}

/* Called by the library in the connection's own thread, which may wait. */
static ssize_t body_read(void *ctx, uint64_t pos, char *buf, size_t max)
{
    struct body *b = ctx;
    size_t len = piece_at(b, pos, max);
    uint32_t wait_ms;
    ssize_t got;

    if (pos >= b->plan.len + b->plan.extra_len)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (pos >= b->plan.stop_at && !fault_strike(b))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    wait_ms =
        serve_pace_ms(pos, linux_mono_ms() - b->start_ms, b->s->conf->rate);
    if (wait_ms && !serve_wait(b->s, wait_ms))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (pos >= b->plan.len) {
        memset(buf, 0xA5, len);
        return (ssize_t)len;
    }
    do
        got = pread(b->fd, buf, len, (off_t)(b->plan.first + pos));
    while (got < 0 && errno == EINTR);
    if (got > 0)
        atomic_store(&b->s->sent_len, pos + (uint64_t)got);
    /* The file became shorter while it is sent. */
    return got > 0 ? got : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void body_free(void *ctx)
{
    struct body *b = ctx;

    close(b->fd);
    free(b);
}

static void say(const struct serve *s, const char *method, const char *url,
                const struct serve_plan *p)
{
    if (s->conf->quiet)
        return;
    if (p->status == 206)
        fprintf(stderr, "porta serve: %s %s %d, %llu bytes from %llu\n", method,
                url, p->status, (unsigned long long)p->announce_len,
                (unsigned long long)p->first);
    else
        fprintf(stderr, "porta serve: %s %s %d, %llu bytes\n", method, url,
                p->status, (unsigned long long)p->announce_len);
}

static void header(struct MHD_Response *r, const char *name, const char *value)
{
    (void)MHD_add_response_header(r, name, value);
}

static enum MHD_Result send_response(struct MHD_Connection *conn, int status,
                                     struct MHD_Response *r)
{
    enum MHD_Result done = MHD_queue_response(conn, (unsigned)status, r);

    MHD_destroy_response(r);
    return done;
}

/* A line of text as the body; name and value may be NULL. */
static enum MHD_Result answer_text(struct MHD_Connection *conn, int status,
                                   const char *name, const char *value)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "%d\n", status);
    struct MHD_Response *r = MHD_create_response_from_buffer(
        (size_t)len, text, MHD_RESPMEM_MUST_COPY);

    if (!r)
        return MHD_NO;
    header(r, "Content-Type", "text/plain");
    if (name)
        header(r, name, value);
    return send_response(conn, status, r);
}

static const char *asked(struct MHD_Connection *conn, const char *name)
{
    return MHD_lookup_connection_value(conn, MHD_HEADER_KIND, name);
}

/* Is the announced length not that of the body? */
static bool lies(const struct serve_plan *p)
{
    return p->status != 304 && p->announce_len != p->len + p->extra_len;
}

/* A response for the plan, headers not included. Takes fd over. */
static struct MHD_Response *body_response(struct serve *s,
                                          struct MHD_Connection *conn,
                                          const struct serve_plan *p, int fd)
{
    struct body *b;
    struct MHD_Response *r;

    if (p->status == 304) {
        close(fd);
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    }
    b = malloc(sizeof(*b));
    if (!b) {
        close(fd);
        return NULL;
    }
    *b = (struct body){ s, conn, *p, fd, linux_mono_ms() };
    atomic_store(&s->sent_len, 0);
    atomic_store(&s->total_len, p->len);
    r = MHD_create_response_from_callback(lies(p) ? MHD_SIZE_UNKNOWN
                                                  : p->len + p->extra_len,
                                          PIECE_MAX, body_read, b, body_free);
    if (!r)
        body_free(b);
    return r;
}

/* The library counts for itself unless the length is unknown to it and it may
 * not chunk; then ours is the only one. */
static void announce(struct MHD_Response *r, const struct serve_plan *p)
{
    char text[32];

    if (!lies(p))
        return;
    snprintf(text, sizeof(text), "%llu", (unsigned long long)p->announce_len);
    (void)MHD_set_response_options(r,
                                   MHD_RF_INSANITY_HEADER_CONTENT_LENGTH |
                                       MHD_RF_HTTP_1_0_COMPATIBLE_STRICT,
                                   MHD_RO_END);
    header(r, "Content-Length", text);
}

/* The headers of a file's answer. */
static enum MHD_Result answer_file(struct MHD_Connection *conn,
                                   struct MHD_Response *r,
                                   const struct serve_plan *p,
                                   const struct serve_file *file)
{
    char text[96];

    if (!r)
        return MHD_NO;
    if (p->status == 206) {
        snprintf(text, sizeof(text), "bytes %llu-%llu/%llu",
                 (unsigned long long)p->first,
                 (unsigned long long)(p->first + p->len - 1),
                 (unsigned long long)file->len);
        header(r, "Content-Range", text);
    }
    if (p->status != 304)
        header(r, "Content-Type", "application/octet-stream");
    header(r, "Accept-Ranges", "bytes");
    header(r, "ETag", file->etag);
    header(r, "Last-Modified", file->last_modified);
    announce(r, p);
    return send_response(conn, p->status, r);
}

/* Is path the folder itself or below it? */
static bool below(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    return len > 0 && strncmp(path, folder, len) == 0 &&
           (path[len] == '/' || path[len] == '\0' || folder[len - 1] == '/');
}

/* By any name: a secret is known by its inode. */
static bool is_secret(const struct serve *s, const struct stat *st)
{
    for (int i = 0; i < SERVE_SECRETS_MAX; i++)
        if (s->secrets[i].st_nlink > 0 && s->secrets[i].st_dev == st->st_dev &&
            s->secrets[i].st_ino == st->st_ino)
            return true;
    return false;
}

/* Opens what the path names and asks the kernel where that really is, so that
 * no link leads out of the folder. -1: not for the public. */
static int file_open(const struct serve *s, const char *url, struct stat *st)
{
    char path[PATH_MAX], real[PATH_MAX], proc[64];
    ssize_t len;
    int fd;

    if (!serve_path_ok(url) ||
        snprintf(path, sizeof(path), "%s%s", s->root, url) >= (int)sizeof(path))
        return -1;
    fd = linux_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
    len = readlink(proc, real, sizeof(real) - 1);
    real[len > 0 ? len : 0] = '\0';
    if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode) || !below(real, s->root) ||
        below(real, s->hidden) || is_secret(s, st)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* How many redirects of ours led here. */
static uint32_t hop_of(struct MHD_Connection *conn)
{
    const char *text =
        MHD_lookup_connection_value(conn, MHD_GET_ARGUMENT_KIND, "hop");
    uint32_t hop = 0;

    return text && num_parse_u32(span_str(text), &hop) == ESP_OK ? hop : 0;
}

static enum MHD_Result answer(struct serve *s, struct MHD_Connection *conn,
                              const char *url, const char *method)
{
    struct serve_ask ask = { asked(conn, "Range"), asked(conn, "If-Range"),
                             asked(conn, "If-None-Match"),
                             asked(conn, "If-Modified-Since") };
    struct serve_plan plan = { .status = 404 };
    struct serve_file file;
    struct stat st;
    char text[64];
    uint32_t hop;
    int fd = file_open(s, url, &st);

    if (fd < 0) {
        say(s, method, url, &plan);
        return answer_text(conn, 404, NULL, NULL);
    }
    file.len = (uint64_t)st.st_size;
    file.mtime_s = st.st_mtim.tv_sec;
    serve_file_describe(&file, (uint64_t)st.st_ino, st.st_mtim.tv_nsec);
    hop = serve_redirect(&s->conf->fault, hop_of(conn));
    if (hop) {
        close(fd);
        snprintf(text, sizeof(text), "?hop=%u", (unsigned)hop);
        plan.status = 302;
        say(s, method, url, &plan);
        return answer_text(conn, 302, "Location", text);
    }
    serve_plan_make(&file, &ask, &s->conf->fault, &plan);
    say(s, method, url, &plan);
    if (!plan.text)
        return answer_file(conn, body_response(s, conn, &plan, fd), &plan,
                           &file);
    close(fd);
    snprintf(text, sizeof(text), "bytes */%llu", (unsigned long long)file.len);
    return answer_text(conn, plan.status,
                       plan.status == 416 ? "Content-Range" : NULL, text);
}

/* lint-ok: function, the library's signature */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *conn,
                                  const char *url, const char *method,
                                  const char *version, const char *upload,
                                  size_t *upload_len, void **con_ctx)
{
    static int seen; /* its address marks a request whose head was seen */
    struct serve *s = ctx;
    struct serve_plan refused = { .status = 401 };
    const char *token;

    (void)version;
    (void)upload;
    if (!*con_ctx) {
        *con_ctx = &seen;
        return MHD_YES;
    }
    if (*upload_len) {
        *upload_len = 0; /* nobody wants a body */
        return MHD_YES;
    }
    if (!serve_tls_client_ok(&s->tls, conn)) {
        refused.status = 403;
        say(s, method, url, &refused);
        return answer_text(conn, 403, NULL, NULL);
    }
    token = MHD_lookup_connection_value(conn, MHD_GET_ARGUMENT_KIND, "token");
    if (!serve_auth_ok(&s->auth, asked(conn, "Authorization"), token)) {
        say(s, method, url, &refused);
        return answer_text(conn, 401, "WWW-Authenticate",
                           serve_auth_challenge(&s->auth));
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return answer_text(conn, 405, "Allow", "GET, HEAD");
    return answer(s, conn, url, method);
}

/* The folder as it is called without links: root has PATH_MAX bytes. */
static esp_err_t find_root(const struct serve_conf *conf, char *root,
                           struct diag *d)
{
    struct stat st;

    if (!realpath(conf->folder, root) || stat(root, &st) != 0)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NOT_FOUND,
                         "cannot serve %s: %s", text_name(conf->folder).text,
                         strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_INVALID_ARG,
                         "%s is not a folder; name the one that the image is "
                         "in",
                         text_name(conf->folder).text);
    return ESP_OK;
}

esp_err_t serve_check(const struct serve_conf *conf, struct diag *d)
{
    struct serve_auth auth;
    char root[PATH_MAX];
    esp_err_t err = find_root(conf, root, d);

    if (!err)
        err = serve_listen_check(conf, d);
    if (err)
        return err;
    err = serve_auth_init(&auth, conf->user, conf->token, d);
    serve_auth_free(&auth);
    return err;
}

static esp_err_t find_folders(struct serve *s, struct diag *d)
{
    esp_err_t err = find_root(s->conf, s->root, d);

    if (err)
        return err;
    if (s->conf->hidden && !realpath(s->conf->hidden, s->hidden))
        s->hidden[0] = '\0';
    for (int i = 0; i < SERVE_SECRETS_MAX; i++)
        if (!s->conf->secrets[i] ||
            stat(s->conf->secrets[i], &s->secrets[i]) != 0)
            s->secrets[i].st_nlink = 0;
    return ESP_OK;
}

/* The library's complaint while it starts, else the connection's, unheard:
 * clients that give up are no news to the person at the terminal. */
static void on_library_log(void *ctx, const char *fmt, va_list args)
    PRINTF_LIKE(2, 0);

static void on_library_log(void *ctx, const char *fmt, va_list args)
{
    char *first = ctx;

    if (!first[0])
        vsnprintf(first, 160, fmt, args);
    first[strcspn(first, "\n")] = '\0';
}

static struct MHD_Daemon *daemon_start(struct serve *s, char complaint[160])
{
    const struct serve_conf *c = s->conf;
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ERROR_LOG |
                     MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
                     MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC;
    struct MHD_OptionItem tls[SERVE_TLS_OPTIONS_CNT];

    s->tls = c->tls;
    serve_tls_options(&s->tls, tls);
    if (serve_tls_on(&s->tls))
        flags |= MHD_USE_TLS;
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, s,
                            MHD_OPTION_EXTERNAL_LOGGER, on_library_log,
                            complaint, MHD_OPTION_CONNECTION_LIMIT,
                            CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                            IDLE_S, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

static esp_err_t accept_start(struct serve *s, struct diag *d)
{
    esp_err_t err = serve_accept_start(&s->accept, s->daemon, s->fd);

    return err ? diag_fail(d, DIAG_STAGE_CONNECT, err,
                           "there is no thread to accept connections by")
               : ESP_OK;
}

static void serve_free(struct serve *s)
{
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    if (s->fd >= 0)
        close(s->fd);
    serve_auth_free(&s->auth);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static struct serve *serve_new(const struct serve_conf *conf)
{
    struct serve *s = calloc(1, sizeof(*s));
    pthread_condattr_t attr;

    if (!s)
        return NULL;
    s->conf = conf;
    s->fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &attr);
    pthread_condattr_destroy(&attr);
    return s;
}

esp_err_t serve_start(struct serve **out, const struct serve_conf *conf,
                      struct diag *d)
{
    static char complaint[160]; /* the library writes to it until it ends */
    struct serve *s = serve_new(conf);
    esp_err_t err;

    *out = NULL;
    if (!s)
        return diag_fail(d, DIAG_STAGE_CONNECT, ESP_ERR_NO_MEM,
                         "out of memory");
    err = find_folders(s, d);
    if (!err)
        err = serve_auth_init(&s->auth, conf->user, conf->token, d);
    s->fd = err ? -1 : serve_listen(conf, &s->port, d);
    if (s->fd >= 0)
        s->daemon = daemon_start(s, complaint);
    if (s->daemon && accept_start(s, d) == ESP_OK) {
        *out = s;
        return ESP_OK;
    }
    serve_free(s);
    return diag_fail(d, DIAG_STAGE_TLS, d->err ? d->err : ESP_FAIL,
                     "the server does not start: %s%s",
                     complaint[0] ? complaint : "unknown cause",
                     serve_tls_on(&conf->tls)
                         ? "; do certificate and key belong together?"
                         : "");
}

uint16_t serve_port(const struct serve *s)
{
    return s->port;
}

void serve_progress(const struct serve *s, uint64_t *sent_len,
                    uint64_t *total_len)
{
    *sent_len = atomic_load(&s->sent_len);
    *total_len = atomic_load(&s->total_len);
}

void serve_stop(struct serve *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    serve_accept_stop(&s->accept);
    serve_free(s);
}
