/*
 * A C client of computenetwork.dll and vmcompute.dll that calls every export, written from the Windows header alone. It frees
 * everything it is given, so that a leak checker sees the library's own leaks. Ends with 0 when every call gave what it should.
 * Builds for Linux (against the emulator's library) and for Windows (against its DLLs).
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#include <objbase.h>
#define W(text) L##text
#define API __declspec(dllimport)
#define CALL WINAPI
#else
#include <unistd.h>
#define W(text) u##text
#define API
#define CALL
typedef int32_t HRESULT;
typedef uint32_t DWORD;
typedef uint16_t WCHAR;
typedef struct {
    uint32_t Data1;
    uint16_t Data2, Data3;
    uint8_t Data4[8];
} GUID;
void CoTaskMemFree(void *memory);
#endif

typedef const WCHAR *Text;
typedef WCHAR *Out;
typedef void *Handle;
typedef void(CALL *Callback)(DWORD type, void *context, HRESULT status, Text data);

typedef struct {
    uint16_t first, last;
} Range;

typedef struct {
    GUID owner, target;
    int32_t protocol;
    uint64_t priority;
    uint32_t type, sharing, mode;
    uint16_t first, last;
} Entry;

#define DECLARE(ONE, MANY)                                                       \
    API HRESULT CALL HcnEnumerate##MANY(Text, Out *, Out *);                     \
    API HRESULT CALL HcnOpen##ONE(const GUID *, Handle *, Out *);                \
    API HRESULT CALL HcnModify##ONE(Handle, Text, Out *);                        \
    API HRESULT CALL HcnQuery##ONE##Properties(Handle, Text, Out *, Out *);      \
    API HRESULT CALL HcnDelete##ONE(const GUID *, Out *);                        \
    API HRESULT CALL HcnClose##ONE(Handle);
#define DECLARE_CREATE(ONE) API HRESULT CALL HcnCreate##ONE(const GUID *, Text, Handle *, Out *);
DECLARE(Network, Networks)
DECLARE(Endpoint, Endpoints)
DECLARE(Namespace, Namespaces)
DECLARE(LoadBalancer, LoadBalancers)
DECLARE(SdnRoute, SdnRoutes)
DECLARE(GuestNetworkService, GuestNetworkServices)
DECLARE_CREATE(Network)
DECLARE_CREATE(Namespace)
DECLARE_CREATE(LoadBalancer)
DECLARE_CREATE(SdnRoute)
DECLARE_CREATE(GuestNetworkService)
API HRESULT CALL HcnCreateEndpoint(Handle, const GUID *, Text, Handle *, Out *);
API HRESULT CALL HcnQueryEndpointStats(Handle, Text, Out *, Out *);
API HRESULT CALL HcnQueryEndpointAddresses(Handle, Text, Out *, Out *);
API HRESULT CALL HcnRegisterServiceCallback(Callback, void *, Handle *);
API HRESULT CALL HcnUnregisterServiceCallback(Handle);
API HRESULT CALL HcnRegisterGuestNetworkServiceCallback(Handle, Callback, void *, Handle *);
API HRESULT CALL HcnUnregisterGuestNetworkServiceCallback(Handle);
API HRESULT CALL HcnReserveGuestNetworkServicePort(Handle, int32_t, int32_t, uint16_t, Handle *);
API HRESULT CALL HcnReserveGuestNetworkServicePortRange(Handle, uint16_t, Range *, Handle *);
API HRESULT CALL HcnReleaseGuestNetworkServicePortReservationHandle(Handle);
API HRESULT CALL HcnEnumerateGuestNetworkPortReservations(uint32_t *, Entry **);
API void CALL HcnFreeGuestNetworkPortReservations(Entry *);
API HRESULT CALL HNSCall(Text, Text, Text, Out *);
API HRESULT CALL HcsOpenComputeSystem(Text, Handle *, Out *);
API HRESULT CALL HcsCloseComputeSystem(Handle);
API HRESULT CALL HcsGetComputeSystemProperties(Handle, Text, Out *, Out *);
API HRESULT CALL HcsModifyComputeSystem(Handle, Text, Out *);
API HRESULT CALL HcsRegisterComputeSystemCallback(Handle, void *, void *, Handle *);
API HRESULT CALL HcsUnregisterComputeSystemCallback(Handle);

static int failures;

#define OK(call) expect((call), 0, #call, __LINE__)
#define REFUSED(code, call) expect((call), (HRESULT)(code), #call, __LINE__)
#define HOLDS(condition) ((condition) ? (void)0 : complain(#condition, __LINE__))

static void complain(const char *what, int line) {
    printf("line %d: %s\n", line, what);
    failures++;
}

static void expect(HRESULT given, HRESULT wanted, const char *call, int line) {
    if (given == wanted) return;
    printf("line %d: %s gave 0x%08x\n", line, call, (unsigned)given);
    failures++;
}

/* A result that is there, and freed. */
static void take(Out *text) {
    HOLDS(*text != NULL);
    CoTaskMemFree(*text);
    *text = NULL;
}

