/* porta torture: every flash operation of every path, cut, on a copy of the
 * user's own flash file. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "cmds.h"
#include "crypt_file.h"
#include "device_ctx.h"
#include "junit.h"
#include "linux_time.h"
#include "progress.h"
#include "torture_report.h"

#define KEYS_MAX_LEN 65536u
#define FLASH_MAX_LEN (64u * 1024u * 1024u)
#define JOBS_MAX 64u
#define RUNS_NONE UINT32_MAX
#define POLL_MS 50

struct torture_opts {
    struct device_args dev;
    const char *image, *keys, *decrypt, *replay;
    struct cli_list paths;
    const char *seed, *junit;
    uint32_t depth, runs, jobs;
    bool json;
};

static const struct cli_opt options[] = {
    { "--image", "NEW", "the image that the updates bring", CLI_KIND_TEXT,
      offsetof(struct torture_opts, image) },
    { "--decrypt", "KEY",
      "NEW is encrypted for this private key, PEM or 32 bytes", CLI_KIND_TEXT,
      offsetof(struct torture_opts, decrypt) },
    { "--keys", "SET", "a signed key set: its installation is cut, too",
      CLI_KIND_TEXT, offsetof(struct torture_opts, keys) },
    { "--path", "NAME", "only this path; may be repeated", CLI_KIND_LIST,
      offsetof(struct torture_opts, paths) },
    { "--depth", "N", "2: the recovery is cut, too (1)", CLI_KIND_NUM,
      offsetof(struct torture_opts, depth) },
    { "--random", "SEED", "cuts at random, up to four in a row, instead of all",
      CLI_KIND_TEXT, offsetof(struct torture_opts, seed) },
    { "--runs", "N", "how many of those (1000)", CLI_KIND_NUM,
      offsetof(struct torture_opts, runs) },
    { "--replay", "SEQ", "one sequence again, as a failure names it",
      CLI_KIND_TEXT, offsetof(struct torture_opts, replay) },
    { "--jobs", "N", "processes (one for each CPU)", CLI_KIND_NUM,
      offsetof(struct torture_opts, jobs) },
    DEVICE_OPTS_CHIP(struct torture_opts, dev),
    DEVICE_OPTS_BOOT(struct torture_opts, dev),
    { "--junit", "FILE", "the results as JUnit's XML, too", CLI_KIND_TEXT,
      offsetof(struct torture_opts, junit) },
    CLI_OPT_JSON(struct torture_opts, json),
    CLI_OPT_END,
};

static const struct cli_verb torture_verb = {
    .name = "torture",
    .usage = "FLASH",
    .summary = "cut the power in every flash operation, on a copy of FLASH",
    .text = "Updates, confirms and rolls back a simulated device that holds "
            "FLASH, with\nthe power cut before, inside and after every flash "
            "operation. After each cut\nthe boot records must say old or new, "
            "our bootloader and the reference's must\nboot a whole image, and "
            "the update must succeed when it is tried again.\nFLASH is not "
            "changed. docs/power-loss.md explains the table.",
    .example = "porta torture device.bin --image app-2.bin\n"
               "porta torture device.bin --image app-2.bin --depth 2 --json\n"
               "porta torture device.bin --image app-2.bin --random 7 "
               "--runs 5000\n"
               "porta torture device.bin --image app-2.enc --decrypt "
               "device.pem\n"
               "porta torture device.bin --image app-2.bin --replay "
               "update/12:torn.3",
    .opts = options,
    .arg_min = 1,
    .arg_max = 1,
};

struct run {
    struct torture_opts o;
    struct device dev;
    struct cli_bytes flash, image, sealed, keys;
    struct enc_key *key; /* that sealed is encrypted for */
    struct tort *t;
    struct tort_seq seq;
    uint64_t seed;
    uint32_t paths;             /* see struct tort_conf */
    volatile uint64_t *run_cnt; /* shared by all processes */
    struct tort_result result;
    struct junit junit;
    struct diag diag;
};

/* --- what there is -------------------------------------------------------- */

static int find_paths(const struct cli_list *names, uint32_t *out)
{
    for (int i = 0; i < names->cnt; i++) {
        const char *name = names->val[i];
        enum tort_path_id id;

        if (!tort_path_find(name, strlen(name), &id))
            return cli_usage(&torture_verb,
                             "--path %s: no path has this name; the first "
                             "column of the table names them",
                             name);
        *out |= 1u << id;
    }
    return CLI_GO;
}

