/* base/policy.h - behaviour options, read only through these functions.
 *
 * CFG_X in cfg.h is 0 never, 1 always, 2 decided at run time by the struct.
 * Zero is the default of every field. */
#ifndef BASE_POLICY_H
#define BASE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"

/* Whether the dates of certificates are compared with the clock. */
enum pol_cert_dates {
    POL_DATES_PLAUSIBLE = 0, /* if the clock can be believed */
    POL_DATES_STRICT,        /* a clock that cannot is a reason to refuse */
    POL_DATES_OFF
};

/* Whether an update has a call-back that decrypts it. */
enum pol_decrypt {
    POL_DECRYPT_MAY = 0,
    POL_DECRYPT_MUST, /* an update without one is refused */
    POL_DECRYPT_NEVER
};

struct policy {
    bool rollback;      /* a new image must confirm itself (NEW, PENDING) */
    bool anti_rollback; /* an image whose secure version is less than that of
                              the fuses is bad; goes with rollback */
    unsigned char sec_ver_bits; /* of the secure version's field, 0: all */
    bool allow_http;       /* http: URLs and updates without verification */
    bool require_hash;     /* an image without its appended SHA-256 is bad */
    bool require_signed;   /* an image that nobody trusted has signed is bad */
    bool boot_unsigned;    /* ... but for the bootloader, which starts it: only
                              updates and a change of slot are verified */
    bool skip_cert_verify; /* insecure, for tests: CONFIG_ESP_TLS_INSECURE and
                              CONFIG_ESP_TLS_SKIP_SERVER_CERT_VERIFY */
    bool psk;              /* CONFIG_ESP_TLS_PSK_VERIFICATION */
    enum pol_cert_dates cert_dates;
    /* What a project has to ask for, and a tool need not. */
    enum pol_decrypt decrypt_cb; /* CONFIG_ESP_HTTPS_OTA_DECRYPT_CB */
    uint16_t tls_record_len; /* CONFIG_MBEDTLS_SSL_IN_CONTENT_LEN; 0: what the
                                library was built with */
    bool no_cert_select;     /* CONFIG_ESP_TLS_SERVER_CERT_SELECT_HOOK is off */
    /* A new image's trial: so many resets end it (0: one, the first), those
     * by power (switched on, brown-out) not counted up to trial_power. */
    uint8_t trial_boots;
    uint8_t trial_power;
    bool deny; /* an image that failed its trial is not installed again */
};
#define POL_TRIAL_MAX 8u /* of either */

static inline bool pol_rollback(const struct policy *p)
{
    return CFG_ROLLBACK == 2 ? p->rollback : CFG_ROLLBACK;
}

/* Bits of the fuses' field that count; 0: all that the chip has. */
static inline unsigned pol_sec_ver_bits(const struct policy *p)
{
    return p->sec_ver_bits;
}

static inline bool pol_anti_rollback(const struct policy *p)
{
    return CFG_ANTI_ROLLBACK == 2 ? p->anti_rollback : CFG_ANTI_ROLLBACK;
}

static inline bool pol_allow_http(const struct policy *p)
{
    return CFG_ALLOW_HTTP == 2 ? p->allow_http : CFG_ALLOW_HTTP;
}

static inline bool pol_require_hash(const struct policy *p)
{
    return CFG_REQUIRE_HASH == 2 ? p->require_hash : CFG_REQUIRE_HASH;
}

static inline bool pol_require_signed(const struct policy *p)
{
    return CFG_REQUIRE_SIGNED == 2 ? p->require_signed : CFG_REQUIRE_SIGNED;
}

/* The bootloader's own question. One that is built to ask always does. */
static inline bool pol_boot_signed(const struct policy *p)
{
    return pol_require_signed(p) &&
           (CFG_REQUIRE_SIGNED != 2 || !p->boot_unsigned);
}

/* Is all in the build that is asked for and keeps images from running? Whoever
 * lacks it must not go on as if nobody had asked. */
static inline bool pol_built(const struct policy *p)
{
    return (CFG_REQUIRE_HASH || !p->require_hash) &&
           (CFG_REQUIRE_SIGNED || !p->require_signed) &&
           (CFG_ANTI_ROLLBACK || !p->anti_rollback);
}

/* Are there trials of several boots, and is it noted what becomes of them? */
static inline bool pol_trials(void)
{
    return CFG_TRIALS;
}

/* Resets that end a trial; the last of them gives it up. */
static inline uint32_t pol_trial_boots(const struct policy *p)
{
    uint32_t cnt = CFG_TRIAL_BOOTS ? CFG_TRIAL_BOOTS : p->trial_boots;
    if (!pol_trials())
        return 1; /* nothing is counted */
    if (cnt > POL_TRIAL_MAX)
        return POL_TRIAL_MAX;
    return cnt > 0 ? cnt : 1;
}

/* Resets by power that are excused besides. */
static inline uint32_t pol_trial_power(const struct policy *p)
{
    if (CFG_TRIAL_BOOTS == 1 || !pol_trials())
        return 0; /* the reference's way, and no code for another */
    return p->trial_power < POL_TRIAL_MAX ? p->trial_power : POL_TRIAL_MAX;
}

static inline bool pol_deny(const struct policy *p)
{
    return CFG_DENY == 2 ? p->deny : CFG_DENY;
}

/* Keys of V1 cost room, also where only ids are compared. */
#define POL_V1_BUILT (CFG_SIGN_SCHEMES >> 1 & 1)

/* May a slot be written beside the caller? Without it there is no code. */
#define POL_WRITE_BEHIND (CFG_WRITE_BEHIND != 0)

/* Numbers of P-384 cost stack, also where only P-256 is verified. */
#define POL_P384_BUILT (CFG_SIGN_SCHEMES >> 4 & 1)

/* Is the verifier of this scheme (enum img_scheme) in the build? */
static inline bool pol_scheme_built(unsigned scheme)
{
    return (CFG_SIGN_SCHEMES >> scheme & 1) != 0;
}

static inline bool pol_skip_cert_verify(const struct policy *p)
{
    return CFG_SKIP_CERT_VERIFY == 2 ? p->skip_cert_verify
                                     : CFG_SKIP_CERT_VERIFY;
}

static inline bool pol_psk(const struct policy *p)
{
    return CFG_PSK == 2 ? p->psk : CFG_PSK;
}

static inline enum pol_decrypt pol_decrypt_cb(const struct policy *p)
{
    if (CFG_DECRYPT_CB == 2)
        return p->decrypt_cb;
    return CFG_DECRYPT_CB ? POL_DECRYPT_MUST : POL_DECRYPT_NEVER;
}

static inline bool pol_cert_select(const struct policy *p)
{
    return CFG_CERT_SELECT == 2 ? !p->no_cert_select : CFG_CERT_SELECT;
}

/* CFG_CERT_DATES is 0 never, 1 strict, 2 at run time, 3 when plausible. */
static inline enum pol_cert_dates pol_cert_dates(const struct policy *p)
{
    if (CFG_CERT_DATES == 2)
        return p->cert_dates;
    return CFG_CERT_DATES == 0   ? POL_DATES_OFF
           : CFG_CERT_DATES == 1 ? POL_DATES_STRICT
                                 : POL_DATES_PLAUSIBLE;
}

#endif
