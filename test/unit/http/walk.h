/* walk.h - a client's way over the wire: rows that are all that is asked of it,
 * and all that went out, in order. */
#ifndef TEST_HTTP_WALK_H
#define TEST_HTTP_WALK_H

#include "fixture.h"

#define ANSWER(status, fields) \
    "HTTP/1.1 " status " X\r\nContent-Length: 0\r\n" fields "\r\n"
#define OK ANSWER("200", "")
#define TO(where) ANSWER("302", "Location: " where "\r\n")
#define GET_(target, host, fields)                                \
    "GET " target " HTTP/1.1\r\nUser-Agent: porta\r\nHost: " host \
    "\r\n" fields "\r\n"
#define BEARER(token) "Authorization: Bearer " token "\r\n"
#define GO_ON "HTTP/1.1 100 Go\r\n\r\n"
#define GO_ON_4 GO_ON GO_ON GO_ON GO_ON

enum what { REQ, REWIND, RESUME, SET_URL };
struct op {
    enum what what;
    const char *url; /* of SET_URL */
    int status;
    esp_err_t err;
    const char *says;
};
#define ASK(s)                  \
    {                           \
        REQ, NULL, s, ESP_OK, 0 \
    }
#define ASK_FAILS(e, text)    \
    {                         \
        REQ, NULL, 0, e, text \
    }
#define BACK                       \
    {                              \
        REWIND, NULL, 0, ESP_OK, 0 \
    }
#define AGAIN                      \
    {                              \
        RESUME, NULL, 0, ESP_OK, 0 \
    }
#define GO(url)                    \
    {                              \
        SET_URL, url, 0, ESP_OK, 0 \
    }

#define OPS_MAX 5
struct row {
    const char *claim;
    const char *url; /* NULL: http://h/f */
    const char *proxy;
    bool tokens, urls, login;
    bool silent; /* the provider of URLs gives none */
    uint32_t max_redirects;
    const char *mark; /* header "X-Mine: m", and this one is a secret */
    struct sim_net_script conns[CONNS_MAX];
    size_t conn_cnt;
    struct op ops[OPS_MAX];
    size_t op_cnt;
    const char *sent;
    const char *asked; /* of tokens and urls */
};
#define CONNS(...)                                                       \
    .conns = { __VA_ARGS__ },                                            \
    .conn_cnt = sizeof((const struct sim_net_script[]){ __VA_ARGS__ }) / \
                sizeof(struct sim_net_script)
#define OPS(...)            \
    .ops = { __VA_ARGS__ }, \
    .op_cnt = sizeof((const struct op[]){ __VA_ARGS__ }) / sizeof(struct op)

/* Says what it was asked; the token and the URL count the calls. */
struct giver {
    char asked[64];
    unsigned cnt;
    esp_err_t err;
    bool silent;
};
esp_err_t give_token(void *ctx, bool renew, struct http_buf *out,
                     struct diag *d);
esp_err_t give_url(void *ctx, enum http_url_why why, struct http_buf *out,
                   struct diag *d);

void walk_rows(const struct row *rows, size_t cnt);
/* The same rows, once for each allocation, which fails: that is what is said,
 * nothing goes out that else would not, and there is no trace of it later. */
void walk_without_memory(const struct row *rows, size_t cnt);

#endif
