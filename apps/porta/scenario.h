/* scenario.h - a scenario file: what a device, its image and its server do in
 * a list of tests, and how each has to end (docs/ci.md). */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "capture.h"
#include "cli.h"
#include "serve_plan.h"

#define SCENARIO_OPTIONS_MAX 24u
#define SCENARIO_CUTS_MAX 64u
#define SCENARIO_STEPS_MAX 16u
#define SCENARIO_MAX_LEN (256u * 1024u)

enum scenario_server {
    SCENARIO_NORMAL,
    SCENARIO_FAULT,      /* as porta serve --fault */
    SCENARIO_WRONG_CERT, /* of a CA that the device does not know */
    SCENARIO_WRONG_HOST, /* good, and for another name */
    SCENARIO_ABSENT      /* nobody listens */
};

/* Texts point into the file's own memory; NULL: not said. */
struct scenario_test {
    const char *name;
    const char *flash, *image; /* of this test, or of the file */
    enum scenario_server server;
    struct serve_fault fault;
    uint32_t rate; /* bytes a second; 0: unlimited */
    const char *options[SCENARIO_OPTIONS_MAX + 1];
    uint32_t option_cnt;
    uint32_t cut[SCENARIO_CUTS_MAX]; /* the test is run once for each */
    uint32_t cut_cnt;
    bool torture;                         /* instead of all that */
    const char *then[SCENARIO_STEPS_MAX]; /* reset, confirm, rollback */
    uint32_t then_cnt;
    uint32_t limit_ms;
    struct {
        const char *update; /* updated, failed, not_modified */
        const char *stage, *boot, *version, *state, *again;
    } want;
};

struct scenario {
    cJSON *json;                /* owns the texts */
    struct scenario_test *test; /* cnt of them */
    uint32_t cnt;
};
#define SCENARIO_NONE \
    {                 \
        NULL, NULL, 0 \
    }

/* name is for sentences. Everything that is not understood is refused, with
 * where it stands. ESP_ERR_INVALID_ARG, ESP_ERR_NO_MEM. */
MUST_CHECK esp_err_t scenario_parse(struct scenario *s, struct span toml,
                                    const char *name, struct diag *d);
void scenario_free(struct scenario *s); /* idempotent */

/* --- running -------------------------------------------------------------- */

struct scenario_lab; /* a folder for copies, certificates and servers */

/* base: the folder that file names in the scenario start from. watch, which is
 * borrowed, watches every process. */
MUST_CHECK esp_err_t scenario_lab_open(struct scenario_lab **out,
                                       const char *base,
                                       const struct capture_watch *watch,
                                       struct diag *d);
void scenario_lab_close(struct scenario_lab *lab); /* NULL is a no-op */
/* ESP_ERR_INVALID_STATE: out, which may be NULL, is the flash file or the image
 * of this test (cli_other_file). */
MUST_CHECK esp_err_t scenario_lab_spare(const struct scenario_lab *lab,
                                        const struct scenario_test *t,
                                        const char *out, struct diag *d);
/* Runs one. ESP_OK: it ended as expected; else why says how it did not, or
 * why it could not be run. */
MUST_CHECK esp_err_t scenario_run(struct scenario_lab *lab,
                                  const struct scenario_test *t, char *why,
                                  size_t why_len);

#endif
