/* seq.h - which cuts an operation can meet. */
#ifndef TORTURE_SEQ_H
#define TORTURE_SEQ_H

#include "world.h"

/* In how many ways; 0: this fault is not for this kind of operation. */
uint32_t seq_ways(const struct world_op *op, enum tort_fault fault);

/* The simulator's plan for a cut; seed: of the run. */
struct sim_fault_plan seq_plan(const struct world_op *op,
                               const struct tort_cut *cut, uint64_t seed);

#endif
