/* porta demo: the guided tour. Every step is judged by what the device's
 * console says and by what its flash holds afterwards. */
#include <string.h>
#include <unistd.h>

#include "cli_term.h"
#include "cmds.h"
#include "demo_world.h"
#include "device_ctx.h"
#include "image/build.h"
#include "linux_time.h"
#include "progress.h"

#define WAIT_MS 30000u
#define SLOT_MIN_LEN (1024u * 1024u)
#define SLOT_ALIGN (64u * 1024u)
#define SHOW_S 5u /* on a terminal the download takes about so long */

struct demo_opts {
    bool keep;
    const char *images;
    uint32_t rate, wait_ms;
};

static const struct cli_opt options[] = {
    { "--keep", NULL, "keep the files and say where they are", CLI_KIND_FLAG,
      offsetof(struct demo_opts, keep) },
    { "--throttle", "RATE", "bytes a second of the download", CLI_KIND_SIZE,
      offsetof(struct demo_opts, rate) },
    { "--images", "DIR", "folder of the example applications", CLI_KIND_TEXT,
      offsetof(struct demo_opts, images) },
    { "--wait", "S", "longest wait for the device in a step (30)",
      CLI_KIND_SECONDS, offsetof(struct demo_opts, wait_ms) },
    CLI_OPT_END,
};

static const struct cli_verb verb = {
    .name = "demo",
    .usage = "",
    .summary = "the guided tour: a device updates itself over HTTPS, and "
               "survives bad images",
    .text =
        "A device, which is a flash file, runs version 1, fetches version 2\n"
        "from a development server, restarts into it and confirms it. Then a\n"
        "truncated image, an image for another chip and a server that it does\n"
        "not trust are refused, and a version that crashes is rolled back.\n"
        "Ends with 0 only if every step ended as it should.",
    .example = "porta demo\nporta demo --keep",
    .opts = options,
};

/* --- the tour's state ----------------------------------------------------- */

struct tour {
    struct demo w;
    const struct demo_opts *o;
    struct cli_bytes v1, v2, v3;
    uint32_t slot_len;
    struct diag diag;
    char sentence[300]; /* what the device said when it refused */
    struct progress progress;
    bool tty;
    cJSON *list; /* of steps, with --json */
    unsigned failed, done;
};

static esp_err_t fail(struct tour *t, const char *what)
{
    return diag_fail(&t->diag, DIAG_STAGE_BOOT, ESP_FAIL, "%s", what);
}

static esp_err_t load(struct tour *t, const char *name, struct cli_bytes *out)
{
    char path[DEMO_PATH_LEN + 32];

    snprintf(path, sizeof(path), "%s/%s", t->w.images, name);
    return cli_read_file(path, IMG_MAX_LEN, out, &t->diag);
}

/* What a request of /app.bin finds. */
static esp_err_t offer(struct tour *t, const void *image, size_t len)
{
    return demo_write(&t->w, "www/app.bin", span_of(image, len), &t->diag);
}

/* URL and CA into the device's settings. */
static esp_err_t provision(struct tour *t, const struct demo_server *server)
{
    static char text[4096];
    struct cli_bytes ca = CLI_BYTES_NONE;
    char path[DEMO_PATH_LEN];
    const char *args[] = {
        "flash", "write", t->w.flash, "settings", path, NULL
    };
    esp_err_t err =
        cli_read_file(t->w.server.cert.ca_path, 3000, &ca, &t->diag);

    if (err)
        return err;
    snprintf(text, sizeof(text), "https://localhost:%u/app.bin\n%s",
             serve_port(server->serve), (const char *)ca.ptr);
    cli_bytes_free(&ca);
    snprintf(path, sizeof(path), "%s/settings.txt", t->w.folder);
    err = demo_write(&t->w, "settings.txt", span_str(text), &t->diag);
    return err ? err : demo_porta(&t->w, args, &t->diag);
}

