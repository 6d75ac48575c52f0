#include "launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_STARTED UINT32_MAX

int keep_output(Outcome *outcome, const char *data, uint32_t length) {
    if (length > outcome->capacity - outcome->length) {
        uint32_t capacity = 2 * (outcome->length + length);
        char *larger = realloc(outcome->output, capacity);
        if (larger == NULL) return -1;
        outcome->output = larger;
        outcome->capacity = capacity;
    }
    memcpy(outcome->output + outcome->length, data, length);
    outcome->length += length;
    return 0;
}

static int read_u32(uint32_t *value) {
    unsigned char four[4];
    if (fread(four, 1, 4, stdin) != 4) return -1;
    *value = (uint32_t)four[0] | (uint32_t)four[1] << 8 | (uint32_t)four[2] << 16 | (uint32_t)four[3] << 24;
    return 0;
}

static void write_u32(uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) putchar((int)(value >> shift & 0xff));
}

/* A text with its length before it; `more` zero bytes are put behind. NULL at the end of the orders or without memory. */
static char *read_text(uint32_t *length, uint32_t more) {
    if (read_u32(length) != 0 || *length > UINT32_MAX - more) return NULL;
    char *text = calloc(1, (size_t)*length + more);
    if (text != NULL && fread(text, 1, *length, stdin) == *length) return text;
    free(text);
    return NULL;
}

static void answer(const Outcome *outcome) {
    write_u32(outcome->code);
    write_u32((uint32_t)outcome->microseconds);
    write_u32(outcome->length);
    fwrite(outcome->output, 1, outcome->length, stdout);
    fflush(stdout);
}

int main(void) {
    platform_prepare();
    for (;;) {
        uint32_t program_length, variables_length;
        Order order = {0};
        Outcome outcome = {0};
        order.program = read_text(&program_length, 1);
        if (order.program == NULL) return 0;
        order.variables = read_text(&variables_length, 1);
        char *input = order.variables == NULL ? NULL : read_text(&order.input_length, 1);
        order.input = input;
        if (input == NULL) return 1;
        if (order.input_length > MAX_INPUT || platform_run(&order, &outcome) != 0) outcome.code = NOT_STARTED;
        answer(&outcome);
        free(outcome.output);
        free(order.program);
        free(order.variables);
        free(input);
    }
}
