#include "base/finding.h"

#include "base/check.h"

static const struct finding_info infos[FINDING_COUNT] = {
#define X(name, word, code, title, cause, cure) [FINDING_##name] = {word, code, title, cause, cure},
    FINDINGS(X)
#undef X
};

const struct finding_info *finding_info(enum finding finding)
{
    check(finding > FINDING_NONE && finding < FINDING_COUNT);
    return &infos[finding];
}

enum finding finding_of(struct slice name)
{
    for (int i = FINDING_NONE + 1; i < FINDING_COUNT; i++) {
        if (slice_iequal(slice_str(infos[i].word), name) || slice_iequal(slice_str(infos[i].code), name)) return i;
    }
    return FINDING_NONE;
}

bool finding_is_warning(enum finding finding)
{
    return finding_info(finding)->code[3] == '3';
}
