/* boot_report.h - a boot decision, for scripts and for people. */
#ifndef BOOT_REPORT_H
#define BOOT_REPORT_H

#include "device_ctx.h"

/* {"boot", "action", "reason", "writes", "fallbacks", "otadata", "verdict",
 * "denied", "anti_rollback", "secure_version", "raises_to"}; NULL: out of
 * memory. */
cJSON *boot_report_json(const struct device *dev, const struct boot_result *r);
/* What, why, the records, every candidate, what is written. done: it has
 * happened (reset), else it would happen (explain). */
void boot_report_text(struct device *dev, const struct boot_result *r,
                      bool done);
/* Records and images refused, as one sentence: nothing boots, and why. */
esp_err_t boot_report_nothing(const struct device *dev,
                              const struct boot_result *r, struct diag *d);

/* Why a candidate with r->err[choice] was refused: a sentence. Returns out. */
const char *boot_report_why(const struct device *dev,
                            const struct boot_result *r, uint32_t choice,
                            char out[256]);

#endif
