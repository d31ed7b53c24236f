/* One test: a copy of the flash, a server, an update by this very program as a
 * process of its own, what follows it, and a look at what became of it. */
#include "scenario.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "capture.h"
#include "device_ctx.h"
#include "serve_cert.h"
#include "serve_http.h"
#include "temp_folder.h"

#define PATH_LEN 4096
#define FOLDER_LEN (PATH_LEN - 64) /* room for the names in it */
#define SAID_LEN 65536u
#define WORDS_MAX (SCENARIO_OPTIONS_MAX + 16u)
#define FLASH_MAX_LEN (256u * 1024u * 1024u)

struct scenario_lab {
    char base[1024], folder[FOLDER_LEN];
    char flash[PATH_LEN], www[PATH_LEN]; /* the copy; what is served */
    struct device dev;
    struct boot_result next;
    struct diag diag;
    const struct capture_watch *watch;
    char said[SAID_LEN];
    char url[64];
    struct serve_cert cert;
    struct serve_conf conf;
    struct serve *serve;
};

/* --- the place ------------------------------------------------------------ */

static esp_err_t make_folder(struct scenario_lab *lab, struct diag *d)
{
    esp_err_t err =
        temp_folder_make(lab->folder, sizeof(lab->folder), "porta-test", d);

    if (err)
        return err;
    snprintf(lab->flash, sizeof(lab->flash), "%s/flash.bin", lab->folder);
    snprintf(lab->www, sizeof(lab->www), "%s/www", lab->folder);
    (void)mkdir(lab->www, 0700);
    return ESP_OK;
}

esp_err_t scenario_lab_open(struct scenario_lab **out, const char *base,
                            const struct capture_watch *watch, struct diag *d)
{
    struct scenario_lab *lab = calloc(1, sizeof(*lab));
    esp_err_t err;

    *out = NULL;
    if (!lab)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM, "out of memory");
    lab->dev = (struct device)DEVICE_CLOSED;
    lab->watch = watch;
    snprintf(lab->base, sizeof(lab->base), "%s", base);
    err = make_folder(lab, d);
    if (err)
        free(lab);
    else
        *out = lab;
    return err;
}

void scenario_lab_close(struct scenario_lab *lab)
{
    if (!lab)
        return;
    temp_folder_remove(lab->folder);
    free(lab);
}

/* A file of the scenario: its name starts from the scenario's folder. */
static void place(const struct scenario_lab *lab, const char *name,
                  char out[PATH_LEN])
{
    snprintf(out, PATH_LEN, "%.1023s%s%.3000s", name[0] == '/' ? "" : lab->base,
             name[0] == '/' ? "" : "/", name);
}

esp_err_t scenario_lab_spare(const struct scenario_lab *lab,
                             const struct scenario_test *t, const char *out,
                             struct diag *d)
{
    char path[PATH_LEN];
    esp_err_t err;

    place(lab, t->flash, path);
    err = cli_other_file(out, path, d);
    if (err)
        return err;
    place(lab, t->image, path);
    return cli_other_file(out, path, d);
}

/* A pipe would be waited for, and be empty for the next test. */
static esp_err_t find(struct scenario_lab *lab, const char *name,
                      char out[PATH_LEN])
{
    struct stat st;

    place(lab, name, out);
    if (stat(out, &st) != 0 || S_ISREG(st.st_mode))
        return ESP_OK; /* whoever reads it says what is wrong */
    return diag_fail(&lab->diag, DIAG_STAGE_FILE, ESP_ERR_INVALID_ARG,
                     "%s is not a regular file", text_name(out).text);
}

static esp_err_t copy(struct scenario_lab *lab, const char *name,
                      const char *to)
{
    struct cli_bytes bytes = CLI_BYTES_NONE;
    char from[PATH_LEN];
    esp_err_t err = find(lab, name, from);

    if (!err)
        err = cli_read_file(from, FLASH_MAX_LEN, &bytes, &lab->diag);
    if (!err)
        err =
            cli_write_file(to, span_of(bytes.ptr, bytes.len), 0600, &lab->diag);
    cli_bytes_free(&bytes);
    return err;
}

/* --- the server ----------------------------------------------------------- */

/* Which certificate the server shows, and where it and its CA are. */
static void cert_names(enum scenario_server kind, const char **folder,
                       struct serve_names *names)
{
    *folder = "certs";
    names->cnt = 0;
    if (kind == SCENARIO_WRONG_HOST) {
        *folder = "elsewhere";
        serve_names_add(names, "elsewhere.invalid");
        return;
    }
    if (kind == SCENARIO_WRONG_CERT)
        *folder = "stranger";
    serve_names_default(names);
}

