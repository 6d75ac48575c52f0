/*
 * What -fstack-protector wants of a C library. GCC's own asks the system for a cryptographic provider at each start, and loading that
 * takes longer than all else that the shim does.
 */
#define UNICODE
#include <stdint.h>
#include <windows.h>

#define STATUS_STACK_BUFFER_OVERRUN_CODE 0xc0000409u

/* RtlGenRandom, which bears this name in advapi32.dll and in no header of MinGW's. */
BOOLEAN NTAPI SystemFunction036(void *buffer, ULONG length);

uintptr_t __stack_chk_guard;
void __stack_chk_fail(void);

/* Before main. The guard changes in it, so it must not be protected itself: it has no variable on the stack whose address is taken. */
__attribute__((constructor)) static void make_guard(void) {
    static LARGE_INTEGER ticks;
    if (!SystemFunction036(&__stack_chk_guard, sizeof __stack_chk_guard)) {
        QueryPerformanceCounter(&ticks);
        __stack_chk_guard = (uintptr_t)ticks.QuadPart * 0x9e3779b97f4a7c15u ^ (uintptr_t)&ticks ^ GetCurrentProcessId();
    }
    /* A zero byte first: no text that is copied too far can hold it. */
    __stack_chk_guard &= ~(uintptr_t)0xff;
}

void __stack_chk_fail(void) {
    for (;;) TerminateProcess(GetCurrentProcess(), STATUS_STACK_BUFFER_OVERRUN_CODE);
}
