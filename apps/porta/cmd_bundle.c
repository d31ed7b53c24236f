/* porta bundle - CA certificates in little room, for devices. */
#include <string.h>

#include "cmds.h"
#include "linux_clock.h"
#include "linux_heap.h"
#include "linux_rng.h"
#include "tls/tls.h"
#include "trust_file.h"

#define BUNDLE_MAX_LEN (16u * 1024u * 1024u)
#define NAME_LEN 256u

struct bundle_opts {
    const char *out;
    bool json;
};

static const struct cli_opt build_opts[] = {
    { "-o", "FILE", "the bundle to write (required)", CLI_KIND_TEXT,
      offsetof(struct bundle_opts, out) },
    CLI_OPT_JSON(struct bundle_opts, json),
    CLI_OPT_END,
};

static const struct cli_opt show_opts[] = {
    CLI_OPT_JSON(struct bundle_opts, json),
    CLI_OPT_END,
};

static const struct cli_verb build_verb = {
    .name = "bundle build",
    .usage = "CERTS ...",
    .summary = "make a compact bundle of CA certificates",
    .text =
        "CERTS are files in PEM or DER, or folders of such. Of each authority\n"
        "the name and the public key are kept, sorted by name: the format of\n"
        "ESP-IDF's certificate bundle, for esp_crt_bundle_set() and for\n"
        "porta update --cacert. Certificates that have ended or have an RSA\n"
        "key below 2048 bits are left out, and counted: who is in a bundle is\n"
        "trusted for as long as it is used.",
    .example = "porta bundle build my-ca.pem -o trust.bin\n"
               "porta bundle build /etc/ssl/certs/ca-certificates.crt -o "
               "trust.bin",
    .opts = build_opts,
    .arg_min = 1,
    .arg_max = CLI_ARGS_MAX,
};

static const struct cli_verb show_verb = {
    .name = "bundle show",
    .usage = "FILE",
    .summary = "list the authorities in a compact bundle",
    .example = "porta bundle show trust.bin",
    .opts = show_opts,
    .arg_min = 1,
    .arg_max = 1,
};

static int64_t now_s(void)
{
    int64_t s = 0;

    return linux_clock.now_s(linux_clock.ctx, &s) == ESP_OK ? s : 0;
}

static esp_err_t start(struct diag *d)
{
    static const struct tls_env env = { &linux_heap, &linux_rng, &linux_clock };
    esp_err_t err = tls_init(&env);

    if (err)
        return diag_fail(d, DIAG_STAGE_TLS, err,
                         "the TLS library does not start: %s", err_name(err));
    return ESP_OK;
}

/* --- build ---------------------------------------------------------------- */

static bool put(cJSON *obj, const char *name, double number)
{
    return cJSON_AddNumberToObject(obj, name, number) != NULL;
}

static cJSON *build_json(const struct tls_bundle_build *b, size_t len)
{
    cJSON *obj = cJSON_CreateObject();

    if (obj && put(obj, "authorities", b->taken_cnt) &&
        put(obj, "len", (double)len) && put(obj, "twice", b->twice_cnt) &&
        put(obj, "ended", b->ended_cnt) && put(obj, "weak", b->weak_cnt) &&
        put(obj, "unreadable", b->bad_cnt))
        return obj;
    cJSON_Delete(obj);
    return NULL;
}

static void build_text(const struct tls_bundle_build *b, const char *path,
                       size_t len)
{
    const struct {
        uint32_t cnt;
        const char *why;
    } left_out[] = { { b->twice_cnt, "there already" },
                     { b->ended_cnt, "ended" },
                     { b->weak_cnt, "weak" },
                     { b->bad_cnt, "not readable" } };
    FILE *to = cli_is_stdout(path) ? stderr : stdout;
    const char *sep = "; left out: ";
    char text[32];

    fprintf(to, "%s: %u authorities, %s bytes", path, b->taken_cnt,
            cli_thousands(len, text, sizeof(text)));
    for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
        if (left_out[i].cnt == 0)
            continue;
        fprintf(to, "%s%u %s", sep, left_out[i].cnt, left_out[i].why);
        sep = ", ";
    }
    fputc('\n', to);
}

static esp_err_t build(const struct cli_args *args, const char *out,
                       struct tls_bundle_build *b, size_t *len, struct diag *d)
{
    struct cli_bytes bytes = CLI_BYTES_NONE;
    esp_err_t err = start(d);

