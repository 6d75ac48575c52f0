/* Service notifications: each registration has a connection and a thread that calls back until it is taken back. */
#ifndef _WIN32
#define _GNU_SOURCE
#endif
#include "emulator.h"

#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
typedef HANDLE Thread;
static SRWLOCK lock = SRWLOCK_INIT;
#define LOCK() AcquireSRWLockExclusive(&lock)
#define UNLOCK() ReleaseSRWLockExclusive(&lock)
#else
#include <pthread.h>
typedef pthread_t Thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
#define LOCK() pthread_mutex_lock(&lock)
#define UNLOCK() pthread_mutex_unlock(&lock)
#endif

#define SERVICE_DISCONNECT 0x01000000u
#define UNREGISTER(guest_service) ((guest_service) == NULL ? "HcnUnregisterServiceCallback" : "HcnUnregisterGuestNetworkServiceCallback")

typedef void(CALLTYPE *NotificationCallback)(DWORD type, void *context, HRESULT status, PCWSTR data);

typedef struct Registration {
    struct Registration *next;
    void *handle;
    NotificationCallback callback;
    void *context;
    intptr_t connection;
    Thread thread;
    bool ending;
} Registration;

static Registration *registrations;

static bool is_ending(Registration *registration) {
    bool ending;
    LOCK();
    ending = registration->ending;
    UNLOCK();
    return ending;
}

static void listen_until_end(Registration *registration) {
    Buffer frame;
    while (receive_frame(registration->connection, &frame)) {
        size_t offset = 5;
        PWSTR data = NULL;
        if (frame.length >= offset && frame.data[0] == FRAME_NOTIFY && get_wide(&frame, &offset, &data) && !is_ending(registration)) {
            registration->callback(get_u32(frame.data + 1), registration->context, 0, data);
        }
        CoTaskMemFree(data);
        buffer_free(&frame);
    }
    /* The emulator is gone, which to a client is the service going away. */
    if (!is_ending(registration)) registration->callback(SERVICE_DISCONNECT, registration->context, 0, NULL);
}

#ifdef _WIN32
static DWORD WINAPI run_listener(void *registration) {
    listen_until_end(registration);
    return 0;
}
static bool start_listener(Registration *registration) {
    registration->thread = CreateThread(NULL, 0, run_listener, registration, 0, NULL);
    return registration->thread != NULL;
}
static void join_listener(Registration *registration) {
    if (GetThreadId(registration->thread) != GetCurrentThreadId()) WaitForSingleObject(registration->thread, INFINITE);
    CloseHandle(registration->thread);
}
#else
static void *run_listener(void *registration) {
    listen_until_end(registration);
    return NULL;
}
static bool start_listener(Registration *registration) {
    return pthread_create(&registration->thread, NULL, run_listener, registration) == 0;
}
static void join_listener(Registration *registration) {
    if (pthread_equal(registration->thread, pthread_self())) pthread_detach(registration->thread);
    else pthread_join(registration->thread, NULL);
}
#endif

static HRESULT register_with_service(void *guest_service, void **handle) {
    Buffer call;
    begin_call(&call, guest_service == NULL ? "HcnRegisterServiceCallback" : "HcnRegisterGuestNetworkServiceCallback", guest_service == NULL ? 0 : 1);
    if (guest_service != NULL) put_handle(&call, guest_service);
    return forward_handle(&call, handle, NULL);
}

static HRESULT abandon(Registration *registration, HRESULT result) {
    if (registration->connection != -1) close_connection(registration->connection);
    free(registration);
    return result;
}

/* With a NULL guest service: a callback of the service as a whole. */
static HRESULT start(void *guest_service, NotificationCallback callback, void *context, void **handle) {
    Registration *registration;
    HRESULT result;
    if (callback == NULL || handle == NULL) return RESULT_INVALID_ARGUMENT;
    *handle = NULL;
    registration = calloc(1, sizeof *registration);
    if (registration == NULL) return RESULT_OUT_OF_MEMORY;
    registration->callback = callback;
    registration->context = context;
    registration->connection = -1;
    result = register_with_service(guest_service, &registration->handle);
    if (result < 0) return abandon(registration, result);
    registration->connection = open_subscription(guest_service);
    if (registration->connection == -1) return abandon(registration, RESULT_UNAVAILABLE);
    if (!start_listener(registration)) {
        forward_with_handle(UNREGISTER(guest_service), registration->handle);
        return abandon(registration, RESULT_OUT_OF_MEMORY);
    }
    *handle = registration->handle;
    LOCK();
    registration->next = registrations;
    registrations = registration;
    UNLOCK();
    return result;
}

static Registration *take(void *handle) {
    Registration **link, *found = NULL;
    LOCK();
    for (link = &registrations; *link != NULL && found == NULL;) {
        if ((*link)->handle == handle) {
            found = *link;
            found->ending = true;
            *link = found->next;
        } else {
            link = &(*link)->next;
        }
    }
    UNLOCK();
    return found;
}

/* No callback runs after this has returned, unless it is called from one. */
static HRESULT end(const char *name, void *handle) {
    HRESULT result = forward_with_handle(name, handle);
    Registration *registration = take(handle);
    if (registration != NULL) {
        shut_connection(registration->connection);
        join_listener(registration);
        close_connection(registration->connection);
        free(registration);
    }
    return result;
}

EXPORT HRESULT CALLTYPE HcnRegisterServiceCallback(NotificationCallback callback, void *context, void **handle) {
    return start(NULL, callback, context, handle);
}

EXPORT HRESULT CALLTYPE HcnUnregisterServiceCallback(void *handle) { return end(UNREGISTER(NULL), handle); }

EXPORT HRESULT CALLTYPE HcnRegisterGuestNetworkServiceCallback(void *service, NotificationCallback callback, void *context, void **handle) {
    if (service == NULL) return RESULT_INVALID_ARGUMENT;
    return start(service, callback, context, handle);
}

EXPORT HRESULT CALLTYPE HcnUnregisterGuestNetworkServiceCallback(void *handle) {
    return end("HcnUnregisterGuestNetworkServiceCallback", handle);
}
