/* Stands for the Windows main program: gives its input back, tells whether it sees NODE_OPTIONS, and leaves with a code of its own. */
#include <stdio.h>
#include <windows.h>

int main(void) {
    static char data[65536];
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE), out = GetStdHandle(STD_OUTPUT_HANDLE);
    DWORD got, written;
    while (ReadFile(in, data, sizeof data, &got, NULL) && got > 0)
        if (!WriteFile(out, data, got, &written, NULL)) return 8;
    fputs(GetEnvironmentVariableA("NODE_OPTIONS", data, sizeof data) > 0 ? "NODE_OPTIONS " : "no NODE_OPTIONS ", stderr);
    fputs(GetEnvironmentVariableA("CNI_COMMAND", data, sizeof data) > 0 ? data : "no command", stderr);
    return 0x107; /* more than a byte: Windows hands on all of it */
}
