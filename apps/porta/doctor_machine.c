/* The clock, the port of `porta serve`, whom the system trusts, flash files. */
#include "doctor.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "linux_clock.h"
#include "linux_heap.h"
#include "linux_rng.h"
#include "tls/tls.h"
#include "trust_file.h"

#define DAY_S 86400

/* --- clock ---------------------------------------------------------------- */

static time_t build_day(void)
{
    struct tm day = { 0 };

    if (!strptime(PORTA_BUILD_DAY, "%Y-%m-%d", &day))
        return 0;
    return timegm(&day);
}

enum doctor_status doctor_clock_judge(int64_t now_s, int64_t built_s)
{
    if (now_s < built_s - DAY_S)
        return DOCTOR_BAD;
    return now_s > built_s + 10 * 366 * (int64_t)DAY_S ? DOCTOR_WARN
                                                       : DOCTOR_OK;
}

void doctor_clock(struct doctor *d)
{
    struct doctor_check *c = doctor_add(d, "clock", "date");
    time_t now = time(NULL), built = build_day();
    struct tm day;
    char text[32];

    gmtime_r(&now, &day);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &day);
    if (doctor_clock_judge(now, built) == DOCTOR_BAD)
        doctor_found(c, DOCTOR_BAD,
                     "%s UTC: before this porta was built (" PORTA_BUILD_DAY
                     "); good certificates count as not valid yet",
                     text);
    else if (doctor_clock_judge(now, built) == DOCTOR_WARN)
        doctor_found(c, DOCTOR_WARN,
                     "%s UTC: ten years after this porta was built "
                     "(" PORTA_BUILD_DAY "); good certificates may count as "
                     "expired",
                     text);
    else
        doctor_found(c, DOCTOR_OK, "%s UTC", text);
    if (c->status != DOCTOR_OK)
        doctor_mend(c, "set the clock: timedatectl set-ntp true, or date -s");
}

/* --- port ----------------------------------------------------------------- */

/* The inode of the socket that listens there; 0: none was found. */
static unsigned long listener(const char *table, uint32_t port)
{
    char line[512];
    unsigned long inode = 0;
    FILE *from = fopen(table, "r");

    while (from && !inode && fgets(line, sizeof(line), from)) {
        unsigned local, state;
        unsigned long number;

        if (sscanf(line,
                   " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s "
                   "%*s %*s %lu",
                   &local, &state, &number) == 3 &&
            local == port && state == 10)
            inode = number;
    }
    if (from)
        fclose(from);
    return inode;
}

static bool has_socket(const char *pid, unsigned long inode)
{
    char path[300], want[64], link[64];
    struct dirent *e;
    bool found = false;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
    snprintf(want, sizeof(want), "socket:[%lu]", inode);
    dir = opendir(path);
    while (dir && !found && (e = readdir(dir)) != NULL) {
        ssize_t len;

        snprintf(path, sizeof(path), "/proc/%.16s/fd/%.16s", pid, e->d_name);
        len = readlink(path, link, sizeof(link) - 1);
        link[len > 0 ? len : 0] = '\0';
        found = strcmp(link, want) == 0;
    }
    if (dir)
        closedir(dir);
    return found;
}

/* "nginx (process 812)", as far as we may look. */
static void name_listener(uint32_t port, char *out, size_t len)
{
    unsigned long inode = listener("/proc/net/tcp", port);
    struct dirent *e;
    DIR *dir;

    snprintf(out, len, "another process");
    if (!inode)
        inode = listener("/proc/net/tcp6", port);
    dir = inode ? opendir("/proc") : NULL;
    while (dir && (e = readdir(dir)) != NULL) {
        char path[64], name[64] = "";
        FILE *comm;

        if (!isdigit((unsigned char)e->d_name[0]) ||
            !has_socket(e->d_name, inode))
            continue;
        snprintf(path, sizeof(path), "/proc/%.16s/comm", e->d_name);
        comm = fopen(path, "r");
        if (comm && fgets(name, sizeof(name), comm))
            name[strcspn(name, "\n")] = '\0';
        if (comm)
            fclose(comm);
        (void)text_clean(span_str(name), name, sizeof(name));
        snprintf(out, len, "%s (process %.16s)", name, e->d_name);
        break;
    }
    if (dir)
        closedir(dir);
}

