/* One TCP connection a thread to the emulator named by HNS_EMULATOR_ADDRESS, and the calls over it. */
#ifndef _WIN32
#define _GNU_SOURCE
#endif
#include "emulator.h"

#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
typedef SOCKET Socket;
#define NO_SOCKET INVALID_SOCKET
#else
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>
typedef int Socket;
#define NO_SOCKET (-1)
#define closesocket close
#endif

#ifdef MSG_NOSIGNAL
#define SEND_FLAGS MSG_NOSIGNAL
#else
#define SEND_FLAGS 0
#endif

#define DEFAULT_ADDRESS "127.0.0.1:47474"
#define MAX_FRAME (64u * 1024 * 1024)

/* A thread's connection. The address is kept because a test may point the same process at another emulator. */
typedef struct {
    Socket socket;
    DWORD process;
    char address[256];
} Connection;

#ifdef _WIN32

static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static DWORD slot = FLS_OUT_OF_INDEXES;

static void WINAPI drop_connection(void *value) {
    Connection *connection = value;
    if (connection == NULL) return;
    if (connection->socket != NO_SOCKET) closesocket(connection->socket);
    free(connection);
}

static BOOL CALLBACK start_once(PINIT_ONCE unused, void *parameter, void **context) {
    WSADATA data;
    HMODULE self;
    (void)unused, (void)parameter, (void)context;
    /* Threads call back into this library when they end, so it must never be unloaded. */
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCWSTR)(void *)&once, &self);
    slot = FlsAlloc(drop_connection);
    return slot != FLS_OUT_OF_INDEXES && WSAStartup(MAKEWORD(2, 2), &data) == 0;
}

static bool start_library(void) { return InitOnceExecuteOnce(&once, start_once, NULL, NULL); }
static Connection *load_slot(void) { return FlsGetValue(slot); }
static bool store_slot(Connection *connection) { return FlsSetValue(slot, connection); }
static DWORD process_id(void) { return GetCurrentProcessId(); }
static void end_process(void) { TerminateProcess(GetCurrentProcess(), 137); }
static bool was_interrupted(void) { return false; }

static Socket open_socket(const struct addrinfo *info) {
    return WSASocketW(info->ai_family, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
}

static void read_address(char *address, size_t size) {
    /* Not getenv: the C library's copy misses what the program set later. */
    DWORD length = GetEnvironmentVariableA("HNS_EMULATOR_ADDRESS", address, (DWORD)size);
    if (length == 0 || length >= size) memcpy(address, DEFAULT_ADDRESS, sizeof DEFAULT_ADDRESS);
}

#else

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t slot;
static bool started;

static void drop_connection(void *value) {
    Connection *connection = value;
    if (connection->socket != NO_SOCKET) close(connection->socket);
    free(connection);
}

static void start_once(void) { started = pthread_key_create(&slot, drop_connection) == 0; }
static bool start_library(void) { return pthread_once(&once, start_once) == 0 && started; }
static Connection *load_slot(void) { return pthread_getspecific(slot); }
static bool store_slot(Connection *connection) { return pthread_setspecific(slot, connection) == 0; }
static DWORD process_id(void) { return (DWORD)getpid(); }
static void end_process(void) { _exit(137); }
static bool was_interrupted(void) { return errno == EINTR; }

static Socket open_socket(const struct addrinfo *info) {
    return socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
}

static void read_address(char *address, size_t size) {
    const char *given = getenv("HNS_EMULATOR_ADDRESS");
    if (given == NULL || *given == 0 || strlen(given) >= size) given = DEFAULT_ADDRESS;
    memcpy(address, given, strlen(given) + 1);
}

#endif

static Socket connect_to(const char *address) {
    struct addrinfo hints, *found, *info;
    char host[256];
    int yes = 1;
    const char *colon = strrchr(address, ':');
    Socket result = NO_SOCKET;
    if (colon == NULL) return NO_SOCKET;
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = 0;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0) return NO_SOCKET;
    for (info = found; info != NULL && result == NO_SOCKET; info = info->ai_next) {
        Socket attempt = open_socket(info);
        if (attempt == NO_SOCKET) continue;
        if (connect(attempt, info->ai_addr, (int)info->ai_addrlen) == 0) result = attempt;
        else closesocket(attempt);
    }
    freeaddrinfo(found);
    if (result != NO_SOCKET) setsockopt(result, IPPROTO_TCP, TCP_NODELAY, (const char *)&yes, sizeof yes);
    return result;
}

/* An idle connection that has something to read was closed by the emulator: nothing else is sent unasked. */
static bool is_stale(Socket socket) {
    struct timeval now = {0, 0};
    fd_set set;
#ifndef _WIN32
    if (socket >= FD_SETSIZE) return false;
#endif
    FD_ZERO(&set);
    FD_SET(socket, &set);
    return select((int)socket + 1, &set, NULL, NULL, &now) != 0;
}

static void disconnect(Connection *connection) {
    if (connection->socket != NO_SOCKET) closesocket(connection->socket);
    connection->socket = NO_SOCKET;
}

