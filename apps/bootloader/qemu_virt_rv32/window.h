/* window.h - the slot that runs, at one address.
 *
 * An application is linked once, for VRT_WINDOW: byte N of its image is at
 * VRT_WINDOW + N, whichever slot it lies in, because the page tables of Sv32
 * map the slot there. The loader's part of that is to refuse an image whose
 * segments were linked for another place. */
#ifndef WINDOW_H
#define WINDOW_H

#include "boot/exec.h"
#include "vrt_page.h"

struct window {
    struct boot_loader port; /* for struct boot_env */
    const struct img_check *check;
    uint32_t fed_len;
};

void window_open(struct window *w);

/* Is an image with these segments one for the window? Looks at the first
 * seg_cnt segments of info. */
bool window_fits(const struct img_info *info, uint32_t seg_cnt);

/* Maps image_len bytes of flash at off, gives the application its rights and
 * starts it in supervisor mode at entry. */
_Noreturn void window_start(struct vrt_page *page, uint32_t off,
                            uint32_t image_len, uint32_t entry);

#endif
