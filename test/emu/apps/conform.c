/* The conformance test of ports, on the board: the first line of "settings" is
 * the port of an echo server on the host, the second one where nobody
 * listens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conform.h"

#include "api/device.h"
#include "esp_partition.h"

static void say(void *ctx, const char *claim, int ok)
{
    (void)ctx;
    printf("%s %s\n", ok ? "HOLDS" : "BROKEN", claim);
}

static const esp_partition_t *data(const char *label)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA,
                                    ESP_PARTITION_SUBTYPE_ANY, label);
}

void app_main(void)
{
    const struct api_boot *boot = &api_device()->boot;
    static char text[32];
    esp_partition_read(data("settings"), 0, text, sizeof(text) - 1);
    char *next = text;
    uint16_t echo_port = (uint16_t)strtoul(text, &next, 10);
    struct conform c = {
        .flash = boot->flash,
        .scratch_off = data("scratch")->address,
        .fuse = boot->fuse,
        .sys = boot->sys,
        .clock = boot->clock,
        .rng = boot->rng,
        .heap = boot->heap,
        .net = boot->net,
        .echo_host = "10.0.2.2",
        .echo_port = echo_port,
        .closed_port = (uint16_t)strtoul(next, NULL, 10),
        .say = say,
    };
    unsigned failed = conform_run(&c);
    printf("CONFORM passed=%u failed=%u\n", c.passed, failed);
}