/* Does the flash say that this slot runs, with this version, confirmed? */
static esp_err_t check_flash(struct tour *t, uint32_t slot, const char *version)
{
    static struct device dev;
    static struct boot_result next;
    const struct device_args args = DEVICE_ARGS;
    struct device_running run;
    struct img_header header;
    struct img_desc desc;
    esp_err_t err =
        device_open(&dev, t->w.flash, LINUX_FLASH_READ, &args, &t->diag);

    if (err)
        return err;
    device_running(&dev, &next, &run);
    if (run.choice != slot || !run.part)
        err = fail(t, "the flash does not boot the slot that it should");
    else if (run.state != OTA_STATE_VALID)
        err = fail(t, "the running image is not confirmed");
    else if (!device_image_head(&dev, run.part, &header, &desc) ||
             strcmp(desc.version, version) != 0)
        err = fail(t, "another version is in the running slot");
    device_close(&dev);
    return err;
}

static void show_download(void *ctx)
{
    struct tour *t = ctx;
    uint64_t sent_len, total_len;

    serve_progress(t->w.server.serve, &sent_len, &total_len);
    if (t->tty && total_len > 0)
        progress_show(&t->progress, "download", sent_len, total_len);
}

static esp_err_t expect(struct tour *t, const char *text)
{
    return demo_expect(&t->w, text, &t->diag);
}

/* --- steps ---------------------------------------------------------------- */

static esp_err_t step_make(struct tour *t)
{
    static char csv[512];
    char table[DEMO_PATH_LEN], app[DEMO_PATH_LEN + 64], size[16];
    const char *args[] = { "flash", "create", "-o", t->w.flash, "--chip",
                           "linux", "--size", size, "--table",  table,
                           "--app", app,      NULL };
    int len = snprintf(csv, sizeof(csv),
                       "nvs,data,nvs,,0x4000\notadata,data,ota,,0x2000\n"
                       "phy_init,data,phy,,0x1000\n"
                       "settings,data,undefined,,0x1000\n"
                       "ota_0,app,ota_0,,0x%x\nota_1,app,ota_1,,0x%x\n",
                       (unsigned)t->slot_len, (unsigned)t->slot_len);
    uint32_t need = 0x20000 + 2 * t->slot_len;
    uint32_t flash_len = 4u * 1024 * 1024;
    esp_err_t err = demo_write(&t->w, "partitions.csv",
                               span_of(csv, (size_t)len), &t->diag);

    while (flash_len < need)
        flash_len *= 2;
    snprintf(size, sizeof(size), "%u", (unsigned)flash_len);
    snprintf(table, sizeof(table), "%s/partitions.csv", t->w.folder);
    snprintf(app, sizeof(app), "ota_0=%s/simple-1.bin", t->w.images);
    return err ? err : demo_porta(&t->w, args, &t->diag);
}

static esp_err_t step_serve(struct tour *t)
{
    uint32_t rate = t->o->rate;
    esp_err_t err = offer(t, t->v2.ptr, t->v2.len);

    if (!rate && t->tty)
        rate = (uint32_t)(t->v2.len / SHOW_S);
    if (!err)
        err = demo_serve(&t->w, &t->w.server, "certs", rate, &t->diag);
    if (!err)
        err = demo_serve(&t->w, &t->w.stranger, "other-certs", 0, &t->diag);
    return err ? err : provision(t, &t->w.server);
}

static esp_err_t step_boot(struct tour *t)
{
    esp_err_t err = demo_power_on(&t->w, &t->diag);

    return err ? err : expect(t, "version 1 runs from ota_0");
}

static esp_err_t step_download(struct tour *t)
{
    esp_err_t err;

    progress_begin(&t->progress, "porta demo");
    t->w.tick = show_download;
    t->w.tick_ctx = t;
    err = expect(t, "the new version is in place");
    t->w.tick = NULL;
    progress_end(&t->progress);
    return err;
}

static esp_err_t step_reset(struct tour *t)
{
    return expect(t, "version 2 runs from ota_1");
}

static esp_err_t step_confirm(struct tour *t)
{
    esp_err_t err = expect(t, "is confirmed");

    if (!err)
        err = expect(t, "version 2 keeps running");
    if (!err)
        err = demo_power_off(&t->w, &t->diag);
    return err ? err : check_flash(t, 1, "2");
}

/* The device's own sentence: the message of its first error line, without
 * level, time and tag. */
