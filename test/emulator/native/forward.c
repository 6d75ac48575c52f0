/* How the exports hand the emulator's answer to their callers. */
#include "emulator.h"

void clear_text(PWSTR *text) {
    if (text != NULL) *text = NULL;
}

static void hand_out(PWSTR text, PWSTR *wanted) {
    if (wanted != NULL) *wanted = text;
    else CoTaskMemFree(text);
}

HRESULT forward(Buffer *call, PWSTR *output, PWSTR *error) {
    Reply reply;
    HRESULT result = finish_call(call, &reply);
    hand_out(reply.output, output);
    hand_out(reply.error, error);
    return result;
}

HRESULT forward_handle(Buffer *call, void **handle, PWSTR *error) {
    Reply reply;
    HRESULT result = finish_call(call, &reply);
    *handle = (void *)(uintptr_t)reply.handle;
    CoTaskMemFree(reply.output);
    hand_out(reply.error, error);
    return result;
}

HRESULT forward_with_handle(const char *name, const void *handle) {
    Buffer call;
    begin_call(&call, name, 1);
    put_handle(&call, handle);
    return forward(&call, NULL, NULL);
}
