/*
 * The shared part of the emulated computenetwork.dll and vmcompute.dll: ABI types, text conversion, and one call to the emulator.
 * Every export only forwards: the rules are in the emulator's process (test/emulator/model).
 */
#ifndef HNS_EMULATOR_H
#define HNS_EMULATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <objbase.h>
#define EXPORT __declspec(dllexport)
#define CALLTYPE WINAPI
#else
#define EXPORT __attribute__((visibility("default")))
#define CALLTYPE
typedef int32_t HRESULT;
typedef uint16_t WCHAR;
typedef uint32_t DWORD;
typedef WCHAR *PWSTR;
typedef const WCHAR *PCWSTR;
typedef struct {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID;
EXPORT void *CoTaskMemAlloc(size_t size);
EXPORT void CoTaskMemFree(void *memory);
#endif

#define RESULT_OUT_OF_MEMORY ((HRESULT)0x8007000eu)
#define RESULT_INVALID_ARGUMENT ((HRESULT)0x80070057u)
#define RESULT_UNAVAILABLE ((HRESULT)0x800706bau)
#define RESULT_CALL_FAILED ((HRESULT)0x800706beu)

/* Frame types and flags; test/emulator/wire.ts describes the protocol. */
enum { FRAME_CALL = 1, FRAME_REPLY = 2, FRAME_SUBSCRIBE = 3, FRAME_NOTIFY = 4 };
enum { FLAG_KILL = 1 };

/* Bytes to send, or a frame received. `failed` stays set once memory ran out. */
typedef struct {
    unsigned char *data;
    size_t length;
    size_t capacity;
    bool failed;
} Buffer;

void buffer_free(Buffer *buffer);
void put_u8(Buffer *buffer, uint8_t value);
void put_u32(Buffer *buffer, uint32_t value);
void put_text(Buffer *buffer, const char *text);
void put_wide(Buffer *buffer, PCWSTR text);
void put_guid(Buffer *buffer, const GUID *id);
void put_handle(Buffer *buffer, const void *handle);
void put_number(Buffer *buffer, uint64_t value);
uint32_t get_u32(const unsigned char *bytes);
uint64_t get_u64(const unsigned char *bytes);

/* The string at `*offset` of a frame as CoTaskMem UTF-16, NULL for a NULL string; moves the offset on. False when the frame ends early. */
bool get_wide(const Buffer *frame, size_t *offset, PWSTR *text);

/* What the emulator answered. The strings are CoTaskMem and belong to the caller. */
typedef struct {
    uint64_t handle;
    PWSTR output;
    PWSTR error;
} Reply;

/* Starts a call frame; put the arguments after it. */
void begin_call(Buffer *call, const char *name, uint32_t argument_count);

/* Sends a call over this thread's connection, waits for the answer and frees `call`. Ends the process when the emulator says so. */
HRESULT finish_call(Buffer *call, Reply *reply);

/* Clears an out string the caller may not want. */
void clear_text(PWSTR *text);

/* Sends a call and hands its answer out: the string to `output` and the error record to `error` if the caller wants them. */
HRESULT forward(Buffer *call, PWSTR *output, PWSTR *error);

/* The same for a call that gives a handle. */
HRESULT forward_handle(Buffer *call, void **handle, PWSTR *error);

/* A call of one handle and nothing else. */
HRESULT forward_with_handle(const char *name, const void *handle);

/*
 * A connection of its own that receives notifications: those of one guest network service, or with NULL those of the whole service.
 * -1 when there is none.
 */
intptr_t open_subscription(const void *guest_service);
bool receive_frame(intptr_t connection, Buffer *frame);
void shut_connection(intptr_t connection);
void close_connection(intptr_t connection);

#endif
