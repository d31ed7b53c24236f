/* known.c - ask whether there is anything new before asking for all of it.
 *
 * The validators of a download are kept with a fingerprint of the image that
 * came with them, and sent only while exactly this image runs: after a
 * rollback, or when another tool wrote the slot, the server must not answer
 * "not modified" about an image that is not there. */
#include "update/known.h"

#include <inttypes.h>
#include <stdio.h>

#include "http/text.h"
#include "update/hex.h"
#include "update/priv.h"

#define KNOWN_FIELDS 7u
#define KNOWN_TAIL_LEN 32u /* an image ends with its digest */

/* --- as text -------------------------------------------------------------- */

static bool is_clean(const char *text)
{
    return strpbrk(text, "\t\r\n") == NULL;
}

bool upd_known_format(const struct upd_known *k, char out[UPD_KNOWN_TEXT_LEN])
{
    char url[2 * SHA256_LEN + 1], print[2 * SHA256_LEN + 1];

    _Static_assert(sizeof("1\t\t\t4294967295\t\t\t") + 4 * SHA256_LEN +
                           sizeof(k->slot) + sizeof(k->etag) +
                           sizeof(k->last_modified) <=
                       UPD_KNOWN_TEXT_LEN,
                   "the longest fits");
    upd_hex_put(k->url, SHA256_LEN, url);
    upd_hex_put(k->print, SHA256_LEN, print);
    (void)snprintf(out, UPD_KNOWN_TEXT_LEN,
                   "1\t%s\t%s\t%" PRIu32 "\t%s\t%s\t%s", url, k->slot,
                   k->image_len, print, k->etag, k->last_modified);
    return is_clean(k->slot) && is_clean(k->etag) && is_clean(k->last_modified);
}

static bool parse_hex(struct span s, uint8_t out[SHA256_LEN])
{
    return s.len == 2 * SHA256_LEN && upd_hex_get(s, out);
}

static bool parse_len(struct span s, uint32_t *out)
{
    http_len value = 0;
    esp_err_t err = http_digits(s, &value);

    *out = (uint32_t)value;
    return !err && *out == value;
}

esp_err_t upd_known_parse(struct span text, struct upd_known *out)
{
    struct span field[KNOWN_FIELDS] = { { 0 } };
    size_t cnt = 0, start = 0;

    *out = (struct upd_known){ .image_len = 0 };
    if (!http_is_value(text))
        return ESP_ERR_INVALID_RESPONSE;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != '\t')
            continue;
        if (cnt == KNOWN_FIELDS)
            return ESP_ERR_INVALID_RESPONSE;
        field[cnt++] = span_of(text.ptr + start, i - start);
        start = i + 1;
    }
    if (cnt == KNOWN_FIELDS && span_eq(field[0], "1") &&
        parse_hex(field[1], out->url) &&
        http_copy(field[2], out->slot, sizeof(out->slot)) &&
        parse_len(field[3], &out->image_len) &&
        parse_hex(field[4], out->print) &&
        http_copy(field[5], out->etag, sizeof(out->etag)) &&
        http_copy(field[6], out->last_modified, sizeof(out->last_modified)))
        return ESP_OK;
    *out = (struct upd_known){ .image_len = 0 };
    return ESP_ERR_INVALID_RESPONSE;
}

/* --- of this session ------------------------------------------------------ */

/* Header and description, which hold the ELF file's digest, and the end, which
 * is the image's own. */
static bool fingerprint(const struct upd *u, const struct part_entry *part,
                        uint32_t image_len, uint8_t out[SHA256_LEN])
{
    const struct part_dev *parts = u->env.device->parts;
    uint8_t head[IMG_HEAD_LEN], tail[KNOWN_TAIL_LEN];
    struct sha256 h;

    if (image_len < sizeof(head) || image_len > part->len ||
        part_read(parts, part, 0, head, sizeof(head)) ||
        part_read(parts, part, image_len - KNOWN_TAIL_LEN, tail, sizeof(tail)))
        return false;
    sha256_init(&h);
    sha256_update(&h, head, sizeof(head));
    sha256_update(&h, tail, sizeof(tail));
    sha256_final(&h, out);
    return true;
}

