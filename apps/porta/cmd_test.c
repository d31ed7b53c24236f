/* porta test: a scenario file, test by test. */
#include <libgen.h>
#include <signal.h>
#include <string.h>

#include "base/text.h"
#include "cli_term.h"
#include "cmds.h"
#include "junit.h"
#include "linux_time.h"
#include "progress.h"
#include "scenario.h"

struct test_opts {
    const char *junit;
    struct cli_list only;
};

static const struct cli_opt options[] = {
    { "--junit", "FILE", "the results as JUnit's XML, for CI services",
      CLI_KIND_TEXT, offsetof(struct test_opts, junit) },
    { "--only", "NAME", "this test alone; may be repeated", CLI_KIND_LIST,
      offsetof(struct test_opts, only) },
    CLI_OPT_END,
};

static const struct cli_verb verb = {
    .name = "test",
    .usage = "SCENARIO",
    .summary = "run the tests of a scenario file: would my image survive?",
    .text =
        "A scenario is TOML: a flash file, the image that is offered to it, "
        "and tests, each\nwith a server that behaves or does not, cuts of the "
        "power, and the state that is\nto be in the end. docs/ci.md has all "
        "the words. Flash files are copied, not\nchanged. Ends with 1 when a "
        "test did not end as expected.",
    .example = "porta test scenario.toml\n"
               "porta test scenario.toml --junit results.xml",
    .opts = options,
    .arg_min = 1,
    .arg_max = 1,
};

struct session {
    struct test_opts o;
    struct scenario scenario;
    struct scenario_lab *lab;
    struct junit junit;
    cJSON *list; /* of results */
    struct capture_watch watch;
    struct progress progress;
    char now[240]; /* which test runs, for the progress */
    uint32_t passed, failed;
    struct diag diag;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
    (void)sig;
    interrupted = 1;
}

/* So that a folder with keys does not stay behind. What is ignored already,
 * as by nohup, stays ignored. */
static void catch_signals(void)
{
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction sa = { .sa_handler = on_signal }, before;

    sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (sigaction(ends[i], NULL, &before) == 0 &&
            before.sa_handler != SIG_IGN)
            (void)sigaction(ends[i], &sa, NULL);
}

static bool is_wanted(const struct session *s, const char *name)
{
    for (int i = 0; i < s->o.only.cnt; i++)
        if (strcmp(s->o.only.val[i], name) == 0)
            return true;
    return s->o.only.cnt == 0;
}

static int check_only(const struct session *s)
{
    for (int i = 0; i < s->o.only.cnt; i++) {
        bool known = false;

        for (uint32_t k = 0; k < s->scenario.cnt; k++)
            known |= strcmp(s->o.only.val[i], s->scenario.test[k].name) == 0;
        if (!known)
            return cli_usage(&verb,
                             "--only '%s': the scenario has no such "
                             "test",
                             s->o.only.val[i]);
    }
    return CLI_GO;
}

/* One more result, in the three forms. */
static bool note(struct session *s, const struct junit_case *c)
{
    cJSON *obj = cJSON_CreateObject();

    junit_add(&s->junit, c);
    if (!cli_json() && !(term_quiet() && !c->failure)) {
        printf("%s%s%s %s (%llu.%llu s)\n",
               term_on(stdout, c->failure ? TERM_RED : TERM_GREEN),
               c->failure ? "FAILED" : "ok    ", term_off(stdout), c->name,
               (unsigned long long)(c->elapsed_ms / 1000),
               (unsigned long long)(c->elapsed_ms % 1000 / 100));
        if (c->failure)
            printf("       %s\n", c->failure);
        fflush(stdout);
    }
    if (!cJSON_AddItemToArray(s->list, obj)) {
        cJSON_Delete(obj);
        return false;
    }
    return cJSON_AddStringToObject(obj, "name", c->name) &&
           cJSON_AddBoolToObject(obj, "ok", !c->failure) &&
           (c->failure ? cJSON_AddStringToObject(obj, "why", c->failure)
                       : cJSON_AddNullToObject(obj, "why")) &&
           cJSON_AddNumberToObject(obj, "elapsed_ms", (double)c->elapsed_ms);
}

static void show(void *ctx)
{
    struct session *s = ctx;

    progress_show(&s->progress, s->now,
                  (linux_mono_ms() - s->progress.start_ms) / 1000,
                  PROGRESS_UNKNOWN);
}

