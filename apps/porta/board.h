/* board.h - the hardware around a flash file: power, resets, reset reasons.
 *
 * The board boots what is in the flash again and again: each boot is a child
 * process that runs the bootloader and becomes the application. What ended a
 * boot decides what happens next:
 *
 *   it asked for a restart       reset, reason software
 *   it died of a signal          reset, reason panic
 *   it was killed (SIGKILL)      reset, reason power-on
 *   it exited by itself          the board ends with its status
 *   nothing boots                the board ends, once a reset changes nothing
 *
 * A flash that keeps crashing is booted ever more slowly, up to once a second.
 * Neither the child nor what it forked outlives its boot; should the board be
 * killed, the child dies with it, and what it forked loses the flash. Call it
 * from the main thread of a process that has no other children; SIGINT, SIGTERM
 * and SIGHUP switch the device off. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/policy.h"
#include "image/keys.h"
#include "linux_flash.h"
#include "port/sys.h"

struct board_opts {
    struct linux_flash *flash; /* open for writing, borrowed */
    const char *flash_path;
    struct policy policy;
    struct img_keys keys; /* of the options, when it requires signatures */
    bool keys_final;      /* the flash's key store is not asked */
    uint16_t fuse_chip;   /* whose layout the fuses have */
    int fuse_fd;          /* of FLASH.efuse, open for writing; -1: none */
    bool keep_elf;        /* run from FLASH.run/, not from memory */
    uint32_t table_off;
    uint32_t max_boots;   /* 0: any number */
    uint32_t max_time_ms; /* 0: for ever */
    uint32_t power_cut;   /* flash operation that does not happen; 0: none */
    bool console_stderr;  /* the device's output goes to standard error */
};

enum board_end {
    BOARD_END_BOOTS,   /* max_boots is used up */
    BOARD_END_IDLE,    /* max_boots is set and the application is idle */
    BOARD_END_TIME,    /* max_time_ms is over */
    BOARD_END_CUT,     /* the power was cut at operation power_cut */
    BOARD_END_OFF,     /* switched off by a signal */
    BOARD_END_EXIT,    /* the application exited; see exit_status */
    BOARD_END_NO_BOOT, /* nothing boots; see diag */
    BOARD_END_FAILED   /* the host failed us; see diag */
};

#define BOARD_BOOTS_KEPT 256u

struct board_boot {
    int32_t reset_reason; /* enum port_reset_reason: why it began */
    char slot[17];        /* what ran; "": nothing */
};

struct board_report {
    enum board_end end;
    uint32_t boot_cnt;
    struct board_boot boots[BOARD_BOOTS_KEPT]; /* the first ones */
    uint32_t flash_ops;
    int exit_status;
    const char *network; /* of an emulated board: "own", "user", "none" */
};

/* Runs a device until something ends it. *report is always filled; *diag says
 * what BOARD_END_NO_BOOT and BOARD_END_FAILED mean. Returns ESP_OK for every
 * other end. */
MUST_CHECK esp_err_t board_run(const struct board_opts *opts,
                               struct board_report *report, struct diag *diag);

/* "power-on", "software", "panic" ... */
const char *board_reset_name(int32_t reset_reason);
/* The other way round; false: there is no such reason. */
bool board_reset_by_name(const char *name, enum port_reset_reason *out);
/* "boots", "idle", "time", ...: the word scripts see in JSON. */
const char *board_end_name(enum board_end end);

#endif
