#include "device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "linux_rng.h"
#include "linux_sock.h"
#include "linux_sys.h"
#include "linux_trust.h"
#include "sim_flash.h"
#include "sim_task.h"

struct policy device_policy;
struct tls_floor device_floor;

static struct sim_flash flash;
static struct linux_sys sys;
static struct linux_sock sock;
static size_t before;

void device_start(bool without_sockets)
{
    const struct sim_flash_conf conf = { .size_len = 0x10000 };
    struct api_boot boot = { .flash = &flash.port,
                             .sys = &sys.port,
                             .heap = &heap.port,
                             .net = &net.port,
                             .clock = &wall.port,
                             .rng = &linux_rng,
                             .lock = &sim_lock,
                             .task = &sim_task,
                             .policy = &device_policy,
                             .running_off = UINT32_MAX,
                             .trust = &linux_trust,
                             .floor = &device_floor };

    assert_int_equal(sim_flash_init(&flash, &conf), ESP_OK);
    linux_sys_init(&sys, NULL);
    linux_sock_init(&sock, &net);
    if (!without_sockets)
        boot.sock = &sock.port;
    memset(&device_policy, 0, sizeof(device_policy));
    memset(&device_floor, 0, sizeof(device_floor));
    wall.now_s = NOW;
    before = heap.cur_cnt;
    assert_int_equal(api_device_start(&boot), ESP_OK);
}

void device_stop(void)
{
    api_device_stop();
    assert_int_equal(heap.cur_cnt, before);
    sim_flash_deinit(&flash);
}
