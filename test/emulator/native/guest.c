/* Exports of computenetwork.dll that reserve host ports for guest network services. */
#include "emulator.h"

#include <string.h>

typedef struct {
    uint16_t startingPort;
    uint16_t endingPort;
} PortRange;

/* HCN_PORT_RANGE_ENTRY of the Windows header. */
typedef struct {
    GUID OwningPartitionId;
    GUID TargetPartitionId;
    int32_t Protocol;
    uint64_t Priority;
    uint32_t ReservationType;
    uint32_t SharingFlags;
    uint32_t DeliveryMode;
    uint16_t StartingPort;
    uint16_t EndingPort;
} PortEntry;

_Static_assert(sizeof(PortEntry) == 64, "the layout is the caller's");

static bool is_digit(WCHAR unit) { return unit >= '0' && unit <= '9'; }

/* The next number of a text, whatever stands before it; moves on past it. */
static uint32_t read_number(PCWSTR *text) {
    uint32_t value = 0;
    while (**text != 0 && !is_digit(**text)) (*text)++;
    while (is_digit(**text)) value = value * 10 + (uint32_t)(*(*text)++ - '0');
    return value;
}

static uint32_t hex_value(WCHAR unit) {
    if (is_digit(unit)) return (uint32_t)(unit - '0');
    return (uint32_t)((unit | 0x20) - 'a' + 10);
}

/* `count` hexadecimal digits, hyphens between them skipped. */
static uint32_t read_hex(PCWSTR *text, int count) {
    uint32_t value = 0;
    while (count > 0 && **text != 0) {
        WCHAR unit = *(*text)++;
        if (unit == '-') continue;
        value = value << 4 | (hex_value(unit) & 0xf);
        count--;
    }
    return value;
}

static GUID read_guid(PCWSTR *text) {
    GUID id;
    id.Data1 = read_hex(text, 8);
    id.Data2 = (uint16_t)read_hex(text, 4);
    id.Data3 = (uint16_t)read_hex(text, 4);
    for (int i = 0; i < 8; i++) id.Data4[i] = (uint8_t)read_hex(text, 2);
    return id;
}

EXPORT HRESULT CALLTYPE HcnReserveGuestNetworkServicePort(void *service, int32_t protocol, int32_t access, uint16_t port, void **handle) {
    Buffer call;
    if (handle == NULL) return RESULT_INVALID_ARGUMENT;
    begin_call(&call, "HcnReserveGuestNetworkServicePort", 4);
    put_handle(&call, service);
    put_number(&call, (uint32_t)protocol);
    put_number(&call, (uint32_t)access);
    put_number(&call, port);
    return forward_handle(&call, handle, NULL);
}

EXPORT HRESULT CALLTYPE HcnReserveGuestNetworkServicePortRange(void *service, uint16_t count, PortRange *range, void **handle) {
    Buffer call;
    Reply reply;
    HRESULT result;
    if (handle == NULL || range == NULL) return RESULT_INVALID_ARGUMENT;
    begin_call(&call, "HcnReserveGuestNetworkServicePortRange", 2);
    put_handle(&call, service);
    put_number(&call, count);
    result = finish_call(&call, &reply);
    *handle = (void *)(uintptr_t)reply.handle;
    memset(range, 0, sizeof *range);
    if (result >= 0 && reply.output != NULL) {
        PCWSTR text = reply.output;
        range->startingPort = (uint16_t)read_number(&text);
        range->endingPort = (uint16_t)read_number(&text);
    }
    CoTaskMemFree(reply.output);
    CoTaskMemFree(reply.error);
    return result;
}

EXPORT HRESULT CALLTYPE HcnReleaseGuestNetworkServicePortReservationHandle(void *handle) {
    return forward_with_handle("HcnReleaseGuestNetworkServicePortReservationHandle", handle);
}

static uint32_t count_lines(PCWSTR text) {
    uint32_t lines = *text == 0 ? 0 : 1;
    for (; *text != 0; text++)
        if (*text == '\n') lines++;
    return lines;
}

/* One line of the answer: `owner protocol start end access`. */
static void read_entry(PCWSTR *text, PortEntry *entry) {
    while (**text == '\n') (*text)++;
    memset(entry, 0, sizeof *entry);
    entry->OwningPartitionId = read_guid(text);
    entry->Protocol = (int32_t)read_number(text);
    entry->StartingPort = (uint16_t)read_number(text);
    entry->EndingPort = (uint16_t)read_number(text);
    entry->SharingFlags = read_number(text);
}

/* An empty list is a NULL pointer and a count of zero. */
EXPORT HRESULT CALLTYPE HcnEnumerateGuestNetworkPortReservations(uint32_t *count, PortEntry **entries) {
    Buffer call;
    PWSTR output = NULL;
    PCWSTR text;
    HRESULT result;
    if (count == NULL || entries == NULL) return RESULT_INVALID_ARGUMENT;
    *count = 0;
    *entries = NULL;
    begin_call(&call, "HcnEnumerateGuestNetworkPortReservations", 0);
    result = forward(&call, &output, NULL);
    if (result < 0 || output == NULL || *output == 0) {
        CoTaskMemFree(output);
        return result;
    }
    *entries = CoTaskMemAlloc(count_lines(output) * sizeof **entries);
    if (*entries == NULL) {
        CoTaskMemFree(output);
        return RESULT_OUT_OF_MEMORY;
    }
    *count = count_lines(output);
    text = output;
    for (uint32_t i = 0; i < *count; i++) read_entry(&text, *entries + i);
    CoTaskMemFree(output);
    return result;
}

EXPORT void CALLTYPE HcnFreeGuestNetworkPortReservations(PortEntry *entries) { CoTaskMemFree(entries); }
