/* trial_show.h - trials, verdicts and denied releases of a flash file. */
#ifndef TRIAL_SHOW_H
#define TRIAL_SHOW_H

#include "device_ctx.h"

/* The last verdict: {"outcome", "who", "why", "slot", "reset_reason",
 * "resets", "power_resets", "uptime_ms", "conditions", "words"}, or null
 * without one. NULL: out of memory. */
cJSON *trial_verdict_json(const struct device *dev);
#define TRIAL_HEX_LEN (2u * OTADATA_DIGEST_LEN + 1u)
/* Returns out. */
const char *trial_hex(const uint8_t digest[OTADATA_DIGEST_LEN],
                      char out[TRIAL_HEX_LEN]);
/* The digests as hexadecimal text, the newest first. NULL: out of memory. */
cJSON *trial_denied_json(const struct device *dev);
/* {"started", "resets", "power_resets"} of an event that starts a trial's
 * program again; null for any other. NULL: out of memory. */
cJSON *trial_event_json(const struct ota_event *event);
/* Lines about both; nothing when there is neither. */
void trial_text(const struct device *dev);

#endif
