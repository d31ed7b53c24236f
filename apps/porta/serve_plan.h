/* serve_plan.h - what the development server answers: decided here, purely,
 * from the facts of a request, a file and the fault that was asked for.
 * serve_http.c carries it out. */
#ifndef SERVE_PLAN_H
#define SERVE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum serve_fault_kind {
    SERVE_FAULT_NONE = 0,
    SERVE_FAULT_TRUNCATE,     /* closes after `at` bytes of the body */
    SERVE_FAULT_STALL,        /* sends nothing more after `at` bytes */
    SERVE_FAULT_RESET,        /* resets the connection after `at` bytes */
    SERVE_FAULT_OVERSIZE,     /* `at` more bytes than the file has */
    SERVE_FAULT_WRONG_LENGTH, /* Content-Length is `at` bytes too small */
    SERVE_FAULT_STATUS,       /* answers with `at` as the status */
    SERVE_FAULT_REDIRECT,     /* 302 to itself, `at` times */
    SERVE_FAULT_RANGE_IGNORED,
    SERVE_FAULT_TRICKLE /* one byte a second after `at` bytes */
};

struct serve_fault {
    enum serve_fault_kind kind;
    bool at_given;
    uint32_t at;
};

/* "truncate@5000", "stall", "status=503", ... ESP_ERR_INVALID_ARG. */
MUST_CHECK esp_err_t serve_fault_parse(const char *text,
                                       struct serve_fault *out);

/* For messages: "truncate, stall, ...". */
const char *serve_fault_names(void);

enum serve_range {
    SERVE_RANGE_NONE, /* no usable Range: the whole file */
    SERVE_RANGE_GOOD,
    SERVE_RANGE_BEYOND /* nothing of it is in the file: 416 */
};

/* One byte range of RFC 9110 section 14.1.2; several ranges, other units and
 * malformed headers count as none. *last is inclusive. */
enum serve_range serve_range_parse(const char *header, uint64_t file_len,
                                   uint64_t *first, uint64_t *last);

/* False for a path that could leave the folder: a ".." segment, a backslash,
 * or one that does not start with '/'. */
bool serve_path_ok(const char *path);

struct serve_file {
    uint64_t len;
    int64_t mtime_s;
    char etag[64];
    char last_modified[40];
};

/* Fills etag and last_modified. */
void serve_file_describe(struct serve_file *f, uint64_t inode,
                         int64_t mtime_ns);

/* Headers of the request; NULL: absent. */
struct serve_ask {
    const char *range, *if_range, *if_none_match, *if_modified_since;
};

struct serve_plan {
    int status;            /* 200, 206, 304, 416, or the fault's */
    uint64_t first, len;   /* the body: these bytes of the file */
    uint64_t extra_len;    /* and so many bytes of filling after them */
    uint64_t announce_len; /* Content-Length */
    bool text;             /* a line of text instead of the file */
    uint64_t stop_at;      /* body bytes before the fault; UINT64_MAX: none */
};

/* After `hop` redirects of ours: the number of the one that follows, 0: none
 * does, and the plan is carried out. */
uint32_t serve_redirect(const struct serve_fault *fault, uint32_t hop);

void serve_plan_make(const struct serve_file *file, const struct serve_ask *ask,
                     const struct serve_fault *fault, struct serve_plan *out);

/* Milliseconds to wait before the next piece so that sent_len bytes in
 * elapsed_ms keep below rate bytes a second; rate 0: never wait. */
uint32_t serve_pace_ms(uint64_t sent_len, uint64_t elapsed_ms, uint32_t rate);

/* Bytes of one piece at that rate: about 20 pieces a second, at most max. */
uint32_t serve_piece_len(uint32_t rate, uint32_t max_len);

#endif
