/* The time of day is the host's. What programs may observe is kept: who was
 * named, whether it runs, and that the time was set once. */
#include <pthread.h>
#include <string.h>

#include "esp_netif_sntp.h"
#include "esp_sntp.h"

#define NAME_LEN 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char servers[SNTP_MAX_SERVERS][NAME_LEN];
    sntp_sync_time_cb_t on_sync;
    sntp_sync_mode_t mode;
    uint32_t interval_ms;
    bool on;
    bool told;  /* COMPLETED was said */
    bool ready; /* esp_netif_sntp_init() was called */
    bool waits;
} sntp = { .interval_ms = 3600000 };

void esp_sntp_setoperatingmode(esp_sntp_operatingmode_t operating_mode)
{
    (void)operating_mode; /* nobody is asked either way */
}

void esp_sntp_setservername(uint8_t idx, const char *server)
{
    if (idx >= SNTP_MAX_SERVERS)
        return;
    pthread_mutex_lock(&lock);
    snprintf(sntp.servers[idx], NAME_LEN, "%s", server ? server : "");
    pthread_mutex_unlock(&lock);
}

const char *esp_sntp_getservername(uint8_t idx)
{
    return idx < SNTP_MAX_SERVERS && sntp.servers[idx][0] ? sntp.servers[idx]
                                                          : NULL;
}

static void synchronize(void)
{
    struct timeval now;
    pthread_mutex_lock(&lock);
    sntp_sync_time_cb_t tell = sntp.on_sync;
    sntp.on = true;
    sntp.told = false;
    pthread_mutex_unlock(&lock);
    if (tell && gettimeofday(&now, NULL) == 0)
        tell(&now);
}

void esp_sntp_init(void)
{
    synchronize();
}

void esp_sntp_stop(void)
{
    pthread_mutex_lock(&lock);
    sntp.on = false;
    pthread_mutex_unlock(&lock);
}

bool esp_sntp_enabled(void)
{
    pthread_mutex_lock(&lock);
    bool on = sntp.on;
    pthread_mutex_unlock(&lock);
    return on;
}

void sntp_set_time_sync_notification_cb(sntp_sync_time_cb_t callback)
{
    pthread_mutex_lock(&lock);
    sntp.on_sync = callback;
    pthread_mutex_unlock(&lock);
}

void sntp_set_sync_mode(sntp_sync_mode_t sync_mode)
{
    sntp.mode = sync_mode;
}

sntp_sync_mode_t sntp_get_sync_mode(void)
{
    return sntp.mode;
}

sntp_sync_status_t sntp_get_sync_status(void)
{
    pthread_mutex_lock(&lock);
    bool fresh = sntp.on && !sntp.told;
    sntp.told = sntp.told || fresh;
    pthread_mutex_unlock(&lock);
    return fresh ? SNTP_SYNC_STATUS_COMPLETED : SNTP_SYNC_STATUS_RESET;
}

void sntp_set_sync_interval(uint32_t interval_ms)
{
    sntp.interval_ms = interval_ms < 15000 ? 15000 : interval_ms;
}

uint32_t sntp_get_sync_interval(void)
{
    return sntp.interval_ms;
}

bool sntp_restart(void)
{
    if (!esp_sntp_enabled())
        return false;
    synchronize();
    return true;
}

/* --- the newer way -------------------------------------------------------- */

esp_err_t esp_netif_sntp_init(const esp_sntp_config_t *config)
{
    if (!config || config->num_of_servers > SNTP_MAX_SERVERS)
        return ESP_ERR_INVALID_ARG;
    pthread_mutex_lock(&lock);
    bool again = sntp.ready;
    if (!again) {
        sntp.ready = true;
        sntp.waits = config->wait_for_sync;
        sntp.on_sync = config->sync_cb;
    }
    pthread_mutex_unlock(&lock);
    if (again)
        return ESP_ERR_INVALID_STATE;
    for (size_t i = 0; i < config->num_of_servers; i++)
        esp_sntp_setservername((uint8_t)i, config->servers[i]);
    return config->start ? esp_netif_sntp_start() : ESP_OK;
}

esp_err_t esp_netif_sntp_start(void)
{
    pthread_mutex_lock(&lock);
    bool ready = sntp.ready;
    pthread_mutex_unlock(&lock);
    if (!ready)
        return ESP_ERR_INVALID_STATE;
    synchronize();
    return ESP_OK;
}

void esp_netif_sntp_deinit(void)
{
    pthread_mutex_lock(&lock);
    sntp.ready = false;
    sntp.on = false;
    sntp.on_sync = NULL;
    pthread_mutex_unlock(&lock);
}

esp_err_t esp_netif_sntp_sync_wait(TickType_t tout)
{
    (void)tout;
    pthread_mutex_lock(&lock);
    bool ready = sntp.ready && sntp.waits;
    bool on = sntp.on;
    pthread_mutex_unlock(&lock);
    if (!ready)
        return ESP_ERR_INVALID_STATE;
    return on ? ESP_OK : ESP_ERR_TIMEOUT;
}

esp_err_t esp_netif_sntp_reachability(unsigned int index,
                                      unsigned int *reachability)
{
    if (index >= SNTP_MAX_SERVERS || !reachability)
        return ESP_ERR_INVALID_ARG;
    *reachability = 0; /* nobody was asked */
    return ESP_OK;
}