/* The CA that the device trusts; it is made with its server. */
static esp_err_t trusted(struct scenario_lab *lab, enum scenario_server kind,
                         char ca[PATH_LEN])
{
    static struct serve_names names;
    struct serve_cert cert = { 0 };
    const char *folder;
    char path[PATH_LEN];
    esp_err_t err;

    if (kind == SCENARIO_WRONG_CERT)
        kind = SCENARIO_NORMAL;
    cert_names(kind, &folder, &names);
    snprintf(path, sizeof(path), "%s/%s", lab->folder, folder);
    err = serve_cert_ready(path, &names, &cert, &lab->diag);
    snprintf(ca, PATH_LEN, "%s/%s/ca.pem", lab->folder, folder);
    serve_cert_free(&cert);
    return err;
}

static esp_err_t server_start(struct scenario_lab *lab,
                              const struct scenario_test *t)
{
    static struct serve_names names;
    const char *folder;
    char path[PATH_LEN];
    esp_err_t err;

    cert_names(t->server, &folder, &names);
    snprintf(path, sizeof(path), "%s/%s", lab->folder, folder);
    err = serve_cert_ready(path, &names, &lab->cert, &lab->diag);
    lab->conf =
        (struct serve_conf){ .folder = lab->www,
                             .bind_addr = "127.0.0.1",
                             .tls.cert = (const char *)lab->cert.cert.ptr,
                             .tls.key = (const char *)lab->cert.key.ptr,
                             .fault = t->fault,
                             .rate = t->rate,
                             .quiet = true };
    if (!err)
        err = serve_start(&lab->serve, &lab->conf, &lab->diag);
    if (!err)
        snprintf(lab->url, sizeof(lab->url), "https://localhost:%u/image.bin",
                 serve_port(lab->serve));
    return err;
}

static void server_stop(struct scenario_lab *lab)
{
    serve_stop(lab->serve);
    lab->serve = NULL;
    serve_cert_free(&lab->cert);
}

/* --- processes ------------------------------------------------------------ */

/* This program again. lab->said is what it printed. */
static int porta(struct scenario_lab *lab, const char *const *words,
                 uint32_t limit_ms)
{
    const char *all[WORDS_MAX + 1] = { "/proc/self/exe" };
    const struct capture_what what = { all, limit_ms, true, lab->watch };

    for (size_t i = 0; words[i] && i + 2 < WORDS_MAX; i++)
        all[i + 1] = words[i];
    return capture(&what, lab->said, sizeof(lab->said));
}

/* A text of the object that was printed, "" when it has none. */
static void said_text(const struct scenario_lab *lab, const char *in,
                      const char *key, char *out, size_t len)
{
    cJSON *obj = cJSON_Parse(lab->said);
    const cJSON *at =
        in ? cJSON_GetObjectItemCaseSensitive(obj, in) : (const cJSON *)obj;
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(at, key));

    snprintf(out, len, "%s", text ? text : "");
    cJSON_Delete(obj);
}

/* A difference between what was to be and what is. */
struct why {
    char *text;
    size_t len;
};

