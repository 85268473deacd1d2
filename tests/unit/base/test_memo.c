/* What is remembered of texts by their hashes: never another's, never more than there is room for. */
#include "../unit.h"

#include "base/memo.h"

#define NUMBERS 16384u

static struct memo_key key_of(const struct memo *memo, uint64_t text)
{
    return memo_key(memo, slice_of((const char *)&text, sizeof text));
}

static void keep(struct memo *memo, uint64_t text, uint32_t subject, uint64_t number)
{
    struct memo_key key = key_of(memo, text);
    memo_keep(memo, &key, subject, number);
}

static uint32_t find(struct memo *memo, uint64_t text, uint32_t subject)
{
    struct memo_key key = key_of(memo, text);
    return memo_find(memo, &key, subject);
}

static void each_subject_has_a_number_of_its_own(void)
{
    struct memo *memo = memo_new(NUMBERS);
    keep(memo, 1, 7, 100);
    EXPECT_INT(100, find(memo, 1, 7));
    EXPECT_INT(0, find(memo, 1, 8));
    EXPECT_INT(0, find(memo, 2, 7));
    keep(memo, 1, 8, 200);
    keep(memo, 1, 7, 101);
    EXPECT_INT(101, find(memo, 1, 7));
    EXPECT_INT(200, find(memo, 1, 8));
    keep(memo, 1, 7, (uint64_t)UINT32_MAX + 1);
    EXPECT_INT(0, find(memo, 1, 7));
    memo_free(memo);
    memo_free(NULL);
}

/* Texts fall on places as chance has it: a quarter of what fits must be there when it comes again, but for a few. */
static void nearly_all_that_fits_is_remembered(void)
{
    struct memo *memo = memo_new(NUMBERS);
    unsigned kept = 0;
    for (unsigned i = 0; i < NUMBERS / 4; i++)
        keep(memo, i, 0, i + 1);
    for (unsigned i = 0; i < NUMBERS / 4; i++)
        kept += find(memo, i, 0) == i + 1;
    EXPECT(kept > NUMBERS / 4 * 98 / 100);
    memo_free(memo);
}

/* Far more texts than places: each is found with its own number or not at all. */
static void a_full_one_forgets_and_never_mistakes(void)
{
    struct memo *memo = memo_new(NUMBERS);
    size_t found = 0;
    for (uint64_t i = 1; i <= 3 * NUMBERS; i++)
        keep(memo, i, 0, i);
    for (uint64_t i = 1; i <= 3 * NUMBERS; i++) {
        uint32_t number = find(memo, i, 0);
        EXPECT(number == 0 || number == i);
        EXPECT_INT(0, find(memo, i, 1));
        found += number != 0;
    }
    EXPECT(found > NUMBERS / 2 && found <= NUMBERS);
    memo_free(memo);
}

static void what_was_not_asked_for_the_longest_goes_first(void)
{
    struct memo *memo = memo_new(MEMO_TOGETHER); /* one place */
    for (uint64_t i = 1; i <= MEMO_TOGETHER; i++)
        keep(memo, i, 0, i);
    EXPECT_INT(1, find(memo, 1, 0));
    keep(memo, 9, 0, 9);
    EXPECT_INT(1, find(memo, 1, 0));
    EXPECT_INT(0, find(memo, 2, 0));
    EXPECT_INT(9, find(memo, 9, 0));
    memo_free(memo);
}

/* The secret: who has seen the hashes of one knows nothing of another's. */
static void no_two_hash_alike(void)
{
    struct memo *one = memo_new(NUMBERS), *other = memo_new(NUMBERS);
    char text[1024];
    memset(text, 'x', sizeof text);
    for (size_t len = 1; len <= sizeof text; len *= 2) {
        struct memo_key a = memo_key(one, slice_of(text, len)), b = memo_key(other, slice_of(text, len));
        struct memo_key again = memo_key(one, slice_of(text, len));
        EXPECT(memcmp(&a, &b, sizeof a) != 0);
        EXPECT(memcmp(&a, &again, sizeof a) == 0);
    }
    memo_free(one);
    memo_free(other);
}

static void no_subject_is_given_twice(void)
{
    uint32_t last = memo_subject();
    EXPECT(last > 0);
    for (int i = 0; i < 100; i++) {
        uint32_t next = memo_subject();
        EXPECT(next > last);
        last = next;
    }
}

int main(void)
{
    RUN(each_subject_has_a_number_of_its_own);
    RUN(nearly_all_that_fits_is_remembered);
    RUN(a_full_one_forgets_and_never_mistakes);
    RUN(what_was_not_asked_for_the_longest_goes_first);
    RUN(no_two_hash_alike);
    RUN(no_subject_is_given_twice);
    return unit_close("memo");
}
