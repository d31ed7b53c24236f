/* Files: read whole and bounded, written whole or not at all. */
#include "cli.h"

#include "base/text.h"
#include "cli_temp.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/ct.h"
#include "linux_retry.h"

#define READ_STEP 65536u
#define SECRET_MAX_LEN 65536u
#define LINKS_MAX 40
#define TMP_END ".XXXXXX"

void cli_bytes_free(struct cli_bytes *b)
{
    if (b->ptr)
        ct_wipe(b->ptr, b->len);
    free(b->ptr);
    *b = (struct cli_bytes)CLI_BYTES_NONE;
}

/* Not realloc(): a secret must not stay behind in the old block. */
static bool bytes_grow(struct cli_bytes *b, size_t *cap, size_t max_len)
{
    size_t want = *cap ? *cap * 2 : READ_STEP;
    uint8_t *ptr;

    if (want > max_len + 1)
        want = max_len + 1;
    ptr = malloc(want + 1);
    if (!ptr)
        return false;
    if (b->ptr) {
        memcpy(ptr, b->ptr, b->len);
        ct_wipe(b->ptr, b->len);
        free(b->ptr);
    }
    b->ptr = ptr;
    *cap = want;
    return true;
}

static esp_err_t read_all(int fd, const char *path, size_t max_len,
                          struct cli_bytes *out, struct diag *d)
{
    size_t cap = 0;

    for (;;) {
        ssize_t got;

        if (out->len == cap && !bytes_grow(out, &cap, max_len))
            return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM,
                             "%s: out of memory", text_name(path).text);
        got = read(fd, out->ptr + out->len, cap - out->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return diag_fail(d, DIAG_STAGE_FILE, ESP_FAIL, "%s: %s",
                             text_name(path).text, strerror(errno));
        out->len += (size_t)got;
        out->ptr[out->len] = '\0';
        if (out->len > max_len)
            return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_INVALID_SIZE,
                             "%s is larger than the %zu bytes that make "
                             "sense here",
                             text_name(path).text, max_len);
        if (got == 0)
            return ESP_OK;
    }
}

esp_err_t cli_read_file(const char *path, size_t max_len, struct cli_bytes *out,
                        struct diag *d)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd =
        is_stdin ? STDIN_FILENO : linux_open(path, O_RDONLY | O_CLOEXEC, 0);
    esp_err_t err;

    *out = (struct cli_bytes)CLI_BYTES_NONE;
    if (fd < 0)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NOT_FOUND,
                         "cannot open %s: %s", text_name(path).text,
                         strerror(errno));
    err = read_all(fd, path, max_len, out, d);
    if (!is_stdin)
        close(fd);
    if (err)
        cli_bytes_free(out);
    return err;
}

esp_err_t cli_read_secret(const char *arg, struct cli_bytes *out,
                          struct diag *d)
{
    esp_err_t err;

    if (arg[0] != '@') {
        out->len = strlen(arg);
        out->ptr = (uint8_t *)strdup(arg);
        return out->ptr ? ESP_OK
                        : diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM,
                                    "out of memory");
    }
    err = cli_read_file(arg + 1, SECRET_MAX_LEN, out, d);
    if (err)
        return err;
    while (out->len > 0 &&
           (out->ptr[out->len - 1] == '\n' || out->ptr[out->len - 1] == '\r'))
        out->ptr[--out->len] = '\0';
    return ESP_OK;
}

static esp_err_t out_fail(const struct cli_out *o, const char *what,
                          struct diag *d)
{
    return diag_fail(d, DIAG_STAGE_FILE, ESP_FAIL, "cannot %s %s: %s", what,
                     text_name(o->path).text, strerror(errno));
}

/* What stands at path, if anything does: *there. Where that cannot be told,
 * nothing is put in its place. */
static esp_err_t look_at(const char *path, struct stat *st, bool *there,
                         struct diag *d)
{
    *there = stat(path, st) == 0;
    if (*there || errno == ENOENT || errno == ENOTDIR)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_FILE, ESP_FAIL, "cannot look at %s: %s",
                     text_name(path).text, strerror(errno));
}

/* A device or a pipe is written in place: there is nothing to replace. */
static bool is_special(const struct stat *st)
{
    return !S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode);
}

static bool is_private_key(struct span pem)
{
    static const char mark[] = "PRIVATE KEY-----";

    return memmem(pem.ptr, pem.len, mark, sizeof(mark) - 1) != NULL;
}

