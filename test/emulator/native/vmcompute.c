/* The export of vmcompute.dll that version 1 clients use. */
#include "emulator.h"

EXPORT HRESULT CALLTYPE HNSCall(PCWSTR method, PCWSTR path, PCWSTR body, PWSTR *response) {
    Buffer call;
    Reply reply;
    HRESULT result;
    if (response == NULL) return RESULT_INVALID_ARGUMENT;
    *response = NULL;
    begin_call(&call, "HNSCall", 3);
    put_wide(&call, method);
    put_wide(&call, path);
    put_wide(&call, body);
    result = finish_call(&call, &reply);
    CoTaskMemFree(reply.error);
    *response = reply.output;
    return result;
}
