/*
 * Runs programs one after the other, as a container runtime does, and measures each from its start to its end. Orders come on standard
 * input and answers go to standard output, in the bytes of test/bench/launcher.ts. What differs by system is in linux.c and windows.c.
 */
#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <stddef.h>
#include <stdint.h>

/* An input this long goes into a pipe that nobody reads yet, so neither side waits for the other for ever. */
#define MAX_INPUT 60000u

typedef struct {
    char *program;
    /* NAME=value texts, each with its end, and an empty one behind the last. */
    char *variables;
    const char *input;
    uint32_t input_length;
} Order;

typedef struct {
    uint32_t code;
    uint64_t microseconds;
    char *output;
    uint32_t length, capacity;
} Outcome;

/* Keeps `length` more bytes of output; 0, or -1 without memory. */
int keep_output(Outcome *outcome, const char *data, uint32_t length);

/* What linux.c and windows.c give. */
void platform_prepare(void);
int platform_run(const Order *order, Outcome *outcome); /* 0, or -1: not started */

#endif
