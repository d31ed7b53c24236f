#include "serve_plan.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/num.h"

static const struct {
    const char *name;
    enum serve_fault_kind kind;
    uint32_t at; /* when none is given */
} faults[] = {
    { "truncate", SERVE_FAULT_TRUNCATE, 65536 },
    { "stall", SERVE_FAULT_STALL, 65536 },
    { "reset", SERVE_FAULT_RESET, 65536 },
    { "oversize", SERVE_FAULT_OVERSIZE, 4096 },
    { "wrong-length", SERVE_FAULT_WRONG_LENGTH, 1024 },
    { "range-ignored", SERVE_FAULT_RANGE_IGNORED, 0 },
    { "trickle", SERVE_FAULT_TRICKLE, 4096 },
    { "redirect", SERVE_FAULT_REDIRECT, 1 },
};

const char *serve_fault_names(void)
{
    return "truncate, stall, reset, oversize, wrong-length, range-ignored, "
           "trickle (each with @BYTES), redirect@TIMES or status=N";
}

static esp_err_t fault_status(const char *number, struct serve_fault *out)
{
    uint32_t status;

    if (num_parse_u32(span_str(number), &status) != ESP_OK || status < 200 ||
        status > 599)
        return ESP_ERR_INVALID_ARG;
    *out = (struct serve_fault){ SERVE_FAULT_STATUS, true, status };
    return ESP_OK;
}

esp_err_t serve_fault_parse(const char *text, struct serve_fault *out)
{
    size_t len = strcspn(text, "@");

    if (strncmp(text, "status=", 7) == 0)
        return fault_status(text + 7, out);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        uint32_t at = faults[i].at;

        if (!span_eq(span_of(text, len), faults[i].name))
            continue;
        if (text[len] && num_parse_size(span_str(text + len + 1), &at))
            return ESP_ERR_INVALID_ARG;
        *out = (struct serve_fault){ faults[i].kind, text[len] != '\0', at };
        return ESP_OK;
    }
    return ESP_ERR_INVALID_ARG;
}

/* The last `digits` bytes of the file. */
static enum serve_range range_suffix(struct span digits, uint64_t file_len,
                                     uint64_t *first, uint64_t *last)
{
    uint64_t cnt;

    if (num_parse_u64(digits, &cnt) != ESP_OK)
        return SERVE_RANGE_NONE;
    if (cnt == 0 || file_len == 0)
        return SERVE_RANGE_BEYOND;
    *first = cnt >= file_len ? 0 : file_len - cnt;
    *last = file_len - 1;
    return SERVE_RANGE_GOOD;
}

static bool all_digits(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return true;
}

enum serve_range serve_range_parse(const char *header, uint64_t file_len,
                                   uint64_t *first, uint64_t *last)
{
    const char *dash;
    struct span from, to;

    if (!header || strncmp(header, "bytes=", 6) != 0)
        return SERVE_RANGE_NONE;
    header += 6;
    dash = strchr(header, '-');
    if (!dash)
        return SERVE_RANGE_NONE;
    from = span_of(header, (size_t)(dash - header));
    to = span_str(dash + 1);
    if (!all_digits(from) || !all_digits(to))
        return SERVE_RANGE_NONE;
    if (from.len == 0)
        return range_suffix(to, file_len, first, last);
    *last = UINT64_MAX;
    if (num_parse_u64(from, first) != ESP_OK ||
        (to.len && num_parse_u64(to, last) != ESP_OK) || *last < *first)
        return SERVE_RANGE_NONE;
    if (*first >= file_len)
        return SERVE_RANGE_BEYOND;
    if (*last >= file_len)
        *last = file_len - 1;
    return SERVE_RANGE_GOOD;
}

bool serve_path_ok(const char *path)
{
    if (path[0] != '/' || strchr(path, '\\'))
        return false;
    for (const char *at = path; *at;) {
        size_t len;

        at++; /* the slash */
        len = strcspn(at, "/");
        if (len == 2 && at[0] == '.' && at[1] == '.')
            return false;
        at += len;
    }
    return true;
}

