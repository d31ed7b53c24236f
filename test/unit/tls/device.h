/* The implicit device on this machine's network, for tests of esp_tls. */
#ifndef TEST_TLS_DEVICE_H
#define TEST_TLS_DEVICE_H

#include "api/device.h"
#include "fixture.h"

extern struct policy device_policy;
extern struct tls_floor device_floor;

/* After group_setup(); without_sockets: as a port that has no descriptors. */
void device_start(bool without_sockets);
/* Nothing of the library is left in heap. */
void device_stop(void);

#endif
