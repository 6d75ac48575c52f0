/* The exports of computenetwork.dll: six kinds of objects with the same seven calls each. */
#include "emulator.h"

static HRESULT enumerate(const char *name, PCWSTR query, PWSTR *ids, PWSTR *error) {
    Buffer call;
    clear_text(error);
    if (ids == NULL) return RESULT_INVALID_ARGUMENT;
    begin_call(&call, name, 1);
    put_wide(&call, query);
    return forward(&call, ids, error);
}

static HRESULT create(const char *name, const GUID *id, PCWSTR settings, void **handle, PWSTR *error) {
    Buffer call;
    clear_text(error);
    if (handle == NULL) return RESULT_INVALID_ARGUMENT;
    begin_call(&call, name, 2);
    put_guid(&call, id);
    put_wide(&call, settings);
    return forward_handle(&call, handle, error);
}

static HRESULT open_object(const char *name, const GUID *id, void **handle, PWSTR *error) {
    Buffer call;
    clear_text(error);
    if (handle == NULL) return RESULT_INVALID_ARGUMENT;
    begin_call(&call, name, 1);
    put_guid(&call, id);
    return forward_handle(&call, handle, error);
}

static HRESULT modify(const char *name, void *handle, PCWSTR settings, PWSTR *error) {
    Buffer call;
    clear_text(error);
    begin_call(&call, name, 2);
    put_handle(&call, handle);
    put_wide(&call, settings);
    return forward(&call, NULL, error);
}

static HRESULT query_properties(const char *name, void *handle, PCWSTR query, PWSTR *properties, PWSTR *error) {
    Buffer call;
    clear_text(error);
    if (properties == NULL) return RESULT_INVALID_ARGUMENT;
    begin_call(&call, name, 2);
    put_handle(&call, handle);
    put_wide(&call, query);
    return forward(&call, properties, error);
}

static HRESULT delete_object(const char *name, const GUID *id, PWSTR *error) {
    Buffer call;
    clear_text(error);
    begin_call(&call, name, 1);
    put_guid(&call, id);
    return forward(&call, NULL, error);
}

#define DEFINE_CREATE(ONE)                                                                                     \
    EXPORT HRESULT CALLTYPE HcnCreate##ONE(const GUID *id, PCWSTR settings, void **handle, PWSTR *error) {     \
        return create("HcnCreate" #ONE, id, settings, handle, error);                                          \
    }

#define DEFINE_COMMON(ONE, MANY)                                                                               \
    EXPORT HRESULT CALLTYPE HcnEnumerate##MANY(PCWSTR query, PWSTR *ids, PWSTR *error) {                       \
        return enumerate("HcnEnumerate" #MANY, query, ids, error);                                             \
    }                                                                                                          \
    EXPORT HRESULT CALLTYPE HcnOpen##ONE(const GUID *id, void **handle, PWSTR *error) {                        \
        return open_object("HcnOpen" #ONE, id, handle, error);                                                 \
    }                                                                                                          \
    EXPORT HRESULT CALLTYPE HcnModify##ONE(void *handle, PCWSTR settings, PWSTR *error) {                      \
        return modify("HcnModify" #ONE, handle, settings, error);                                              \
    }                                                                                                          \
    EXPORT HRESULT CALLTYPE HcnQuery##ONE##Properties(void *handle, PCWSTR query, PWSTR *out, PWSTR *error) {  \
        return query_properties("HcnQuery" #ONE "Properties", handle, query, out, error);                      \
    }                                                                                                          \
    EXPORT HRESULT CALLTYPE HcnDelete##ONE(const GUID *id, PWSTR *error) {                                     \
        return delete_object("HcnDelete" #ONE, id, error);                                                     \
    }                                                                                                          \
    EXPORT HRESULT CALLTYPE HcnClose##ONE(void *handle) { return forward_with_handle("HcnClose" #ONE, handle); }

DEFINE_COMMON(Network, Networks)
DEFINE_COMMON(Endpoint, Endpoints)
DEFINE_COMMON(Namespace, Namespaces)
DEFINE_COMMON(LoadBalancer, LoadBalancers)
DEFINE_COMMON(SdnRoute, SdnRoutes)
DEFINE_CREATE(Network)
DEFINE_CREATE(Namespace)
DEFINE_CREATE(LoadBalancer)
DEFINE_CREATE(SdnRoute)
DEFINE_COMMON(GuestNetworkService, GuestNetworkServices)
DEFINE_CREATE(GuestNetworkService)

EXPORT HRESULT CALLTYPE HcnCreateEndpoint(void *network, const GUID *id, PCWSTR settings, void **handle, PWSTR *error) {
    Buffer call;
    clear_text(error);
    if (handle == NULL) return RESULT_INVALID_ARGUMENT;
    begin_call(&call, "HcnCreateEndpoint", 3);
    put_handle(&call, network);
    put_guid(&call, id);
    put_wide(&call, settings);
    return forward_handle(&call, handle, error);
}

EXPORT HRESULT CALLTYPE HcnQueryEndpointStats(void *endpoint, PCWSTR query, PWSTR *stats, PWSTR *error) {
    return query_properties("HcnQueryEndpointStats", endpoint, query, stats, error);
}

EXPORT HRESULT CALLTYPE HcnQueryEndpointAddresses(void *endpoint, PCWSTR query, PWSTR *addresses, PWSTR *error) {
    return query_properties("HcnQueryEndpointAddresses", endpoint, query, addresses, error);
}
