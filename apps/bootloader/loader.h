/* loader.h - an application image as a program of the host.
 *
 * While a slot is verified its second segment, the ELF file, goes to a memory
 * file: the slot is read once. The file counts only if the verdict is ACCEPT;
 * it is sealed then, so that nothing changes it between verdict and exec.
 * Where programs may not be started from memory, and on request, it is copied
 * to FLASH.run/<slot>-<digest>, which debuggers can open. */
#ifndef LOADER_H
#define LOADER_H

#include "boot/exec.h"

#define LOADER_ELF_SEGMENT 1u

/* This machine has no room for a program (memory, files that may be open or may
 * grow), which says nothing about the image: no verdict must come of it. Does
 * not return. */
typedef void (*loader_starved_fn)(void *ctx, int why);

struct loader {
    struct boot_loader port; /* for struct boot_env */
    loader_starved_fn starved;
    void *starved_ctx;
    const struct img_check *check;
    int fd;       /* -1: nothing loaded */
    uint32_t pos; /* in the image, of the byte that comes next */
};

void loader_open(struct loader *l, loader_starved_fn starved, void *ctx);
void loader_close(struct loader *l);

/* How to start what was loaded. */
struct loader_exec {
    const char *flash_path;
    const char *label;     /* of the slot; becomes the program's name */
    const uint8_t *digest; /* of the image, SHA256_LEN bytes */
    bool keep_elf;
};

/* Becomes the program. Returns only on failure: the errno. */
int loader_exec(struct loader *l, const struct loader_exec *how);

#endif