void serve_file_describe(struct serve_file *f, uint64_t inode, int64_t mtime_ns)
{
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed",
                                        "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr",
                                          "May", "Jun", "Jul", "Aug",
                                          "Sep", "Oct", "Nov", "Dec" };
    time_t when = (time_t)f->mtime_s;
    struct tm tm;

    snprintf(f->etag, sizeof(f->etag), "\"%llx-%llx-%llx\"",
             (unsigned long long)inode, (unsigned long long)f->len,
             (unsigned long long)f->mtime_s * 1000000000u +
                 (unsigned long long)mtime_ns);
    gmtime_r(&when, &tm);
    snprintf(f->last_modified, sizeof(f->last_modified),
             "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
             tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
             tm.tm_min, tm.tm_sec);
}

/* If-None-Match compares weakly (RFC 9110 section 13.1.2). */
static bool etag_listed(const char *list, const char *etag)
{
    size_t len = strlen(etag);

    if (strcmp(list, "*") == 0)
        return true;
    for (const char *at = strstr(list, etag); at; at = strstr(at + 1, etag))
        if (at[len] == '\0' || at[len] == ',' || at[len] == ' ')
            return true;
    return false;
}

/* We name no time but the file's, so that equality is what a client that
 * repeats our Last-Modified asks for; anything later says the same. */
static bool not_modified_since(const struct serve_file *f, const char *date)
{
    struct tm tm = { 0 };
    const char *end = strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &tm);

    return end && *end == '\0' && (int64_t)timegm(&tm) >= f->mtime_s;
}

static bool not_modified(const struct serve_file *f,
                         const struct serve_ask *ask)
{
    if (ask->if_none_match)
        return etag_listed(ask->if_none_match, f->etag);
    return ask->if_modified_since &&
           not_modified_since(f, ask->if_modified_since);
}

/* RFC 9110 section 13.1.5: an entity tag or exactly our date, else the whole
 * file. */
static bool range_applies(const struct serve_file *f,
                          const struct serve_ask *ask)
{
    return !ask->if_range || strcmp(ask->if_range, f->etag) == 0 ||
           strcmp(ask->if_range, f->last_modified) == 0;
}

static void plan_body(const struct serve_file *file,
                      const struct serve_ask *ask,
                      const struct serve_fault *fault, struct serve_plan *out)
{
    uint64_t first = 0, last = 0;
    enum serve_range range = SERVE_RANGE_NONE;

    if (fault->kind != SERVE_FAULT_RANGE_IGNORED && range_applies(file, ask))
        range = serve_range_parse(ask->range, file->len, &first, &last);
    if (range == SERVE_RANGE_BEYOND) {
        out->status = 416;
        out->text = true;
        return;
    }
    out->status = 200;
    out->len = file->len;
    if (range == SERVE_RANGE_GOOD) {
        out->status = 206;
        out->first = first;
        out->len = last - first + 1;
    }
    out->announce_len = out->len;
}

uint32_t serve_redirect(const struct serve_fault *fault, uint32_t hop)
{
    return fault->kind == SERVE_FAULT_REDIRECT && hop < fault->at ? hop + 1 : 0;
}

void serve_plan_make(const struct serve_file *file, const struct serve_ask *ask,
                     const struct serve_fault *fault, struct serve_plan *out)
{
    *out = (struct serve_plan){ .stop_at = UINT64_MAX };
    if (fault->kind == SERVE_FAULT_STATUS) {
        out->status = (int)fault->at;
        out->text = true;
        return;
    }
    if (not_modified(file, ask)) {
        out->status = 304;
        return;
    }
    plan_body(file, ask, fault, out);
    if (out->text)
        return;
    switch (fault->kind) {
    case SERVE_FAULT_OVERSIZE:
        out->extra_len = fault->at;
        out->announce_len += fault->at;
        break;
    case SERVE_FAULT_WRONG_LENGTH:
        out->announce_len -= fault->at < out->len ? fault->at : out->len;
        break;
    case SERVE_FAULT_TRUNCATE:
    case SERVE_FAULT_STALL:
    case SERVE_FAULT_RESET:
    case SERVE_FAULT_TRICKLE:
        out->stop_at = fault->at;
        break;
    default:
        break;
    }
}

uint32_t serve_pace_ms(uint64_t sent_len, uint64_t elapsed_ms, uint32_t rate)
{
    uint64_t due_ms;

    if (rate == 0)
        return 0;
    due_ms = sent_len * 1000 / rate;
    return due_ms > elapsed_ms ? (uint32_t)(due_ms - elapsed_ms) : 0;
}

uint32_t serve_piece_len(uint32_t rate, uint32_t max_len)
{
    uint32_t piece = rate / 20;

    if (rate == 0 || piece > max_len)
        return max_len;
    return piece ? piece : 1;
}
