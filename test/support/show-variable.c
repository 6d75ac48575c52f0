/* Tells the variable EXAMPLE in UTF-8, or "none". For Windows. */
#define UNICODE
#include <string.h>
#include <windows.h>

int main(void) {
    wchar_t wide[256];
    char text[1024] = "none";
    DWORD written;
    if (GetEnvironmentVariableW(L"EXAMPLE", wide, 256) > 0) WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, sizeof text, NULL, NULL);
    return !WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, (DWORD)strlen(text), &written, NULL);
}
