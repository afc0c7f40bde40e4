# A program in a shared object: a head, its strings and one kernel, laid out as
# the compiler lays them out, with distances only and no relocation.
# p' = p - lr*g, written by hand.

#define LIST(label, n) .quad label - updraft_program_descend, n
#define REL(label) .quad label - updraft_program_descend

#if defined(__x86_64__)
#define TARGET 1
#else
#define TARGET 3
#endif

  .text
  .p2align 4
descend:
#if defined(__x86_64__)
  # rdi: frame, rsi: first, rdx: count
  mov 0(%rdi), %rax            # model
  cvtsd2ss 0(%rax), %xmm1      # lr
  mov 16(%rdi), %r8            # tensors
  mov 24(%rdi), %r9            # chunks
  shl $4, %rsi
  add %rsi, %r9
1:
  test %rdx, %rdx
  jz 4f
  mov 0(%r9), %rax             # first element
  mov 8(%r9), %ecx             # count
  mov 12(%r9), %r10d           # row
  imul $56, %r10, %r10
  add %r8, %r10
  cmpl $0, 32(%r10)            # active
  je 3f
  mov 40(%r10), %r11           # p
  mov 48(%r10), %r10           # g
2:
  test %ecx, %ecx
  jz 3f
  movss (%r10,%rax,4), %xmm0
  mulss %xmm1, %xmm0
  movss (%r11,%rax,4), %xmm2
  subss %xmm0, %xmm2
  movss %xmm2, (%r11,%rax,4)
  inc %rax
  dec %ecx
  jmp 2b
3:
  add $16, %r9
  dec %rdx
  jmp 1b
4:
  ret
#else
  ldr x8, [x0]
  ldr d1, [x8]
  fcvt s1, d1
  ldr x3, [x0, #16]
  ldr x4, [x0, #24]
  add x4, x4, x1, lsl #4
1:
  cbz x2, 4f
  ldr x5, [x4]
  ldp w6, w7, [x4, #8]
  mov x8, #56
  umaddl x7, w7, w8, x3
  ldr w8, [x7, #32]
  cbz w8, 3f
  ldp x9, x10, [x7, #40]
2:
  cbz w6, 3f
  ldr s0, [x10, x5, lsl #2]
  fmul s0, s0, s1
  ldr s2, [x9, x5, lsl #2]
  fsub s2, s2, s0
  str s2, [x9, x5, lsl #2]
  add x5, x5, #1
  sub w6, w6, #1
  b 2b
3:
  add x4, x4, #16
  sub x2, x2, #1
  b 1b
4:
  ret
#endif

  .section .rodata
  .p2align 3
  .globl updraft_program_descend
updraft_program_descend:
  .ascii "updraft\0"
  .long 4, end_of_head - updraft_program_descend
  .quad end_of_program - updraft_program_descend
  .zero 16                     # hash
  REL(name)
  .quad 0, 0                   # doc, rule
  REL(target_name)
  .long TARGET, 1              # f32
  .long 1, 0, 0, 0             # one model slot
  .quad 0, 0                   # options
  LIST(hypers, 1)
  .quad 0, 0                   # scalars
  LIST(variants, 1)
  LIST(kernels, 1)
  .quad 0, 0, 0, 0             # views, requires
  .quad 0, 0                   # gpu
  .quad 0                      # workspace
end_of_head:
hypers:
  REL(lr)
  .quad 0
  .double 0.5, 0, 1
  .long 0, 0, 1, 0
variants:
  REL(variant_name)
  .quad 0, 0
  LIST(arrays, 2)
  .long 0, 56, 0, 0
arrays:
  REL(p_name)
  .quad 0
  .long 0, 1, 0, 0, 0, 0       # of elements
  REL(g_name)
  .quad 0
  .long 1, 1, 0, 0, 0, 0
kernels:
  REL(name)
  .quad 0
  REL(descend)
  .quad 0, 0                   # gpu_entry, gpu_threads, gpu_items
  .long 2, 0, 4, 0, 0xffffffff, 8000, 4000, 0, 0, 0
name:
  .asciz "descend"
target_name:
  .asciz "this processor"
lr:
  .asciz "lr"
variant_name:
  .asciz "v0"
p_name:
  .asciz "p"
g_name:
  .asciz "g"
end_of_program:
  .section .note.GNU-stack,"",%progbits
