/* porta serve: a folder over HTTPS, for development. */
#include <ifaddrs.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>

#include "cli.h"
#include "cli_term.h"
#include "cmds.h"
#include "psk_arg.h"
#include "serve_cert.h"
#include "serve_http.h"

#define PEM_MAX_LEN 65536
#define DEFAULT_PORT 8070

struct serve_opts {
    uint32_t port;
    const char *bind_addr, *cert, *key, *cert_dir, *user, *token, *fault;
    const char *psk, *client_ca;
    uint32_t rate;
    bool plain;
};

static const struct cli_opt options[] = {
    { "--port", "N", "TCP port (8070); 0 takes a free one", CLI_KIND_NUM,
      offsetof(struct serve_opts, port) },
    { "--bind", "ADDR",
      "address to listen on (127.0.0.1); 0.0.0.0 for "
      "the network",
      CLI_KIND_TEXT, offsetof(struct serve_opts, bind_addr) },
    { "--cert", "FILE", "server certificate, PEM, with its chain",
      CLI_KIND_TEXT, offsetof(struct serve_opts, cert) },
    { "--key", "FILE", "its private key, PEM", CLI_KIND_TEXT,
      offsetof(struct serve_opts, key) },
    { "--cert-dir", "DIR",
      "where a CA and a certificate are made and kept "
      "(./porta-certs)",
      CLI_KIND_TEXT, offsetof(struct serve_opts, cert_dir) },
    { "--http", NULL, "plain HTTP, without TLS", CLI_KIND_FLAG,
      offsetof(struct serve_opts, plain) },
    { "--user", "U:P", "ask for this user and password; or @FILE",
      CLI_KIND_TEXT, offsetof(struct serve_opts, user) },
    { "--token", "T", "ask for this token, as ?token=T or Bearer; or @FILE",
      CLI_KIND_TEXT, offsetof(struct serve_opts, token) },
    { "--fault", "KIND[@BYTES]", "misbehave in every answer, see above",
      CLI_KIND_TEXT, offsetof(struct serve_opts, fault) },
    { "--throttle", "RATE", "bytes a second of each answer (64K, 1M)",
      CLI_KIND_SIZE, offsetof(struct serve_opts, rate) },
    { "--psk", "ID:HEX",
      "instead of a certificate a key that both know; or @FILE", CLI_KIND_TEXT,
      offsetof(struct serve_opts, psk) },
    { "--client-ca", "FILE",
      "serve only clients with a certificate of these CAs", CLI_KIND_TEXT,
      offsetof(struct serve_opts, client_ca) },
    CLI_OPT_END,
};

static const struct cli_verb verb = {
    .name = "serve",
    .usage = "DIR",
    .summary = "serve the files in DIR over HTTPS, for development",
    .text =
        "Prints its URL as one line when it is ready and ends on SIGINT or\n"
        "SIGTERM. Without --cert it makes a certificate authority and a\n"
        "certificate for localhost, 127.0.0.1, ::1 and this host's name, and\n"
        "uses them again the next time; give the ca.pem that it names to\n"
        "clients (--cacert of porta update, cert_pem of an application).\n"
        "Ranges, If-Range, ETag and Last-Modified are understood. Nothing\n"
        "outside DIR is served.\n"
        "\n"
        "Faults: truncate@N closes after N bytes, stall@N sends nothing\n"
        "more, reset@N resets the connection, trickle@N goes on with a byte\n"
        "a second, oversize@N sends N bytes more than the file has,\n"
        "wrong-length@N announces N bytes too few, status=N answers with\n"
        "that status, redirect@N redirects N times, range-ignored always "
        "sends\n"
        "the whole file.",
    .example = "porta serve firmware/\n"
               "porta serve firmware/ --port 0 --user dev:secret "
               "--throttle 256K",
    .opts = options,
    .arg_min = 1,
    .arg_max = 1,
};

/* What the options say, in the server's terms; frees with setup_free(). */
struct setup {
    struct serve_conf conf;
    struct serve_cert cert;
    struct cli_bytes user, token, client_ca;
    struct psk_arg psk;
};

static void setup_free(struct setup *s)
{
    serve_cert_free(&s->cert);
    cli_bytes_free(&s->user);
    cli_bytes_free(&s->token);
    cli_bytes_free(&s->client_ca);
    psk_arg_free(&s->psk);
}

/* Who listens on all addresses is reached by any of them. */
static void add_interface_names(struct serve_names *names)
{
    struct ifaddrs *list, *at;
    char text[INET6_ADDRSTRLEN];

    if (getifaddrs(&list) != 0)
        return;
    for (at = list; at; at = at->ifa_next)
        if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET &&
            inet_ntop(AF_INET, &((struct sockaddr_in *)at->ifa_addr)->sin_addr,
                      text, sizeof(text)))
            serve_names_add(names, text);
    freeifaddrs(list);
}

static bool is_any(const char *addr)
{
    return strcmp(addr, "0.0.0.0") == 0 || strcmp(addr, "::") == 0;
}

static esp_err_t made_cert(const struct serve_opts *o, struct setup *s,
                           struct diag *d)
{
    static struct serve_names names;
    esp_err_t err;

    serve_names_default(&names);
    if (is_any(o->bind_addr))
        add_interface_names(&names);
    else
        serve_names_add(&names, o->bind_addr);
    err = serve_cert_ready(o->cert_dir, &names, &s->cert, d);
    if (!err && s->cert.made && !term_quiet())
        fprintf(stderr, "porta serve: made a certificate in %s\n", o->cert_dir);
    if (!err && !term_quiet())
        fprintf(stderr,
                "porta serve: clients trust this server with "
                "--cacert %s\n",
                s->cert.ca_path);
    s->conf.hidden = o->cert_dir;
    return err;
}

