/* porta/ota_confirm.h: a policy at work. The decision is boot/confirm.h's; here
 * are the facts that it is given, and the task that carries it out. */
#include "api/ota.h"

#include <string.h>

#include "base/log.h"
#include "boot/confirm.h"

#include "esp_system.h"

static const char tag[] = "ota_confirm";

#define VOTE_MS 1000u

static struct api_confirm *state(void)
{
    return &api_device()->confirm;
}

static void enter(void)
{
    const struct port_task *task = api_device()->boot.task;

    task->enter(task->ctx);
}

static void leave(void)
{
    const struct port_task *task = api_device()->boot.task;

    task->leave(task->ctx);
}

static void wake(void)
{
    const struct port_task *task = api_device()->boot.task;

    task->wake(task->ctx);
}

void porta_ota_condition_met(uint32_t conditions)
{
    enter();
    state()->met |= conditions;
    wake();
    leave();
}

void porta_ota_condition_failed(uint32_t conditions, const char *words)
{
    struct api_confirm *c = state();

    enter();
    if (!c->failed) {
        c->failed = conditions;
        for (size_t i = 0; words && words[i] && i < sizeof(c->words); i++)
            c->words[i] = words[i];
    }
    wake();
    leave();
}

uint32_t porta_ota_trial_starts(void)
{
    uint32_t resets;

    return api_ota_trial(&resets) ? resets + 1 : 0;
}

/* --- the task ------------------------------------------------------------- */

static enum confirm_step vote(const porta_ota_policy_t *policy)
{
    switch (policy->vote(policy->ctx, api_uptime_ms())) {
    case PORTA_OTA_CONFIRM:
        return CONFIRM_YES;
    case PORTA_OTA_GIVE_UP:
        return CONFIRM_NO;
    default:
        return CONFIRM_WAIT;
    }
}

/* Inside the place; outside of it while the application votes. */
static void decide(struct confirm_out *out)
{
    const struct api_confirm *c = state();
    struct confirm_in in = {
        .required = c->policy.required,
        .min_up_ms = c->policy.min_uptime_ms,
        .deadline_ms = c->policy.deadline_ms,
        .max_starts = c->policy.max_starts,
        .votes = c->policy.vote != NULL,
    };

    leave();
    in.starts = porta_ota_trial_starts();
    if (in.votes)
        in.vote = vote(&c->policy);
    enter();
    in.met = c->met;
    in.failed = c->failed;
    in.up_ms = api_uptime_ms();
    confirm_decide(&in, out);
    if (in.votes) {
        uint32_t vote_ms = c->policy.vote_ms ? c->policy.vote_ms : VOTE_MS;
        if (vote_ms < out->next_ms)
            out->next_ms = vote_ms;
    }
}

static void confirm(struct ota_event *event)
{
    esp_err_t err = api_ota_confirm(event);

    if (err)
        LOGE(tag, "the program cannot be confirmed: %s", err_name(err));
    else
        LOGI(tag, "the program is confirmed: %s",
             ota_event_why_text(event->why));
}

static void give_up(struct ota_event *event)
{
    esp_err_t err = api_ota_give_up(event);

    if (err) {
        LOGE(tag, "the program should be given up, %s, and cannot: %s",
             ota_event_why_text(event->why), err_name(err));
        return;
    }
    LOGW(tag, "the program is given up: %s", ota_event_why_text(event->why));
    esp_restart();
}

/* Outside the place. */
static void carry_out(const struct confirm_out *out)
{
    struct ota_event event = { .who = OTA_BY_POLICY,
                               .why = (uint8_t)out->why,
                               .conditions = out->conditions };

    memcpy(event.text, state()->words, sizeof(event.text));
    if (out->step == CONFIRM_YES)
        confirm(&event);
    else
        give_up(&event);
}

/* Until it is decided, or the device stops. */
static void run(void *arg)
{
    const struct port_task *task = api_device()->boot.task;
    struct api_confirm *c = state();
    struct confirm_out out = { .step = CONFIRM_WAIT };

    (void)arg;
    enter();
    while (!c->stop) {
        decide(&out);
        if (c->stop || out.step != CONFIRM_WAIT)
            break;
        (void)task->wait(task->ctx, out.next_ms);
    }
    leave();
    if (!c->stop && out.step != CONFIRM_WAIT)
        carry_out(&out);
    enter();
    c->decides = false;
    wake();
    leave();
}

static void stop(void)
{
    const struct port_task *task = api_device()->boot.task;
    struct api_confirm *c = state();

    enter();
    c->stop = true;
    wake();
    while (c->decides && task->wait(task->ctx, UINT32_MAX) > 0) {}
    leave();
}

static esp_err_t policy_check(const porta_ota_policy_t *policy)
{
    uint32_t resets;

    if (!policy ||
        (policy->deadline_ms && policy->deadline_ms <= policy->min_uptime_ms))
        return ESP_ERR_INVALID_ARG;
    return api_ota_trial(&resets) ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t porta_ota_confirm_start(const porta_ota_policy_t *policy)
{
    const struct port_task *task = api_device()->boot.task;
    struct api_confirm *c = state();
    esp_err_t err = policy_check(policy);

    if (err)
        return err;
    api_device()->at_stop[API_STOP_CONFIRM] = stop;
    enter();
    err = c->decides ? ESP_ERR_INVALID_STATE : ESP_OK;
    if (!err) {
        c->decides = true;
        c->policy = *policy;
    }
    leave();
    if (err)
        return err;
    err = task->start(task->ctx, "ota_confirm", run, NULL);
    if (err) {
        enter();
        c->decides = false;
        leave();
    }
    return err;
}
