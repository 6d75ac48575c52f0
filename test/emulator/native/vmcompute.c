/* The exports of vmcompute.dll that version 1 network clients use. */
#include "emulator.h"

EXPORT HRESULT CALLTYPE HNSCall(PCWSTR method, PCWSTR path, PCWSTR body, PWSTR *response) {
    Buffer call;
    if (response == NULL) return RESULT_INVALID_ARGUMENT;
    *response = NULL;
    begin_call(&call, "HNSCall", 3);
    put_wide(&call, method);
    put_wide(&call, path);
    put_wide(&call, body);
    return forward(&call, response, NULL);
}

EXPORT HRESULT CALLTYPE HcsOpenComputeSystem(PCWSTR id, void **system, PWSTR *result) {
    Buffer call;
    clear_text(result);
    if (system == NULL) return RESULT_INVALID_ARGUMENT;
    begin_call(&call, "HcsOpenComputeSystem", 1);
    put_wide(&call, id);
    return forward_handle(&call, system, result);
}

EXPORT HRESULT CALLTYPE HcsCloseComputeSystem(void *system) { return forward_with_handle("HcsCloseComputeSystem", system); }

EXPORT HRESULT CALLTYPE HcsGetComputeSystemProperties(void *system, PCWSTR query, PWSTR *properties, PWSTR *result) {
    Buffer call;
    clear_text(result);
    if (properties == NULL) return RESULT_INVALID_ARGUMENT;
    begin_call(&call, "HcsGetComputeSystemProperties", 2);
    put_handle(&call, system);
    put_wide(&call, query);
    return forward(&call, properties, result);
}

EXPORT HRESULT CALLTYPE HcsModifyComputeSystem(void *system, PCWSTR configuration, PWSTR *result) {
    Buffer call;
    clear_text(result);
    begin_call(&call, "HcsModifyComputeSystem", 2);
    put_handle(&call, system);
    put_wide(&call, configuration);
    return forward(&call, NULL, result);
}

/* The callback is never called: containers of the emulator neither crash nor end by themselves, and every change is done when its call returns. */
EXPORT HRESULT CALLTYPE HcsRegisterComputeSystemCallback(void *system, void *callback, void *context, void **handle) {
    Buffer call;
    (void)context;
    if (callback == NULL || handle == NULL) return RESULT_INVALID_ARGUMENT;
    begin_call(&call, "HcsRegisterComputeSystemCallback", 1);
    put_handle(&call, system);
    return forward_handle(&call, handle, NULL);
}

EXPORT HRESULT CALLTYPE HcsUnregisterComputeSystemCallback(void *handle) {
    return forward_with_handle("HcsUnregisterComputeSystemCallback", handle);
}
