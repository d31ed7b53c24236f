/* porta update: one OTA session on a flash file. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cmds.h"
#include "crypt_file.h"
#include "heap_meter.h"
#include "http/url.h"
#include "linux_clock.h"
#include "linux_heap.h"
#include "linux_net.h"
#include "linux_rng.h"
#include "linux_sys.h"
#include "linux_time.h"
#include "linux_work.h"
#include "progress.h"
#include "update/decrypt.h"
#include "update/json.h"
#include "update/update.h"
#include "store_file.h"
#include "trace.h"
#include "update_auth.h"
#include "update_cut.h"
#include "update_hint.h"
#include "update_opts.h"
#include "update_parts.h"

enum outcome { OUT_FAILED, OUT_UPDATED, OUT_NOT_MODIFIED, OUT_SAME_VERSION };

/* Everything that lives as long as the session. */
struct session {
    const struct update_opts *o;
    const char *url;
    struct device dev;
    struct device_running running;
    struct policy policy;
    struct linux_net net;
    struct linux_sys sys;
    struct linux_work work; /* closed: nothing is done beside */
    struct heap_meter heap;
    struct update_trust trust;
    struct http_opts http; /* of every client */
    struct http_stats http_stats;
    struct update_auth auth;
    struct store_file store;
    struct upd_store keep;
    struct enc_key *key; /* NULL: the image comes in the clear */
    struct upd_decrypt decrypt;
    struct upd_stage stage;
    struct http_client *client;
    struct upd *upd;
    struct upd_result result;
    struct upd_device target;
    struct update_data data;
    struct trace trace;
    struct diag diag;
    uint64_t start_ms;
    char version[64];
    enum outcome outcome;
    size_t heap_steady; /* when the last byte came */
};

/* The signal handler's way to the session. */
static struct port_limit limit;

static void on_signal(int sig)
{
    (void)sig;
    port_limit_stop(&limit);
}

/* The first signal ends the session in order, the second one at once. */
static void catch_signals(void)
{
    struct sigaction sa = { .sa_handler = on_signal,
                            .sa_flags = (int)SA_RESETHAND };

    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
}

/* --- before the first byte ------------------------------------------------ */

static void describe_target(struct session *s)
{
    const struct device_running *run = &s->running;

    s->policy = s->dev.policy;
    s->policy.allow_http = s->o->allow_http;
    s->policy.skip_cert_verify = s->o->insecure;
    s->policy.psk = s->o->psk != NULL;
    s->target = (struct upd_device){
        .parts = &s->dev.parts,
        .policy = &s->policy,
        .keys = &s->dev.keys,
        .fuse = &s->dev.fuse.emul.port,
        .chip_id = s->dev.chip_id,
        .chip_rev = s->dev.chip_rev,
        .check_rev = s->dev.check_rev,
        .running_is_slot = run->choice < BOOT_MAX_SLOTS,
        .running_slot = run->choice < BOOT_MAX_SLOTS ? run->choice : 0,
        .running_off = run->part ? run->part->off : UINT32_MAX,
    };
}

/* *is_https, and no http: that was not asked for. */
static esp_err_t check_url(struct session *s, const char *text, bool *is_https)
{
    struct http_url url;

    if (http_url_parse(span_str(text), &url) != ESP_OK)
        return diag_fail(&s->diag, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "the URL is not one: it must be https://HOST/PATH");
    *is_https = url.is_https;
    if (url.is_https || s->o->allow_http)
        return ESP_OK;
    return diag_fail(&s->diag, DIAG_STAGE_HTTP, ESP_ERR_NOT_ALLOWED,
                     "the URL is http:, so anyone on the way could replace "
                     "the firmware; use https:, or say --allow-http");
}

static struct http_env http_env(struct session *s)
{
    return (struct http_env){ .net = &s->net.port,
                              .sys = &s->sys.port,
                              .heap = &s->heap.port,
                              .policy = &s->policy,
                              .rng = &linux_rng };
}

