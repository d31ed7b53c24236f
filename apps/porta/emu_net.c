/* unshare(2) cannot be undone, so a child tries it first. Without the right to
 * make namespaces a user namespace may give it: user and group stay who they
 * are there. */
#include "emu_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESOLV_CONF "/etc/resolv.conf"
#define DNS_PORT 53u

const char *emu_net_name(enum emu_net_kind kind)
{
    static const char *const names[] = { "auto", "own", "user", "none" };
    return names[kind];
}

/* --- the namespace; each returns 0 or an errno ---------------------------- */

static int write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return errno;
    ssize_t len = (ssize_t)strlen(text);
    int err = write(fd, text, (size_t)len) == len ? 0 : errno;
    close(fd);
    return err;
}

static int map_id(const char *path, unsigned id)
{
    char text[32];
    snprintf(text, sizeof(text), "%u %u 1", id, id);
    return write_text(path, text);
}

static int make_namespaces(void)
{
    unsigned uid = (unsigned)geteuid(), gid = (unsigned)getegid();
    if (unshare(CLONE_NEWNET | CLONE_NEWNS) == 0)
        return 0;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0)
        return errno;
    int err = write_text("/proc/self/setgroups", "deny");
    if (!err)
        err = map_id("/proc/self/uid_map", uid);
    return err ? err : map_id("/proc/self/gid_map", gid);
}

static int loopback_up(void)
{
    struct ifreq req = { .ifr_name = "lo" };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    int err = ioctl(fd, SIOCGIFFLAGS, &req) == 0 ? 0 : errno;
    req.ifr_flags = (short)(req.ifr_flags | IFF_UP);
    if (!err && ioctl(fd, SIOCSIFFLAGS, &req) != 0)
        err = errno;
    close(fd);
    return err;
}

static int names_from(const char *resolv_path)
{
    int err = write_text(resolv_path, "nameserver 127.0.0.1\n");
    if (!err && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        err = errno;
    if (!err && mount(resolv_path, RESOLV_CONF, NULL, MS_BIND, NULL) != 0)
        err = errno;
    return err;
}

static int enter(const char *resolv_path)
{
    int err = make_namespaces();
    if (!err)
        err = loopback_up();
    if (!err)
        err = names_from(resolv_path);
    if (!err) /* a server on port 443 is nobody else's business here */
        (void)write_text("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
    return err;
}

static int try_in_a_child(const char *resolv_path)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(enter(resolv_path));
    if (pid < 0)
        return errno;
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return EIO;
    return WEXITSTATUS(status);
}

/* --- names ---------------------------------------------------------------- */

#define HEAD_LEN 12u
#define TYPE_A 1u
#define TYPE_AAAA 28u

/* Where the question's name ends; 0: nowhere, or it has other than labels. */
static size_t name_end(const uint8_t *query, size_t len, bool *invalid)
{
    static const uint8_t last[] = { 7, 'i', 'n', 'v', 'a', 'l', 'i', 'd' };
    size_t at = HEAD_LEN;
    *invalid = false;
    while (at < len && query[at] != 0) {
        size_t label = query[at];
        if (label > 63 || label + 1 >= len - at)
            return 0;
        *invalid = label == 7 && memcmp(query + at, last, sizeof(last)) == 0;
        at += 1 + label;
    }
    return at < len ? at + 1 : 0;
}

/* RFC 1035, 4.1: a header, the question again, and one record whose name is a
 * pointer to the question's. */
size_t emu_dns_answer(const uint8_t *query, size_t len,
                      uint8_t out[EMU_DNS_LEN])
{
    static const uint8_t v4[] = { 10, 0, 2, 2 };
    static const uint8_t v6[16] = { 0xfe, 0xc0, [15] = 2 };
    uint8_t record[] = { 0xc0, HEAD_LEN, 0, 0, 0, 1, 0, 0, 0, 60, 0, 0 };
    bool invalid;
    if (len < HEAD_LEN || len > EMU_DNS_LEN - 64 || query[2] & 0x80 ||
        query[4] != 0 || query[5] != 1)
        return 0;
    size_t end = name_end(query, len, &invalid);
    if (end == 0 || len - end < 4)
        return 0;
    unsigned type = (unsigned)query[end] << 8 | query[end + 1];
    const uint8_t *addr = type == TYPE_A ? v4 : type == TYPE_AAAA ? v6 : NULL;
    uint8_t addr_len = type == TYPE_A ? sizeof(v4) : sizeof(v6);
    memset(out, 0, HEAD_LEN);
    memcpy(out, query, 2);
    out[2] = 0x81; /* an answer; recursion was desired, and is available */
    out[3] = invalid ? 0x83 : 0x80;
    out[5] = 1;
    memcpy(out + HEAD_LEN, query + HEAD_LEN, end + 4 - HEAD_LEN);
    if (invalid || !addr)
        return end + 4;
    out[7] = 1;
    record[3] = (uint8_t)type;
    record[11] = addr_len;
    memcpy(out + end + 4, record, sizeof(record));
    memcpy(out + end + 4 + sizeof(record), addr, addr_len);
    return end + 4 + sizeof(record) + addr_len;
}

static void dns_serve(int fd)
{
    uint8_t query[EMU_DNS_LEN], answer[EMU_DNS_LEN];
    struct sockaddr_in peer;
    for (;;) {
        socklen_t peer_len = sizeof(peer);
        ssize_t n = recvfrom(fd, query, sizeof(query), 0,
                             (struct sockaddr *)&peer, &peer_len);
        size_t len = n > 0 ? emu_dns_answer(query, (size_t)n, answer) : 0;
        if (len > 0)
            (void)sendto(fd, answer, len, 0, (struct sockaddr *)&peer,
                         peer_len);
    }
}

/* A process of its own, which goes when this one does. */
static int dns_start(struct emu_net *net)
{
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_port = htons(DNS_PORT) };
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    int err = bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 ? 0 : errno;
    pid_t parent = getpid();
    net->dns = err ? -1 : fork();
    if (net->dns == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fd, STDIN_FILENO);
        closefrom(STDERR_FILENO + 1); /* the flash's lock is among them */
        if (getppid() == parent)
            dns_serve(STDIN_FILENO);
        _exit(1);
    }
    if (!err && net->dns < 0)
        err = errno;
    close(fd);
    return err;
}

/* --- the whole ------------------------------------------------------------ */

esp_err_t emu_net_enter(struct emu_net *net, enum emu_net_kind want,
                        const char *resolv_path, struct diag *d)
{
    *net = (struct emu_net){ .kind = want, .dns = -1 };
    if (want != EMU_NET_KIND_AUTO && want != EMU_NET_KIND_OWN)
        return ESP_OK;
    int err = try_in_a_child(resolv_path);
    net->kind = EMU_NET_KIND_OWN;
    if (err && want == EMU_NET_KIND_AUTO) {
        net->kind = EMU_NET_KIND_USER;
        net->why = err;
        return ESP_OK;
    }
    if (!err)
        err = enter(resolv_path);
    if (!err)
        err = dns_start(net);
    if (!err)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_BOOT, ESP_ERR_NOT_SUPPORTED,
                     "the board cannot have a network namespace of its own "
                     "here: %s; --network user does without",
                     strerror(err));
}

void emu_net_leave(struct emu_net *net)
{
    if (net->dns <= 0)
        return;
    kill(net->dns, SIGKILL);
    waitpid(net->dns, NULL, 0);
    net->dns = -1;
}
