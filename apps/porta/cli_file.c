/* Files: read whole and bounded, written whole or not at all. */
#include "cli.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/ct.h"

#define READ_STEP 65536u
#define SECRET_MAX_LEN 65536u

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
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
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

/* A device or a pipe is written in place: there is nothing to replace. */
static bool is_special(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static bool is_private_key(struct span pem)
{
    static const char mark[] = "PRIVATE KEY-----";

    return memmem(pem.ptr, pem.len, mark, sizeof(mark) - 1) != NULL;
}

/* What signed a product's images is not made again: a slip of the hand that
 * names it as an output must not cost it. */
static esp_err_t spare_key(const char *path, struct diag *d)
{
    char head[256];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got;

    if (fd < 0)
        return ESP_OK;
    got = read(fd, head, sizeof(head));
    close(fd);
    if (got > 0 && is_private_key(span_of(head, (size_t)got)))
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_INVALID_STATE,
                         "%s holds a private key and is not overwritten; "
                         "choose another name",
                         text_name(path).text);
    return ESP_OK;
}

esp_err_t cli_other_file(const char *out, const char *in, struct diag *d)
{
    struct stat a, b;

    if (!out || !in || stat(out, &a) != 0 || stat(in, &b) != 0 ||
        a.st_dev != b.st_dev || a.st_ino != b.st_ino || !S_ISREG(a.st_mode))
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_INVALID_STATE,
                     "%s is what this command works on and is not overwritten; "
                     "choose another name",
                     text_name(out).text);
}

static esp_err_t out_open(struct cli_out *o, const char *path, mode_t mode,
                          struct diag *d)
{
    mode_t mask;

    o->path = path;
    o->tmp[0] = '\0';
    if (is_special(path)) {
        o->fd = open(path, O_WRONLY | O_CLOEXEC);
        return o->fd < 0 ? out_fail(o, "open", d) : ESP_OK;
    }
    if (snprintf(o->tmp, sizeof(o->tmp), "%s.XXXXXX", path) >=
        (int)sizeof(o->tmp)) {
        o->tmp[0] = '\0';
        errno = ENAMETOOLONG;
        return out_fail(o, "create", d);
    }
    o->fd = mkostemp(o->tmp, O_CLOEXEC);
    if (o->fd < 0) {
        o->tmp[0] = '\0';
        return out_fail(o, "create", d);
    }
    mask = umask(0);
    umask(mask);
    if (fchmod(o->fd, mode & ~mask) != 0) {
        esp_err_t err = out_fail(o, "set the mode of", d);

        cli_out_discard(o);
        return err;
    }
    return ESP_OK;
}

esp_err_t cli_out_open(struct cli_out *o, const char *path, mode_t mode,
                       struct diag *d)
{
    esp_err_t err = is_special(path) ? ESP_OK : spare_key(path, d);

    return err ? err : out_open(o, path, mode, d);
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

/* The new name is durable only when its folder is. */
static void sync_folder(const char *path)
{
    char copy[4096];
    int fd;

    snprintf(copy, sizeof(copy), "%s", path);
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

esp_err_t cli_out_commit(struct cli_out *o, struct diag *d)
{
    esp_err_t err = ESP_OK;

    if (o->tmp[0] && fsync(o->fd) != 0)
        err = out_fail(o, "write", d);
    if (!err && o->tmp[0] && rename(o->tmp, o->path) != 0)
        err = out_fail(o, "create", d);
    if (!err && o->tmp[0]) {
        o->tmp[0] = '\0';
        sync_folder(o->path);
    }
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
    o->tmp[0] = '\0';
}

esp_err_t cli_write_file(const char *path, struct span data, mode_t mode,
                         struct diag *d)
{
    struct cli_out out = CLI_OUT_CLOSED;
    esp_err_t err = is_private_key(data) ? out_open(&out, path, mode, d)
                                         : cli_out_open(&out, path, mode, d);

    if (!err)
        err = cli_out_write(&out, data.ptr, data.len, d);
    if (!err)
        err = cli_out_commit(&out, d);
    cli_out_discard(&out);
    return err;
}