static int try_bind(uint32_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, err = 0;

    if (fd < 0)
        return errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 1) != 0)
        err = errno;
    close(fd);
    return err;
}

void doctor_port(struct doctor *d)
{
    enum doctor_status worst = d->o->port_given ? DOCTOR_BAD : DOCTOR_WARN;
    struct doctor_check *c;
    char name[40], who[128];
    int err = try_bind(d->o->port);

    snprintf(name, sizeof(name), "port %u for porta serve",
             (unsigned)d->o->port);
    c = doctor_add(d, "network", name);
    if (err == 0) {
        doctor_found(c, DOCTOR_OK, "free");
    } else if (err == EADDRINUSE) {
        name_listener(d->o->port, who, sizeof(who));
        doctor_found(c, worst, "in use by %s", who);
        doctor_mend(c, "end it, or take another: porta serve --port 0 takes a "
                       "free one");
    } else {
        doctor_found(c, worst, "cannot be used: %s", strerror(err));
        doctor_mend(c, "take a port of 1024 or above: porta serve --port 8070");
    }
}

/* --- trust ---------------------------------------------------------------- */

void doctor_trust(struct doctor *d)
{
    struct doctor_check *c = doctor_add(d, "network", "CAs of the system");
    const struct tls_env env = { &linux_heap, &linux_rng, &linux_clock };
    struct tls_bundle_build b = { .heap = &linux_heap };
    struct diag diag = DIAG_NONE;
    bool ready = tls_init(&env) == ESP_OK;
    esp_err_t err = ESP_FAIL;

    if (ready)
        err = trust_add_system(&b, &diag);
    if (err || b.taken_cnt == 0) {
        doctor_found(c, DOCTOR_WARN, "none in %s%s%s", trust_system_place(),
                     diag.text[0] ? ": " : "", diag.text);
        doctor_mend(c, "apt-get install ca-certificates, or give porta update "
                       "the server's with --cacert");
    } else {
        doctor_found(c, DOCTOR_OK, "%u in %s", (unsigned)b.taken_cnt,
                     trust_system_place());
    }
    tls_bundle_build_free(&b);
    if (ready)
        tls_deinit();
}

/* --- flash ---------------------------------------------------------------- */

void doctor_flash(struct doctor *d)
{
    static struct device dev;
    static struct boot_result next;
    struct doctor_check *c = doctor_add(d, "flash", "flash file");
    struct device_args args = d->o->dev;
    struct diag diag = DIAG_NONE;

    if (device_open(&dev, d->o->flash, LINUX_FLASH_READ, &args, &diag) ||
        device_need_table(&dev, &diag)) {
        doctor_found(c, DOCTOR_BAD, "%s", diag.text);
        doctor_mend(c, "porta flash create makes a new one");
    } else {
        doctor_found(c, DOCTOR_OK, "%s", text_name(d->o->flash).text);
        c = doctor_add(d, "flash", "next boot");
        boot_decide(&dev.boot, &next);
        doctor_found(c,
                     next.plan.action == BOOT_ACT_BOOT ? DOCTOR_OK : DOCTOR_BAD,
                     "%s: %s",
                     next.plan.action == BOOT_ACT_BOOT
                         ? boot_choice_name(next.plan.choice)
                         : "nothing boots",
                     boot_reason_text(next.plan.reason));
        if (c->status == DOCTOR_BAD)
            doctor_mend(c,
                        "porta explain %s says what is wrong with each "
                        "slot; porta flash write puts an image into one",
                        text_name(d->o->flash).text);
    }
    device_close(&dev);
}