/* The first bytes of a file; false: errno says why. */
static bool read_head(const char *path, char *head, size_t cap, size_t *len)
{
    int fd = linux_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    ssize_t got = fd < 0 ? -1 : 1;
    int why;

    *len = 0;
    while (fd >= 0 && got > 0 && *len < cap) {
        do
            got = read(fd, head + *len, cap - *len);
        while (got < 0 && errno == EINTR);
        *len += got > 0 ? (size_t)got : 0;
    }
    why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return got >= 0;
}

/* What signed a product's images is not made again: a slip of the hand that
 * names it as an output must not cost it. */
static esp_err_t spare_key(const char *path, struct diag *d)
{
    char head[256];
    size_t len;

    if (!read_head(path, head, sizeof(head), &len))
        return diag_fail(d, DIAG_STAGE_FILE, ESP_FAIL,
                         "%s cannot be read, so it may hold a private key and "
                         "is not overwritten: %s",
                         text_name(path).text, strerror(errno));
    if (is_private_key(span_of(head, len)))
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_INVALID_STATE,
                         "%s holds a private key and is not overwritten; "
                         "choose another name",
                         text_name(path).text);
    return ESP_OK;
}

esp_err_t cli_other_file(const char *out, const char *in, struct diag *d)
{
    struct stat a, b;
    bool has_out = out, has_in = in;
    esp_err_t err = out ? look_at(out, &a, &has_out, d) : ESP_OK;

    if (!err && has_out && in)
        err = look_at(in, &b, &has_in, d);
    if (err || !has_out || !has_in || a.st_dev != b.st_dev ||
        a.st_ino != b.st_ino || !S_ISREG(a.st_mode))
        return err;
    return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_INVALID_STATE,
                     "%s is what this command works on and is not overwritten; "
                     "choose another name",
                     text_name(out).text);
}

/* "-", "/dev/stdout" and their like name what this process has open, wherever
 * that leads: it is written on from where it is. -1: path is no such name. */
static int own_fd(const char *path)
{
    int fd = -1, end = 0;

    if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0)
        return STDOUT_FILENO;
    if (strcmp(path, "/dev/stderr") == 0)
        return STDERR_FILENO;
    if (sscanf(path, "/dev/fd/%9d%n", &fd, &end) < 1 &&
        sscanf(path, "/proc/self/fd/%9d%n", &fd, &end) < 1)
        return -1;
    return path[end] ? -1 : fd;
}

bool cli_is_stdout(const char *path)
{
    return !path || own_fd(path) == STDOUT_FILENO;
}

/* One link further, in place. False: it is none, or there is no room, as errno
 * says (EINVAL, ENOENT: it is the end). */
static bool follow_link(char *name, size_t name_len, char *link)
{
    ssize_t len = own_fd(name) < 0 ? readlink(name, link, name_len) : -1;
    const char *slash = strrchr(name, '/');
    size_t at;

    if (len <= 0)
        return false;
    at = slash && link[0] != '/' ? (size_t)(slash - name) + 1 : 0;
    if (at + (size_t)len >= name_len) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(name + at, link, (size_t)len);
    name[at + (size_t)len] = '\0';
    return true;
}

/* The name at the end of symbolic links, in out: what they lead to is what is
 * replaced, whether it is there yet or not. False: errno says why not. */
static bool follow_links(const char *path, char *out, size_t out_len)
{
    char *link = malloc(out_len); /* much for a stack */
    bool fits = snprintf(out, out_len, "%s", path) < (int)out_len;
    int steps = 0;

    if (!link || !fits) {
        free(link);
        errno = fits ? ENOMEM : ENAMETOOLONG;
        return false;
    }
    errno = 0;
    while (steps < LINKS_MAX && follow_link(out, out_len, link))
        steps++;
    free(link);
    if (steps == LINKS_MAX)
        errno = ELOOP;
    return errno != ELOOP && errno != ENAMETOOLONG;
}

/* A file beside the one that it is to replace: o->tmp is that one's name and
 * TMP_END. */
static esp_err_t open_beside(struct cli_out *o, mode_t mode, struct diag *d)
{
    size_t len = strlen(o->tmp);
    mode_t mask;

    memcpy(o->tmp + len, TMP_END, sizeof(TMP_END));
    o->fd = mkostemp(o->tmp, O_CLOEXEC);
    if (o->fd < 0) {
        o->tmp[0] = '\0';
        return out_fail(o, "create", d);
    }
    cli_temp_add(o->tmp);
    mask = umask(0);
    umask(mask);
    if (fchmod(o->fd, mode & ~mask) != 0) {
        esp_err_t err = out_fail(o, "set the mode of", d);

        cli_out_discard(o);
        return err;
    }
    return ESP_OK;
}

