/* The tokens of provider accounts in shared memory: what is there, for whom, until when; and a writer that is killed. */
#include "../unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/access_tokens.h"

static struct access_tokens *all;
static struct access_tokens_copy copy;

static void begin(const uint64_t *ids, size_t count)
{
    memset(all, 0, sizeof *all);
    access_tokens_keep(all, ids, count);
}

static void a_token_is_good_until_its_end(void)
{
    begin((const uint64_t[]){7, 8}, 2);
    EXPECT_INT(ACCESS_TOKENS_AWAITED, access_tokens_get(all, 7, 1, &copy));
    access_tokens_put(all, 7, SLICE("first-token"), 100);
    EXPECT_INT(ACCESS_TOKENS_GOOD, access_tokens_get(all, 7, 99, &copy));
    EXPECT_SLICE(SLICE("first-token"), slice_of(copy.token, copy.len));
    EXPECT_INT(ACCESS_TOKENS_AWAITED, access_tokens_get(all, 7, 100, &copy));
    EXPECT_INT(0, (int)copy.len);
    EXPECT_INT(ACCESS_TOKENS_AWAITED, access_tokens_get(all, 8, 1, &copy));
    EXPECT_INT(ACCESS_TOKENS_AWAITED, access_tokens_get(all, 9, 1, &copy));
    EXPECT_INT(ACCESS_TOKENS_AWAITED, access_tokens_get(NULL, 7, 1, &copy));
}

static void a_failure_counts_where_there_is_none(void)
{
    begin((const uint64_t[]){7}, 1);
    access_tokens_failed(all, 7);
    EXPECT_INT(ACCESS_TOKENS_FAILED, access_tokens_get(all, 7, 1, &copy));
    access_tokens_put(all, 7, SLICE("a-token-now"), 100);
    EXPECT_INT(ACCESS_TOKENS_GOOD, access_tokens_get(all, 7, 1, &copy));
    access_tokens_failed(all, 7);
    EXPECT_INT(ACCESS_TOKENS_GOOD, access_tokens_get(all, 7, 99, &copy));
    EXPECT_INT(ACCESS_TOKENS_FAILED, access_tokens_get(all, 7, 100, &copy));
}

static void what_is_kept_stays_and_the_rest_is_wiped(void)
{
    char page[sizeof *all];
    begin((const uint64_t[]){7, 8}, 2);
    access_tokens_put(all, 7, SLICE("goes-away-soon"), 100);
    access_tokens_put(all, 8, SLICE("stays-for-ever"), 100);
    access_tokens_keep(all, (const uint64_t[]){8, 9}, 2);
    EXPECT_INT(ACCESS_TOKENS_AWAITED, access_tokens_get(all, 7, 1, &copy));
    EXPECT_INT(ACCESS_TOKENS_GOOD, access_tokens_get(all, 8, 1, &copy));
    memcpy(page, all, sizeof page);
    EXPECT(!memmem(page, sizeof page, "goes-away", 9) && memmem(page, sizeof page, "stays-for", 9));
    access_tokens_wipe(all);
    memcpy(page, all, sizeof page);
    EXPECT(!memmem(page, sizeof page, "stays-for", 9));
    EXPECT_INT(ACCESS_TOKENS_AWAITED, access_tokens_get(all, 8, 1, &copy));
}

static void a_refusal_is_of_one_token(void)
{
    begin((const uint64_t[]){7}, 1);
    EXPECT(!access_tokens_is_refused(all, 7));
    access_tokens_put(all, 7, SLICE("first-token"), 100);
    access_tokens_get(all, 7, 1, &copy);
    uint64_t first = copy.number;
    EXPECT(!access_tokens_is_refused(all, 7));
    access_tokens_refuse(all, 7, first);
    EXPECT(access_tokens_is_refused(all, 7));
    access_tokens_put(all, 7, SLICE("second-token"), 100);
    EXPECT(!access_tokens_is_refused(all, 7));
    access_tokens_refuse(all, 7, first); /* of a call that was under way */
    EXPECT(!access_tokens_is_refused(all, 7));
}

static void all_places_can_be_taken_again_and_again(void)
{
    uint64_t ids[LIMIT_ACCESS_TOKENS];
    begin(NULL, 0);
    for (uint64_t round = 0; round < 20; round++) {
        for (size_t i = 0; i < LIMIT_ACCESS_TOKENS; i++)
            ids[i] = 1 + round * 1000 + i;
        access_tokens_keep(all, ids, LIMIT_ACCESS_TOKENS);
        for (size_t i = 0; i < LIMIT_ACCESS_TOKENS; i++)
            access_tokens_put(all, ids[i], SLICE("some-token-or-other"), 10);
        for (size_t i = 0; i < LIMIT_ACCESS_TOKENS; i++)
            EXPECT_INT(ACCESS_TOKENS_GOOD, access_tokens_get(all, ids[i], 1, &copy));
    }
}

/* Tokens of one letter each and as long as can be: one that is made of two would show. */
_Noreturn static void write_for_ever(void)
{
    char text[LIMIT_ACCESS_TOKEN_BYTES];
    for (unsigned i = 0;; i++) {
        memset(text, 'a' + (int)(i % 26), sizeof text);
        access_tokens_put(all, 7, slice_of(text, sizeof text - i % 64), UINT64_MAX);
    }
}

static bool is_of_one_letter(void)
{
    for (size_t i = 1; i < copy.len; i++)
        if (copy.token[i] != copy.token[0]) return false;
    return copy.len > LIMIT_ACCESS_TOKEN_BYTES - 64;
}

static void whoever_reads_has_a_whole_one_though_writers_are_killed(void)
{
    unsigned good = 0, torn = 0;
    begin((const uint64_t[]){7}, 1);
    for (int round = 0; round < 30; round++) {
        pid_t writer = fork();
        if (writer == 0) write_for_ever();
        while (access_tokens_get(all, 7, 1, &copy) != ACCESS_TOKENS_GOOD || copy.len < 64)
            usleep(100); /* until it is at it */
        for (int i = 0; i < 2000; i++) {
            if (access_tokens_get(all, 7, 1, &copy) != ACCESS_TOKENS_GOOD) continue;
            good++;
            torn += !is_of_one_letter();
        }
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
        access_tokens_keep(all, (const uint64_t[]){7}, 1); /* as the next one does, first of all */
        access_tokens_put(all, 7, SLICE("of-the-next-one"), UINT64_MAX);
        EXPECT_INT(ACCESS_TOKENS_GOOD, access_tokens_get(all, 7, 1, &copy));
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
    return unit_close("access_tokens");
}
