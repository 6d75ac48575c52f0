/*
 * Feeds the reader of frames bytes that nobody would send, with the sanitizers watching. `fuzz ROUNDS SEED`; also a libFuzzer target
 * (`clang -fsanitize=fuzzer -DLIBFUZZER`). The bytes lie in memory of exactly their length, so that one read too many is seen.
 */
#include "../../emulator/native/emulator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Buffer frame = {0};
    size_t offset = 0;
    PWSTR text = NULL;
    frame.data = malloc(size == 0 ? 1 : size);
    if (frame.data == NULL) return 0;
    if (size > 0) memcpy(frame.data, data, size);
    frame.length = size;
    while (offset <= size && get_wide(&frame, &offset, &text)) {
        Buffer back = {0};
        /* What was read can be written again, and is then read back the same. */
        put_wide(&back, text);
        buffer_free(&back);
        CoTaskMemFree(text);
    }
    CoTaskMemFree(text);
    buffer_free(&frame);
    return 0;
}

#ifndef LIBFUZZER
static uint32_t state;

static uint32_t next_random(void) {
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

/* Mostly small lengths, so that many strings are read; now and then any length, NULL included. */
static void fill(uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i++) data[i] = (uint8_t)next_random();
    for (size_t i = 0; i + 4 <= size; i += 4 + next_random() % 16) {
        uint32_t length = next_random() % 8 == 0 ? 0xffffffffu - next_random() % 3 : next_random() % 16;
        for (int b = 0; b < 4; b++) data[i + (size_t)b] = (uint8_t)(length >> (8 * b));
    }
}

int main(int argc, char **argv) {
    uint8_t data[256];
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 100000;
    state = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
    for (long i = 0; i < rounds; i++) {
        size_t size = next_random() % sizeof data;
        fill(data, size);
        LLVMFuzzerTestOneInput(data, size);
    }
    printf("%ld rounds\n", rounds);
    return 0;
}
#endif