static void hash_url(const struct upd *u, uint8_t out[SHA256_LEN])
{
    const char *url = http_home_url(u->fetch.client);
    struct sha256 h;

    sha256_init(&h);
    sha256_update(&h, url, strlen(url));
    sha256_final(&h, out);
}

static bool still_runs(const struct upd *u, const struct upd_known *k)
{
    const struct upd_device *dev = u->env.device;
    const struct part_entry *part =
        part_find_label(&dev->parts->table, k->slot);
    uint8_t print[SHA256_LEN];

    return part && part->off == dev->running_off &&
           fingerprint(u, part, k->image_len, print) &&
           memcmp(print, k->print, sizeof(print)) == 0;
}

static bool load(const struct upd *u, struct upd_known *k)
{
    const struct upd_store *store = upd_store(u);
    char text[UPD_KNOWN_TEXT_LEN];

    if (!store ||
        store->load(store->ctx, UPD_STORE_KNOWN, text, sizeof(text)) != ESP_OK)
        return false;
    if (upd_known_parse(span_str(text), k) == ESP_OK && still_runs(u, k))
        return true;
    (void)store->clear(store->ctx, UPD_STORE_KNOWN);
    return false;
}

/* Who sets conditions of his own gets no others. */
esp_err_t upd_known_ask(struct upd *u)
{
    struct http_client *c = u->fetch.client;
    uint8_t url[SHA256_LEN];
    struct upd_known k;
    esp_err_t err = ESP_OK;

    if (!upd_store(u) || u->opts.unconditional ||
        http_get_header(c, "If-None-Match") ||
        http_get_header(c, "If-Modified-Since") || !load(u, &k))
        return ESP_OK;
    hash_url(u, url);
    if (memcmp(url, k.url, sizeof(url)) != 0)
        return ESP_OK;
    u->asked_known = true;
    if (k.etag[0])
        err = http_set_header(c, "If-None-Match", k.etag);
    if (!err && k.last_modified[0])
        err = http_set_header(c, "If-Modified-Since", k.last_modified);
    return err ? upd_fail(u, DIAG_STAGE_HTTP, err, "the request cannot be made")
               : ESP_OK;
}

/* Later requests of the session are for parts of the file that was begun. */
void upd_known_asked(struct upd *u)
{
    static const char *const names[] = { "If-None-Match", "If-Modified-Since" };

    for (size_t i = 0; upd_store(u) && u->asked_known && i < 2; i++) {
        /* One of them may not have been there. */
        esp_err_t err = http_set_header(u->fetch.client, names[i], NULL);
        (void)err;
    }
}

/* An update is none the worse when nothing can be kept. */
void upd_known_keep(struct upd *u)
{
    const struct upd_store *store = upd_store(u);
    const struct http_head *head = http_head(u->fetch.client);
    struct upd_known k = { .image_len = u->result->written_len };
    char text[UPD_KNOWN_TEXT_LEN];

    if (!store)
        return;
    memcpy(k.slot, u->target.boot.label, sizeof(k.slot));
    memcpy(k.etag, head->etag, sizeof(k.etag));
    memcpy(k.last_modified, head->last_modified, sizeof(k.last_modified));
    hash_url(u, k.url);
    bool keep = (k.etag[0] || k.last_modified[0]) &&
                fingerprint(u, &u->target.boot, k.image_len, k.print) &&
                upd_known_format(&k, text);
    if (!keep || store->save(store->ctx, UPD_STORE_KNOWN, text) != ESP_OK)
        (void)store->clear(store->ctx, UPD_STORE_KNOWN);
}