static void show_from_now(struct session *s, uint32_t nth, const char *name)
{
    progress_begin(&s->progress, "porta test");
    s->progress.unit = "s";
    snprintf(s->now, sizeof(s->now), "%u of %u, %s:", (unsigned)nth + 1,
             (unsigned)s->scenario.cnt, name);
}

static esp_err_t run_all(struct session *s)
{
    char why[600], name[200];

    for (uint32_t i = 0; i < s->scenario.cnt; i++) {
        const struct scenario_test *t = &s->scenario.test[i];
        uint64_t start_ms = linux_mono_ms();
        struct junit_case c = { .group = "porta.test", .name = name };
        esp_err_t err;

        if (!is_wanted(s, t->name))
            continue;
        (void)text_clean(span_str(t->name), name, sizeof(name));
        show_from_now(s, i, name);
        err = scenario_run(s->lab, t, why, sizeof(why));
        progress_end(&s->progress);
        if (interrupted)
            return diag_fail(&s->diag, DIAG_STAGE_FILE, ESP_FAIL,
                             "interrupted in test '%s'", name);
        c.elapsed_ms = linux_mono_ms() - start_ms;
        c.failure = err ? why : NULL;
        s->passed += !err;
        s->failed += err != ESP_OK;
        if (!note(s, &c))
            return diag_fail(&s->diag, DIAG_STAGE_FILE, ESP_ERR_NO_MEM,
                             "out of memory");
    }
    return ESP_OK;
}

static esp_err_t load(struct session *s, const char *path)
{
    struct cli_bytes toml = CLI_BYTES_NONE;
    esp_err_t err = cli_read_file(path, SCENARIO_MAX_LEN, &toml, &s->diag);

    if (!err)
        err = scenario_parse(&s->scenario, span_of(toml.ptr, toml.len), path,
                             &s->diag);
    cli_bytes_free(&toml);
    return err;
}

static esp_err_t prepare(struct session *s, const char *path)
{
    char copy[4096];
    esp_err_t err;

    catch_signals();
    snprintf(copy, sizeof(copy), "%s", path);
    s->watch = (struct capture_watch){ &interrupted, show, s };
    err = cli_other_file(s->o.junit, path, &s->diag);
    if (!err)
        err = scenario_lab_open(&s->lab, dirname(copy), &s->watch, &s->diag);
    for (uint32_t i = 0; !err && i < s->scenario.cnt; i++)
        err = scenario_lab_spare(s->lab, &s->scenario.test[i], s->o.junit,
                                 &s->diag);
    if (!err)
        err = junit_open(&s->junit, s->o.junit, &s->diag);
    s->list = cJSON_CreateArray();
    return err;
}

static int finish(struct session *s)
{
    int status = s->failed ? CLI_FAILED : CLI_DONE;
    cJSON *obj;

    if (!cli_json()) {
        printf("%u passed, %u failed\n", (unsigned)s->passed,
               (unsigned)s->failed);
        return cli_finish(&verb, status);
    }
    obj = cJSON_CreateObject();
    if (!cJSON_AddStringToObject(obj, "result", s->failed ? "failed" : "ok") ||
        !cJSON_AddItemToObject(obj, "tests", s->list)) {
        cJSON_Delete(obj);
        return cli_json_print(&verb, NULL, status);
    }
    s->list = NULL;
    return cli_json_print(&verb, obj, status);
}

static int run(struct session *s, const char *path)
{
    esp_err_t err = prepare(s, path);
    int status;

    if (!err)
        err = run_all(s);
    if (!err)
        err = junit_close(&s->junit, text_name(path).text, &s->diag);
    status = err ? cli_fail(&verb, &s->diag, cli_json()) : finish(s);
    junit_discard(&s->junit);
    scenario_lab_close(s->lab);
    cJSON_Delete(s->list);
    return status;
}

int cmd_test(int argc, char **argv)
{
    static struct session s = { .junit = JUNIT_CLOSED, .diag = DIAG_NONE };
    struct cli_args args;
    int status = cli_parse(&verb, argc, argv, &s.o, &args);

    if (status != CLI_GO)
        return status;
    if (load(&s, args.val[0]))
        return cli_fail(&verb, &s.diag, cli_json());
    status = check_only(&s);
    if (status == CLI_GO)
        status = run(&s, args.val[0]);
    scenario_free(&s.scenario);
    return status;
}
