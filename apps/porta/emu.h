/* emu.h - a flash file in an emulated board instead of in a process: the same
 * ends and reports as board.h, for chips whose code does not run here.
 *
 * Every boot is an emulator of its own, because one that goes on after a reset
 * keeps translations of code that was written over. What survives a reset is
 * RAM, which is a file in FLASH.run/; a power-on zeroes it. The console is
 * kept in FLASH.run/console.log. */
#ifndef EMU_H
#define EMU_H

#include "board.h"
#include "cli.h"
#include "emu_net.h"

#define EMU_BOARD "qemu-virt-rv32"

struct emu_opts {
    const char *flash_path;
    const char *bootloader;        /* its file; NULL: the one that was built */
    const struct cli_list *args;   /* more arguments of the emulator */
    const char *clock;             /* real-time clock at the start; NULL: now */
    const struct cli_list *inputs; /* PIN=LEVEL, as `porta device` has it */
    enum emu_net_kind network;
    const char *server;   /* a command that runs beside it; NULL: none */
    uint32_t max_boots;   /* 0: any number */
    uint32_t max_time_ms; /* 0: for ever */
    bool console_stderr;
};

/* As board_run(); the caller holds the lock of the flash file. */
MUST_CHECK esp_err_t emu_run(const struct emu_opts *opts,
                             struct board_report *report, struct diag *diag);

#endif