/* A client with the settings that were loaded for the application's URL; at
 * another origin the secrets among them stay behind. */
static esp_err_t open_url(void *ctx, const char *url, struct http_client **out,
                          struct diag *d)
{
    struct session *s = ctx;
    struct http_env env = http_env(s);
    bool is_https;
    esp_err_t err = check_url(s, url, &is_https);

    if (!err)
        err = http_open(out, &env, &s->http, s->url, d);
    if (!err)
        err = update_opts_headers(s->o, &s->trust, *out, d);
    return err || url == s->url ? err : http_set_url(*out, url);
}

/* What it counted is told later. */
static void client_close(struct session *s)
{
    if (!s->client)
        return;
    s->http_stats = *http_stats(s->client);
    s->result.http = &s->http_stats;
    http_close(s->client);
    s->client = NULL;
}

static esp_err_t open_client(struct session *s)
{
    struct http_env env = http_env(s);
    bool is_https = true;
    esp_err_t err = check_url(s, s->url, &is_https);

    s->http = (struct http_opts){ .user_agent = "porta", .net.limit = &limit };
    if (!err)
        err = update_opts_http(s->o, is_https, &s->trust, &s->http, &s->diag);
    for (int i = 0; !err && i < s->o->resolve.cnt; i++)
        err = linux_net_override(&s->net, s->o->resolve.val[i], &s->diag);
    s->auth.store = &s->store;
    if (!err)
        err = update_auth_open(&s->auth, s->o, &env, &s->http, &s->diag);
    return err ? err : open_url(s, s->url, &s->client, &s->diag);
}

/* What is the same for every session of this command. */
static struct upd_opts session_opts(struct session *s)
{
    return (struct upd_opts){ .url = s->url,
                              .bulk_erase = s->o->bulk_erase,
                              .accept_unsafe = s->o->accept_unsafe,
                              .range_len = s->o->range_len,
                              .stall_ms = update_opts_stall_ms(s->o),
                              .retry_cnt = s->o->retry,
                              .max_time_ms = s->o->max_time_ms,
                              .limit = &limit };
}

static const struct port_work *beside(const struct session *s)
{
    return s->work.open ? &s->work.port : NULL;
}

static esp_err_t begin(struct session *s)
{
    struct upd_env env = { http_env(s), &s->target, beside(s) };
    struct upd_opts opts = session_opts(s);
    esp_err_t err = update_parts_choose(&s->dev, s->o, &opts, &s->diag);

    opts.client = s->client;
    opts.store = &s->keep;
    opts.unconditional = s->o->same_version || s->o->partition;
    opts.pre = (struct pre_policy){
        .same_project = s->o->same_project,
        .no_same_version = !opts.unconditional,
        .no_older = s->o->no_older,
        .require_updatable = s->o->require_updatable,
    };
    opts.restart = s->o->no_resume;
    opts.result = &s->result;
    if (s->key) {
        upd_decrypt_stage(&s->decrypt, s->key, &s->stage);
        opts.stages = &s->stage;
        opts.stage_cnt = 1;
    }
    return err ? err : upd_begin(&s->upd, &env, &opts, &s->diag);
}

/* --- the session ---------------------------------------------------------- */

static void show(struct session *s, struct progress *p)
{
    const struct upd_result *r = upd_result(s->upd);
    uint64_t total =
        r->image_len >= 0 ? (uint64_t)r->image_len : PROGRESS_UNKNOWN;
    /* Of a file that was given up more came than counts. */
    uint32_t done = r->received_len < r->written_len || r->retries == 0
                        ? r->received_len
                        : r->written_len;

    progress_show(p, "download", done, total);
}

static void note_version(struct session *s)
{
    text_clean(span_str(upd_result(s->upd)->image.desc.version), s->version,
               sizeof(s->version));
}

