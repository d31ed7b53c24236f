/* The rows of models/session.pml, asked of the code: what a session of
 * esp_https_ota does at each call, in each of its states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "esp_https_ota.h"

enum state { NONE, BEGUN, OPEN, WHOLE, BROKEN, ENDED, STATES };
enum call { BEGIN, TAKEN, MORE, LAST, LAST_BAD, FAILS, FINISH, ABORT, CALLS };
enum told { GOES_ON, DONE, ERROR };

static const esp_http_client_config_t http = { .url = RIG_URL };
static const esp_https_ota_config_t config = { .http_config = &http };

struct scene {
    struct device d;
    esp_https_ota_handle_t h, other;
};

static void must(bool ok)
{
    if (!ok)
        abort();
}

static enum told told_of(esp_err_t err)
{
    return err == ESP_OK                          ? DONE
           : err == ESP_ERR_HTTPS_OTA_IN_PROGRESS ? GOES_ON
                                                  : ERROR;
}

static esp_err_t perform_all(struct scene *s)
{
    esp_err_t err;

    do
        err = esp_https_ota_perform(s->h);
    while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    return err;
}

/* The last byte of the digest is wrong. */
static void damage(struct scene *s)
{
    s->d.rig.image[s->d.rig.image_len - 1] ^= 1;
}

/* And the call will be this one. */
static void bring_to(struct scene *s, enum state state, enum call call)
{
    device_open(&s->d);
    if (call == LAST_BAD)
        damage(s);
    if (state == BROKEN || call == FAILS) {
        s->d.rig.web.cut_at = 10000;
        s->d.rig.web.cut_cnt = UINT32_MAX;
    }
    if (state == NONE)
        return;
    must(esp_https_ota_begin(&config, &s->h) == ESP_OK);
    if (state == OPEN)
        must(esp_https_ota_perform(s->h) == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (state == WHOLE)
        must(perform_all(s) == ESP_OK);
    if (state == BROKEN)
        must(told_of(perform_all(s)) == ERROR);
}

/* What the session is after a call that was told so: a further call tells. */
static enum state after(struct scene *s, enum call call, enum told told)
{
    if (call >= FINISH || call == TAKEN)
        return ENDED;
    if (call == BEGIN)
        return BEGUN;
    if (told == GOES_ON)
        return OPEN;
    return esp_https_ota_finish(s->h) == ESP_OK && rig_boots(&s->d.rig) == 1
               ? WHOLE
               : BROKEN;
}

static enum told make(struct scene *s, enum call call)
{
    switch (call) {
    case BEGIN:
        return told_of(esp_https_ota_begin(&config, &s->h));
    case TAKEN:
        must(esp_https_ota_begin(&config, &s->other) == ESP_OK);
        return told_of(esp_https_ota_begin(&config, &s->h));
    case MORE:
        return told_of(esp_https_ota_perform(s->h));
    case FAILS:
    case LAST:
    case LAST_BAD:
        return told_of(perform_all(s));
    case ABORT:
        return told_of(esp_https_ota_abort(s->h));
    default:
        return told_of(esp_https_ota_finish(s->h));
    }
}

static bool can(enum state state, enum call call)
{
    switch (call) {
    case BEGIN:
    case TAKEN:
        return state == NONE;
    case LAST:
    case LAST_BAD:
    case FAILS:
        return state == OPEN;
    default:
        return state != NONE && state != ENDED;
    }
}

static void print_row(enum state state, enum call call)
{
    static struct scene s;
    enum told told;
    enum state to;
    uint32_t boots;

    s = (struct scene){ .h = NULL };
    bring_to(&s, state, call);
    told = make(&s, call);
    boots = rig_boots(&s.d.rig);
    to = after(&s, call, told);
    printf("%d %d -> %d %d %u\n", (int)state, (int)call, (int)to, (int)told,
           (unsigned)boots);
    if (call == TAKEN)
        must(esp_https_ota_abort(s.other) == ESP_OK);
    else if (to == BEGUN || to == OPEN)
        must(esp_https_ota_abort(s.h) == ESP_OK);
    device_close(&s.d);
}

int main(void)
{
    for (int state = NONE; state < STATES; state++)
        for (int call = BEGIN; call < CALLS; call++)
            if (can((enum state)state, (enum call)call))
                print_row((enum state)state, (enum call)call);
    return 0;
}
