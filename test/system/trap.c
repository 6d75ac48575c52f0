/* A library of Windows' names that is not Windows' own: whoever loads it leaves a file named by HNS_TEST_MARKER. */
#include <windows.h>

static void leave_marker(void) {
    char path[MAX_PATH];
    DWORD length = GetEnvironmentVariableA("HNS_TEST_MARKER", path, sizeof path);
    if (length == 0 || length >= sizeof path) return;
    CloseHandle(CreateFileA(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL));
}

BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved) {
    (void)self, (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) leave_marker();
    return TRUE;
}

/* Refuses everything, so that a program that calls here fails too. */
__declspec(dllexport) HRESULT WINAPI HcnEnumerateNetworks(LPCWSTR query, LPWSTR *ids, LPWSTR *error) {
    (void)query;
    *ids = NULL;
    if (error != NULL) *error = NULL;
    return E_ACCESSDENIED;
}

__declspec(dllexport) HRESULT WINAPI HNSCall(LPCWSTR method, LPCWSTR path, LPCWSTR request, LPWSTR *response) {
    (void)method, (void)path, (void)request;
    *response = NULL;
    return E_ACCESSDENIED;
}