/* What came is what runs. */
static bool is_same_version(struct session *s)
{
    if (upd_result(s->upd)->pre.why != PRE_SAME_VERSION)
        return false;
    s->outcome = OUT_SAME_VERSION;
    return true;
}

/* The file may be another one by its end than the one that was looked at. */
static esp_err_t transfer(struct session *s, bool *nothing)
{
    struct progress progress;
    enum upd_step step = UPD_STEP_MORE;
    uint64_t start_us = trace_now(&s->trace);
    esp_err_t err = ESP_OK;

    progress_begin(&progress, "porta update");
    while (step == UPD_STEP_MORE) {
        step = upd_step(s->upd, &err);
        show(s, &progress);
    }
    progress_end(&progress);
    s->heap_steady = s->heap.cur_len;
    trace_phase(&s->trace, "download and write", start_us);
    note_version(s);
    *nothing = step == UPD_STEP_FAILED && is_same_version(s);
    if (step != UPD_STEP_FAILED || *nothing)
        return ESP_OK;
    return err ? err : ESP_FAIL;
}

/* Before anything is written: is there something new? */
static esp_err_t look(struct session *s, bool *nothing)
{
    const struct img_info *info;
    uint64_t start_us = trace_now(&s->trace);
    esp_err_t err = begin(s);

    trace_phase(&s->trace, "request", start_us);
    *nothing = false;
    if (err == ESP_ERR_HTTP_NOT_MODIFIED) {
        s->outcome = OUT_NOT_MODIFIED;
        *nothing = true;
        return ESP_OK;
    }
    if (err || s->o->partition)
        return err;
    start_us = trace_now(&s->trace);
    err = upd_look(s->upd, &info);
    trace_phase(&s->trace, "look at the image", start_us);
    note_version(s);
    *nothing = err && is_same_version(s);
    return *nothing ? ESP_OK : err;
}

/* The application waits meanwhile: its server is asked again afterwards. */
static esp_err_t get_data(struct session *s)
{
    struct upd_env env = { http_env(s), &s->target, beside(s) };
    const struct part_entry *slot =
        device_part(&s->dev, upd_result(s->upd)->slot, &s->diag);
    esp_err_t err;

    if (!slot)
        return s->diag.err;
    upd_abort(s->upd, NULL);
    s->upd = NULL;
    client_close(s);
    s->data = (struct update_data){ .dev = &s->dev,
                                    .o = s->o,
                                    .env = &env,
                                    .opts = session_opts(s),
                                    .open = open_url,
                                    .ctx = s };
    err = update_data_get(&s->data, slot, &s->diag);
    return err ? err : open_url(s, s->url, &s->client, &s->diag);
}

static esp_err_t finish(struct session *s)
{
    uint64_t start_us = trace_now(&s->trace);
    esp_err_t err = upd_finish(s->upd, true, NULL);

    trace_phase(&s->trace, "verify and activate", start_us);
    return err;
}

static esp_err_t run_session(struct session *s)
{
    bool nothing;
    esp_err_t err = look(s, &nothing);

    if (!err && !nothing && s->o->data.cnt > 0) {
        err = get_data(s);
        if (!err)
            err = look(s, &nothing);
    }
    if (err || nothing)
        return err;
    err = transfer(s, &nothing);
    if (!err && !nothing) {
        err = finish(s);
        s->upd = NULL;
    }
    if (!err && !nothing)
        s->outcome = OUT_UPDATED;
    return err;
}

static esp_err_t open_key(struct session *s)
{
    const struct enc_env env = { &s->heap.port, &linux_rng };

    return s->o->decrypt
               ? crypt_key_open_private(s->o->decrypt, &env, &s->key, &s->diag)
               : ESP_OK;
}

/* A flash that takes its time is written while the next bytes come. Without a
 * thread for that it is written all the same. */
