/* demo_world.h - the things of the guided tour: a folder, a device in it, the
 * board that runs the device, its console, and the servers.
 *
 * The tour uses them as a person would: the device is made by `porta flash`,
 * run by `porta device`, both as processes of their own; what the device says
 * is read from its console, what became of it from its flash. */
#ifndef DEMO_WORLD_H
#define DEMO_WORLD_H

#include <sys/types.h>

#include "base/diag.h"
#include "cli.h"
#include "serve_cert.h"
#include "serve_http.h"

#define DEMO_PATH_LEN 4096
#define DEMO_CONSOLE_LEN (256u * 1024u)

struct demo_server {
    struct serve_conf conf;
    struct serve_cert cert;
    struct serve *serve; /* NULL: not running */
};

struct demo {
    char self[DEMO_PATH_LEN];   /* this program */
    char images[DEMO_PATH_LEN]; /* folder of the example applications */
    char folder[1024];          /* all that the tour makes */
    char flash[1100], www[1100];
    struct demo_server server, stranger;
    pid_t board; /* 0: the device is off */
    int console_fd;
    char console[DEMO_CONSOLE_LEN]; /* of this run, terminated */
    size_t console_len;
    bool keep;
    uint32_t wait_ms; /* the longest wait of demo_expect() */
    /* Called about ten times a second meanwhile; NULL: nobody wants to know. */
    void (*tick)(void *ctx);
    void *tick_ctx;
};

/* Makes the folder, finds the images. */
MUST_CHECK esp_err_t demo_open(struct demo *w, const char *images,
                               struct diag *d);
/* Switches all off and removes what was made. Idempotent. */
void demo_close(struct demo *w);

/* A file of the tour's folder, made by formatting text. */
MUST_CHECK esp_err_t demo_write(struct demo *w, const char *name,
                                struct span data, struct diag *d);

/* Runs `porta ARGS...` (NULL-terminated) and waits. */
MUST_CHECK esp_err_t demo_porta(struct demo *w, const char *const *args,
                                struct diag *d);

/* A server of w->www whose CA stands in w->folder/name. */
MUST_CHECK esp_err_t demo_serve(struct demo *w, struct demo_server *s,
                                const char *name, uint32_t rate,
                                struct diag *d);

/* Power on, power off. The console starts empty. */
MUST_CHECK esp_err_t demo_power_on(struct demo *w, struct diag *d);
MUST_CHECK esp_err_t demo_power_off(struct demo *w, struct diag *d);

/* Takes what the device says until `text` is in it. ESP_ERR_TIMEOUT. */
MUST_CHECK esp_err_t demo_expect(struct demo *w, const char *text,
                                 struct diag *d);

/* SIGINT or SIGTERM came. */
bool demo_interrupted(void);

#endif
