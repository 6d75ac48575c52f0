#define UNICODE
#include "shim.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

/* A test build may name others, to meet a server that is not trusted or to stay apart from what else is tested. */
#ifndef SHIM_TRUSTED_GROUP
#define SHIM_TRUSTED_GROUP WinBuiltinAdministratorsSid
#endif
#ifndef SHIM_PIPE
#define SHIM_PIPE "hns-cni"
#endif
#ifndef SHIM_FOLDER
#define SHIM_FOLDER "HnsCni"
#endif

static ULONGLONG end;
static HANDLE connection = INVALID_HANDLE_VALUE;
static HANDLE io_event;

/* The read that a thread of its own does: an anonymous pipe has no other way to wait for a while only. */
static struct {
    HANDLE wanted, done;
    void *data;
    DWORD size;
    long result;
} reading;

static DWORD WINAPI read_for_ever(void *unused) {
    (void)unused;
    while (WaitForSingleObject(reading.wanted, INFINITE) == WAIT_OBJECT_0) {
        DWORD got = 0;
        if (ReadFile(GetStdHandle(STD_INPUT_HANDLE), reading.data, reading.size, &got, NULL)) reading.result = (long)got;
        else reading.result = GetLastError() == ERROR_BROKEN_PIPE || GetLastError() == ERROR_HANDLE_EOF ? 0 : IO_FAILED;
        SetEvent(reading.done);
    }
    return 0;
}

static int start_reader(void) {
    reading.wanted = CreateEventW(NULL, FALSE, FALSE, NULL);
    reading.done = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (reading.wanted == NULL || reading.done == NULL) return IO_FAILED;
    HANDLE thread = CreateThread(NULL, 0, read_for_ever, NULL, 0, NULL);
    if (thread == NULL) return IO_FAILED;
    CloseHandle(thread);
    return 0;
}

/* After IO_LATE the thread may still write into `data`, and nothing may be read again: the shim ends. */
long platform_read_stdin(void *data, size_t size) {
    if (reading.done == NULL && start_reader() != 0) return IO_FAILED;
    reading.data = data;
    reading.size = (DWORD)size;
    SetEvent(reading.wanted);
    return WaitForSingleObject(reading.done, platform_left_ms()) == WAIT_OBJECT_0 ? reading.result : IO_LATE;
}

int platform_write(int stream, const void *data, size_t length) {
    HANDLE handle = GetStdHandle(stream == 1 ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);
    const char *at = data;
    while (length > 0) {
        DWORD written = 0;
        if (!WriteFile(handle, at, length > 65536 ? 65536 : (DWORD)length, &written, NULL) || written == 0) return IO_FAILED;
        at += written;
        length -= written;
    }
    return 0;
}

/* UTF-8 of `length` characters of UTF-16; NULL without memory. To be freed. */
static char *narrow(const wchar_t *text, size_t length, size_t *bytes) {
    char *result = malloc(3 * length + 1);
    *bytes = 0;
    if (result != NULL && length > 0)
        *bytes = (size_t)WideCharToMultiByte(CP_UTF8, 0, text, (int)length, result, (int)(3 * length), NULL, NULL);
    return result;
}

static void put_narrow(Bytes *bytes, const wchar_t *text) {
    size_t length;
    char *utf8 = narrow(text, wcslen(text), &length);
    if (utf8 == NULL) bytes->failed = 1;
    else put_sized(bytes, utf8, length);
    free(utf8);
}

/* The path of this file; an empty text when it is longer than Windows lets programs be. */
static wchar_t *own_path(void) {
    static wchar_t path[32768];
    DWORD length = GetModuleFileNameW(NULL, path, 32768);
    if (length >= 32768) path[0] = L'\0';
    return path;
}

void platform_put_program(Bytes *bytes) {
    put_narrow(bytes, own_path());
}

