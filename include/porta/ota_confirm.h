/* porta/ota_confirm.h - who confirms a new program, and when: a policy instead
 * of one call, what became of the last trial, and releases that are not to come
 * back. ESP-IDF's calls (esp_ota_mark_app_valid_cancel_rollback() and others)
 * keep working beside it; the first that decides wins. docs/rollback.md. */
#ifndef PORTA_OTA_CONFIRM_H
#define PORTA_OTA_CONFIRM_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    PORTA_OTA_WAIT = 0, /* not yet */
    PORTA_OTA_CONFIRM = 1,
    PORTA_OTA_GIVE_UP = 2
} porta_ota_vote_t;

/* Zero in a field: not asked for. All zero confirms at once. */
typedef struct {
    /* Bits, each a condition of the application's choice: all of them have to
     * be reported by porta_ota_condition_met(). */
    uint32_t required;
    uint32_t min_uptime_ms; /* after the start; not confirmed sooner */
    uint32_t deadline_ms;   /* after the start; given up when not confirmed */
    /* Given up when it was not confirmed in so many starts; for a bootloader
     * that allows more. */
    uint32_t max_starts;
    /* The application's own word, asked for every vote_ms (0: 1000), in another
     * task. It may report conditions, and must not wait long. */
    porta_ota_vote_t (*vote)(void *ctx, uint32_t uptime_ms);
    void *ctx;
    uint32_t vote_ms;
} porta_ota_policy_t;

/* Decides about the running program from now on, in a task of its own: confirms
 * it, or gives it up and resets. When there is nothing to go back to, it stays
 * as it is, and the log says so.
 * ESP_ERR_INVALID_STATE: the program is not on trial, there is nothing to
 * decide, or a policy decides already; ESP_ERR_INVALID_ARG: policy is NULL, or
 * its deadline is not after min_uptime_ms; ESP_ERR_NO_MEM. */
esp_err_t porta_ota_confirm_start(const porta_ota_policy_t *policy);

/* From any thread; what is reported before porta_ota_confirm_start() counts,
 * too. */
void porta_ota_condition_met(uint32_t conditions);
/* The program is given up at once. words (NULL: none) are kept, the first 16
 * characters. */
void porta_ota_condition_failed(uint32_t conditions, const char *words);

/* How often the running program was started in this trial, this start counted;
 * 0: it is not on trial. */
uint32_t porta_ota_trial_starts(void);

/* --- what became of the last trial ---------------------------------------- */

typedef struct {
    bool confirmed;        /* false: given up */
    const char *who;       /* "bootloader", "application", "policy", "tool" */
    const char *why;       /* "the conditions were not met before ..." */
    uint32_t slot;         /* ota_<slot>, whose program it was */
    int reset_reason;      /* esp_reset_reason_t of the reset before */
    uint32_t resets;       /* that counted against the trial */
    uint32_t power_resets; /* that were excused */
    uint32_t uptime_ms;    /* when it was decided; UINT32_MAX: by another */
    uint32_t conditions;   /* met, or missing, or the one that failed */
    char words[17];        /* of porta_ota_condition_failed() */
} porta_ota_verdict_t;

/* The last one on this device. ESP_ERR_NOT_FOUND: there is none, or no otadata;
 * ESP_ERR_INVALID_ARG. */
esp_err_t porta_ota_last_verdict(porta_ota_verdict_t *verdict);

/* --- releases that failed ------------------------------------------------- */

#define PORTA_OTA_DENIED_MAX 8

/* Identity of a release: the SHA-256 of its ELF file, as its description says.
 * The list is looked at where the device's options say so. idx counts from the
 * newest; ESP_ERR_NOT_FOUND: there are not so many. */
esp_err_t porta_ota_denied_get(uint32_t idx, uint8_t sha256[32]);
/* Puts one on the list; the oldest makes room. */
esp_err_t porta_ota_deny(const uint8_t sha256[32]);
esp_err_t porta_ota_denied_clear(void);

#ifdef __cplusplus
}
#endif

#endif
