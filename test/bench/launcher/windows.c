#define UNICODE
#include "launcher.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

#define PIPE_BYTES (1u << 20)

static uint64_t now(void) {
    LARGE_INTEGER ticks, frequency;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&ticks);
    return (uint64_t)((double)ticks.QuadPart * 1e6 / (double)frequency.QuadPart);
}

void platform_prepare(void) {
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
}

/* UTF-16 of a text; to be freed. */
static wchar_t *widen(const char *text) {
    int length = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
    wchar_t *wide = malloc((size_t)length * sizeof *wide);
    if (wide != NULL) MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, length);
    return wide;
}

/* Puts the variables into our own environment, which programs inherit, or takes them out again: without Windows' own none starts. */
static void set_variables(const char *variables, int is_set) {
    for (const char *at = variables; *at != '\0'; at += strlen(at) + 1) {
        wchar_t *name = widen(at);
        wchar_t *equals = name == NULL ? NULL : wcschr(name, L'=');
        if (equals != NULL) {
            *equals = L'\0';
            SetEnvironmentVariableW(name, is_set ? equals + 1 : NULL);
        }
        free(name);
    }
}

/* A pipe whose `child` end, 0 to read and 1 to write, is inherited. */
static int make_pipe(HANDLE ends[2], int child) {
    if (!CreatePipe(&ends[0], &ends[1], NULL, PIPE_BYTES)) return -1;
    SetHandleInformation(ends[child], HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    return 0;
}

static HANDLE start(wchar_t *program, HANDLE input, HANDLE output) {
    STARTUPINFOW info = {.cb = sizeof info, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION process;
    wchar_t command[1024];
    swprintf(command, 1024, L"\"%ls\"", program);
    info.hStdInput = input;
    info.hStdOutput = output;
    info.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    if (!CreateProcessW(program, command, NULL, NULL, TRUE, 0, NULL, NULL, &info, &process)) return NULL;
    CloseHandle(process.hThread);
    return process.hProcess;
}

/* Gives the input, takes the output, and waits for the end. */
static int attend(const Order *order, HANDLE writer, HANDLE reader, HANDLE process, Outcome *outcome) {
    static char chunk[65536];
    DWORD count, code = 0;
    int failed = 0;
    WriteFile(writer, order->input, order->input_length, &count, NULL);
    CloseHandle(writer);
    while (ReadFile(reader, chunk, sizeof chunk, &count, NULL) && count > 0)
        if (keep_output(outcome, chunk, count) != 0) failed = 1;
    if (WaitForSingleObject(process, INFINITE) != WAIT_OBJECT_0 || !GetExitCodeProcess(process, &code)) failed = 1;
    CloseHandle(process);
    outcome->code = code;
    return failed ? -1 : 0;
}

static int run(const Order *order, wchar_t *program, Outcome *outcome) {
    HANDLE input[2], output[2];
    if (make_pipe(input, 0) != 0 || make_pipe(output, 1) != 0) return -1;
    HANDLE process = start(program, input[0], output[1]);
    CloseHandle(input[0]);
    CloseHandle(output[1]);
    int result = -1;
    if (process == NULL) CloseHandle(input[1]);
    else result = attend(order, input[1], output[0], process, outcome);
    CloseHandle(output[0]);
    return result;
}

int platform_run(const Order *order, Outcome *outcome) {
    wchar_t *program = widen(order->program);
    if (program == NULL) return -1;
    set_variables(order->variables, 1);
    uint64_t begin = now();
    int result = run(order, program, outcome);
    outcome->microseconds = now() - begin;
    set_variables(order->variables, 0);
    free(program);
    return result;
}
