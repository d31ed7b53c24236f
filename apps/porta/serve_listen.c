#include "serve_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool addr_fill(const struct serve_conf *conf,
                      struct sockaddr_storage *sa, socklen_t *len)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)sa;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)sa;

    memset(sa, 0, sizeof(*sa));
    if (inet_pton(AF_INET, conf->bind_addr, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(conf->port);
        *len = sizeof(*v4);
        return true;
    }
    if (inet_pton(AF_INET6, conf->bind_addr, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(conf->port);
        *len = sizeof(*v6);
        return true;
    }
    return false;
}

static esp_err_t fail_addr(const struct serve_conf *conf, struct diag *d)
{
    return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                     "--bind %s is not an IPv4 or IPv6 address",
                     conf->bind_addr);
}

int serve_listen(const struct serve_conf *conf, uint16_t *port, struct diag *d)
{
    struct sockaddr_storage sa;
    socklen_t len;
    int on = 1, fd;

    if (!addr_fill(conf, &sa, &len)) {
        (void)fail_addr(conf, d);
        return -1;
    }
    fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, len) != 0 ||
        listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&sa, &len) != 0) {
        (void)diag_fail(d, DIAG_STAGE_CONNECT, ESP_FAIL,
                        "cannot listen on %s port %u: %s; choose another "
                        "with --port, 0 takes a free one",
                        conf->bind_addr, conf->port, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *port = ntohs(sa.ss_family == AF_INET
                      ? ((struct sockaddr_in *)&sa)->sin_port
                      : ((struct sockaddr_in6 *)&sa)->sin6_port);
    return fd;
}

esp_err_t serve_listen_check(const struct serve_conf *conf, struct diag *d)
{
    struct sockaddr_storage sa;
    socklen_t len;

    return addr_fill(conf, &sa, &len) ? ESP_OK : fail_addr(conf, d);
}
