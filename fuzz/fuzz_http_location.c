/* Locations, and what is done about them. Input: a base URL, a line feed, a
 * Location. What is resolved is an http URL in the room that was told, and
 * resolves to itself. */
#include <stdint.h>
#include <stdlib.h>

#include "http/redirect.h"
#include "http/url.h"

static void must(int ok)
{
    if (!ok)
        abort();
}

static char *resolve(const struct http_url *base, struct span location)
{
    size_t need = 0;
    char small[1];
    esp_err_t err = http_url_resolve(base, location, small, 0, &need);

    if (err == ESP_ERR_INVALID_ARG)
        return NULL;
    must(err == ESP_ERR_INVALID_SIZE);
    char *out = malloc(need);
    size_t used = 0;
    must(out != NULL);
    must(http_url_resolve(base, location, out, need, &used) == ESP_OK);
    must(used <= need && strlen(out) + 1 == used);
    return out;
}

static void check_decision(const struct http_url *from,
                           const struct http_url *to)
{
    struct http_redirect_in in = { .from = from, .to = to, .max_cnt = 1 };
    struct http_redirect r = http_redirect_decide(&in);

    must(!(from->is_https && !to->is_https && r.err == ESP_OK));
    must(r.err != ESP_OK || r.new_origin == !http_url_same_origin(from, to));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = size ? memchr(data, '\n', size) : NULL;
    struct http_url base, to;

    if (!cut || http_url_parse(span_of(data, (size_t)(cut - data)), &base))
        return 0;
    struct span location = span_of(cut + 1, size - (size_t)(cut - data) - 1);
    char *once = resolve(&base, location);
    if (!once)
        return 0;
    must(http_url_parse(span_str(once), &to) == ESP_OK);
    must(to.path.len > 0);
    check_decision(&base, &to);
    char *twice = resolve(&base, span_str(once));
    must(twice != NULL && strcmp(once, twice) == 0);
    free(once);
    free(twice);
    return 0;
}
