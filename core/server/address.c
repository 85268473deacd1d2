#include "server/address.h"

#include <netinet/in.h>

bool address_is_loopback(const struct listener_address *a)
{
    if (a->where.ss_family == AF_INET6) {
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)&a->where)->sin6_addr);
    }
    return ntohl(((const struct sockaddr_in *)&a->where)->sin_addr.s_addr) >> 24 == 127;
}

void address_set_port(struct listener_address *a, int port)
{
    if (a->where.ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)&a->where)->sin6_port = htons((uint16_t)port);
    } else {
        ((struct sockaddr_in *)&a->where)->sin_port = htons((uint16_t)port);
    }
}
