#include "http/fields.h"

#include "crypto/ct.h"
#include "http/text.h"

/* A field whose name has one of these in it must not follow a request to
 * another origin: Authorization and Cookie, and what services call their
 * tokens (PRIVATE-TOKEN, X-Api-Key, X-Amz-Security-Token...). One kept back
 * too many costs a request; one too few, a secret. */
static const char *const fields_secret[] = {
    "auth",   "token",   "cookie",     "key",
    "secret", "session", "credential", "password",
};

/* The link that leads to the field, or the last one. */
static struct http_field **find(struct http_field **link, struct span name)
{
    while (*link && !http_same_name(http_field_name(*link), name))
        link = &(*link)->next;
    return link;
}

static void unlink_field(struct http_fields *fs, struct http_field **link)
{
    struct http_field *f = *link;

    *link = f->next;
    ct_wipe(f->text, f->name_len + f->value_len + 2);
    fs->heap->free(fs->heap->ctx, f);
}

static struct http_field *make(const struct port_heap *heap, struct span name,
                               struct span value)
{
    struct http_field *f =
        heap->alloc(heap->ctx, sizeof(*f) + name.len + value.len + 2);

    if (!f)
        return NULL;
    f->name_len = name.len;
    f->value_len = value.len;
    memcpy(f->text, name.ptr, name.len);
    if (value.len > 0)
        memcpy(f->text + name.len + 1, value.ptr, value.len);
    return f; /* the terminators: memory comes zeroed */
}

esp_err_t http_fields_set(struct http_fields *fs, struct span name,
                          struct span value)
{
    struct http_field **link = find(&fs->first, name);

    if (!http_is_token(name) || !http_is_value(value))
        return ESP_ERR_INVALID_ARG;
    struct http_field *f = make(fs->heap, name, value);
    if (!f)
        return ESP_ERR_NO_MEM;
    if (*link) {
        f->next = (*link)->next;
        (*link)->next = f;
        unlink_field(fs, link);
    } else {
        *link = f;
    }
    return ESP_OK;
}

const struct http_field *http_fields_get(const struct http_fields *fs,
                                         struct span name)
{
    struct http_field *first = fs->first;
    const struct http_field *f = *find(&first, name);

    return f && !f->held ? f : NULL;
}

void http_fields_mark_secret(struct http_fields *fs, struct span name)
{
    struct http_field *f = *find(&fs->first, name);

    if (f)
        f->secret = true;
}

bool http_fields_remove(struct http_fields *fs, struct span name)
{
    struct http_field **link = find(&fs->first, name);

    if (!*link)
        return false;
    bool shown = !(*link)->held;
    unlink_field(fs, link);
    return shown;
}

void http_fields_clear(struct http_fields *fs)
{
    while (fs->first)
        unlink_field(fs, &fs->first);
}

static bool contains(struct span text, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= text.len; i++) {
        if (http_name_is(span_of(text.ptr + i, len), word))
            return true;
    }
    return false;
}

static bool is_secret(const struct http_field *f)
{
    if (f->secret || f->held)
        return true;
    for (size_t i = 0; i < sizeof(fields_secret) / sizeof(char *); i++) {
        if (contains(http_field_name(f), fields_secret[i]))
            return true;
    }
    return false;
}

void http_fields_drop_secrets(struct http_fields *fs)
{
    struct http_field **link = &fs->first;

    while (*link) {
        if (is_secret(*link))
            unlink_field(fs, link);
        else
            link = &(*link)->next;
    }
}

void http_fields_hold_secrets(struct http_fields *fs)
{
    for (struct http_field *f = fs->first; f; f = f->next)
        f->held = is_secret(f); /* what is held stays so */
}

void http_fields_release(struct http_fields *fs)
{
    for (struct http_field *f = fs->first; f; f = f->next)
        f->held = false;
}

void http_fields_drop_held(struct http_fields *fs)
{
    struct http_field **link = &fs->first;

    while (*link) {
        if ((*link)->held)
            unlink_field(fs, link);
        else
            link = &(*link)->next;
    }
}

/* Word by word, but not the "Bearer" in front. */
static bool is_value_told(struct span value, struct span text)
{
    for (bool first = true; value.len > 0; first = false) {
        struct span word = http_cut(value, ' ', &value);
        bool scheme =
            first && value.len > 0 && !memchr(word.ptr, '=', word.len);
        if (word.len > 0 && word.ptr[word.len - 1] == ';')
            word.len--;
        if (!scheme && http_is_told(text, word))
            return true;
    }
    return false;
}

bool http_fields_told(const struct http_fields *fs, struct span text)
{
    for (const struct http_field *f = fs->first; f; f = f->next) {
        if (is_secret(f) && is_value_told(http_field_value(f), text))
            return true;
    }
    return false;
}
