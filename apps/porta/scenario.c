/* From the tree of a scenario file to tests. A key that nobody knows is an
 * error: a misspelt expectation would be one that always holds. */
#include "scenario.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "suggest.h"
#include "toml_read.h"

#define LIMIT_MS 60000u
#define TORTURE_LIMIT_MS 1800000u /* thousands of updates */
#define LIMIT_MAX_S 3600

/* Where we are, for sentences. */
struct place {
    const char *file;
    const char *test; /* NULL: at the top */
    struct diag *d;
};

static esp_err_t refuse(const struct place *p, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

static esp_err_t refuse(const struct place *p, const char *fmt, ...)
{
    char text[200];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    (void)text_clean(span_str(text), text, sizeof(text));
    return diag_fail(p->d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                     "%s%s%.60s%s: %s", text_name(p->file).text,
                     p->test ? ", test '" : "", p->test ? p->test : "",
                     p->test ? "'" : "", text);
}

/* Every key of obj is one of the words, which a NULL ends. */
static esp_err_t check_keys(const struct place *p, const cJSON *obj,
                            const char *const *words)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, obj)
    {
        struct suggest s;
        bool known = false;

        suggest_begin(&s, item->string);
        for (const char *const *w = words; *w; w++) {
            known |= strcmp(*w, item->string) == 0;
            suggest_try(&s, *w);
        }
        if (!known)
            return refuse(p, "there is no key '%.60s'%s%s%s", item->string,
                          s.best ? ", did you mean " : "", s.best ? s.best : "",
                          s.best ? "?" : "");
    }
    return ESP_OK;
}

/* *out stays as it is when the key is absent. */
static esp_err_t get_text(const struct place *p, const cJSON *obj,
                          const char *key, const char **out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(obj, key);

    if (!item)
        return ESP_OK;
    if (!cJSON_IsString(item))
        return refuse(p, "%s is to be a text, in quotes", key);
    *out = item->valuestring;
    return ESP_OK;
}

/* A text that is one of the words. */
static esp_err_t get_word(const struct place *p, const cJSON *obj,
                          const char *const *words, const char **out)
{
    const char *key = words[0]; /* the first is the key itself */
    esp_err_t err = get_text(p, obj, key, out);

    if (err || !*out)
        return err;
    for (const char *const *w = words + 1; *w; w++)
        if (strcmp(*w, *out) == 0)
            return ESP_OK;
    return refuse(p, "%s = \"%.60s\" is none of its words; see docs/ci.md", key,
                  *out);
}

static esp_err_t to_number(const struct place *p, const cJSON *item,
                           uint32_t *out)
{
    double n = cJSON_IsNumber(item) ? item->valuedouble : -1;

    if (!(n >= 1 && n <= 4294967295.0) || n != (double)(uint32_t)n)
        return refuse(p, "%s is to be a whole number of 1 or more",
                      item->string ? item->string : "power_cut");
    *out = (uint32_t)n;
    return ESP_OK;
}

static esp_err_t get_cuts(const struct place *p, const cJSON *obj,
                          struct scenario_test *t)
{
    const cJSON *cuts = cJSON_GetObjectItemCaseSensitive(obj, "power_cut");
    const cJSON *item;

    if (!cuts)
        return ESP_OK;
    if (!cJSON_IsArray(cuts)) {
        t->cut_cnt = 1;
        return to_number(p, cuts, &t->cut[0]);
    }
    if (!cuts->child)
        return refuse(p, "power_cut has no number; without a cut leave it out");
    cJSON_ArrayForEach(item, cuts)
    {
        if (t->cut_cnt == SCENARIO_CUTS_MAX)
            return refuse(p, "power_cut has more than %u numbers",
                          SCENARIO_CUTS_MAX);
        if (to_number(p, item, &t->cut[t->cut_cnt++]))
            return p->d->err;
    }
    return ESP_OK;
}

/* A list of texts; key, room and where they go. */
struct list {
    const char *key;
    const char **out;
    uint32_t max, *cnt;
};

static esp_err_t get_list(const struct place *p, const cJSON *obj,
                          const struct list *l)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(obj, l->key), *item;

    if (!list)
        return ESP_OK;
    if (!cJSON_IsArray(list))
        return refuse(p, "%s is to be a list of texts: [\"...\"]", l->key);
    *l->cnt = 0;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item))
            return refuse(p, "%s is to be a list of texts: [\"...\"]", l->key);
        if (*l->cnt == l->max)
            return refuse(p, "%s has more than %u entries", l->key,
                          (unsigned)l->max);
        l->out[(*l->cnt)++] = item->valuestring;
    }
    return ESP_OK;
}

