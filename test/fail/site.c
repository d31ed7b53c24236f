#include "site.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "tlsweb.h"

/* Everything that the server has to say now; false: it hangs up. */
static bool say(const struct port_net *net, struct port_conn *conn, int sock)
{
    unsigned char out[4096];
    size_t len = 0;
    esp_err_t err;

    while ((err = net->recv(conn, out, sizeof(out), 0, &len)) == ESP_OK) {
        if (len == 0 || send(sock, out, len, MSG_NOSIGNAL) != (ssize_t)len)
            return false;
    }
    return err == ESP_ERR_TIMEOUT;
}

static void serve(const struct port_net *net, int sock)
{
    const struct port_net_opts opts = { .limit = NULL };
    struct port_conn *conn = NULL;
    unsigned char in[4096];
    int sys_errno;
    bool more = net->open(net->ctx, "", 0, &opts, 0, &conn, &sys_errno) == 0;

    while (more) {
        ssize_t got = recv(sock, in, sizeof(in), 0);
        size_t done = 0;

        more = got > 0 && !net->send(conn, in, (size_t)got, 0, &done) &&
               done == (size_t)got && say(net, conn, sock);
    }
    net->close(conn);
    /* Closing with bytes unread would be a reset. */
    shutdown(sock, SHUT_WR);
    while (recv(sock, in, sizeof(in), 0) > 0)
        ;
}

static _Noreturn void run(struct web *web, int tls, int listener)
{
    const struct port_net *net = tls ? tlsweb_net(web, tls) : &web->port;
    int sock;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while ((sock = accept(listener, NULL, NULL)) >= 0) {
        serve(net, sock);
        close(sock);
    }
    _exit(0);
}

void site_start(struct site *s, const struct web *web, int tls)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    socklen_t len = sizeof(addr);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct web own = *web;

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(listen(listener, 16), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
    s->port = ntohs(addr.sin_port);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        own.port.ctx = &own;
        run(&own, tls, listener);
    }
    close(listener);
}

void site_stop(struct site *s)
{
    if (s->pid <= 0)
        return;
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}
