/* The watchdog of tasks: a list of who is watched and when each was heard of
 * last, and an alarm that looks through it several times per period. The alarm
 * runs only while somebody is watched. */
#include "esp_task_wdt.h"

#include <pthread.h>
#include <string.h>

#include "alarm.h"
#include "compat.h"
#include "esp_log.h"
#include "porta/app_config.h"

#define LOOKS 8u /* per period */

static const char tag[] = "task_wdt";

struct compat_wdt_user {
    struct compat_wdt_user *next;
    TaskHandle_t task; /* NULL: a user with a name alone */
    char name[configMAX_TASK_NAME_LEN];
    uint64_t heard_us;
};

static void look(void *arg);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct compat_alarm alarm_clock = { .fn = look };
static struct compat_wdt_user *users;
static esp_task_wdt_config_t conf;
static bool on;

/* --- looking -------------------------------------------------------------- */

static bool is_late(const struct compat_wdt_user *u, uint64_t now_us)
{
    return now_us - u->heard_us > (uint64_t)conf.timeout_ms * 1000;
}

/* Names who is late, and gives everybody another period. */
static bool say_late(uint64_t now_us)
{
    bool any = false;
    for (struct compat_wdt_user *u = users; u; u = u->next) {
        if (!is_late(u, now_us))
            continue;
        ESP_LOGE(tag,
                 "Task watchdog got triggered: %s did not reset the "
                 "watchdog in %u ms",
                 u->name, (unsigned)conf.timeout_ms);
        u->heard_us = now_us;
        any = true;
    }
    return any;
}

static void look(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    bool late = on && say_late(compat_now_us());
    bool panic = conf.trigger_panic;
    pthread_mutex_unlock(&lock);
    if (late && panic)
        compat_reset(PORT_RESET_TASK_WDT);
}

/* With the mutex held. */
static void alarm_set(void)
{
    uint64_t us = (uint64_t)conf.timeout_ms * 1000 / LOOKS;
    if (!on || !users)
        (void)compat_alarm_stop(&alarm_clock);
    else if (!compat_alarm_active(&alarm_clock))
        (void)compat_alarm_start(&alarm_clock, us, us);
}

/* --- on and off ----------------------------------------------------------- */

/* With the mutex held: everybody begins anew. */
static void configure(const esp_task_wdt_config_t *config)
{
    conf = *config;
    on = true;
    for (struct compat_wdt_user *u = users; u; u = u->next)
        u->heard_us = compat_now_us();
    (void)compat_alarm_stop(&alarm_clock);
    alarm_set();
}

static esp_err_t set(const esp_task_wdt_config_t *config, bool must_be_on)
{
    if (!config || config->timeout_ms == 0)
        return ESP_ERR_INVALID_ARG;
    pthread_mutex_lock(&lock);
    bool ok = on == must_be_on;
    if (ok)
        configure(config);
    pthread_mutex_unlock(&lock);
    return ok ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_task_wdt_init(const esp_task_wdt_config_t *config)
{
    return set(config, false);
}

esp_err_t esp_task_wdt_reconfigure(const esp_task_wdt_config_t *config)
{
    return set(config, true);
}

esp_err_t esp_task_wdt_deinit(void)
{
    pthread_mutex_lock(&lock);
    bool ok = on && !users;
    if (ok)
        on = false;
    pthread_mutex_unlock(&lock);
    return ok ? ESP_OK : ESP_ERR_INVALID_STATE;
}

void compat_wdt_start(void)
{
    const esp_task_wdt_config_t config = {
        .timeout_ms = porta_app_config.wdt_ms,
        .trigger_panic = porta_app_config.wdt_panic,
    };
    if (porta_app_config.wdt)
        (void)esp_task_wdt_init(&config);
}

/* --- who is watched ------------------------------------------------------- */

/* With the mutex held: the place in the list that points to it; NULL: none.
 * user NULL: it is the task that is looked for. */
static struct compat_wdt_user **find(const struct compat_wdt_user *user,
                                     TaskHandle_t task)
{
    struct compat_wdt_user **at = &users;
    while (*at && !(user ? *at == user : (*at)->task == task))
        at = &(*at)->next;
    return *at ? at : NULL;
}

static esp_err_t add(TaskHandle_t task, const char *name,
                     struct compat_wdt_user **out)
{
    struct compat_wdt_user *u = calloc(1, sizeof(*u));
    esp_err_t err = u ? ESP_OK : ESP_ERR_NO_MEM;
    pthread_mutex_lock(&lock);
    if (!err && !on)
        err = ESP_ERR_INVALID_STATE;
    if (!err && task && find(NULL, task))
        err = ESP_ERR_INVALID_ARG;
    if (!err) {
        *u = (struct compat_wdt_user){ .next = users,
                                       .task = task,
                                       .heard_us = compat_now_us() };
        snprintf(u->name, sizeof(u->name), "%s", name);
        users = u;
        alarm_set();
        if (out)
            *out = u;
    }
    pthread_mutex_unlock(&lock);
    if (err)
        free(u);
    return err;
}

esp_err_t esp_task_wdt_add(TaskHandle_t task_handle)
{
    TaskHandle_t task = task_handle ? task_handle : xTaskGetCurrentTaskHandle();
    return task ? add(task, pcTaskGetName(task), NULL) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_task_wdt_add_user(const char *user_name,
                                esp_task_wdt_user_handle_t *user_handle_ret)
{
    if (!user_name || !user_handle_ret)
        return ESP_ERR_INVALID_ARG;
    return add(NULL, user_name, user_handle_ret);
}

/* What is done with one that is watched: remove it, or note that it lives. */
static esp_err_t at_user(const struct compat_wdt_user *user, TaskHandle_t task,
                         bool remove)
{
    esp_err_t err = ESP_ERR_INVALID_STATE;
    struct compat_wdt_user *gone = NULL;
    pthread_mutex_lock(&lock);
    struct compat_wdt_user **at = find(user, task);
    if (on)
        err = at ? ESP_OK : ESP_ERR_NOT_FOUND;
    if (!err && remove) {
        gone = *at;
        *at = gone->next;
        alarm_set();
    } else if (!err) {
        (*at)->heard_us = compat_now_us();
    }
    pthread_mutex_unlock(&lock);
    free(gone);
    return err;
}

esp_err_t esp_task_wdt_reset(void)
{
    return at_user(NULL, xTaskGetCurrentTaskHandle(), false);
}

esp_err_t esp_task_wdt_reset_user(esp_task_wdt_user_handle_t user_handle)
{
    return user_handle ? at_user(user_handle, NULL, false)
                       : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_task_wdt_delete(TaskHandle_t task_handle)
{
    return at_user(
        NULL, task_handle ? task_handle : xTaskGetCurrentTaskHandle(), true);
}

esp_err_t esp_task_wdt_delete_user(esp_task_wdt_user_handle_t user_handle)
{
    return user_handle ? at_user(user_handle, NULL, true) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_task_wdt_status(TaskHandle_t task_handle)
{
    TaskHandle_t task = task_handle ? task_handle : xTaskGetCurrentTaskHandle();
    pthread_mutex_lock(&lock);
    esp_err_t err = !on                ? ESP_ERR_INVALID_STATE
                    : find(NULL, task) ? ESP_OK
                                       : ESP_ERR_NOT_FOUND;
    pthread_mutex_unlock(&lock);
    return err;
}
