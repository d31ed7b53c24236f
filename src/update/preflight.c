#include "update/preflight.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* --- versions ------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Numbers of any length: leading zeros away, then the longer, then the first
 * digit that differs. */
static int number_order(const char **a, const char **b)
{
    size_t a_len, b_len;
    int order;

    while (**a == '0')
        ++*a;
    while (**b == '0')
        ++*b;
    for (a_len = 0; is_digit((*a)[a_len]);)
        a_len++;
    for (b_len = 0; is_digit((*b)[b_len]);)
        b_len++;
    order = a_len != b_len ? (a_len > b_len ? 1 : -1) : memcmp(*a, *b, a_len);
    *a += a_len;
    *b += b_len;
    return order;
}

static bool goes_on(const char *s)
{
    return s[0] == '.' && is_digit(s[1]);
}

/* 1.2 is 1.2.0: where no number stands there is a 0. Moves both behind the
 * numbers, unless these differ. */
static int numbers_order(const char **a, const char **b)
{
    for (;;) {
        int order = number_order(a, b);
        bool a_more = goes_on(*a), b_more = goes_on(*b);

        if (order || (!a_more && !b_more))
            return order;
        *a += a_more;
        *b += b_more;
    }
}

/* What is behind the numbers. */
enum tail { TAIL_EARLY, TAIL_NONE, TAIL_COMMITS, TAIL_OTHER };

static enum tail tail_of(const char *s)
{
    const char *p = s + 1;

    if (s[0] == '\0' || s[0] == '+')
        return TAIL_NONE;
    if (s[0] != '-')
        return TAIL_OTHER;
    if (!is_digit(*p))
        return strncmp(p, "dirty", 5) == 0 ? TAIL_OTHER : TAIL_EARLY;
    while (is_digit(*p))
        p++;
    return strncmp(p, "-g", 2) == 0 ? TAIL_COMMITS : TAIL_OTHER;
}

/* "rc2" or "rc.2" after "rc1": the same word, another number. */
static int early_order(const char *a, const char *b, bool *known)
{
    while (*a && *a == *b && !is_digit(*a)) {
        a++;
        b++;
    }
    *known = is_digit(*a) && is_digit(*b);
    if (!*known)
        return 0;
    int order = number_order(&a, &b);
    *known = *a == '\0' && *b == '\0';
    return order;
}

static enum pre_order order_of(int order)
{
    return order == 0  ? PRE_ORDER_SAME
           : order < 0 ? PRE_ORDER_OLDER
                       : PRE_ORDER_NEWER;
}

static enum pre_order tails_order(const char *a, const char *b)
{
    enum tail x = tail_of(a), y = tail_of(b);
    bool known = true;
    int order = 0;

    if (x == TAIL_OTHER || y == TAIL_OTHER)
        return PRE_ORDER_UNKNOWN;
    if (x != y)
        return order_of((int)x - (int)y);
    if (x == TAIL_NONE)
        return PRE_ORDER_SAME;
    if (x == TAIL_EARLY) {
        order = early_order(a, b, &known);
    } else {
        a++;
        b++;
        order = number_order(&a, &b);
        known = order != 0; /* as many commits, and not the same ones */
    }
    return known ? order_of(order) : PRE_ORDER_UNKNOWN;
}

enum pre_order pre_version_order(const char *a, const char *than)
{
    int order;

    if (strcmp(a, than) == 0)
        return PRE_ORDER_SAME;
    a += *a == 'v' || *a == 'V';
    than += *than == 'v' || *than == 'V';
    if (!is_digit(*a) || !is_digit(*than))
        return PRE_ORDER_UNKNOWN;
    order = numbers_order(&a, &than);
    return order ? order_of(order) : tails_order(a, than);
}

/* --- the rows ------------------------------------------------------------- */

static enum pre_why say(struct pre_answer *out, enum pre_why why, uint64_t got,
                        uint32_t want)
{
    out->got = got < UINT32_MAX ? (uint32_t)got : UINT32_MAX;
    out->want = want;
    return why;
}

/* A whole signature ends where a sector does, or 68 bytes behind an image,
 * whose length is a multiple of 16. */
static bool may_be_signed(const struct pre_facts *f)
{
    if (f->keys->scheme == IMG_SCHEME_V1)
        return f->file_len % 16 == IMG_SIG_V1_LEN % 16;
    return f->file_len % IMG_SIG_SECTOR_LEN == 0;
}

static enum pre_why judge_file(const struct pre_facts *f,
                               struct pre_answer *out)
{
    if (f->file_len == PRE_LEN_UNKNOWN)
        return PRE_OK;
    if (f->keys && !may_be_signed(f))
        return say(out, PRE_NOT_SIGNED, f->file_len, 0);
    if (f->file_len < f->least_len)
        return say(out, PRE_FILE_SHORT, f->file_len, f->least_len);
    return PRE_OK;
}

