/* sim_task.h - a program with one thread: nothing to start, wait for, lock. */
#ifndef SIM_TASK_H
#define SIM_TASK_H

#include "port/lock.h"
#include "port/task.h"

extern const struct port_task sim_task;
extern const struct port_lock sim_lock;

#endif
