/*
 * The shim stands in the plugin's place and hands each call to the agent: frames of docs/decisions/0007-pipe-protocol.md, built and
 * checked in shim.c; what differs between Windows and Linux is in windows.c and linux.c.
 */
#ifndef SHIM_H
#define SHIM_H

#include <stddef.h>
#include <stdint.h>

/* How long a call may take, from the shim's start on. The runtime gives up after two minutes and asks for STATUS every few seconds. */
#ifndef SHIM_DEADLINE_MS
#define SHIM_DEADLINE_MS 100000
#define SHIM_QUICK_DEADLINE_MS 10000
#else
#define SHIM_QUICK_DEADLINE_MS SHIM_DEADLINE_MS
#endif

/* The limits of src/service/rpc/frame.ts. */
#define MAX_BODY (5u << 20)
#define MAX_STDIN (4u << 20)
#define MAX_STDOUT (4u << 20)
#define MAX_STDERR (64u << 10)
#define MAX_TEXT (256u << 10)
#define MAX_VARIABLES 64u
#define HEADER_BYTES 16u

typedef struct {
    uint8_t *data;
    size_t length, capacity;
    int failed; /* memory ran out or a limit was passed; stays set */
} Bytes;

void put(Bytes *bytes, const void *data, size_t length);
void put_u32(Bytes *bytes, uint32_t value);
void put_sized(Bytes *bytes, const void *data, size_t length);

/* The request under construction: the platform calls put_variable for every variable of the environment. */
typedef struct {
    Bytes frame;
    size_t count_at; /* where the number of variables stands */
    uint32_t variables;
    int is_quick; /* STATUS or VERSION */
} Request;

void put_variable(Request *request, const char *name, size_t name_length, const char *value, size_t value_length);
void find_version(const uint8_t *text, size_t length, char version[16]);

typedef struct {
    uint32_t code, out_length, err_length;
    const uint8_t *out, *err;
} Answer;

/* Header: 0 and the body's length, or -1. Body: 1 with an answer, 0 with a refusal's reason in answer->code, or -1. */
int read_header(const uint8_t *header, uint32_t *type, uint32_t *version, uint32_t *length);
int read_body(const uint8_t *body, uint32_t length, uint32_t type, uint32_t version, Answer *answer);

int shim_run(void);

/* What windows.c and linux.c give. */
typedef enum { REACH_OK, REACH_NOBODY, REACH_LATE, REACH_DENIED, REACH_UNTRUSTED, REACH_FAILED } Reach;

#define IO_FAILED (-1)
#define IO_LATE (-2)

long platform_read_stdin(void *data, size_t size);                      /* bytes, 0 at the end, IO_FAILED, IO_LATE */
int platform_write(int stream, const void *data, size_t length);        /* 1 stdout, 2 stderr; 0 or IO_FAILED */
void platform_put_program(Bytes *bytes);
void platform_put_variables(Request *request);
void platform_start_clock(uint32_t deadline_ms);
uint32_t platform_left_ms(void);
Reach platform_reach(void);                                             /* connects and looks at who answers */
long platform_send(const void *data, size_t size);                      /* bytes, IO_FAILED, IO_LATE */
long platform_receive(void *data, size_t size);                         /* bytes, 0 at the end, IO_FAILED, IO_LATE */
int platform_start_main(const Bytes *input, int *code);                 /* 0 and the exit code, or -1: not started; Linux does not return */

#endif
