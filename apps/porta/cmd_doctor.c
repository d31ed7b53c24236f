/* porta doctor */
#include "base/num.h"
#include "cli_term.h"
#include "cmds.h"
#include "doctor.h"

#define PORT_DEFAULT 8070u

static const struct cli_opt options[] = {
    { "--for", "run|project|build|test|board",
      "what the machine is for: what is missing for it is bad", CLI_KIND_TEXT,
      offsetof(struct doctor_opts, purpose) },
    { "--port", "N", "the port that porta serve is to have (8070)",
      CLI_KIND_TEXT, offsetof(struct doctor_opts, port_text) },
    { "--cert", "FILE", "a server's certificate with its chain, PEM",
      CLI_KIND_TEXT, offsetof(struct doctor_opts, cert) },
    { "--key", "FILE", "its private key, PEM", CLI_KIND_TEXT,
      offsetof(struct doctor_opts, key) },
    { "--cacert", "FILE", "the CAs that clients trust (the system's)",
      CLI_KIND_TEXT, offsetof(struct doctor_opts, ca) },
    { "--host", "NAME", "the server's name in the URL", CLI_KIND_TEXT,
      offsetof(struct doctor_opts, host) },
    DEVICE_OPTS_CHIP(struct doctor_opts, dev),
    DEVICE_OPTS_BOOT(struct doctor_opts, dev),
    CLI_OPT_END,
};

static const struct cli_verb verb = {
    .name = "doctor",
    .usage = "[FLASH]",
    .summary = "check this machine, and say how to mend what is wrong",
    .text =
        "Looks at the programs that porta build, make, the tests and the board "
        "need, at the\nclock, the port of porta serve and the CAs of the "
        "system; with --cert at a server's\ncertificate: dates, chain, host "
        "name, key; with FLASH at a flash file. Nothing is\nchanged.\n\n"
        "Ends with 1 when something is bad. Programs that are missing are "
        "only that when\n--for says that they are needed.",
    .example = "porta doctor\n"
               "porta doctor --for build\n"
               "porta doctor --cert server.pem --key server.key --host "
               "fw.example.com\n"
               "porta doctor device.bin --json",
    .opts = options,
    .arg_max = 1,
};

static size_t count(const struct doctor *d, enum doctor_status status)
{
    size_t cnt = 0;

    for (size_t i = 0; i < d->cnt; i++)
        cnt += d->check[i].status == status;
    return cnt;
}

static void print(const struct doctor *d)
{
    static const char *const words[] = { "ok", "warn", "BAD" };
    static const enum term_ink inks[] = { TERM_GREEN, TERM_YELLOW, TERM_RED };

    for (size_t i = 0; i < d->cnt; i++) {
        const struct doctor_check *c = &d->check[i];

        if (term_quiet() && c->status == DOCTOR_OK)
            continue;
        printf("%s%-4s%s %s: %s\n", term_on(stdout, inks[c->status]),
               words[c->status], term_off(stdout), c->name, c->found);
        if (c->mend[0])
            printf("     -> %s\n", c->mend);
    }
    printf("%zu ok, %zu warnings, %zu bad\n", count(d, DOCTOR_OK),
           count(d, DOCTOR_WARN), count(d, DOCTOR_BAD));
}

static cJSON *check_json(const struct doctor_check *c)
{
    static const char *const words[] = { "ok", "warn", "bad" };
    cJSON *obj = cJSON_CreateObject();

    if (obj && cJSON_AddStringToObject(obj, "group", c->group) &&
        cJSON_AddStringToObject(obj, "name", c->name) &&
        cJSON_AddStringToObject(obj, "status", words[c->status]) &&
        cJSON_AddStringToObject(obj, "found", c->found) &&
        (c->mend[0] ? cJSON_AddStringToObject(obj, "mend", c->mend)
                    : cJSON_AddNullToObject(obj, "mend")))
        return obj;
    cJSON_Delete(obj);
    return NULL;
}

static cJSON *report_json(const struct doctor *d)
{
    cJSON *obj = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(obj, "checks");

    for (size_t i = 0; list && i < d->cnt; i++) {
        cJSON *item = check_json(&d->check[i]);

        if (!item || !cJSON_AddItemToArray(list, item)) {
            cJSON_Delete(item);
            list = NULL;
        }
    }
    if (list &&
        cJSON_AddStringToObject(obj, "result",
                                count(d, DOCTOR_BAD) ? "bad" : "ok") &&
        cJSON_AddNumberToObject(obj, "warnings", (double)count(d, DOCTOR_WARN)))
        return obj;
    cJSON_Delete(obj);
    return NULL;
}

static int check_opts(struct doctor_opts *o)
{
    if (o->purpose && !doctor_purpose_ok(o->purpose))
        return cli_usage(&verb,
                         "--for %s: it is run, project, build, test or "
                         "board",
                         o->purpose);
    if (!o->cert && (o->key || o->host || o->ca))
        return cli_usage(&verb, "--key, --host and --cacert say more about "
                                "--cert, which is missing");
    o->port_given = o->port_text != NULL;
    o->port = PORT_DEFAULT;
    if (o->port_given &&
        (num_parse_u32(span_str(o->port_text), &o->port) != ESP_OK ||
         o->port == 0 || o->port > 65535))
        return cli_usage(&verb, "--port %s: the ports are 1 to 65535",
                         o->port_text);
    return CLI_GO;
}

int cmd_doctor(int argc, char **argv)
{
    static struct doctor d;
    struct doctor_opts o = { .dev = DEVICE_ARGS };
    struct cli_args args;
    int status = cli_parse(&verb, argc, argv, &o, &args);

    if (status == CLI_GO)
        status = check_opts(&o);
    if (status != CLI_GO)
        return status;
    d = (struct doctor){ .o = &o };
    doctor_tools(&d);
    doctor_clock(&d);
    doctor_port(&d);
    doctor_trust(&d);
    if (o.cert)
        doctor_certs(&d);
    o.flash = args.cnt ? args.val[0] : NULL;
    if (o.flash)
        doctor_flash(&d);
    status = count(&d, DOCTOR_BAD) ? CLI_FAILED : CLI_DONE;
    if (cli_json())
        return cli_json_print(&verb, report_json(&d), status);
    print(&d);
    return cli_finish(&verb, status);
}
