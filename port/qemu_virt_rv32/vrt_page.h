/* vrt_page.h - the page that survives resets: what runner, bootloader and
 * application tell each other.
 *
 * It stands for what hardware keeps: reset reason, a memory that only the
 * power clears, which slot was mapped. It lies at the start of RAM, which the
 * runner has as a file: a reset keeps it, a power cycle zeroes it. Numbers are
 * little-endian, for the machine and the host alike. */
#ifndef VRT_PAGE_H
#define VRT_PAGE_H

#include <stdint.h>

#define VRT_PAGE_MAGIC 0x76747270u
#define VRT_PAGE_VERSION 5u
#define VRT_PAGE_LEN 4096u
#define VRT_PAGE_OPTS_LEN 1280u
#define VRT_PAGE_RETAINED_LEN 1024u

/* What the machine exits with when the firmware ends it; 0 is a reset. */
#define VRT_EXIT_NOTHING_BOOTS 65
#define VRT_EXIT_NO_FLASH 66 /* bank 1 is not there */

#define VRT_PAGE_PINS 64u

/* Levels of diagnostic inputs, a bit per pin. */
struct vrt_inputs {
    uint32_t known[VRT_PAGE_PINS / 32]; /* something is said about the pin */
    uint32_t high[VRT_PAGE_PINS / 32];
};

struct vrt_page {
    uint32_t magic;
    uint32_t version;

    /* The bootloader, once per boot. */
    uint32_t boot_cnt;     /* since power-on */
    uint32_t reset_reason; /* enum port_reset_reason: of this boot */
    uint32_t slot_off;     /* what was mapped; slot_len 0: nothing */
    uint32_t slot_len;
    char slot_label[20];
    uint32_t table_off;
    uint32_t opts_len; /* the options that it acts by: boot_opts_pack() */
    uint8_t opts[VRT_PAGE_OPTS_LEN];
    char text[320]; /* why nothing boots */

    /* Whoever resets: the reason of the next boot. */
    uint32_t next_reason;

    /* The application. */
    uint32_t attached; /* 1: it runs */
    uint32_t idle;     /* 1: app_main() has returned */
    uint8_t retained[VRT_PAGE_RETAINED_LEN];

    /* The runner, at any time, before power-on, too. */
    struct vrt_inputs inputs;
};

_Static_assert(sizeof(struct vrt_page) <= VRT_PAGE_LEN, "more than a page");

#endif
