/* A program that loads a library the careless way: by name alone, wherever Windows finds it. Exit code 0 when it was found. */
#include <windows.h>

int main(int count, char **arguments) {
    return count == 2 && LoadLibraryA(arguments[1]) != NULL ? 0 : 1;
}
