/* Forks a process that leaves session and group, and stays. */
#include <stdio.h>
#include <unistd.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

void app_main(void)
{
    pid_t child = fork();

    if (child == 0) {
        setsid();
        for (;;)
            pause();
    }
    printf("forked %d\nup\n", (int)child);
    fflush(stdout);
    for (;;)
        vTaskDelay(pdMS_TO_TICKS(1000));
}
