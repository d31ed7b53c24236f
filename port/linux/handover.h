/* handover.h - the page that a board, its bootloader and its application share.
 *
 * It stands for what hardware keeps: reset reason, memory that survives a
 * reset, which slot was mapped. The board creates it once as a memory file and
 * passes the descriptor in the environment; every boot uses the same page.
 *
 *   board        handover_create(), then before each boot handover_boot()
 *   bootloader   reads the options, fills `slot` and `verdict`, execs; where
 *                it cannot, it sets verdict and text and ends with _exit()
 *   application  handover_attach(), handover_claim(); writes `restart`
 *                before it leaves
 *
 * The application learns its slot from here and never from otadata, which is
 * wrong after a fallback. Application and board may be of different builds:
 * a page of another version or length is refused. */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/policy.h"
#include "linux_flash.h"
#include "port/sys.h"

#define HANDOVER_ENV "PORTA_HANDOVER"
#define HANDOVER_MAGIC 0x61747270u /* "prta" */
#define HANDOVER_VERSION 7u
#define HANDOVER_CHIP_LINUX 0xffffu
#define HANDOVER_RETAINED_LEN 1024u
#define HANDOVER_KEYS_LEN 1024u
#define HANDOVER_SLEEP_EVER UINT64_MAX /* nothing ends it */
#define HANDOVER_FUSES_LEN 8192u       /* of the file behind fuse_fd */

/* How the bootloader's part ended. */
enum handover_verdict {
    HANDOVER_PENDING = 0,   /* it did not get that far */
    HANDOVER_STARTED,       /* `slot` is set, exec comes next */
    HANDOVER_NOTHING_BOOTS, /* no image verifies; `text` says why */
    HANDOVER_FAILED         /* `text` says why. `slot` set: the bytes there
                               verify and do not start, a crash of that image.
                               Not set: flash or host stopped the bootloader */
};

struct handover_slot {
    uint32_t off;
    uint32_t len;
    char label[17];
};

struct handover {
    uint32_t magic;
    uint32_t version;
    uint32_t page_len;

    /* The board, before the first boot. */
    int32_t board_pid;
    int32_t flash_fd; /* open, locked, inherited */
    int32_t fuse_fd;  /* the same of FLASH.efuse; -1: fuses are in the flash */
    char flash_path[1024];
    uint32_t chip_id;
    uint32_t chip_rev;  /* major * 100 + minor */
    uint32_t fuse_chip; /* whose layout the fuses have */
    uint32_t table_off;
    uint8_t rollback; /* the options of struct policy */
    uint8_t allow_http;
    uint8_t require_hash;
    uint8_t skip_cert_verify;
    uint8_t require_signed;
    uint8_t anti_rollback;
    uint8_t sec_ver_bits;
    uint8_t keep_elf;   /* run from FLASH.run/, not from memory */
    uint8_t keys_final; /* no key store is asked */
    uint8_t trial_boots;
    uint8_t trial_power;
    uint8_t deny;
    uint8_t boot_unsigned;
    uint32_t keys_len; /* of keys: the set in the options, packed */
    uint8_t keys[HANDOVER_KEYS_LEN];
    struct linux_flash_meter meter;
    atomic_uint signal_level; /* of inputs that follow the board's signals */

    /* The board, before each boot. */
    uint32_t boot_cnt;    /* 1: the first */
    int32_t reset_reason; /* enum port_reset_reason */

    /* The bootloader, once per boot. */
    uint32_t verdict; /* enum handover_verdict */
    struct handover_slot slot;
    char text[320];

    /* The application. */
    atomic_uint attached; /* 1: it has claimed this page */
    atomic_uint restart; /* port_reset_reason: it ends to be reset; 0: not so */
    atomic_uint idle;    /* 1: its last task has ended; nothing will happen */
    uint64_t sleep_us;   /* of a deep sleep, which the board waits for */
    uint8_t retained[HANDOVER_RETAINED_LEN]; /* lost with the power */
};

/* A new page, inherited by children once handover_export() was called.
 * *fd is its memory file. ESP_FAIL: the system refused. */
MUST_CHECK esp_err_t handover_create(struct handover **out, int *fd,
                                     struct diag *diag);

/* Gets the page ready for the next boot. Clears what the last one left;
 * retained memory survives every reset but power-on. */
void handover_boot(struct handover *h, enum port_reset_reason reason);

/* In the child of a board, before it becomes anything else: names the page in
 * the environment, lets page and flash descriptors survive exec, and dies with
 * the board. ESP_ERR_INVALID_STATE: the board is gone already. */
MUST_CHECK esp_err_t handover_export(const struct handover *h, int fd,
                                     struct diag *diag);

/* The page of the board that started this program.
 * ESP_ERR_NOT_FOUND: no board did. ESP_ERR_INVALID_VERSION: a board of
 * another version did. */
MUST_CHECK esp_err_t handover_attach(struct handover **out, struct diag *diag);

/* In the application, after attaching: tells the board that it came up, and
 * keeps page and flash from programs that it may start itself. */
void handover_claim(struct handover *h);

void handover_policy(const struct handover *h, struct policy *out);
void handover_set_policy(struct handover *h, const struct policy *policy);

/* Bytes of keys that are there; 0 when the page says something impossible. */
uint32_t handover_keys_len(const struct handover *h);

/* Unmaps; NULL is a no-op. */
void handover_detach(struct handover *h);

#endif
