#include "store_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "crypto/ct.h"

#define STORE_MAX_LEN (256u * 1024u)
#define STORE_HEAD \
    "# What porta update keeps for the flash file; safe to delete.\n"

static void wipe_free(char *text)
{
    if (text)
        ct_wipe(text, strlen(text));
    free(text);
}

void store_file_close(struct store_file *s)
{
    for (int i = 0; i < s->cnt; i++) {
        wipe_free(s->item[i].key);
        wipe_free(s->item[i].value);
    }
    free(s->path);
    *s = (struct store_file)STORE_FILE_CLOSED;
}

static bool plain(char c)
{
    return (unsigned char)c > 0x20 && c != 0x7f && c != '%';
}

/* Bytes that would end a line or a word stand as %XX. */
static char *encode(const char *text)
{
    char *out = malloc(3 * strlen(text) + 1);
    char *to = out;

    for (; out && *text; text++) {
        if (plain(*text))
            *to++ = *text;
        else
            to += snprintf(to, 4, "%%%02X", (unsigned char)*text);
    }
    if (out)
        *to = '\0';
    return out;
}

/* In place; false: broken. */
static bool decode(char *text)
{
    char *to = text;
    char hex[3] = "";

    for (char *p = text; *p; p++, to++) {
        *to = *p;
        if (*p != '%')
            continue;
        if (strspn(p + 1, "0123456789ABCDEF") < 2)
            return false;
        memcpy(hex, p + 1, 2);
        *to = (char)strtoul(hex, NULL, 16);
        p += 2;
        if (*to == '\0')
            return false;
    }
    *to = '\0';
    return true;
}

static int find(const struct store_file *s, const char *key)
{
    int at = 0;

    while (at < s->cnt && strcmp(s->item[at].key, key) != 0)
        at++;
    return at;
}

static void remove_at(struct store_file *s, int at)
{
    wipe_free(s->item[at].key);
    wipe_free(s->item[at].value);
    s->cnt--;
    memmove(&s->item[at], &s->item[at + 1],
            (size_t)(s->cnt - at) * sizeof(s->item[0]));
}

/* The oldest of the kind that key is of; s->cnt: there is none. */
static int oldest_alike(const struct store_file *s, const char *key)
{
    const char *dot = strrchr(key, '.');
    size_t len = dot ? (size_t)(dot - key) + 1 : 0;
    int at = 0;

    while (at < s->cnt && (len == 0 || strncmp(s->item[at].key, key, len) != 0))
        at++;
    return at;
}

static bool put(struct store_file *s, const char *key, const char *value)
{
    char *k = strdup(key), *v = strdup(value);
    int at = find(s, key);

    if (at == STORE_FILE_ITEMS)
        at = oldest_alike(s, key);
    if (!k || !v || at == STORE_FILE_ITEMS) {
        free(k);
        wipe_free(v);
        return false;
    }
    if (at < s->cnt)
        remove_at(s, at);
    s->item[s->cnt].key = k;
    s->item[s->cnt++].value = v;
    return true;
}

static void take_line(struct store_file *s, char *line)
{
    char *value = strchr(line, '=');

    if (line[0] == '#' || !value || value == line)
        return;
    *value++ = '\0';
    if (decode(value))
        (void)put(s, line, value);
}

esp_err_t store_file_open(struct store_file *s, const char *flash_path,
                          struct diag *d)
{
    struct cli_bytes text = CLI_BYTES_NONE;
    size_t len = strlen(flash_path) + sizeof(".porta");
    char *save = NULL;

    *s = (struct store_file)STORE_FILE_CLOSED;
    s->path = malloc(len);
    if (!s->path)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
    snprintf(s->path, len, "%s.porta", flash_path);
    if (access(s->path, F_OK) != 0 && errno == ENOENT)
        return ESP_OK;
    if (cli_read_file(s->path, STORE_MAX_LEN, &text, &s->why) != ESP_OK)
        return ESP_OK;
    for (char *line = strtok_r((char *)text.ptr, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save))
        take_line(s, line);
    cli_bytes_free(&text);
    return ESP_OK;
}

esp_err_t store_file_check(const struct store_file *s, struct diag *d)
{
    return s->why.err
               ? diag_fail(d, DIAG_STAGE_FILE, s->why.err, "%s", s->why.text)
               : ESP_OK;
}

const char *store_file_get(const struct store_file *s, const char *key)
{
    int at = find(s, key);

    return at < s->cnt ? s->item[at].value : NULL;
}

/* The whole file; NULL: no memory. */
static char *render(const struct store_file *s)
{
    size_t len = sizeof(STORE_HEAD);
    char *out = NULL;
    char *to;

    for (int i = 0; i < s->cnt; i++)
        len += strlen(s->item[i].key) + 3 * strlen(s->item[i].value) + 2;
    out = malloc(len);
    if (!out)
        return NULL;
    to = stpcpy(out, STORE_HEAD);
    for (int i = 0; i < s->cnt; i++) {
        char *value = encode(s->item[i].value);
        if (!value) {
            wipe_free(out);
            return NULL;
        }
        to = stpcpy(stpcpy(to, s->item[i].key), "=");
        to = stpcpy(stpcpy(to, value), "\n");
        wipe_free(value);
    }
    return out;
}

esp_err_t store_file_set(struct store_file *s, const char *key,
                         const char *value, struct diag *d)
{
    int at = find(s, key);
    char *text = NULL;
    esp_err_t err = store_file_check(s, d);

    if (err || (!value && at == s->cnt))
        return err;
    if (!value)
        remove_at(s, at);
    else if (!put(s, key, value))
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM,
                         "there is no room for %s in %s", key,
                         text_name(s->path).text);
    if (s->cnt == 0) {
        (void)unlink(s->path);
        return ESP_OK;
    }
    text = render(s);
    if (!text)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
    err = cli_write_file(s->path, span_str(text), 0600, d);
    wipe_free(text);
    return err;
}

/* --- of a session -------------------------------------------------------- */

static esp_err_t keep_load(void *ctx, const char *key, char *out,
                           size_t out_len)
{
    const char *value = store_file_get(ctx, key);

    if (!value)
        return ESP_ERR_NOT_FOUND;
    return (size_t)snprintf(out, out_len, "%s", value) < out_len
               ? ESP_OK
               : ESP_ERR_INVALID_SIZE;
}

static esp_err_t keep_save(void *ctx, const char *key, const char *text)
{
    return store_file_set(ctx, key, text, NULL);
}

static esp_err_t keep_clear(void *ctx, const char *key)
{
    return store_file_set(ctx, key, NULL, NULL);
}

struct upd_store store_file_keep(struct store_file *s)
{
    return (struct upd_store){ s, keep_load, keep_save, keep_clear };
}
