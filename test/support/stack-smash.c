/* Tells the stack's guard in hexadecimal, and writes its input into an array of 16 bytes, however long it is. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

extern uintptr_t __stack_chk_guard;

static __attribute__((noinline)) int copy(const char *text, size_t length) {
    char array[16];
    volatile char *at = array;
    for (size_t i = 0; i < length; i++) at[i] = text[i];
    return array[0];
}

int main(void) {
    static char text[64];
    printf("%016" PRIxPTR "\n", __stack_chk_guard);
    fflush(stdout);
    size_t length = fread(text, 1, sizeof text, stdin);
    return length > 0 && copy(text, length) == 1 ? 3 : 0;
}