    for (int i = 0; !err && i < args->cnt; i++)
        err = trust_add(b, args->val[i], d);
    if (!err)
        err = trust_finish(b, &bytes, d);
    *len = bytes.len;
    if (!err)
        err = cli_write_file(out, span_of(bytes.ptr, bytes.len), 0666, d);
    cli_bytes_free(&bytes);
    return err;
}

static int bundle_build(int argc, char **argv)
{
    struct bundle_opts o = { .out = NULL };
    struct tls_bundle_build b = { .heap = &linux_heap, .now_s = now_s() };
    struct diag d = DIAG_NONE;
    struct cli_args args;
    size_t len = 0;
    int status = cli_parse(&build_verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    if (!o.out)
        return cli_usage(&build_verb, "-o FILE is missing");
    if (build(&args, o.out, &b, &len, &d) != ESP_OK)
        status = cli_fail(&build_verb, &d, o.json);
    else if (o.json)
        status = cli_json_print(&build_verb, build_json(&b, len), CLI_DONE);
    else {
        build_text(&b, o.out, len);
        status = cli_finish(&build_verb, CLI_DONE);
    }
    tls_bundle_build_free(&b);
    return status;
}

/* --- show ----------------------------------------------------------------- */

static cJSON *show_json(const struct tls_bundle *b)
{
    cJSON *obj = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(obj, "authorities");
    bool ok = list && put(obj, "len", (double)b->bytes.len);

    for (uint32_t i = 0; ok && i < b->cnt; i++) {
        struct tls_anchor a = tls_bundle_at(b, i);
        char name[NAME_LEN], key[32];
        cJSON *row = cJSON_CreateObject();
        tls_anchor_name(&a, name, sizeof(name));
        tls_anchor_key(&a, key, sizeof(key));
        ok = cJSON_AddItemToArray(list, row) &&
             cJSON_AddStringToObject(row, "name", name) &&
             cJSON_AddStringToObject(row, "key", key);
    }
    if (ok)
        return obj;
    cJSON_Delete(obj);
    return NULL;
}

static void show_text(const struct tls_bundle *b)
{
    char text[32];

    printf("%u authorities, %s bytes\n", b->cnt,
           cli_thousands(b->bytes.len, text, sizeof(text)));
    for (uint32_t i = 0; i < b->cnt; i++) {
        struct tls_anchor a = tls_bundle_at(b, i);
        char name[NAME_LEN], key[32];
        tls_anchor_name(&a, name, sizeof(name));
        tls_anchor_key(&a, key, sizeof(key));
        printf("  %-9s %s\n", key, name);
    }
}

static esp_err_t load(const char *path, struct cli_bytes *bytes,
                      struct tls_bundle *b, struct diag *d)
{
    esp_err_t err = start(d);

    if (!err)
        err = cli_read_file(path, BUNDLE_MAX_LEN, bytes, d);
    if (err)
        return err;
    err = tls_bundle_parse(span_of(bytes->ptr, bytes->len), b);
    if (err)
        return diag_fail(d, DIAG_STAGE_FILE, err,
                         "%s (%zu bytes) is no certificate bundle, or a "
                         "damaged one; make one with porta bundle build",
                         path, bytes->len);
    return ESP_OK;
}

static int bundle_show(int argc, char **argv)
{
    struct bundle_opts o = { .out = NULL };
    struct cli_bytes bytes = CLI_BYTES_NONE;
    struct diag d = DIAG_NONE;
    struct tls_bundle b;
    struct cli_args args;
    int status = cli_parse(&show_verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    if (load(args.val[0], &bytes, &b, &d) != ESP_OK)
        status = cli_fail(&show_verb, &d, o.json);
    else if (o.json)
        status = cli_json_print(&show_verb, show_json(&b), CLI_DONE);
    else {
        show_text(&b);
        status = cli_finish(&show_verb, CLI_DONE);
    }
    cli_bytes_free(&bytes);
    return status;
}

int cmd_bundle(int argc, char **argv)
{
    static const struct cli_sub subs[] = {
        { "build", "make a compact bundle of CA certificates", bundle_build },
        { "show", "list the authorities in one", bundle_show },
    };

    return cli_dispatch("bundle", subs, sizeof(subs) / sizeof(subs[0]), argc,
                        argv);
}