static enum pre_why judge_device(const struct pre_facts *f,
                                 struct pre_answer *out)
{
    const struct img_desc *r = f->running;

    if (f->heap_free < f->policy->least_heap)
        return say(out, PRE_HEAP, f->heap_free, f->policy->least_heap);
    if (f->policy->same_spi_mode && r && r->spi_mode && f->desc->spi_mode &&
        r->spi_mode != f->desc->spi_mode)
        return say(out, PRE_SPI_MODE, f->desc->spi_mode, r->spi_mode);
    return PRE_OK;
}

/* With nothing to compare with, or to compare, only what is asked for fails. */
static enum pre_why judge_version(const struct pre_facts *f)
{
    const struct pre_policy *p = f->policy;
    const struct img_desc *r = f->running;
    enum pre_order order;
    bool same_project;

    if (!r || !r->present)
        return PRE_OK;
    same_project =
        f->desc->present && strcmp(f->desc->project, r->project) == 0;
    if (p->same_project && !same_project)
        return PRE_PROJECT;
    if (!same_project)
        return PRE_OK; /* another program's versions say nothing */
    order = pre_version_order(f->desc->version, r->version);
    if (p->no_same_version && order == PRE_ORDER_SAME &&
        strcmp(f->desc->version, r->version) == 0)
        return PRE_SAME_VERSION;
    if (p->no_older && order == PRE_ORDER_OLDER)
        return PRE_OLDER;
    if (p->no_older && order == PRE_ORDER_UNKNOWN)
        return PRE_UNORDERED;
    return PRE_OK;
}

/* Keys that the device and its next program both trust. */
static uint32_t common_keys(const struct img_cap *cap,
                            const struct img_keys *keys)
{
    uint32_t cnt = 0;

    for (uint32_t i = 0; i < keys->cnt; i++)
        for (uint32_t k = 0; k < cap->cnt; k++)
            if (keys->key[i].trust == VERDICT_ACCEPT &&
                memcmp(keys->key[i].id, cap->key_id[k], SHA256_LEN) == 0) {
                cnt++;
                break;
            }
    return cnt;
}

/* Both ask for signatures: enough keys have to please both. */
static enum pre_why judge_keys(const struct pre_facts *f,
                               struct pre_answer *out)
{
    const struct img_cap *cap = f->cap;
    uint32_t need, common;

    if (!f->keys || cap->cnt == 0)
        return PRE_OK;
    if (cap->scheme != f->keys->scheme)
        return say(out, PRE_OTHER_SCHEME, cap->scheme,
                   (uint32_t)f->keys->scheme);
    need = cap->need > f->keys->need ? cap->need : f->keys->need;
    common = common_keys(cap, f->keys);
    return common < need ? say(out, PRE_KEYS_APART, common, need) : PRE_OK;
}

static enum pre_why judge_record(const struct pre_facts *f,
                                 struct pre_answer *out)
{
    const struct img_cap *cap = f->cap;

    if (cap->state == IMG_CAP_DAMAGED)
        return PRE_CAP_DAMAGED;
    if (!cap->client)
        return PRE_NO_CLIENT;
    if (cap->has_table && f->table_sha &&
        memcmp(cap->table_sha, f->table_sha, SHA256_LEN) != 0)
        return PRE_OTHER_TABLE;
    return judge_keys(f, out);
}

/* The override is part of what was signed: it counts where the device will
 * not install the image unless somebody it trusts signed it. */
static enum pre_why judge_updatable(const struct pre_facts *f,
                                    struct pre_answer *out)
{
    enum pre_why why;

    if (f->cap->state == IMG_CAP_ABSENT)
        return f->policy->require_updatable ? PRE_CAP_ABSENT : PRE_OK;
    why = judge_record(f, out);
    out->updatable = why == PRE_OK ? PRE_UPD_YES : PRE_UPD_NO;
    if (why != PRE_CAP_DAMAGED && f->cap->override && f->keys)
        return PRE_OK;
    return why;
}

