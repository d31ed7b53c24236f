#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "linux_retry.h"

extern char **environ;

/* --- loading -------------------------------------------------------------- */

static void drop(struct loader *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

static esp_err_t starve(struct loader *l)
{
    l->starved(l->starved_ctx, errno);
    return ESP_ERR_NO_MEM;
}

/* False: errno says why. */
static bool write_at(int fd, const uint8_t *bytes, size_t len, off_t at)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, bytes, len, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENOSPC;
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
        at += n;
    }
    return true;
}

/* Takes what lies in the ELF's segment out of the bytes that pass. */
static esp_err_t loader_feed(void *ctx, const void *data, size_t len)
{
    struct loader *l = ctx;
    const struct img_info *info = &l->check->info;
    const struct img_segment *seg = &info->segs[LOADER_ELF_SEGMENT];
    uint32_t from = l->pos, to = l->pos + (uint32_t)len;
    l->pos = to;
    if (info->header.seg_cnt <= LOADER_ELF_SEGMENT || seg->off == 0)
        return ESP_OK;
    uint32_t begin = from > seg->off ? from : seg->off;
    uint32_t end = to < seg->off + seg->len ? to : seg->off + seg->len;
    if (begin >= end)
        return ESP_OK;
    return write_at(l->fd, (const uint8_t *)data + (begin - from), end - begin,
                    (off_t)(begin - seg->off))
               ? ESP_OK
               : starve(l);
}

static esp_err_t loader_begin(void *ctx, const struct part_entry *part,
                              const struct img_check *check,
                              struct img_sink *sink)
{
    struct loader *l = ctx;
    drop(l);
    l->fd = memfd_create(part->label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (l->fd < 0)
        return starve(l);
    l->pos = 0;
    l->check = check;
    *sink = (struct img_sink){ l, loader_feed };
    return ESP_OK;
}

static void loader_end(void *ctx, enum verdict verdict)
{
    struct loader *l = ctx;
    const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    if (verdict != VERDICT_ACCEPT || fcntl(l->fd, F_ADD_SEALS, seals) != 0)
        drop(l);
}

void loader_open(struct loader *l, loader_starved_fn starved, void *ctx)
{
    *l = (struct loader){ .port = { l, loader_begin, loader_end },
                          .starved = starved,
                          .starved_ctx = ctx,
                          .fd = -1 };
}

void loader_close(struct loader *l)
{
    drop(l);
}

/* --- starting ------------------------------------------------------------- */

struct run_path {
    char dir[1100];
    char tmp[1200];
    char file[1200];
};

static bool run_path_make(const struct loader_exec *how, struct run_path *p)
{
    char hex[17];
    for (unsigned i = 0; i < 8; i++)
        snprintf(hex + 2 * i, 3, "%02x", how->digest[i]);
    int a = snprintf(p->dir, sizeof(p->dir), "%s.run", how->flash_path);
    int b =
        snprintf(p->file, sizeof(p->file), "%s/%s-%s", p->dir, how->label, hex);
    int c = snprintf(p->tmp, sizeof(p->tmp), "%s/.%s-%d", p->dir, how->label,
                     (int)getpid());
    return a < (int)sizeof(p->dir) && b < (int)sizeof(p->file) &&
           c < (int)sizeof(p->tmp);
}

static bool copy_all(int from, int to)
{
    struct stat st;
    off_t at = 0;
    if (fstat(from, &st) != 0)
        return false;
    while (at < st.st_size) {
        ssize_t n = sendfile(to, from, &at, (size_t)(st.st_size - at));
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
    }
    return true;
}

/* Whole or not at all: written under another name, then renamed. */
static bool copy_out(int from, const struct run_path *p)
{
    if (mkdir(p->dir, 0777) != 0 && errno != EEXIST)
        return false;
    int to = linux_open(p->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777);
    if (to < 0)
        return false;
    bool ok = copy_all(from, to);
    ok = close(to) == 0 && ok;
    ok = ok && rename(p->tmp, p->file) == 0;
    if (!ok) {
        int why = errno;
        unlink(p->tmp);
        errno = why;
    }
    return ok;
}

static void exec_file(struct loader *l, const struct loader_exec *how,
                      char *const argv[])
{
    struct run_path path;
    if (!run_path_make(how, &path)) {
        errno = ENAMETOOLONG;
        return;
    }
    if (copy_out(l->fd, &path))
        execve(path.file, argv, environ);
}

int loader_exec(struct loader *l, const struct loader_exec *how)
{
    char name[PART_LABEL_LEN + 1];
    char *const argv[] = { name, NULL };
    snprintf(name, sizeof(name), "%s", how->label);
    if (l->fd < 0)
        return ENOEXEC;
    if (!how->keep_elf)
        fexecve(l->fd, argv, environ);
    if (how->keep_elf || errno == EACCES || errno == EPERM || errno == ENOSYS)
        exec_file(l, how, argv);
    return errno;
}
