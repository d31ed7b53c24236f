/* The first instructions of an application: supervisor mode, paging on, a0 the
 * page that survives resets. The stack is painted, so that its depth shows. */
    .section .text.start, "ax"
    .global _start
_start:
    .option push
    .option norelax
    la   gp, __global_pointer$
    .option pop
    la   sp, app_stack_top
    la   tp, app_tls_begin
    la   t0, app_data_from
    la   t1, app_data_begin
    la   t2, app_data_end
1:  bgeu t1, t2, 2f
    lw   t3, 0(t0)
    sw   t3, 0(t1)
    addi t0, t0, 4
    addi t1, t1, 4
    j    1b
2:  la   t1, app_bss_begin
    la   t2, app_bss_end
3:  bgeu t1, t2, 4f
    sw   zero, 0(t1)
    addi t1, t1, 4
    j    3b
4:  la   t1, app_stack_bottom
    la   t2, app_stack_top
    li   t3, 0xa5a5a5a5
5:  bgeu t1, t2, 6f
    sw   t3, 0(t1)
    addi t1, t1, 4
    j    5b
6:  fence.i
    call bare_main
    ebreak