static void set_pace(struct session *s)
{
    const struct linux_flash_pace pace = { s->o->erase_us, s->o->page_us };

    if (pace.erase_us == 0 && pace.page_us == 0)
        return;
    linux_flash_set_pace(&s->dev.flash, &pace);
    if (linux_work_open(&s->work))
        LOGW("update", "no thread is left to write the flash by");
}

static esp_err_t prepare(struct session *s, const char *path)
{
    const struct tls_env tls = { &s->heap.port, &linux_rng, &linux_clock };
    esp_err_t err =
        device_open(&s->dev, path, LINUX_FLASH_WRITE, &s->o->dev, &s->diag);

    if (!err)
        err = device_need_table(&s->dev, &s->diag);
    if (!err)
        err = update_parts_confirmed(&s->dev, &s->running, &s->diag);
    if (err)
        return err;
    describe_target(s);
    err = store_file_open(&s->store, path, &s->diag);
    if (err)
        return err;
    heap_meter_init(&s->heap, &linux_heap);
    linux_net_init(&s->net, &s->heap.port);
    s->net.link.rate = s->o->link_rate;
    set_pace(s);
    update_cut_at(&s->dev.flash, s->o->power_cut);
    if (s->o->trace) {
        trace_tap_net(&s->trace, &s->net.port);
        trace_tap_flash(&s->trace, &s->dev.flash.port);
    }
    linux_sys_init(&s->sys, NULL);
    err = tls_init(&tls);
    if (err)
        return diag_fail(&s->diag, DIAG_STAGE_TLS, err,
                         "the TLS library does not start: %s", err_name(err));
    err = open_key(s);
    return err ? err : open_client(s);
}

static void session_close(struct session *s)
{
    struct diag said = DIAG_NONE;

    if (s->upd)
        upd_abort(s->upd, NULL);
    s->upd = NULL;
    if (s->client && !s->result.http_status)
        s->result.http_status = http_head(s->client)->status;
    s->result.elapsed_ms = linux_mono_ms() - s->start_ms;
    client_close(s);
    enc_key_close(s->key);
    s->key = NULL;
    update_auth_close(&s->auth);
    update_trust_free(&s->trust);
    store_file_close(&s->store);
    linux_work_close(&s->work);
    tls_deinit();
    /* What is installed is installed, with a picture of it or without. */
    if (trace_close(&s->trace, &said))
        fprintf(stderr, "porta update: WARNING: no trace: %s\n", said.text);
    device_close(&s->dev);
}

/* --- the result ----------------------------------------------------------- */

