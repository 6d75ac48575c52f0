/* What Windows gives elsewhere and Linux does not: the COM allocator, and questions about the emulated machine. */
#include "emulator.h"

#include <stdlib.h>

EXPORT void *CoTaskMemAlloc(size_t size) {
    return malloc(size);
}

EXPORT void CoTaskMemFree(void *memory) {
    free(memory);
}

/* Asks the emulated machine: {"op":"identity"} or {"op":"set-forwarding","address","enabled"}. Not an HNS call and not in the call log. */
EXPORT HRESULT HnsEmulatorHost(PCWSTR request, PWSTR *response) {
    Buffer call;
    if (response == NULL) return RESULT_INVALID_ARGUMENT;
    begin_call(&call, "HnsEmulatorHost", 1);
    put_wide(&call, request);
    return forward(&call, response, NULL);
}
