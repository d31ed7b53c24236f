#include "driver/gpio.h"

#include <string.h>

#include "api/device.h"

#define PIN_CNT 63 /* GPIO_NUM_MAX */

struct pin {
    gpio_mode_t mode;
    bool up, down;
    bool level; /* written to it */
};

static struct pin pins[PIN_CNT];

static bool is_pin(gpio_num_t num)
{
    return num >= 0 && num < PIN_CNT;
}

esp_err_t gpio_config(const gpio_config_t *pGPIOConfig)
{
    if (!pGPIOConfig || pGPIOConfig->pin_bit_mask == 0 ||
        pGPIOConfig->pin_bit_mask >> PIN_CNT)
        return ESP_ERR_INVALID_ARG;
    api_lock();
    for (int i = 0; i < PIN_CNT; i++) {
        if (!(pGPIOConfig->pin_bit_mask >> i & 1))
            continue;
        pins[i].mode = pGPIOConfig->mode;
        pins[i].up = pGPIOConfig->pull_up_en == GPIO_PULLUP_ENABLE;
        pins[i].down = pGPIOConfig->pull_down_en == GPIO_PULLDOWN_ENABLE;
    }
    api_unlock();
    return ESP_OK;
}

/* A pin as a reset leaves it: no direction, pulled up. */
esp_err_t gpio_reset_pin(gpio_num_t gpio_num)
{
    if (!is_pin(gpio_num))
        return ESP_ERR_INVALID_ARG;
    api_lock();
    pins[gpio_num] = (struct pin){ .mode = GPIO_MODE_DISABLE, .up = true };
    api_unlock();
    return ESP_OK;
}

esp_err_t gpio_set_direction(gpio_num_t gpio_num, gpio_mode_t mode)
{
    if (!is_pin(gpio_num))
        return ESP_ERR_INVALID_ARG;
    api_lock();
    pins[gpio_num].mode = mode;
    api_unlock();
    return ESP_OK;
}

static esp_err_t set_pulls(gpio_num_t num, const bool *up, const bool *down)
{
    if (!is_pin(num))
        return ESP_ERR_INVALID_ARG;
    api_lock();
    if (up)
        pins[num].up = *up;
    if (down)
        pins[num].down = *down;
    api_unlock();
    return ESP_OK;
}

esp_err_t gpio_set_pull_mode(gpio_num_t gpio_num, gpio_pull_mode_t pull)
{
    bool up = pull == GPIO_PULLUP_ONLY || pull == GPIO_PULLUP_PULLDOWN;
    bool down = pull == GPIO_PULLDOWN_ONLY || pull == GPIO_PULLUP_PULLDOWN;
    return set_pulls(gpio_num, &up, &down);
}

static const bool yes = true, no = false;

esp_err_t gpio_pullup_en(gpio_num_t gpio_num)
{
    return set_pulls(gpio_num, &yes, NULL);
}

esp_err_t gpio_pullup_dis(gpio_num_t gpio_num)
{
    return set_pulls(gpio_num, &no, NULL);
}

esp_err_t gpio_pulldown_en(gpio_num_t gpio_num)
{
    return set_pulls(gpio_num, NULL, &yes);
}

esp_err_t gpio_pulldown_dis(gpio_num_t gpio_num)
{
    return set_pulls(gpio_num, NULL, &no);
}

esp_err_t gpio_set_level(gpio_num_t gpio_num, uint32_t level)
{
    if (!is_pin(gpio_num))
        return ESP_ERR_INVALID_ARG;
    api_lock();
    pins[gpio_num].level = level != 0;
    api_unlock();
    return ESP_OK;
}

int gpio_get_level(gpio_num_t gpio_num)
{
    const struct port_sys *sys = api_device()->boot.sys;
    bool level;

    if (!is_pin(gpio_num))
        return 0;
    api_lock();
    struct pin pin = pins[gpio_num];
    api_unlock();
    if (!(pin.mode & GPIO_MODE_INPUT))
        return 0;
    if (sys->input(sys->ctx, (uint32_t)gpio_num, &level) == ESP_OK)
        return level;
    if (pin.mode & GPIO_MODE_OUTPUT)
        return pin.level;
    return pin.up && !pin.down;
}