static esp_err_t setup_trust(const struct serve_opts *o, struct setup *s,
                             struct diag *d)
{
    esp_err_t err;

    if (o->plain)
        return ESP_OK;
    if (o->psk) {
        err = psk_arg_read(o->psk, &s->psk, d);
        s->conf.tls.psk = s->psk.key;
        s->conf.tls.psk_identity = (const char *)s->psk.identity.ptr;
        return err;
    }
    err = serve_check(&s->conf, d);
    if (!err && o->client_ca)
        err = cli_read_file(o->client_ca, PEM_MAX_LEN, &s->client_ca, d);
    if (err)
        return err;
    if (o->cert) {
        err = cli_read_file(o->cert, PEM_MAX_LEN, &s->cert.cert, d);
        if (!err)
            err = cli_read_file(o->key, PEM_MAX_LEN, &s->cert.key, d);
    } else { /* the only thing that leaves something behind comes last */
        err = made_cert(o, s, d);
    }
    s->conf.tls.cert = (const char *)s->cert.cert.ptr;
    s->conf.tls.key = (const char *)s->cert.key.ptr;
    s->conf.tls.client_ca = (const char *)s->client_ca.ptr;
    return err;
}

static esp_err_t setup_secrets(const struct serve_opts *o, struct setup *s,
                               struct diag *d)
{
    esp_err_t err = ESP_OK;

    if (o->user)
        err = cli_read_secret(o->user, &s->user, d);
    if (!err && o->token)
        err = cli_read_secret(o->token, &s->token, d);
    s->conf.user = (const char *)s->user.ptr;
    s->conf.token = (const char *)s->token.ptr;
    return err;
}

/* FILE of @FILE, NULL: the secret itself was given. */
static const char *secret_file(const char *arg)
{
    return arg && arg[0] == '@' ? arg + 1 : NULL;
}

static esp_err_t setup_make(const struct serve_opts *o, const char *folder,
                            struct setup *s, struct diag *d)
{
    esp_err_t err;

    s->conf.folder = folder;
    s->conf.bind_addr = o->bind_addr;
    s->conf.port = (uint16_t)o->port;
    s->conf.rate = o->rate;
    s->conf.quiet = term_quiet();
    if (o->fault && serve_fault_parse(o->fault, &s->conf.fault) != ESP_OK)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "--fault %s: there are %s", o->fault,
                         serve_fault_names());
    s->conf.secrets[0] = o->key;
    s->conf.secrets[1] = secret_file(o->user);
    s->conf.secrets[2] = secret_file(o->token);
    s->conf.secrets[3] = secret_file(o->psk);
    err = setup_secrets(o, s, d);
    return err ? err : setup_trust(o, s, d);
}

/* ca: what clients trust, null when it is not ours. */
static cJSON *announce_json(const char *url, const struct setup *s)
{
    cJSON *obj = cJSON_CreateObject();
    cJSON *ca = s->cert.ca_path[0] ? cJSON_CreateString(s->cert.ca_path)
                                   : cJSON_CreateNull();

    if (obj && cJSON_AddStringToObject(obj, "url", url) &&
        cJSON_AddItemToObject(obj, "ca", ca))
        return obj;
    cJSON_Delete(ca);
    cJSON_Delete(obj);
    return NULL;
}

/* The one line that scripts read. */
static int announce(const struct serve_opts *o, const struct setup *s,
                    uint16_t port)
{
    const char *scheme = o->plain ? "http" : "https";
    bool local = is_any(o->bind_addr) ||
                 strcmp(o->bind_addr, "127.0.0.1") == 0 ||
                 strcmp(o->bind_addr, "::1") == 0;
    char url[300];
    bool v6 = !local && strchr(o->bind_addr, ':');

    snprintf(url, sizeof(url), "%s://%s%s%s:%u/", scheme, v6 ? "[" : "",
             local ? "localhost" : o->bind_addr, v6 ? "]" : "", port);
    if (cli_json())
        return cli_json_print(&verb, announce_json(url, s), CLI_DONE);
    puts(url);
    return cli_finish(&verb, CLI_DONE);
}

static int run(const struct serve_opts *o, const char *folder)
{
    struct setup s = { 0 };
    struct diag d = DIAG_NONE;
    struct serve *server = NULL;
    sigset_t ends;
    int status, sig;

    /* Before the threads, which inherit it: only sigwait() sees them. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    if (setup_make(o, folder, &s, &d) != ESP_OK ||
        serve_start(&server, &s.conf, &d) != ESP_OK) {
        status = cli_fail(&verb, &d, cli_json());
    } else {
        status = announce(o, &s, serve_port(server));
        if (status == CLI_DONE)
            (void)sigwait(&ends, &sig);
        serve_stop(server);
    }
    setup_free(&s);
    return status;
}

int cmd_serve(int argc, char **argv)
{
    struct serve_opts o = { .port = DEFAULT_PORT,
                            .bind_addr = "127.0.0.1",
                            .cert_dir = "porta-certs" };
    struct cli_args args;
    int status = cli_parse(&verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    if (o.port > 65535)
        return cli_usage(&verb, "--port %u is no TCP port, the last is 65535",
                         o.port);
    if (!o.cert != !o.key)
        return cli_usage(&verb, "--cert and --key go together");
    if (o.plain && (o.cert || o.psk || o.client_ca))
        return cli_usage(&verb, "--http has no use for --cert, --psk and "
                                "--client-ca");
    if (o.psk && (o.cert || o.client_ca))
        return cli_usage(&verb, "--psk excludes certificates: both sides know "
                                "the key, or they do not");
    return run(&o, args.val[0]);
}