void platform_put_variables(Request *request) {
    wchar_t *environment = GetEnvironmentStringsW();
    if (environment == NULL) {
        request->frame.failed = 1;
        return;
    }
    for (wchar_t *entry = environment; *entry != L'\0'; entry += wcslen(entry) + 1) {
        size_t length;
        /* Windows keeps the current folder of each drive under names that start with =. */
        char *utf8 = entry[0] == L'=' ? NULL : narrow(entry, wcslen(entry), &length);
        char *equals = utf8 == NULL ? NULL : memchr(utf8, '=', length);
        if (equals != NULL) put_variable(request, utf8, (size_t)(equals - utf8), equals + 1, length - (size_t)(equals + 1 - utf8));
        free(utf8);
    }
    FreeEnvironmentStringsW(environment);
}

void platform_start_clock(uint32_t deadline_ms) {
    end = GetTickCount64() + deadline_ms;
}

uint32_t platform_left_ms(void) {
    ULONGLONG now = GetTickCount64();
    return now < end ? (uint32_t)(end - now) : 0;
}

static int is_trusted_token(HANDLE token) {
    static union {
        TOKEN_USER user;
        TOKEN_GROUPS groups;
        BYTE bytes[65536];
    } info;
    DWORD size;
    if (GetTokenInformation(token, TokenUser, &info, sizeof info, &size) && SHIM_TRUSTED_GROUP == WinBuiltinAdministratorsSid &&
        IsWellKnownSid(info.user.User.Sid, WinLocalSystemSid))
        return 1;
    if (!GetTokenInformation(token, TokenGroups, &info, sizeof info, &size)) return 0;
    for (DWORD i = 0; i < info.groups.GroupCount; i++) {
        SID_AND_ATTRIBUTES *group = &info.groups.Groups[i];
        /* Without elevation an administrator's token has the group for denials only. */
        if (IsWellKnownSid(group->Sid, SHIM_TRUSTED_GROUP) && (group->Attributes & SE_GROUP_ENABLED) != 0 &&
            (group->Attributes & SE_GROUP_USE_FOR_DENY_ONLY) == 0)
            return 1;
    }
    return 0;
}

/* Whether the pipe's server runs as SYSTEM or as an administrator: any user may open a pipe of this name while no agent has. */
static int is_trusted(void) {
    ULONG id;
    HANDLE token = NULL;
    if (!GetNamedPipeServerProcessId(connection, &id)) return 0;
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id);
    if (process == NULL) return 0;
    int trusted = OpenProcessToken(process, TOKEN_QUERY, &token) && is_trusted_token(token);
    if (token != NULL) CloseHandle(token);
    CloseHandle(process);
    return trusted;
}

Reach platform_reach(void) {
    static const wchar_t path[] = L"\\\\.\\pipe\\" SHIM_PIPE;
    /* The server may learn who calls, and must not act in the caller's name. */
    const DWORD flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
    for (;;) {
        connection = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, flags, NULL);
        if (connection != INVALID_HANDLE_VALUE) break;
        DWORD reason = GetLastError();
        if (reason == ERROR_FILE_NOT_FOUND) return REACH_NOBODY;
        if (reason == ERROR_ACCESS_DENIED) return REACH_DENIED;
        if (reason != ERROR_PIPE_BUSY) return REACH_FAILED;
        /* Every instance is taken for now: the server makes a new one as soon as it accepts. */
        DWORD left = platform_left_ms();
        if (left == 0) return REACH_LATE;
        WaitNamedPipeW(path, left);
    }
    io_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (io_event == NULL) return REACH_FAILED;
    return is_trusted() ? REACH_OK : REACH_UNTRUSTED;
}

/* The rest of an operation that was begun: bytes, or IO_FAILED or IO_LATE. */
static long complete(BOOL is_done, OVERLAPPED *operation) {
    DWORD bytes = 0;
    if (!is_done && GetLastError() != ERROR_IO_PENDING) return IO_FAILED;
    if (WaitForSingleObject(io_event, platform_left_ms()) != WAIT_OBJECT_0) {
        CancelIo(connection);
        /* Until it has ended, the system may still write into the buffer. */
        GetOverlappedResult(connection, operation, &bytes, TRUE);
        return IO_LATE;
    }
    return GetOverlappedResult(connection, operation, &bytes, FALSE) ? (long)bytes : IO_FAILED;
}

