#include "admin/api/caller.h"

static const char *const words[] = {
    [API_NOBODY] = "nobody", [API_ANYBODY] = "anybody", [API_PERSON] = "person", [API_VIEWER] = "viewer",
    [API_AUTHOR] = "author", [API_APPROVER] = "approver", [API_ADMIN] = "admin",
};

const char *caller_role_word(enum api_role role)
{
    return words[role];
}

enum api_role caller_role_of(struct slice word)
{
    for (enum api_role role = API_VIEWER; role <= API_ADMIN; role++)
        if (slice_equal(word, slice_str(words[role]))) return role;
    return API_NOBODY;
}

static bool covers(struct slice held, struct slice wanted)
{
    return wanted.len == 0 || slice_equal(held, API_EVERYWHERE) || slice_equal(held, wanted);
}

bool caller_has(const struct api_caller *by, enum api_role role, struct slice scope)
{
    if (role == API_ANYBODY) return true;
    if (!by || role == API_NOBODY) return false;
    if (by->is_local || role == API_PERSON) return true;
    for (size_t i = 0; i < by->role_count; i++)
        if (caller_role_of(by->roles[i].role) >= role && covers(by->roles[i].scope, scope)) return true;
    return false;
}

enum api_role caller_highest(const struct api_caller *by)
{
    enum api_role highest = by ? API_PERSON : API_NOBODY;
    for (enum api_role role = API_VIEWER; role <= API_ADMIN; role++)
        if (caller_has(by, role, API_SOMEWHERE)) highest = role;
    return highest;
}

struct change_by caller_change(const struct api_caller *by, struct slice reason)
{
    return (struct change_by){
        .actor = by->name, .host = by->host, .via = by->via, .reason = reason, .uid = by->uid};
}