static int check_opts(struct torture_opts *o, uint64_t *seed)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    if (!o->image)
        return cli_usage(&torture_verb, "--image NEW says what to update to");
    if (o->depth < 1 || o->depth > 2)
        return cli_usage(&torture_verb, "--depth is 1 or 2");
    if (o->seed && o->replay)
        return cli_usage(&torture_verb, "--random or --replay, not both");
    if (o->seed && num_parse_u64(span_str(o->seed), seed) != ESP_OK)
        return cli_usage(&torture_verb,
                         "--random %s is no number from 0 to 2^64 - 1",
                         o->seed);
    if (o->runs == 0 || (o->runs != RUNS_NONE && !o->seed))
        return cli_usage(&torture_verb, "--runs N goes with --random, N from "
                                        "1: nothing is proven by no run");
    if (o->runs == RUNS_NONE)
        o->runs = 1000;
    if (o->jobs == 0)
        o->jobs = cpus > 0 ? (uint32_t)cpus : 1;
    if (o->jobs > JOBS_MAX || o->replay)
        o->jobs = o->replay ? 1 : JOBS_MAX;
    return CLI_GO;
}

/* What is fetched, and the image that then has to be in the flash. */
static esp_err_t load_image(struct run *r)
{
    const struct torture_opts *o = &r->o;
    esp_err_t err;

    if (!o->decrypt)
        return cli_read_file(o->image, FLASH_MAX_LEN, &r->image, &r->diag);
    err = crypt_key_open_private(o->decrypt, &crypt_env, &r->key, &r->diag);
    if (!err)
        err = cli_read_file(o->image, FLASH_MAX_LEN, &r->sealed, &r->diag);
    return err ? err
               : crypt_unseal(o->image, r->key,
                              span_of(r->sealed.ptr, r->sealed.len), &r->image,
                              &r->diag);
}

static esp_err_t load(struct run *r, const char *path)
{
    esp_err_t err =
        device_open(&r->dev, path, LINUX_FLASH_READ, &r->o.dev, &r->diag);

    if (!err)
        err = device_need_table(&r->dev, &r->diag);
    if (!err)
        err = cli_read_file(path, FLASH_MAX_LEN, &r->flash, &r->diag);
    if (!err)
        err = load_image(r);
    if (!err && r->o.keys)
        err = cli_read_file(r->o.keys, KEYS_MAX_LEN, &r->keys, &r->diag);
    if (!err && r->o.replay)
        err = tort_seq_parse(r->o.replay, &r->seq, &r->diag);
    return err;
}

static esp_err_t open_torture(struct run *r)
{
    struct tort_conf conf = {
        .flash = span_of(r->flash.ptr, r->flash.len),
        .image = span_of(r->image.ptr, r->image.len),
        .sealed = span_of(r->sealed.ptr, r->sealed.len),
        .key = r->key,
        .keys = span_of(r->keys.ptr, r->keys.len),
        .table_off = r->o.dev.table_off,
        .boot = &r->dev.boot,
        .fuse_field = fuse_field_find(r->dev.fuse.chip),
        .paths = r->paths,
        .depth = r->o.depth,
    };

    /* One image is given up and installed again, over and over, and a path
     * says itself how long its trial is. */
    r->dev.boot.policy.deny = false;
    r->dev.boot.policy.trial_boots = 1;
    r->dev.boot.policy.trial_power = 0;
    r->run_cnt = mmap(NULL, sizeof(*r->run_cnt), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r->run_cnt == MAP_FAILED) {
        r->run_cnt = NULL;
        return diag_fail(&r->diag, DIAG_STAGE_FILE, ESP_ERR_NO_MEM,
                         "out of memory");
    }
    conf.run_cnt = r->run_cnt;
    return tort_open(&r->t, &conf, &r->diag);
}

/* --- many processes ------------------------------------------------------- */

struct job {
    pid_t pid;
    struct tort_result *result; /* shared with the process */
};

static void work(struct run *r, uint32_t worker, struct tort_result *out)
{
    tort_set_worker(r->t, worker, r->o.jobs);
    if (r->o.seed)
        tort_random(r->t, r->seed, r->o.runs, out);
    else
        tort_all(r->t, out);
    _exit(0);
}