static bool find_sentence(struct tour *t)
{
    const char *at = strstr(t->w.console, "\nE (");
    const char *end, *text;

    if (!at)
        return false;
    at++;
    end = at + strcspn(at, "\n");
    text = strstr(at, ": ");
    if (!text || text > end)
        return false;
    text += 2;
    snprintf(t->sentence, sizeof(t->sentence), "%.*s", (int)(end - text), text);
    return t->sentence[0] != '\0';
}

/* One start of version 2: it asks for an update, refuses what it gets, and
 * goes on. */
static esp_err_t refused(struct tour *t, const char *word)
{
    esp_err_t err = demo_power_on(&t->w, &t->diag);

    if (!err)
        err = expect(t, "refused: ");
    if (!err)
        err = expect(t, "version 2 keeps running");
    if (!err)
        err = demo_power_off(&t->w, &t->diag);
    if (!err)
        err = check_flash(t, 1, "2");
    if (!err && !find_sentence(t))
        err = fail(t, "the device refused without a sentence");
    if (!err && !strstr(t->sentence, word))
        err = diag_fail(&t->diag, DIAG_STAGE_BOOT, ESP_FAIL,
                        "it was refused for another reason: %s", t->sentence);
    return err;
}

static esp_err_t step_truncated(struct tour *t)
{
    esp_err_t err = offer(t, t->v3.ptr, t->v3.len / 3);

    return err ? err : refused(t, "cut short");
}

static esp_err_t step_other_chip(struct tour *t)
{
    static uint8_t image[8192];
    static const uint8_t body[4096] = { 1 };
    const struct img_build_seg seg = { 0x20000000, { body, sizeof(body) } };
    struct img_build build = {
        .header = { .chip_id = 0, .hash_appended = 1, .max_rev = UINT16_MAX },
        .desc = { .version = "4", .project = "simple" },
        .segs = &seg,
        .seg_cnt = 1
    };
    uint32_t len;
    esp_err_t err = img_build(&build, image, sizeof(image), &len, &t->diag);

    if (!err)
        err = offer(t, image, len);
    return err ? err : refused(t, "esp32");
}

static esp_err_t step_stranger(struct tour *t)
{
    esp_err_t err = offer(t, t->v3.ptr, t->v3.len);

    if (!err)
        err = provision(t, &t->w.stranger);
    if (!err)
        err = refused(t, "porta development CA");
    return err ? err : provision(t, &t->w.server);
}

static esp_err_t step_crash(struct tour *t)
{
    esp_err_t err = offer(t, t->v3.ptr, t->v3.len);

    t->w.server.conf.rate = 0;
    if (!err)
        err = demo_power_on(&t->w, &t->diag);
    if (!err)
        err = expect(t, "version 3 runs from ota_0");
    return err;
}

static esp_err_t step_rolled_back(struct tour *t)
{
    esp_err_t err = expect(t, "crashed and was rolled back");

    if (!err)
        err = expect(t, "version 2 keeps running");
    if (!err)
        err = demo_power_off(&t->w, &t->diag);
    return err ? err : check_flash(t, 1, "2");
}

struct step {
    const char *text;
    esp_err_t (*run)(struct tour *t);
};

static const struct step steps[] = {
    { "a device is made: NOR flash with version 1 in ota_0", step_make },
    { "a server offers version 2, with a certificate of its own CA",
      step_serve },
    { "the device boots version 1 from ota_0", step_boot },
    { "version 1 calls esp_https_ota(): version 2 comes over TLS, is checked "
      "and written to ota_1",
      step_download },
    { "the board resets; the bootloader verifies and starts ota_1",
      step_reset },
    { "version 2 works and confirms itself", step_confirm },
    { "a truncated image is refused", step_truncated },
    { "an image for another chip is refused", step_other_chip },
    { "a server with a wrong certificate is refused", step_stranger },
    { "version 3 is installed, and crashes before it confirms itself",
      step_crash },
    { "the bootloader rolls back: version 2 runs again", step_rolled_back },
};
#define STEP_CNT (sizeof(steps) / sizeof(steps[0]))

/* --- the tour ------------------------------------------------------------- */

static void step_text(struct tour *t, const struct step *step, bool ok)
{
    if (!ok)
        printf("FAILED  %s: %s\n", step->text, t->diag.text);
    else if (term_quiet())
        return;
    else if (t->sentence[0])
        printf("ok      %s: \"%s\"\n", step->text, t->sentence);
    else
        printf("ok      %s\n", step->text);
    fflush(stdout);
}

