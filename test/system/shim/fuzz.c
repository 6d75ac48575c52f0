/*
 * Feeds the shim's readers what nobody would send, with the sanitizers watching: replies, configurations, environments. `fuzz ROUNDS SEED`;
 * also a libFuzzer target (`clang -fsanitize=fuzzer -DLIBFUZZER`). The bytes lie in memory of exactly their length, so that one read too
 * many is seen. shim.c alone is linked: what a platform gives is here.
 */
#include "../../../src/shim/shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *given;
static size_t left, input_left;
static uint8_t output[1u << 16];
static size_t written;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s: %.*s\n", what, (int)written, (const char *)output);
    abort();
}

/* The first half is the input, the second the environment and the reply. */
long platform_read_stdin(void *data, size_t size) {
    size_t length = input_left < size ? input_left : size;
    if (length > 20) length = length / 2;
    if (length > 0) memcpy(data, given, length);
    given += length;
    left -= length;
    input_left -= length;
    return (long)length;
}

int platform_write(int stream, const void *data, size_t length) {
    if (stream != 1) return 0;
    demand(length <= sizeof output - written, "too much was written");
    if (length > 0) memcpy(output + written, data, length);
    written += length;
    return 0;
}

void platform_put_program(Bytes *bytes) {
    put_sized(bytes, given, left % 300);
}

void platform_put_variables(Request *request) {
    for (size_t at = 0; at + 2 < left && at < 200; at += 3) {
        char name[8] = {'c', 'N', 'I', '_', (char)given[at], (char)given[at + 1]};
        put_variable(request, name, 4 + given[at] % 3u, (const char *)given + at, given[at + 2] % (left - at));
    }
    put_variable(request, "CNI_COMMAND", 11, "STATUS", 6);
}

void platform_start_clock(uint32_t deadline_ms) {
    demand(deadline_ms > 0, "no deadline");
}

uint32_t platform_left_ms(void) {
    return 1;
}

Reach platform_reach(void) {
    static const Reach others[] = {REACH_NOBODY, REACH_LATE, REACH_DENIED, REACH_UNTRUSTED, REACH_FAILED};
    return left > 0 && given[0] >= 250 ? others[given[0] % 5] : REACH_OK;
}

long platform_send(const void *data, size_t size) {
    static volatile uint8_t sum;
    for (size_t i = 0; i < size; i++) sum ^= ((const uint8_t *)data)[i];
    return left > 0 && given[0] == 249 ? IO_LATE : (long)size;
}

long platform_receive(void *data, size_t size) {
    size_t length = left < size ? left : size;
    if (length > 5) length = length / 2 + 1;
    if (length > 0) memcpy(data, given, length);
    given += length;
    left -= length;
    return length > 0 ? (long)length : left % 2 == 0 ? 0 : IO_LATE;
}

int platform_start_main(const Bytes *input, int *code) {
    (void)input;
    *code = 5;
    return 0;
}

/* If it is the shim's own document: the version is digits and dots, the rest is fixed. */
static void check_error(void) {
    static const char begin[] = "{\"cniVersion\":\"";
    size_t at = sizeof begin - 1;
    if (written <= at || memcmp(output, begin, at) != 0) return; /* an answer's */
    while (at < written && (output[at] == '.' || (output[at] >= '0' && output[at] <= '9'))) at++;
    demand(at > sizeof begin - 1 && written - at > 9 && memcmp(output + at, "\",\"code\":", 9) == 0, "no version");
    demand(output[written - 2] == '"' && output[written - 1] == '}', "no end");
    for (size_t i = 0; i < written; i++) demand(output[i] >= ' ' && output[i] < 127 && output[i] != '\\', "a byte to be escaped");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *copy = calloc(size == 0 ? 1 : size, 1);
    if (copy == NULL) return 0;
    if (size > 0) memcpy(copy, data, size);
    char version[16] = "1.1.0";
    find_version(copy, size, version);
    demand(strlen(version) > 0 && strspn(version, "0123456789.") == strlen(version), "a version of other signs");

    uint32_t type, frame_version, length;
    if (size >= HEADER_BYTES) read_header(copy, &type, &frame_version, &length);
    for (uint32_t kind = 2; kind <= 3; kind++) {
        Answer answer = {0};
        int read = read_body(copy, (uint32_t)size, kind, 1 + size % 2, &answer);
        if (read > 0 && answer.out_length > 0) demand(answer.out >= copy && answer.out + answer.out_length <= copy + size, "stdout elsewhere");
        if (read > 0 && answer.err_length > 0) demand(answer.err >= copy && answer.err + answer.err_length <= copy + size, "stderr elsewhere");
    }

    given = copy;
    left = size;
    input_left = size / 2;
    written = 0;
    int code = shim_run();
    demand(code >= 0 && code <= 255, "a strange exit code");
    if (code == 1) check_error();
    demand(code != 1 || written > 0, "failed without a word");
    free(copy);
    return 0;
}

#ifndef LIBFUZZER
static uint32_t state;

static uint32_t next_random(void) {
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

/* Pieces of what is sent in earnest, numbers that look like lengths, and noise. */
static void fill(uint8_t *data, size_t size) {
    static const char *words[] = {"{\"cniVersion\":\"1.0.0\"", "\"cniVersion\"", "HNSR\1\0\0\0\2\0\0\0", "HNSR\2\0\0\0\3\0\0\0", "{", "}", "\\\"", ":\""};
    static const size_t lengths[] = {21, 12, 12, 12, 1, 1, 2, 2};
    for (size_t i = 0; i < size; i++) data[i] = (uint8_t)next_random();
    for (size_t at = next_random() % 8; at < size; at += 1 + next_random() % 24) {
        uint32_t kind = next_random() % 16;
        uint32_t number = kind == 15 ? 0xffffffffu - next_random() % 3 : next_random() % 64;
        uint8_t four[] = {(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16), (uint8_t)(number >> 24)};
        const void *piece = kind < 8 ? (const void *)words[kind] : four;
        size_t length = kind < 8 ? lengths[kind] : sizeof four;
        if (length <= size - at) memcpy(data + at, piece, length);
    }
    /* A reply whose header is right, so that its body is reached. */
    if (size > 64 && next_random() % 2 == 0) {
        size_t half = size / 2;
        memcpy(data + half, words[2 + next_random() % 2], 12);
        uint8_t body = (uint8_t)(next_random() % 40);
        const uint8_t four[] = {body, 0, 0, 0};
        memcpy(data + half + 12, four, sizeof four);
        if (size > 160 && body > 12 && next_random() % 2 == 0) {
            const uint8_t start[] = {body % 3, 0, 0, 0, (uint8_t)(body - 12), 0, 0, 0};
            memcpy(data + half + 16, start, sizeof start);
            data[half + 24] = '#'; /* not to be taken for the shim's own document */
            memset(data + half + 12 + body, 0, 4);
        }
    }
}

int main(int argc, char **argv) {
    uint8_t data[512];
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
