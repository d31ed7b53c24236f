#include "walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void put(struct giver *g, const char *what)
{
    size_t len = strlen(g->asked);

    snprintf(g->asked + len, sizeof(g->asked) - len, "%s", what);
}

esp_err_t give_token(void *ctx, bool renew, struct http_buf *out,
                     struct diag *d)
{
    struct giver *g = ctx;
    char text[16];

    (void)d;
    g->cnt += renew || g->cnt == 0;
    put(g, renew ? "new " : "any ");
    snprintf(text, sizeof(text), "t%u", g->cnt);
    return g->err ? g->err : http_buf_add(out, span_str(text));
}

esp_err_t give_url(void *ctx, enum http_url_why why, struct http_buf *out,
                   struct diag *d)
{
    static const char *const names[] = { "start ", "refused ", "resume " };
    struct giver *g = ctx;
    char text[32];

    (void)d;
    put(g, names[why]);
    snprintf(text, sizeof(text), "http://h/s%u", ++g->cnt);
    if (g->err || g->silent)
        return g->err;
    return http_buf_add(out, span_str(text));
}

static esp_err_t do_op(struct http_client *c, const struct op *op,
                       struct diag *d)
{
    if (op->what == REWIND)
        return http_rewind(c, d);
    if (op->what == RESUME)
        return http_resume(c, d);
    if (op->what == SET_URL)
        return http_set_url(c, op->url);
    return http_request(c, d);
}

static void run_op(struct http_client *c, const struct op *op)
{
    char body[64] = "";
    struct diag d = DIAG_NONE;
    esp_err_t err = do_op(c, op, &d);

    if (err != op->err)
        print_message("%s\n", d.text);
    assert_int_equal(err, op->err);
    if (op->says && !strstr(d.text, op->says))
        fail_msg("'%s' is not in '%s'", op->says, d.text);
    if (op->what != REQ || err)
        return;
    assert_int_equal(http_head(c)->status, op->status);
    assert_int_equal(read_all(c, 64, body, NULL), ESP_OK);
}

/* Who gives tokens and URLs in a row. */
struct scene {
    struct bench b;
    struct giver giver;
    struct http_tokens tokens;
    struct http_urls urls;
};

static void scene_init(struct scene *s, const struct row *row)
{
    bench_init(&s->b, row->conns, row->conn_cnt);
    s->giver = (struct giver){ .silent = row->silent };
    s->tokens = (struct http_tokens){ &s->giver, give_token };
    s->urls = (struct http_urls){ &s->giver, give_url };
}

static esp_err_t scene_open(struct scene *s, const struct row *row,
                            struct http_client **c, struct diag *d)
{
    struct http_opts opts = { .follow = true,
                              .proxy = row->proxy,
                              .max_redirects = row->max_redirects,
                              .tls.skip_verify = true,
                              .tokens = row->tokens ? &s->tokens : NULL,
                              .urls = row->urls ? &s->urls : NULL,
                              .username = row->login ? "u" : NULL,
                              .password = row->login ? "p" : NULL,
                              .auth = row->login ? HTTP_AUTH_BASIC
                                                 : HTTP_AUTH_NONE };
    esp_err_t err =
        http_open(c, &s->b.env, &opts, row->url ? row->url : "http://h/f", d);

    if (err || !row->mark)
        return err;
    err = http_set_header(*c, "X-Mine", "m");
    http_mark_secret(*c, row->mark);
    return err;
}

static void run_row(const struct row *row)
{
    struct http_client *c = NULL;
    struct scene s;

    print_message("# %s\n", row->claim);
    scene_init(&s, row);
    assert_int_equal(scene_open(&s, row, &c, NULL), ESP_OK);
    for (size_t i = 0; i < row->op_cnt; i++)
        run_op(c, &row->ops[i]);
    assert_string_equal(bench_sent(&s.b), row->sent);
    assert_string_equal(s.giver.asked, row->asked ? row->asked : "");
    http_close(c);
    bench_check_clean(&s.b);
}

void walk_rows(const struct row *rows, size_t cnt)
{
    for (size_t i = 0; i < cnt; i++)
        run_row(&rows[i]);
}

/* --- memory --------------------------------------------------------------- */

/* What is asked next goes to one host, and names that one. */
static void need_own_host(struct http_client *c, const struct row *row)
{
    const char *host = http_get_header(c, "Host");
    const struct http_url *now = http_url_now(c);

    if (host && (strlen(host) < now->host.len ||
                 memcmp(host + (now->host_is_ipv6 ? 1 : 0), now->host.ptr,
                        now->host.len) != 0))
        fail_msg("%s: it goes to %.*s and says Host: %s", row->claim,
                 (int)now->host.len, (const char *)now->host.ptr, host);
}

/* With memory again: home is there, or it is said that it is lost. */
static void need_way_home(struct http_client *c, const struct row *row)
{
    struct diag d = DIAG_NONE;
    esp_err_t err;

    need_own_host(c, row);
    err = http_rewind(c, &d);
    if (err && d.text[0] == '\0')
        fail_msg("%s: no way home, and no word: 0x%x", row->claim,
                 (unsigned)err);
    need_own_host(c, row);
}

/* The row until the first failure. */
static esp_err_t walk(struct scene *s, const struct row *row,
                      struct http_client **c, struct diag *d)
{
    char body[64] = "";
    esp_err_t err = scene_open(s, row, c, d);

    for (size_t i = 0; i < row->op_cnt && !err; i++) {
        err = do_op(*c, &row->ops[i], d);
        if (!err && row->ops[i].what == REQ)
            err = read_all(*c, 64, body, d);
        if (err == ESP_ERR_NO_MEM && row->ops[i].what != SET_URL)
            assert_true(d->text[0] != '\0');
    }
    return err;
}

/* false: there are no n allocations. */
static bool fail_nth(const struct row *row, uint32_t n)
{
    struct http_client *c = NULL;
    struct diag d = DIAG_NONE;
    struct scene s;
    bool fired;

    scene_init(&s, row);
    s.b.heap.fail_at = n;
    esp_err_t err = walk(&s, row, &c, &d);
    fired = s.b.heap.alloc_cnt >= n;
    if (fired && err != ESP_ERR_NO_MEM)
        fail_msg("%s: allocation %u: 0x%x %s", row->claim, (unsigned)n,
                 (unsigned)err, d.text);
    if (strncmp(row->sent, bench_sent(&s.b), s.b.net.sent_len) != 0)
        fail_msg("%s: allocation %u: sent %s", row->claim, (unsigned)n,
                 bench_sent(&s.b));
    if (c && fired)
        need_way_home(c, row);
    http_close(c);
    bench_check_clean(&s.b);
    return fired;
}

void walk_without_memory(const struct row *rows, size_t cnt)
{
    unsigned total = 0;

    for (size_t i = 0; i < cnt; i++) {
        uint32_t n = 1;
        while (fail_nth(&rows[i], n))
            n++;
        assert_true(n > 4);
        total += n - 1;
    }
    print_message("# %u allocations, each failed once\n", total);
}