static void step_json(struct tour *t, const struct step *step, bool ok)
{
    cJSON *obj = cJSON_CreateObject();

    cJSON_AddStringToObject(obj, "step", step->text);
    cJSON_AddBoolToObject(obj, "ok", ok);
    cJSON_AddStringToObject(obj, "said", ok ? t->sentence : t->diag.text);
    cJSON_AddItemToArray(t->list, obj);
}

static bool run_step(struct tour *t, const struct step *step)
{
    bool ok;

    t->diag = (struct diag)DIAG_NONE;
    t->sentence[0] = '\0';
    ok = step->run(t) == ESP_OK;
    (cli_json() ? step_json : step_text)(t, step, ok);
    t->done++;
    t->failed += !ok;
    return ok;
}

static esp_err_t prepare(struct tour *t)
{
    size_t len;
    esp_err_t err = demo_open(&t->w, t->o->images, &t->diag);

    if (!err)
        err = load(t, "simple-1.bin", &t->v1);
    if (!err)
        err = load(t, "simple-2.bin", &t->v2);
    if (!err)
        err = load(t, "simple-3.bin", &t->v3);
    if (err)
        return err;
    len = t->v1.len > t->v2.len ? t->v1.len : t->v2.len;
    len = len > t->v3.len ? len : t->v3.len;
    t->slot_len = (uint32_t)(len + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;
    if (t->slot_len < SLOT_MIN_LEN)
        t->slot_len = SLOT_MIN_LEN;
    return ESP_OK;
}

/* NULL: out of memory. */
static cJSON *report_json(struct tour *t, bool ok, uint64_t ms)
{
    cJSON *obj = cJSON_CreateObject(), *list = t->list;

    t->list = NULL;
    if (!cJSON_AddItemToObject(obj, "steps", list)) {
        cJSON_Delete(list);
        cJSON_Delete(obj);
        return NULL;
    }
    cJSON_AddStringToObject(obj, "result", ok ? "ok" : "failed");
    cJSON_AddNumberToObject(obj, "elapsed_ms", (double)ms);
    if (t->w.keep)
        cJSON_AddStringToObject(obj, "folder", t->w.folder);
    else
        cJSON_AddNullToObject(obj, "folder");
    return obj;
}

static int report(struct tour *t, uint64_t ms)
{
    bool ok = !t->failed && t->done == STEP_CNT;
    int status = ok ? CLI_DONE : CLI_FAILED;

    if (cli_json())
        return cli_json_print(&verb, report_json(t, ok, ms), status);
    if (t->w.keep)
        printf("the files are in %s\n", t->w.folder);
    printf("%s: %u of %u steps ok, %llu.%llu s\n", ok ? "ok" : "FAILED",
           t->done - t->failed, (unsigned)STEP_CNT,
           (unsigned long long)(ms / 1000),
           (unsigned long long)(ms % 1000 / 100));
    return cli_finish(&verb, status);
}

static void close_tour(struct tour *t)
{
    demo_close(&t->w);
    cli_bytes_free(&t->v1);
    cli_bytes_free(&t->v2);
    cli_bytes_free(&t->v3);
    cJSON_Delete(t->list);
    t->list = NULL;
}

int cmd_demo(int argc, char **argv)
{
    static struct tour t;
    struct demo_opts o = { .wait_ms = WAIT_MS };
    struct cli_args args;
    uint64_t start_ms = linux_mono_ms();
    int status = cli_parse(&verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    t.o = &o;
    t.w.keep = o.keep;
    t.w.wait_ms = o.wait_ms;
    t.tty = isatty(STDERR_FILENO) && isatty(STDOUT_FILENO);
    t.list = cJSON_CreateArray();
    if (prepare(&t) != ESP_OK) {
        status = cli_fail(&verb, &t.diag, cli_json());
    } else {
        /* A step stands on the one before it: the first failure ends the
         * tour. */
        for (size_t i = 0; i < STEP_CNT && !demo_interrupted(); i++)
            if (!run_step(&t, &steps[i]))
                break;
        status = report(&t, linux_mono_ms() - start_ms);
    }
    close_tour(&t);
    return status;
}