static const GUID none;
static const GUID network_id = {0x11111111, 0x2222, 0x3333, {0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55}};
static const GUID endpoint_id = {0xaaaaaaaa, 0xbbbb, 0xcccc, {0xdd, 0xdd, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee}};
static const GUID other_id = {0x12345678, 0x9abc, 0xdef0, {1, 2, 3, 4, 5, 6, 7, 8}};

static volatile int heard;

static void CALL on_event(DWORD type, void *context, HRESULT status, Text data) {
    (void)status, (void)data;
    if (type != 0x01000000 && *(int *)context == 42) heard++;
}

/* Enumerate, open, query and close: what every kind of object has. */
#define WALK(ONE, MANY, id)                                                              \
    do {                                                                                 \
        Handle opened = NULL;                                                            \
        Out text = NULL, error = NULL;                                                   \
        OK(HcnEnumerate##MANY(NULL, &text, &error));                                     \
        take(&text);                                                                     \
        OK(HcnEnumerate##MANY(W("{\"Filter\":\"{\\\"ID\\\":\\\"\\\"}\"}"), &text, NULL));\
        take(&text);                                                                     \
        OK(HcnOpen##ONE(id, &opened, &error));                                           \
        HOLDS((uintptr_t)opened > 0xffffffffu);                                          \
        OK(HcnQuery##ONE##Properties(opened, W(""), &text, &error));                     \
        take(&text);                                                                     \
        HOLDS(error == NULL);                                                            \
        REFUSED(0x803b001b, HcnModify##ONE(opened, W("{"), &error));                     \
        take(&error);                                                                    \
        OK(HcnClose##ONE(opened));                                                       \
        REFUSED(0x80070006, HcnClose##ONE(opened));                                      \
        REFUSED(0x80070057, HcnOpen##ONE(NULL, &opened, &error));                        \
        take(&error);                                                                    \
        REFUSED(0x80070057, HcnOpen##ONE(id, NULL, NULL));                               \
        REFUSED(0x80070057, HcnEnumerate##MANY(NULL, NULL, NULL));                       \
        REFUSED(0x80070057, HcnDelete##ONE(&none, NULL));                                \
    } while (0)

static void test_network_and_endpoint(void) {
    Handle network, endpoint, namespace;
    Out text, error = NULL;
    OK(HcnCreateNetwork(&network_id,
                        W("{\"Name\":\"n\\u00e9t\",\"Type\":\"L2Bridge\",\"Ipams\":[{\"Subnets\":[{\"IpAddressPrefix\":\"10.244.3.0/24\",")
                            W("\"Routes\":[{\"NextHop\":\"10.244.3.1\",\"DestinationPrefix\":\"0.0.0.0/0\"}]}]}]}"),
                        &network, &error));
    WALK(Network, Networks, &network_id);
    OK(HcnCreateEndpoint(network, &endpoint_id, W("{\"Name\":\"pod\"}"), &endpoint, NULL));
    WALK(Endpoint, Endpoints, &endpoint_id);
    OK(HcnQueryEndpointStats(endpoint, W(""), &text, NULL));
    take(&text);
    OK(HcnQueryEndpointAddresses(endpoint, NULL, &text, &error));
    take(&text);
    OK(HcnCreateNamespace(&other_id, W("{}"), &namespace, NULL));
    WALK(Namespace, Namespaces, &other_id);
    OK(HcnModifyNamespace(
        namespace,
        W("{\"ResourceType\":\"Endpoint\",\"RequestType\":\"Add\",\"Settings\":{\"EndpointId\":\"AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE\"}}"),
        &error));
    OK(HcnDeleteNamespace(&other_id, NULL));
    OK(HcnCloseNamespace(namespace));
    OK(HcnCloseEndpoint(endpoint));
    OK(HcnCloseNetwork(network));
}

static void test_lists(void) {
    Handle handle;
    Out error;
    OK(HcnCreateLoadBalancer(&other_id, W("{\"HostComputeEndpoints\":[\"AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE\"]}"), &handle, NULL));
    WALK(LoadBalancer, LoadBalancers, &other_id);
    OK(HcnCloseLoadBalancer(handle));
    REFUSED(0x803b002c, HcnDeleteEndpoint(&endpoint_id, &error));
    take(&error);
    OK(HcnDeleteLoadBalancer(&other_id, &error));
    OK(HcnCreateSdnRoute(&other_id, W("{\"Routes\":[]}"), &handle, NULL));
    WALK(SdnRoute, SdnRoutes, &other_id);
    OK(HcnCloseSdnRoute(handle));
    OK(HcnDeleteSdnRoute(&other_id, NULL));
}

static void test_guest_services(void) {
    int mark = 42;
    Handle service, callback, port, range_handle;
    Range range;
    Entry *entries;
    uint32_t count;
    Out error;
    OK(HcnRegisterServiceCallback(on_event, &mark, &callback));
    OK(HcnCreateGuestNetworkService(&other_id, W("{}"), &service, NULL));
    OK(HcnUnregisterServiceCallback(callback));
    WALK(GuestNetworkService, GuestNetworkServices, &other_id);
    OK(HcnRegisterGuestNetworkServiceCallback(service, on_event, &mark, &callback));
    OK(HcnModifyGuestNetworkService(service, W("{\"State\":2}"), NULL));
    while (heard == 0) OK(HcnModifyGuestNetworkService(service, W("{\"State\":3}"), NULL));
    OK(HcnUnregisterGuestNetworkServiceCallback(callback));
    REFUSED(0x80070057, HcnRegisterGuestNetworkServiceCallback(NULL, on_event, NULL, &callback));
    OK(HcnEnumerateGuestNetworkPortReservations(&count, &entries));
    HOLDS(count == 0 && entries == NULL);
    OK(HcnReserveGuestNetworkServicePort(service, 1, 1, 8080, &port));
    OK(HcnReserveGuestNetworkServicePortRange(service, 16, &range, &range_handle));
    HOLDS(range.last - range.first == 15);
    OK(HcnEnumerateGuestNetworkPortReservations(&count, &entries));
    HOLDS(count == 2);
    HOLDS(memcmp(&entries[0].owner, &other_id, sizeof other_id) == 0);
    HOLDS(entries[0].protocol == 1 && entries[0].first == 8080 && entries[0].last == 8080 && entries[1].first == range.first);
    HcnFreeGuestNetworkPortReservations(entries);
    OK(HcnReleaseGuestNetworkServicePortReservationHandle(port));
    OK(HcnReleaseGuestNetworkServicePortReservationHandle(range_handle));
    REFUSED(0x80070006, HcnReleaseGuestNetworkServicePortReservationHandle(port));
    OK(HcnCloseGuestNetworkService(service));
    OK(HcnDeleteGuestNetworkService(&other_id, &error));
}

static void test_version_1(void) {
    Handle system, callback;
    Out text, error;
    OK(HNSCall(W("GET"), W("/endpoints/"), W(""), &text));
    take(&text);
    OK(HcsOpenComputeSystem(W("container"), &system, &error));
    OK(HcsRegisterComputeSystemCallback(system, (void *)on_event, NULL, &callback));
    OK(HcsGetComputeSystemProperties(system, W(""), &text, &error));
    take(&text);
    OK(HcsModifyComputeSystem(
        system, W("{\"ResourceType\":\"Network\",\"RequestType\":\"Add\",\"Settings\":\"AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE\"}"), &error));
    REFUSED(0x803b0015, HcsModifyComputeSystem(system, W("{\"ResourceType\":\"Memory\"}"), &error));
    take(&error);
    OK(HcsUnregisterComputeSystemCallback(callback));
    OK(HcsCloseComputeSystem(system));
}

int main(void) {
    Out error;
    test_network_and_endpoint();
    test_lists();
    test_guest_services();
    test_version_1();
    OK(HcnDeleteNetwork(&network_id, NULL));
    REFUSED(0x803b0001, HcnDeleteNetwork(&network_id, &error));
    take(&error);
    printf(failures == 0 ? "every call gave what it should\n" : "%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
