/* path.h - what a device does to its flash, and what must hold meanwhile. */
#ifndef TORTURE_PATH_H
#define TORTURE_PATH_H

#include "world.h"

/* What a reset starts when all is done. */
enum path_end { PATH_END_OLD, PATH_END_NEW, PATH_END_SAME };

struct path {
    const char *name;
    const char *invariant;
    bool metadata; /* depth 2 cuts all of the recovery */
    bool boots;    /* it is a pass of the bootloader */
    bool needs_rollback;
    enum path_end end;
    /* From the device as it was given, which runs: to where the path begins.
     * ESP_ERR_NOT_SUPPORTED: it cannot be here, *why says so; any other error
     * is a fault. */
    esp_err_t (*prepare)(struct world *w, const char **why);
    esp_err_t (*act)(struct world *w);
    /* What follows may be NULL. What the application does when it starts
     * again, before anything else. */
    esp_err_t (*start)(struct world *w);
    /* What must hold besides, once the application could start. It may write:
     * the flash is put back. *done: what was done counts. */
    const char *(*check)(struct world *w, bool *done);
    /* The update that is tried again; NULL: an ordinary one. */
    esp_err_t (*update)(struct world *w);
};

extern const struct path paths[TORT_PATH_CNT];

#endif