static bool put(cJSON *obj, const char *name, cJSON *item)
{
    if (item && cJSON_AddItemToObject(obj, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static const char *outcome_name(enum outcome o)
{
    return o == OUT_UPDATED  ? "updated"
           : o == OUT_FAILED ? "failed"
                             : "not_modified";
}

/* Bytes of heap: the most at one time, and what is still there. */
static bool put_heap(cJSON *obj, const struct session *s)
{
    return put(obj, "heap_peak",
               cJSON_CreateNumber((double)s->heap.peak_len)) &&
           put(obj, "heap_steady",
               cJSON_CreateNumber((double)s->heap_steady)) &&
           put(obj, "heap_allocs", cJSON_CreateNumber(s->heap.alloc_cnt)) &&
           put(obj, "heap_left", cJSON_CreateNumber((double)s->heap.cur_len));
}

static cJSON *result_json(const struct session *s)
{
    static char text[4096]; /* twice what the longest needs */
    const struct diag *d = s->outcome == OUT_FAILED ? &s->diag : NULL;
    cJSON *obj;

    (void)upd_result_json(&s->result, d, outcome_name(s->outcome), text,
                          sizeof(text));
    obj = cJSON_Parse(text);
    if (obj && put_heap(obj, s) &&
        (s->o->data.cnt == 0 || put(obj, "data", update_data_json(&s->data))))
        return obj;
    cJSON_Delete(obj);
    return NULL;
}

static void result_text(const struct session *s)
{
    char len[32];
    uint64_t ms = linux_mono_ms() - s->start_ms;

    if (s->outcome == OUT_NOT_MODIFIED)
        printf("nothing to do: the server has nothing new (%d)\n",
               s->result.http_status);
    else if (s->outcome == OUT_SAME_VERSION)
        printf("nothing to do: %s runs version %s already; "
               "--allow-same-version installs it again\n",
               boot_choice_name(s->running.choice), s->version);
    else if (s->o->partition)
        printf("%s holds what was received: %s bytes in %llu.%llu s\n",
               s->o->partition,
               cli_thousands(s->result.written_len, len, sizeof(len)),
               (unsigned long long)(ms / 1000),
               (unsigned long long)(ms % 1000 / 100));
    else
        printf("%s holds version %s: %s bytes in %llu.%llu s; it boots at "
               "the next reset\n",
               s->result.slot, s->version,
               cli_thousands(s->result.written_len, len, sizeof(len)),
               (unsigned long long)(ms / 1000),
               (unsigned long long)(ms % 1000 / 100));
}

static void warn_unknown(const struct session *s)
{
    if (s->outcome == OUT_UPDATED && s->result.pre.updatable == PRE_UPD_UNKNOWN)
        fputs("porta update: warning: the image does not say whether its "
              "program can fetch the next update (porta image create "
              "--ota-client)\n",
              stderr);
}

/* What to do, behind what happened, where there is room for all of it. */
static void add_hint(struct session *s)
{
    const char *hint = s->outcome == OUT_FAILED
                           ? update_hint(s->o, &s->result, &s->diag)
                           : NULL;
    size_t len = strlen(s->diag.text);

    if (hint && len + strlen(hint) + 3 <= sizeof(s->diag.text))
        snprintf(s->diag.text + len, sizeof(s->diag.text) - len, "; %s", hint);
}

static int report(const struct session *s)
{
    int status = s->outcome == OUT_UPDATED ? CLI_DONE : CLI_NOTHING;
    int said;

    warn_unknown(s);
    if (s->outcome == OUT_FAILED)
        status = cli_fail(&update_verb, &s->diag, false);
    if (!s->o->json && s->outcome != OUT_FAILED)
        result_text(s);
    said = s->o->json ? cli_json_print(&update_verb, result_json(s), status)
                      : cli_finish(&update_verb, status);
    if (s->outcome == OUT_UPDATED && said != status)
        fputs("porta update: the update itself is done, and is not to be "
              "tried again\n",
              stderr);
    return said;
}

int cmd_update(int argc, char **argv)
{
    static struct session s;
    struct update_opts o = UPDATE_OPTS;
    struct cli_args args;
    esp_err_t err;
    int status = cli_parse(&update_verb, argc, argv, &o, &args);

    if (status == CLI_GO)
        status = update_opts_check(&o);
    if (status != CLI_GO)
        return status;
    if (o.insecure)
        fputs("porta update: WARNING: --insecure: the server is not verified; "
              "anyone on the way can replace the firmware\n",
              stderr);
    catch_signals();
    s = (struct session){ .o = &o,
                          .url = args.val[1],
                          .dev = DEVICE_CLOSED,
                          .store = STORE_FILE_CLOSED,
                          .keep = store_file_keep(&s.store),
                          .diag = DIAG_NONE,
                          .result.image_len = -1,
                          .start_ms = linux_mono_ms() };
    err = cli_other_file(o.trace, args.val[0], &s.diag);
    if (!err && o.trace)
        err = trace_open(&s.trace, o.trace, &s.diag);
    if (!err)
        err = prepare(&s, args.val[0]);
    if (!err)
        err = run_session(&s);
    /* Whoever failed without a sentence still gets one. */
    if (err)
        (void)diag_fail(&s.diag, DIAG_STAGE_DOWNLOAD, err,
                        "the update failed: %s", err_name(err));
    session_close(&s);
    add_hint(&s);
    return report(&s);
}
