/* Memory, pins, addresses, the network: what an application asks the chip
 * for. */
#include <string.h>

#include "driver/gpio.h"
#include "esp_heap_caps.h"
#include "esp_mac.h"
#include "esp_netif.h"
#include "esp_random.h"
#include "esp_wifi.h"
#include "protocol_examples_utils.h"
#include "runtime.h"

/* As a constructor of C++ does: before there is a device. */
static int early;

static __attribute__((constructor)) void set_up_early(void)
{
    gpio_reset_pin(GPIO_NUM_8);
    gpio_set_direction(GPIO_NUM_8, GPIO_MODE_INPUT_OUTPUT);
    gpio_set_level(GPIO_NUM_8, 1);
    early = gpio_get_level(GPIO_NUM_8);
}

static void check_pins(void)
{
    gpio_config_t input = { .pin_bit_mask = BIT64(4) | BIT64(5) | BIT64(6),
                            .mode = GPIO_MODE_INPUT,
                            .pull_up_en = GPIO_PULLUP_ENABLE };
    gpio_config_t none = { .pin_bit_mask = 0 };

    check("no pin is an error", gpio_config(&none) == ESP_ERR_INVALID_ARG);
    check("pins are set up", gpio_config(&input) == ESP_OK);
    check("pin 4 is low, says the board", gpio_get_level(GPIO_NUM_4) == 0);
    check("pin 5 is high, says the board", gpio_get_level(GPIO_NUM_5) == 1);
    check("pin 6 is pulled up", gpio_get_level(GPIO_NUM_6) == 1);
    gpio_set_pull_mode(GPIO_NUM_6, GPIO_PULLDOWN_ONLY);
    check("pin 6 is pulled down", gpio_get_level(GPIO_NUM_6) == 0);
    gpio_set_direction(GPIO_NUM_7, GPIO_MODE_INPUT_OUTPUT);
    gpio_set_level(GPIO_NUM_7, 1);
    check("pin 7 keeps what is written", gpio_get_level(GPIO_NUM_7) == 1);
    check("pin 7 is reset", gpio_reset_pin(GPIO_NUM_7) == ESP_OK &&
                                gpio_get_level(GPIO_NUM_7) == 0);
    check("pin 8 is set up by a constructor",
          early == 1 && gpio_get_level(GPIO_NUM_8) == 1);
    check("pin 99 is not there",
          gpio_set_level((gpio_num_t)99, 1) == ESP_ERR_INVALID_ARG);
}

static void check_addresses(void)
{
    const uint8_t set[6] = { 0x02, 0x11, 0x22, 0x33, 0x44, 0x55 };
    const uint8_t group[6] = { 0x01 };
    uint8_t base[6], sta[6], eth[6];

    esp_read_mac(base, ESP_MAC_BASE);
    check("the address that the board gave", memcmp(base, set, 6) == 0);
    esp_read_mac(sta, ESP_MAC_WIFI_STA);
    esp_read_mac(eth, ESP_MAC_ETH);
    check("one for each interface",
          memcmp(sta, base, 6) == 0 && eth[5] == base[5] + 3);
    check("a group's address is refused",
          esp_base_mac_addr_set(group) == ESP_ERR_INVALID_ARG);
}

static void check_random(void)
{
    uint8_t a[32] = { 0 }, b[32] = { 0 };

    esp_fill_random(a, sizeof(a));
    esp_fill_random(b, sizeof(b));
    check("random bytes differ", memcmp(a, b, sizeof(a)) != 0);
}

static void check_text(void)
{
    char text[64];

    check("a text for URLs", example_uri_encode(text, "a b/~", 5) == 9 &&
                                 strcmp(text, "a%20b%2F~") == 0);
    example_uri_decode(text, "a%20b%zz", 8);
    check("and back", strcmp(text, "a b%zz") == 0);
}

static void check_names(void)
{
    esp_netif_t *sta = esp_netif_create_default_wifi_sta();
    const char *name = NULL;

    check("a name that is too long",
          esp_netif_set_hostname(sta, "0123456789012345678901234567890123") ==
              ESP_ERR_INVALID_ARG);
    check("a host name is told again",
          esp_netif_set_hostname(sta, "gateway") == ESP_OK &&
              esp_netif_get_hostname(sta, &name) == ESP_OK &&
              strcmp(name, "gateway") == 0);
    check("nothing is connected yet", esp_netif_get_default_netif() == NULL);
}

static void check_wifi_order(void)
{
    wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();
    wifi_mode_t mode;

    check("Wi-Fi is set up first", esp_wifi_start() == ESP_ERR_WIFI_NOT_INIT &&
                                       esp_wifi_init(&init) == ESP_OK);
    check("no access point",
          esp_wifi_set_mode(WIFI_MODE_AP) == ESP_ERR_NOT_SUPPORTED);
    check("started before it connects",
          esp_wifi_connect() == ESP_ERR_WIFI_NOT_STARTED &&
              esp_wifi_start() == ESP_OK);
    check("a name is needed", esp_wifi_connect() == ESP_ERR_WIFI_SSID);
    check("a station",
          esp_wifi_get_mode(&mode) == ESP_OK && mode == WIFI_MODE_STA);
    check("stopped before it is given up",
          esp_wifi_deinit() == ESP_ERR_WIFI_NOT_STOPPED &&
              esp_wifi_stop() == ESP_OK && esp_wifi_deinit() == ESP_OK);
}

void check_world(void)
{
    check_pins();
    check_addresses();
    check_random();
    check_text();
    check_names();
    check_wifi_order();
    check("memory", heap_caps_get_free_size(MALLOC_CAP_DEFAULT) > 0);
}
