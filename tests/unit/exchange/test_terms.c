/* The table of targets: found by whole names only, in whatever order they were added. */
#include "../unit.h"

#include "exchange/terms.h"
#include "wire/count_rules.h"

static void targets_are_found_by_their_whole_names(void)
{
    struct terms_table *table = terms_table_new();
    const char *names[] = {"openai/gpt-4o", "anthropic/claude", "openai/gpt-4", "local/x", "openai/gpt-4o-mini"};
    for (size_t i = 0; i < 5; i++)
        terms_table_set_context(table, terms_table_add(table, slice_str(names[i])), 10 + i);
    for (size_t i = 0; i < 5; i++) {
        const struct terms *t = terms_table_find(table, slice_str(names[i]));
        EXPECT(t && t->context_tokens == 10 + i);
    }
    EXPECT(!terms_table_find(table, SLICE("openai/gpt")));
    EXPECT(!terms_table_find(table, SLICE("openai/gpt-4o-mini-2024")));
    EXPECT(!terms_table_find(table, SLICE("")));
    EXPECT_INT(14, terms_table_context_max(table));
    terms_table_free(table);
}

static void a_name_added_again_is_the_same_one(void)
{
    struct terms_table *table = terms_table_new();
    struct terms *first = terms_table_add(table, SLICE("a/b"));
    for (int i = 0; i < 100; i++) {
        char name[16];
        int len = snprintf(name, sizeof name, "a/%d", i);
        terms_table_add(table, slice_of(name, (size_t)len));
    }
    EXPECT(first == terms_table_add(table, SLICE("a/b")));
    EXPECT_INT(0, terms_table_context_max(table));
    terms_table_free(table);
    terms_table_free(NULL);
}

static void a_name_counts_as_its_first_target_does(void)
{
    struct terms_table *table = terms_table_new();
    struct count_rules o200k = {.vocabulary = vocabulary_at(0)}, cl100k = {.vocabulary = vocabulary_at(1)};
    struct terms *a = terms_table_add(table, SLICE("p/a")), *b = terms_table_add(table, SLICE("p/b"));
    struct terms *unknown = terms_table_add(table, SLICE("p/c"));
    EXPECT_INT(0, terms_table_vocabulary(table, SLICE("anything")));
    a->counting = &o200k;
    b->counting = &cl100k;
    terms_table_add_name(table, SLICE("one"), b);
    terms_table_add_name(table, SLICE("both"), b);
    terms_table_add_name(table, SLICE("both"), a);
    terms_table_add_name(table, SLICE("usual"), unknown);
    terms_table_add_name(table, SLICE("usual"), b);
    EXPECT(terms_table_counting(table, SLICE("one")) == &cl100k);
    EXPECT(terms_table_counting(table, SLICE("both")) == &cl100k); /* its preferred target's */
    EXPECT(!terms_table_counting(table, SLICE("usual")));
    EXPECT_INT(1, terms_table_vocabulary(table, SLICE("one")));
    EXPECT_INT(1, terms_table_vocabulary(table, SLICE("both")));
    EXPECT_INT(0, terms_table_vocabulary(table, SLICE("usual"))); /* a target that has no rules is one, too */
    terms_table_free(table);
}

static void what_routing_chooses_counts_as_most_of_it_does(void)
{
    struct terms_table *table = terms_table_new();
    struct count_rules o200k = {.vocabulary = vocabulary_at(0)}, cl100k = {.vocabulary = vocabulary_at(1)};
    struct terms *a = terms_table_add(table, SLICE("p/a")), *b = terms_table_add(table, SLICE("p/b")),
                 *c = terms_table_add(table, SLICE("p/c"));
    a->counting = &o200k;
    b->counting = c->counting = &cl100k;
    terms_table_add_virtual(table, SLICE("auto"), b);
    EXPECT_INT(1, terms_table_vocabulary(table, SLICE("auto")));
    terms_table_add_virtual(table, SLICE("auto"), a);
    EXPECT_INT(0, terms_table_vocabulary(table, SLICE("auto"))); /* of equals the first */
    terms_table_add_virtual(table, SLICE("auto"), c);
    EXPECT_INT(1, terms_table_vocabulary(table, SLICE("auto")));
    EXPECT(!terms_table_counting(table, SLICE("auto")));
    EXPECT_INT(1, terms_table_vocabulary(table, SLICE("nobody")));
    terms_table_free(table);
}

int main(void)
{
    RUN(targets_are_found_by_their_whole_names);
    RUN(a_name_counts_as_its_first_target_does);
    RUN(what_routing_chooses_counts_as_most_of_it_does);
    RUN(a_name_added_again_is_the_same_one);
    return unit_close("terms");
}