long platform_send(const void *data, size_t size) {
    OVERLAPPED operation = {.hEvent = io_event};
    return complete(WriteFile(connection, data, size > 65536 ? 65536 : (DWORD)size, NULL, &operation), &operation);
}

long platform_receive(void *data, size_t size) {
    OVERLAPPED operation = {.hEvent = io_event};
    return complete(ReadFile(connection, data, (DWORD)size, NULL, &operation), &operation);
}

/* A process that has only these three handles of ours, and that ends when the shim is ended: the runtime knows only the shim. */
static HANDLE start(wchar_t *path, HANDLE input) {
    HANDLE handles[] = {input, GetStdHandle(STD_OUTPUT_HANDLE), GetStdHandle(STD_ERROR_HANDLE)};
    STARTUPINFOEXW info = {.StartupInfo = {.cb = sizeof info, .dwFlags = STARTF_USESTDHANDLES}};
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    PROCESS_INFORMATION process = {0};
    static ULONGLONG attributes[64]; /* a list of one takes 48 bytes */
    SIZE_T size = sizeof attributes;
    HANDLE unique[3];
    DWORD count = 0;
    wchar_t command[1024] = L"\"";
    for (int i = 0; i < 3; i++) {
        if (handles[i] == NULL || !SetHandleInformation(handles[i], HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT)) handles[i] = NULL;
        else if (i < 2 || handles[2] != handles[1]) unique[count++] = handles[i];
    }
    info.StartupInfo.hStdInput = handles[0];
    info.StartupInfo.hStdOutput = handles[1];
    info.StartupInfo.hStdError = handles[2];
    wcscat(wcscat(command, path), L"\"");
    info.lpAttributeList = (LPPROC_THREAD_ATTRIBUTE_LIST)attributes;
    if (!InitializeProcThreadAttributeList(info.lpAttributeList, 1, 0, &size)) return NULL;
    UpdateProcThreadAttribute(info.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, unique, count * sizeof(HANDLE), NULL, NULL);
    HANDLE job = CreateJobObjectW(NULL, NULL);
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    const DWORD flags = EXTENDED_STARTUPINFO_PRESENT | CREATE_SUSPENDED;
    if (!CreateProcessW(path, command, NULL, NULL, TRUE, flags, NULL, NULL, &info.StartupInfo, &process)) return NULL;
    AssignProcessToJobObject(job, process.hProcess);
    ResumeThread(process.hThread);
    return process.hProcess; /* the job stays open until the shim ends */
}

int platform_start_main(const Bytes *input, int *code) {
    wchar_t path[1000], folder[900];
    HANDLE reader, writer;
    DWORD result;
    DWORD length = GetEnvironmentVariableW(L"ProgramFiles", folder, 900);
    if (length >= 900) return -1;
    if (length == 0) wcscpy(folder, L"C:\\Program Files");
    wcscat(wcscpy(path, folder), L"\\" SHIM_FOLDER "\\hns-cni.exe");
    if (_wcsicmp(path, own_path()) == 0) return -1; /* it would start itself for ever */
    SetEnvironmentVariableW(L"NODE_OPTIONS", NULL);
    if (!CreatePipe(&reader, &writer, NULL, 0)) return -1;
    HANDLE process = start(path, reader);
    CloseHandle(reader);
    if (process != NULL) {
        /* A program that ends without reading its input closes the pipe under us; its exit code tells the story. */
        for (size_t at = 0; at < input->length;) {
            DWORD written = 0;
            size_t left = input->length - at;
            if (!WriteFile(writer, input->data + at, left > 65536 ? 65536 : (DWORD)left, &written, NULL)) break;
            at += written;
        }
    }
    CloseHandle(writer);
    if (process == NULL) return -1;
    if (WaitForSingleObject(process, INFINITE) != WAIT_OBJECT_0 || !GetExitCodeProcess(process, &result)) result = 1;
    *code = (int)result;
    return 0;
}

int main(void) {
    UINT code = (UINT)shim_run();
    /* Nothing is buffered, and an orderly end could wait for the thread that reads an input which never ends. */
    TerminateProcess(GetCurrentProcess(), code);
    return (int)code;
}
