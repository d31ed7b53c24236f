/* capture.h - runs a program and takes what it says, within a time. */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Looked at about ten times a second. */
struct capture_watch {
    /* NULL, or what a signal handler sets for the program to be ended. */
    const volatile sig_atomic_t *stop;
    void (*tick)(void *ctx); /* NULL: nobody wants to know */
    void *ctx;
};

struct capture_what {
    const char *const *words; /* words[0] is found by PATH; NULL ends them */
    uint32_t timeout_ms;
    bool no_stderr;                    /* standard error is thrown away */
    const struct capture_watch *watch; /* NULL: nobody watches */
};

/* Runs a program without standard input; standard output and standard error go
 * to out, which is terminated and may be cut. Returns its exit status, or one
 * of these, which are all below 0. */
#define CAPTURE_MISSING (-1) /* there is no such program */
#define CAPTURE_FAILED (-2)  /* no process, or no word of its end */
#define CAPTURE_TIMEOUT (-3) /* it was ended: timeout_ms, or watch->stop */
#define CAPTURE_SIGNAL(sig) (-100 - (sig)) /* it died of this signal */
int capture(const struct capture_what *what, char *out, size_t out_len);

#endif
