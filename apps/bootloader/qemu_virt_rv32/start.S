/* The first instructions after reset, and the way into the trap handler. Runs
 * in machine mode from flash bank 0. */
    .section .text.start, "ax"
    .global _start
_start:
    csrw mie, zero
    la   sp, boot_stack_top
    la   t0, boot_trap_entry
    csrw mtvec, t0
    la   t0, boot_trap_stack_top
    csrw mscratch, t0
    la   t0, boot_data_from
    la   t1, boot_data_begin
    la   t2, boot_data_end
1:  bgeu t1, t2, 2f
    lw   t3, 0(t0)
    sw   t3, 0(t1)
    addi t0, t0, 4
    addi t1, t1, 4
    j    1b
2:  la   t1, boot_bss_begin
    la   t2, boot_bss_end
3:  bgeu t1, t2, 4f
    sw   zero, 0(t1)
    addi t1, t1, 4
    j    3b
4:  call boot_main
5:  j    5b

/* boot_trap(struct trap_regs *) may change a0 and mepc. */
    .text
    .balign 4
    .global boot_trap_entry
boot_trap_entry:
    csrrw sp, mscratch, sp
    addi sp, sp, -64
    sw   ra, 0(sp)
    sw   t0, 4(sp)
    sw   t1, 8(sp)
    sw   t2, 12(sp)
    sw   t3, 16(sp)
    sw   t4, 20(sp)
    sw   t5, 24(sp)
    sw   t6, 28(sp)
    sw   a0, 32(sp)
    sw   a1, 36(sp)
    sw   a2, 40(sp)
    sw   a3, 44(sp)
    sw   a4, 48(sp)
    sw   a5, 52(sp)
    sw   a6, 56(sp)
    sw   a7, 60(sp)
    mv   a0, sp
    call boot_trap
    lw   ra, 0(sp)
    lw   t0, 4(sp)
    lw   t1, 8(sp)
    lw   t2, 12(sp)
    lw   t3, 16(sp)
    lw   t4, 20(sp)
    lw   t5, 24(sp)
    lw   t6, 28(sp)
    lw   a0, 32(sp)
    lw   a1, 36(sp)
    lw   a2, 40(sp)
    lw   a3, 44(sp)
    lw   a4, 48(sp)
    lw   a5, 52(sp)
    lw   a6, 56(sp)
    lw   a7, 60(sp)
    addi sp, sp, 64
    csrrw sp, mscratch, sp
    mret
