/* Applications that end badly, one way each: -DHOW="..." picks it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_ota_ops.h"

static void write_into_the_window(void)
{
    *(volatile int *)0x42000200 = 1;
}

static void write_over_the_bootloader(void)
{
    *(volatile int *)0x80001000 = 1;
}

static volatile int deep = 1;

static int overflow_the_stack(int above)
{
    volatile char here[512];

    here[0] = (char)above;
    return deep ? overflow_the_stack(here[0]) + here[0] : 0;
}

void app_main(void)
{
    printf("RUNS %s, slot=%s\n", HOW, esp_ota_get_running_partition()->label);
    if (strcmp(HOW, "abort") == 0)
        abort();
    if (strcmp(HOW, "hang") == 0)
        for (volatile int forever = 1; forever;)
            ;
    if (strcmp(HOW, "window") == 0)
        write_into_the_window();
    if (strcmp(HOW, "bootram") == 0)
        write_over_the_bootloader();
    if (strcmp(HOW, "stack") == 0)
        printf("%d\n", overflow_the_stack(1));
    printf("NOT REACHED\n");
}
