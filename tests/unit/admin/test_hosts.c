/* Under which names the admin listener answers. */
#include "admin/hosts.h"

#include "../unit.h"

static bool ours(const char *host)
{
    return hosts_is_ours(slice_str(host), SLICE("moongate.internal"));
}

static void addresses_and_localhost_are_ours(void)
{
    static const char *const names[] = {
        "", "127.0.0.1", "127.0.0.1:8091", "10.0.0.7:1", "[::1]", "[::1]:8091", "[fe80::1]:80", "localhost",
        "localhost:8091", "LocalHost:8091", "localhost.", "a.localhost", "moongate.localhost:8091", "moongate.internal",
        "MOONGATE.internal:8091",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!ours(names[i])) UNIT_FAIL("%s is ours", names[i]);
}

static void names_that_others_may_have_are_not(void)
{
    static const char *const names[] = {
        "evil.example", "evil.example:8091", "127.0.0.1.evil.example", "localhost.evil.example", "evillocalhost",
        "moongate.internal.evil.example", "evil.moongate.internal", "[evil.example]:8091", "[::1", "[127.0.0.1]:80",
        "[localhost]", "0x7f000001", "2130706433", "127.1", ":8091", "::1", "127.0.0.1@evil.example", "localhost..",
        "1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (ours(names[i])) UNIT_FAIL("%s is not ours", names[i]);
    EXPECT(!hosts_is_ours(SLICE("moongate.internal"), SLICE("")));
}

int main(void)
{
    RUN(addresses_and_localhost_are_ours);
    RUN(names_that_others_may_have_are_not);
    return unit_close("hosts");
}