static esp_err_t get_server(const struct place *p, const cJSON *obj,
                            struct scenario_test *t)
{
    const char *server = NULL;
    esp_err_t err = get_text(p, obj, "server", &server);

    if (err || !server || strcmp(server, "normal") == 0)
        return err;
    if (strcmp(server, "wrong-cert") == 0)
        t->server = SCENARIO_WRONG_CERT;
    else if (strcmp(server, "wrong-host") == 0)
        t->server = SCENARIO_WRONG_HOST;
    else if (strcmp(server, "absent") == 0)
        t->server = SCENARIO_ABSENT;
    else if (serve_fault_parse(server, &t->fault) == ESP_OK)
        t->server = SCENARIO_FAULT;
    else
        return refuse(p,
                      "server = \"%.40s\": there are normal, wrong-cert, "
                      "wrong-host, absent, %s",
                      server, serve_fault_names());
    return ESP_OK;
}

static esp_err_t get_rate(const struct place *p, const cJSON *obj,
                          struct scenario_test *t)
{
    const char *rate = NULL;
    esp_err_t err = get_text(p, obj, "rate", &rate);

    if (!err && rate && num_parse_size(span_str(rate), &t->rate))
        err = refuse(p, "rate = \"%.40s\" is no size such as \"64K\"", rate);
    return err;
}

static esp_err_t get_limit(const struct place *p, const cJSON *obj,
                           struct scenario_test *t)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(obj, "time_limit");
    uint32_t limit_s = 0;

    t->limit_ms = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(obj, "torture"))
                      ? TORTURE_LIMIT_MS
                      : LIMIT_MS;
    if (!item)
        return ESP_OK;
    if (to_number(p, item, &limit_s))
        return p->d->err;
    if (limit_s > LIMIT_MAX_S)
        return refuse(p, "time_limit is at most %d seconds", LIMIT_MAX_S);
    t->limit_ms = limit_s * 1000;
    return ESP_OK;
}

static esp_err_t get_expect(const struct place *p, const cJSON *test,
                            struct scenario_test *t)
{
    static const char *const keys[] = { "update", "stage", "boot", "version",
                                        "state",  "again", NULL };
    static const char *const update[] = { "update", "updated", "failed",
                                          "not_modified", NULL };
    static const char *const again[] = { "again", "updated", "failed",
                                         "not_modified", NULL };
    const cJSON *obj = cJSON_GetObjectItemCaseSensitive(test, "expect");
    esp_err_t err;

    if (!obj)
        return ESP_OK;
    if (!cJSON_IsObject(obj))
        return refuse(p, "expect is to be a table: { update = \"updated\" }");
    err = check_keys(p, obj, keys);
    if (!err)
        err = get_word(p, obj, update, &t->want.update);
    if (!err)
        err = get_word(p, obj, again, &t->want.again);
    if (!err)
        err = get_text(p, obj, "stage", &t->want.stage);
    if (!err)
        err = get_text(p, obj, "boot", &t->want.boot);
    if (!err)
        err = get_text(p, obj, "version", &t->want.version);
    return err ? err : get_text(p, obj, "state", &t->want.state);
}

static esp_err_t get_torture(const struct place *p, const cJSON *obj,
                             struct scenario_test *t)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(obj, "torture");

    if (item && !cJSON_IsBool(item))
        return refuse(p, "torture is to be true or false");
    t->torture = cJSON_IsTrue(item);
    if (t->torture && (t->cut_cnt || t->server || t->rate || t->then_cnt ||
                       t->want.update || t->want.boot || t->want.again ||
                       t->want.version || t->want.stage || t->want.state))
        return refuse(p, "torture = true is a test by itself: it has flash, "
                         "image, options and time_limit");
    return ESP_OK;
}

