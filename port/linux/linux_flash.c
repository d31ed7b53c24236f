#include "linux_flash.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "linux_retry.h"
#include "linux_time.h"

static const char tag[] = "flash";

/* --- time ----------------------------------------------------------------- */

/* The operation that was done takes so long. */
static void turn_end(struct linux_flash *f, uint64_t us)
{
    linux_sleep_us(us);
    pthread_mutex_unlock(&f->turn);
}

static uint64_t prog_us(const struct linux_flash *f, uint32_t off, size_t len)
{
    uint32_t page = LINUX_FLASH_PAGE_LEN;

    if (len == 0)
        return 0;
    return (uint64_t)f->pace.page_us *
           ((off + len - 1) / page - off / page + 1);
}

void linux_flash_set_pace(struct linux_flash *f,
                          const struct linux_flash_pace *pace)
{
    const uint32_t most_us = 10000000;

    pthread_mutex_lock(&f->turn);
    f->pace.erase_us = pace->erase_us < most_us ? pace->erase_us : most_us;
    f->pace.page_us = pace->page_us < most_us ? pace->page_us : most_us;
    pthread_mutex_unlock(&f->turn);
}

/* --- the three operations ------------------------------------------------- */

static void fault_set(struct linux_flash *f, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

static void fault_set(struct linux_flash *f, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(f->fault, sizeof(f->fault), fmt, args);
    va_end(args);
    LOGE(tag, "%s", f->fault);
}

static bool range_ok(const struct linux_flash *f, uint32_t off, size_t len)
{
    return off <= f->port.size_len && len <= f->port.size_len - off;
}

/* The power goes before operation N: this process ends as a chip does, in the
 * middle of whatever its threads are doing. */
static void op_begin(struct linux_flash *f)
{
    struct linux_flash_meter *m = f->meter;
    if (!m)
        return;
    unsigned nth = atomic_fetch_add(&m->op_cnt, 1) + 1;
    unsigned cut_at = atomic_load(&m->cut_at);
    if (cut_at == 0 || nth < cut_at)
        return;
    atomic_store(&m->cut, true);
    if (f->last_words)
        f->last_words(nth);
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static esp_err_t writable_check(struct linux_flash *f, const char *what,
                                uint32_t off)
{
    if (f->writable)
        return ESP_OK;
    fault_set(f, "cannot %s at 0x%06x: the flash file is open for reading",
              what, (unsigned)off);
    return ESP_ERR_FLASH_PROTECTED;
}

static esp_err_t range_check(struct linux_flash *f, const char *what,
                             uint32_t off, size_t len)
{
    if (range_ok(f, off, len))
        return ESP_OK;
    fault_set(f, "cannot %s %zu bytes at 0x%06x: the flash ends at 0x%06x",
              what, len, (unsigned)off, (unsigned)f->port.size_len);
    return ESP_ERR_INVALID_SIZE;
}

static esp_err_t flash_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    struct linux_flash *f = ctx;
    esp_err_t err = range_check(f, "read", off, len);
    if (err)
        return err;
    pthread_mutex_lock(&f->turn);
    memcpy(dst, f->map + off, len);
    turn_end(f, 0);
    return ESP_OK;
}

/* 16 bytes as one value: every byte of an update passes here. */
typedef uint64_t vec_t __attribute__((vector_size(16), aligned(1), may_alias));

static inline vec_t rising(const uint8_t *have, const uint8_t *want)
{
    return *(const vec_t *)want & ~*(const vec_t *)have;
}

/* True when no bit of want is set where have is clear. */
static bool only_clears(const uint8_t *have, const uint8_t *want, size_t len)
{
    vec_t found = { 0 };
    size_t i = 0;
    for (; len - i >= 64; i += 64)
        found |= rising(have + i, want + i) |
                 rising(have + i + 16, want + i + 16) |
                 rising(have + i + 32, want + i + 32) |
                 rising(have + i + 48, want + i + 48);
    uint64_t all = found[0] | found[1];
    for (; i < len; i++)
        all |= want[i] & (uint8_t)~have[i];
    return all == 0;
}

static void rising_fault(struct linux_flash *f, uint32_t off,
                         const uint8_t *want)
{
    const uint8_t *have = f->map + off;
    size_t i = 0;
    while ((want[i] & (uint8_t)~have[i]) == 0)
        i++;
    uint32_t at = off + (uint32_t)i;
    fault_set(f,
              "cannot program 0x%02x at 0x%06x, which holds 0x%02x: a bit "
              "rises only when sector 0x%06x is erased",
              want[i], (unsigned)at, have[i],
              (unsigned)(at & ~(LINUX_FLASH_SECTOR_LEN - 1)));
}

static esp_err_t flash_prog(void *ctx, uint32_t off, const void *src,
                            size_t len)
{
    struct linux_flash *f = ctx;
    esp_err_t err = range_check(f, "program", off, len);
    if (!err)
        err = writable_check(f, "program", off);
    if (err)
        return err;
    pthread_mutex_lock(&f->turn);
    if (!only_clears(f->map + off, src, len)) {
        rising_fault(f, off, src);
        turn_end(f, 0);
        return ESP_ERR_FLASH_OP_FAIL;
    }
    op_begin(f);
    memcpy(f->map + off, src, len);
    turn_end(f, prog_us(f, off, len));
    return ESP_OK;
}

static esp_err_t flash_erase(void *ctx, uint32_t off)
{
    struct linux_flash *f = ctx;
    esp_err_t err = range_check(f, "erase", off, LINUX_FLASH_SECTOR_LEN);
    if (!err)
        err = writable_check(f, "erase", off);
    if (err)
        return err;
    if (off % LINUX_FLASH_SECTOR_LEN != 0) {
        fault_set(f,
                  "cannot erase at 0x%06x: no sector of %u bytes starts "
                  "there",
                  (unsigned)off, LINUX_FLASH_SECTOR_LEN);
        return ESP_ERR_INVALID_ARG;
    }
    pthread_mutex_lock(&f->turn);
    op_begin(f);
    memset(f->map + off, 0xff, LINUX_FLASH_SECTOR_LEN);
    turn_end(f, f->pace.erase_us);
    return ESP_OK;
}

/* --- opening -------------------------------------------------------------- */

static esp_err_t fail_errno(struct diag *diag, const char *what,
                            const char *path)
{
    return diag_fail(diag, DIAG_STAGE_FLASH, ESP_FAIL, "cannot %s %s: %s", what,
                     text_name(path).text, strerror(errno));
}

static esp_err_t size_check(int64_t len, const char *path, struct diag *diag)
{
    if (len < (int64_t)LINUX_FLASH_MIN_LEN)
        return diag_fail(diag, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                         "flash file %s is too small: %lld bytes, and the "
                         "partition table alone ends at %u; make one with "
                         "`porta flash create`",
                         text_name(path).text, (long long)len,
                         LINUX_FLASH_MIN_LEN);
    if (len % LINUX_FLASH_SECTOR_LEN != 0)
        return diag_fail(diag, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                         "flash file %s has %lld bytes, which is not a "
                         "multiple of a sector (%u); it is cut short or no "
                         "flash file",
                         text_name(path).text, (long long)len,
                         LINUX_FLASH_SECTOR_LEN);
    if (len > UINT32_MAX)
        return diag_fail(diag, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                         "flash file %s has %lld bytes; flash of 4 GiB and "
                         "more cannot be addressed",
                         text_name(path).text, (long long)len);
    return ESP_OK;
}

static esp_err_t flash_lock(int fd, enum linux_flash_mode mode,
                            const char *path, struct diag *diag)
{
    int how = mode == LINUX_FLASH_WRITE ? LOCK_EX : LOCK_SH;
    int rc;
    do
        rc = flock(fd, how | LOCK_NB);
    while (rc != 0 && errno == EINTR);
    if (rc == 0)
        return ESP_OK;
    if (errno != EWOULDBLOCK)
        return fail_errno(diag, "lock flash file", path);
    return diag_fail(diag, DIAG_STAGE_FLASH, ESP_ERR_INVALID_STATE,
                     "flash file %s is in use by another process; stop that "
                     "`porta device` or wait for that `porta update`",
                     text_name(path).text);
}

/* Of a file that is less than a whole flash. */
static esp_err_t exact_check(int64_t len, uint32_t want, const char *path,
                             struct diag *diag)
{
    if (len == (int64_t)want)
        return ESP_OK;
    return diag_fail(diag, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                     "%s has %lld bytes instead of %u; it is damaged, or "
                     "another file",
                     path, (long long)len, (unsigned)want);
}

/* want_len 0: any size that a flash may have. */
static esp_err_t flash_map(struct linux_flash *f, const char *path,
                           uint32_t want_len, struct diag *diag)
{
    int prot = f->writable ? PROT_READ | PROT_WRITE : PROT_READ;
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return fail_errno(diag, "look at flash file", path);
    if (!S_ISREG(st.st_mode))
        return diag_fail(diag, DIAG_STAGE_FLASH, ESP_ERR_INVALID_ARG,
                         "%s is not a regular file, so it is no flash file",
                         text_name(path).text);
    esp_err_t err = want_len ? exact_check(st.st_size, want_len, path, diag)
                             : size_check(st.st_size, path, diag);
    if (err)
        return err;
    /* A hole in the file would be filled when it is written, and a full disk
     * is then no error but a signal. Some file systems cannot tell. */
    if (f->writable && fallocate(f->fd, 0, 0, st.st_size) != 0 &&
        errno == ENOSPC)
        return fail_errno(diag, "have room for all of flash file", path);
    void *map = mmap(NULL, (size_t)st.st_size, prot, MAP_SHARED, f->fd, 0);
    if (map == MAP_FAILED)
        return fail_errno(diag, "map flash file", path);
    f->map = map;
    pthread_mutex_init(&f->turn, NULL);
    f->port = (struct port_flash){ .ctx = f,
                                   .size_len = (uint32_t)st.st_size,
                                   .erase_len = LINUX_FLASH_SECTOR_LEN,
                                   .prog_len = 1,
                                   .page_len = LINUX_FLASH_PAGE_LEN,
                                   .read = flash_read,
                                   .prog = flash_prog,
                                   .erase = flash_erase };
    return ESP_OK;
}

esp_err_t linux_flash_open(struct linux_flash *f, const char *path,
                           enum linux_flash_mode mode, struct diag *diag)
{
    *f = (struct linux_flash)LINUX_FLASH_CLOSED;
    f->writable = mode == LINUX_FLASH_WRITE;
    /* Without waiting for the other end of what turns out to be a pipe. */
    f->fd = linux_open(
        path, (f->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK, 0);
    if (f->fd < 0 && errno == ENOENT)
        return diag_fail(diag, DIAG_STAGE_FLASH, ESP_ERR_NOT_FOUND,
                         "there is no flash file %s; make one with `porta "
                         "flash create -o %s`",
                         text_name(path).text, text_name(path).text);
    if (f->fd < 0)
        return fail_errno(diag, "open flash file", path);
    esp_err_t err = flash_lock(f->fd, mode, path, diag);
    if (!err)
        err = flash_map(f, path, 0, diag);
    if (err)
        linux_flash_close(f);
    return err;
}

esp_err_t linux_flash_unused(const char *path, struct diag *diag)
{
    int fd = linux_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0)
        return ESP_OK; /* whoever writes it says what is wrong */
    esp_err_t err = flash_lock(fd, LINUX_FLASH_WRITE, path, diag);
    close(fd);
    return err;
}

static esp_err_t fill_erased(int fd, uint32_t size_len, const char *path,
                             struct diag *diag)
{
    uint8_t blank[LINUX_FLASH_SECTOR_LEN];
    memset(blank, 0xff, sizeof(blank));
    for (uint32_t off = 0; off < size_len;) {
        ssize_t n = pwrite(fd, blank, sizeof(blank) - off % sizeof(blank), off);
        if (n > 0)
            off += (uint32_t)n;
        if (n == 0)
            errno = ENOSPC;
        if (n == 0 || (n < 0 && errno != EINTR))
            return fail_errno(diag, "write flash file", path);
    }
    return ESP_OK;
}

/* A new file has its name when all of it is on the disk, and never another
 * one's. Not every file system can rename so, and not every one has links. */
static bool put_in_place(const char *tmp, const char *path)
{
    if (renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return true;
    if ((errno != EINVAL && errno != ENOSYS) || link(tmp, path) != 0)
        return false;
    unlink(tmp);
    return true;
}

/* So that the name is on the disk, too; where that cannot be had it is there
 * sooner or later. */
static void folder_sync(char *path)
{
    char *slash = strrchr(path, '/');
    int fd;

    if (slash)
        slash[slash == path] = '\0';
    fd = linux_open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

static esp_err_t fill(struct linux_flash *f, const char *path,
                      uint32_t size_len, struct diag *diag)
{
    mode_t mask = umask(0);
    esp_err_t err;

    umask(mask);
    if (fchmod(f->fd, 0666 & ~mask) != 0)
        return fail_errno(diag, "set the mode of flash file", path);
    err = flash_lock(f->fd, LINUX_FLASH_WRITE, path, diag);
    if (!err)
        err = fill_erased(f->fd, size_len, path, diag);
    if (!err && fsync(f->fd) != 0)
        err = fail_errno(diag, "write flash file", path);
    return err ? err : flash_map(f, path, size_len, diag);
}

static esp_err_t create_beside(struct linux_flash *f, const char *path,
                               uint32_t size_len, struct diag *diag)
{
    char tmp[PATH_MAX];
    esp_err_t err;

    if (snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path) >= (int)sizeof(tmp)) {
        errno = ENAMETOOLONG;
        return fail_errno(diag, "create flash file", path);
    }
    f->fd = mkostemp(tmp, O_CLOEXEC);
    if (f->fd < 0)
        return fail_errno(diag, "create flash file", path);
    err = fill(f, path, size_len, diag);
    if (!err && !put_in_place(tmp, path))
        err = fail_errno(diag, "create flash file", path);
    if (err)
        unlink(tmp);
    else
        folder_sync(tmp);
    return err;
}

/* A signal that ends the program comes when nothing is left beside the file. */
static esp_err_t create(struct linux_flash *f, const char *path,
                        uint32_t size_len, struct diag *diag)
{
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
    sigset_t later, before;
    esp_err_t err;

    *f = (struct linux_flash)LINUX_FLASH_CLOSED;
    f->writable = true;
    sigemptyset(&later);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        sigaddset(&later, ends[i]);
    pthread_sigmask(SIG_BLOCK, &later, &before);
    err = create_beside(f, path, size_len, diag);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err)
        linux_flash_close(f);
    return err;
}

esp_err_t linux_flash_create(struct linux_flash *f, const char *path,
                             uint32_t size_len, struct diag *diag)
{
    *f = (struct linux_flash)LINUX_FLASH_CLOSED;
    esp_err_t err = size_check(size_len, path, diag);
    return err ? err : create(f, path, size_len, diag);
}

esp_err_t linux_flash_open_part(struct linux_flash *f, const char *path,
                                uint32_t size_len, enum linux_flash_mode mode,
                                struct diag *diag)
{
    *f = (struct linux_flash)LINUX_FLASH_CLOSED;
    f->writable = mode == LINUX_FLASH_WRITE;
    f->fd = linux_open(
        path, (f->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK, 0);
    if (f->fd < 0 && errno == ENOENT)
        return f->writable ? create(f, path, size_len, diag)
                           : ESP_ERR_NOT_FOUND;
    if (f->fd < 0)
        return fail_errno(diag, "open", path);
    esp_err_t err = flash_lock(f->fd, mode, path, diag);
    if (!err)
        err = flash_map(f, path, size_len, diag);
    if (err)
        linux_flash_close(f);
    return err;
}

esp_err_t linux_flash_adopt(struct linux_flash *f, int fd, uint32_t size_len,
                            struct diag *diag)
{
    *f = (struct linux_flash)LINUX_FLASH_CLOSED;
    f->writable = true;
    f->fd = fd;
    esp_err_t err = flash_map(f, "(inherited)", size_len, diag);
    if (err)
        linux_flash_close(f);
    return err;
}

void linux_flash_close(struct linux_flash *f)
{
    if (f->map)
        munmap(f->map, f->port.size_len);
    if (f->fd >= 0)
        close(f->fd);
    *f = (struct linux_flash)LINUX_FLASH_CLOSED;
}

const char *linux_flash_fault(const struct linux_flash *f)
{
    return f->fault;
}
