/* doctor.h - what is found on a machine, and how to mend it. */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "cli.h"
#include "device_ctx.h"

enum doctor_status {
    DOCTOR_OK,
    DOCTOR_WARN, /* it may matter */
    DOCTOR_BAD   /* something that was asked for will not work */
};

struct doctor_check {
    const char *group; /* "tools", "clock" ... */
    char name[80];
    enum doctor_status status;
    char found[300];
    char mend[300]; /* "": nothing is to be mended */
};

#define DOCTOR_CHECKS_MAX 64u

/* What to look at; NULL: not that. */
struct doctor_opts {
    const char *purpose;   /* run, project, build, test, board */
    const char *port_text; /* as it was given */
    uint32_t port;
    bool port_given;
    const char *cert, *key, *ca, *host, *flash;
    struct device_args dev;
};

struct doctor {
    const struct doctor_opts *o;
    struct doctor_check check[DOCTOR_CHECKS_MAX];
    size_t cnt;
};

/* A further check, of which everything but group and name is to be filled in.
 * There is always room for one: the last is used again. */
struct doctor_check *doctor_add(struct doctor *d, const char *group,
                                const char *name);
void doctor_found(struct doctor_check *c, enum doctor_status status,
                  const char *fmt, ...) PRINTF_LIKE(3, 4);
void doctor_mend(struct doctor_check *c, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

/* False: there is no such purpose. */
bool doctor_purpose_ok(const char *purpose);
void doctor_tools(struct doctor *d);
void doctor_clock(struct doctor *d);
/* Pure: a clock that is behind the build is wrong, one that is ten years ahead
 * may be. */
enum doctor_status doctor_clock_judge(int64_t now_s, int64_t built_s);
void doctor_port(struct doctor *d);
void doctor_trust(struct doctor *d);
void doctor_certs(struct doctor *d);
void doctor_flash(struct doctor *d);

#endif
