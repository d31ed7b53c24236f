/* capture.h - runs a program and takes what it says, within a time. */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stddef.h>
#include <stdint.h>

/* Runs words[0], found by PATH, with standard input closed; standard output
 * and standard error go to out, which is terminated and may be cut. Returns
 * its exit status; CAPTURE_MISSING: there is no such program;
 * CAPTURE_FAILED: it died of a signal, or was ended after timeout_ms. */
#define CAPTURE_MISSING (-1)
#define CAPTURE_FAILED (-2)
int capture(const char *const *words, uint32_t timeout_ms, char *out,
            size_t out_len);

#endif
