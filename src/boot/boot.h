/* boot/boot.h - what to boot and what to mark: a pure decision.
 *
 * boot_plan() is the only boot decision: the bootloader and `porta explain`
 * call it. Which record counts is ota_active_idx() here as in the application.
 * It reads structs and fills a struct; no flash, no log. Images are judged by
 * the caller: while the plan's action is BOOT_ACT_VERIFY the caller verifies
 * candidate `plan.choice`, notes the verdict in `in.image[]` and asks again.
 * boot/exec.h does this and carries the plan out.
 * Rules: reference 3.2; how it decides and where it differs: docs/boot.md. */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/policy.h"
#include "base/verdict.h"
#include "otadata/otadata.h"
#include "port/sys.h"

#define BOOT_MAX_SLOTS 16u

/* A candidate: ota slots are their index. */
#define BOOT_FACTORY 16u
#define BOOT_TEST 17u
#define BOOT_NONE 18u
#define BOOT_CHOICES 18u

enum boot_image { /* what is known of a candidate's image */
                  BOOT_IMAGE_ABSENT = 0, /* no such partition */
                  BOOT_IMAGE_UNKNOWN,
                  BOOT_IMAGE_GOOD,
                  BOOT_IMAGE_BAD
};

struct boot_in {
    bool table_ok;
    bool has_otadata;  /* the partition exists */
    bool otadata_ok;   /* large enough and readable */
    uint32_t slot_cnt; /* OTA slots, at most BOOT_MAX_SLOTS */
    enum port_reset_reason reset_reason;
    struct policy policy;
    /* With anti-rollback: the secure version in the fuses, UINT32_MAX when they
     * cannot be read; and of the image in each partition one more than its
     * description says, 0 when it says none. */
    uint32_t fuse_version;
    struct ota_rec rec[2];  /* as otadata_read() believes them */
    struct ota_event event; /* the newest, as otadata_read() has it */
    enum boot_image image[BOOT_CHOICES];
    uint32_t secure[BOOT_CHOICES];
};

enum boot_action {
    BOOT_ACT_VERIFY, /* judge `choice`, then ask again */
    BOOT_ACT_BOOT,   /* write the marks, then start `choice` */
    BOOT_ACT_RESET   /* nothing boots; `marks` are still written */
};

enum boot_reason {
    BOOT_WHY_NONE = 0,
    BOOT_WHY_NO_TABLE,
    BOOT_WHY_NO_OTADATA,      /* no such partition: factory */
    BOOT_WHY_OTADATA_BAD,     /* too small or unreadable */
    BOOT_WHY_FIRST_BOOT,      /* both records blank: factory or first slot */
    BOOT_WHY_RECORDS_REFUSED, /* both INVALID or ABORTED */
    BOOT_WHY_RECORDS_DAMAGED, /* no record with a good CRC */
    BOOT_WHY_RECORD,          /* the active record names it */
    BOOT_WHY_ROLLED_BACK,     /* the newest was PENDING: given up */
    BOOT_WHY_FALLBACK,        /* the one named does not verify */
    BOOT_WHY_NOTHING_BOOTS,
    BOOT_WHY_NO_SLOTS, /* the table has no OTA slot */
    BOOT_WHY_NO_FUSES, /* anti-rollback, and they cannot be read */
    BOOT_WHY_TOO_OLD,  /* the newest record names an image that is */
    BOOT_WHY_TRIAL,    /* the newest was PENDING and gets another start */
    BOOT_WHY_NOT_BUILT /* the options ask for what is not in the build */
};

/* To be written in this order: the event, if its kind is not NONE, then the
 * record, which may be as it was. */
struct boot_mark {
    uint32_t rec_idx;
    struct ota_rec rec; /* complete new record */
    struct ota_event event;
};

struct boot_plan {
    enum boot_action action;
    uint32_t choice; /* slot index, BOOT_FACTORY, BOOT_TEST, NONE */
    enum boot_reason reason;
    uint32_t preferred;    /* what the records ask for, or NONE */
    uint32_t raise_to;     /* the secure version that `choice`, which is
                         * confirmed, gives the fuses; 0: none */
    uint32_t fallback_cnt; /* who would be tried after `choice` */
    uint8_t fallbacks[BOOT_CHOICES];
    uint32_t mark_cnt;         /* in the order they are to be written; while */
    struct boot_mark marks[2]; /* VERIFY: as if `choice` turned out good */
};

void boot_plan(const struct boot_in *in, struct boot_plan *plan);

/* With anti-rollback: does the image there say less than the fuses, or
 * nothing? */
bool boot_too_old(const struct boot_in *in, uint32_t choice);

/* May `running` (a slot's index, BOOT_FACTORY, ...) be given up? Then *choice
 * is what takes its place if its image verifies, which the caller finds out:
 * the slot that the other record names, or else the factory's program. False:
 * there are no slots, or that is the running program itself. Pure. */
bool boot_way_back(const struct ota_rec *other, uint32_t running,
                   uint32_t slot_cnt, uint32_t *choice);

/* "ota_3", "factory", "test", "none". */
const char *boot_choice_name(uint32_t choice);
/* A sentence for people. */
const char *boot_reason_text(enum boot_reason reason);

#endif
