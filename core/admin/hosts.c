#include "admin/hosts.h"

#include <arpa/inet.h>
#include <stdio.h>

/* "name:8091", "[::1]:8091" → the name, without brackets. */
static struct slice name_of(struct slice host, bool *is_bracketed)
{
    const char *end;
    *is_bracketed = host.len && host.ptr[0] == '[';
    if (*is_bracketed) {
        end = memchr(host.ptr, ']', host.len);
        return end ? slice_of(host.ptr + 1, (size_t)(end - host.ptr) - 1) : SLICE_NONE;
    }
    end = memchr(host.ptr, ':', host.len);
    return end ? slice_of(host.ptr, (size_t)(end - host.ptr)) : host;
}

static bool is_address(struct slice name, int family)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (name.len == 0 || name.len >= sizeof text) return false;
    snprintf(text, sizeof text, "%.*s", SLICE_FMT(name));
    return inet_pton(family, text, &address) == 1;
}

static bool is_localhost(struct slice name)
{
    struct slice local = SLICE("localhost");
    if (name.len && name.ptr[name.len - 1] == '.') name.len--;
    if (name.len < local.len) return false;
    struct slice end = slice_of(name.ptr + name.len - local.len, local.len);
    bool is_label = name.len == local.len || end.ptr[-1] == '.';
    return is_label && slice_iequal(end, local);
}

bool hosts_is_ours(struct slice host, struct slice configured)
{
    bool is_bracketed;
    if (host.len == 0) return true;
    struct slice name = name_of(host, &is_bracketed);
    if (is_address(name, is_bracketed ? AF_INET6 : AF_INET)) return true;
    return !is_bracketed && (is_localhost(name) || (configured.len && slice_iequal(name, configured)));
}

bool hosts_is_loopback(struct slice host)
{
    bool is_bracketed;
    struct slice name = name_of(host, &is_bracketed);
    if (is_bracketed) return slice_equal(name, SLICE("::1"));
    return is_localhost(name) || (slice_starts(name, SLICE("127.")) && is_address(name, AF_INET));
}
