/* The tokens of provider accounts in shared memory: what is there, for whom, until when; and a writer that is killed. */
#include "../unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/grants.h"

static struct grants *all;
static struct grants_copy copy;

static void begin(const uint64_t *ids, size_t count)
{
    memset(all, 0, sizeof *all);
    grants_keep(all, ids, count);
}

static void a_token_is_good_until_its_end(void)
{
    begin((const uint64_t[]){7, 8}, 2);
    EXPECT_INT(GRANTS_AWAITED, grants_get(all, 7, 1, &copy));
    grants_put(all, 7, SLICE("first-token"), 100);
    EXPECT_INT(GRANTS_GOOD, grants_get(all, 7, 99, &copy));
    EXPECT_SLICE(SLICE("first-token"), slice_of(copy.token, copy.len));
    EXPECT_INT(GRANTS_AWAITED, grants_get(all, 7, 100, &copy));
    EXPECT_INT(0, (int)copy.len);
    EXPECT_INT(GRANTS_AWAITED, grants_get(all, 8, 1, &copy));
    EXPECT_INT(GRANTS_AWAITED, grants_get(all, 9, 1, &copy));
    EXPECT_INT(GRANTS_AWAITED, grants_get(NULL, 7, 1, &copy));
}

static void a_failure_counts_where_there_is_none(void)
{
    begin((const uint64_t[]){7}, 1);
    grants_failed(all, 7);
    EXPECT_INT(GRANTS_FAILED, grants_get(all, 7, 1, &copy));
    grants_put(all, 7, SLICE("a-token-now"), 100);
    EXPECT_INT(GRANTS_GOOD, grants_get(all, 7, 1, &copy));
    grants_failed(all, 7);
    EXPECT_INT(GRANTS_GOOD, grants_get(all, 7, 99, &copy));
    EXPECT_INT(GRANTS_FAILED, grants_get(all, 7, 100, &copy));
}

static void what_is_kept_stays_and_the_rest_is_wiped(void)
{
    char page[sizeof *all];
    begin((const uint64_t[]){7, 8}, 2);
    grants_put(all, 7, SLICE("goes-away-soon"), 100);
    grants_put(all, 8, SLICE("stays-for-ever"), 100);
    grants_keep(all, (const uint64_t[]){8, 9}, 2);
    EXPECT_INT(GRANTS_AWAITED, grants_get(all, 7, 1, &copy));
    EXPECT_INT(GRANTS_GOOD, grants_get(all, 8, 1, &copy));
    memcpy(page, all, sizeof page);
    EXPECT(!memmem(page, sizeof page, "goes-away", 9) && memmem(page, sizeof page, "stays-for", 9));
    grants_wipe(all);
    memcpy(page, all, sizeof page);
    EXPECT(!memmem(page, sizeof page, "stays-for", 9));
    EXPECT_INT(GRANTS_AWAITED, grants_get(all, 8, 1, &copy));
}

static void a_refusal_is_of_one_token(void)
{
    begin((const uint64_t[]){7}, 1);
    EXPECT(!grants_is_refused(all, 7));
    grants_put(all, 7, SLICE("first-token"), 100);
    grants_get(all, 7, 1, &copy);
    uint64_t first = copy.number;
    EXPECT(!grants_is_refused(all, 7));
    grants_refuse(all, 7, first);
    EXPECT(grants_is_refused(all, 7));
    grants_put(all, 7, SLICE("second-token"), 100);
    EXPECT(!grants_is_refused(all, 7));
    grants_refuse(all, 7, first); /* of a call that was under way */
    EXPECT(!grants_is_refused(all, 7));
}

static void all_places_can_be_taken_again_and_again(void)
{
    uint64_t ids[LIMIT_GRANTS];
    begin(NULL, 0);
    for (uint64_t round = 0; round < 20; round++) {
        for (size_t i = 0; i < LIMIT_GRANTS; i++)
            ids[i] = 1 + round * 1000 + i;
        grants_keep(all, ids, LIMIT_GRANTS);
        for (size_t i = 0; i < LIMIT_GRANTS; i++)
            grants_put(all, ids[i], SLICE("some-token-or-other"), 10);
        for (size_t i = 0; i < LIMIT_GRANTS; i++)
            EXPECT_INT(GRANTS_GOOD, grants_get(all, ids[i], 1, &copy));
    }
}

/* Tokens of one letter each and as long as can be: one that is made of two would show. */
_Noreturn static void write_for_ever(void)
{
    char text[LIMIT_GRANT_BYTES];
    for (unsigned i = 0;; i++) {
        memset(text, 'a' + (int)(i % 26), sizeof text);
        grants_put(all, 7, slice_of(text, sizeof text - i % 64), UINT64_MAX);
    }
}

static bool is_of_one_letter(void)
{
    for (size_t i = 1; i < copy.len; i++)
        if (copy.token[i] != copy.token[0]) return false;
    return copy.len > LIMIT_GRANT_BYTES - 64;
}

static void whoever_reads_has_a_whole_one_though_writers_are_killed(void)
{
    unsigned good = 0, torn = 0;
    begin((const uint64_t[]){7}, 1);
    for (int round = 0; round < 30; round++) {
        pid_t writer = fork();
        if (writer == 0) write_for_ever();
        while (grants_get(all, 7, 1, &copy) != GRANTS_GOOD || copy.len < 64)
            usleep(100); /* until it is at it */
        for (int i = 0; i < 2000; i++) {
            if (grants_get(all, 7, 1, &copy) != GRANTS_GOOD) continue;
            good++;
            torn += !is_of_one_letter();
        }
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
        grants_keep(all, (const uint64_t[]){7}, 1); /* as the next one does, first of all */
        grants_put(all, 7, SLICE("of-the-next-one"), UINT64_MAX);
        EXPECT_INT(GRANTS_GOOD, grants_get(all, 7, 1, &copy));
        EXPECT_SLICE(SLICE("of-the-next-one"), slice_of(copy.token, copy.len));
    }
    EXPECT_INT(0, (int)torn);
    EXPECT(good > 1000);
}

int main(void)
{
    all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    RUN(a_token_is_good_until_its_end);
    RUN(a_failure_counts_where_there_is_none);
    RUN(what_is_kept_stays_and_the_rest_is_wiped);
    RUN(a_refusal_is_of_one_token);
    RUN(all_places_can_be_taken_again_and_again);
    RUN(whoever_reads_has_a_whole_one_though_writers_are_killed);
    return unit_close("grants");
}
