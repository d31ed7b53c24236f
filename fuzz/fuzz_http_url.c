/* URLs: what parses lies inside the input, and the text made of it parses to
 * the same place. */
#include <stdint.h>
#include <stdlib.h>

#include "http/url.h"

static void must(int ok)
{
    if (!ok)
        abort();
}

static void inside(struct span part, struct span whole)
{
    must(part.len == 0 || (part.ptr >= whole.ptr &&
                           part.ptr + part.len <= whole.ptr + whole.len));
}

static int same(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static void check_text(const struct http_url *u)
{
    struct http_url again;
    size_t need = 0;
    size_t room = 0;

    must(http_url_format(u, NULL, 0, &room) == ESP_ERR_INVALID_SIZE);
    char *text = malloc(room);
    must(text != NULL);
    must(http_url_format(u, text, room, &need) == ESP_OK && need == room);
    must(http_url_parse(span_str(text), &again) == ESP_OK);
    must(http_url_same_origin(u, &again) && again.userinfo.len == 0);
    must(same(again.path, u->path) || span_eq(again.path, "/"));
    must(again.has_query == u->has_query && same(again.query, u->query));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    struct http_url u;

    if (http_url_parse(in, &u) != ESP_OK)
        return 0;
    must(u.host.len > 0 && u.host.len < 256 && u.port > 0);
    must(u.path.len == 0 || u.path.ptr[0] == '/');
    inside(u.userinfo, in);
    inside(u.host, in);
    inside(u.path, in);
    inside(u.query, in);
    must(http_url_same_origin(&u, &u));
    check_text(&u);
    return 0;
}
