/* Compiled without -msave-restore: its stubs are in flash. */
#include "vrt_cfi.h"

#include <stddef.h>

#define RAMTEXT __attribute__((section(".ramtext"), noinline))

#define TWICE(cmd) ((uint32_t)(cmd) << 16 | (cmd))
#define CMD_READ_ARRAY TWICE(0xffu)
#define CMD_READ_ID TWICE(0x90u)
#define CMD_CLEAR_STATUS TWICE(0x50u)
#define CMD_PROGRAM_WORD TWICE(0x40u)
#define CMD_PROGRAM_BUFFER TWICE(0xe8u)
#define CMD_CONFIRM TWICE(0xd0u)
#define STATUS_READY TWICE(0x80u)
#define STATUS_ERRORS TWICE(0x3au) /* erase, program, voltage, lock */
#define ID_INTEL TWICE(0x0089u)

/* Far more than any chip takes, and still under a second here. */
#define POLL_MAX 1000000u

RAMTEXT static bool ready(volatile uint32_t *at)
{
    for (uint32_t i = 0; i < POLL_MAX; i++)
        if ((*at & STATUS_READY) == STATUS_READY)
            return true;
    return false;
}

RAMTEXT static bool finish(volatile uint32_t *at, bool ok)
{
    ok = ok && ready(at) && (*at & STATUS_ERRORS) == 0;
    *at = CMD_CLEAR_STATUS;
    *at = CMD_READ_ARRAY;
    return ok;
}

RAMTEXT static bool program_word(volatile uint32_t *dst, uint32_t word)
{
    *dst = CMD_PROGRAM_WORD;
    *dst = word;
    return finish(dst, true);
}

/* A buffer of one word hangs in some versions of the emulator. */
RAMTEXT bool vrt_cfi_program(volatile uint32_t *dst, const uint32_t *src,
                             uint32_t word_cnt)
{
    if (word_cnt == 1)
        return program_word(dst, src ? *src : 0xffffffffu);
    *dst = CMD_PROGRAM_BUFFER;
    if (!ready(dst))
        return finish(dst, false);
    *dst = TWICE(word_cnt - 1);
    for (uint32_t i = 0; i < word_cnt; i++)
        dst[i] = src ? src[i] : 0xffffffffu;
    *dst = CMD_CONFIRM;
    return finish(dst, true);
}

RAMTEXT bool vrt_cfi_present(volatile uint32_t *bank)
{
    *bank = CMD_READ_ID;
    bool ok = *bank == ID_INTEL;
    *bank = CMD_READ_ARRAY;
    return ok;
}