static esp_err_t error_of(enum pre_why why)
{
    switch (why) {
    case PRE_OK:
        return ESP_OK;
    case PRE_HEAP:
        return ESP_ERR_NO_MEM;
    case PRE_SPI_MODE:
        return ESP_ERR_OTA_SPI_MODE_MISMATCH;
    case PRE_PROJECT:
    case PRE_SAME_VERSION:
    case PRE_OLDER:
    case PRE_UNORDERED:
        return ESP_ERR_INVALID_VERSION;
    case PRE_NO_CLIENT:
    case PRE_OTHER_TABLE:
    case PRE_OTHER_SCHEME:
    case PRE_KEYS_APART:
    case PRE_CAP_ABSENT:
        return ESP_ERR_NOT_ALLOWED;
    default:
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
}

void pre_judge(const struct pre_facts *f, struct pre_answer *out)
{
    enum pre_why why;

    *out = (struct pre_answer){ .why = PRE_OK };
    why = judge_file(f, out);
    if (why == PRE_OK)
        why = judge_device(f, out);
    if (why == PRE_OK && f->is_app)
        why = judge_version(f);
    if (why == PRE_OK && f->is_app)
        why = judge_updatable(f, out);
    out->why = why;
    out->err = error_of(why);
}

const char *pre_updatable_name(enum pre_updatable updatable)
{
    return updatable == PRE_UPD_YES  ? "yes"
           : updatable == PRE_UPD_NO ? "no"
                                     : "unknown";
}

/* --- the sentence --------------------------------------------------------- */

static const char after[] = "after it the device could not be updated again";

static const char *version_text(const struct pre_facts *f, enum pre_why why,
                                char *text, size_t len)
{
    char have[48], comes[48];

    (void)text_clean(span_str(why == PRE_PROJECT ? f->running->project
                                                 : f->running->version),
                     have, sizeof(have));
    (void)text_clean(
        span_str(why == PRE_PROJECT ? f->desc->project : f->desc->version),
        comes, sizeof(comes));
    if (why == PRE_PROJECT)
        (void)snprintf(text, len, "this is the program \"%s\", and \"%s\" runs",
                       comes, have);
    else if (why == PRE_SAME_VERSION)
        (void)snprintf(text, len, "version %s runs already", have);
    else if (why == PRE_OLDER)
        (void)snprintf(text, len, "version %s is older than %s, which runs",
                       comes, have);
    else
        (void)snprintf(text, len,
                       "it cannot be told whether version %s is older than "
                       "%s, which runs",
                       comes, have);
    return text;
}

static const char *updatable_text(const struct pre_answer *a, char *text,
                                  size_t len)
{
    switch (a->why) {
    case PRE_CAP_DAMAGED:
        (void)snprintf(text, len, "the image's capability record is damaged");
        break;
    case PRE_NO_CLIENT:
        (void)snprintf(text, len, "the program has no OTA client: %s", after);
        break;
    case PRE_OTHER_TABLE:
        (void)snprintf(text, len,
                       "the program was made for another partition table than "
                       "the device's");
        break;
    case PRE_OTHER_SCHEME:
        (void)snprintf(text, len,
                       "the program will ask for %s signatures and the device "
                       "asks for %s: %s",
                       img_scheme_name((enum img_scheme)a->got),
                       img_scheme_name((enum img_scheme)a->want), after);
        break;
    case PRE_KEYS_APART:
        (void)snprintf(text, len,
                       "%u of the keys that the program will trust are "
                       "trusted by the device, %u are needed: %s",
                       (unsigned)a->got, (unsigned)a->want, after);
        break;
    default:
        (void)snprintf(text, len,
                       "the image does not say whether its program can be "
                       "updated again (it has no capability record), and that "
                       "is required");
    }
    return text;
}

const char *pre_text(const struct pre_facts *f, const struct pre_answer *a,
                     char *text, size_t len)
{
    switch (a->why) {
    case PRE_OK:
        (void)snprintf(text, len, "nothing speaks against it");
        break;
    case PRE_FILE_SHORT:
        (void)snprintf(text, len,
                       "the file was cut short: the image has at least %u "
                       "bytes and the file %u, %u are missing",
                       (unsigned)a->want, (unsigned)a->got,
                       (unsigned)(a->want - a->got));
        break;
    case PRE_NOT_SIGNED:
        (void)snprintf(text, len,
                       "the image is not signed, or a part is missing: no "
                       "file with a whole %s signature has %u bytes",
                       img_scheme_name(f->keys->scheme), (unsigned)a->got);
        break;
    case PRE_HEAP:
        (void)snprintf(text, len, "%u bytes of heap are free, %u are needed",
                       (unsigned)a->got, (unsigned)a->want);
        break;
    case PRE_SPI_MODE:
        (void)snprintf(text, len,
                       "the image was made for flash mode %u, and mode %u runs",
                       (unsigned)a->got, (unsigned)a->want);
        break;
    case PRE_PROJECT:
    case PRE_SAME_VERSION:
    case PRE_OLDER:
    case PRE_UNORDERED:
        return version_text(f, a->why, text, len);
    default:
        return updatable_text(a, text, len);
    }
    return text;
}
