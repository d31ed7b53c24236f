/* freertos/portmacro.h - what FreeRTOS.h has. */
#ifndef PORTMACRO_H
#define PORTMACRO_H

#include "freertos/FreeRTOS.h"

#endif
