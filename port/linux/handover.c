#include "handover.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"

_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_BOOL_LOCK_FREE == 2,
               "atomics in a page that processes share must not use locks");

static esp_err_t fail_errno(struct diag *diag, const char *what)
{
    return diag_fail(diag, DIAG_STAGE_BOOT, ESP_FAIL, "cannot %s: %s", what,
                     strerror(errno));
}

static struct handover *page_map(int fd)
{
    void *page = mmap(NULL, sizeof(struct handover), PROT_READ | PROT_WRITE,
                      MAP_SHARED, fd, 0);
    return page == MAP_FAILED ? NULL : page;
}

esp_err_t handover_create(struct handover **out, int *fd, struct diag *diag)
{
    *out = NULL;
    *fd = memfd_create("porta-handover", MFD_CLOEXEC);
    if (*fd < 0)
        return fail_errno(diag, "make the page shared with the application");
    struct handover *h = NULL;
    if (ftruncate(*fd, sizeof(*h)) == 0)
        h = page_map(*fd);
    if (!h) {
        esp_err_t err = fail_errno(diag, "map the page shared with the "
                                         "application");
        close(*fd);
        *fd = -1;
        return err;
    }
    h->magic = HANDOVER_MAGIC;
    h->version = HANDOVER_VERSION;
    h->page_len = sizeof(*h);
    h->board_pid = getpid();
    h->flash_fd = -1;
    h->fuse_fd = -1;
    h->chip_id = HANDOVER_CHIP_LINUX;
    *out = h;
    return ESP_OK;
}

void handover_boot(struct handover *h, enum port_reset_reason reason)
{
    h->boot_cnt++;
    h->reset_reason = reason;
    h->verdict = HANDOVER_PENDING;
    h->slot = (struct handover_slot){ 0 };
    h->text[0] = '\0';
    atomic_store(&h->attached, 0);
    atomic_store(&h->restart, 0);
    atomic_store(&h->idle, 0);
    h->sleep_us = 0;
    if (reason == PORT_RESET_POWERON)
        memset(h->retained, 0, sizeof(h->retained));
}

esp_err_t handover_export(const struct handover *h, int fd, struct diag *diag)
{
    char text[16];
    snprintf(text, sizeof(text), "%d", fd);
    if (setenv(HANDOVER_ENV, text, 1) != 0 || fcntl(fd, F_SETFD, 0) != 0 ||
        fcntl(h->flash_fd, F_SETFD, 0) != 0 ||
        (h->fuse_fd >= 0 && fcntl(h->fuse_fd, F_SETFD, 0) != 0))
        return fail_errno(diag, "hand the flash to the bootloader");
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return fail_errno(diag, "tie the application's life to the board's");
    /* The board may have died before prctl() took effect. */
    if (getppid() != h->board_pid)
        return diag_fail(diag, DIAG_STAGE_BOOT, ESP_ERR_INVALID_STATE,
                         "the board is gone");
    return ESP_OK;
}

static esp_err_t page_check(const struct handover *h, struct diag *diag)
{
    if (h->magic == HANDOVER_MAGIC && h->version == HANDOVER_VERSION &&
        h->page_len == sizeof(*h))
        return ESP_OK;
    return diag_fail(diag, DIAG_STAGE_BOOT, ESP_ERR_INVALID_VERSION,
                     "the board hands over a page of version %u with %u "
                     "bytes, this application knows version %u with %zu; "
                     "build both from the same sources",
                     (unsigned)h->version, (unsigned)h->page_len,
                     HANDOVER_VERSION, sizeof(*h));
}

/* -1: no board named one. */
static int page_fd(void)
{
    const char *text = getenv(HANDOVER_ENV);
    uint32_t fd;
    if (!text || num_parse_u32(span_str(text), &fd) || fd > INT32_MAX)
        return -1;
    return (int)fd;
}

esp_err_t handover_attach(struct handover **out, struct diag *diag)
{
    *out = NULL;
    int fd = page_fd();
    if (fd < 0)
        return diag_fail(diag, DIAG_STAGE_BOOT, ESP_ERR_NOT_FOUND,
                         "this is a device's application: pack it with "
                         "`porta image create`, put it into a flash file and "
                         "start it with `porta device FLASH`");
    struct stat st;
    if (fstat(fd, &st) != 0)
        return fail_errno(diag, "use the board's hand-over page");
    if (st.st_size != sizeof(struct handover))
        return diag_fail(diag, DIAG_STAGE_BOOT, ESP_ERR_INVALID_VERSION,
                         "the board hands over %lld bytes, this application "
                         "knows %zu; build both from the same sources",
                         (long long)st.st_size, sizeof(struct handover));
    struct handover *h = page_map(fd);
    if (!h)
        return fail_errno(diag, "map the board's hand-over page");
    esp_err_t err = page_check(h, diag);
    if (err) {
        handover_detach(h);
        return err;
    }
    *out = h;
    return ESP_OK;
}

void handover_claim(struct handover *h)
{
    int fd = page_fd();
    if (fd >= 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(h->flash_fd, F_SETFD, FD_CLOEXEC);
    if (h->fuse_fd >= 0)
        fcntl(h->fuse_fd, F_SETFD, FD_CLOEXEC);
    unsetenv(HANDOVER_ENV);
    atomic_store(&h->attached, 1);
}

void handover_policy(const struct handover *h, struct policy *out)
{
    *out = (struct policy){ .rollback = h->rollback,
                            .allow_http = h->allow_http,
                            .require_hash = h->require_hash,
                            .require_signed = h->require_signed,
                            .anti_rollback = h->anti_rollback,
                            .sec_ver_bits = h->sec_ver_bits,
                            .skip_cert_verify = h->skip_cert_verify,
                            .trial_boots = h->trial_boots,
                            .trial_power = h->trial_power,
                            .deny = h->deny,
                            .boot_unsigned = h->boot_unsigned };
}

void handover_set_policy(struct handover *h, const struct policy *policy)
{
    h->rollback = policy->rollback;
    h->allow_http = policy->allow_http;
    h->require_hash = policy->require_hash;
    h->require_signed = policy->require_signed;
    h->anti_rollback = policy->anti_rollback;
    h->sec_ver_bits = policy->sec_ver_bits;
    h->skip_cert_verify = policy->skip_cert_verify;
    h->trial_boots = policy->trial_boots;
    h->trial_power = policy->trial_power;
    h->deny = policy->deny;
    h->boot_unsigned = policy->boot_unsigned;
}

uint32_t handover_keys_len(const struct handover *h)
{
    return h->keys_len <= sizeof(h->keys) ? h->keys_len : 0;
}

void handover_detach(struct handover *h)
{
    if (h)
        munmap(h, sizeof(*h));
}