static esp_err_t differs(const struct why *why, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

static esp_err_t differs(const struct why *why, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(why->text, why->len, fmt, args);
    va_end(args);
    (void)text_clean(span_str(why->text), why->text, why->len);
    return ESP_FAIL;
}

/* --- an update ------------------------------------------------------------ */

static int update(struct scenario_lab *lab, const struct scenario_test *t,
                  uint32_t cut, const char *ca)
{
    const char *words[WORDS_MAX] = { "update",   lab->flash, lab->url,
                                     "--cacert", ca,         "--json" };
    char number[16];
    size_t cnt = 6;

    for (uint32_t i = 0; i < t->option_cnt; i++)
        words[cnt++] = t->options[i];
    if (cut) {
        snprintf(number, sizeof(number), "%u", (unsigned)cut);
        words[cnt++] = "--power-cut";
        words[cnt++] = number;
    }
    return porta(lab, words, t->limit_ms);
}

/* A process that did not come to its end. */
static esp_err_t check_alive(int status, const struct scenario_test *t,
                             const char *what, const struct why *why)
{
    if (status >= 0)
        return ESP_OK;
    if (status == CAPTURE_TIMEOUT)
        return differs(why, "the %s did not end within %u s", what,
                       (unsigned)(t->limit_ms / 1000));
    if (status <= CAPTURE_SIGNAL(0))
        return differs(why, "the %s died of signal %d", what,
                       CAPTURE_SIGNAL(0) - status);
    return differs(why, "the %s could not be started", what);
}

/* An update that ended in order says how. One that did not begin, for its
 * options are wrong, tested nothing. */
static esp_err_t check_ended(struct scenario_lab *lab,
                             const struct scenario_test *t, int status,
                             const struct why *why)
{
    char result[32], message[330];
    esp_err_t err = check_alive(status, t, "update", why);

    if (err)
        return err;
    said_text(lab, NULL, "result", result, sizeof(result));
    said_text(lab, "error", "message", message, sizeof(message));
    if (result[0] && status != CLI_USAGE)
        return ESP_OK;
    return differs(why, "the update did not begin (exit status %d)%s%s", status,
                   message[0] ? ": " : ", look at its options", message);
}

/* How the update was to end, in the words of its own result. */
static esp_err_t check_result(struct scenario_lab *lab,
                              const struct scenario_test *t, const char *want,
                              const struct why *why)
{
    char result[32], stage[32], message[330];

    said_text(lab, NULL, "result", result, sizeof(result));
    said_text(lab, "error", "stage", stage, sizeof(stage));
    said_text(lab, "error", "message", message, sizeof(message));
    if (want && strcmp(result, want) != 0)
        return differs(why, "the update ended with %s, %s was expected%s%s",
                       result[0] ? result : "no result", want,
                       message[0] ? ": " : "", message);
    if (t->want.stage && want == t->want.update &&
        strcmp(stage, t->want.stage) != 0)
        return differs(why,
                       "the update failed in stage %s, %s was expected: %s",
                       stage, t->want.stage, message);
    return ESP_OK;
}

static esp_err_t check_update(struct scenario_lab *lab,
                              const struct scenario_test *t, int status,
                              const struct why *why)
{
    esp_err_t err = check_ended(lab, t, status, why);

    return err ? err : check_result(lab, t, t->want.update, why);
}

/* The power goes as SIGKILL, with last words (update_cut.h); any other death
 * is one that happened before it. */
static esp_err_t check_cut(struct scenario_lab *lab,
                           const struct scenario_test *t, int status,
                           const struct why *why)
{
    char result[32];
    esp_err_t err;

    said_text(lab, NULL, "result", result, sizeof(result));
    if (status == CAPTURE_SIGNAL(SIGKILL) && strcmp(result, "power_cut") == 0)
        return ESP_OK;
    err = check_ended(lab, t, status, why);
    if (!err)
        err = check_result(lab, t, "updated", why);
    return err ? err
               : differs(why, "the cut did not happen: the update was done "
                              "before it came to that flash operation");
}

static esp_err_t first_update(struct scenario_lab *lab,
                              const struct scenario_test *t, uint32_t cut,
                              const struct why *why)
{
    char ca[PATH_LEN];
    esp_err_t err = trusted(lab, t->server, ca);
    int status;

    if (!err)
        err = server_start(lab, t);
    if (!err && t->server == SCENARIO_ABSENT)
        server_stop(lab);
    if (err)
        return err;
    status = update(lab, t, cut, ca);
    server_stop(lab);
    return cut ? check_cut(lab, t, status, why)
               : check_update(lab, t, status, why);
}

/* The same from a server that is as it should be. */
static esp_err_t update_again(struct scenario_lab *lab,
                              const struct scenario_test *t,
                              const struct why *why)
{
    struct scenario_test plain = *t;
    char ca[PATH_LEN], detail[480] = "";
    const struct why inner = { detail, sizeof(detail) };
    esp_err_t err;
    int status;

    plain.server = SCENARIO_NORMAL;
    plain.fault = (struct serve_fault){ .kind = SERVE_FAULT_NONE };
    err = trusted(lab, plain.server, ca);
    if (!err)
        err = server_start(lab, &plain);
    if (err)
        return err;
    status = update(lab, &plain, 0, ca);
    server_stop(lab);
    err = check_ended(lab, t, status, &inner);
    if (!err)
        err = check_result(lab, t, t->want.again, &inner);
    return err ? differs(why, "tried again: %s", detail) : ESP_OK;
}

/* --- what became of the device -------------------------------------------- */

static const char *boots(const struct scenario_lab *lab)
{
    return lab->next.plan.action == BOOT_ACT_BOOT
               ? boot_choice_name(lab->next.plan.choice)
               : "nothing";
}

static const char *state_of_boot(const struct scenario_lab *lab)
{
    uint32_t slots = part_ota_cnt(&lab->dev.parts.table);

    for (int i = 0; slots && lab->next.has_otadata && i < 2; i++) {
        const struct ota_rec *rec = &lab->next.otadata.rec[i];

        if (rec->seq != OTADATA_SEQ_NONE && ota_rec_crc_ok(rec) &&
            ota_seq_slot(rec->seq, slots) == lab->next.plan.choice)
            return ota_state_name(rec->state);
    }
    return "none";
}

static esp_err_t check_device(struct scenario_lab *lab,
                              const struct scenario_test *t,
                              const struct why *why)
{
    struct img_header header;
    struct img_desc desc = { 0 };

    boot_decide(&lab->dev.boot, &lab->next);
    if (t->want.boot ? strcmp(boots(lab), t->want.boot) != 0
                     : lab->next.plan.action != BOOT_ACT_BOOT)
        return differs(why, "%s boots, %s was expected: %s", boots(lab),
                       t->want.boot ? t->want.boot : "something",
                       boot_reason_text(lab->next.plan.reason));
    if (lab->next.part)
        (void)device_image_head(&lab->dev, lab->next.part, &header, &desc);
    if (t->want.version && strcmp(desc.version, t->want.version) != 0)
        return differs(why, "version %.40s boots, %.40s was expected",
                       desc.version, t->want.version);
    if (t->want.state && strcmp(state_of_boot(lab), t->want.state) != 0)
        return differs(why, "the record of %s is %s, %.40s was expected",
                       boots(lab), state_of_boot(lab), t->want.state);
    return ESP_OK;
}

static esp_err_t look_at_device(struct scenario_lab *lab,
                                const struct scenario_test *t,
                                const struct why *why)
{
    struct device_args args = DEVICE_ARGS;
    esp_err_t err =
        device_open(&lab->dev, lab->flash, LINUX_FLASH_READ, &args, &lab->diag);

    if (!err)
        err = check_device(lab, t, why);
    device_close(&lab->dev);
    return err;
}

static esp_err_t follow(struct scenario_lab *lab, const struct scenario_test *t,
                        const struct why *why)
{
    for (uint32_t i = 0; i < t->then_cnt; i++) {
        const char *words[] = { t->then[i], lab->flash, "--json", NULL };
        char message[330];

        if (porta(lab, words, t->limit_ms) == 0)
            continue;
        said_text(lab, "error", "message", message, sizeof(message));
        return differs(why, "then %s: %s", t->then[i], message);
    }
    return ESP_OK;
}

/* --- a test --------------------------------------------------------------- */

static esp_err_t run_once(struct scenario_lab *lab,
                          const struct scenario_test *t, uint32_t cut,
                          const struct why *why)
{
    char image[PATH_LEN];
    esp_err_t err = copy(lab, t->flash, lab->flash);

    snprintf(image, sizeof(image), "%s/www/image.bin", lab->folder);
    if (!err)
        err = copy(lab, t->image, image);
    if (!err)
        err = first_update(lab, t, cut, why);
    if (!err)
        err = follow(lab, t, why);
    if (!err)
        err = look_at_device(lab, t, why);
    return err || !t->want.again ? err : update_again(lab, t, why);
}

static esp_err_t run_torture(struct scenario_lab *lab,
                             const struct scenario_test *t,
                             const struct why *why)
{
    const char *words[WORDS_MAX] = { "torture", lab->flash, "--image", NULL,
                                     "--json" };
    char image[PATH_LEN], message[330], seq[200], result[8];
    size_t cnt = 5;
    int status;

    if (copy(lab, t->flash, lab->flash) || find(lab, t->image, image))
        return lab->diag.err;
    words[3] = image;
    for (uint32_t i = 0; i < t->option_cnt; i++)
        words[cnt++] = t->options[i];
    status = porta(lab, words, t->limit_ms);
    said_text(lab, NULL, "result", result, sizeof(result));
    if (status == 0 && strcmp(result, "ok") == 0)
        return ESP_OK;
    if (check_alive(status, t, "torture", why))
        return ESP_FAIL;
    said_text(lab, NULL, "why", message, sizeof(message));
    said_text(lab, NULL, "sequence", seq, sizeof(seq));
    if (message[0])
        return differs(why, "%s; porta torture --replay %s", message, seq);
    said_text(lab, "error", "message", message, sizeof(message));
    return differs(why, "%s", message[0] ? message : "the torture failed");
}

esp_err_t scenario_run(struct scenario_lab *lab, const struct scenario_test *t,
                       char *text, size_t len)
{
    const struct why why = { text, len };
    char detail[480] = "";
    const struct why inner = { detail, sizeof(detail) };
    esp_err_t err = ESP_OK;

    text[0] = '\0';
    lab->diag = (struct diag)DIAG_NONE;
    if (t->torture)
        err = run_torture(lab, t, &inner);
    else if (t->cut_cnt == 0)
        err = run_once(lab, t, 0, &inner);
    for (uint32_t i = 0; !err && i < t->cut_cnt; i++) {
        err = run_once(lab, t, t->cut[i], &inner);
        if (err)
            return differs(&why, "power_cut %u: %s", (unsigned)t->cut[i],
                           lab->diag.err ? lab->diag.text : detail);
    }
    if (err && lab->diag.err)
        return differs(&why, "a copy of %s, which is offered %s: %s", t->flash,
                       t->image, lab->diag.text);
    return err ? differs(&why, "%s", detail) : ESP_OK;
}
