#include "junit.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/text.h"
#include "svg.h"

/* What could not be replaced in the end, when all tests have run. */
static esp_err_t check_path(const char *path, struct diag *d)
{
    struct stat st;

    if (path[0] && (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_INVALID_ARG,
                     "--junit '%s' is not the name of a file",
                     text_name(path).text);
}

esp_err_t junit_open(struct junit *j, const char *path, struct diag *d)
{
    esp_err_t err;

    *j = (struct junit)JUNIT_CLOSED;
    if (!path)
        return ESP_OK;
    err = check_path(path, d);
    if (!err)
        err = cli_out_probe(path, d);
    if (err)
        return err;
    j->path = path;
    j->to = open_memstream(&j->cases, &j->cases_len);
    if (j->to)
        return ESP_OK;
    junit_discard(j);
    return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
}

static void put_attr(FILE *to, const char *name, const char *value)
{
    fprintf(to, " %s=\"", name);
    xml_put(to, value);
    fputc('"', to);
}

static void put_time(FILE *to, uint64_t ms)
{
    fprintf(to, " time=\"%llu.%03llu\"", (unsigned long long)(ms / 1000),
            (unsigned long long)(ms % 1000));
}

void junit_add(struct junit *j, const struct junit_case *c)
{
    if (!j->to)
        return;
    j->cnt++;
    j->fail_cnt += c->failure != NULL;
    j->skip_cnt += c->skipped != NULL;
    j->total_ms += c->elapsed_ms;
    fputs("  <testcase", j->to);
    put_attr(j->to, "classname", c->group);
    put_attr(j->to, "name", c->name);
    put_time(j->to, c->elapsed_ms);
    if (!c->failure && !c->skipped) {
        fputs("/>\n", j->to);
        return;
    }
    fputs(c->failure ? "><failure" : "><skipped", j->to);
    put_attr(j->to, "message", c->failure ? c->failure : c->skipped);
    fputs("/></testcase>\n", j->to);
}

static esp_err_t write_all(struct junit *j, const char *suite, struct diag *d)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    esp_err_t err;

    if (!to)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
          "<testsuite",
          to);
    put_attr(to, "name", suite);
    fprintf(to, " tests=\"%u\" failures=\"%u\" skipped=\"%u\" errors=\"0\"",
            (unsigned)j->cnt, (unsigned)j->fail_cnt, (unsigned)j->skip_cnt);
    put_time(to, j->total_ms);
    fputs(">\n", to);
    fwrite(j->cases, 1, j->cases_len, to);
    fputs("</testsuite>\n</testsuites>\n", to);
    if (fclose(to) != 0)
        err = diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
    else
        err = cli_write_file(j->path, span_of(text, len), 0644, d);
    free(text);
    return err;
}

esp_err_t junit_close(struct junit *j, const char *suite, struct diag *d)
{
    esp_err_t err = ESP_OK;

    if (!j->to)
        return ESP_OK;
    if (fclose(j->to) != 0)
        err = diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
    j->to = NULL;
    if (!err)
        err = write_all(j, suite, d);
    junit_discard(j);
    return err;
}

void junit_discard(struct junit *j)
{
    if (j->to)
        fclose(j->to);
    free(j->cases);
    *j = (struct junit)JUNIT_CLOSED;
}
