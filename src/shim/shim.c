#include "shim.h"

#include <stdlib.h>
#include <string.h>

#define PROTOCOL_VERSION 1u
#define MAGIC 0x52534e48u /* "HNSR" */
#define TYPE_CALL 1u
#define TYPE_ANSWER 2u
#define TYPE_REFUSAL 3u

/* Numbers of the CNI specification. */
#define CNI_ENVIRONMENT 4
#define CNI_IO 5
#define CNI_CONFIG 7
#define CNI_TRY_AGAIN 11

/* Room for the longest error document. */
#define ERROR_BYTES 512u

/* For errors until the input has been read: the main program's own choice where no version can be found. */
static char cni_version[16] = "1.1.0";

void put(Bytes *bytes, const void *data, size_t length) {
    if (bytes->failed || length == 0) return;
    if (length > (size_t)HEADER_BYTES + MAX_BODY - bytes->length) {
        bytes->failed = 1;
        return;
    }
    if (bytes->data == NULL || length > bytes->capacity - bytes->length) {
        size_t capacity = 2 * (bytes->length + length) + 4096;
        uint8_t *larger = realloc(bytes->data, capacity);
        if (larger == NULL) {
            bytes->failed = 1;
            return;
        }
        bytes->data = larger;
        bytes->capacity = capacity;
    }
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
}

static void set_u32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_u32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

void put_u32(Bytes *bytes, uint32_t value) {
    uint8_t four[4];
    set_u32(four, value);
    put(bytes, four, sizeof four);
}

void put_sized(Bytes *bytes, const void *data, size_t length) {
    if (length > MAX_BODY) {
        bytes->failed = 1;
        return;
    }
    put_u32(bytes, (uint32_t)length);
    put(bytes, data, length);
}

static int same_word(const char *text, size_t length, const char *word) {
    if (length != strlen(word)) return 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
        if (c != word[i]) return 0;
    }
    return 1;
}

/* What src/core/cni/environment.ts reads: names in any case, as on Windows. */
static int is_wanted(const char *name, size_t length) {
    return (length > 4 && same_word(name, 4, "CNI_")) || same_word(name, length, "TRACEPARENT") ||
           same_word(name, length, "TRACESTATE") || same_word(name, length, "BAGGAGE");
}

void put_variable(Request *request, const char *name, size_t name_length, const char *value, size_t value_length) {
    if (!is_wanted(name, name_length)) return;
    if (name_length > MAX_TEXT || value_length > MAX_TEXT || request->variables >= MAX_VARIABLES) {
        request->frame.failed = 1;
        return;
    }
    request->variables++;
    put_sized(&request->frame, name, name_length);
    put_sized(&request->frame, value, value_length);
    if (same_word(name, name_length, "CNI_COMMAND"))
        request->is_quick = same_word(value, value_length, "STATUS") || same_word(value, value_length, "VERSION");
}

/* All of the request that does not come from standard input; the environment tells how long the call may take. */
static void begin_request(Request *request) {
    Bytes *frame = &request->frame;
    static const uint8_t header[HEADER_BYTES + 4];
    put(frame, header, sizeof header);
    size_t program = frame->length;
    platform_put_program(frame);
    if (frame->length - program > MAX_TEXT) frame->failed = 1;
    request->count_at = frame->length;
    put_u32(frame, 0);
    platform_put_variables(request);
}

/* 0, or -1 when the environment is beyond the limits or memory ran out. The deadline's place is filled when the request is sent. */
static int end_request(Request *request, const Bytes *input) {
    Bytes *frame = &request->frame;
    put_sized(frame, input->data, input->length);
    if (frame->failed || frame->data == NULL) return -1;
    set_u32(frame->data, MAGIC);
    set_u32(frame->data + 4, PROTOCOL_VERSION);
    set_u32(frame->data + 8, TYPE_CALL);
    set_u32(frame->data + 12, (uint32_t)(frame->length - HEADER_BYTES));
    set_u32(frame->data + request->count_at, request->variables);
    return 0;
}

