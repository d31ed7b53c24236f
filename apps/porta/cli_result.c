/* How a verb ends: sentences on standard error, results on standard output. */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "cli_term.h"

int cli_finish(const struct cli_verb *verb, int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "porta %s: file: writing to standard output failed: %s\n",
            verb->name, strerror(errno));
    return CLI_FAILED;
}

static cJSON *json_error(const struct diag *d, const char *text)
{
    cJSON *obj = cJSON_CreateObject();

    if (obj &&
        cJSON_AddStringToObject(obj, "stage", diag_stage_name(d->stage)) &&
        cJSON_AddNumberToObject(obj, "code", d->err) &&
        cJSON_AddStringToObject(obj, "name", err_name(d->err)) &&
        cJSON_AddStringToObject(obj, "message", text))
        return obj;
    cJSON_Delete(obj);
    return NULL;
}

cJSON *cli_json_error(const struct diag *d)
{
    return json_error(d, d->text);
}

/* cJSON escapes what is below a blank and passes on the rest; RFC 8259 section
 * 8.1 wants UTF-8, which a name on a command line need not be. */
static void only_utf8(char *text)
{
    struct span left = span_str(text);

    while (left.len > 0) {
        size_t len = text_utf8_len(left);

        if (len == 0)
            text[left.ptr - (const uint8_t *)text] = '?';
        left = span_from(left, len ? len : 1);
    }
}

int cli_json_print(const struct cli_verb *verb, cJSON *obj, int status)
{
    char *text = obj ? cJSON_PrintUnformatted(obj) : NULL;

    cJSON_Delete(obj);
    if (!text) {
        fprintf(stderr, "porta %s: file: out of memory\n", verb->name);
        return CLI_FAILED;
    }
    only_utf8(text);
    puts(text);
    cJSON_free(text);
    return cli_finish(verb, status);
}

int cli_fail(const struct cli_verb *verb, const struct diag *d, bool json)
{
    return cli_fail_text(verb, d, d->text, json);
}

int cli_fail_text(const struct cli_verb *verb, const struct diag *d,
                  const char *text, bool json)
{
    int status = d->stage == DIAG_STAGE_ARGS ? CLI_USAGE : CLI_FAILED;
    cJSON *obj, *error;

    fprintf(stderr, "%sporta%s%s: %s%s%s: %s\n", term_on(stderr, TERM_BOLD),
            verb->name[0] ? " " : "", verb->name, term_on(stderr, TERM_RED),
            diag_stage_name(d->stage), term_off(stderr), text);
    if (!json)
        return status;
    obj = cJSON_CreateObject();
    error = json_error(d, text);
    if (!obj || !error || !cJSON_AddItemToObject(obj, "error", error)) {
        cJSON_Delete(error);
        cJSON_Delete(obj);
        obj = NULL;
    }
    return cli_json_print(verb, obj, status);
}

static cJSON *made_json(const char *path)
{
    cJSON *obj = cJSON_CreateObject();
    char name[4096];
    struct stat st;

    (void)text_clean(span_str(path), name, sizeof(name));
    if (obj && stat(path, &st) == 0 &&
        cJSON_AddStringToObject(obj, "file", name) &&
        cJSON_AddNumberToObject(obj, "size", (double)st.st_size))
        return obj;
    cJSON_Delete(obj);
    return NULL;
}

int cli_made(const struct cli_verb *verb, const char *path,
             const struct diag *d)
{
    if (d->err)
        return cli_fail(verb, d, cli_json());
    return cli_json() ? cli_json_print(verb, made_json(path), CLI_DONE)
                      : cli_finish(verb, CLI_DONE);
}

int cli_put(const struct cli_verb *verb, const char *path, struct span text,
            struct diag *d)
{
    if (!cli_is_stdout(path)) {
        if (!d->err)
            (void)!cli_write_file(path, text, 0644, d);
        return cli_made(verb, path, d);
    }
    if (d->err)
        return cli_fail(verb, d, cli_json());
    fwrite(text.ptr, 1, text.len, stdout);
    return cli_finish(verb, CLI_DONE);
}

static void sink_stderr(void *ctx, enum log_level level, const char *tag,
                        const char *fmt, va_list args) PRINTF_LIKE(4, 0);

/* lint-ok: function, a log sink's signature */
static void sink_stderr(void *ctx, enum log_level level, const char *tag,
                        const char *fmt, va_list args)
{
    const enum log_level *max = ctx;

    if (level > *max)
        return;
    flockfile(stderr);
    fprintf(stderr, "%c %s: ", "WEWIDV"[level], tag);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    funlockfile(stderr);
}

void cli_log_to_stderr(enum log_level level)
{
    static enum log_level max; /* process-wide, as the sink itself */

    max = term_verbose() ? LOG_DEBUG : term_quiet() ? LOG_ERROR : level;
    log_set_sink(sink_stderr, &max);
}

const char *cli_thousands(uint64_t n, char *buf, size_t len)
{
    char digits[24];
    size_t cnt =
        (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
    size_t at = 0;

    for (size_t i = 0; i < cnt && at + 2 < len; i++) {
        if (i > 0 && (cnt - i) % 3 == 0)
            buf[at++] = ',';
        buf[at++] = digits[i];
    }
    buf[at] = '\0';
    return buf;
}
