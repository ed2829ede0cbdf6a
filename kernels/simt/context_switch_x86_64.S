// void fovea_simt_switch(void** saved_stack_pointer, void* stack_pointer)
//
// Saves the callee-saved registers on the present stack and its stack pointer in *rdi, then restores
// those of the stack in rsi and returns there (System V ABI, x86-64).
  .text
  .globl fovea_simt_switch
  .hidden fovea_simt_switch
  .type fovea_simt_switch, @function
fovea_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size fovea_simt_switch, .-fovea_simt_switch
  .section .note.GNU-stack, "", @progbits
