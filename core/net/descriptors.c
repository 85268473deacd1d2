#include "net/descriptors.h"

#include <sys/resource.h>

#include "base/limits.h"

uint64_t descriptors_limit(void)
{
    struct rlimit files;
    return getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : LIMIT_DESCRIPTORS_UNKNOWN;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct descriptors descriptors_share(uint64_t limit, uint32_t connections)
{
    uint64_t rest = limit > LIMIT_DESCRIPTORS_OWN ? limit - LIMIT_DESCRIPTORS_OWN : 0;
    uint64_t overloaded = smaller(LIMIT_OVERLOADED, rest / 16);
    rest -= overloaded;
    uint64_t clients = smaller(connections, rest / 2);
    if (clients == 0) clients = 1;
    uint64_t upstream = rest > clients ? rest - clients : 1;
    return (struct descriptors){limit, (uint32_t)clients, (uint32_t)overloaded, (uint32_t)smaller(upstream, INT32_MAX),
                                clients < connections};
}
