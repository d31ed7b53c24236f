/* limits.c - the time of a session, and the wish to stop it. */
#include "update/priv.h"

#include <stdio.h>

uint64_t upd_now_ms(const struct upd *u)
{
    const struct port_sys *sys = u->env.http.sys;

    return sys->mono_ms(sys->ctx);
}

void upd_limits_begin(struct upd *u)
{
    if (!u->opts.limit)
        u->opts.limit = &u->own_limit;
    u->start_ms = upd_now_ms(u);
    if (u->opts.max_time_ms > 0)
        u->opts.limit->deadline_ms = u->start_ms + u->opts.max_time_ms;
}

uint64_t upd_left_ms(const struct upd *u)
{
    uint64_t end_ms = u->opts.limit->deadline_ms, now_ms = upd_now_ms(u);

    if (end_ms == 0)
        return UINT64_MAX;
    return now_ms < end_ms ? end_ms - now_ms : 0;
}

esp_err_t upd_limits_err(const struct upd *u)
{
    if (port_limit_stopped(u->opts.limit))
        return ESP_ERR_NOT_FINISHED;
    return upd_left_ms(u) > 0 ? ESP_OK : ESP_ERR_TIMEOUT;
}

void upd_limits_text(const struct upd *u, char *text, size_t len)
{
    unsigned long long off = u->fetch.off;

    if (u->err == ESP_ERR_NOT_FINISHED)
        (void)snprintf(text, len,
                       "interrupted after %llu bytes; nothing that boots was "
                       "changed",
                       off);
    else
        (void)snprintf(text, len,
                       "the time limit of %u.%u s passed after %llu bytes",
                       (unsigned)(u->opts.max_time_ms / 1000),
                       (unsigned)(u->opts.max_time_ms % 1000 / 100), off);
}

esp_err_t upd_check_limits(struct upd *u)
{
    if (!upd_limits_err(u))
        return u->err;
    return upd_fail(u, DIAG_STAGE_DOWNLOAD, ESP_ERR_TIMEOUT, "%s", "");
}

void upd_wait(struct upd *u, uint32_t ms)
{
    const struct port_sys *sys = u->env.http.sys;

    while (ms > 0 && !port_limit_stopped(u->opts.limit)) {
        uint32_t slice = ms < PORT_LIMIT_SLICE_MS ? ms : PORT_LIMIT_SLICE_MS;
        sys->sleep_ms(sys->ctx, slice);
        ms -= slice;
    }
}
