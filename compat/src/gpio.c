/* Pins are set up by constructors, too, before there is a device; so each is a
 * word of its own, and there is no lock. */
#include "driver/gpio.h"

#include <stdatomic.h>

#include "api/device.h"

#define PIN_CNT 63 /* GPIO_NUM_MAX */

#define MODE 0x0fu
#define UP 0x10u
#define DOWN 0x20u
#define LEVEL 0x40u /* written to it */

static atomic_uint pins[PIN_CNT];

static void change(int num, unsigned clear, unsigned set)
{
    unsigned was = atomic_load(&pins[num]);

    while (
        !atomic_compare_exchange_weak(&pins[num], &was, (was & ~clear) | set))
        ;
}

static esp_err_t change_pin(gpio_num_t num, unsigned clear, unsigned set)
{
    if (num < 0 || num >= PIN_CNT)
        return ESP_ERR_INVALID_ARG;
    change(num, clear, set);
    return ESP_OK;
}

esp_err_t gpio_config(const gpio_config_t *pGPIOConfig)
{
    unsigned set;

    if (!pGPIOConfig || pGPIOConfig->pin_bit_mask == 0 ||
        pGPIOConfig->pin_bit_mask >> PIN_CNT)
        return ESP_ERR_INVALID_ARG;
    set = (unsigned)pGPIOConfig->mode & MODE;
    if (pGPIOConfig->pull_up_en == GPIO_PULLUP_ENABLE)
        set |= UP;
    if (pGPIOConfig->pull_down_en == GPIO_PULLDOWN_ENABLE)
        set |= DOWN;
    for (int i = 0; i < PIN_CNT; i++) {
        if (pGPIOConfig->pin_bit_mask >> i & 1)
            change(i, MODE | UP | DOWN, set);
    }
    return ESP_OK;
}

/* A pin as a reset leaves it: no direction, pulled up. */
esp_err_t gpio_reset_pin(gpio_num_t gpio_num)
{
    return change_pin(gpio_num, MODE | UP | DOWN | LEVEL,
                      GPIO_MODE_DISABLE | UP);
}

esp_err_t gpio_set_direction(gpio_num_t gpio_num, gpio_mode_t mode)
{
    return change_pin(gpio_num, MODE, (unsigned)mode & MODE);
}

esp_err_t gpio_set_pull_mode(gpio_num_t gpio_num, gpio_pull_mode_t pull)
{
    unsigned set = 0;

    if (pull == GPIO_PULLUP_ONLY || pull == GPIO_PULLUP_PULLDOWN)
        set |= UP;
    if (pull == GPIO_PULLDOWN_ONLY || pull == GPIO_PULLUP_PULLDOWN)
        set |= DOWN;
    return change_pin(gpio_num, UP | DOWN, set);
}

esp_err_t gpio_pullup_en(gpio_num_t gpio_num)
{
    return change_pin(gpio_num, 0, UP);
}

esp_err_t gpio_pullup_dis(gpio_num_t gpio_num)
{
    return change_pin(gpio_num, UP, 0);
}

esp_err_t gpio_pulldown_en(gpio_num_t gpio_num)
{
    return change_pin(gpio_num, 0, DOWN);
}

esp_err_t gpio_pulldown_dis(gpio_num_t gpio_num)
{
    return change_pin(gpio_num, DOWN, 0);
}

esp_err_t gpio_set_level(gpio_num_t gpio_num, uint32_t level)
{
    return change_pin(gpio_num, LEVEL, level ? LEVEL : 0);
}

/* What the board says. Nothing, before there is a device. */
static esp_err_t input(gpio_num_t num, bool *level)
{
    const struct port_sys *sys;

    if (!api_device_started())
        return ESP_ERR_NOT_SUPPORTED;
    sys = api_device()->boot.sys;
    return sys->input(sys->ctx, (uint32_t)num, level);
}

int gpio_get_level(gpio_num_t gpio_num)
{
    unsigned pin;
    bool level;

    if (gpio_num < 0 || gpio_num >= PIN_CNT)
        return 0;
    pin = atomic_load(&pins[gpio_num]);
    if (!(pin & GPIO_MODE_INPUT))
        return 0;
    if (input(gpio_num, &level) == ESP_OK)
        return level;
    if (pin & GPIO_MODE_OUTPUT)
        return (pin & LEVEL) != 0;
    return (pin & (UP | DOWN)) == UP;
}
