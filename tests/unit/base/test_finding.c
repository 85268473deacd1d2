/* The list of findings: each is named once, explained, and found by its word and its code. */
#include <ctype.h>
#include <string.h>

#include "base/finding.h"
#include "../unit.h"

static const char *const names[] = {
    "",
#define X(name, word, code, title, cause, cure) #name,
    FINDINGS(X)
#undef X
};

static void each_is_found_by_its_word_and_its_code(void)
{
    for (int i = FINDING_NONE + 1; i < FINDING_COUNT; i++) {
        const struct finding_info *info = finding_info(i);
        EXPECT_INT(i, finding_of(slice_str(info->word)));
        EXPECT_INT(i, finding_of(slice_str(info->code)));
    }
    EXPECT_INT(FINDING_UNKNOWN_MODEL, finding_of(SLICE("mg0204")));
    EXPECT_INT(FINDING_UNKNOWN_MODEL, finding_of(SLICE("Unknown_Model")));
    EXPECT_INT(FINDING_NONE, finding_of(SLICE("MG0000")));
    EXPECT_INT(FINDING_NONE, finding_of(SLICE("MG020")));
    EXPECT_INT(FINDING_NONE, finding_of(SLICE("unknown")));
    EXPECT_INT(FINDING_NONE, finding_of(SLICE("")));
}

/* Who reads C finds what who reads Lua finds. */
static void a_word_is_the_name_in_small_letters(void)
{
    for (int i = FINDING_NONE + 1; i < FINDING_COUNT; i++) {
        const char *word = finding_info(i)->word;
        EXPECT_INT(strlen(names[i]), strlen(word));
        for (size_t c = 0; word[c]; c++)
            EXPECT_INT(names[i][c], toupper((unsigned char)word[c]));
    }
}

static void each_is_explained(void)
{
    for (int i = FINDING_NONE + 1; i < FINDING_COUNT; i++) {
        const struct finding_info *info = finding_info(i);
        EXPECT_INT(6, strlen(info->code));
        EXPECT(strncmp(info->code, "MG0", 3) == 0 && strspn(info->code + 3, "0123456789") == 3);
        EXPECT(strlen(info->title) > 5 && strlen(info->cause) > 20 && strlen(info->cure) > 10);
        EXPECT(i == FINDING_NONE + 1 || strcmp(finding_info(i - 1)->code, info->code) < 0);
    }
}

static void a_warning_is_told_by_its_code(void)
{
    EXPECT(finding_is_warning(FINDING_NEVER_REACHED));
    EXPECT(!finding_is_warning(FINDING_NOT_LUA));
    EXPECT(!finding_is_warning(FINDING_NEEDS_RESTART));
}

int main(void)
{
    RUN(each_is_found_by_its_word_and_its_code);
    RUN(a_word_is_the_name_in_small_letters);
    RUN(each_is_explained);
    RUN(a_warning_is_told_by_its_code);
    return unit_close("finding");
}
