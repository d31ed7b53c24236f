/* linux_time.h - the clock behind every deadline of this port.
 *
 * It is monotonic: what time of day it is has no part in it. */
#ifndef LINUX_TIME_H
#define LINUX_TIME_H

#include <stdint.h>

uint64_t linux_mono_ms(void);
uint64_t linux_mono_us(void);
/* At least so long, whatever signals come. */
void linux_sleep_us(uint64_t us);

#endif