/* The end of the JSON string that starts behind `at`: the place of its closing quote, or `length`. */
static size_t end_of_string(const uint8_t *text, size_t length, size_t at) {
    while (at < length && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
    return at < length ? at : length;
}

static size_t skip_space(const uint8_t *text, size_t length, size_t at) {
    while (at < length && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n')) at++;
    return at;
}

/* Copies what can stand in an error without any escaping: digits and dots, 15 of them at most. */
static void copy_version(const uint8_t *text, size_t length, char version[16]) {
    if (length == 0 || length > 15) return;
    for (size_t i = 0; i < length; i++)
        if (text[i] != '.' && (text[i] < '0' || text[i] > '9')) return;
    memcpy(version, text, length);
    version[length] = '\0';
}

/*
 * The version for an error: that of the configuration, which its sender knows. 0.1.0 where a whole object names none, as the
 * specification has it; where there is no object, `version` stays. Looks at keys of the outermost object alone (a prevResult has a version too).
 */
void find_version(const uint8_t *text, size_t length, char version[16]) {
    size_t depth = 0;
    for (size_t at = 0; at < length; at++) {
        if (text[at] == '{' || text[at] == '[') depth++;
        else if ((text[at] == '}' || text[at] == ']') && depth <= 1) {
            if (depth == 1) memcpy(version, "0.1.0", 6);
            return;
        } else if (text[at] == '}' || text[at] == ']') depth--;
        else if (text[at] == '"') {
            size_t end = end_of_string(text, length, at + 1);
            size_t value = skip_space(text, length, end + 1);
            int is_key = value < length && text[value] == ':';
            if (depth == 1 && is_key && same_word((const char *)text + at + 1, end - at - 1, "CNIVERSION")) {
                value = skip_space(text, length, value + 1);
                end = end_of_string(text, length, value + 1);
                if (end < length && text[value] == '"') copy_version(text + value + 1, end - value - 1, version);
                return;
            }
            at = end;
        }
    }
}

/* The peer may be one version ahead: then fields may follow those that are known here. */
int read_header(const uint8_t *header, uint32_t *type, uint32_t *version, uint32_t *length) {
    *version = get_u32(header + 4);
    *type = get_u32(header + 8);
    *length = get_u32(header + 12);
    if (get_u32(header) != MAGIC || *length > MAX_BODY) return -1;
    if (*version < 1 || *version + 1 < PROTOCOL_VERSION || *version > PROTOCOL_VERSION + 1) return -1;
    return *type == TYPE_ANSWER || *type == TYPE_REFUSAL ? 0 : -1;
}

static int take(const uint8_t **body, uint32_t *left, const uint8_t **data, uint32_t *length, uint32_t limit) {
    if (*left < 4) return -1;
    *length = get_u32(*body);
    if (*length > limit || *length > *left - 4) return -1;
    *data = *body + 4;
    *body += 4 + *length;
    *left -= 4 + *length;
    return 0;
}

int read_body(const uint8_t *body, uint32_t length, uint32_t type, uint32_t version, Answer *answer) {
    if (length < 4) return -1;
    answer->code = get_u32(body);
    body += 4;
    length -= 4;
    if (type == TYPE_REFUSAL) return 0;
    if (answer->code > 255) return -1; /* Linux would hand on the low byte alone, which may be 0 */
    if (take(&body, &length, &answer->out, &answer->out_length, MAX_STDOUT) != 0) return -1;
    if (take(&body, &length, &answer->err, &answer->err_length, MAX_STDERR) != 0) return -1;
    if (length > 0 && version <= PROTOCOL_VERSION) return -1;
    /* A failure has a document that says why. */
    return answer->code != 0 && answer->out_length == 0 ? -1 : 1;
}

static size_t append(char *text, size_t at, const char *more) {
    size_t length = strlen(more);
    if (length > ERROR_BYTES - at) length = ERROR_BYTES - at;
    memcpy(text + at, more, length);
    return at + length;
}

/*
 * Writes the error document; gives the exit code. Without stdio, which would be most of the program. Messages hold nothing that JSON
 * escapes, and none of the words that make a runtime take a failed DEL for done.
 */
static int fail(int code, const char *message) {
    char text[ERROR_BYTES];
    const char digits[] = {(char)('0' + code / 10), (char)('0' + code % 10), '\0'};
    const char *parts[] = {"{\"cniVersion\":\"", cni_version, "\",\"code\":", code < 10 ? digits + 1 : digits, ",\"msg\":\"", message, "\"}"};
    size_t length = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) length = append(text, length, parts[i]);
    platform_write(1, text, length);
    return 1;
}

static const char *refusal_text(uint32_t reason) {
    switch (reason) {
    case 1: return "the agent has as many calls as it takes; the runtime tries again";
    case 2: return "the agent does not speak this shim's version of the protocol; install shim and agent of one release";
    case 3: return "the agent could not read the request; install shim and agent of one release";
    case 4: return "the request is larger than the agent takes; make the network configuration smaller";
    case 5: return "the agent is ending; the runtime tries again";
    case 7: return "the agent did not finish the call in time; see its log, and whether HNS hangs";
    default: return "the agent failed at the call; see its log";
    }
}

static int fail_io(long result) {
    return fail(CNI_TRY_AGAIN, result == IO_LATE ? "the agent is there but did not answer in time; see its log, and whether HNS hangs"
                                                 : "the agent cut the connection before it answered; see its log");
}

static int fail_to_reach(Reach reach) {
    switch (reach) {
    case REACH_LATE: return fail_io(IO_LATE);
    case REACH_DENIED: return fail(CNI_IO, "the agent's pipe refuses this user; the runtime must run as SYSTEM or as an administrator");
    case REACH_UNTRUSTED: return fail(CNI_IO, "the pipe belongs to a program that is not trusted; end it, then start the agent");
    default: return fail(CNI_IO, "the agent's pipe could not be opened; restart the agent");
    }
}

/* All of `size` bytes; 0, or why not. */
static long receive_all(uint8_t *data, size_t size) {
    while (size > 0) {
        long got = platform_receive(data, size);
        if (got <= 0) return got == 0 ? IO_FAILED : got;
        data += got;
        size -= (size_t)got;
    }
    return 0;
}

static int deliver(const Answer *answer) {
    platform_write(2, answer->err, answer->err_length);
    int written = platform_write(1, answer->out, answer->out_length);
    return written != 0 && answer->code == 0 ? 1 : (int)answer->code;
}

static int finish(const uint8_t *body, uint32_t length, uint32_t type, uint32_t version) {
    Answer answer = {0};
    int read = read_body(body, length, type, version, &answer);
    if (read > 0) return deliver(&answer);
    return fail(CNI_TRY_AGAIN, read == 0 ? refusal_text(answer.code) : "the agent's answer cannot be understood; install shim and agent of one release");
}

static int exchange(Bytes *frame) {
    uint8_t header[HEADER_BYTES];
    uint32_t type, version, length;
    set_u32(frame->data + HEADER_BYTES, platform_left_ms());
    for (size_t sent = 0; sent < frame->length;) {
        long result = platform_send(frame->data + sent, frame->length - sent);
        if (result == IO_LATE) return fail_io(result);
        if (result <= 0) break; /* a server that refuses need not read the request first: its answer tells */
        sent += (size_t)result;
    }
    long result = receive_all(header, sizeof header);
    if (result != 0) return fail_io(result);
    if (read_header(header, &type, &version, &length) != 0) return finish(NULL, 0, TYPE_ANSWER, PROTOCOL_VERSION);
    uint8_t *body = malloc(length + 1u);
    if (body == NULL) return fail(CNI_IO, "the shim has no memory");
    result = receive_all(body, length);
    int code = result != 0 ? fail_io(result) : finish(body, length, type, version);
    free(body);
    return code;
}

/* 0, IO_FAILED, IO_LATE, or 1 when there is more than is taken. */
static int read_input(Bytes *input) {
    static uint8_t chunk[64 * 1024];
    for (;;) {
        long got = platform_read_stdin(chunk, sizeof chunk);
        if (got <= 0) return (int)got;
        put(input, chunk, (size_t)got);
        if (input->failed || input->length > MAX_STDIN) return 1;
    }
}

static int run(Bytes *input, Request *request) {
    int code = 1;
    begin_request(request);
    /* From here on: who never closes our input must not keep the runtime waiting either. */
    platform_start_clock(request->is_quick ? SHIM_QUICK_DEADLINE_MS : SHIM_DEADLINE_MS);
    int read = read_input(input);
    find_version(input->data, input->length, cni_version);
    if (read == IO_LATE) return fail(CNI_TRY_AGAIN, "standard input did not end in time; close it after the network configuration");
    if (read < 0) return fail(CNI_IO, "standard input cannot be read; pass the network configuration there");
    if (read > 0) return fail(CNI_CONFIG, "the network configuration is larger than 4 MiB; make it smaller");
    if (end_request(request, input) != 0) return fail(CNI_ENVIRONMENT, "the CNI_ variables are too many or too long; check the runtime");
    Reach reach = platform_reach();
    if (reach == REACH_OK) return exchange(&request->frame);
    if (reach != REACH_NOBODY) return fail_to_reach(reach);
    if (platform_start_main(input, &code) == 0) return code;
    return fail(CNI_IO, "no agent listens, and the main program could not be started; install it, or start the agent");
}

int shim_run(void) {
    Bytes input = {0};
    Request request = {0};
    int code = run(&input, &request);
    free(input.data);
    free(request.frame.data);
    return code;
}
