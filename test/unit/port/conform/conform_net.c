/* What every port of the network has to do: connect, send, receive, give up in
 * time. */
#include <string.h>

#include "conform.h"

#define SOON_MS 3000u
#define WAIT_MS 60u
#define SLACK_MS 2000u

static void claim(struct conform *c, const char *text, int ok)
{
    if (ok)
        c->passed++;
    else
        c->failed++;
    c->say(c->ctx, text, ok);
}

static uint64_t in(const struct conform *c, uint32_t ms)
{
    return c->sys->mono_ms(c->sys->ctx) + ms;
}

static struct port_conn *open_echo(struct conform *c, struct port_limit *limit)
{
    const struct port_net_opts opts = { .limit = limit };
    struct port_conn *conn = NULL;
    int why = 0;
    esp_err_t err = c->net->open(c->net->ctx, c->echo_host, c->echo_port, &opts,
                                 in(c, SOON_MS), &conn, &why);
    claim(c, "net: a peer that listens is reached", !err && conn);
    return err ? NULL : conn;
}

static void closed_port(struct conform *c)
{
    struct port_conn *conn = (struct port_conn *)(uintptr_t)1;
    int why = 0;
    esp_err_t err = c->net->open(c->net->ctx, c->echo_host, c->closed_port,
                                 NULL, in(c, SOON_MS), &conn, &why);
    claim(c, "net: a refusal is that error",
          err == ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST && why != 0);
    claim(c, "net: and leaves no connection", conn == NULL);
}

/* More than any buffer on the way holds at once. */
static void echoes(struct conform *c, struct port_conn *conn)
{
    uint8_t out[997], back[997];
    int same = 1;
    for (unsigned i = 0; i < sizeof(out); i++)
        out[i] = (uint8_t)(i % 251); /* never 0xff */
    for (unsigned round = 0; round < 20 && same; round++) {
        size_t sent = 0, got = 0, n;
        while (sent < sizeof(out) &&
               !c->net->send(conn, out + sent, sizeof(out) - sent,
                             in(c, SOON_MS), &n) &&
               n > 0)
            sent += n;
        while (got < sizeof(back) &&
               !c->net->recv(conn, back + got, sizeof(back) - got,
                             in(c, SOON_MS), &n) &&
               n > 0)
            got += n;
        same = sent == sizeof(out) && got == sizeof(back) &&
               memcmp(out, back, sizeof(out)) == 0;
    }
    claim(c, "net: bytes go there and come back, in order", same);
}

static void deadlines(struct conform *c, struct port_conn *conn)
{
    uint8_t byte;
    size_t n = 7;
    uint64_t began = c->sys->mono_ms(c->sys->ctx);
    esp_err_t err = c->net->recv(conn, &byte, 1, 0, &n);
    uint64_t took = c->sys->mono_ms(c->sys->ctx) - began;
    claim(c, "net: a deadline of 0 does not wait",
          err == ESP_ERR_TIMEOUT && n == 0 && took < SLACK_MS);
    began = c->sys->mono_ms(c->sys->ctx);
    err = c->net->recv(conn, &byte, 1, in(c, WAIT_MS), &n);
    took = c->sys->mono_ms(c->sys->ctx) - began;
    claim(c, "net: a deadline is waited for, and not much longer",
          err == ESP_ERR_TIMEOUT && took + 5 >= WAIT_MS &&
              took < WAIT_MS + SLACK_MS);
}

static void stops(struct conform *c, struct port_conn *conn,
                  struct port_limit *limit)
{
    uint8_t byte;
    size_t n = 0;
    port_limit_stop(limit);
    claim(c, "net: a wish to stop ends the next call",
          c->net->recv(conn, &byte, 1, in(c, SOON_MS), &n) ==
              ESP_ERR_NOT_FINISHED);
}

static void ends(struct conform *c)
{
    static const uint8_t last = 0xff;
    struct port_conn *conn = open_echo(c, NULL);
    uint8_t byte;
    size_t n = 7;
    if (!conn)
        return;
    esp_err_t err = c->net->send(conn, &last, 1, in(c, SOON_MS), &n);
    if (!err)
        err = c->net->recv(conn, &byte, 1, in(c, SOON_MS), &n);
    claim(c, "net: the peer's end is no error and no byte", !err && n == 0);
    c->net->close(conn);
}

void conform_net(struct conform *c)
{
    struct port_limit limit = { .deadline_ms = 0 };
    c->net->close(NULL);
    closed_port(c);
    struct port_conn *conn = open_echo(c, &limit);
    if (!conn)
        return;
    echoes(c, conn);
    deadlines(c, conn);
    stops(c, conn, &limit);
    c->net->close(conn);
    ends(c);
}