/* fd -1: a device or a pipe, by its name. */
static esp_err_t open_in_place(struct cli_out *o, int fd, struct diag *d)
{
    o->tmp[0] = '\0';
    if (fd == STDOUT_FILENO && cli_json())
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--json and what is made cannot both go to standard "
                         "output; name a file");
    fflush(stdout);
    o->fd = fd < 0 ? linux_open(o->path, O_WRONLY | O_CLOEXEC, 0)
                   : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return o->fd < 0 ? out_fail(o, "open", d) : ESP_OK;
}

/* over_key: also where a private key is. */
static esp_err_t out_open(struct cli_out *o, const char *path, mode_t mode,
                          bool over_key, struct diag *d)
{
    bool found = follow_links(path, o->tmp, sizeof(o->tmp) - sizeof(TMP_END));
    int fd = found ? own_fd(o->tmp) : -1;
    struct stat st;
    bool there = false;
    esp_err_t err = ESP_OK;

    o->path = path;
    if (found && fd < 0)
        err = look_at(path, &st, &there, d);
    if (found && !err && (fd >= 0 || (there && is_special(&st))))
        return open_in_place(o, fd, d);
    if (found && !err && there && S_ISREG(st.st_mode) && !over_key)
        err = spare_key(path, d);
    if (found && !err)
        return open_beside(o, mode, d);
    o->tmp[0] = '\0';
    return err ? err : out_fail(o, "create", d);
}

esp_err_t cli_out_open(struct cli_out *o, const char *path, mode_t mode,
                       struct diag *d)
{
    return out_open(o, path, mode, false, d);
}

esp_err_t cli_out_write(struct cli_out *o, const void *data, size_t len,
                        struct diag *d)
{
    const uint8_t *at = data;

    while (len > 0) {
        ssize_t done = write(o->fd, at, len);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return out_fail(o, "write", d);
        at += done;
        len -= (size_t)done;
    }
    return ESP_OK;
}

esp_err_t cli_out_probe(const char *path, struct diag *d)
{
    struct cli_out out = CLI_OUT_CLOSED;
    struct stat st;
    bool there;
    esp_err_t err = look_at(path, &st, &there, d);

    if (!err && !(there && is_special(&st)))
        err = cli_out_open(&out, path, 0, d);
    cli_out_discard(&out);
    return err;
}

/* The new name is durable only when its folder is. */
static void sync_folder(const char *path)
{
    char copy[4096];
    int fd;

    snprintf(copy, sizeof(copy), "%s", path);
    fd = linux_open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

static esp_err_t replace(struct cli_out *o, struct diag *d)
{
    size_t len = strlen(o->tmp) - strlen(TMP_END);
    char *name = malloc(len + 1);
    esp_err_t err = ESP_OK;

    if (name)
        snprintf(name, len + 1, "%s", o->tmp);
    if (!name)
        err = diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
    else if (fsync(o->fd) != 0)
        err = out_fail(o, "write", d);
    else if (rename(o->tmp, name) != 0)
        err = out_fail(o, "create", d);
    if (!err) {
        cli_temp_drop(o->tmp);
        o->tmp[0] = '\0';
        sync_folder(name);
    }
    free(name);
    return err;
}

esp_err_t cli_out_commit(struct cli_out *o, struct diag *d)
{
    esp_err_t err = o->tmp[0] ? replace(o, d) : ESP_OK;

    cli_out_discard(o);
    return err;
}

void cli_out_discard(struct cli_out *o)
{
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
    if (o->tmp[0])
        unlink(o->tmp);
    cli_temp_drop(o->tmp);
    o->tmp[0] = '\0';
}

esp_err_t cli_write_file(const char *path, struct span data, mode_t mode,
                         struct diag *d)
{
    struct cli_out out = CLI_OUT_CLOSED;
    esp_err_t err = out_open(&out, path, mode, is_private_key(data), d);

    if (!err)
        err = cli_out_write(&out, data.ptr, data.len, d);
    if (!err)
        err = cli_out_commit(&out, d);
    cli_out_discard(&out);
    return err;
}
