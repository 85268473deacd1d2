/* What requests hold of a worker: counted for each key and for all, granted and refused. */
#include "../unit.h"

#include "flow/intake.h"

static void each_key_has_its_own_and_all_together_theirs(void)
{
    struct fault why;
    struct intake *intake = intake_new(100, 250);
    struct intake_hold a = {0}, b = {0}, other = {0}, third = {0};
    intake_join(intake, &a, SLICE("key_a"));
    intake_join(intake, &b, SLICE("key_a"));
    intake_join(intake, &other, SLICE("key_b"));
    intake_join(intake, &third, SLICE("key_c"));
    EXPECT_INT(3, intake_holders(intake));
    EXPECT(intake_hold(&a, 60, &why));
    EXPECT(intake_hold(&b, 40, &why));
    EXPECT(!intake_hold(&b, 41, &why));
    EXPECT_INT(FAULT_KEY_FULL, why.code);
    EXPECT(strstr(why.text, "hold 60 bytes") && strstr(why.text, "limits.key_bytes"));
    EXPECT_INT(100, intake_bytes(intake));
    EXPECT(intake_hold(&other, 100, &why));
    EXPECT(!intake_hold(&third, 51, &why));
    EXPECT_INT(FAULT_WORKER_FULL, why.code);
    EXPECT(intake_hold(&third, 50, &why));
    EXPECT(intake_hold(&a, 10, &why)); /* less is always granted */
    EXPECT(intake_hold(&b, 90, &why));
    EXPECT_INT(250, intake_bytes(intake));
    intake_leave(&a);
    intake_leave(&a);
    intake_leave(&b);
    EXPECT_INT(150, intake_bytes(intake));
    EXPECT_INT(2, intake_holders(intake));
    intake_leave(&other);
    intake_leave(&third);
    EXPECT_INT(0, intake_bytes(intake));
    intake_free(intake);
}

static void one_alone_is_always_taken(void)
{
    struct fault why;
    struct intake *intake = intake_new(10, 10);
    struct intake_hold a = {0}, b = {0};
    intake_join(intake, &a, SLICE(""));
    EXPECT(intake_hold(&a, 1000, &why));
    intake_join(intake, &b, SLICE("key_b"));
    EXPECT(!intake_hold(&b, 1, &why));
    EXPECT_INT(FAULT_WORKER_FULL, why.code);
    intake_leave(&a);
    EXPECT(intake_hold(&b, 1, &why));
    intake_leave(&b);
    intake_free(intake);
}

static void limits_change_while_requests_are_held(void)
{
    struct fault why;
    struct intake *intake = intake_new(100, 100);
    struct intake_hold a = {0}, b = {0};
    intake_join(intake, &a, SLICE("k"));
    intake_join(intake, &b, SLICE("k"));
    EXPECT(intake_hold(&a, 50, &why) && intake_hold(&b, 50, &why));
    intake_set_limits(intake, 40, 1000);
    EXPECT(intake_hold(&a, 45, &why));
    EXPECT(!intake_hold(&a, 46, &why));
    intake_leave(&a);
    intake_leave(&b);
    intake_free(intake);
}

/* Places are used again, and the keys in them are told apart. */
static void keys_come_and_go(void)
{
    struct fault why;
    struct intake *intake = intake_new(10, 1000000);
    static struct intake_hold holds[100];
    char id[32];
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 100; i++) {
            snprintf(id, sizeof id, "key_%d_%d", round, i);
            intake_join(intake, &holds[i], slice_str(id));
            EXPECT(intake_hold(&holds[i], 10, &why));
        }
        EXPECT_INT(100, intake_holders(intake));
        EXPECT_INT(1000, intake_bytes(intake));
        for (int i = 0; i < 100; i++)
            intake_leave(&holds[(i * 37 + round) % 100]);
        EXPECT_INT(0, intake_bytes(intake));
    }
    intake_free(intake);
}

static void who_has_not_joined_holds_what_he_likes(void)
{
    struct intake_hold none = {0};
    EXPECT(intake_hold(&none, 1u << 30, NULL));
    intake_leave(&none);
}

int main(void)
{
    RUN(each_key_has_its_own_and_all_together_theirs);
    RUN(one_alone_is_always_taken);
    RUN(limits_change_while_requests_are_held);
    RUN(keys_come_and_go);
    RUN(who_has_not_joined_holds_what_he_likes);
    return unit_close("intake");
}
