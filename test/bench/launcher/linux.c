#define _GNU_SOURCE
#include "launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static posix_spawnattr_t attributes;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

void platform_prepare(void) {
    sigset_t defaults;
    /* A program that does not read its input ends the pipe under us; it has the signal as every program has. */
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
}

/* The list of NAME=value texts; to be freed. */
static char **list_variables(char *variables) {
    size_t count = 0;
    for (char *at = variables; *at != '\0'; at += strlen(at) + 1) count++;
    char **list = calloc(count + 1, sizeof *list);
    if (list == NULL) return NULL;
    for (size_t i = 0; i < count; i++, variables += strlen(variables) + 1) list[i] = variables;
    return list;
}

static int start(const Order *order, char **variables, const int ends[2], pid_t *pid) {
    posix_spawn_file_actions_t actions;
    char *arguments[] = {order->program, NULL};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    int result = posix_spawn(pid, order->program, &actions, &attributes, arguments, variables);
    posix_spawn_file_actions_destroy(&actions);
    return result;
}

/* Gives the input, takes the output, and waits for the end. */
static int attend(const Order *order, int writer, int reader, pid_t pid, Outcome *outcome) {
    static char chunk[65536];
    int status, failed = 0;
    ssize_t got = write(writer, order->input, order->input_length);
    close(writer);
    while ((got = read(reader, chunk, sizeof chunk)) > 0)
        if (keep_output(outcome, chunk, (uint32_t)got) != 0) failed = 1;
    if (waitpid(pid, &status, 0) != pid || failed) return -1;
    outcome->code = WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status) : 128u + (uint32_t)WTERMSIG(status);
    return 0;
}

int platform_run(const Order *order, Outcome *outcome) {
    int input[2], output[2];
    pid_t pid;
    char **variables = list_variables(order->variables);
    if (variables == NULL) return -1;
    uint64_t begin = now();
    if (pipe2(input, O_CLOEXEC) != 0) return -1;
    if (pipe2(output, O_CLOEXEC) != 0) return -1;
    int result = start(order, variables, (const int[]){input[0], output[1]}, &pid);
    close(input[0]);
    close(output[1]);
    if (result != 0) close(input[1]);
    else result = attend(order, input[1], output[0], pid, outcome);
    close(output[0]);
    outcome->microseconds = now() - begin;
    free(variables);
    return result == 0 ? 0 : -1;
}
