/* torture_report.h - what porta torture found, for people and for scripts. */
#ifndef TORTURE_REPORT_H
#define TORTURE_REPORT_H

#include "cli.h"
#include "junit.h"
#include "torture/torture.h"

/* The table of operations and outcomes, and what failed, on standard
 * output. */
void torture_report_text(const struct tort_result *r);
/* NULL when memory ran out. */
cJSON *torture_report_json(const struct tort_result *r, double elapsed_ms);

/* A case for each kind of operation and each way it was cut. */
void torture_report_junit(const struct tort_result *r, uint64_t elapsed_ms,
                          struct junit *junit);

#endif
