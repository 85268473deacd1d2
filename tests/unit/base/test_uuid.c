/* Ids that sort by time, and whose name stands for a user. */
#include "../unit.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/login.h"
#include "base/uuid.h"

static void an_id_is_its_time_and_random_bits(void)
{
    uint8_t bits[UUID_BYTES], again[UUID_BYTES];
    uint8_t ones[UUID_RANDOM_BYTES], none[UUID_RANDOM_BYTES] = {0};
    char text[UUID_TEXT_BYTES];
    memset(ones, 0xFF, sizeof ones);
    uuid_of(bits, 0x0199f3a27c41ull * NS_PER_MS + 999999, ones);
    uuid_write(text, bits);
    EXPECT_STR("0199f3a2-7c41-7fff-bfff-ffffffffffff", text);
    EXPECT(uuid_read(slice_str(text), again));
    EXPECT(memcmp(bits, again, sizeof bits) == 0);
    uuid_of(bits, 0, none);
    uuid_write(text, bits);
    EXPECT_STR("00000000-0000-7000-8000-000000000000", text);
}

static void ids_sort_by_their_times(void)
{
    uint8_t first[UUID_BYTES], second[UUID_BYTES], other[UUID_BYTES];
    uint64_t now = clock_wall_ns();
    uuid_make(first, now);
    uuid_make(other, now);
    uuid_make(second, now + NS_PER_MS);
    EXPECT(memcmp(first, second, UUID_BYTES) < 0 && memcmp(other, second, UUID_BYTES) < 0);
    EXPECT(memcmp(first, other, UUID_BYTES) != 0);
}

static void what_is_no_id_is_not_read(void)
{
    static const char *const bad[] = {"",
                                      "0199f3a2-7c41-7fff-bfff-fffffffffff",
                                      "0199f3a2-7c41-7fff-bfff-fffffffffffff",
                                      "0199f3a2-7c41-7fff-bfff-ffffffffffg0",
                                      "0199f3a27c41-7fff-bfff-0ffffffffffff",
                                      "0199f3a2-7c41-7fff-bff--ffffffffffff",
                                      "0199f3a207c4107fff0bfff0ffffffffffff"};
    uint8_t bits[UUID_BYTES];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (uuid_read(slice_str(bad[i]), bits)) UNIT_FAIL("%s was read", bad[i]);
    }
}

static void users_have_a_name_or_a_number(void)
{
    char name[LIMIT_LOGIN_BYTES + 1];
    login_of(0, name);
    EXPECT_STR("root", name);
    uid_t nobody = 4000000000u;
    while (getpwuid(nobody))
        nobody--;
    char want[32];
    snprintf(want, sizeof want, "uid %lu", (unsigned long)nobody);
    login_of(nobody, name);
    EXPECT_STR(want, name);
    name[0] = '\0';
    login_caller(name);
    EXPECT(name[0] != '\0');
}

int main(void)
{
    RUN(an_id_is_its_time_and_random_bits);
    RUN(ids_sort_by_their_times);
    RUN(what_is_no_id_is_not_read);
    RUN(users_have_a_name_or_a_number);
    return unit_close("uuid");
}