/* This thread's connection, opened when needed; NULL when nobody listens. */
static Connection *thread_connection(void) {
    char address[sizeof((Connection *)NULL)->address];
    Connection *connection;
    if (!start_library()) return NULL;
    connection = load_slot();
    if (connection == NULL) {
        connection = calloc(1, sizeof *connection);
        if (connection == NULL) return NULL;
        connection->socket = NO_SOCKET;
        if (!store_slot(connection)) {
            free(connection);
            return NULL;
        }
    }
    read_address(address, sizeof address);
    if (connection->socket != NO_SOCKET) {
        bool same = strcmp(address, connection->address) == 0 && connection->process == process_id();
        if (same && !is_stale(connection->socket)) return connection;
        disconnect(connection);
    }
    memcpy(connection->address, address, sizeof address);
    connection->process = process_id();
    connection->socket = connect_to(address);
    return connection->socket == NO_SOCKET ? NULL : connection;
}

static bool send_all(Socket socket, const unsigned char *data, size_t length) {
    while (length > 0) {
        long sent = (long)send(socket, (const char *)data, (int)length, SEND_FLAGS);
        if (sent < 0 && was_interrupted()) continue;
        if (sent <= 0) return false;
        data += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool receive_all(Socket socket, unsigned char *data, size_t length) {
    while (length > 0) {
        long got = (long)recv(socket, (char *)data, (int)length, 0);
        if (got < 0 && was_interrupted()) continue;
        if (got <= 0) return false;
        data += got;
        length -= (size_t)got;
    }
    return true;
}

static bool send_frame(Socket socket, const Buffer *frame) {
    unsigned char head[4];
    for (int i = 0; i < 4; i++) head[i] = (unsigned char)(frame->length >> (8 * i));
    return send_all(socket, head, 4) && send_all(socket, frame->data, frame->length);
}

bool receive_frame(intptr_t connection, Buffer *frame) {
    unsigned char head[4];
    uint32_t length;
    memset(frame, 0, sizeof *frame);
    if (!receive_all((Socket)connection, head, 4)) return false;
    length = get_u32(head);
    if (length < 1 || length > MAX_FRAME) return false;
    frame->data = malloc(length);
    frame->length = frame->capacity = length;
    if (frame->data != NULL && receive_all((Socket)connection, frame->data, length)) return true;
    buffer_free(frame);
    return false;
}

void begin_call(Buffer *call, const char *name, uint32_t argument_count) {
    memset(call, 0, sizeof *call);
    put_u8(call, FRAME_CALL);
    put_u32(call, process_id());
    put_text(call, name);
    put_u32(call, argument_count);
}

static HRESULT read_reply(const Buffer *frame, Reply *reply) {
    size_t offset = 14;
    if (frame->length < offset || frame->data[0] != FRAME_REPLY) return RESULT_CALL_FAILED;
    if (frame->data[5] & FLAG_KILL) end_process();
    reply->handle = get_u64(frame->data + 6);
    if (get_wide(frame, &offset, &reply->output) && get_wide(frame, &offset, &reply->error)) return (HRESULT)get_u32(frame->data + 1);
    CoTaskMemFree(reply->output);
    CoTaskMemFree(reply->error);
    memset(reply, 0, sizeof *reply);
    return RESULT_CALL_FAILED;
}

HRESULT finish_call(Buffer *call, Reply *reply) {
    Connection *connection = call->failed ? NULL : thread_connection();
    HRESULT result = call->failed ? RESULT_OUT_OF_MEMORY : RESULT_UNAVAILABLE;
    memset(reply, 0, sizeof *reply);
    if (connection != NULL) {
        Buffer frame;
        result = RESULT_CALL_FAILED;
        if (send_frame(connection->socket, call) && receive_frame((intptr_t)connection->socket, &frame)) {
            result = read_reply(&frame, reply);
            buffer_free(&frame);
        } else {
            disconnect(connection);
        }
    }
    buffer_free(call);
    return result;
}

intptr_t open_subscription(const void *guest_service) {
    char address[sizeof((Connection *)NULL)->address];
    Buffer request = {0}, ready;
    Socket socket;
    if (!start_library()) return -1;
    read_address(address, sizeof address);
    socket = connect_to(address);
    if (socket == NO_SOCKET) return -1;
    put_u8(&request, FRAME_SUBSCRIBE);
    put_u32(&request, process_id());
    if (guest_service == NULL) put_text(&request, NULL);
    else put_handle(&request, guest_service);
    /* The first frame says that the subscription stands. */
    if (!request.failed && send_frame(socket, &request) && receive_frame((intptr_t)socket, &ready)) {
        buffer_free(&ready);
    } else {
        closesocket(socket);
        socket = NO_SOCKET;
    }
    buffer_free(&request);
    return (intptr_t)socket;
}

void shut_connection(intptr_t connection) {
    shutdown((Socket)connection, 2);
}

void close_connection(intptr_t connection) {
    closesocket((Socket)connection);
}