static esp_err_t check_steps(const struct place *p,
                             const struct scenario_test *t)
{
    for (uint32_t i = 0; i < t->then_cnt; i++)
        if (strcmp(t->then[i], "reset") != 0 &&
            strcmp(t->then[i], "confirm") != 0 &&
            strcmp(t->then[i], "rollback") != 0)
            return refuse(p,
                          "then has \"%.40s\": it is reset, confirm or "
                          "rollback",
                          t->then[i]);
    if (t->cut_cnt && t->want.update)
        return refuse(p, "an update that is cut has no result; expect boot "
                         "and again");
    if (t->want.stage &&
        (!t->want.update || strcmp(t->want.update, "failed") != 0))
        return refuse(p, "a stage is of update = \"failed\"");
    return ESP_OK;
}

/* All but its name. */
static esp_err_t read_test(const struct place *p, const cJSON *obj,
                           struct scenario_test *t)
{
    static const char *const keys[] = { "name",       "flash",   "image",
                                        "server",     "rate",    "options",
                                        "power_cut",  "torture", "then",
                                        "time_limit", "expect",  NULL };
    const struct list options = { "options", t->options, SCENARIO_OPTIONS_MAX,
                                  &t->option_cnt };
    const struct list then = { "then", t->then, SCENARIO_STEPS_MAX,
                               &t->then_cnt };
    esp_err_t err = check_keys(p, obj, keys);

    if (!err)
        err = get_text(p, obj, "flash", &t->flash);
    if (!err)
        err = get_text(p, obj, "image", &t->image);
    if (!err)
        err = get_server(p, obj, t);
    if (!err)
        err = get_rate(p, obj, t);
    if (!err)
        err = get_list(p, obj, &options);
    if (!err)
        err = get_list(p, obj, &then);
    if (!err)
        err = get_cuts(p, obj, t);
    if (!err)
        err = get_limit(p, obj, t);
    if (!err)
        err = get_expect(p, obj, t);
    if (!err)
        err = get_torture(p, obj, t);
    return err ? err : check_steps(p, t);
}

static esp_err_t read_tests(struct scenario *s, const cJSON *list,
                            const struct scenario_test *common, struct place *p)
{
    const cJSON *item;

    s->test = calloc((size_t)cJSON_GetArraySize(list), sizeof(*s->test));
    if (!s->test)
        return diag_fail(p->d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM,
                         "out of memory");
    cJSON_ArrayForEach(item, list)
    {
        struct scenario_test *t = &s->test[s->cnt];

        *t = *common;
        p->test = NULL;
        if (!cJSON_IsObject(item) || get_text(p, item, "name", &t->name) ||
            !t->name || !t->name[0])
            return refuse(p, "test %u has no name: [[test]] name = \"...\"",
                          (unsigned)s->cnt + 1);
        p->test = t->name;
        if (read_test(p, item, t))
            return p->d->err;
        if (!t->flash || !t->image)
            return refuse(p, "there is no %s, neither here nor at the top",
                          t->flash ? "image" : "flash");
        s->cnt++;
    }
    return ESP_OK;
}

static esp_err_t read_file(struct scenario *s, struct place *p)
{
    static const char *const keys[] = { "flash", "image", "options", "test",
                                        NULL };
    struct scenario_test common = { .name = NULL };
    const struct list options = { "options", common.options,
                                  SCENARIO_OPTIONS_MAX, &common.option_cnt };
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(s->json, "test");
    esp_err_t err = check_keys(p, s->json, keys);

    if (!err)
        err = get_text(p, s->json, "flash", &common.flash);
    if (!err)
        err = get_text(p, s->json, "image", &common.image);
    if (!err)
        err = get_list(p, s->json, &options);
    if (!err && (!cJSON_IsArray(list) || !list->child))
        err = refuse(p, "there is no test in it; one begins with [[test]]");
    return err ? err : read_tests(s, list, &common, p);
}

esp_err_t scenario_parse(struct scenario *s, struct span toml, const char *name,
                         struct diag *d)
{
    struct place p = { name, NULL, d };
    char why[160] = "";
    char *json =
        toml_read_json((const char *)toml.ptr, toml.len, why, sizeof(why));

    *s = (struct scenario)SCENARIO_NONE;
    if (!json)
        return refuse(&p, "%s", why);
    s->json = cJSON_Parse(json);
    free(json);
    if (!s->json)
        return refuse(&p, "it is nested too deep, or memory ran out");
    if (read_file(s, &p))
        scenario_free(s);
    return d->err;
}

void scenario_free(struct scenario *s)
{
    cJSON_Delete(s->json);
    free(s->test);
    *s = (struct scenario)SCENARIO_NONE;
}
