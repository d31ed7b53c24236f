/* serve_http.h - the development server: one folder over HTTPS.
 *
 * GET and HEAD of regular files below the folder, byte ranges, validators;
 * no listing, nothing outside the folder (symbolic links included), nothing
 * below the folder of the keys. Plans come from serve_plan.h. */
#ifndef SERVE_HTTP_H
#define SERVE_HTTP_H

#include "base/diag.h"
#include "serve_conf.h"

struct serve;

/* Could this be served, as far as that can be told without certificates? So
 * that nothing is made for a server that will not start. */
MUST_CHECK esp_err_t serve_check(const struct serve_conf *conf, struct diag *d);

/* Everything in conf is borrowed until serve_stop(). */
MUST_CHECK esp_err_t serve_start(struct serve **out,
                                 const struct serve_conf *conf, struct diag *d);
uint16_t serve_port(const struct serve *s);
/* How far the body is that was begun last; total 0: none was. */
void serve_progress(const struct serve *s, uint64_t *sent_len,
                    uint64_t *total_len);
/* Ends requests under way. NULL is a no-op. */
void serve_stop(struct serve *s);

#endif