static esp_err_t start_job(struct run *r, uint32_t i, struct job *job)
{
    void *page = mmap(NULL, sizeof(*job->result), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t parent = getpid();

    if (page == MAP_FAILED)
        return ESP_FAIL;
    job->result = page;
    job->pid = fork();
    if (job->pid == 0) {
        /* Whoever is stopped from outside leaves nobody at work. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
            _exit(1);
        work(r, i, job->result);
    }
    if (job->pid > 0)
        return ESP_OK;
    munmap(page, sizeof(*job->result));
    return ESP_FAIL;
}

/* Shows progress until the process ends. */
static esp_err_t end_job(struct run *r, struct job *job, struct progress *p)
{
    const struct timespec pause = { 0, POLL_MS * 1000000L };
    uint64_t total = r->o.seed         ? r->o.runs
                     : r->o.depth == 1 ? tort_run_total(r->t)
                                       : PROGRESS_UNKNOWN;
    int status = 0;

    while (waitpid(job->pid, &status, WNOHANG) == 0) {
        progress_show(p, "power cuts", *r->run_cnt, total);
        nanosleep(&pause, NULL);
    }
    if (status != 0)
        return ESP_FAIL;
    if (r->result.run_cnt == 0 && r->result.bad_cnt == 0)
        r->result = *job->result;
    else
        tort_result_add(&r->result, job->result);
    return ESP_OK;
}

static esp_err_t run_jobs(struct run *r)
{
    struct job jobs[JOBS_MAX];
    struct progress p;
    esp_err_t err = ESP_OK;
    uint32_t cnt = 0;

    progress_begin(&p, "porta torture");
    p.unit = "runs";
    while (cnt < r->o.jobs && !err) {
        err = start_job(r, cnt, &jobs[cnt]);
        cnt += !err;
    }
    for (uint32_t i = 0; i < cnt; i++) {
        if (end_job(r, &jobs[i], &p))
            err = ESP_FAIL;
        munmap(jobs[i].result, sizeof(*jobs[i].result));
    }
    progress_end(&p);
    if (err)
        return diag_fail(&r->diag, DIAG_STAGE_FILE, err,
                         "a process of the torture ended early");
    return ESP_OK;
}

/* --- the verb ------------------------------------------------------------- */

static esp_err_t act(struct run *r, const char *path)
{
    esp_err_t err = cli_other_file(r->o.junit, path, &r->diag);

    if (!err)
        err = cli_other_file(r->o.junit, r->o.image, &r->diag);
    if (!err)
        err = load(r, path);
    if (!err)
        err = junit_open(&r->junit, r->o.junit, &r->diag);
    if (!err)
        err = open_torture(r);
    if (!err && r->o.replay)
        return tort_replay(r->t, &r->seq, &r->result, &r->diag);
    return err ? err : run_jobs(r);
}

static esp_err_t write_junit(struct run *r, uint64_t elapsed_ms)
{
    torture_report_junit(&r->result, elapsed_ms, &r->junit);
    return junit_close(&r->junit, "porta torture", &r->diag);
}

static void run_close(struct run *r)
{
    tort_close(r->t);
    junit_discard(&r->junit);
    if (r->run_cnt)
        munmap((void *)(uintptr_t)r->run_cnt, sizeof(*r->run_cnt));
    cli_bytes_free(&r->flash);
    cli_bytes_free(&r->image);
    cli_bytes_free(&r->sealed);
    enc_key_close(r->key);
    cli_bytes_free(&r->keys);
    device_close(&r->dev);
}

int cmd_torture(int argc, char **argv)
{
    static struct run r = {
        .o = { .dev = DEVICE_ARGS, .depth = 1, .runs = RUNS_NONE },
        .dev = DEVICE_CLOSED,
        .junit = JUNIT_CLOSED,
        .diag = DIAG_NONE
    };
    uint64_t start_ms = linux_mono_ms();
    struct cli_args args;
    int status = cli_parse(&torture_verb, argc, argv, &r.o, &args);

    if (status == CLI_GO)
        status = check_opts(&r.o, &r.seed);
    if (status == CLI_GO)
        status = find_paths(&r.o.paths, &r.paths);
    if (status != CLI_GO)
        return status;
    if (act(&r, args.val[0]) || write_junit(&r, linux_mono_ms() - start_ms)) {
        status = cli_fail(&torture_verb, &r.diag, r.o.json);
        run_close(&r);
        return status;
    }
    status = r.result.bad_cnt   ? CLI_FAILED
             : r.result.run_cnt ? CLI_DONE
                                : CLI_NOTHING;
    if (r.o.json) {
        status =
            cli_json_print(&torture_verb,
                           torture_report_json(
                               &r.result, (double)(linux_mono_ms() - start_ms)),
                           status);
    } else {
        torture_report_text(&r.result);
        status = cli_finish(&torture_verb, status);
    }
    run_close(&r);
    return status;
}
